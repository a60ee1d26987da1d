//! Kong's tables by name: what their rows are, and whose they are.
//!
//! Does not know their columns, which differ from version to version.

use std::fmt;

/// What a table's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Which migrations were run.
    Migrations,
    /// What was configured.
    Configuration,
    /// Secrets of consumers, of people and of the gateway.
    Credentials,
    /// What Kong writes while it runs, and goes on without.
    Operational,
    /// What can be made from other tables.
    Derived,
    /// Of a plugin that is not known, or of another application.
    Unknown,
}

impl Class {
    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Migrations => "migrations",
            Self::Configuration => "configuration",
            Self::Credentials => "credentials",
            Self::Operational => "operational",
            Self::Derived => "derived",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A table of Kong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// What its rows are.
    pub class: Class,
    /// Whether only Kong Enterprise has it.
    pub is_enterprise: bool,
}

/// The tables of Kong Gateway from 1.0 to 3.10, those of bundled plugins included.
const GATEWAY: &[(Class, &[&str])] = &[
    (Class::Migrations, &["schema_meta"]),
    (
        Class::Configuration,
        &[
            "apis",
            "ca_certificates",
            "certificates",
            "cluster_ca",
            "consumers",
            "filter_chains",
            "key_sets",
            "keys",
            "parameters",
            "plugins",
            "routes",
            "services",
            "sm_vaults",
            "snis",
            "targets",
            "upstreams",
            "vaults_beta",
            "workspaces",
        ],
    ),
    (
        Class::Credentials,
        &[
            "acls",
            "acme_storage",
            "basicauth_credentials",
            "hmacauth_credentials",
            "jwt_secrets",
            "keyauth_credentials",
            "oauth2_credentials",
            "oauth2_tokens",
        ],
    ),
    (
        Class::Operational,
        &[
            "cluster_events",
            "clustering_data_planes",
            "clustering_rpc_requests",
            "clustering_sync_delta",
            "clustering_sync_version",
            "locks",
            "oauth2_authorization_codes",
            "ratelimiting_metrics",
            "response_ratelimiting_metrics",
            "session_metadatas",
            "sessions",
            "ttls",
        ],
    ),
    (Class::Derived, &["tags"]),
];

/// What Kong Enterprise adds, as far as it is public.
const ENTERPRISE: &[(Class, &[&str])] = &[
    (
        Class::Configuration,
        &[
            "admins",
            "application_instances",
            "applications",
            "consumer_group_consumers",
            "consumer_group_plugins",
            "consumer_groups",
            "degraphql_routes",
            "developers",
            "document_objects",
            "event_hooks",
            "files",
            "graphql_ratelimiting_advanced_cost_decoration",
            "group_rbac_roles",
            "groups",
            "konnect_applications",
            "legacy_files",
            "licenses",
            "partials",
            "plugins_partials",
            "rbac_role_endpoints",
            "rbac_role_entities",
            "rbac_roles",
            "rbac_user_groups",
            "rbac_user_roles",
        ],
    ),
    (
        Class::Credentials,
        &[
            "credentials",
            "jwt_signer_jwks",
            "keyauth_enc_credentials",
            "keyring_keys",
            "keyring_meta",
            "mtls_auth_credentials",
            "oic_issuers",
            "oic_jwks",
            "rbac_users",
            "vault_auth_vaults",
        ],
    ),
    (
        Class::Operational,
        &["audit_objects", "audit_requests", "consumer_reset_secrets", "login_attempts"],
    ),
    (Class::Derived, &["workspace_entity_counters"]),
];

/// Tables of statistics, some of which are named after the time they were made at.
const VITALS: &str = "vitals_";

/// What is known of a table by its name alone.
pub fn known(table_name: &str) -> Option<Known> {
    let class_in = |tables: &[(Class, &[&str])]| {
        tables.iter().find(|(_, names)| names.contains(&table_name)).map(|(class, _)| *class)
    };
    if let Some(class) = class_in(GATEWAY) {
        return Some(Known { class, is_enterprise: false });
    }
    let vitals = || table_name.starts_with(VITALS).then_some(Class::Operational);
    let class = class_in(ENTERPRISE).or_else(vitals)?;
    Some(Known { class, is_enterprise: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_one_class() {
        let mut names: Vec<&str> =
            [GATEWAY, ENTERPRISE].concat().iter().flat_map(|(_, names)| names.to_vec()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn known_by_name() {
        let check = |name, expect: Option<(Class, bool)>| {
            let found = known(name).map(|known| (known.class, known.is_enterprise));
            assert_eq!(found, expect, "{name}");
        };
        check("routes", Some((Class::Configuration, false)));
        check("keyauth_credentials", Some((Class::Credentials, false)));
        check("tags", Some((Class::Derived, false)));
        check("rbac_users", Some((Class::Credentials, true)));
        check("vitals_stats_seconds_1600000000", Some((Class::Operational, true)));
        check("invoices", None);
    }
}
