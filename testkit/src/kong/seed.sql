-- Rows of a Kong database with {consumers} consumers, in a database that schema.sql has just filled. Every value follows
-- from a row's number, so two runs write the same rows; ids look random as Kong's do. Triggers are off: the last statement
-- writes `tags` as they would have.
--
-- About 5 rows and 700 bytes of COPY BINARY for each consumer.

CREATE FUNCTION pg_temp.uid(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT overlay(overlay(md5(kind || n) PLACING '4' FROM 13) PLACING 'a' FROM 17)::uuid $$;

-- One row in ten belongs to the second workspace.
CREATE FUNCTION pg_temp.ws(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN n % 10 = 3 THEN '1f0c7b2e-5d94-4a38-b6e1-90a4c8d3f752' ELSE '7d0e3c52-91b8-4f6a-a3c4-2f58d1b6e907' END::uuid $$;

CREATE FUNCTION pg_temp.at(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT to_timestamp(1685577600 + n * 7919 % 60000000) $$;

-- Expired long ago, or alive for long, or for ever.
CREATE FUNCTION pg_temp.ttl(n bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE n % 8 WHEN 1 THEN to_timestamp(1614556800.123456 + n) WHEN 2 THEN to_timestamp(4083955200.5 + n) END $$;

-- NULL, empty, plain, several, and the one that every careless reader of arrays gets wrong.
CREATE FUNCTION pg_temp.tags(n bigint) RETURNS text[] LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE n % 16
    WHEN 0 THEN '{}'::text[]
    WHEN 1 THEN ARRAY['prod', 'eu-central-1', 'tier-' || n % 5]
    WHEN 2 THEN ARRAY['team-' || n % 97, 'cost-centre-' || n % 1013]
    WHEN 3 THEN ARRAY['managed-by-terraform', 'owner:' || md5('owner' || n % 4001)]
    WHEN 4 THEN ARRAY['team-' || n % 97]
    WHEN 5 THEN ARRAY['eu-central-1', 'batch-' || n / 1000]
    WHEN 6 THEN ARRAY['prod', 'partner', 'team-' || n % 97, 'contract-' || n % 5003]
    WHEN 7 THEN CASE WHEN n % 64 = 7 THEN ARRAY['', 'NULL', 'a"b', 'c\d', 'e, {f}', E'g\th', E'i\nj', 'Ñandú', '日本語', '🦍'] END
    WHEN 8 THEN ARRAY['imported', 'source:crm']
   END $$;

-- Lines of base64 as in a PEM file or a token, 64 characters each.
CREATE FUNCTION pg_temp.base64(kind text, n bigint, lines integer, separator text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT string_agg(encode(decode(md5(kind || n || 'x' || line) || md5(kind || n || 'y' || line) || md5(kind || n || 'z' || line), 'hex'), 'base64'), separator ORDER BY line)
     FROM generate_series(1, lines) AS line $$;

CREATE FUNCTION pg_temp.pem(label text, kind text, n bigint, lines integer) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT '-----BEGIN ' || label || E'-----\n' || pg_temp.base64(kind, n, lines, E'\n') || E'\n-----END ' || label || E'-----\n' $$;

INSERT INTO workspaces VALUES
    ('1f0c7b2e-5d94-4a38-b6e1-90a4c8d3f752', 'équipe-β', E'second\ttenant \\ "quoted"', pg_temp.at(1),
     '{"color": "#7d3cff", "thumbnail": null}', '{"portal": false, "big": 9007199254740993, "bigger": 123456789012345678901234567890.10}', pg_temp.at(2));

INSERT INTO parameters VALUES ('seeded_by', E'tab\there, back\\slash, and a\nnew line', pg_temp.at(3));

-- One certificate for a thousand consumers, 7 kB each with its key.
INSERT INTO certificates (id, created_at, cert, key, tags, ws_id, cert_alt, key_alt, updated_at)
SELECT pg_temp.uid('certificate', i), pg_temp.at(i), pg_temp.pem('CERTIFICATE', 'cert', i, 78), pg_temp.pem('PRIVATE KEY', 'certkey', i, 26), pg_temp.tags(i), pg_temp.ws(i),
       CASE WHEN i % 4 = 0 THEN pg_temp.pem('CERTIFICATE', 'alt', i, 14) END, CASE WHEN i % 4 = 0 THEN pg_temp.pem('EC PRIVATE KEY', 'altkey', i, 4) END, pg_temp.at(i + 1)
  FROM generate_series(1::bigint, greatest(20, {consumers} / 1000)) AS i;

INSERT INTO ca_certificates (id, created_at, cert, tags, cert_digest, updated_at)
SELECT pg_temp.uid('ca', i), pg_temp.at(i), pg_temp.pem('CERTIFICATE', 'ca', i, 60), pg_temp.tags(i), md5('digest' || i) || md5('digest2' || i), pg_temp.at(i)
  FROM generate_series(1::bigint, 12) AS i;

INSERT INTO snis (id, created_at, name, certificate_id, tags, ws_id, updated_at)
SELECT pg_temp.uid('sni', i), pg_temp.at(i), CASE WHEN i % 7 = 0 THEN '*.' ELSE '' END || 'host-' || i || '.example.com', c.id, pg_temp.tags(i), c.ws_id, pg_temp.at(i)
  FROM (SELECT id, ws_id, row_number() OVER (ORDER BY id) AS n FROM certificates) AS c, LATERAL generate_series(c.n * 2 - 1, c.n * 2) AS i;

INSERT INTO services (id, created_at, updated_at, name, retries, protocol, host, port, path, connect_timeout, write_timeout, read_timeout, tags,
                      client_certificate_id, tls_verify, tls_verify_depth, ca_certificates, ws_id, enabled)
SELECT pg_temp.uid('service', i), pg_temp.at(i), pg_temp.at(i + 9), CASE WHEN i % 11 <> 0 THEN 'svc-' || i || CASE WHEN i % 13 = 0 THEN '-Größe' ELSE '' END END, 5,
       (ARRAY['http', 'https', 'grpc', 'tcp'])[1 + i % 4], 'backend-' || i % 300 || '.internal', 8000 + i % 1000, CASE WHEN i % 3 = 0 THEN '/v' || i % 9 || '/api' END,
       60000, 60000, CASE WHEN i % 17 = 0 THEN 9223372036854775807 ELSE 60000 END, pg_temp.tags(i), CASE WHEN i % 10 = 0 THEN c.id END,
       CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END, CASE WHEN i % 5 = 0 THEN i % 64 END,
       CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY[pg_temp.uid('ca', 1 + i % 12), NULL, pg_temp.uid('ca', 1 + (i + 5) % 12)] END, pg_temp.ws(i), i % 29 <> 0
  FROM generate_series(1::bigint, greatest(40, {consumers} / 500)) AS i
  LEFT JOIN LATERAL (SELECT id FROM certificates WHERE id = pg_temp.uid('certificate', 20) AND ws_id = pg_temp.ws(i)) AS c ON true;

INSERT INTO routes (id, created_at, updated_at, name, service_id, protocols, methods, hosts, paths, snis, sources, destinations, regex_priority, strip_path, preserve_host,
                    tags, https_redirect_status_code, headers, path_handling, ws_id, request_buffering, response_buffering, expression, priority)
SELECT pg_temp.uid('route', i), pg_temp.at(i), pg_temp.at(i + 5), CASE WHEN i % 9 <> 0 THEN 'route-' || i END, CASE WHEN i % 31 <> 0 THEN pg_temp.uid('service', (i + 1) / 2) END,
       CASE WHEN i % 2 = 0 THEN ARRAY['http', 'https'] ELSE ARRAY['https'] END, CASE i % 4 WHEN 0 THEN ARRAY['GET', 'POST'] WHEN 1 THEN '{}' END,
       CASE WHEN i % 3 = 0 THEN ARRAY['api-' || i || '.example.com', '*.example.org'] END,
       CASE WHEN i % 5 = 0 THEN ARRAY['~/re/(?<id>\d+)/"x"$', '/päth/' || i, E'/tab\t'] ELSE ARRAY['/api/v1/resource-' || i] END, CASE WHEN i % 19 = 0 THEN ARRAY['host-1.example.com'] END,
       CASE WHEN i % 7 = 0 THEN ARRAY['{"ip": "10.0.0.0/8", "port": 443}'::jsonb, '{"ip": null, "port": 12345678901234567890}'::jsonb] END,
       CASE i % 14 WHEN 0 THEN '{}'::jsonb[] WHEN 1 THEN ARRAY['{"port": 5432}'::jsonb, NULL] END,
       i % 10, i % 2 = 0, i % 3 = 0, pg_temp.tags(i), 426, CASE WHEN i % 6 = 0 THEN jsonb_build_object('x-tenant', jsonb_build_array('t' || i, E'\t"', 'ü')) END,
       CASE WHEN i % 2 = 0 THEN 'v0' ELSE 'v1' END, pg_temp.ws((i + 1) / 2), true, i % 4 <> 0,
       CASE WHEN i % 23 = 0 THEN '(http.path ^= "/api") && (net.protocol == "https")' END, CASE WHEN i % 23 = 0 THEN 4503599627370496 END
  FROM generate_series(1::bigint, 2 * greatest(40, {consumers} / 500)) AS i;

INSERT INTO upstreams (id, created_at, name, hash_on, hash_fallback, hash_on_header, hash_fallback_header, hash_on_cookie, hash_on_cookie_path, slots, healthchecks, tags, algorithm,
                       host_header, client_certificate_id, ws_id, hash_on_query_arg, hash_fallback_query_arg, hash_on_uri_capture, hash_fallback_uri_capture, use_srv_name, updated_at)
SELECT pg_temp.uid('upstream', i), pg_temp.at(i) + interval '123 ms', 'backend-' || i || '.internal', 'none', 'none', NULL, NULL, NULL, '/', 10000,
       ('{"active": {"concurrency": 10, "healthy": {"http_statuses": [200, 302], "interval": 0, "successes": 0}, "http_path": "/", "https_sni": null, "https_verify_certificate": true, "timeout": 1,
          "type": "http", "unhealthy": {"http_failures": 0, "http_statuses": [429, 404, 500, 501, 502, 503, 504, 505], "interval": 0, "tcp_failures": 0, "timeouts": 0}}, "passive": {"healthy":
          {"http_statuses": [200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302], "successes": 0}, "type": "http", "unhealthy": {"http_failures": 0}}, "threshold": ' || i % 7 || '.50}')::jsonb,
       pg_temp.tags(i), (ARRAY['round-robin', 'least-connections', 'consistent-hashing'])[1 + i % 3], CASE WHEN i % 4 = 0 THEN 'h.example' END,
       CASE WHEN i % 9 = 0 THEN pg_temp.uid('certificate', 1 + i % 20) END, pg_temp.ws(i), NULL, NULL, NULL, NULL, i % 5 = 0, pg_temp.at(i)
  FROM generate_series(1::bigint, greatest(10, {consumers} / 2500)) AS i;

INSERT INTO targets (id, created_at, upstream_id, target, weight, tags, ws_id, cache_key, updated_at)
SELECT pg_temp.uid('target', i), pg_temp.at(i) + interval '457 ms', u.id, t.name, i % 1000, pg_temp.tags(i), u.ws_id, 'targets:' || u.id || ':' || t.name || '::::' || u.ws_id, pg_temp.at(i) + interval '999 ms'
  FROM (SELECT n, pg_temp.uid('upstream', n) AS id, pg_temp.ws(n) AS ws_id FROM generate_series(1::bigint, greatest(10, {consumers} / 2500)) AS n) AS u,
       LATERAL generate_series(u.n * 3 - 2, u.n * 3) AS i, LATERAL (SELECT '10.' || i % 256 || '.' || i / 256 % 256 || '.7:' || 8000 + i % 100 AS name) AS t;

INSERT INTO consumers (id, created_at, username, custom_id, tags, ws_id, updated_at)
SELECT pg_temp.uid('consumer', i), pg_temp.at(i),
       CASE i % 50 WHEN 0 THEN NULL WHEN 1 THEN 'Ünïcödé-Żółć 🦍 ' || i WHEN 2 THEN E'tab\tback\\slash ' || i WHEN 3 THEN E'two\nlines\r\n' || i WHEN 4 THEN E'O''Brien "quoted" ' || i
            WHEN 5 THEN '日本語の消費者' || i ELSE 'consumer-' || i || '@customer-' || i % 997 || '.example.com' END,
       CASE WHEN i = 7 THEN '' WHEN i % 50 = 0 OR i % 3 = 0 THEN 'crm:' || lpad(i::text, 12, '0') || ':' || substr(md5('custom' || i), 1, 12) END, pg_temp.tags(i), pg_temp.ws(i), pg_temp.at(i + i % 100)
  FROM generate_series(1::bigint, {consumers}) AS i;

INSERT INTO keyauth_credentials (id, created_at, consumer_id, key, tags, ttl, ws_id)
SELECT pg_temp.uid('keyauth', i), pg_temp.at(i), pg_temp.uid('consumer', i), CASE WHEN i % 100 = 0 THEN E'key with\ttab, \\N and ü ' || i ELSE md5('key' || i) || substr(md5('more' || i), 1, 8) END,
       pg_temp.tags(i + 3), pg_temp.ttl(i), pg_temp.ws(i)
  FROM generate_series(1::bigint, {consumers}) AS i WHERE i % 5 <> 4;

INSERT INTO acls (id, created_at, consumer_id, "group", cache_key, tags, ws_id)
SELECT pg_temp.uid('acl', i), pg_temp.at(i), c.id, g.name, 'acls:' || c.id || ':' || g.name || '::::' || pg_temp.ws(i), pg_temp.tags(i + 7), pg_temp.ws(i)
  FROM generate_series(1::bigint, {consumers}) AS i, LATERAL (SELECT pg_temp.uid('consumer', i) AS id) AS c,
       LATERAL (SELECT (ARRAY['gold-customers', 'silver', 'internal services', 'β-testers', 'a:b'])[1 + i % 5] || '-' || i % 40 AS name) AS g
 WHERE i % 20 < 9;

INSERT INTO basicauth_credentials (id, created_at, consumer_id, username, password, tags, ws_id)
SELECT pg_temp.uid('basicauth', i), pg_temp.at(i), pg_temp.uid('consumer', i), 'user-' || i || CASE WHEN i % 3 = 0 THEN ':ü' ELSE '' END, md5('password' || i) || substr(md5('pw' || i), 1, 8),
       pg_temp.tags(i), pg_temp.ws(i)
  FROM generate_series(1::bigint, {consumers}) AS i WHERE i % 25 = 6;

INSERT INTO hmacauth_credentials (id, created_at, consumer_id, username, secret, tags, ws_id)
SELECT pg_temp.uid('hmac', i), pg_temp.at(i), pg_temp.uid('consumer', i), 'hmac-' || i, md5('hmacsecret' || i), pg_temp.tags(i), pg_temp.ws(i)
  FROM generate_series(1::bigint, {consumers}) AS i WHERE i % 50 = 9;

INSERT INTO jwt_secrets (id, created_at, consumer_id, key, secret, algorithm, rsa_public_key, tags, ws_id)
SELECT pg_temp.uid('jwt', i), pg_temp.at(i), pg_temp.uid('consumer', i), md5('jwtkey' || i), CASE WHEN i % 4 <> 1 THEN md5('jwtsecret' || i) END, CASE WHEN i % 4 = 1 THEN 'RS256' ELSE 'HS256' END,
       CASE WHEN i % 4 = 1 THEN pg_temp.pem('PUBLIC KEY', 'jwt', i, 6) END, pg_temp.tags(i), pg_temp.ws(i)
  FROM generate_series(1::bigint, {consumers}) AS i WHERE i % 25 = 13;

INSERT INTO oauth2_credentials (id, created_at, name, consumer_id, client_id, client_secret, redirect_uris, tags, client_type, hash_secret, ws_id)
SELECT pg_temp.uid('oauth2', i), pg_temp.at(i), 'App ' || i || ' — “mobile”', pg_temp.uid('consumer', i), md5('client' || i), md5('clientsecret' || i),
       CASE i % 3 WHEN 0 THEN ARRAY['https://app-' || i || '.example/cb?x=1&y={a,b}', 'http://localhost'] WHEN 1 THEN '{}' END, pg_temp.tags(i),
       CASE WHEN i % 2 = 0 THEN 'confidential' ELSE 'public' END, CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END, pg_temp.ws(i)
  FROM generate_series(1::bigint, {consumers}) AS i WHERE i % 25 = 17;

-- Five tokens for each OAuth application.
INSERT INTO oauth2_tokens (id, created_at, credential_id, service_id, access_token, refresh_token, token_type, expires_in, authenticated_userid, scope, ttl, ws_id)
SELECT pg_temp.uid('token', i), pg_temp.at(i), pg_temp.uid('oauth2', c), NULL, md5('access' || i), CASE WHEN i % 3 <> 0 THEN md5('refresh' || i) END, 'bearer', 7200,
       CASE WHEN i % 4 <> 0 THEN 'user ' || i % 100000 END, CASE i % 3 WHEN 0 THEN 'email phone address' WHEN 1 THEN '' END, pg_temp.ttl(i), pg_temp.ws(c)
  FROM generate_series(17::bigint, {consumers}, 25) AS c, LATERAL generate_series(c * 5, c * 5 + 4) AS i;

INSERT INTO plugins (id, created_at, name, consumer_id, service_id, route_id, config, enabled, cache_key, protocols, tags, ws_id, instance_name, updated_at)
SELECT pg_temp.uid('plugin-c', i), pg_temp.at(i), 'rate-limiting', c.id, NULL, NULL,
       ('{"minute": ' || i % 1000 || ', "hour": null, "second": null, "policy": "redis", "limit_by": "consumer", "fault_tolerant": true, "hide_client_headers": false, "sync_rate": -1, "error_code": 429,
          "error_message": "API rate limit exceeded", "path": null, "header_name": null, "redis": {"host": "redis-' || i % 7 || '.internal", "port": 6379, "database": 0, "password": null, "username": null,
          "ssl": false, "ssl_verify": false, "server_name": null, "timeout": 2000}, "day": 9007199254740993, "year": 18446744073709551617, "ratio": 0.10000000000000000000001}')::jsonb,
       i % 6 <> 0, 'plugins:rate-limiting:::' || c.id || '::' || pg_temp.ws(i), ARRAY['grpc', 'grpcs', 'http', 'https'], pg_temp.tags(i), pg_temp.ws(i), NULL, pg_temp.at(i + 2)
  FROM generate_series(1::bigint, {consumers}) AS i, LATERAL (SELECT pg_temp.uid('consumer', i) AS id) AS c
 WHERE i % 25 = 3;

INSERT INTO plugins (id, created_at, name, consumer_id, service_id, route_id, config, enabled, cache_key, protocols, tags, ws_id, instance_name, updated_at)
SELECT pg_temp.uid('plugin-s', i), pg_temp.at(i), p.name, NULL, CASE WHEN i % 2 = 0 THEN pg_temp.uid('service', i) END, CASE WHEN i % 2 = 1 THEN pg_temp.uid('route', i) END,
       CASE i % 4 WHEN 0 THEN '{"key_names": ["apikey", "x-ключ"], "hide_credentials": false, "run_on_preflight": true, "anonymous": null}'::jsonb
                  WHEN 1 THEN '{"access": ["-- Lua \\ with \"quotes\"\nkong.log(\"\\u00fc\")\treturn"], "body_filter": [], "empty": {}}'::jsonb
                  WHEN 2 THEN '{}'::jsonb ELSE '{"allow": ["gold-customers-1"], "deny": null, "hide_groups_header": false}'::jsonb END,
       true, 'plugins:' || p.name || ':' || CASE WHEN i % 2 = 1 THEN pg_temp.uid('route', i)::text ELSE '' END || ':' || CASE WHEN i % 2 = 0 THEN pg_temp.uid('service', i)::text ELSE '' END || ':::' || w.id,
       NULL, pg_temp.tags(i), w.id, CASE WHEN i % 3 = 0 THEN 'instance ' || i END, pg_temp.at(i)
  FROM generate_series(1::bigint, greatest(40, {consumers} / 500)) AS i, LATERAL (SELECT (ARRAY['key-auth', 'pre-function', 'cors', 'acl'])[1 + i % 4] AS name) AS p,
       LATERAL (SELECT pg_temp.ws(CASE WHEN i % 2 = 0 THEN i ELSE (i + 1) / 2 END) AS id) AS w;

INSERT INTO oauth2_authorization_codes (id, created_at, credential_id, service_id, code, authenticated_userid, scope, ttl, challenge, challenge_method, ws_id, plugin_id)
SELECT pg_temp.uid('code', i), pg_temp.at(i), pg_temp.uid('oauth2', i), NULL, md5('code' || i), 'user ' || i, NULL, pg_temp.ttl(i), CASE WHEN i % 2 = 0 THEN md5('challenge' || i) END,
       CASE WHEN i % 2 = 0 THEN 'S256' END, pg_temp.ws(i), CASE WHEN i % 3 = 0 THEN pg_temp.uid('plugin-s', 1 + i % 40) END
  FROM generate_series(17::bigint, {consumers}, 125) AS i;

INSERT INTO ratelimiting_metrics (identifier, period, period_date, service_id, route_id, value, ttl)
SELECT pg_temp.uid('consumer', i)::text, p.name, date_trunc(p.name, pg_temp.at(i)), CASE WHEN i % 2 = 0 THEN pg_temp.uid('service', 1 + i % 40) ELSE '00000000-0000-0000-0000-000000000000' END,
       '00000000-0000-0000-0000-000000000000', i % 2147483647, pg_temp.ttl(i)
  FROM generate_series(1::bigint, {consumers}, 16) AS i, unnest(ARRAY['minute', 'hour']) AS p(name);

INSERT INTO response_ratelimiting_metrics (identifier, period, period_date, value)
SELECT pg_temp.uid('consumer', i) || ':video', 'month', date_trunc('month', pg_temp.at(i)), i % 1000
  FROM generate_series(1::bigint, {consumers}, 100) AS i;

INSERT INTO sessions (id, session_id, expires, data, created_at, ttl)
SELECT pg_temp.uid('session', i), md5('session' || i) || '~-_', 1700000000 + (i % 100000000)::integer, pg_temp.base64('session', i, 10, ''), pg_temp.at(i), pg_temp.ttl(i)
  FROM generate_series(1::bigint, {consumers}, 60) AS i;

INSERT INTO key_sets (id, name, tags, ws_id, created_at, updated_at)
SELECT pg_temp.uid('key_set', i), 'key set ' || i, pg_temp.tags(i), pg_temp.ws(i), pg_temp.at(i), NULL FROM generate_series(1::bigint, 6) AS i;

INSERT INTO keys (id, set_id, name, cache_key, ws_id, kid, jwk, pem, tags, created_at, updated_at)
SELECT pg_temp.uid('key', i), s.id, 'key-' || i, 'keys:kid-' || i || ':' || s.id || '::::' || pg_temp.ws(i), pg_temp.ws(i), 'kid-' || i,
       CASE WHEN i % 2 = 0 THEN '{"kty" : "RSA",  "n":"' || pg_temp.base64('jwk', i, 5, '') || '", "e":"AQAB"}' END,
       CASE WHEN i % 2 = 1 THEN jsonb_build_object('private_key', pg_temp.pem('PRIVATE KEY', 'pem', i, 26), 'public_key', NULL) END, pg_temp.tags(i), pg_temp.at(i), pg_temp.at(i)
  FROM generate_series(1::bigint, 25) AS i, LATERAL (SELECT CASE WHEN i % 5 <> 0 THEN pg_temp.uid('key_set', 1 + i % 6) END AS id) AS s;

INSERT INTO filter_chains (id, name, enabled, route_id, service_id, ws_id, cache_key, filters, tags, created_at, updated_at)
SELECT pg_temp.uid('filter', i), CASE WHEN i % 3 <> 0 THEN 'chain ' || i END, i % 2 = 0, CASE WHEN i % 2 = 0 THEN pg_temp.uid('route', i) END, CASE WHEN i % 2 = 1 THEN pg_temp.uid('service', i) END,
       pg_temp.ws(i), 'filter_chains:' || i || ':::::' || pg_temp.ws(i),
       CASE i % 3 WHEN 0 THEN '{}'::jsonb[] WHEN 1 THEN ARRAY['{"name": "proxy-wasm", "config": {"a": [1, 2.50, 1e400]}, "enabled": true}'::jsonb, 'null'::jsonb, NULL] END, pg_temp.tags(i), pg_temp.at(i), NULL
  FROM generate_series(1::bigint, 12) AS i;

INSERT INTO sm_vaults (id, ws_id, prefix, name, description, config, created_at, updated_at, tags)
SELECT pg_temp.uid('vault', i), pg_temp.ws(i), 'vault-' || i, 'env', CASE WHEN i % 2 = 0 THEN E'secrets\\of\nteam ' || i END, '{"prefix": "SECRET_"}', pg_temp.at(i), NULL, pg_temp.tags(i)
  FROM generate_series(1::bigint, 4) AS i;

INSERT INTO acme_storage (id, key, value, created_at, ttl)
SELECT pg_temp.uid('acme', i), 'kong_acme:cert_key:rsa:host-' || i || '.example.com', pg_temp.pem('CERTIFICATE', 'acme', i, 50), pg_temp.at(i), pg_temp.ttl(i) FROM generate_series(1::bigint, 30) AS i;

INSERT INTO cluster_events (id, node_id, at, nbf, expire_at, channel, data)
SELECT pg_temp.uid('event', i), pg_temp.uid('node', i % 3), pg_temp.at(i), CASE WHEN i % 4 = 0 THEN 'infinity'::timestamptz WHEN i % 4 = 1 THEN pg_temp.at(i) END, to_timestamp(1614556800 + i),
       'invalidations', E'keyauth_credentials:\t' || md5('key' || i)
  FROM generate_series(1::bigint, greatest(50, {consumers} / 1000)) AS i;

INSERT INTO clustering_data_planes (id, hostname, ip, last_seen, config_hash, ttl, version, sync_status, updated_at, labels, cert_details, rpc_capabilities)
SELECT pg_temp.uid('dp', i), 'dp-' || i, '10.0.0.' || i, pg_temp.at(i), md5('config' || i), pg_temp.ttl(i), '3.9.1', CASE WHEN i % 2 = 0 THEN 'normal' ELSE 'unknown' END, pg_temp.at(i),
       CASE WHEN i % 2 = 0 THEN '{"region": "eu", "größe": "XL"}'::jsonb END, '{"expiry_timestamp": 1893456000}', CASE WHEN i % 3 = 0 THEN ARRAY['kong.sync.v2', 'kong.meta.v1'] END
  FROM generate_series(1::bigint, 9) AS i;

-- `json` keeps its text: keys twice, odd spaces, numbers that no double holds.
INSERT INTO clustering_rpc_requests (node_id, reply_to, ttl, payload)
SELECT pg_temp.uid('node', i % 3), pg_temp.uid('node', (i + 1) % 3), to_timestamp(1614556800 + i),
       ('{ "method" :"kong.sync.v2.get_delta",' || repeat(' ', i::integer % 5) || E'"id":1,\t"id" : ' || i || ', "n":12345678901234567890.1230,"esc":"\u00e9\"",' || E'\n "e":[ ]}')::json
  FROM generate_series(1::bigint, 40) AS i;
SELECT setval('clustering_rpc_requests_id_seq', 90071992547, true);

INSERT INTO clustering_sync_version SELECT nextval('clustering_sync_version_version_seq')::integer FROM generate_series(1, 60);
DELETE FROM clustering_sync_version WHERE version % 7 = 0;
INSERT INTO clustering_sync_delta (version, type, pk, ws_id, entity)
SELECT v.version, (ARRAY['services', 'routes', 'consumers'])[1 + i % 3], ('{"id":"' || pg_temp.uid('delta', i) || '"}')::json, pg_temp.ws(i),
       CASE i % 3 WHEN 0 THEN 'null'::json WHEN 1 THEN ('{"id" : ' || i || ', "id": "twice"  }')::json END
  FROM clustering_sync_version AS v, LATERAL generate_series(v.version * 4::bigint, v.version * 4 + 2) AS i;

INSERT INTO locks VALUES ('migrations', pg_temp.uid('node', 1)::text, to_timestamp(1614556800)), ('cluster_ca', NULL, NULL);

INSERT INTO tags (entity_id, entity_name, tags)
          SELECT id, 'acls', tags FROM acls
UNION ALL SELECT id, 'basicauth_credentials', tags FROM basicauth_credentials
UNION ALL SELECT id, 'ca_certificates', tags FROM ca_certificates
UNION ALL SELECT id, 'certificates', tags FROM certificates
UNION ALL SELECT id, 'consumers', tags FROM consumers
UNION ALL SELECT id, 'filter_chains', tags FROM filter_chains
UNION ALL SELECT id, 'hmacauth_credentials', tags FROM hmacauth_credentials
UNION ALL SELECT id, 'jwt_secrets', tags FROM jwt_secrets
UNION ALL SELECT id, 'key_sets', tags FROM key_sets
UNION ALL SELECT id, 'keyauth_credentials', tags FROM keyauth_credentials
UNION ALL SELECT id, 'keys', tags FROM keys
UNION ALL SELECT id, 'oauth2_credentials', tags FROM oauth2_credentials
UNION ALL SELECT id, 'plugins', tags FROM plugins
UNION ALL SELECT id, 'routes', tags FROM routes
UNION ALL SELECT id, 'services', tags FROM services
UNION ALL SELECT id, 'sm_vaults', tags FROM sm_vaults
UNION ALL SELECT id, 'snis', tags FROM snis
UNION ALL SELECT id, 'targets', tags FROM targets
UNION ALL SELECT id, 'upstreams', tags FROM upstreams;
