//! The table of settings: one row makes the flag, the environment variable and the key of the
//! file, so that the three cannot drift apart.

/// How a setting's text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value.
    One,
    /// True or false; the flag alone means true.
    Switch,
    /// A comma-separated list, or an array in the file.
    List,
    /// `k=v,k=v`, or a table in the file.
    Map,
    /// A table in the file with tables and lists in it; elsewhere `k=v,k.l=v`, a list by repeating
    /// its key.
    Table,
    /// Tables, `[[name]]`, in the file only.
    Tables,
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name in the file; flag and variable follow from it.
    pub name: &'static str,
    /// How its text is read.
    pub shape: Shape,
    /// What `--help` says.
    pub help: &'static str,
}

impl Key {
    /// The environment variable.
    pub fn variable(&self) -> String {
        format!("GATEHOUSE_{}", self.name.to_ascii_uppercase())
    }

    /// The flag, without dashes in front.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Whether its value must not be shown.
    pub fn is_secret(&self) -> bool {
        matches!(
            self.name,
            "secret"
                | "secret_previous"
                | "upstream_client_secret"
                | "signing_key"
                | "database_url"
                | "feedback_secret"
                | "traces_headers"
        )
    }
}

const fn one(name: &'static str, help: &'static str) -> Key {
    Key { name, shape: Shape::One, help }
}

const fn switch(name: &'static str, help: &'static str) -> Key {
    Key { name, shape: Shape::Switch, help }
}

const fn list(name: &'static str, help: &'static str) -> Key {
    Key { name, shape: Shape::List, help }
}

/// Every setting of the contract.
pub const KEYS: &[Key] = &[
    one("config", "The configuration file [default: gatehouse.toml if present]"),
    one("listen", "Public listener [default: 127.0.0.1:8080]"),
    one("admin_listen", "Health, readiness and admin listener [default: 127.0.0.1:9090]"),
    one(
        "admin_url",
        "The admin listener as browsers see it [default: from admin_listen if loopback]",
    ),
    list("admins", "Who may see the admin pages: addresses, @domains, organizations' keys"),
    one("public_url", "Issuer and base of every absolute URL [default: http://127.0.0.1:8080]"),
    one(
        "database_url",
        "sqlite://… or postgres://… [default: sqlite://data/gatehouse.db?mode=rwc]",
    ),
    one("database_url_file", "A file that holds database_url"),
    one(
        "secret",
        "At least 32 bytes in base64; made on the first start when public_url is loopback",
    ),
    one("secret_file", "A file that holds secret"),
    one("secret_previous", "The secret before this one, while it is being rotated"),
    one("secret_previous_file", "A file that holds secret_previous"),
    one("upstream_issuer", "OIDC issuer of the identity provider, byte for byte"),
    one("upstream_client_id", "Our client identifier at the provider"),
    one("upstream_client_secret", "Our secret there; without one we are a public client"),
    one("upstream_client_secret_file", "A file that holds upstream_client_secret"),
    one("upstream_scope", "Scopes asked of the provider [default: openid email profile]"),
    Key {
        name: "upstream_params",
        shape: Shape::Map,
        help: "Extra parameters for the provider's authorize request, k=v,k=v",
    },
    one("upstream_name", "What the pages call the provider"),
    one("signup_url", "Where people without an account go"),
    one("privacy_url", "The privacy policy"),
    switch("dev", "Built-in identity provider for a first run; loopback only"),
    one("auth", "enforce, grace or open [default: enforce]"),
    one("enforce_share", "Of callers without a token, so many percent must sign in [default: 0]"),
    list("enforce_clients", "Client products that must sign in, for instance Cursor"),
    list("enforce_tools", "Tools that need a sign-in"),
    one(
        "enforce_halt_below",
        "Nobody more is asked when fewer percent of them come back [default: 50]",
    ),
    one("anonymous_kept", "How long it is kept who came without a token [default: 30d]"),
    switch("require_work_email", "Refuse free and disposable mail domains"),
    Key {
        name: "same_organization",
        shape: Shape::Map,
        help: "Companies with several domains: acquired.example=example.com; org:ID for an org_id",
    },
    list(
        "trust_unverified_email",
        "Whose addresses count unverified: true, or connections such as samlp|acme [default: \
         nobody's]",
    ),
    list("free_mail_domains", "Domains of free mail providers that the list lacks"),
    list("work_mail_domains", "Domains of organizations that the lists call free or disposable"),
    one(
        "default_scope",
        "Scopes of a client that names none for documentation [default: docs:read docs:feedback]",
    ),
    one("access_token_ttl", "Lifetime of an access token [default: 1h]"),
    one("refresh_token_ttl", "Idle time after which a refresh token dies [default: 30d]"),
    one("grant_max_ttl", "Absolute lifetime of a sign-in [default: none]"),
    one("authorization_request_ttl", "Time a person has to sign in [default: 10m]"),
    one("authorization_code_ttl", "Lifetime of an authorization code [default: 60s]"),
    one(
        "refresh_grace",
        "How long a rotated refresh token still answers; 0s is strict [default: 30s]",
    ),
    one("session_idle_ttl", "Idle time after which a browser session ends [default: 7d]"),
    one("session_max_ttl", "Absolute lifetime of a browser session [default: 30d]"),
    one("signing_alg", "RS256, ES256 or EdDSA [default: RS256]"),
    one("signing_key", "A PKCS#8 PEM or a JWK to sign with, instead of a generated key"),
    one("signing_key_file", "A file that holds signing_key"),
    one("key_rotation", "How old a generated key is when another follows, or none [default: 90d]"),
    switch("dcr", "Dynamic client registration [default: true]"),
    switch("cimd", "Client ID metadata documents [default: true]"),
    switch("legacy_paths", "Also /authorize, /token and /register [default: true]"),
    list("custom_scheme_redirects", "Exact private-use redirect URIs that are allowed"),
    switch("cimd_allow_loopback", "Fetch metadata documents from loopback; loopback only"),
    list("cimd_allowed_domains", "Domains whose metadata documents are accepted [default: any]"),
    list("cimd_denied_domains", "Domains whose metadata documents are refused"),
    list("trusted_proxies", "CIDRs whose X-Forwarded-For is believed"),
    one("limit_mcp", "Requests to /mcp per person [default: 60/15m]"),
    one("limit_mcp_anonymous", "Requests to /mcp per address without a token [default: 20/15m]"),
    one("limit_register", "Registrations per address [default: 20/1h]"),
    one("limit_cimd", "Metadata documents fetched per address [default: 30/10m]"),
    one("limit_token", "Token requests per grant, else per client and address [default: 120/1m]"),
    list("cors_origins", "Further browser origins allowed on /mcp"),
    list("site_origins", "Origins of documentation sites that people sign in to through us"),
    list("docs_path", "Folders of Markdown, AsciiDoc or HTML [default: the manual]"),
    one("docs_url", "The public address that pages are cited under"),
    one("docs_product", "The product's name in tools and pages [default: Gatehouse]"),
    one(
        "server_name",
        "The registry name for server.json, such as com.example/docs [default: none]",
    ),
    one("help_url", "Where 401 answers and metadata point for help"),
    one("pages_path", "Where pages for people live [default: /]"),
    list(
        "api_specs",
        "OpenAPI documents: name=path, or a folder with a folder for each API [default: ours]",
    ),
    Key {
        name: "brand",
        shape: Shape::Map,
        help: "Looks of the pages: name, logo, favicon, font, accent; best as [brand] in the file",
    },
    Key {
        name: "feedback",
        shape: Shape::Table,
        help: "Where feedback is delivered; best as [feedback] in the file [default: stored only]",
    },
    one("feedback_secret", "Signs feedback to a webhook: whsec_ and base64; two while it rotates"),
    one("feedback_secret_file", "A file that holds feedback_secret"),
    Key { name: "remote", shape: Shape::Tables, help: "Other MCP servers whose tools are offered" },
    one("usage_kept", "How long usage by person is kept [default: 90d]"),
    one("usage_totals_kept", "How long usage by organization is kept [default: 730d]"),
    switch("keep_queries", "Keep what is searched for, sealed [default: false]"),
    one("queries_kept", "How long that is kept [default: 90d]"),
    switch("ask_context", "Let tools ask what the person wants, and keep it [default: false]"),
    one("context_kept", "How long that is kept [default: 90d]"),
    Key { name: "sink", shape: Shape::Tables, help: "Where events about people go" },
    one("disclosures_kept", "How long it is known who was told what of a person [default: 730d]"),
    one("outbox_delivered_kept", "How long it is known that something was delivered [default: 7d]"),
    one("outbox_failed_kept", "How long is kept what was given up [default: 90d]"),
    one("audit_kept", "How long the audit log is kept [default: 400d]"),
    one("attempts_kept", "How long attempts to sign in are kept [default: 14d]"),
    one(
        "inactive_people_kept",
        "Erase people who have not been here for this long [default: none]",
    ),
    one(
        "stop_delay",
        "After SIGTERM, how long requests are still taken while /readyz says no [default: 5s]",
    ),
    one("log_format", "text or json [default: text on a terminal, else json]"),
    one("log", "What is logged: a level or a filter [default: info]"),
    switch("traces", "Send traces of requests to an OpenTelemetry collector [default: false]"),
    one(
        "traces_url",
        "Where it takes them [default: OTEL_EXPORTER_OTLP_ENDPOINT, or this machine]",
    ),
    one("traces_headers", "What goes along, k=v,k=v [default: OTEL_EXPORTER_OTLP_HEADERS]"),
    one("traces_headers_file", "A file that holds traces_headers"),
    one("traces_share", "So many percent of requests are traced [default: 100]"),
];

/// Finds a setting by its name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
