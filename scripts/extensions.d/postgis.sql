CREATE TABLE places (id serial PRIMARY KEY, name text, at geography(Point, 4326), outline geometry(Polygon, 3857));
INSERT INTO places (name, at, outline) SELECT 'place ' || n, ST_MakePoint(n % 180, n % 90)::geography, ST_MakeEnvelope(n, n, n + 10, n + 10, 3857) FROM generate_series(1, 1000) n;
CREATE INDEX ON places USING gist (at);
CREATE INDEX ON places USING spgist (outline);
INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) VALUES (990001, 'own', 1, 'LOCAL_CS["own"]', '+proj=longlat');
ALTER TABLE places ADD COLUMN srid int DEFAULT 990001 REFERENCES spatial_ref_sys (srid);
CREATE VIEW near AS SELECT a.id, ST_Distance(a.at, b.at) AS far FROM places a JOIN places b ON a.id = b.id + 1;
CREATE MATERIALIZED VIEW areas AS SELECT id, ST_Area(outline) AS area FROM places;
