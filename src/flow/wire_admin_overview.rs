//! The overview: what happened over time, and what there is most of.

use std::time::Duration;

use gatehouse_api::admin::answer::Problem;
use gatehouse_api::admin::rows::{Activity, Gap, Usage};

use crate::flow::Gatehouse;
use crate::flow::wire_admin::broken;
use crate::flow::wire_admin_counts;
use crate::flow::wire_admin_query::Asked;
use crate::page::admin::{OverviewContext, Shell, render_overview};
use crate::page::chart::{Ranking, Series};
use crate::store::listings::activity::{self, Funnel};
use crate::store::listings::organizations;
use crate::store::usage_reports::By;

/// The most bars of a ranking.
const BARS: u64 = 10;

/// More lines than days are shown.
const MANY: u64 = 500;

/// How far back the steps of sign-ins are looked at: what they are counted by is kept for a day.
const FUNNEL_LOOKS_BACK: Duration = Duration::from_hours(24);

/// The page.
pub async fn html(
    gatehouse: &Gatehouse,
    shell: Shell<'_>,
    asked: Asked,
) -> Result<String, Problem> {
    let days = wire_admin_counts::activity(gatehouse, asked).await?.items;
    let calls = wire_admin_counts::most(gatehouse, By::Day, MANY).await?;
    let db = gatehouse.store.read();
    let since = gatehouse.clock.now().minus(FUNNEL_LOOKS_BACK);
    let funnel = activity::funnel(db, since).await.map_err(broken)?;
    let largest = organizations::largest(db, BARS).await.map_err(broken)?;
    let people_of = |key: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("organization", key).finish();
        format!("/admin/people?{query}")
    };
    let largest = largest.into_iter().map(|it| (it.name, Some(people_of(&it.key)), it.people));
    let used = async |by, id, title, of| {
        let most = wire_admin_counts::most(gatehouse, by, BARS).await?;
        Ok::<_, Problem>(called(most, id, title, of))
    };
    let mut rankings = vec![
        used(By::Organization, "callers", "Calls by organization", "Organization").await?,
        used(By::Product, "products", "Calls by program", "Program").await?,
        used(By::Tool, "tools", "Calls by tool", "Tool").await?,
        used(By::Outcome, "outcomes", "What became of calls", "Outcome").await?,
        Ranking {
            id: "organizations",
            title: "Organizations",
            of: "Organization",
            unit: "People",
            note: None,
            entries: largest.collect(),
        },
        steps(funnel),
    ];
    rankings.extend(gaps(gatehouse).await?);
    Ok(render_overview(&OverviewContext { shell, series: series(&days, &calls), rankings }))
}

fn called(
    most: Vec<Usage>,
    id: &'static str,
    title: &'static str,
    of: &'static str,
) -> Ranking<'static> {
    let entry = |it: Usage| {
        let name = match it.key.strip_prefix("domain:").unwrap_or(&it.key) {
            "" => "not known",
            name => name,
        };
        (name.to_owned(), None, it.calls)
    };
    let entries = most.into_iter().map(entry).collect();
    Ranking { id, title, of, unit: "Calls, 30 days", note: None, entries }
}

/// What was not found, where that is kept.
async fn gaps(gatehouse: &Gatehouse) -> Result<Option<Ranking<'static>>, Problem> {
    let settings = &gatehouse.config.usage;
    if !settings.keep_queries && !settings.ask_context {
        return Ok(None);
    }
    let found = wire_admin_counts::gaps(gatehouse, Asked::nothing()).await?.items;
    let entry = |it: Gap| (it.topic, None, i64::try_from(it.searches).unwrap_or(i64::MAX));
    let bars = usize::try_from(BARS).unwrap_or(usize::MAX);
    Ok(Some(Ranking {
        id: "gaps",
        title: "Not found",
        of: "About",
        unit: "Searches, 30 days",
        note: Some("Those that hurt the most organizations first."),
        entries: found.into_iter().take(bars).map(entry).collect(),
    }))
}

fn series(days: &[Activity], calls: &[Usage]) -> Vec<Series<'static>> {
    let calls_on = |day: &str| calls.iter().find(|it| it.key == day).map_or(0, |it| it.calls);
    let of = |count: fn(&Activity) -> i64| -> Vec<(String, i64)> {
        days.iter().map(|day| (day.day.clone(), count(day))).collect()
    };
    vec![
        Series {
            id: "calls",
            title: "Calls of tools",
            unit: "Calls",
            points: days.iter().map(|day| (day.day.clone(), calls_on(&day.day))).collect(),
        },
        Series {
            id: "sign-ins",
            title: "Programs connected",
            unit: "Sign-ins",
            points: of(|day| day.grants),
        },
        Series { id: "people", title: "New people", unit: "People", points: of(|day| day.people) },
        Series {
            id: "programs",
            title: "New programs",
            unit: "Programs",
            points: of(|day| day.clients),
        },
    ]
}

fn steps(funnel: Funnel) -> Ranking<'static> {
    let step = |name: &str, count| (name.to_owned(), None, count);
    Ranking {
        id: "steps",
        title: "The way of a sign-in",
        of: "Step",
        unit: "Last 24 hours",
        note: Some("Who left before answering the consent page leaves no trace to be counted."),
        entries: vec![
            step("Programs introduced themselves", funnel.clients),
            step("Consent pages answered", funnel.answered),
            step("Allowed", funnel.allowed),
            step("Signed in", funnel.codes),
            step("Got a token", funnel.tokens),
            step("Called a tool (people)", funnel.called),
        ],
    }
}
