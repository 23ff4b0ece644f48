//! What stories about sinks have in common.

use gatehouse::attribution::erasure::{self, Condition};
use gatehouse::clock::Clock as _;
use gatehouse::domain::audit::Actor;
use gatehouse::id::UserId;
use gatehouse::store::{Store, people};
use serde_json::Value;
use wiremock::Request;

use super::World;

/// The environment of a house with sinks: one secret, and two while they are changed.
pub const SECRETS: [(&str, &str); 2] = [
    ("CRM_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("SINK_SECRET", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"),
];

/// A sink for the file; `more` are further lines.
pub fn sink(name: &str, url: &str, events: &str, fields: &str, more: &str) -> String {
    format!(
        "[[sink]]\nname = \"{name}\"\nurl = \"{url}\"\nsecret_env = \"SINK_SECRET\"\n\
         events = [{events}]\nfields = [{fields}]\npurpose = \"to see what helps\"\n{more}\n"
    )
}

/// The body of a letter.
pub fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("it is JSON")
}

/// Everybody there is.
pub async fn people(world: &World) -> Vec<UserId> {
    let store = Store::connect(&world.database_url).await.expect("it answers");
    let everybody = people::Selection { email_hashes: None, organizations: None, after: None };
    let found = people::list(store.read(), &everybody, 1000).await.expect("it answers");
    store.close().await;
    found.into_iter().map(|person| person.attribution.user).collect()
}

/// Erases everybody there is.
pub async fn erased(world: &World) {
    let house = world.house_with(&[]).await.expect("it can be built");
    let gatehouse = &house.gatehouse;
    for user_id in people(world).await {
        let (store, sinks, now) = (&gatehouse.store, &gatehouse.sinks, world.clock.now());
        let erased =
            erasure::erase(store, sinks, user_id, Condition::AskedBy(Actor::Command), now).await;
        assert!(erased.expect("it answers").is_some());
    }
    gatehouse.store.close().await;
}
