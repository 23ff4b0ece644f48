//! What a person does about their data, as the api sees it: flows in, pages out.

use gatehouse_api::account::{EraseForm, ExportForm, SharingForm};
use gatehouse_api::page::PageResponse;
use gatehouse_api::visit::Visit;
use http::StatusCode;

use crate::config::sink::SinkConfig;
use crate::config::sink_words::{SinkEvent, SinkField};
use crate::domain::refusal::AccountRefusal;
use crate::flow::Gatehouse;
use crate::flow::browser_login::ACCOUNT_PATH;
use crate::flow::own_data::{ERASE_WORD, Own, PresentedForm, Sharing, SinkStanding, Wish};
use crate::flow::wire::is_cross_site;
use crate::flow::wire_account::{refused, signed_out_page};
use crate::flow::wire_pages::{fault_page, see_other};
use crate::page::moment;
use crate::page::notice::{self, NoticeContext};
use crate::page::sharing::{
    Objection, OtherShown, SharingContext, SharingPaths, SinkShown, ToldShown,
};
use crate::store::disclosures::Disclosure;

/// Where the forms go, below `pages_path`.
pub const PATHS: SharingPaths<'static> = SharingPaths {
    sharing: "/account/sharing",
    export: "/account/export",
    erase: "/account/erase",
};

/// What the file with a copy is called.
const FILE_NAME: &str = "my-data.json";

/// `POST /account/sharing`
pub async fn sharing(
    gatehouse: &Gatehouse,
    visit: &Visit,
    form: Option<SharingForm>,
) -> PageResponse {
    let Some(form) = form else {
        return refused(gatehouse, "account", AccountRefusal::ForeignForm);
    };
    let wish = match form.wish.as_str() {
        "object" => Some(Wish::Object),
        "allow" => Some(Wish::Allow),
        _ => None,
    };
    let presented = presented(gatehouse, visit, &form.form);
    match gatehouse.wish(presented, &form.sink, wish, visit).await {
        Ok(Own::Done(wish, cookies)) => {
            let said = match wish {
                Wish::Object => "objected",
                Wish::Allow => "allowed",
            };
            let account = gatehouse.config.page_path(ACCOUNT_PATH);
            see_other(format!("{account}?sharing={said}"), cookies)
        }
        Ok(Own::SignedOut) => not_signed_in(gatehouse),
        Ok(Own::Refused(refusal)) => refused(gatehouse, "account", refusal),
        Err(fault) => fault_page(gatehouse, "account", &fault),
    }
}

/// `POST /account/export`
pub async fn export(
    gatehouse: &Gatehouse,
    visit: &Visit,
    form: Option<ExportForm>,
) -> PageResponse {
    let Some(form) = form else {
        return refused(gatehouse, "account", AccountRefusal::ForeignForm);
    };
    match gatehouse.export_own(presented(gatehouse, visit, &form.form), visit).await {
        Ok(Own::Done(data, cookies)) => {
            let file = PageResponse::download(FILE_NAME, format!("{data:#}"));
            cookies.into_iter().fold(file, PageResponse::with_cookie)
        }
        Ok(Own::SignedOut) => not_signed_in(gatehouse),
        Ok(Own::Refused(refusal)) => refused(gatehouse, "account", refusal),
        Err(fault) => fault_page(gatehouse, "account", &fault),
    }
}

/// `POST /account/erase`
pub async fn erase(gatehouse: &Gatehouse, visit: &Visit, form: Option<EraseForm>) -> PageResponse {
    let Some(form) = form else {
        return refused(gatehouse, "account", AccountRefusal::ForeignForm);
    };
    let typed = form.confirm.as_deref().unwrap_or_default();
    match gatehouse.erase_own(presented(gatehouse, visit, &form.form), typed, visit).await {
        Ok(Own::Done((), cookies)) => {
            let html = notice::render(&NoticeContext {
                frame: gatehouse.frame(),
                title: "You are erased",
                message: "Everything that was kept of you here is deleted, and every program is \
                          disconnected.",
                advice: "Whoever was told of you by this server is told to forget you, as far as \
                         it can be told.",
                link: None,
                reference: None,
            });
            let page = PageResponse::html(StatusCode::OK, html);
            cookies.into_iter().fold(page, PageResponse::with_cookie)
        }
        Ok(Own::SignedOut) => not_signed_in(gatehouse),
        Ok(Own::Refused(refusal)) => refused(gatehouse, "account", refusal),
        Err(fault) => fault_page(gatehouse, "account", &fault),
    }
}

fn presented<'a>(gatehouse: &Gatehouse, visit: &Visit, form: &'a str) -> PresentedForm<'a> {
    PresentedForm { form, is_cross_site: is_cross_site(visit, &gatehouse.config.public_url) }
}

fn not_signed_in(gatehouse: &Gatehouse) -> PageResponse {
    let note = "You are not signed in any more, so nothing was done.";
    signed_out_page(gatehouse, StatusCode::FORBIDDEN, None, Some(note))
}

/// What the page shows of it; `paths` are complete.
pub fn shown<'a>(
    sharing: &'a Sharing<'a>,
    form: &'a str,
    paths: SharingPaths<'a>,
) -> SharingContext<'a> {
    SharingContext {
        sinks: sharing.sinks.iter().map(sink_shown).collect(),
        others: sharing
            .others
            .iter()
            .map(|(receiver, told)| OtherShown {
                name: Sharing::receiver_in_words(receiver),
                told: told.iter().map(told_shown).collect(),
            })
            .collect(),
        erase_word: ERASE_WORD,
        form,
        paths,
    }
}

fn sink_shown<'a>(standing: &'a SinkStanding<'_>) -> SinkShown<'a> {
    let sink = standing.config;
    SinkShown {
        name: &sink.name,
        host: sink.host(),
        purpose: &sink.purpose,
        fields: fields_in_words(sink),
        events: events_in_words(sink),
        objection: match (sink.is_required, standing.objects_since) {
            (true, _) => Objection::NotPossible,
            (false, None) => Objection::None,
            (false, Some(since)) => Objection::Since(moment::in_words(since.seconds())),
        },
        told: standing.told.iter().map(told_shown).collect(),
    }
}

fn told_shown(disclosure: &Disclosure) -> ToldShown {
    let words = disclosure.fields.iter().map(|name| {
        SinkField::named(name).map_or_else(|| name.replace('_', " "), |it| it.in_words().into())
    });
    ToldShown {
        at: moment::in_words(disclosure.disclosed_at.seconds()),
        fields: listed(&words.collect::<Vec<_>>()),
    }
}

/// What a sink is told, in words.
pub fn fields_in_words(sink: &SinkConfig) -> String {
    let words: Vec<_> = sink.fields.iter().map(|field| field.in_words().to_owned()).collect();
    listed(&words)
}

/// When a sink is told, in words.
pub fn events_in_words(sink: &SinkConfig) -> String {
    let told = sink.events.iter().filter(|event| **event != SinkEvent::Erased);
    let words: Vec<_> = told.map(|event| event.in_words().to_owned()).collect();
    listed(&words)
}

/// `a, b and c`
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}
