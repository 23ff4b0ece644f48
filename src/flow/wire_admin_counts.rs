//! Who used what, in counts, and what was not found, as whoever administers is shown it.

use gatehouse_api::admin::answer::{Problem, Rows};
use gatehouse_api::admin::rows::{Activity, Gap, Usage};

use crate::attribution::searches::gaps::gaps as kept_gaps;
use crate::clock::Timestamp;
use crate::domain::day::Day;
use crate::domain::gap::Gap as KnownGap;
use crate::flow::Gatehouse;
use crate::flow::wire_admin::broken;
use crate::flow::wire_admin_query::{Asked, bad, cut};
use crate::flow::wire_admin_reads::Read;
use crate::store::listings::activity::{self, Counted};
use crate::store::usage_reports::{By, Filter, Line, Page, People, report};

/// So many days without other words.
const DAYS: i64 = 30;

/// What happened, by day, the last one today.
pub async fn activity(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Activity> {
    let days = asked.read("days", "It must be a number from 1 to 366.", |text| {
        text.parse::<i64>().ok().filter(|days| (1..=366).contains(days))
    })?;
    asked.finish()?;
    let db = gatehouse.store.read();
    let today = Day::of(gatehouse.clock.now());
    let first = today.plus(1 - days.unwrap_or(DAYS)).number();
    let counts = async |counted| activity::by_day(db, counted, first).await.map_err(broken);
    let clients = counts(Counted::Clients).await?;
    let people = counts(Counted::People).await?;
    let grants = counts(Counted::Grants).await?;
    let of = |counts: &[activity::OfDay], day| {
        counts.iter().find(|count| count.day == day).map_or(0, |count| count.count)
    };
    let items = (first..=today.number()).map(|day| Activity {
        day: Day::from_number(day).to_string(),
        clients: of(&clients, day),
        people: of(&people, day),
        grants: of(&grants, day),
    });
    Ok(Rows { items: items.collect(), next: None })
}

/// The first and the last day that are asked for.
fn range(gatehouse: &Gatehouse, asked: &mut Asked) -> Result<(Day, Day), Problem> {
    let expected = "It must be a day, written 2027-01-15.";
    let to = asked.read("to", expected, Day::parse)?;
    let to = to.unwrap_or_else(|| Day::of(gatehouse.clock.now()));
    let from = asked.read("from", expected, Day::parse)?.unwrap_or_else(|| to.plus(1 - DAYS));
    if to < from {
        return Err(bad("to", "It must not lie before the first day."));
    }
    Ok((from, to))
}

/// Calls of tools, added up.
pub async fn usage(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Usage> {
    let expected = "It must be organization, product, tool, revision, day or outcome.";
    let by = asked.read("by", expected, |text| By::ALL.into_iter().find(|it| it.name() == text))?;
    let (from, to) = range(gatehouse, &mut asked)?;
    let filter = Filter {
        organization: asked.text("organization")?,
        product: asked.text("product")?,
        tool: asked.text("tool")?,
        outcome: asked.text("outcome")?,
        ..Filter::days(from, to)
    };
    let (offset, rows) = asked.lines()?;
    asked.finish()?;
    // One more, by which it is seen whether there are more.
    let page = Page { offset, rows: rows + 1 };
    let by = by.unwrap_or(By::Organization);
    let found = report(gatehouse.store.read(), &filter, by, People::Counted, page).await;
    let mut lines = found.map_err(broken)?.lines;
    let next = cut(&mut lines, rows, |_| (offset + rows).to_string());
    Ok(Rows { items: lines.into_iter().map(line).collect(), next })
}

fn line(line: Line) -> Usage {
    Usage {
        p50_ms: line.latency.quantile_ms(500),
        p95_ms: line.latency.quantile_ms(950),
        key: line.key,
        calls: line.calls,
        people: line.people,
    }
}

/// Calls of the last days, added up: the most first, at most `rows`; by day, all of them.
pub async fn most(gatehouse: &Gatehouse, by: By, rows: u64) -> Result<Vec<Usage>, Problem> {
    let today = Day::of(gatehouse.clock.now());
    let filter = Filter::days(today.plus(1 - DAYS), today);
    let page = Page { offset: 0, rows };
    let found = report(gatehouse.store.read(), &filter, by, People::Left, page).await;
    Ok(found.map_err(broken)?.lines.into_iter().map(line).collect())
}

/// What people looked for and did not find.
pub async fn gaps(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Gap> {
    let with_text = asked.includes("text")?;
    let (from, to) = range(gatehouse, &mut asked)?;
    let (offset, rows) = asked.lines()?;
    asked.finish()?;
    let (begins, ends) = (from.plus(-1).end(), to.end());
    let secret = &gatehouse.config.secret;
    let found = kept_gaps(&gatehouse.store, secret, begins, ends).await.map_err(broken)?;
    let first = usize::try_from(offset).unwrap_or(usize::MAX);
    let mut items: Vec<_> =
        found.gaps.into_iter().skip(first).map(|it| gap(it, with_text)).collect();
    let next = cut(&mut items, rows, |_| (offset + rows).to_string());
    Ok(Rows { items, next })
}

fn gap(gap: KnownGap, with_text: bool) -> Gap {
    Gap {
        topic: gap.topic.join(" "),
        organizations: gap.organizations.into_iter().collect(),
        searches: gap.searches,
        empty: gap.empty,
        weak: gap.weak,
        reformulated: gap.reformulated,
        last_day: Day::of(Timestamp::from_millis(gap.last_at)).to_string(),
        queries: with_text.then_some(gap.queries),
        contexts: with_text.then_some(gap.contexts),
    }
}
