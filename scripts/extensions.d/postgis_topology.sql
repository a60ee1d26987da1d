SELECT topology.CreateTopology('city', 3857);
CREATE TABLE streets (id serial PRIMARY KEY, name text);
SELECT topology.AddTopoGeometryColumn('city', 'public', 'streets', 'way', 'LINESTRING');
INSERT INTO streets (name, way) SELECT 'street', topology.toTopoGeom(ST_SetSRID(ST_MakeLine(ST_MakePoint(0, 0), ST_MakePoint(1, 1)), 3857), 'city', 1);
