//! What a person may ask of an operator, and who would break if everybody had to sign in, as the
//! admin API and the dashboard show it.

use gatehouse_api::admin::answer::Problem;
use gatehouse_api::admin::rights::{Disclosure, Enforcement, EnforcementLine, Erased, Objection};
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;
use http::StatusCode;

use crate::attribution::erasure;
use crate::config::AuthMode;
use crate::config::enforcement::share_hundredths;
use crate::domain::enforcement::{Policy, Standing, Status};
use crate::domain::replay::{Report, SignsIn, Sum};
use crate::flow::Gatehouse;
use crate::flow::enforcement::reading;
use crate::flow::own_data::Sharing;
use crate::flow::wire_admin::broken;
use crate::flow::wire_admin_query::{Asked, bad};
use crate::flow::wire_admin_reads::written;
use crate::id::UserId;
use crate::page::Link;
use crate::page::admin::Filter;
use crate::page::notice::{self, NoticeContext};
use crate::store::{StoreError, disclosures, sink_people};

/// Days that are replayed unless something else is said.
const DAYS: u32 = 7;
const DAYS_MAX: u32 = 366;

/// Who was told what of a person, and whom they object to; the newest first.
pub async fn told(
    gatehouse: &Gatehouse,
    id: UserId,
) -> Result<(Vec<Disclosure>, Vec<Objection>), StoreError> {
    let db = gatehouse.store.read();
    let told = disclosures::of_person(db, id).await?.into_iter().map(|it| Disclosure {
        receiver: it.receiver,
        event: it.event,
        fields: it.fields,
        purpose: it.purpose,
        disclosed_at: written(it.disclosed_at),
    });
    let objections = sink_people::opt_outs(db, &[id]).await?;
    let objections = objections
        .into_iter()
        .map(|(_, receiver, since)| Objection { receiver, since: written(since) });
    Ok((told.collect(), objections.collect()))
}

/// What was erased, for programs.
pub fn erased(erased: erasure::Erased) -> Erased {
    Erased {
        grants: erased.grants.iter().map(ToString::to_string).collect(),
        sinks: erased.sinks,
        others: erased.others,
    }
}

/// The same for people.
pub fn erased_page(gatehouse: &Gatehouse, erased: &erasure::Erased) -> PageResponse {
    let message = match erased.sinks.as_slice() {
        [] => "Everything that was kept of them is deleted. No sink was told of them.".to_owned(),
        told => format!(
            "Everything that was kept of them is deleted. Told to forget them, by any running \
             server: {}.",
            told.join(", ")
        ),
    };
    let others: Vec<_> = erased.others.iter().map(|it| Sharing::receiver_in_words(it)).collect();
    let advice = match others.as_slice() {
        [] => "Access tokens end within 5 seconds. Backups keep what was erased until they expire."
            .to_owned(),
        others => format!(
            "Access tokens end within 5 seconds. This server cannot tell others to forget: ask \
             whoever runs {}.",
            others.join(", ")
        ),
    };
    let html = notice::render(&NoticeContext {
        frame: gatehouse.frame(),
        title: "This person is erased",
        message: &message,
        advice: &advice,
        link: Some(Link { href: "/admin/people", text: "To the people" }),
        reference: None,
    });
    PageResponse::html(StatusCode::OK, html)
}

/// How enforcement stands, and what a replay says.
async fn replayed(gatehouse: &Gatehouse, mut asked: Asked) -> Result<(Status, Report), Problem> {
    let days = asked.read("days", "It must be a number from 1 to 366.", |text| {
        text.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days))
    })?;
    let expected = "It must be a percentage with two digits at most.";
    let share = asked.read("share", expected, |text| share_hundredths(text).ok())?;
    asked.finish()?;
    let policy = match share {
        None => Policy::everybody(),
        Some(share) => reading::policy(share, &[], &[], &[]).map_err(|_| bad("share", expected))?,
    };
    let (store, now) = (&gatehouse.store, gatehouse.clock.now());
    let in_force = gatehouse.enforcement.policy.clone();
    let status = reading::status(store, in_force, now).await.map_err(broken)?;
    let report = reading::report(store, policy, days.unwrap_or(DAYS), now).await;
    Ok((status, report.map_err(broken)?))
}

/// Who would break, for programs.
pub async fn enforcement(gatehouse: &Gatehouse, asked: Asked) -> Result<Enforcement, Problem> {
    let (status, report) = replayed(gatehouse, asked).await?;
    Ok(Enforcement {
        in_force: match gatehouse.config.auth {
            AuthMode::Enforce => "everybody".to_owned(),
            AuthMode::Open => "nobody".to_owned(),
            AuthMode::Grace => status.policy.to_string(),
        },
        halted: status.standing() == Standing::Halted,
        challenged: counted(status.last_hour.challenged),
        returned: counted(status.last_hour.returned),
        replayed: report.policy.to_string(),
        from: report.from.to_string(),
        to: report.to.to_string(),
        lines: lines(&report),
        advice: report.advice(),
    })
}

fn counted(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn lines(report: &Report) -> Vec<EnforcementLine> {
    let line = |kind: &str, key: &str, signs_in: Option<SignsIn>, sum: &Sum| EnforcementLine {
        kind: kind.to_owned(),
        key: key.to_owned(),
        callers: counted(sum.callers),
        calls: counted(sum.calls),
        asked_callers: counted(sum.asked_callers),
        asked_calls: counted(sum.asked_calls),
        signs_in: signs_in.map(|it| it.words().to_owned()),
    };
    let all = line("all", "", None, &report.total);
    let products = report.products.iter();
    let products = products.map(|(key, signs_in, sum)| line("client", key, Some(*signs_in), sum));
    let networks = report.networks.iter().map(|(key, sum)| line("network", key, None, sum));
    let tools = report.tools.iter().map(|(key, sum)| line("tool", key, None, sum));
    std::iter::once(all).chain(products).chain(networks).chain(tools).collect()
}

/// What the dashboard's page about it is made of.
pub struct EnforcementShown {
    /// How it stands.
    pub status: Status,
    /// Who would break.
    pub report: Report,
    /// By what the replay is chosen.
    pub filters: Vec<Filter<'static>>,
}

/// Who would break, for people.
pub async fn shown(
    gatehouse: &Gatehouse,
    visit: &Visit,
    asked: Asked,
) -> Result<EnforcementShown, Problem> {
    let pairs = visit.query_pairs();
    let typed = |name: &'static str, label| {
        let found = pairs.iter().find(|(key, _)| key == name);
        let value = found.map(|(_, value)| value.clone()).unwrap_or_default();
        Filter::Text { name, label, value }
    };
    let (status, report) = replayed(gatehouse, asked).await?;
    Ok(EnforcementShown {
        status,
        report,
        filters: vec![
            typed("days", "Days to replay"),
            typed("share", "Share of callers to ask, in percent"),
        ],
    })
}
