-- Row security: states and policies.
CREATE TABLE guarded (id int, who name, v text);
INSERT INTO guarded VALUES (1, 'a', 'x'), (2, 'b', 'y');
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p1 ON guarded USING (who = current_user);
CREATE POLICY p2 ON guarded AS RESTRICTIVE FOR SELECT TO "{reader}", "{owner}" USING (id > 0);
CREATE POLICY p3 ON guarded FOR INSERT TO "{reader}" WITH CHECK (v <> '');
CREATE POLICY p4 ON guarded FOR UPDATE USING (true) WITH CHECK (v IN (SELECT w.v FROM guarded w));
CREATE POLICY "P 5" ON guarded FOR DELETE TO CURRENT_USER USING (false);
COMMENT ON POLICY p1 ON guarded IS 'mine only';
CREATE TABLE forced (id int); ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE TABLE silent (id int); ALTER TABLE silent FORCE ROW LEVEL SECURITY; CREATE POLICY idle ON silent USING (true);
CREATE TABLE parted (id int) PARTITION BY RANGE (id); CREATE TABLE parted_1 PARTITION OF parted DEFAULT;
CREATE POLICY whole ON parted USING (id > 1); ALTER TABLE parted ENABLE ROW LEVEL SECURITY; ALTER TABLE parted_1 ENABLE ROW LEVEL SECURITY;
