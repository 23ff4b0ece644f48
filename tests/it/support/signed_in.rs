//! People who are signed in with their browser.

use serde_json::Value;

use super::{Answer, Browser, Person, World};

/// A documentation site that is listed.
pub const SITE: &str = "https://docs.example.com";

/// The setting that lists it.
pub const WITH_SITE: [(&str, &str); 1] = [("site_origins", SITE)];

/// The address that begins a sign-in which leads to `return_to`.
pub fn login_url(world: &World, return_to: &str) -> String {
    let mut url = reqwest::Url::parse(&world.at("/login")).expect("a URL");
    url.query_pairs_mut().append_pair("return_to", return_to);
    url.into()
}

/// The whole way of a person through the browser; the answer of the callback.
pub async fn log_in(world: &World, browser: &mut Browser, who: &Person, return_to: &str) -> Answer {
    let provider = browser.get(&login_url(world, return_to)).await.location();
    browser.get(&world.auth0.log_in(&provider, who)).await
}

/// A browser in which somebody is signed in to their account.
pub async fn signed_in(world: &World, name: &str) -> Browser {
    let mut browser = world.browser();
    let account = format!("{}/account", world.url);
    let back = log_in(world, &mut browser, &Person::named(name), &account).await;
    assert_eq!(back.location(), account);
    browser
}

/// What `/session` says to this browser.
pub async fn session(world: &World, browser: &mut Browser) -> Value {
    browser.get(&world.at("/session")).await.expect(200).json()
}

/// Whether somebody is signed in with this browser.
pub async fn is_signed_in(world: &World, browser: &mut Browser) -> bool {
    session(world, browser).await["signed_in"].as_bool().expect("it says whether")
}
