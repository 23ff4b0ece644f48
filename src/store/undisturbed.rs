//! What is usually undisturbed, asked of Postgres in one statement: one round trip instead of a
//! transaction of many. A statement consumes something that is good once, and makes what follows
//! from it under an identifier that the caller chose, so that a run whose answer was lost can be
//! found by it.

use sea_orm::{DbBackend, FromQueryResult, Statement};

use crate::store::losses::Repeats;
use crate::store::measures::told;
use crate::store::transaction::{HEARD_BY_ANY_WITHIN, heard};
use crate::store::{Store, StoreError, asks_for_another_try};

/// Runs `statement` once, as far as can be seen. `None` when it changed nothing; the caller then
/// walks the long way, which tells why.
///
/// After a lost connection it runs again. Of two runs only one can change anything, and when the
/// second did not, `made` finds what the first one made, if it did; both answer with the same
/// columns.
pub(super) async fn run<R: FromQueryResult>(
    store: &Store,
    statement: Statement,
    made: Statement,
) -> Result<Option<R>, StoreError> {
    let mut repeats = Repeats::default();
    let mut is_repeated = false;
    loop {
        let row = R::find_by_statement(statement.clone()).one(&store.writer);
        let answer = heard(store.losses(), DbBackend::Postgres, HEARD_BY_ANY_WITHIN, row);
        match told(&statement, answer).await {
            // Whether it reached the database is not known.
            Err(error) if repeats.allow(store.losses(), &error) => is_repeated = true,
            // Under a stricter isolation than READ COMMITTED the losers of a race end here; the
            // long way tries again.
            Err(error) if !asks_for_another_try(&error) => return Err(error.into()),
            Ok(Some(row)) => return Ok(Some(row)),
            Ok(None) | Err(_) if is_repeated => {
                return Ok(R::find_by_statement(made).one(store.read()).await?);
            }
            Ok(None) | Err(_) => return Ok(None),
        }
    }
}
