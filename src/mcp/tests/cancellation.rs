//! Who hangs up is not worked for: ST-34, SB-26. `notifications/cancelled` has nothing to end here
//! (each request is answered on its own connection, by whichever replica has it) and is accepted
//! without a word: see [`super::envelopes`].

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::Notify;

use super::world::{Call, World};
use crate::mcp::caller::Caller;
use crate::mcp::feedback::{Feedback, FeedbackBox, Lookup, Submission};

const SOON: Duration = Duration::from_secs(10);

/// A letter box that never comes to an end, and says when it begins and when it is left.
#[derive(Default)]
struct Endless {
    begun: Notify,
    left: Notify,
}

struct Leaves<'a>(&'a Notify);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Endless {
    async fn wait<T>(&self) -> T {
        let _leaves = Leaves(&self.left);
        self.begun.notify_one();
        pending().await
    }
}

impl FeedbackBox for Endless {
    fn submit<'a>(&'a self, _: &'a Caller, _: Feedback) -> Submission<'a> {
        Box::pin(self.wait())
    }

    fn status<'a>(&'a self, _: &'a Caller, _: &'a str) -> Lookup<'a> {
        Box::pin(self.wait())
    }
}

/// Hangs up in the middle of a call, and waits until nobody works for it.
async fn hang_up(call: Call) {
    let endless = Arc::new(Endless::default());
    let world = World::with_box(Arc::clone(&endless) as _);
    let begun = tokio::time::timeout(SOON, endless.begun.notified());
    tokio::select! {
        answer = world.send(call) => panic!("answered: {}", answer.json),
        begun = begun => begun.expect("the tool is called"),
    }
    tokio::time::timeout(SOON, endless.left.notified()).await.expect("the work ends");
}

fn calls() -> [(&'static str, Value); 2] {
    [
        ("submit_documentation_feedback", json!({ "feedback": "Nice.", "category": "other" })),
        ("feedback_status", json!({ "receipt": "fb_1" })),
    ]
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_the_work_st_34() {
    for (name, arguments) in calls() {
        let params = json!({ "name": name, "arguments": arguments });
        hang_up(Call::modern("tools/call", params.clone())).await;
        hang_up(Call::legacy("tools/call", params)).await;
    }
}
