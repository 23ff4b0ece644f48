//! On a person's own page: who is told of them, why and what, what each was told so far, and the
//! forms by which they object, take a copy of everything, and have it erased.

use maud::{Markup, html};

/// A receiver of events.
#[derive(Clone, Debug)]
pub struct SinkShown<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where it is.
    pub host: &'a str,
    /// What for.
    pub purpose: &'a str,
    /// What it is told, in words.
    pub fields: String,
    /// When it is told, in words.
    pub events: String,
    /// Whether the person may object.
    pub objection: Objection,
    /// What it was told so far, the newest first.
    pub told: Vec<ToldShown>,
}

/// Whether a person objects to being told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// They cannot.
    NotPossible,
    /// They do not.
    None,
    /// They do, since then.
    Since(String),
}

/// Something that was told.
#[derive(Clone, Debug)]
pub struct ToldShown {
    /// When, as people write it.
    pub at: String,
    /// What, in words.
    pub fields: String,
}

/// Somebody else who was told something.
#[derive(Clone, Debug)]
pub struct OtherShown<'a> {
    /// What they are called.
    pub name: &'a str,
    /// What they were told so far, the newest first.
    pub told: Vec<ToldShown>,
}

/// What the section shows.
#[derive(Clone, Debug)]
pub struct SharingContext<'a> {
    /// Receivers of events, in the order of the settings.
    pub sinks: Vec<SinkShown<'a>>,
    /// Others who were told something.
    pub others: Vec<OtherShown<'a>>,
    /// What has to be typed to be erased.
    pub erase_word: &'a str,
    /// Ties the forms to the session.
    pub form: &'a str,
    /// Where the forms go.
    pub paths: SharingPaths<'a>,
}

/// Where the forms go.
#[derive(Clone, Copy, Debug)]
pub struct SharingPaths<'a> {
    /// The one about a receiver.
    pub sharing: &'a str,
    /// The one for a copy.
    pub export: &'a str,
    /// The one that erases.
    pub erase: &'a str,
}

/// How many entries of the ledger are shown of each; all of them are in the copy.
const TOLD_SHOWN_MAX: usize = 5;

/// Who is told of the person.
pub fn told(context: &SharingContext<'_>) -> Markup {
    html! {
        @if !context.sinks.is_empty() || !context.others.is_empty() {
            h2 id="told" { "Who is told of you" }
            ul.plain {
                @for sink in &context.sinks { li { (receiver(context, sink)) } }
                @for other in &context.others {
                    li {
                        h3 { (other.name) }
                        (so_far(&other.told))
                    }
                }
            }
        }
    }
}

fn receiver(context: &SharingContext<'_>, sink: &SinkShown<'_>) -> Markup {
    html! {
        h3 { (sink.name) }
        dl {
            div { dt { "Where" } dd { (sink.host) } }
            div { dt { "What for" } dd { (sink.purpose) } }
            div { dt { "It is told" } dd { (sink.fields) } }
            div { dt { "When" } dd { (sink.events) } }
        }
        (so_far(&sink.told))
        @match &sink.objection {
            Objection::NotPossible => {
                p.quiet { "This one is required to use this server, so you cannot object to it." }
            }
            Objection::None => (wish(context, sink, "object", "Stop telling it about me")),
            Objection::Since(at) => {
                p { "You objected on " (at) ". It is told nothing more." }
                (wish(context, sink, "allow", "Allow it again"))
            }
        }
    }
}

fn so_far(told: &[ToldShown]) -> Markup {
    html! {
        @if told.is_empty() {
            p.quiet { "It has been told nothing of you so far." }
        } @else {
            p { "So far it was told:" }
            ul { @for it in told.iter().take(TOLD_SHOWN_MAX) {
                li { (it.at) ": " (it.fields) }
            } }
            @if told.len() > TOLD_SHOWN_MAX {
                p.quiet { "and " (told.len() - TOLD_SHOWN_MAX) " times before, all in your copy." }
            }
        }
    }
}

fn wish(context: &SharingContext<'_>, sink: &SinkShown<'_>, wish: &str, text: &str) -> Markup {
    html! {
        form method="post" action=(context.paths.sharing) {
            input type="hidden" name="form" value=(context.form);
            input type="hidden" name="sink" value=(sink.name);
            input type="hidden" name="wish" value=(wish);
            div.actions {
                button.plain type="submit" aria-label=(format!("{text}: {}", sink.name)) { (text) }
            }
        }
    }
}

/// A copy of everything, and the end of it.
pub fn own_data(context: &SharingContext<'_>) -> Markup {
    html! {
        h2 id="data" { "Your data" }
        form method="post" action=(context.paths.export) {
            input type="hidden" name="form" value=(context.form);
            p { "A copy of everything that is kept of you, as a file (JSON)." }
            div.actions { button.plain type="submit" { "Download my data" } }
        }
        h2 id="erase" { "Erase me" }
        form method="post" action=(context.paths.erase) {
            input type="hidden" name="form" value=(context.form);
            p {
                "All of it is deleted at once and cannot be brought back: every program is "
                "disconnected, and everybody above who can be told is told to forget you. If you "
                "sign in again, you are somebody new here."
            }
            label for="confirm" { "Type “" (context.erase_word) "” to confirm" }
            input type="text" id="confirm" name="confirm" autocomplete="off" spellcheck="false";
            div.actions { button.plain type="submit" { "Erase me and my data" } }
        }
    }
}
