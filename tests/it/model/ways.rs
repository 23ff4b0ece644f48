//! One operation each, by the front door, from the request to what its answer means.
//!
//! An answer that no operation may give becomes [`Found::Odd`], so that it fails the model with a
//! story instead of a panic without one.

use std::sync::Arc;

use super::words::{Decision, Proof, Seen};
use crate::support::answer::query;
use crate::support::browser::form;
use crate::support::{Answer, Browser, McpClient, OAuthClient, Person, Tokens, World};

/// What an operation brought, in the clear.
pub enum Found {
    /// The browser that was asked, and the page.
    Page(Browser, String),
    /// The browser that was sent away, and where the provider sends it to.
    AtProvider(Browser, String),
    Code(String),
    Tokens(Tokens),
    Client(OAuthClient),
    Plain(Seen),
    /// No answer, or 503: a fault was in the way, if there was one.
    Failed(String),
    Odd(String),
}

/// A consent page with its answer.
pub struct Answered {
    pub browser: Browser,
    pub page: String,
    pub decision: Decision,
    /// Of the replica that gets the form.
    pub address: String,
}

fn odd(answer: &Answer) -> Found {
    let said = format!("{} {}", answer.status, answer.body);
    if matches!(answer.status, 0 | 503) { Found::Failed(said) } else { Found::Odd(said) }
}

pub async fn register(client: OAuthClient, name: String) -> Found {
    let answer = client.register_again(&name).await;
    match answer.status {
        201 => Found::Client(client.registered(&answer)),
        _ => odd(&answer),
    }
}

pub async fn sign_in(world: Arc<World>, client: OAuthClient, person: Person) -> Found {
    let address = client.url.clone();
    let (browser, page) = match open(world.browser(), client).await {
        Found::Page(browser, page) => (browser, page),
        other => return other,
    };
    let form = Answered { browser, page, decision: Decision::Approve, address: address.clone() };
    match decide(Arc::clone(&world), form, person).await {
        Found::AtProvider(browser, url) => {
            call_back(browser, url.replacen(&world.url, &address, 1)).await
        }
        other => other,
    }
}

pub async fn open(mut browser: Browser, client: OAuthClient) -> Found {
    let answer = browser.get(&client.authorize_url(&[])).await;
    match answer.status {
        200 => Found::Page(browser, answer.body),
        _ => odd(&answer),
    }
}

pub async fn decide(world: Arc<World>, answered: Answered, person: Person) -> Found {
    let Answered { mut browser, page, decision, address } = answered;
    let form = form(&page);
    let mut fields = form.fields;
    let button = if decision == Decision::Approve { "approve" } else { "deny" };
    fields.push(("decision".to_owned(), button.to_owned()));
    // A browser knows one address; which replica stands behind it is not its business.
    let request = world.http.post(format!("{address}{}", form.action)).form(&fields);
    let answer = browser.send(request.header("origin", world.url.clone())).await;
    match answer.status {
        303 => {
            let callback = world.auth0.log_in(&answer.location(), &person);
            Found::AtProvider(browser, callback)
        }
        200 => Found::Plain(Seen::Denied),
        400 => Found::Plain(Seen::Refused),
        _ => odd(&answer),
    }
}

pub async fn call_back(mut browser: Browser, url: String) -> Found {
    let answer = browser.get(&url).await;
    if answer.status == 400 {
        return Found::Plain(Seen::Refused);
    }
    let code = answer.header("location").and_then(|location| query(location, "code"));
    code.map_or_else(|| odd(&answer), Found::Code)
}

pub async fn exchange(client: OAuthClient, code: String, proof: Proof) -> Found {
    let wrong = "w".repeat(43);
    let changes = [("code_verifier", wrong.as_str())];
    let is_wrong = proof == Proof::WrongVerifier;
    tokens(&client.exchange_with(&code, if is_wrong { &changes } else { &[] }).await)
}

pub async fn refresh(client: OAuthClient, refresh_token: String) -> Found {
    tokens(&client.refresh(&refresh_token).await)
}

fn tokens(answer: &Answer) -> Found {
    match answer.status {
        200 => Found::Tokens(Tokens::of(answer)),
        400 if answer.error() == "invalid_grant" => Found::Plain(Seen::Refused),
        _ => odd(answer),
    }
}

pub async fn revoke(client: OAuthClient, token: String) -> Found {
    let answer = client.revoke(&token).await;
    match answer.status {
        200 => Found::Plain(Seen::Revoked),
        _ => odd(&answer),
    }
}

pub async fn call(mcp: McpClient) -> Found {
    let answer = mcp.ping().await;
    match answer.status {
        200 => Found::Plain(Seen::Admitted),
        401 => Found::Plain(Seen::TurnedAway),
        _ => odd(&answer),
    }
}
