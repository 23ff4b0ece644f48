//! What an operation costs, where the speed of the machine does not matter: the round trips to
//! Postgres that its caller waits for. docs/performance.md has the table.

use serde_json::json;

use crate::support::answer::query;
use crate::support::database::postgres_to_relay;
use crate::support::{Backend, Person, Relay, Tokens, World};

/// How often each operation is done. The first ones open connections and prepare statements, and
/// what is written behind one may fall into the next.
const TRIES: usize = 12;

/// The fewest round trips that any of several operations took.
#[derive(Debug)]
struct Fewest(usize);

impl Fewest {
    const fn unknown() -> Self {
        Self(usize::MAX)
    }

    /// Counts those of one more.
    async fn count<T>(&mut self, relay: &Relay, operation: impl Future<Output = T>) -> T {
        let before = relay.messages();
        let answer = operation.await;
        self.0 = self.0.min(relay.messages() - before);
        answer
    }
}

/// A house on Postgres and what counts between the two; `None` where a relay cannot stand.
async fn behind_a_relay() -> Option<(Relay, World)> {
    let relay = Relay::to(vec![postgres_to_relay()?]).await;
    let settings = [("limit_register", "1000/1h"), ("limit_token", "1000/1m")];
    let world = World::behind(Backend::Postgres, Some(&relay), &settings).await;
    Some((relay, world))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_takes_so_many_round_trips() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let [mut register, mut authorize, mut consent, mut callback, mut exchange] =
        [const { Fewest::unknown() }; 5];
    for number in 0..TRIES {
        let name = format!("editor {number}");
        let client = register.count(&relay, world.client(&name)).await;
        let mut browser = world.browser();
        let url = client.authorize_url(&[]);
        let page = authorize.count(&relay, browser.get(&url)).await.expect(200);
        let deciding = client.decide(&mut browser, &page.body, "approve");
        let provider = consent.count(&relay, deciding).await.location();
        let person = Person::named(&format!("person{number}"));
        let back = world.auth0.log_in(&provider, &person);
        let end = callback.count(&relay, browser.get(&back)).await.location();
        let code = query(&end, "code").expect("a code");
        Tokens::of(&exchange.count(&relay, client.exchange(&code)).await);
    }
    let found = [register, authorize, consent, callback, exchange].map(|fewest| fewest.0);
    assert_eq!(
        found,
        [5, 1, 5, 14, 1],
        "registration, authorize, consent, callback, code exchange"
    );
}

/// The pool asks a connection that comes back whether it is alive. We ask too where somebody left
/// it before its answer came, and only there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_comes_back_is_asked_once() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let mut tokens = client.signed_in(&world, "alice").await;
    let mut fewest = usize::MAX;
    for _ in 0..TRIES {
        world.database_at_rest().await;
        let before = relay.pings();
        tokens = Tokens::of(&client.refresh(tokens.refresh_token()).await);
        world.database_at_rest().await;
        fewest = fewest.min(relay.pings() - before);
    }
    assert_eq!(fewest, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_take_so_many_round_trips() {
    let Some((relay, world)) = behind_a_relay().await else { return };
    let client = world.client("editor").await;
    let mut tokens = client.signed_in(&world, "alice").await;
    let [mut refresh, mut first, mut second, mut revoke] = [const { Fewest::unknown() }; 4];
    for number in 0..TRIES {
        let refreshing = client.refresh(tokens.refresh_token());
        tokens = Tokens::of(&refresh.count(&relay, refreshing).await);
        let mcp = world.mcp(&tokens.access_token);
        for fewest in [&mut first, &mut second] {
            fewest.count(&relay, mcp.call("tools/list", json!({}))).await.expect(200);
        }
        let other = client.signed_in(&world, &format!("person{number}")).await;
        revoke.count(&relay, client.revoke(other.refresh_token())).await.expect(200);
    }
    let found = [refresh, first, second, revoke].map(|fewest| fewest.0);
    assert_eq!(found, [1, 0, 0, 6], "refresh, /mcp with a new token, with one it knows, revoke");
}
