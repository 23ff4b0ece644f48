//! Usage, read: sums over days by one thing at a time.
//!
//! Days that are over come from `usage_by_organization`, days that are not, or were added to since,
//! from `usage_by_person`. People are counted where they are known one by one, which is as long as
//! counts by person are kept; a report says since when that is.

use std::collections::HashMap;
use std::fmt::Write as _;

use sea_orm::{QueryResult, Statement, Value};

use crate::domain::day::Day;
use crate::domain::latency::Latency;
use crate::store::usage::{TOOK, latency_of};
use crate::store::usage_sweep::rolled_up;
use crate::store::{Db, StoreError};

/// What sums are made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The organization's key.
    Organization,
    /// The client product.
    Product,
    /// The tool.
    Tool,
    /// The revision of the protocol.
    Revision,
    /// The day.
    Day,
    /// What became of the calls.
    Outcome,
}

impl By {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Organization, Self::Product, Self::Tool, Self::Revision, Self::Day, Self::Outcome];

    /// The word for it, which is the column too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Product => "product",
            Self::Tool => "tool",
            Self::Revision => "revision",
            Self::Day => "day",
            Self::Outcome => "outcome",
        }
    }
}

/// Which calls a report is about: those of the days `from` to `to`, both included, and of these
/// those that fit in each respect that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// Of one organization, by its key; the empty key is that of those whose is not known.
    pub organization: Option<String>,
    /// With one product.
    pub product: Option<String>,
    /// Of one tool.
    pub tool: Option<String>,
    /// With one outcome.
    pub outcome: Option<String>,
}

impl Filter {
    /// All calls of these days.
    pub const fn days(from: Day, to: Day) -> Self {
        Self { from, to, organization: None, product: None, tool: None, outcome: None }
    }

    /// The days as the first two values, and what else is named as a condition with its values.
    fn condition(&self, (first, last): (Day, Day)) -> (Vec<Value>, String) {
        let mut values: Vec<Value> = vec![first.number().into(), last.number().into()];
        let mut named = String::new();
        for (column, value) in [
            ("organization", &self.organization),
            ("product", &self.product),
            ("tool", &self.tool),
            ("outcome", &self.outcome),
        ] {
            let Some(value) = value else { continue };
            values.push(value.clone().into());
            // Writing to a text cannot fail.
            let _ = write!(named, " AND {column} = ${}", values.len());
        }
        (values, named)
    }
}

/// Which part of a report is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Lines that come before it.
    pub offset: u64,
    /// The most lines.
    pub rows: u64,
}

/// Whether people are counted. It costs a look at every row by person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum People {
    /// They are.
    Counted,
    /// They are not.
    Left,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is about: an organization's key, a product, a day (`2026-11-23`) and so on.
    pub key: String,
    /// Calls.
    pub calls: i64,
    /// Different people on the days for which they are known, if they were counted.
    pub people: Option<i64>,
    /// How long the calls took.
    pub latency: Latency,
}

/// A report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The most calls first, of equals in the order of their keys; days in their order.
    pub lines: Vec<Line>,
    /// The first of its days for which people are known, if there is one.
    pub people_since: Option<Day>,
}

/// Sums of calls.
pub async fn report(
    db: &impl Db,
    filter: &Filter,
    by: By,
    people: People,
    page: Page,
) -> Result<Report, StoreError> {
    let known = days_by_person(db, filter).await?;
    let statement = sums(db, filter, by, page).await?;
    let rows = db.query_all_raw(statement).await?;
    let mut lines = rows.iter().map(line_of).collect::<Result<Vec<_>, _>>()?;
    if people == People::Counted && !lines.is_empty() {
        let counts = match known {
            Some((first, last)) => count_people(db, filter, by, (first, last), &lines).await?,
            None => HashMap::new(),
        };
        for line in &mut lines {
            line.people = Some(counts.get(&line.key).copied().unwrap_or(0));
        }
    }
    if by == By::Day {
        for line in &mut lines {
            let number = line.key.parse().map_err(|_| StoreError::Corrupt("day"))?;
            line.key = Day::from_number(number).to_string();
        }
    }
    Ok(Report { lines, people_since: known.map(|(first, _)| first) })
}

/// How the database goes about a report, in its own words: for whoever wonders why one is slow.
pub async fn explain(db: &impl Db, filter: &Filter, by: By) -> Result<Vec<String>, StoreError> {
    let Statement { sql, values, db_backend } =
        sums(db, filter, by, Page { offset: 0, rows: 100 }).await?;
    let (words, column) = match db_backend {
        sea_orm::DbBackend::Sqlite => ("EXPLAIN QUERY PLAN", 3),
        _ => ("EXPLAIN", 0),
    };
    let explained = Statement { sql: format!("{words} {sql}"), values, db_backend };
    let rows = db.query_all_raw(explained).await?;
    rows.iter().map(|row| Ok(row.try_get_by_index(column)?)).collect()
}

/// The first and the last day of the filter's that has rows by person.
async fn days_by_person(db: &impl Db, filter: &Filter) -> Result<Option<(Day, Day)>, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT min(day) AS first, max(day) AS last FROM usage_by_person
         WHERE day >= $1 AND day <= $2",
        [filter.from.number().into(), filter.to.number().into()],
    );
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    let (first, last): (Option<i64>, Option<i64>) =
        (row.try_get("", "first")?, row.try_get("", "last")?);
    Ok(first.zip(last).map(|(first, last)| (Day::from_number(first), Day::from_number(last))))
}

async fn sums(db: &impl Db, filter: &Filter, by: By, page: Page) -> Result<Statement, StoreError> {
    // Read first: a day that is rolled up from now on is in both tables, and taken from the one
    // that it is taken from here.
    let live = match days_by_person(db, filter).await? {
        None => Vec::new(),
        Some((first, last)) => {
            let done = rolled_up(db, first, last).await?;
            let days = (first.number()..=last.number()).map(Day::from_number);
            days.filter(|day| !done.contains(day)).collect()
        }
    };
    let (mut values, named) = filter.condition((filter.from, filter.to));
    let live: Vec<_> = live.iter().map(|day| day.number().to_string()).collect();
    let live = live.join(", ");
    let (not_live, is_live) = match live.as_str() {
        // An empty list is no SQL.
        "" => (String::new(), "AND 1 = 0".to_owned()),
        _ => (format!("AND day NOT IN ({live})"), format!("AND day IN ({live})")),
    };
    let column = by.name();
    let summed = |column: &str| format!("CAST(sum({column}) AS BIGINT) AS {column}");
    let sums: Vec<_> = TOOK.split(", ").map(summed).collect();
    let order = if by == By::Day { "min(day)" } else { "sum(calls) DESC, min(key)" };
    values.extend([
        Value::from(i64::try_from(page.rows).unwrap_or(i64::MAX)),
        i64::try_from(page.offset).unwrap_or(i64::MAX).into(),
    ]);
    let (rows, offset) = (values.len() - 1, values.len());
    let sql = format!(
        "SELECT CAST(key AS TEXT) AS key, CAST(sum(calls) AS BIGINT) AS calls, {}
         FROM (
            SELECT {column} AS key, day, calls, {TOOK} FROM usage_by_organization
            WHERE day >= $1 AND day <= $2 {not_live}{named}
            UNION ALL
            SELECT {column} AS key, day, calls, {TOOK} FROM usage_by_person
            WHERE day >= $1 AND day <= $2 {is_live}{named}
         ) AS counted
         GROUP BY key ORDER BY {order} LIMIT ${rows} OFFSET ${offset}",
        sums.join(", ")
    );
    Ok(Statement::from_sql_and_values(db.get_database_backend(), sql, values))
}

fn line_of(row: &QueryResult) -> Result<Line, StoreError> {
    Ok(Line {
        key: row.try_get("", "key")?,
        calls: row.try_get("", "calls")?,
        people: None,
        latency: latency_of(row)?,
    })
}

/// The different people behind each of these lines.
async fn count_people(
    db: &impl Db,
    filter: &Filter,
    by: By,
    (first, last): (Day, Day),
    lines: &[Line],
) -> Result<HashMap<String, i64>, StoreError> {
    let (mut values, named) = filter.condition((first, last));
    let mut places = Vec::new();
    for line in lines {
        values.push(match by {
            By::Day => line.key.parse::<i64>().map_err(|_| StoreError::Corrupt("day"))?.into(),
            _ => line.key.clone().into(),
        });
        places.push(format!("${}", values.len()));
    }
    let column = by.name();
    let sql = format!(
        "SELECT CAST({column} AS TEXT) AS key, count(DISTINCT user_id) AS people
         FROM usage_by_person
         WHERE day >= $1 AND day <= $2{named} AND {column} IN ({}) GROUP BY {column}",
        places.join(", ")
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| Ok((row.try_get("", "key")?, row.try_get("", "people")?))).collect()
}
