-- One line of text for every fact about the objects of a database that a faithful copy shares: names, definitions, owners,
-- privileges, comments, storage settings. Left out is what is only physical: oids, file nodes, attribute numbers, statistics.
--
-- Columns that came with a later version are read through to_jsonb, where a missing one is NULL. Privileges are spelled out
-- from the built-in default, so that NULL and the default written out are one. Members of extensions are the extension's.

WITH member AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), space AS (
    SELECT n.*, quote_ident(nspname) AS name FROM pg_namespace n
     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)
), rel AS (
    SELECT c.*, s.name || '.' || quote_ident(relname) AS name FROM pg_class c JOIN space s ON s.oid = relnamespace
     WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid)
), tab AS (
    SELECT * FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
), col AS (
    SELECT a.*, t.name AS tab, t.relkind, row_number() OVER (PARTITION BY attrelid ORDER BY attnum) AS place FROM pg_attribute a JOIN tab t ON t.oid = attrelid WHERE attnum > 0 AND NOT attisdropped
), con AS (
    -- A key that is added to a partition by itself makes its NOT NULLs local ones, which means nothing there.
    SELECT c.*, coalesce(t.name, 'domain ' || conrelid) AS tab, conislocal AND NOT (contype = 'n' AND relispartition) AS is_local FROM pg_constraint c JOIN tab t ON t.oid = conrelid
), proc AS (
    SELECT p.*, s.name || '.' || quote_ident(proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name FROM pg_proc p JOIN space s ON s.oid = pronamespace
     WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_proc'::regclass AND objid = p.oid)
), typ AS (
    SELECT t.*, s.name || '.' || quote_ident(typname) AS name FROM pg_type t JOIN space s ON s.oid = typnamespace
     WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_type'::regclass AND objid = t.oid)
       AND typtype IN ('e', 'd', 'c', 'r', 'b') AND typelem = 0 AND NOT EXISTS (SELECT FROM pg_class WHERE oid = typrelid AND relkind <> 'c')
), fact(kind, name, detail) AS (
    SELECT 'schema', name, jsonb_build_object('owner', nspowner::regrole, 'acl', pg_temp.acl(coalesce(nspacl, acldefault('n', nspowner))), 'comment', obj_description(oid, 'pg_namespace')) FROM space
    UNION ALL
    SELECT 'extension', quote_ident(extname), jsonb_build_object('schema', extnamespace::regnamespace, 'version', extversion, 'comment', obj_description(oid, 'pg_extension')) FROM pg_extension
    UNION ALL
    SELECT 'relation', t.name, jsonb_build_object('kind', relkind, 'persistence', relpersistence, 'owner', relowner::regrole, 'acl', pg_temp.acl(coalesce(relacl, acldefault('r', relowner))),
           'options', pg_temp.sorted(reloptions), 'toast options', (SELECT pg_temp.sorted(x.reloptions) FROM pg_class x WHERE x.oid = t.reltoastrelid), 'row security', relrowsecurity, 'forced', relforcerowsecurity,
           'replica identity', relreplident, 'method', (SELECT amname FROM pg_am WHERE oid = relam), 'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace),
           'populated', relispopulated, 'typed', nullif(reloftype, 0)::regtype, 'partition key', CASE WHEN relkind = 'p' THEN pg_get_partkeydef(oid) END, 'bound', pg_get_expr(relpartbound, oid),
           'parents', (SELECT jsonb_agg(inhparent::regclass ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = oid),
           'view', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END, 'comment', obj_description(oid, 'pg_class')) FROM tab t
    UNION ALL
    SELECT 'column', tab || ' ' || lpad(place::text, 4, '0') || ' ' || quote_ident(attname), jsonb_build_object('type', format_type(atttypid, atttypmod), 'not null', attnotnull,
           'default', (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), 'identity', attidentity, 'generated', attgenerated, 'local', attislocal, 'inherited', attinhcount,
           'collation', pg_temp.collation_name(nullif(attcollation, 100)), 'storage', attstorage, 'statistics', nullif(nullif(attstattarget::text, '-1'), ''),
           'compression', nullif(to_jsonb(col) ->> 'attcompression', ''), 'options', pg_temp.sorted(attoptions), 'foreign options', pg_temp.sorted(attfdwoptions), 'acl', pg_temp.acl(attacl), 'comment', col_description(attrelid, attnum)) FROM col
    UNION ALL
    SELECT 'constraint', tab || ' ' || quote_ident(conname), jsonb_build_object('definition', pg_get_constraintdef(oid), 'type', contype, 'validated', convalidated, 'deferrable', condeferrable, 'deferred', condeferred,
           'local', is_local, 'no inherit', contype IN ('c', 'n') AND connoinherit, 'enforced', to_jsonb(con) -> 'conenforced', 'index', (SELECT relname FROM pg_class WHERE oid = conindid), 'comment', obj_description(oid, 'pg_constraint'))
      FROM con WHERE contype <> 't'
    UNION ALL
    SELECT 'index', r.name, jsonb_build_object('table', indrelid::regclass, 'definition', pg_get_indexdef(indexrelid), 'primary', indisprimary, 'unique', indisunique, 'valid', indisvalid, 'clustered', indisclustered,
           'replica identity', indisreplident, 'owner', relowner::regrole, 'parents', (SELECT jsonb_agg(inhparent::regclass ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = r.oid),
           'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = reltablespace), 'statistics', (SELECT jsonb_agg(attstattarget ORDER BY attnum) FROM pg_attribute WHERE attrelid = indexrelid AND attstattarget >= 0),
           'comment', obj_description(r.oid, 'pg_class')) FROM pg_index JOIN rel r ON r.oid = indexrelid
    UNION ALL
    SELECT 'trigger', t.name || ' ' || quote_ident(tgname), jsonb_build_object('definition', pg_get_triggerdef(g.oid), 'enabled', tgenabled, 'comment', obj_description(g.oid, 'pg_trigger'))
      FROM pg_trigger g JOIN tab t ON t.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL
    SELECT 'rule', t.name || ' ' || quote_ident(rulename), jsonb_build_object('definition', pg_get_ruledef(r.oid), 'enabled', ev_enabled, 'comment', obj_description(r.oid, 'pg_rewrite'))
      FROM pg_rewrite r JOIN tab t ON t.oid = ev_class WHERE rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', t.name || ' ' || quote_ident(polname), jsonb_build_object('command', polcmd, 'permissive', polpermissive, 'roles', (SELECT jsonb_agg(r::regrole ORDER BY r::regrole::text) FROM unnest(polroles) AS r),
           'using', pg_get_expr(polqual, polrelid), 'check', pg_get_expr(polwithcheck, polrelid), 'comment', obj_description(p.oid, 'pg_policy')) FROM pg_policy p JOIN tab t ON t.oid = polrelid
    UNION ALL
    SELECT 'statistics', s.name || '.' || quote_ident(stxname), jsonb_build_object('definition', pg_get_statisticsobjdef(x.oid), 'owner', stxowner::regrole, 'comment', obj_description(x.oid, 'pg_statistic_ext'))
      FROM pg_statistic_ext x JOIN space s ON s.oid = stxnamespace
    UNION ALL
    SELECT 'sequence', r.name, jsonb_build_object('type', seqtypid::regtype, 'start', seqstart, 'increment', seqincrement, 'min', seqmin, 'max', seqmax, 'cache', seqcache, 'cycle', seqcycle, 'owner', relowner::regrole,
           'persistence', relpersistence, 'acl', pg_temp.acl(coalesce(relacl, acldefault('s', relowner))), 'comment', obj_description(r.oid, 'pg_class'),
           'owned by', (SELECT deptype::text || ' ' || refobjid::regclass || '.' || (SELECT attname FROM pg_attribute WHERE attrelid = refobjid AND attnum = refobjsubid)
                          FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refobjsubid > 0 AND deptype IN ('a', 'i')))
      FROM pg_sequence q JOIN rel r ON r.oid = seqrelid
    UNION ALL
    SELECT 'function', name, jsonb_build_object('definition', CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END, 'aggregate', (SELECT to_jsonb(a) - '{aggmtranstype,aggtranstype,aggsortop}'::text[] FROM pg_aggregate a WHERE aggfnoid = proc.oid),
           'owner', proowner::regrole, 'acl', pg_temp.acl(coalesce(proacl, acldefault('f', proowner))), 'comment', obj_description(oid, 'pg_proc')) FROM proc
    UNION ALL
    SELECT 'type', name, jsonb_build_object('kind', typtype, 'owner', typowner::regrole, 'acl', pg_temp.acl(coalesce(typacl, acldefault('T', typowner))), 'base', nullif(typbasetype, 0)::regtype, 'not null', typnotnull,
           'default', typdefault, 'collation', pg_temp.collation_name(nullif(typcollation, 100)), 'length', typlen, 'storage', typstorage,
           'labels', (SELECT jsonb_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = typ.oid), 'range', (SELECT jsonb_build_object('of', rngsubtype::regtype, 'collation', pg_temp.collation_name(rngcollation)) FROM pg_range WHERE rngtypid = typ.oid),
           'checks', (SELECT jsonb_agg(conname || ' ' || pg_get_constraintdef(c.oid) || coalesce(' ' || obj_description(c.oid, 'pg_constraint'), '') ORDER BY conname) FROM pg_constraint c WHERE contypid = typ.oid),
           'comment', coalesce(obj_description(oid, 'pg_type'), obj_description(nullif(typrelid, 0), 'pg_class'))) FROM typ
    UNION ALL
    SELECT 'default acl', concat_ws(' ', defaclrole::regrole, nullif(defaclnamespace, 0)::regnamespace, defaclobjtype), jsonb_build_object('acl', pg_temp.acl(defaclacl)) FROM pg_default_acl
    UNION ALL
    SELECT 'event trigger', quote_ident(evtname), jsonb_build_object('event', evtevent, 'owner', evtowner::regrole, 'function', evtfoid::regprocedure, 'enabled', evtenabled, 'tags', pg_temp.sorted(evttags)) FROM pg_event_trigger e
     WHERE NOT EXISTS (SELECT FROM member WHERE classid = 'pg_event_trigger'::regclass AND objid = e.oid)
    UNION ALL
    SELECT 'publication', quote_ident(pubname), to_jsonb(p) - '{oid,pubowner}'::text[] || jsonb_build_object('owner', pubowner::regrole, 'tables', (SELECT jsonb_agg(prrelid::regclass ORDER BY prrelid::regclass::text) FROM pg_publication_rel WHERE prpubid = p.oid)) FROM pg_publication p
    UNION ALL
    SELECT 'subscription', quote_ident(subname), '{}' FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 'cast', castsource::regtype || ' as ' || casttarget::regtype, jsonb_build_object('context', castcontext, 'method', castmethod, 'function', nullif(castfunc, 0)::regprocedure) FROM pg_cast c
     WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_cast'::regclass AND objid = c.oid)
    UNION ALL
    SELECT 'operator', oid::regoperator::text, jsonb_build_object('function', oprcode, 'owner', oprowner::regrole, 'hashes', oprcanhash, 'merges', oprcanmerge) FROM pg_operator o
     WHERE oid >= 16384 AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_operator'::regclass AND objid = o.oid)
    UNION ALL
    SELECT 'operator class', n.nspname || '.' || opcname || ' ' || amname, jsonb_build_object('type', opcintype::regtype, 'default', opcdefault, 'owner', opcowner::regrole) FROM pg_opclass o JOIN pg_namespace n ON n.oid = opcnamespace JOIN pg_am m ON m.oid = opcmethod
     WHERE o.oid >= 16384 AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_opclass'::regclass AND objid = o.oid)
    UNION ALL
    SELECT 'collation', pg_temp.collation_name(l.oid), to_jsonb(l) - '{oid,collnamespace,collowner,collversion}'::text[] || jsonb_build_object('owner', collowner::regrole) FROM pg_collation l JOIN space s ON s.oid = collnamespace
    UNION ALL
    SELECT 'text search configuration', oid::regconfig::text, jsonb_build_object('owner', cfgowner::regrole) FROM pg_ts_config WHERE oid >= 16384
    UNION ALL
    SELECT 'text search dictionary', oid::regdictionary::text, jsonb_build_object('owner', dictowner::regrole, 'options', dictinitoption) FROM pg_ts_dict WHERE oid >= 16384
    UNION ALL
    SELECT 'language', quote_ident(lanname), jsonb_build_object('owner', lanowner::regrole, 'trusted', lanpltrusted, 'acl', pg_temp.acl(coalesce(lanacl, acldefault('l', lanowner)))) FROM pg_language l
     WHERE oid >= 16384 OR lanacl IS NOT NULL
    UNION ALL
    SELECT 'foreign server', quote_ident(srvname), jsonb_build_object('owner', srvowner::regrole, 'options', pg_temp.sorted(srvoptions), 'acl', pg_temp.acl(coalesce(srvacl, acldefault('S', srvowner)))) FROM pg_foreign_server
    UNION ALL
    SELECT 'large objects', '', jsonb_build_object('count', count(*)) FROM pg_largeobject_metadata
)
SELECT kind || ' ' || name || ' ' || jsonb_strip_nulls(detail)::text FROM fact ORDER BY kind COLLATE "C", name COLLATE "C"
