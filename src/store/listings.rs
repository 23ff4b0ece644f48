//! Rows as whoever administers pages through them: by identifiers, which are in the order of their
//! making, so that what is added meanwhile neither moves nor repeats a row. One statement a page.

use sea_orm::{FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::store::{Db, StoreError};

pub mod activity;
pub mod attempts;
pub mod audit;
pub mod clients;
pub mod deliveries;
pub mod feedback;
pub mod grants;
pub mod organizations;

/// Which part of a list is read: the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Those made before this one.
    pub after: Option<Uuid>,
    /// The most rows.
    pub rows: u64,
}

/// Conditions of a query, and their values.
#[derive(Default)]
struct Conditions {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// Adds a value; how the text names it.
    fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds a condition.
    fn add(&mut self, text: String) {
        self.texts.push(text);
    }

    /// Adds `column = value`, when there is a value.
    fn equal(&mut self, column: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let place = self.value(value);
            self.add(format!("{column} = {place}"));
        }
    }

    /// The rows of `select`, in the order of `id`, the last one first.
    async fn rows<T: FromQueryResult>(
        mut self,
        db: &impl Db,
        select: &str,
        id: &str,
        window: Window,
    ) -> Result<Vec<T>, StoreError> {
        if let Some(after) = window.after {
            let place = self.value(after);
            self.add(format!("{id} < {place}"));
        }
        let limit = self.value(i64::try_from(window.rows).unwrap_or(i64::MAX));
        let conditions = match self.texts.as_slice() {
            [] => String::new(),
            texts => format!("WHERE {}", texts.join(" AND ")),
        };
        let sql = format!("{select} {conditions} ORDER BY {id} DESC LIMIT {limit}");
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, self.values);
        Ok(T::find_by_statement(statement).all(db).await?)
    }
}
