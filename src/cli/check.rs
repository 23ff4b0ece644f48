//! `gatehouse check`: reads the settings, contacts what they name, and says what is wrong and how
//! to mend it.

use std::sync::Arc;

use crate::attribution::post::{Failure, Post};
use crate::cli::check_remotes::remotes;
use crate::cli::check_sinks::sinks;
use crate::cli::check_traces::traces;
use crate::cli::enforcement::offered;
use crate::cli::house::{open_library, open_reference};
use crate::cli::preconditions::{administrators, check_custom_schemes, check_secret, rules};
use crate::cli::serve::open_store;
use crate::cli::{CommandError, block_on, logging, say};
use crate::clock::SystemClock;
use crate::config::layers::Given;
use crate::config::{Config, UpstreamConfig};
use crate::flow::chain;
use crate::flow::enforcement::reading::policy_of;
use crate::flow::logout::LOGOUT_PATH;
use crate::keys::SigningKey;
use crate::metrics::provider::ProviderMetrics;
use crate::store::schema;
use crate::upstream::outbound::Outbound;
use crate::upstream::{Registration, Upstream};

/// Runs every check; fails when one does.
pub fn run(given: &Given) -> Result<(), CommandError> {
    let config = Config::load(given)?;
    say(format!("ok    settings: this server is {}", config.public_url));
    for name in &config.exposed_files {
        say(format!("note  everybody on this machine may read the file of {name}"));
    }
    let failures = block_on(async {
        let checks = [
            log(&config),
            custom_scheme_redirects(&config),
            enforcement(&config),
            organizations(&config),
            signing_key(&config),
            database(&config).await,
            provider(&config).await,
            documentation(&config),
            feedback(&config).await,
            api_reference(&config),
            remotes(&config).await,
            sinks(&config).await,
            traces(&config).await,
        ];
        Ok(checks.into_iter().filter(|passed| !passed).count())
    })?;
    match failures {
        0 => Ok(()),
        1 => Err(CommandError::new("one check failed")),
        n => Err(CommandError::new(format!("{n} checks failed"))),
    }
}

fn failed(what: &str, advice: &str) -> bool {
    say(format!("FAIL  {what}"));
    say(format!("      {advice}"));
    false
}

fn log(config: &Config) -> bool {
    match logging::filter(config) {
        Ok(_) => true,
        Err(error) => failed(&error.0, "Try info, debug, or info,gatehouse::flow=debug."),
    }
}

fn custom_scheme_redirects(config: &Config) -> bool {
    match check_custom_schemes(config) {
        Ok(()) => true,
        Err(error) => failed(&error.to_string(), "Leave out what needs no listing."),
    }
}

fn enforcement(config: &Config) -> bool {
    match policy_of(config, &offered(config)) {
        Ok(policy) if policy.is_empty() => true,
        Ok(policy) => {
            say(format!("ok    enforcement: must sign in: {policy}"));
            true
        }
        Err(error) => failed(
            &format!("{}: {error}", error.setting()),
            "See what comes without a token with `gatehouse enforcement report`.",
        ),
    }
}

fn organizations(config: &Config) -> bool {
    let rules = match rules(config) {
        Ok(rules) => rules,
        Err(error) => {
            let advice = "Each domain leads to the one that stands last.";
            return failed(&error.to_string(), advice);
        }
    };
    match administrators(config, &rules) {
        Ok(_) => true,
        Err(error) => {
            failed(&error.to_string(), "Name addresses, @domains or organizations' keys.")
        }
    }
}

fn signing_key(config: &Config) -> bool {
    let Some(text) = &config.signing_key else { return true };
    match SigningKey::from_text(config.signing_alg, text) {
        Ok(key) => {
            say(format!("ok    signing_key: {} {}", config.signing_alg.name(), key.kid()));
            true
        }
        Err(error) => failed(
            &format!("signing_key: {error}"),
            "It must be a PKCS#8 PEM or a private JWK of the kind signing_alg names.",
        ),
    }
}

async fn database(config: &Config) -> bool {
    let store = match open_store(&config.database_url).await {
        Ok(store) => store,
        Err(error) => {
            let advice = "Is the server running, and are address, user and password right?";
            return failed(&error.0, advice);
        }
    };
    match schema::status(&store).await {
        Ok(migrations) if migrations.iter().all(|(_, applied)| *applied) => {
            match check_secret(&store, config).await {
                Ok(()) => {
                    say("ok    database: reached, migrated, and opened by this secret");
                    true
                }
                Err(error) => failed(&error.to_string(), "Every replica needs the same secret."),
            }
        }
        Ok(migrations) => {
            let pending = migrations.iter().filter(|(_, applied)| !applied).count();
            say(format!("ok    database: reached; {pending} migrations are pending"));
            true
        }
        Err(error) => failed(
            &format!("database: {}", chain(&error)),
            "The user must be allowed to create tables in this database.",
        ),
    }
}

async fn provider(config: &Config) -> bool {
    let callback = config.url("/mcp/callback");
    let logged_out = config.page_url(LOGOUT_PATH);
    let provider = match &config.upstream {
        UpstreamConfig::Dev => {
            say("ok    identity provider: the built-in one, for development");
            return true;
        }
        UpstreamConfig::None => {
            return failed(
                "identity provider: none is configured, so sign-in answers 503",
                "Set upstream_issuer and upstream_client_id, or try --dev.",
            );
        }
        UpstreamConfig::Provider(provider) => provider,
    };
    let Ok(outbound) = Outbound::to(&provider.issuer, ProviderMetrics::default()) else {
        return failed("identity provider: no HTTP client", "Are CA certificates installed?");
    };
    let registration = Registration {
        issuer: provider.issuer.clone(),
        client_id: provider.client_id.clone(),
        client_secret: None,
        scope: config.upstream_scope.clone(),
        extra: Vec::new(),
        redirect_uri: callback.clone(),
        post_logout_redirect_uri: logged_out.clone(),
    };
    let upstream = Upstream::new(registration, outbound, Arc::new(SystemClock));
    match upstream.discover().await {
        Ok(endpoints) => {
            say(format!("ok    identity provider: {} answers", provider.issuer));
            say(format!("note  it must allow the callback {callback}"));
            if upstream.logout_url(&endpoints, None).is_some() {
                say(format!("note  and, after a logout, the return to {logged_out}"));
            }
            true
        }
        Err(error) => failed(
            &format!("identity provider: {}", chain(&error)),
            "upstream_issuer must be exactly what its discovery document says, slash included.",
        ),
    }
}

async fn feedback(config: &Config) -> bool {
    let Some(feedback) = &config.feedback else { return true };
    let host = feedback.host();
    let looked = match Post::to(&feedback.url) {
        Ok(post) => post.look(&feedback.url).await,
        Err(error) => {
            return failed(&format!("feedback: {error}"), "Are CA certificates installed?");
        }
    };
    match looked {
        Ok(()) => {
            say(format!("ok    feedback: {host} answers"));
            true
        }
        Err(Failure::Status(status)) => failed(
            &format!(
                "feedback: {host} redirects ({status}), and a message would be lost on the way"
            ),
            "Name the address that it leads to, exactly.",
        ),
        Err(failure) => failed(
            &format!("feedback: {host} does not answer ({failure})"),
            "Is the url in [feedback] right, and may this machine reach it?",
        ),
    }
}

fn documentation(config: &Config) -> bool {
    match open_library(config) {
        Ok(library) if library.page_count() == 0 => failed(
            "docs_path: there is not one page in it",
            "Pages are .md, .adoc and .html files; with Antora, those under modules/*/pages.",
        ),
        Ok(library) => {
            say(format!("ok    documentation: {} pages", library.page_count()));
            true
        }
        Err(error) => failed(
            &format!("docs_path: {}", chain(&error)),
            "It must name folders of Markdown, AsciiDoc or HTML.",
        ),
    }
}

fn api_reference(config: &Config) -> bool {
    match open_reference(config) {
        Ok(reference) => {
            let (names, pages) = (reference.api_names().join(", "), reference.page_count());
            say(format!("ok    API reference: {pages} pages of {names}"));
            true
        }
        Err(error) => failed(
            &format!("api_specs: {}", chain(&error)),
            "It must name OpenAPI 3.x documents as name=path, or folders with one for each API.",
        ),
    }
}
