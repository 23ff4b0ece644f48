//! People and machines that the stories are told with. They use the front door; what touches rows
//! directly begins with `db_`.

pub mod admin;
pub mod answer;
pub mod auth0;
pub mod browser;
pub mod database;
pub mod mcp_client;
pub mod metrics;
pub mod oauth_client;
pub mod process;
pub mod publisher;
pub mod receiver;
pub mod relay;
pub mod signed_in;
pub mod sinks;
pub mod site;
pub mod supplier;
pub mod world;

pub use answer::Answer;
pub use auth0::{Auth0, Person};
pub use browser::Browser;
pub use database::Backend;
pub use mcp_client::McpClient;
pub use oauth_client::{OAuthClient, Tokens};
pub use process::Process;
pub use publisher::Publisher;
pub use receiver::Receiver;
pub use relay::Relay;
pub use supplier::Supplier;
pub use world::World;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_mins(1);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

/// Tells each story on both databases: `on_both! { async fn a_sentence(backend: Backend) { … } }`.
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($backend:ident: $Backend:ty) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn story($backend: $Backend) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                story(crate::support::Backend::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                story(crate::support::Backend::Postgres).await;
            }
        }
    )+};
}
pub(crate) use on_both;

/// The beginning of every story, in seconds; ID tokens of the double are valid long after it.
pub fn world_seconds() -> i64 {
    1_800_000_000
}

/// A file or folder of the repository, whichever crate of it tells the story.
pub fn in_repository(path: &str) -> PathBuf {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = folders.find(|folder| folder.join("Cargo.lock").is_file());
    root.expect("the lock file lies at the root").join(path)
}

/// A port that nobody listens on. It lies below the range that outgoing connections are given, so
/// that none of them sits there while a story stops its server and starts it again.
pub fn free_port() -> u16 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = COUNTER.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + (std::process::id().wrapping_mul(31).wrapping_add(step)) % 12_000;
        let port = u16::try_from(port).expect("it is below 32,000");
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
