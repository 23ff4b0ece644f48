//! What must never be found: tokens, codes, states, verifiers and addresses in the database or the
//! log (RT-07, TV-11, BP-12, UP-14).

use serde_json::json;

use crate::support::answer::query;
use crate::support::browser::form;
use crate::support::database::db_dump;
use crate::support::oauth_client::VERIFIER;
use crate::support::signed_in::{is_signed_in, login_url};
use crate::support::{Backend, Person, Process, Tokens, World, on_both};

/// Everything secret that one run of everything used, by name.
pub async fn run_of_everything(world: &World) -> Vec<(&'static str, String)> {
    let client = world.client("editor").await;
    let mut browser = world.browser();
    let changes =
        [("state", "client-state-that-is-secret"), ("scope", "docs:read docs:feedback email")];
    let location = client.approve(&mut browser, &changes).await;
    let callback = world.auth0.log_in(&location, &Person::named("alice"));
    let end = browser.get(&callback).await.location();
    let code = query(&end, "code").unwrap();
    let first = Tokens::of(&client.exchange(&code).await);
    let second = Tokens::of(&client.refresh(first.refresh_token()).await);
    let mcp = world.mcp(&second.access_token);
    mcp.tool("search_docs", json!({"query": "very private question"})).await.expect(200);
    let feedback = json!({"feedback": "my private words", "category": "bug"});
    mcp.tool("submit_documentation_feedback", feedback).await.expect(200);
    mcp.tool("whoami", json!({})).await.expect(200);
    client.refresh("ghr_guessed-by-somebody").await.expect(400);
    client.exchange(&code).await.expect(400);
    world.mcp(&format!("{}x", second.access_token)).ping().await.expect(401);
    // The same person, with their browser.
    let account = format!("{}/account", world.url);
    let asked = browser.get(&login_url(world, &account)).await.location();
    browser.get(&world.auth0.log_in(&asked, &Person::named("alice"))).await.expect(303);
    let session_cookie = browser.cookie("gatehouse_session").unwrap();
    assert!(is_signed_in(world, &mut browser).await);
    let page = browser.get(&account).await.expect(200).body;
    let form_token = form(&page).fields[0].1.clone();
    client.revoke(second.refresh_token()).await.expect(200);
    let parameter = |name: &str| query(&location, name).unwrap();
    vec![
        ("upstream state", parameter("state")),
        ("upstream nonce", parameter("nonce")),
        ("upstream code", query(&callback, "code").unwrap()),
        ("upstream access token", "upstream-access-token".into()),
        ("code", code),
        ("state of the browser login", query(&asked, "state").unwrap()),
        ("nonce of the browser login", query(&asked, "nonce").unwrap()),
        ("session cookie", session_cookie),
        ("form token", form_token),
        ("verifier", VERIFIER.into()),
        ("client state", "client-state-that-is-secret".into()),
        ("first refresh token", first.refresh_token().into()),
        ("second refresh token", second.refresh_token().into()),
        ("guessed token", "guessed-by-somebody".into()),
        ("signature of the first access token", signature(&first.access_token)),
        ("signature of the second access token", signature(&second.access_token)),
        ("address", "alice@example.com".into()),
        ("feedback", "my private words".into()),
        ("server secret", crate::support::world::SERVER_SECRET.into()),
        ("question", "very private question".into()),
    ]
}

fn signature(token: &str) -> String {
    token.rsplit('.').next().unwrap().to_owned()
}

pub fn found(haystack: &[u8], needle: &str) -> bool {
    holds(haystack, needle.as_bytes())
}

pub fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    // Databases show bytes in hexadecimal.
    let hexadecimal = needle.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    [needle, hexadecimal.as_bytes()]
        .iter()
        .any(|needle| haystack.windows(needle.len()).any(|window| window == *needle))
}

on_both! {
    async fn the_database_holds_hashes_and_ciphertext_only(backend: Backend) {
        let world = World::start(backend).await;
        let secrets = run_of_everything(&world).await;
        world.write_attempts().await;
        let dump = db_dump(&world.database_url).await;
        // The search itself works: what stands in clear is found.
        assert!(found(&dump, "auth0|alice") && found(&dump, "token_issued"));
        for (name, secret) in secrets {
            assert!(!found(&dump, &secret), "the {name} is in the database");
        }
        assert!(!found(&dump, "BEGIN PRIVATE KEY"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_at_its_loudest_holds_none_of_it() {
    // The house in process lends its provider and its database to a real process, whose log it is.
    let mut world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&world, folder.path(), "loud", &[("LOG", "trace")]).await;
    world.url.clone_from(&process.url);
    world.local.clone_from(&process.url);
    world.auth0.in_real_time();
    let secrets = run_of_everything(&world).await;
    let written = process.written();
    // The search itself works: what may be there is found.
    assert!(found(written.as_bytes(), "signed_in") && found(written.as_bytes(), "Replayed"));
    for (name, secret) in secrets {
        assert!(!found(written.as_bytes(), &secret), "the {name} is in the log");
    }
}
