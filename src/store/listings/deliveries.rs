//! What is on its way to receivers outside, and who they are.

use sea_orm::{FromQueryResult, Statement};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::UserId;
use crate::store::listings::{Conditions, Window};
use crate::store::{Db, StoreError, stored_time};

/// How far something has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// On its way.
    Waiting,
    /// There.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Waiting => "next_attempt_at IS NOT NULL",
            Self::Delivered => "delivered_at IS NOT NULL",
            Self::Failed => "failed_at IS NOT NULL",
        }
    }
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliverySelection {
    /// To this one.
    pub destination: Option<String>,
    /// Those that have come so far.
    pub state: Option<DeliveryState>,
}

/// Something on its way.
#[derive(Clone, Debug)]
pub struct ListedDelivery {
    /// Its row.
    pub id: Uuid,
    /// Whom it goes to.
    pub destination: String,
    /// What sort of thing it tells.
    pub kind: String,
    /// Whom it is about.
    pub person: Option<UserId>,
    /// When it was queued first.
    pub created_at: Timestamp,
    /// How far it has come.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// What kind of failure the last one was.
    pub last_failure: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    destination: String,
    kind: String,
    user_id: Option<Uuid>,
    created_at: i64,
    attempts: i64,
    next_attempt_at: Option<i64>,
    delivered_at: Option<i64>,
    last_failure: Option<String>,
}

/// Deliveries, the newest first. What they tell is not read.
pub async fn list(
    db: &impl Db,
    selection: &DeliverySelection,
    window: Window,
) -> Result<Vec<ListedDelivery>, StoreError> {
    let mut conditions = Conditions::default();
    conditions.equal("destination", selection.destination.clone());
    if let Some(state) = selection.state {
        conditions.add(state.condition().to_owned());
    }
    let select = "SELECT id, destination, kind, user_id, created_at, attempts, next_attempt_at,
         delivered_at, last_failure FROM outbox";
    let rows: Vec<Row> = conditions.rows(db, select, "id", window).await?;
    let listed = |row: Row| ListedDelivery {
        id: row.id,
        destination: row.destination,
        kind: row.kind,
        person: row.user_id.map(UserId::from_uuid),
        created_at: Timestamp::from_millis(row.created_at),
        state: match (row.next_attempt_at, row.delivered_at) {
            (Some(_), _) => DeliveryState::Waiting,
            (None, Some(_)) => DeliveryState::Delivered,
            (None, None) => DeliveryState::Failed,
        },
        attempts: row.attempts,
        next_attempt_at: stored_time(row.next_attempt_at),
        last_failure: row.last_failure,
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// What waits for somebody.
#[derive(Clone, Debug, FromQueryResult)]
pub struct WaitingFor {
    /// Our name for them.
    pub destination: String,
    /// How many parcels.
    pub waiting: i64,
    /// When the longest waiting was queued, in milliseconds since the epoch.
    pub since: i64,
}

/// What is to be delivered, and nothing else of the table is read: this is asked all day.
pub async fn waiting(db: &impl Db) -> Result<Vec<WaitingFor>, StoreError> {
    let statement = Statement::from_string(
        db.get_database_backend(),
        "SELECT destination, count(*) AS waiting, min(queued_at) AS since
         FROM outbox WHERE next_attempt_at IS NOT NULL GROUP BY destination",
    );
    Ok(WaitingFor::find_by_statement(statement).all(db).await?)
}

/// Somebody who is handed things, by what the outbox says.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Destination {
    /// Our name for it.
    pub name: String,
    /// What waits.
    pub waiting: i64,
    /// What was delivered, as far as that is remembered.
    pub delivered: i64,
    /// What was given up.
    pub failed: i64,
    /// When the longest waiting was queued, in milliseconds since the epoch.
    pub waiting_since: Option<i64>,
    /// When something was last delivered, in milliseconds since the epoch.
    pub last_delivered_at: Option<i64>,
}

impl Destination {
    /// One that was never handed anything.
    pub const fn nothing_for(name: String) -> Self {
        let (waiting, delivered, failed) = (0, 0, 0);
        Self { name, waiting, delivered, failed, waiting_since: None, last_delivered_at: None }
    }
}

/// All of them, by name.
pub async fn destinations(db: &impl Db) -> Result<Vec<Destination>, StoreError> {
    let statement = Statement::from_string(
        db.get_database_backend(),
        "SELECT destination AS name, count(next_attempt_at) AS waiting,
             count(delivered_at) AS delivered, count(failed_at) AS failed,
             min(CASE WHEN next_attempt_at IS NOT NULL THEN queued_at END) AS waiting_since,
             max(delivered_at) AS last_delivered_at
         FROM outbox GROUP BY destination ORDER BY destination",
    );
    Ok(Destination::find_by_statement(statement).all(db).await?)
}
