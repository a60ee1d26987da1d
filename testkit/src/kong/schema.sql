-- The schema of a Kong Gateway 3.9 database, as `kong migrations bootstrap` leaves it: 35 tables, 301 columns.
--
-- Names are unqualified: the loader sets search_path to the schema that is to hold them. `IF NOT EXISTS` lets
-- upgraded.sql put its own form of a table in place first.

CREATE TABLE IF NOT EXISTS acls (
    id          uuid        NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    consumer_id uuid,
    "group"     text,
    cache_key   text,
    tags        text[],
    ws_id       uuid
);

CREATE TABLE IF NOT EXISTS acme_storage (
    id         uuid NOT NULL,
    key        text,
    value      text,
    created_at timestamptz,
    ttl        timestamptz
);

CREATE TABLE IF NOT EXISTS basicauth_credentials (
    id          uuid        NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    consumer_id uuid,
    username    text,
    password    text,
    tags        text[],
    ws_id       uuid
);

CREATE TABLE IF NOT EXISTS ca_certificates (
    id          uuid        NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    cert        text        NOT NULL,
    tags        text[],
    cert_digest text        NOT NULL,
    updated_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS certificates (
    id         uuid        NOT NULL,
    created_at timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    cert       text,
    key        text,
    tags       text[],
    ws_id      uuid,
    cert_alt   text,
    key_alt    text,
    updated_at timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS cluster_events (
    id        uuid        NOT NULL,
    node_id   uuid        NOT NULL,
    at        timestamptz NOT NULL,
    nbf       timestamptz,
    expire_at timestamptz NOT NULL,
    channel   text,
    data      text
);

CREATE TABLE IF NOT EXISTS clustering_data_planes (
    id               uuid        NOT NULL,
    hostname         text        NOT NULL,
    ip               text        NOT NULL,
    last_seen        timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    config_hash      text        NOT NULL,
    ttl              timestamptz,
    version          text,
    sync_status      text        NOT NULL DEFAULT 'unknown',
    updated_at       timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    labels           jsonb,
    cert_details     jsonb,
    rpc_capabilities text[]
);

CREATE TABLE IF NOT EXISTS clustering_rpc_requests (
    id       bigserial,
    node_id  uuid        NOT NULL,
    reply_to uuid        NOT NULL,
    ttl      timestamptz NOT NULL,
    payload  json        NOT NULL
);

CREATE TABLE IF NOT EXISTS clustering_sync_delta (
    version integer NOT NULL,
    type    text    NOT NULL,
    pk      json    NOT NULL,
    ws_id   uuid    NOT NULL,
    entity  json
);

CREATE TABLE IF NOT EXISTS clustering_sync_version (
    version serial
);

CREATE TABLE IF NOT EXISTS consumers (
    id         uuid        NOT NULL,
    created_at timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    username   text,
    custom_id  text,
    tags       text[],
    ws_id      uuid,
    updated_at timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS filter_chains (
    id         uuid    NOT NULL,
    name       text,
    enabled    boolean DEFAULT true,
    route_id   uuid,
    service_id uuid,
    ws_id      uuid,
    cache_key  text,
    filters    jsonb[],
    tags       text[],
    created_at timestamptz,
    updated_at timestamptz
);

CREATE TABLE IF NOT EXISTS hmacauth_credentials (
    id          uuid        NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    consumer_id uuid,
    username    text,
    secret      text,
    tags        text[],
    ws_id       uuid
);

CREATE TABLE IF NOT EXISTS jwt_secrets (
    id             uuid        NOT NULL,
    created_at     timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    consumer_id    uuid,
    key            text,
    secret         text,
    algorithm      text,
    rsa_public_key text,
    tags           text[],
    ws_id          uuid
);

CREATE TABLE IF NOT EXISTS key_sets (
    id         uuid NOT NULL,
    name       text,
    tags       text[],
    ws_id      uuid,
    created_at timestamptz,
    updated_at timestamptz
);

CREATE TABLE IF NOT EXISTS keyauth_credentials (
    id          uuid        NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    consumer_id uuid,
    key         text,
    tags        text[],
    ttl         timestamptz,
    ws_id       uuid
);

CREATE TABLE IF NOT EXISTS keys (
    id         uuid NOT NULL,
    set_id     uuid,
    name       text,
    cache_key  text,
    ws_id      uuid,
    kid        text,
    jwk        text,
    pem        jsonb,
    tags       text[],
    created_at timestamptz,
    updated_at timestamptz
);

CREATE TABLE IF NOT EXISTS locks (
    key   text NOT NULL,
    owner text,
    ttl   timestamptz
);

CREATE TABLE IF NOT EXISTS oauth2_authorization_codes (
    id                   uuid        NOT NULL,
    created_at           timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    credential_id        uuid,
    service_id           uuid,
    code                 text,
    authenticated_userid text,
    scope                text,
    ttl                  timestamptz,
    challenge            text,
    challenge_method     text,
    ws_id                uuid,
    plugin_id            uuid
);

CREATE TABLE IF NOT EXISTS oauth2_credentials (
    id            uuid        NOT NULL,
    created_at    timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    name          text,
    consumer_id   uuid,
    client_id     text,
    client_secret text,
    redirect_uris text[],
    tags          text[],
    client_type   text,
    hash_secret   boolean,
    ws_id         uuid
);

CREATE TABLE IF NOT EXISTS oauth2_tokens (
    id                   uuid        NOT NULL,
    created_at           timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    credential_id        uuid,
    service_id           uuid,
    access_token         text,
    refresh_token        text,
    token_type           text,
    expires_in           integer,
    authenticated_userid text,
    scope                text,
    ttl                  timestamptz,
    ws_id                uuid
);

CREATE TABLE IF NOT EXISTS parameters (
    key        text NOT NULL,
    value      text NOT NULL,
    created_at timestamptz
);

CREATE TABLE IF NOT EXISTS plugins (
    id            uuid        NOT NULL,
    created_at    timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    name          text        NOT NULL,
    consumer_id   uuid,
    service_id    uuid,
    route_id      uuid,
    config        jsonb       NOT NULL,
    enabled       boolean     NOT NULL,
    cache_key     text,
    run_on        text,
    protocols     text[],
    tags          text[],
    ws_id         uuid,
    instance_name text,
    updated_at    timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);
ALTER TABLE plugins DROP COLUMN IF EXISTS run_on;

CREATE TABLE IF NOT EXISTS ratelimiting_metrics (
    identifier  text        NOT NULL,
    period      text        NOT NULL,
    period_date timestamptz NOT NULL,
    service_id  uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    route_id    uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    value       integer,
    ttl         timestamptz
);

CREATE TABLE IF NOT EXISTS response_ratelimiting_metrics (
    identifier  text        NOT NULL,
    period      text        NOT NULL,
    period_date timestamptz NOT NULL,
    service_id  uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    route_id    uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    value       integer
);

CREATE TABLE IF NOT EXISTS routes (
    id                         uuid NOT NULL,
    created_at                 timestamptz,
    updated_at                 timestamptz,
    name                       text,
    service_id                 uuid,
    protocols                  text[],
    methods                    text[],
    hosts                      text[],
    paths                      text[],
    snis                       text[],
    sources                    jsonb[],
    destinations               jsonb[],
    regex_priority             bigint,
    strip_path                 boolean,
    preserve_host              boolean,
    tags                       text[],
    https_redirect_status_code integer,
    headers                    jsonb,
    path_handling              text DEFAULT 'v0',
    ws_id                      uuid,
    request_buffering          boolean,
    response_buffering         boolean,
    expression                 text,
    priority                   bigint
);

CREATE TABLE IF NOT EXISTS schema_meta (
    key           text NOT NULL,
    subsystem     text NOT NULL,
    last_executed text,
    executed      text[],
    pending       text[]
);

CREATE TABLE IF NOT EXISTS services (
    id                    uuid    NOT NULL,
    created_at            timestamptz,
    updated_at            timestamptz,
    name                  text,
    retries               bigint,
    protocol              text,
    host                  text,
    port                  bigint,
    path                  text,
    connect_timeout       bigint,
    write_timeout         bigint,
    read_timeout          bigint,
    tags                  text[],
    client_certificate_id uuid,
    tls_verify            boolean,
    tls_verify_depth      smallint,
    ca_certificates       uuid[],
    ws_id                 uuid,
    enabled               boolean DEFAULT true
);

CREATE TABLE IF NOT EXISTS sessions (
    id         uuid NOT NULL,
    session_id text,
    expires    integer,
    data       text,
    created_at timestamptz,
    ttl        timestamptz
);

CREATE TABLE IF NOT EXISTS sm_vaults (
    id          uuid        NOT NULL,
    ws_id       uuid,
    prefix      text,
    name        text        NOT NULL,
    description text,
    config      jsonb       NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    updated_at  timestamptz,
    tags        text[]
);

CREATE TABLE IF NOT EXISTS snis (
    id             uuid        NOT NULL,
    created_at     timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    name           text        NOT NULL,
    certificate_id uuid,
    tags           text[],
    ws_id          uuid,
    updated_at     timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS tags (
    entity_id   uuid NOT NULL,
    entity_name text,
    tags        text[]
);

CREATE TABLE IF NOT EXISTS targets (
    id          uuid        NOT NULL,
    created_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(3) AT TIME ZONE 'UTC'),
    upstream_id uuid,
    target      text        NOT NULL,
    weight      integer     NOT NULL,
    tags        text[],
    ws_id       uuid,
    cache_key   text,
    updated_at  timestamptz DEFAULT (CURRENT_TIMESTAMP(3) AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS upstreams (
    id                        uuid        NOT NULL,
    created_at                timestamptz DEFAULT (CURRENT_TIMESTAMP(3) AT TIME ZONE 'UTC'),
    name                      text,
    hash_on                   text,
    hash_fallback             text,
    hash_on_header            text,
    hash_fallback_header      text,
    hash_on_cookie            text,
    hash_on_cookie_path       text,
    slots                     integer     NOT NULL,
    healthchecks              jsonb,
    tags                      text[],
    algorithm                 text,
    host_header               text,
    client_certificate_id     uuid,
    ws_id                     uuid,
    hash_on_query_arg         text,
    hash_fallback_query_arg   text,
    hash_on_uri_capture       text,
    hash_fallback_uri_capture text,
    use_srv_name              boolean     DEFAULT false,
    updated_at                timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS workspaces (
    id         uuid        NOT NULL,
    name       text,
    comment    text,
    created_at timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    meta       jsonb,
    config     jsonb,
    updated_at timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);

-- Keys first, so that foreign keys find what they refer to.

ALTER TABLE acls ADD CONSTRAINT acls_pkey PRIMARY KEY (id);
ALTER TABLE acme_storage ADD CONSTRAINT acme_storage_pkey PRIMARY KEY (id);
ALTER TABLE basicauth_credentials ADD CONSTRAINT basicauth_credentials_pkey PRIMARY KEY (id);
ALTER TABLE ca_certificates ADD CONSTRAINT ca_certificates_pkey PRIMARY KEY (id);
ALTER TABLE certificates ADD CONSTRAINT certificates_pkey PRIMARY KEY (id);
ALTER TABLE cluster_events ADD CONSTRAINT cluster_events_pkey PRIMARY KEY (id);
ALTER TABLE clustering_data_planes ADD CONSTRAINT clustering_data_planes_pkey PRIMARY KEY (id);
ALTER TABLE clustering_rpc_requests ADD CONSTRAINT clustering_rpc_requests_pkey PRIMARY KEY (id);
ALTER TABLE clustering_sync_version ADD CONSTRAINT clustering_sync_version_pkey PRIMARY KEY (version);
ALTER TABLE consumers ADD CONSTRAINT consumers_pkey PRIMARY KEY (id);
ALTER TABLE filter_chains ADD CONSTRAINT filter_chains_pkey PRIMARY KEY (id);
ALTER TABLE hmacauth_credentials ADD CONSTRAINT hmacauth_credentials_pkey PRIMARY KEY (id);
ALTER TABLE jwt_secrets ADD CONSTRAINT jwt_secrets_pkey PRIMARY KEY (id);
ALTER TABLE key_sets ADD CONSTRAINT key_sets_pkey PRIMARY KEY (id);
ALTER TABLE keyauth_credentials ADD CONSTRAINT keyauth_credentials_pkey PRIMARY KEY (id);
ALTER TABLE keys ADD CONSTRAINT keys_pkey PRIMARY KEY (id);
ALTER TABLE locks ADD CONSTRAINT locks_pkey PRIMARY KEY (key);
ALTER TABLE oauth2_authorization_codes ADD CONSTRAINT oauth2_authorization_codes_pkey PRIMARY KEY (id);
ALTER TABLE oauth2_credentials ADD CONSTRAINT oauth2_credentials_pkey PRIMARY KEY (id);
ALTER TABLE oauth2_tokens ADD CONSTRAINT oauth2_tokens_pkey PRIMARY KEY (id);
ALTER TABLE parameters ADD CONSTRAINT parameters_pkey PRIMARY KEY (key);
ALTER TABLE plugins ADD CONSTRAINT plugins_pkey PRIMARY KEY (id);
ALTER TABLE ratelimiting_metrics ADD CONSTRAINT ratelimiting_metrics_pkey PRIMARY KEY (identifier, period, period_date, service_id, route_id);
ALTER TABLE response_ratelimiting_metrics ADD CONSTRAINT response_ratelimiting_metrics_pkey PRIMARY KEY (identifier, period, period_date, service_id, route_id);
ALTER TABLE routes ADD CONSTRAINT routes_pkey PRIMARY KEY (id);
ALTER TABLE schema_meta ADD CONSTRAINT schema_meta_pkey PRIMARY KEY (key, subsystem);
ALTER TABLE services ADD CONSTRAINT services_pkey PRIMARY KEY (id);
ALTER TABLE sessions ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);
ALTER TABLE sm_vaults ADD CONSTRAINT sm_vaults_pkey PRIMARY KEY (id);
ALTER TABLE snis ADD CONSTRAINT snis_pkey PRIMARY KEY (id);
ALTER TABLE tags ADD CONSTRAINT tags_pkey PRIMARY KEY (entity_id);
ALTER TABLE targets ADD CONSTRAINT targets_pkey PRIMARY KEY (id);
ALTER TABLE upstreams ADD CONSTRAINT upstreams_pkey PRIMARY KEY (id);
ALTER TABLE workspaces ADD CONSTRAINT workspaces_pkey PRIMARY KEY (id);

ALTER TABLE acls
    ADD CONSTRAINT acls_cache_key_key UNIQUE (cache_key),
    ADD CONSTRAINT acls_id_ws_id_unique UNIQUE (id, ws_id);
ALTER TABLE acme_storage ADD CONSTRAINT acme_storage_key_key UNIQUE (key);
ALTER TABLE basicauth_credentials
    ADD CONSTRAINT basicauth_credentials_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT basicauth_credentials_ws_id_username_unique UNIQUE (ws_id, username);
ALTER TABLE ca_certificates ADD CONSTRAINT ca_certificates_cert_digest_key UNIQUE (cert_digest);
ALTER TABLE certificates ADD CONSTRAINT certificates_id_ws_id_unique UNIQUE (id, ws_id);
ALTER TABLE consumers
    ADD CONSTRAINT consumers_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT consumers_ws_id_custom_id_unique UNIQUE (ws_id, custom_id),
    ADD CONSTRAINT consumers_ws_id_username_unique UNIQUE (ws_id, username);
ALTER TABLE filter_chains
    ADD CONSTRAINT filter_chains_cache_key_key UNIQUE (cache_key),
    ADD CONSTRAINT filter_chains_name_key UNIQUE (name);
ALTER TABLE hmacauth_credentials
    ADD CONSTRAINT hmacauth_credentials_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT hmacauth_credentials_ws_id_username_unique UNIQUE (ws_id, username);
ALTER TABLE jwt_secrets
    ADD CONSTRAINT jwt_secrets_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT jwt_secrets_ws_id_key_unique UNIQUE (ws_id, key);
ALTER TABLE key_sets ADD CONSTRAINT key_sets_name_key UNIQUE (name);
ALTER TABLE keyauth_credentials
    ADD CONSTRAINT keyauth_credentials_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT keyauth_credentials_ws_id_key_unique UNIQUE (ws_id, key);
ALTER TABLE keys
    ADD CONSTRAINT keys_cache_key_key UNIQUE (cache_key),
    ADD CONSTRAINT keys_kid_set_id_key UNIQUE (kid, set_id),
    ADD CONSTRAINT keys_name_key UNIQUE (name);
ALTER TABLE oauth2_authorization_codes
    ADD CONSTRAINT oauth2_authorization_codes_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT oauth2_authorization_codes_ws_id_code_unique UNIQUE (ws_id, code);
ALTER TABLE oauth2_credentials
    ADD CONSTRAINT oauth2_credentials_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT oauth2_credentials_ws_id_client_id_unique UNIQUE (ws_id, client_id);
ALTER TABLE oauth2_tokens
    ADD CONSTRAINT oauth2_tokens_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT oauth2_tokens_ws_id_access_token_unique UNIQUE (ws_id, access_token),
    ADD CONSTRAINT oauth2_tokens_ws_id_refresh_token_unique UNIQUE (ws_id, refresh_token);
ALTER TABLE plugins
    ADD CONSTRAINT plugins_cache_key_key UNIQUE (cache_key),
    ADD CONSTRAINT plugins_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT plugins_ws_id_instance_name_unique UNIQUE (ws_id, instance_name);
ALTER TABLE routes
    ADD CONSTRAINT routes_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT routes_ws_id_name_unique UNIQUE (ws_id, name);
ALTER TABLE services
    ADD CONSTRAINT services_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT services_ws_id_name_unique UNIQUE (ws_id, name);
ALTER TABLE sessions ADD CONSTRAINT sessions_session_id_key UNIQUE (session_id);
ALTER TABLE sm_vaults
    ADD CONSTRAINT sm_vaults_id_ws_id_key UNIQUE (id, ws_id),
    ADD CONSTRAINT sm_vaults_prefix_key UNIQUE (prefix),
    ADD CONSTRAINT sm_vaults_prefix_ws_id_key UNIQUE (prefix, ws_id);
ALTER TABLE snis
    ADD CONSTRAINT snis_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT snis_name_key UNIQUE (name);
ALTER TABLE targets
    ADD CONSTRAINT targets_cache_key_key UNIQUE (cache_key),
    ADD CONSTRAINT targets_id_ws_id_unique UNIQUE (id, ws_id);
ALTER TABLE upstreams
    ADD CONSTRAINT upstreams_id_ws_id_unique UNIQUE (id, ws_id),
    ADD CONSTRAINT upstreams_ws_id_name_unique UNIQUE (ws_id, name);
ALTER TABLE workspaces ADD CONSTRAINT workspaces_name_key UNIQUE (name);

ALTER TABLE acls
    ADD CONSTRAINT acls_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT acls_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE basicauth_credentials
    ADD CONSTRAINT basicauth_credentials_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT basicauth_credentials_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE certificates ADD CONSTRAINT certificates_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE clustering_sync_delta ADD CONSTRAINT clustering_sync_delta_version_fkey FOREIGN KEY (version) REFERENCES clustering_sync_version(version) ON DELETE CASCADE;
ALTER TABLE consumers ADD CONSTRAINT consumers_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE filter_chains
    ADD CONSTRAINT filter_chains_route_id_fkey FOREIGN KEY (route_id) REFERENCES routes(id) ON DELETE CASCADE,
    ADD CONSTRAINT filter_chains_service_id_fkey FOREIGN KEY (service_id) REFERENCES services(id) ON DELETE CASCADE,
    ADD CONSTRAINT filter_chains_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id) ON DELETE CASCADE;
ALTER TABLE hmacauth_credentials
    ADD CONSTRAINT hmacauth_credentials_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT hmacauth_credentials_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE jwt_secrets
    ADD CONSTRAINT jwt_secrets_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT jwt_secrets_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE key_sets ADD CONSTRAINT key_sets_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE keyauth_credentials
    ADD CONSTRAINT keyauth_credentials_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT keyauth_credentials_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE keys
    ADD CONSTRAINT keys_set_id_fkey FOREIGN KEY (set_id) REFERENCES key_sets(id) ON DELETE CASCADE,
    ADD CONSTRAINT keys_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE oauth2_authorization_codes
    ADD CONSTRAINT oauth2_authorization_codes_credential_id_fkey FOREIGN KEY (credential_id, ws_id) REFERENCES oauth2_credentials(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT oauth2_authorization_codes_plugin_id_fkey FOREIGN KEY (plugin_id) REFERENCES plugins(id) ON DELETE CASCADE,
    ADD CONSTRAINT oauth2_authorization_codes_service_id_fkey FOREIGN KEY (service_id, ws_id) REFERENCES services(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT oauth2_authorization_codes_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE oauth2_credentials
    ADD CONSTRAINT oauth2_credentials_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT oauth2_credentials_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE oauth2_tokens
    ADD CONSTRAINT oauth2_tokens_credential_id_fkey FOREIGN KEY (credential_id, ws_id) REFERENCES oauth2_credentials(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT oauth2_tokens_service_id_fkey FOREIGN KEY (service_id, ws_id) REFERENCES services(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT oauth2_tokens_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE plugins
    ADD CONSTRAINT plugins_consumer_id_fkey FOREIGN KEY (consumer_id, ws_id) REFERENCES consumers(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT plugins_route_id_fkey FOREIGN KEY (route_id, ws_id) REFERENCES routes(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT plugins_service_id_fkey FOREIGN KEY (service_id, ws_id) REFERENCES services(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT plugins_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE routes
    ADD CONSTRAINT routes_service_id_fkey FOREIGN KEY (service_id, ws_id) REFERENCES services(id, ws_id),
    ADD CONSTRAINT routes_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE services
    ADD CONSTRAINT services_client_certificate_id_fkey FOREIGN KEY (client_certificate_id, ws_id) REFERENCES certificates(id, ws_id),
    ADD CONSTRAINT services_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE sm_vaults ADD CONSTRAINT sm_vaults_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE snis
    ADD CONSTRAINT snis_certificate_id_fkey FOREIGN KEY (certificate_id, ws_id) REFERENCES certificates(id, ws_id),
    ADD CONSTRAINT snis_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE targets
    ADD CONSTRAINT targets_upstream_id_fkey FOREIGN KEY (upstream_id, ws_id) REFERENCES upstreams(id, ws_id) ON DELETE CASCADE,
    ADD CONSTRAINT targets_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);
ALTER TABLE upstreams
    ADD CONSTRAINT upstreams_client_certificate_id_fkey FOREIGN KEY (client_certificate_id) REFERENCES certificates(id),
    ADD CONSTRAINT upstreams_ws_id_fkey FOREIGN KEY (ws_id) REFERENCES workspaces(id);

CREATE INDEX acls_consumer_id_idx ON acls (consumer_id);
CREATE INDEX acls_group_idx ON acls ("group");
CREATE INDEX acls_tags_idex_tags_idx ON acls USING gin (tags);
CREATE INDEX acme_storage_ttl_idx ON acme_storage (ttl);
CREATE INDEX basicauth_consumer_id_idx ON basicauth_credentials (consumer_id);
CREATE INDEX basicauth_tags_idex_tags_idx ON basicauth_credentials USING gin (tags);
CREATE INDEX certificates_tags_idx ON certificates USING gin (tags);
CREATE INDEX cluster_events_at_idx ON cluster_events (at);
CREATE INDEX cluster_events_channel_idx ON cluster_events (channel);
CREATE INDEX cluster_events_expire_at_idx ON cluster_events (expire_at);
CREATE INDEX clustering_data_planes_ttl_idx ON clustering_data_planes (ttl);
CREATE INDEX clustering_rpc_requests_node_id_idx ON clustering_rpc_requests (node_id);
CREATE INDEX clustering_sync_delta_version_idx ON clustering_sync_delta (version);
CREATE INDEX consumers_tags_idx ON consumers USING gin (tags);
CREATE INDEX consumers_username_idx ON consumers (lower(username));
CREATE UNIQUE INDEX filter_chains_cache_key_idx ON filter_chains (cache_key);
CREATE UNIQUE INDEX filter_chains_name_idx ON filter_chains (name);
CREATE INDEX filter_chains_tags_idx ON filter_chains USING gin (tags);
CREATE INDEX hmacauth_credentials_consumer_id_idx ON hmacauth_credentials (consumer_id);
CREATE INDEX hmacauth_tags_idex_tags_idx ON hmacauth_credentials USING gin (tags);
CREATE INDEX jwt_secrets_consumer_id_idx ON jwt_secrets (consumer_id);
CREATE INDEX jwt_secrets_secret_idx ON jwt_secrets (secret);
CREATE INDEX jwtsecrets_tags_idex_tags_idx ON jwt_secrets USING gin (tags);
CREATE INDEX key_sets_tags_idx ON key_sets USING gin (tags);
CREATE INDEX keyauth_credentials_consumer_id_idx ON keyauth_credentials (consumer_id);
CREATE INDEX keyauth_credentials_ttl_idx ON keyauth_credentials (ttl);
CREATE INDEX keyauth_tags_idex_tags_idx ON keyauth_credentials USING gin (tags);
CREATE INDEX keys_fkey_key_sets ON keys (set_id);
CREATE INDEX keys_tags_idx ON keys USING gin (tags);
CREATE INDEX locks_ttl_idx ON locks (ttl);
CREATE INDEX oauth2_authorization_codes_authenticated_userid_idx ON oauth2_authorization_codes (authenticated_userid);
CREATE INDEX oauth2_authorization_codes_ttl_idx ON oauth2_authorization_codes (ttl);
CREATE INDEX oauth2_authorization_credential_id_idx ON oauth2_authorization_codes (credential_id);
CREATE INDEX oauth2_authorization_service_id_idx ON oauth2_authorization_codes (service_id);
CREATE INDEX oauth2_credentials_consumer_id_idx ON oauth2_credentials (consumer_id);
CREATE INDEX oauth2_credentials_secret_idx ON oauth2_credentials (client_secret);
CREATE INDEX oauth2_credentials_tags_idex_tags_idx ON oauth2_credentials USING gin (tags);
CREATE INDEX oauth2_tokens_authenticated_userid_idx ON oauth2_tokens (authenticated_userid);
CREATE INDEX oauth2_tokens_credential_id_idx ON oauth2_tokens (credential_id);
CREATE INDEX oauth2_tokens_service_id_idx ON oauth2_tokens (service_id);
CREATE INDEX oauth2_tokens_ttl_idx ON oauth2_tokens (ttl);
CREATE INDEX plugins_consumer_id_idx ON plugins (consumer_id);
CREATE INDEX plugins_name_idx ON plugins (name);
CREATE INDEX plugins_route_id_idx ON plugins (route_id);
CREATE INDEX plugins_service_id_idx ON plugins (service_id);
CREATE INDEX plugins_tags_idx ON plugins USING gin (tags);
CREATE INDEX ratelimiting_metrics_idx ON ratelimiting_metrics (service_id, route_id, period_date, period);
CREATE INDEX ratelimiting_metrics_ttl_idx ON ratelimiting_metrics (ttl);
CREATE INDEX routes_service_id_idx ON routes (service_id);
CREATE INDEX routes_tags_idx ON routes USING gin (tags);
CREATE INDEX services_fkey_client_certificate ON services (client_certificate_id);
CREATE INDEX services_tags_idx ON services USING gin (tags);
CREATE INDEX session_sessions_expires_idx ON sessions (expires);
CREATE INDEX sessions_ttl_idx ON sessions (ttl);
CREATE INDEX sm_vaults_tags_idx ON sm_vaults USING gin (tags);
CREATE INDEX snis_certificate_id_idx ON snis (certificate_id);
CREATE INDEX snis_tags_idx ON snis USING gin (tags);
CREATE INDEX tags_entity_name_idx ON tags (entity_name);
CREATE INDEX tags_tags_idx ON tags USING gin (tags);
CREATE INDEX targets_tags_idx ON targets USING gin (tags);
CREATE INDEX targets_target_idx ON targets (target);
CREATE INDEX targets_upstream_id_idx ON targets (upstream_id);
CREATE INDEX upstreams_fkey_client_certificate ON upstreams (client_certificate_id);
CREATE INDEX upstreams_tags_idx ON upstreams USING gin (tags);

-- Table names in the function bodies are unqualified, as in Kong's own: they run by the caller's search_path.

CREATE FUNCTION sync_tags() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM tags WHERE entity_name = TG_TABLE_NAME;
        RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM tags WHERE entity_id = OLD.id;
        RETURN OLD;
    END IF;
    INSERT INTO tags VALUES (NEW.id, TG_TABLE_NAME, NEW.tags)
        ON CONFLICT (entity_id) DO UPDATE SET tags = EXCLUDED.tags;
    RETURN NEW;
END;
$$;

CREATE FUNCTION batch_delete_expired_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'WITH expired AS (SELECT ctid FROM %s WHERE %s < CURRENT_TIMESTAMP AT TIME ZONE ''UTC'' ORDER BY %s LIMIT 2 FOR UPDATE SKIP LOCKED) '
        'DELETE FROM %s WHERE ctid IN (TABLE expired)',
        TG_TABLE_NAME, TG_ARGV[0], TG_ARGV[0], TG_TABLE_NAME);
    RETURN NULL;
END;
$$;

CREATE TRIGGER acls_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON acls
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER basicauth_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON basicauth_credentials
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER ca_certificates_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON ca_certificates
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER certificates_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON certificates
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER consumers_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON consumers
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER filter_chains_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON filter_chains
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER hmacauth_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON hmacauth_credentials
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER jwtsecrets_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON jwt_secrets
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER key_sets_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON key_sets
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER keyauth_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON keyauth_credentials
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER keys_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON keys
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER oauth2_credentials_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON oauth2_credentials
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER plugins_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON plugins
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER routes_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON routes
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER services_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON services
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER sm_vaults_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON sm_vaults
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER snis_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON snis
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER targets_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON targets
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();
CREATE TRIGGER upstreams_sync_tags_trigger AFTER INSERT OR UPDATE OF tags OR DELETE ON upstreams
    FOR EACH ROW EXECUTE PROCEDURE sync_tags();

CREATE TRIGGER acme_storage_ttl_trigger AFTER INSERT ON acme_storage
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');
CREATE TRIGGER cluster_events_ttl_trigger AFTER INSERT ON cluster_events
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('expire_at');
CREATE TRIGGER clustering_data_planes_ttl_trigger AFTER INSERT ON clustering_data_planes
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');
CREATE TRIGGER keyauth_credentials_ttl_trigger AFTER INSERT ON keyauth_credentials
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');
CREATE TRIGGER oauth2_authorization_codes_ttl_trigger AFTER INSERT ON oauth2_authorization_codes
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');
CREATE TRIGGER oauth2_tokens_ttl_trigger AFTER INSERT ON oauth2_tokens
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');
CREATE TRIGGER ratelimiting_metrics_ttl_trigger AFTER INSERT ON ratelimiting_metrics
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');
CREATE TRIGGER sessions_ttl_trigger AFTER INSERT ON sessions
    FOR EACH STATEMENT EXECUTE PROCEDURE batch_delete_expired_rows('ttl');

-- What a bootstrap writes. `pending` is NULL for a subsystem that never had a teardown, and empty for the others.

INSERT INTO schema_meta (key, subsystem, last_executed, executed, pending) VALUES
    ('schema_meta', 'core', '024_380_to_390', '{000_base,003_100_to_110,004_110_to_120,005_120_to_130,006_130_to_140,007_140_to_150,'
        '008_150_to_200,009_200_to_210,010_210_to_211,011_212_to_213,012_213_to_220,013_220_to_230,'
        '014_230_to_270,015_270_to_280,016_280_to_300,017_300_to_310,018_310_to_320,019_320_to_330,'
        '020_330_to_340,021_340_to_350,022_350_to_360,023_360_to_370,024_380_to_390}', '{}'),
    ('schema_meta', 'acl', '004_212_to_213', '{000_base_acl,002_130_to_140,003_200_to_210,004_212_to_213}', '{}'),
    ('schema_meta', 'acme', '003_350_to_360', '{000_base_acme,001_280_to_300,002_320_to_330,003_350_to_360}', NULL),
    ('schema_meta', 'ai-proxy', '001_360_to_370', '{001_360_to_370}', NULL),
    ('schema_meta', 'basic-auth', '003_200_to_210', '{000_base_basic_auth,002_130_to_140,003_200_to_210}', '{}'),
    ('schema_meta', 'bot-detection', '001_200_to_210', '{001_200_to_210}', '{}'),
    ('schema_meta', 'hmac-auth', '003_200_to_210', '{000_base_hmac_auth,002_130_to_140,003_200_to_210}', '{}'),
    ('schema_meta', 'http-log', '001_280_to_300', '{001_280_to_300}', '{}'),
    ('schema_meta', 'ip-restriction', '001_200_to_210', '{001_200_to_210}', '{}'),
    ('schema_meta', 'jwt', '003_200_to_210', '{000_base_jwt,002_130_to_140,003_200_to_210}', '{}'),
    ('schema_meta', 'key-auth', '004_320_to_330', '{000_base_key_auth,002_130_to_140,003_200_to_210,004_320_to_330}', '{}'),
    ('schema_meta', 'oauth2', '007_320_to_330', '{000_base_oauth2,003_130_to_140,004_200_to_210,005_210_to_211,006_320_to_330,007_320_to_330}', '{}'),
    ('schema_meta', 'opentelemetry', '001_331_to_332', '{001_331_to_332}', NULL),
    ('schema_meta', 'post-function', '001_280_to_300', '{001_280_to_300}', '{}'),
    ('schema_meta', 'pre-function', '001_280_to_300', '{001_280_to_300}', '{}'),
    ('schema_meta', 'rate-limiting', '006_350_to_360', '{000_base_rate_limiting,003_10_to_112,004_200_to_210,005_320_to_330,006_350_to_360}', '{}'),
    ('schema_meta', 'response-ratelimiting', '001_350_to_360', '{000_base_response_rate_limiting,001_350_to_360}', NULL),
    ('schema_meta', 'session', '002_320_to_330', '{000_base_session,001_add_ttl_index,002_320_to_330}', NULL);

INSERT INTO workspaces (id, name, comment, created_at, meta, config, updated_at) VALUES
    ('7d0e3c52-91b8-4f6a-a3c4-2f58d1b6e907', 'default', NULL, '2023-05-11 08:14:27+00', NULL, NULL, '2023-05-11 08:14:27+00');

INSERT INTO parameters (key, value, created_at) VALUES
    ('cluster_id', 'c3d5b1f0-6a3e-4f4e-9d0b-5a8e7f214c96', NULL);
