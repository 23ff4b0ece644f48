//! `gatehouse keys list|rotate`: the signing keys, without their private halves; and the next one.

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::calendar::rfc3339;
use crate::cli::preconditions::check_secret;
use crate::cli::serve::open_migrated_store;
use crate::cli::table::{Form, Table};
use crate::cli::{CommandError, block_on};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::config::Config;
use crate::domain::key_rotation::{Asked, RETIRED_AFTER};
use crate::flow::key_rotation::{Rotation, rotate};
use crate::flow::{Fault, chain};
use crate::secret::SystemEntropy;
use crate::store::signing_keys::{self, StoredKey};
use crate::store::{Store, StoreError};

/// The arguments of the command.
pub fn with_actions(command: Command) -> Command {
    let action = Arg::new("action")
        .value_parser(["list", "rotate"])
        .default_value("list")
        .help("list prints the published keys, rotate publishes the next one, which signs later");
    let json = Arg::new("json").long("json").num_args(0).help("Print JSON");
    command.arg(action).arg(json)
}

/// Runs one of the actions.
pub fn run(config: Config, matches: &ArgMatches) -> Result<(), CommandError> {
    let form = if matches.get_flag("json") { Form::Json } else { Form::Columns };
    let action = matches.get_one::<String>("action").map_or("list", String::as_str);
    block_on(async {
        let store = open_migrated_store(&config.database_url).await?;
        let now = SystemClock.now();
        if action == "rotate" {
            publish_next(&store, &config).await?;
        }
        let keys = signing_keys::published(store.read()).await;
        let keys = keys.map_err(|error: StoreError| CommandError::new(chain(&error)))?;
        table(&keys, &config, now).print(form);
        Ok(())
    })
}

async fn publish_next(store: &Store, config: &Config) -> Result<(), CommandError> {
    if config.signing_key.is_some() {
        let message = "signing_key: it gives the key; put another one there";
        return Err(CommandError::new(message));
    }
    // Else the servers could not open the key that they are to sign with.
    check_secret(store, config).await.map_err(CommandError::new)?;
    let rotation = rotate(store, config, &SystemEntropy, Asked::ByHand, &SystemClock).await;
    match rotation.map_err(|fault: Fault| CommandError::new(chain(&fault)))? {
        Rotation::Published { .. } => Ok(()),
        Rotation::Pending(signs_from) => Err(CommandError::new(format!(
            "the next key is published already and signs from {}",
            rfc3339(signs_from)
        ))),
        Rotation::NotDue => Err(CommandError::new(
            "there is no key yet that signs by this signing_alg; `gatehouse serve` makes it",
        )),
    }
}

/// The published keys, the newest first. Those of another algorithm than `signing_alg` only verify.
fn table(keys: &[StoredKey], config: &Config, now: Timestamp) -> Table {
    let is_ours = |key: &StoredKey| {
        key.algorithm == config.signing_alg.name() && config.signing_key.is_none()
    };
    let signer = keys.iter().find(|key| is_ours(key) && key.signs_from <= now);
    let rows = keys.iter().map(|key| {
        let signer = signer.map(|signer| signer.signs_from);
        let (state, until) = match signer {
            Some(signer) if is_ours(key) && key.signs_from == signer => ("signs", None),
            _ if is_ours(key) && key.signs_from > now => ("published", None),
            Some(signer) if key.signs_from < signer => {
                ("verifies", Some(rfc3339(signer.plus(RETIRED_AFTER))))
            }
            _ => ("verifies", None),
        };
        let signs_from = rfc3339(key.signs_from);
        vec![json!(key.kid), json!(key.algorithm), json!(state), json!(signs_from), json!(until)]
    });
    Table {
        name: "keys",
        head: vec!["kid", "alg", "state", "signs_from", "published_until"],
        rows: rows.collect(),
        notes: Vec::new(),
    }
}
