//! Whatever a table holds of a person, for an export: which columns there are, and how each is
//! read, is for whoever asks to say.

use sea_orm::{QueryResult, Statement};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::id::UserId;
use crate::store::{Db, StoreError, stored_time};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// An identifier.
    Id,
    /// A text.
    Text,
    /// A count.
    Number,
    /// Yes or no.
    Flag,
    /// A point in time.
    Time,
    /// Bytes.
    Bytes,
}

/// What stands in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// An identifier.
    Id(Uuid),
    /// A text.
    Text(String),
    /// A count.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// A point in time.
    Time(Timestamp),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// Which rows of a table are a person's, and what is read of them.
#[derive(Clone, Copy, Debug)]
pub struct Extract<'a> {
    /// The table.
    pub table: &'static str,
    /// What holds of the person's rows; `$1` is the person.
    pub condition: &'static str,
    /// The columns, in order; the first orders the rows.
    pub columns: &'a [(&'static str, ColumnKind)],
}

/// The rows, each with a cell for each column.
pub async fn rows(
    db: &impl Db,
    extract: Extract<'_>,
    user_id: UserId,
) -> Result<Vec<Vec<Cell>>, StoreError> {
    let Extract { table, condition, columns } = extract;
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let sql = format!(
        "SELECT {} FROM {table} WHERE {condition} ORDER BY {}",
        names.join(", "),
        names.first().copied().unwrap_or("1"),
    );
    let values = [user_id.uuid().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let mut rows = Vec::new();
    for row in db.query_all_raw(statement).await? {
        let cells = columns.iter().map(|(name, kind)| cell(&row, name, *kind));
        rows.push(cells.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(rows)
}

fn cell(row: &QueryResult, name: &str, kind: ColumnKind) -> Result<Cell, StoreError> {
    let cell = match kind {
        ColumnKind::Id => row.try_get::<Option<Uuid>>("", name)?.map(Cell::Id),
        ColumnKind::Text => row.try_get::<Option<String>>("", name)?.map(Cell::Text),
        ColumnKind::Number => row.try_get::<Option<i64>>("", name)?.map(Cell::Number),
        ColumnKind::Flag => row.try_get::<Option<bool>>("", name)?.map(Cell::Flag),
        ColumnKind::Time => stored_time(row.try_get("", name)?).map(Cell::Time),
        ColumnKind::Bytes => row.try_get::<Option<Vec<u8>>>("", name)?.map(Cell::Bytes),
    };
    Ok(cell.unwrap_or(Cell::Empty))
}
