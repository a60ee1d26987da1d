//! The tables and functions that Kong makes: by them what a newer or older Kong has left in a
//! database is told from what is somebody else's.
//!
//! Seen by running the migrations of Kong 1.5.1, 2.0.5, 2.3.3, 2.8.5, 3.0.1, 3.4.2, 3.6.1, 3.9.3 and
//! of the development branch after it. Does not know what is in the tables.

/// The table by which a database of Kong is known: it says which migrations have run.
pub(super) const SCHEMA_META: &str = "schema_meta";

/// Each table with the columns that it has in every version that makes it.
const TABLES: &[(&str, &str)] = &[
    ("acls", "id created_at consumer_id group cache_key tags"),
    ("acme_storage", "id key value created_at ttl"),
    (
        "apis",
        "id created_at name upstream_url preserve_host retries https_only http_if_terminated \
         hosts uris methods strip_uri upstream_connect_timeout upstream_send_timeout \
         upstream_read_timeout",
    ),
    ("basicauth_credentials", "id created_at consumer_id username password tags"),
    ("ca_certificates", "id created_at cert tags"),
    ("certificates", "id created_at cert key tags"),
    ("cluster_ca", "pk key cert"),
    ("cluster_events", "id node_id at nbf expire_at channel data"),
    ("clustering_data_planes", "id hostname ip last_seen config_hash ttl version sync_status"),
    ("clustering_rpc_requests", "id node_id reply_to ttl payload"),
    ("clustering_sync_delta", "version type pk ws_id entity"),
    ("clustering_sync_version", "version"),
    ("consumers", "id created_at username custom_id tags"),
    (
        "filter_chains",
        "id name enabled route_id service_id ws_id cache_key filters tags created_at updated_at",
    ),
    ("hmacauth_credentials", "id created_at consumer_id username secret tags"),
    ("jwt_secrets", "id created_at consumer_id key secret algorithm rsa_public_key tags"),
    ("key_sets", "id name tags ws_id created_at updated_at"),
    ("keyauth_credentials", "id created_at consumer_id key tags ttl"),
    ("keys", "id set_id name cache_key ws_id kid jwk pem tags created_at updated_at"),
    ("locks", "key owner ttl"),
    (
        "oauth2_authorization_codes",
        "id created_at credential_id service_id code authenticated_userid scope ttl",
    ),
    (
        "oauth2_credentials",
        "id created_at name consumer_id client_id client_secret redirect_uris tags",
    ),
    (
        "oauth2_tokens",
        "id created_at credential_id service_id access_token refresh_token token_type expires_in \
         authenticated_userid scope ttl",
    ),
    ("parameters", "key value created_at"),
    (
        "plugins",
        "id created_at name consumer_id service_id route_id config enabled cache_key protocols \
         tags",
    ),
    ("ratelimiting_metrics", "identifier period period_date service_id route_id value"),
    ("response_ratelimiting_metrics", "identifier period period_date service_id route_id value"),
    (
        "routes",
        "id created_at updated_at service_id protocols methods hosts paths regex_priority \
         strip_path preserve_host name snis sources destinations path_handling tags \
         https_redirect_status_code headers",
    ),
    ("schema_meta", "key subsystem last_executed executed pending"),
    (
        "services",
        "id created_at updated_at name retries protocol host port path connect_timeout \
         write_timeout read_timeout tags client_certificate_id",
    ),
    ("session_metadatas", "id session_id sid subject audience created_at"),
    ("sessions", "id session_id expires data created_at ttl"),
    ("sm_vaults", "id ws_id prefix name description config created_at updated_at tags"),
    ("snis", "id created_at name certificate_id tags"),
    ("tags", "entity_id entity_name tags"),
    ("targets", "id created_at upstream_id target weight tags"),
    ("ttls", "primary_key_value primary_uuid_value table_name primary_key_name expire_at"),
    (
        "upstreams",
        "id created_at name hash_on hash_fallback hash_on_header hash_fallback_header \
         hash_on_cookie hash_on_cookie_path slots healthchecks host_header tags algorithm",
    ),
    ("vaults_beta", "id ws_id prefix name description config created_at updated_at tags"),
    ("workspaces", "id name comment created_at meta config"),
];

/// Kong's functions, none of which has a declared argument but its triggers'.
const FUNCTIONS: &[&str] = &["batch_delete_expired_rows", "sync_tags"];

/// Whether a version of Kong makes a table of this name with at least these columns.
pub(super) fn makes_table(name: &str, columns: &[String]) -> bool {
    let has = |column: &str| columns.iter().any(|found| found == column);
    TABLES.iter().any(|(table, expected)| *table == name && expected.split(' ').all(has))
}

/// Whether a version of Kong makes a trigger function of this name.
pub(super) fn makes_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_is_not_kongs() {
        let columns = |list: &str| list.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(makes_table("locks", &columns("key owner ttl")));
        assert!(makes_table("locks", &columns("ttl owner key more")), "in any order, and more");
        assert!(!makes_table("locks", &columns("key owner")));
        assert!(!makes_table("orders", &columns("key owner ttl")));
        assert!(makes_function("sync_tags") && !makes_function("audit"));
    }

    #[test]
    fn each_table_stands_once_and_in_order() {
        assert!(TABLES.is_sorted_by(|one, next| one.0 < next.0));
        assert!(makes_table(
            SCHEMA_META,
            &["key", "subsystem", "last_executed", "executed", "pending"].map(str::to_owned)
        ));
    }
}
