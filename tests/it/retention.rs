//! What is not kept for ever: rows of the outbox, the ledger, people who do not come any more.

use gatehouse::attribution::erasure;
use gatehouse::clock::Clock as _;
use gatehouse::store::Store;
use gatehouse::store::retention::{self, Kept, Retired};
use wiremock::ResponseTemplate;

use crate::delivery::{alice, status, submit};
use crate::support::database::db_number;
use crate::support::process::run;
use crate::support::signed_in::signed_in;
use crate::support::sinks::{SECRETS, body, people, sink};
use crate::support::{Backend, DAY, HOUR, Receiver, SECOND, World, on_both};

const KEPT: Kept =
    Kept { disclosures: DAY.saturating_mul(10), outbox_delivered: DAY, outbox_failed: DAY };

async fn pass(world: &World) -> Retired {
    let store = Store::connect(&world.database_url).await.unwrap();
    let retired = retention::pass(&store, KEPT, "feedback", world.clock.now()).await.unwrap();
    store.close().await;
    retired
}

async fn inactive_erased(world: &World) -> u64 {
    let house = world.house_with(&[]).await.unwrap();
    let (gatehouse, now) = (&house.gatehouse, world.clock.now());
    let since = now.minus(30 * DAY);
    let erased = erasure::erase_inactive(&gatehouse.store, &gatehouse.sinks, since, now).await;
    gatehouse.store.close().await;
    erased.unwrap()
}

on_both! {
    async fn what_was_delivered_is_forgotten_and_its_sender_is_still_told_so(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = sink("one", &receiver.url(), "\"person.sign_in\"", "\"id\"", "");
        let settings = [("feedback", &*receiver.form())];
        let world = World::with_file(backend, &settings, &file, &SECRETS).await;
        let receipt = submit(&alice(&world).await, "words").await;
        world.deliver().await.unwrap();
        let rows = "SELECT count(*) FROM outbox";
        world.advance(DAY - SECOND);
        assert_eq!(pass(&world).await, Retired::default());
        assert_eq!(db_number(&world.database_url, rows).await, 2);
        world.advance(SECOND);
        assert_eq!(pass(&world).await, Retired { outbox: 2, disclosures: 0 });
        assert_eq!(status(&alice(&world).await, &receipt).await, "delivered");
        // The operator's commands know it as well: it is not told a second time.
        let folder = tempfile::tempdir().unwrap();
        let (_, said) = run(&world, folder.path(), "feedback list", &settings_of(&settings)).await;
        assert_eq!(said, "");
        let (_, said) =
            run(&world, folder.path(), "feedback deliver", &settings_of(&settings)).await;
        assert!(said.contains("0 queued that were only stored"), "{said}");
        world.advance(9 * DAY);
        assert_eq!(pass(&world).await.disclosures, 2);
    }

    async fn what_waits_in_vain_is_kept_longer_and_not_for_ever(backend: Backend) {
        let receiver = Receiver::start().await;
        let file = sink("one", &receiver.url(), "\"person.sign_in\"", "\"id\"", "");
        let mut world = World::with_file(backend, &[], &file, &SECRETS).await;
        receiver.says(ResponseTemplate::new(503));
        alice(&world).await;
        world.deliver().await.unwrap();
        world.advance(DAY - SECOND);
        assert_eq!(pass(&world).await.outbox, 0);
        world.restart(&[]).await;
        world.advance(SECOND);
        assert_eq!(pass(&world).await.outbox, 1);
    }

    async fn who_does_not_come_any_more_is_erased_and_who_does_is_not(backend: Backend) {
        let receiver = Receiver::start().await;
        let events = "\"person.sign_in\"";
        let file = sink("one", &receiver.url(), events, "\"email\"", "");
        let world = World::with_file(backend, &[("refresh_token_ttl", "90d")], &file, &SECRETS);
        let world = world.await;
        let client = world.client("editor").await;
        client.signed_in(&world, "gone").await;
        let mut mine = client.signed_in(&world, "renews").await;
        let mut browser = signed_in(&world, "browses").await;
        world.deliver().await.unwrap();
        for _ in 0..6 {
            world.advance(5 * DAY);
            mine = crate::support::Tokens::of(&client.refresh(mine.refresh_token()).await);
            browser.get(&world.at("/account")).await.expect(200);
        }
        assert_eq!(inactive_erased(&world).await, 1);
        assert_eq!(people(&world).await.len(), 2);
        world.advance(HOUR);
        world.deliver().await.unwrap();
        let last = body(receiver.received().await.last().unwrap());
        assert_eq!(last["data"]["email"], serde_json::json!(["gone@example.com"]));
        assert_eq!(inactive_erased(&world).await, 0);
    }
}

fn settings_of<'a>(settings: &[(&'a str, &'a str)]) -> Vec<(&'static str, &'a str)> {
    settings.iter().map(|(_, value)| ("FEEDBACK", *value)).collect()
}
