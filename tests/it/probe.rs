//! The public probe judges this house as it judges any other server, and can find fault.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatehouse_probe::course::{self, Settings};
use gatehouse_probe::person::{Person as Visitor, Purpose};
use gatehouse_probe::properties::Verdict::{self, Fails, Holds, NotShown};
use gatehouse_probe::report::Report;
use reqwest::Url;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::support::answer::query;
use crate::support::browser::form;
use crate::support::{Backend, Person, World, free_port, on_both};

fn settings(address: &str) -> Settings {
    Settings {
        address: address.parse().expect("an address is a URL"),
        callers: 8,
        scope: None,
        client_name: "probe".to_owned(),
        timeout: Duration::from_mins(1),
        revocation_bound: Duration::from_secs(5),
    }
}

/// Alice walks through consent and provider, and back to the probe.
struct Alice<'a>(&'a World);

impl Visitor for Alice<'_> {
    async fn sign_in(&self, address: &Url, _purpose: Purpose) -> Result<(), String> {
        let Self(world) = self;
        let mut browser = world.browser();
        let page = browser.get(address.as_str()).await.expect(200).body;
        let consent = form(&page);
        let mut fields: Vec<(&str, &str)> =
            consent.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("decision", "approve"));
        let provider = browser.post(&world.at(&consent.action), &fields).await.location();
        let callback = world.auth0.log_in(&provider, &Person::named("alice"));
        let back = browser.get(&callback).await.location();
        browser.get(&back).await.expect(200);
        Ok(())
    }
}

async fn report(address: &str, visitor: &impl Visitor) -> Report {
    course::run(&settings(address), visitor).await.unwrap_or_else(|error| panic!("{error}"))
}

fn verdicts(report: &Report) -> [Verdict; 5] {
    report.findings.each_ref().map(|finding| finding.verdict)
}

on_both! {
    async fn the_probe_sees_all_five_properties(backend: Backend) {
        let world = World::start(backend).await;
        let report = report(&world.at("/mcp"), &Alice(&world)).await;
        assert_eq!(verdicts(&report), [Holds; 5], "{report}");
        assert_eq!(report.resource, Some(world.at("/mcp")));
        assert!(report.findings[1].evidence.contains("8 × 200, 1 successor"), "{report}");
        assert!(report.findings[3].evidence.contains("access token was refused"), "{report}");
    }

    async fn the_probe_sees_what_a_strict_house_costs(backend: Backend) {
        let world = World::with(backend, &[("refresh_grace", "0s")]).await;
        let report = report(&world.url, &Alice(&world)).await;
        assert_eq!(verdicts(&report), [Holds, Fails, Fails, Holds, Holds], "{report}");
        assert!(report.findings[1].evidence.contains("one winner, then a dead"), "{report}");
        assert!(report.findings[2].evidence.contains("the session ended with it"), "{report}");
        assert!(report.findings[3].evidence.contains("access token was refused"), "{report}");
    }
}

/// A token endpoint that gives whoever asks new tokens, and remembers nothing.
struct Forgetful(AtomicUsize);

impl Respond for Forgetful {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let refresh_token = format!("refresh-{number}");
        ResponseTemplate::new(200)
            .set_body_json(json!({"access_token": "access", "refresh_token": refresh_token}))
    }
}

/// A token endpoint that takes any reuse for theft, and then ends everything it ever gave.
#[derive(Default)]
struct Jumpy(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    used_codes: HashSet<String>,
    live: HashSet<String>,
    issued: usize,
}

impl Respond for Jumpy {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let form: HashMap<String, String> =
            url::form_urlencoded::parse(&request.body).into_owned().collect();
        let mut kept = self.0.lock().unwrap();
        let is_good = match form.get("refresh_token") {
            Some(presented) => kept.live.remove(presented),
            None => kept.used_codes.insert(form["code"].clone()),
        };
        if !is_good {
            kept.live.clear();
            return ResponseTemplate::new(400).set_body_json(json!({"error": "invalid_grant"}));
        }
        kept.issued += 1;
        let refresh_token = format!("refresh-{}", kept.issued);
        kept.live.insert(refresh_token.clone());
        ResponseTemplate::new(200)
            .set_body_json(json!({"access_token": "access", "refresh_token": refresh_token}))
    }
}

/// A server that knows these endpoints.
async fn server(registers: bool) -> MockServer {
    let server = MockServer::start().await;
    let issuer = server.uri();
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
    });
    if registers {
        metadata["registration_endpoint"] = format!("{issuer}/register").into();
    }
    for (verb, place, answer) in [
        (
            "GET",
            "/.well-known/oauth-authorization-server",
            ResponseTemplate::new(200).set_body_json(metadata),
        ),
        (
            "POST",
            "/register",
            ResponseTemplate::new(201).set_body_json(json!({"client_id": "probe"})),
        ),
    ] {
        Mock::given(method(verb)).and(path(place)).respond_with(answer).mount(&server).await;
    }
    server
}

/// Comes back with a code at once.
#[derive(Default)]
struct Hasty {
    sign_ins: AtomicUsize,
}

impl Visitor for Hasty {
    async fn sign_in(&self, address: &Url, _purpose: Purpose) -> Result<(), String> {
        let parameter = |name| query(address.as_str(), name).expect("it is sent");
        let number = self.sign_ins.fetch_add(1, Ordering::Relaxed);
        let mut back = Url::parse(&parameter("redirect_uri")).expect("it is a URL");
        back.query_pairs_mut()
            .append_pair("code", &format!("code-{number}"))
            .append_pair("state", &parameter("state"));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
        http.get(back).send().await.map_err(|error| error.to_string())?;
        Ok(())
    }
}

/// A server with this token endpoint.
async fn server_with(token_endpoint: impl Respond + 'static) -> MockServer {
    let server = server(true).await;
    let tokens = Mock::given(method("POST")).and(path("/token"));
    tokens.respond_with(token_endpoint).mount(&server).await;
    server
}

#[tokio::test]
async fn the_probe_sees_a_server_that_remembers_nothing() {
    let server = server_with(Forgetful(AtomicUsize::new(0))).await;
    let report = report(&server.uri(), &Hasty::default()).await;
    assert_eq!(verdicts(&report), [Fails, Fails, Fails, Fails, NotShown], "{report}");
    assert!(report.findings[0].evidence.contains("8 × 200, 8 successors"), "{report}");
}

#[tokio::test]
async fn the_probe_sees_a_theft_that_ends_too_much_and_asks_for_one_more_sign_in() {
    let server = server_with(Jumpy::default()).await;
    let visitor = Hasty::default();
    let report = report(&server.uri(), &visitor).await;
    assert_eq!(verdicts(&report), [Holds, Fails, Fails, Holds, Fails], "{report}");
    assert!(report.findings[3].evidence.contains("access tokens were not tried"), "{report}");
    assert_eq!(visitor.sign_ins.into_inner(), 4);
}

#[tokio::test]
async fn what_cannot_be_probed_is_said_plainly() {
    let nothing_there = MockServer::start().await;
    let no_registration = server(false).await;
    let access_alone = json!({"access_token": "access", "token_type": "Bearer"});
    let access_alone = ResponseTemplate::new(200).set_body_json(access_alone);
    let no_refresh_token = server_with(access_alone).await;
    let a_site = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(200).set_body_string("<!doctype html>"))
        .mount(&a_site)
        .await;
    for (address, complaint) in [
        (nothing_there.uri(), "no metadata"),
        (no_registration.uri(), "no registration_endpoint"),
        (no_refresh_token.uri(), "no refresh token was issued"),
        (a_site.uri(), "not the JSON it should be"),
        (format!("http://127.0.0.1:{}", free_port()), "no connection"),
    ] {
        let error = course::run(&settings(&address), &Hasty::default()).await.expect_err(complaint);
        assert!(error.to_string().contains(complaint), "{error}");
    }
}
