-- What years of migrations leave behind, run before schema.sql: the tables that they changed, in the form of an
-- upgraded database. Columns of routes and upstreams stand in another order, dropped columns leave holes in the
-- attribute numbers, and the table apis and the column plugins.api_id outlive their use.

CREATE TABLE apis (
    id                       uuid PRIMARY KEY,
    created_at               timestamp DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    name                     text UNIQUE,
    upstream_url             text,
    preserve_host            boolean NOT NULL,
    retries                  smallint DEFAULT 5,
    https_only               boolean,
    http_if_terminated       boolean,
    hosts                    text,
    uris                     text,
    methods                  text,
    strip_uri                boolean,
    upstream_connect_timeout integer,
    upstream_send_timeout    integer,
    upstream_read_timeout    integer
);

CREATE TABLE plugins (
    id            uuid        NOT NULL,
    name          text        NOT NULL,
    api_id        uuid        REFERENCES apis(id) ON DELETE CASCADE,
    consumer_id   uuid,
    config_old    json,
    created_at    timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    enabled       boolean     NOT NULL,
    service_id    uuid,
    route_id      uuid,
    config        jsonb       NOT NULL,
    run_on        text,
    cache_key     text,
    protocols     text[],
    tags          text[],
    ws_id         uuid,
    instance_name text,
    updated_at    timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);
CREATE INDEX plugins_api_id_idx ON plugins (api_id);
ALTER TABLE plugins DROP COLUMN config_old;

CREATE TABLE routes (
    id                         uuid   NOT NULL,
    created_at                 timestamptz,
    updated_at                 timestamptz,
    service_id                 uuid,
    protocols                  text[],
    methods                    text[],
    hosts                      text[],
    paths                      text[],
    regex_priority             bigint,
    strip_path                 boolean,
    preserve_host              boolean,
    name                       text,
    snis                       text[],
    sources                    jsonb[],
    destinations               jsonb[],
    tags                       text[],
    https_redirect_status_code integer,
    headers                    jsonb,
    path_handling              text   DEFAULT 'v0',
    ws_id                      uuid,
    request_buffering          boolean,
    response_buffering         boolean,
    expression                 text,
    priority                   bigint
);

CREATE TABLE upstreams (
    id                        uuid        NOT NULL,
    name                      text,
    orderlist                 text,
    slots                     integer     NOT NULL,
    created_at                timestamptz DEFAULT (CURRENT_TIMESTAMP(3) AT TIME ZONE 'UTC'),
    hash_on                   text,
    hash_fallback             text,
    hash_on_header            text,
    hash_fallback_header      text,
    hash_on_cookie            text,
    hash_on_cookie_path       text,
    healthchecks              jsonb,
    tags                      text[],
    algorithm                 text,
    ws_id                     uuid,
    host_header               text,
    client_certificate_id     uuid,
    use_srv_name              boolean     DEFAULT false,
    hash_on_query_arg         text,
    hash_fallback_query_arg   text,
    hash_on_uri_capture       text,
    hash_fallback_uri_capture text,
    updated_at                timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC')
);
ALTER TABLE upstreams DROP COLUMN orderlist;

CREATE TABLE oauth2_credentials (
    id            uuid        NOT NULL,
    name          text,
    consumer_id   uuid,
    client_id     text,
    client_secret text,
    redirect_uri  text,
    created_at    timestamptz DEFAULT (CURRENT_TIMESTAMP(0) AT TIME ZONE 'UTC'),
    redirect_uris text[],
    tags          text[],
    client_type   text,
    hash_secret   boolean,
    ws_id         uuid
);
ALTER TABLE oauth2_credentials DROP COLUMN redirect_uri;

CREATE TABLE oauth2_authorization_codes (
    id                   uuid        NOT NULL,
    api_id               uuid        REFERENCES apis(id) ON DELETE CASCADE,
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
ALTER TABLE oauth2_authorization_codes DROP COLUMN api_id;

CREATE TABLE oauth2_tokens (
    id                   uuid        NOT NULL,
    api_id               uuid        REFERENCES apis(id) ON DELETE CASCADE,
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
ALTER TABLE oauth2_tokens DROP COLUMN api_id;

CREATE TABLE ratelimiting_metrics (
    api_id      uuid,
    identifier  text        NOT NULL,
    period      text        NOT NULL,
    period_date timestamptz NOT NULL,
    value       integer,
    service_id  uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    route_id    uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    ttl         timestamptz
);
ALTER TABLE ratelimiting_metrics DROP COLUMN api_id;

CREATE TABLE response_ratelimiting_metrics (
    api_id      uuid,
    identifier  text        NOT NULL,
    period      text        NOT NULL,
    period_date timestamptz NOT NULL,
    value       integer,
    service_id  uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    route_id    uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
);
ALTER TABLE response_ratelimiting_metrics DROP COLUMN api_id;
