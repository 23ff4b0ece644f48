use super::*;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

struct Stand {
    folder: tempfile::TempDir,
    given: Given,
}

fn stand() -> Stand {
    let folder = tempfile::tempdir().unwrap();
    let given = Given { folder: folder.path().to_owned(), ..Given::default() };
    Stand { folder, given }
}

impl Stand {
    fn flag(mut self, name: &str, value: &str) -> Self {
        self.given.flags.insert(name.into(), value.into());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.given.environment.push((name.into(), value.into()));
        self
    }

    fn file(self, text: &str) -> Self {
        std::fs::write(self.folder.path().join("gatehouse.toml"), text).unwrap();
        self
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load(&self.given)
    }

    fn error(&self) -> String {
        self.load().map(|_| ()).unwrap_err().to_string()
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let config = stand().load().unwrap();
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.admin_listen.to_string(), "127.0.0.1:9090");
    assert_eq!(config.refresh_grace, Duration::from_secs(30));
    assert_eq!(config.grant_max_ttl, None);
    assert_eq!(config.custom_scheme_redirects, [CURSOR_REDIRECT]);
    assert_eq!(config.limit_mcp, Limit { count: 60, window: Duration::from_mins(15) });
    assert!(matches!(config.upstream, UpstreamConfig::None));
    assert_eq!(config.auth, AuthMode::Enforce);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let file = "refresh_grace = \"1s\"\naccess_token_ttl = \"2s\"\nauth = \"open\"";
    let stand = stand()
        .file(file)
        .variable("GATEHOUSE_REFRESH_GRACE", "3s")
        .variable("GATEHOUSE_ACCESS_TOKEN_TTL", "4s")
        .flag("refresh_grace", "5s");
    let config = stand.load().unwrap();
    assert_eq!(config.refresh_grace.as_secs(), 5);
    assert_eq!(config.access_token_ttl.as_secs(), 4);
    assert_eq!(config.auth, AuthMode::Open);
}

#[test]
fn lists_and_maps_are_native_in_the_file() {
    let stand = stand().file(
        "docs_path = [\"a\", \"b,c\"]\ndcr = false\n[upstream_params]\norganization = \"org_1\"",
    );
    let config = stand.load().unwrap();
    assert_eq!(config.docs_path.len(), 2);
    assert!(!config.dcr);
    assert_eq!(config.upstream_params, [("organization".to_owned(), "org_1".to_owned())]);
}

#[test]
fn errors_name_the_key_and_the_place() {
    for (stand, begins) in [
        (stand().variable("GATEHOUSE_REFRESH_GRACE", "5x"), "refresh_grace: \"5x\" is not"),
        (stand().flag("refresh_grace", "11m"), "refresh_grace: 11m is out of range"),
        (stand().variable("GATEHOUSE_REFRSH_GRACE", "5s"), "GATEHOUSE_REFRSH_GRACE: there is no"),
        (stand().file("refresh_grase = \"5s\""), "refresh_grase: there is no such setting; did"),
        (stand().file("listen = ["), "config: "),
        (stand().file("listen = 1.5"), "listen: its value in the file has the wrong type"),
        (stand().flag("config", "absent.toml"), "config: "),
        (stand().flag("limit_mcp", "60"), "limit_mcp: "),
        (stand().flag("upstream_issuer", "https://t.example/"), "upstream_client_id: "),
        (stand().flag("upstream_client_id", "x"), "upstream_issuer: "),
        (stand().flag("upstream_scope", "email"), "upstream_scope: it must contain openid"),
        (stand().flag("upstream_params", "state=x"), "upstream_params: state is set by"),
        (stand().flag("public_url", "https://e.com/"), "public_url: write it as https://e.com"),
        (stand().flag("database_url", "mysql://x"), "database_url: "),
        (stand().flag("trusted_proxies", "10.0.0.0/33"), "trusted_proxies: "),
        (stand().flag("refresh_token_ttl", "30m"), "refresh_token_ttl: it must not be shorter"),
    ] {
        let error = stand.error();
        assert!(error.starts_with(begins), "{error}");
    }
}

#[test]
fn the_start_fails_closed() {
    let public = || stand().flag("public_url", "https://docs.example.com");
    assert!(public().error().starts_with("secret: it is required"));
    assert!(public().flag("secret", SECRET).load().is_ok());
    assert!(public().flag("secret", SECRET).flag("dev", "true").error().starts_with("dev: "));
    assert!(
        stand().flag("dev", "true").flag("listen", "0.0.0.0:8080").error().starts_with("dev: ")
    );
    assert!(matches!(stand().flag("dev", "true").load().unwrap().upstream, UpstreamConfig::Dev));
}

#[test]
fn a_secret_is_not_repeated_in_the_message_about_it() {
    let error = stand().flag("secret", "hunter2").error();
    assert!(error.starts_with("secret: ") && !error.contains("hunter2"), "{error}");
    let error = stand().flag("database_url", "postgres://u:hunter2/x@127.0.0.1/d").error();
    assert!(error.starts_with("database_url: ") && !error.contains("hunter2"), "{error}");
    let error = stand().file("secret = \"hunter2\" x").error();
    assert!(error.starts_with("config: ") && !error.contains("hunter2"), "{error}");
}

#[test]
fn variables_of_kubernetes_and_of_the_test_suite_are_not_settings() {
    let stand = stand()
        .variable("GATEHOUSE_SERVICE_HOST", "10.0.0.1")
        .variable("GATEHOUSE_PORT", "tcp://10.0.0.1:8080")
        .variable("GATEHOUSE_PORT_8080_TCP", "x")
        .variable("GATEHOUSE_TEST_CORPUS", "x");
    assert!(stand.load().is_ok());
}

#[test]
fn moving_the_listener_on_loopback_moves_the_address() {
    let config = stand().flag("listen", "127.0.0.1:9999").load().unwrap();
    assert_eq!(config.public_url, "http://127.0.0.1:9999");
    let config = stand().flag("listen", "0.0.0.0:9999").load().unwrap();
    assert_eq!(config.public_url, "http://127.0.0.1:8080");
}

#[test]
fn a_registry_name_is_a_reversed_domain_and_a_name() {
    assert_eq!(stand().load().unwrap().server_name, None);
    let longest = format!("com.example/{}", "x".repeat(188));
    for name in ["com.example/docs", "io.github.user/My_docs.v2", "a/b", &longest] {
        let config = stand().flag("server_name", name).load().unwrap();
        assert_eq!(config.server_name.as_deref(), Some(name));
    }
    for bad in [
        "docs",
        "com.example/",
        "/docs",
        "com.example/docs/v2",
        "com.example/do cs",
        "com_example/docs",
        ".com.example/docs",
        "com.example./docs",
        "com.example/-docs",
        "https://example.com/docs",
        "com.exämple/docs",
        &format!("{longest}x"),
    ] {
        let error = stand().flag("server_name", bad).error();
        assert!(
            error.starts_with("server_name: ") && error.contains("com.example/docs"),
            "{error}"
        );
    }
}

#[test]
fn an_empty_value_lets_the_next_layer_speak() {
    let stand = || stand().flag("dev", "true").file("require_work_email = true");
    let strict = |stand: Stand| stand.load().unwrap().require_work_email;
    assert!(strict(stand().variable("GATEHOUSE_REQUIRE_WORK_EMAIL", "")));
    assert!(strict(stand().variable("GATEHOUSE_CONFIG", " ")));
    assert!(!strict(stand().variable("GATEHOUSE_REQUIRE_WORK_EMAIL", "false")));
    let stand = stand().file("refresh_grace = \"5x\"").variable("GATEHOUSE_REFRESH_GRACE", "");
    assert!(stand.error().contains("gatehouse.toml"), "{}", stand.error());
}

#[test]
fn documents_of_clients_lie_on_this_machine_only_where_it_serves_itself() {
    let allowed = || stand().flag("cimd_allow_loopback", "true");
    assert!(allowed().load().unwrap().cimd.unwrap().allow_loopback);
    let public = allowed().flag("public_url", "https://docs.example.com").flag("secret", SECRET);
    assert!(public.error().starts_with("cimd_allow_loopback: strangers could"));
}

#[test]
fn domains_are_names_as_urls_have_them() {
    let config = stand().flag("cimd_denied_domains", "example.com,a.example").load().unwrap();
    assert_eq!(config.cimd.unwrap().denied_domains, ["example.com", "a.example"]);
    for bad in ["Example.com", "https://example.com", "10.0.0.1", "a b", "example.com/x", "[::1]"] {
        let error = stand().flag("cimd_allowed_domains", bad).error();
        assert!(error.starts_with("cimd_allowed_domains: "), "{bad}: {error}");
    }
}

#[test]
fn the_default_scope_always_lets_people_read() {
    assert_eq!(stand().load().unwrap().default_scope, "docs:read docs:feedback");
    let narrow = stand().flag("default_scope", " docs:read ").load().unwrap();
    assert_eq!(narrow.default_scope, "docs:read");
    for bad in ["docs:feedback", "docs:read email", "all", "docs:read,docs:feedback"] {
        assert!(stand().flag("default_scope", bad).error().starts_with("default_scope: "), "{bad}");
    }
}

#[test]
fn pages_live_below_a_plain_path_that_no_program_needs() {
    for (given, path) in
        [("/", ""), ("/connect", "/connect"), ("/connect/", "/connect"), ("/a/b-c", "/a/b-c")]
    {
        let config = stand().flag("pages_path", given).load().unwrap();
        assert_eq!(config.pages_path, path);
        assert_eq!(config.page_url("/account"), format!("{}{path}/account", config.public_url));
    }
    for bad in [
        "connect",
        "//connect",
        "/con nect",
        "/a//b",
        "/a/../b",
        "/.",
        "/a?b",
        "/%61",
        "/mcp",
        "/oauth/pages",
        "/.well-known",
        "/authorize",
        "https://docs.example.com",
    ] {
        assert!(stand().flag("pages_path", bad).error().starts_with("pages_path: "), "{bad}");
    }
}

#[test]
fn documentation_sites_are_origins_and_never_all() {
    let config = stand().flag("site_origins", "https://docs.example.com,http://localhost:3000");
    assert_eq!(config.load().unwrap().site_origins.len(), 2);
    for bad in ["*", "https://docs.example.com/", "http://docs.example.com", "docs.example.com"] {
        assert!(stand().flag("site_origins", bad).error().starts_with("site_origins: "), "{bad}");
    }
}

#[test]
fn a_browser_session_has_two_limits_in_order() {
    let session = stand().load().unwrap().session;
    assert_eq!((session.idle, session.max), (7 * DAY, 30 * DAY));
    let short = stand().flag("session_max_ttl", "1d");
    assert!(short.error().starts_with("session_max_ttl: it must not be shorter"));
    assert!(stand().flag("session_idle_ttl", "1m").error().starts_with("session_idle_ttl: 1m is"));
}

#[test]
fn api_specs_are_named_files_or_folders() {
    let of = |text: &str| {
        let stand = stand().flag("api_specs", text);
        let specs = stand.load().unwrap().api_specs;
        let folder = stand.given.folder.clone();
        let told = specs.into_iter().map(|spec| {
            let path = spec.path.strip_prefix(&folder).unwrap_or(&spec.path).to_owned();
            (spec.name, path.to_str().unwrap().to_owned())
        });
        told.collect::<Vec<_>>()
    };
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(stand().load().unwrap().api_specs, []);
    assert_eq!(of("admin=a/b.yaml"), [(named("admin"), "a/b.yaml".to_owned())]);
    assert_eq!(
        of("a = x.json, /srv/apis,./k=v"),
        [
            (named("a"), "x.json".to_owned()),
            (None, "/srv/apis".to_owned()),
            (None, "k=v".to_owned())
        ]
    );
    for bad in ["=x.yaml", "a="] {
        let error = stand().flag("api_specs", bad).error();
        assert!(error.contains("api_specs"), "{error}");
    }
}

#[test]
fn who_must_sign_in_is_said_for_grace_and_never_for_open() {
    let settings = |auth: &str| stand().flag("auth", auth).flag("enforce_share", "12.5%");
    let config = settings("grace").flag("enforce_tools", "a, b").load().unwrap().enforcement;
    assert_eq!((config.share_hundredths, config.halt_below), (1_250, 50));
    assert_eq!(config.asking().collect::<Vec<_>>(), ["enforce_share", "enforce_tools"]);
    assert!(settings("enforce").load().is_ok());
    let error = settings("open").error();
    assert!(error.starts_with("enforce_share: it asks nobody to sign in while auth is open"));
    for (name, value) in [("enforce_share", "101"), ("enforce_halt_below", "101%")] {
        let error = stand().flag(name, value).error();
        assert!(error.starts_with(name), "{error}");
    }
}

#[test]
fn secrets_stand_in_files_of_their_own() {
    use std::os::unix::fs::PermissionsExt as _;
    let stand = || stand().flag("public_url", "https://docs.example.com");
    let with_file = |stand: Stand, text: &str, mode| {
        let path = stand.folder.path().join("given");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        stand
    };
    let given = stand().variable("GATEHOUSE_SECRET_FILE", "given");
    let given = with_file(given, &format!("{SECRET}\n"), 0o640);
    assert!(given.load().unwrap().exposed_files.is_empty());
    let exposed = with_file(given, SECRET, 0o444);
    assert_eq!(exposed.load().unwrap().exposed_files, ["secret_file"]);
    let twice = exposed.flag("secret", SECRET);
    assert!(twice.error().starts_with("secret_file: secret is given as well"));
    let key = stand().flag("secret", SECRET).flag("signing_key_file", "given");
    let key = with_file(key, "a key", 0o600);
    assert_eq!(key.load().unwrap().signing_key.as_deref(), Some("a key"));
    let missing = stand().flag("secret_file", "absent");
    assert!(missing.error().starts_with("secret_file: "), "{}", missing.error());
    let empty = with_file(stand().flag("secret_file", "given"), " \n", 0o600);
    assert!(empty.error().contains("is empty"), "{}", empty.error());
    let bad = with_file(stand().flag("secret_file", "given"), "hunter2", 0o600);
    let error = bad.error();
    assert!(error.starts_with("secret: ") && error.contains("secret_file"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_generated_key_is_followed_after_a_while_and_a_given_one_never() {
    let rotation = |stand: Stand| stand.load().unwrap().key_rotation;
    assert_eq!(rotation(stand()), Some(DAY * 90));
    assert_eq!(rotation(stand().flag("key_rotation", "30d")), Some(DAY * 30));
    assert_eq!(rotation(stand().flag("key_rotation", "none")), None);
    assert!(stand().flag("key_rotation", "1h").error().starts_with("key_rotation: 1h is out of"));
    let given = || stand().flag("signing_key", "a key");
    assert!(given().load().is_ok());
    assert!(given().flag("key_rotation", "none").load().is_ok());
    assert!(given().flag("key_rotation", "90d").error().starts_with("key_rotation: a key that"));
}

#[test]
fn every_secret_has_a_setting_for_its_file() {
    for key in keys::KEYS.iter().filter(|key| key.is_secret()) {
        assert!(keys::find(&own_files::name_of(key)).is_some(), "{}", key.name);
    }
}
