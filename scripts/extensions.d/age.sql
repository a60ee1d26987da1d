LOAD 'age';
SET search_path = ag_catalog, public;
SELECT create_graph('family');
SELECT * FROM cypher('family', $$ CREATE (a:Person {name: 'Ann'})-[:KNOWS {since: 2020}]->(b:Person {name: 'Bob'}) RETURN a $$) AS (a agtype);
CREATE TABLE public.plain AS SELECT g AS id FROM generate_series(1, 100) g;
