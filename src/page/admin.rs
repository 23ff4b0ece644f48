//! The dashboard: one frame for all of its pages, and one way to show a table.

use maud::{Markup, html};

use crate::domain::enforcement::Status;
use crate::domain::replay::Report;
use crate::page::chart::{self, Ranking, Series};
use crate::page::enforcement::{fragment, tables};
use crate::page::{Frame, document_of};

/// What every page of the dashboard shows.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// What every page shows.
    pub frame: Frame<'a>,
    /// Ties the forms to the session.
    pub form: &'a str,
    /// The page that is shown, by its path.
    pub here: &'a str,
    /// What has just been done.
    pub done: Option<&'a str>,
}

/// The pages, by path and name.
const PAGES: [(&str, &str); 12] = [
    ("/admin/", "Overview"),
    ("/admin/usage", "Usage"),
    ("/admin/gaps", "Gaps"),
    ("/admin/organizations", "Organizations"),
    ("/admin/people", "People"),
    ("/admin/clients", "Programs"),
    ("/admin/grants", "Grants"),
    ("/admin/feedback", "Feedback"),
    ("/admin/sinks", "Deliveries"),
    ("/admin/enforcement", "Enforcement"),
    ("/admin/attempts", "Sign-in attempts"),
    ("/admin/audit", "Audit log"),
];

/// A link of so many characters is not broken: an identifier's end, and no stranger's name.
const UNBROKEN_MAX: usize = 12;

/// What stands in a cell.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Nothing.
    Nothing,
    /// A text of whomever.
    Text(String),
    /// A number.
    Number(i64),
    /// A moment, for programs and as people write it.
    Time(String, String),
    /// A text that leads somewhere.
    Link(String, String),
    /// An identifier.
    Code(String),
    /// A button.
    Button(Button),
}

/// A button that does something.
#[derive(Clone, Debug)]
pub struct Button {
    /// What.
    pub act: &'static str,
    /// To what.
    pub of: String,
    /// What it says.
    pub text: &'static str,
    /// What it says to those who do not see what it stands beside.
    pub label: String,
}

/// A field by which rows are chosen.
#[derive(Clone, Debug)]
pub enum Filter<'a> {
    /// One of a few words.
    Choice {
        /// The parameter.
        name: &'a str,
        /// What it is called.
        label: &'a str,
        /// The words, and how they are shown.
        words: &'a [(&'a str, &'a str)],
        /// The one that is chosen.
        chosen: String,
    },
    /// A text.
    Text {
        /// The parameter.
        name: &'a str,
        /// What it is called.
        label: &'a str,
        /// What was typed.
        value: String,
    },
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// What it is called.
    pub title: &'a str,
    /// Its columns.
    pub head: &'a [&'a str],
    /// Its rows, as long as the head.
    pub rows: Vec<Vec<Cell>>,
    /// Where the next rows are.
    pub next: Option<String>,
    /// Where the same is as CSV.
    pub csv: Option<String>,
}

/// A page with a table.
#[derive(Clone, Debug)]
pub struct TableContext<'a> {
    /// What every page of the dashboard shows.
    pub shell: Shell<'a>,
    /// What it is about, in a sentence.
    pub lead: &'a str,
    /// By what rows are chosen.
    pub filters: Vec<Filter<'a>>,
    /// The tables; the first one gives the page its name.
    pub tables: Vec<Table<'a>>,
}

/// Renders a page with tables.
pub fn render_tables(context: &TableContext<'_>) -> String {
    let title = context.tables.first().map_or("Administration", |table| table.title);
    let body = html! {
        p { (context.lead) }
        (filters(&context.shell, &context.filters))
        @for (number, table) in context.tables.iter().enumerate() {
            @if number > 0 { h2 { (table.title) } }
            (rows(&context.shell, table))
        }
    };
    page(&context.shell, title, &body)
}

fn filters(shell: &Shell<'_>, filters: &[Filter<'_>]) -> Markup {
    html! {
        @if !filters.is_empty() {
            form.filters method="get" action=(shell.here) {
                @for filter in filters {
                    div {
                        @match filter {
                            Filter::Choice { name, label, words, chosen } => {
                                label for=(name) { (label) }
                                select id=(name) name=(name) {
                                    option value="" { "all" }
                                    @for (word, shown) in *words {
                                        option value=(word) selected[word == chosen] { (shown) }
                                    }
                                }
                            }
                            Filter::Text { name, label, value } => {
                                label for=(name) { (label) }
                                input id=(name) name=(name) value=(value) autocomplete="off";
                            }
                        }
                    }
                }
                div { button.plain type="submit" { "Filter" } }
            }
        }
    }
}

/// A table, with what leads on from it.
pub(super) fn rows(shell: &Shell<'_>, table: &Table<'_>) -> Markup {
    html! {
        @if table.rows.is_empty() {
            p.empty { "Nothing here." }
        } @else {
            // On a phone a row is a card; the roles say that it is a row all the same.
            table.rows role="table" aria-label=(table.title) {
                thead role="rowgroup" { tr role="row" {
                    @for name in table.head { th scope="col" role="columnheader" { (name) } }
                } }
                tbody role="rowgroup" {
                    @for row in &table.rows {
                        tr role="row" {
                            @for (name, shown) in table.head.iter().zip(row) {
                                (cell(shell, name, shown))
                            }
                        }
                    }
                }
            }
        }
        @if table.next.is_some() || (table.csv.is_some() && !table.rows.is_empty()) {
            p.more {
                @if let Some(next) = &table.next { a.button href=(next) { "Next rows" } " " }
                @if let Some(csv) = &table.csv { a href=(csv) { "These rows as CSV" } }
            }
        }
    }
}

fn cell(shell: &Shell<'_>, name: &str, shown: &Cell) -> Markup {
    let kind = match shown {
        Cell::Nothing => "nothing",
        Cell::Number(_) => "number",
        Cell::Time(..) => "short",
        Cell::Link(_, text) if text.chars().count() <= UNBROKEN_MAX => "short",
        Cell::Text(_) | Cell::Code(_) | Cell::Button(_) | Cell::Link(..) => "long",
    };
    html! {
        td role="cell" class=(kind) data-label=(name) {
            @match shown {
                Cell::Nothing => {},
                Cell::Text(text) => span { (text) },
                Cell::Number(number) => span { (number) },
                Cell::Time(machine, words) => time datetime=(machine) { (words) },
                Cell::Link(href, text) => a href=(href) { (text) },
                Cell::Code(text) => code { (text) },
                Cell::Button(button) => (form(shell, button)),
            }
        }
    }
}

fn form(shell: &Shell<'_>, button: &Button) -> Markup {
    html! {
        form method="post" action="/admin/act" {
            input type="hidden" name="form" value=(shell.form);
            input type="hidden" name="of" value=(button.of);
            button.plain type="submit" name="act" value=(button.act) aria-label=(button.label) {
                (button.text)
            }
        }
    }
}

/// A person's page.
#[derive(Clone, Debug)]
pub struct PersonContext<'a> {
    /// What every page of the dashboard shows.
    pub shell: Shell<'a>,
    /// What is known of them, by name.
    pub facts: Vec<(&'a str, String)>,
    /// Where their address is shown, when it is not.
    pub with_email: Option<String>,
    /// The button that ends all they connected.
    pub end_all: Option<Button>,
    /// The button that exports what is kept of them.
    pub export: Button,
    /// The button that erases them.
    pub erase: Button,
    /// What has to be typed for that.
    pub erase_word: &'a str,
    /// What they connected, and where they belonged.
    pub tables: Vec<Table<'a>>,
}

/// Renders a person's page.
pub fn render_person(context: &PersonContext<'_>) -> String {
    let body = html! {
        dl {
            @for (name, value) in &context.facts { div { dt { (name) } dd { (value) } } }
        }
        @if let Some(href) = &context.with_email { p { a href=(href) { "Show name and address" } } }
        @for (number, table) in context.tables.iter().enumerate() {
            h2 { (table.title) }
            (rows(&context.shell, table))
            @if let (0, Some(button)) = (number, &context.end_all) {
                (form(&context.shell, button))
            }
        }
        h2 { "What they may ask for" }
        p { "A copy of everything that is kept of them. It is for them, and for nobody else." }
        (form(&context.shell, &context.export))
        p {
            "An erasure of everything that is kept of them. It cannot be undone. Sinks that were "
            "told of them are told to forget them."
        }
        (typed_form(&context.shell, &context.erase, context.erase_word))
    };
    page(&context.shell, "Person", &body)
}

/// A button that acts when a word was typed beside it.
fn typed_form(shell: &Shell<'_>, button: &Button, word: &str) -> Markup {
    html! {
        form method="post" action="/admin/act" {
            input type="hidden" name="form" value=(shell.form);
            input type="hidden" name="of" value=(button.of);
            label for="confirm" { "Type “" (word) "” to confirm" }
            input id="confirm" name="confirm" autocomplete="off" required;
            button.plain type="submit" name="act" value=(button.act) aria-label=(button.label) {
                (button.text)
            }
        }
    }
}

/// Who would break if everybody had to sign in.
#[derive(Clone, Debug)]
pub struct EnforcementContext<'a> {
    /// What every page of the dashboard shows.
    pub shell: Shell<'a>,
    /// By what the replay is chosen.
    pub filters: Vec<Filter<'a>>,
    /// How it stands.
    pub status: &'a Status,
    /// Who would break.
    pub report: &'a Report,
    /// The button that ends a halt, when there is one.
    pub resume: Option<Button>,
}

/// Renders the page about enforcement.
pub fn render_enforcement(context: &EnforcementContext<'_>) -> String {
    let body = html! {
        p { "Requests without a token, replayed as if they had been asked to sign in." }
        (filters(&context.shell, &context.filters))
        @if let Some(button) = &context.resume { (form(&context.shell, button)) }
        (fragment(context.status, context.report))
        @for table in tables(context.report) {
            h2 { (table.title) }
            (rows(&context.shell, &table))
        }
    };
    page(&context.shell, "Enforcement", &body)
}

/// The overview.
#[derive(Clone, Debug)]
pub struct OverviewContext<'a> {
    /// What every page of the dashboard shows.
    pub shell: Shell<'a>,
    /// What happened over time.
    pub series: Vec<Series<'a>>,
    /// What there is most of.
    pub rankings: Vec<Ranking<'a>>,
}

/// Renders the overview.
pub fn render_overview(context: &OverviewContext<'_>) -> String {
    let body = html! {
        div.charts {
            @for series in &context.series { (chart::columns(series)) }
            @for ranking in &context.rankings { (chart::ranking(ranking)) }
        }
    };
    page(&context.shell, "Overview", &body)
}

/// A page of the dashboard.
pub(super) fn page(shell: &Shell<'_>, title: &str, content: &Markup) -> String {
    let body = html! {
        nav.pages aria-label="Administration" {
            ul role="list" {
                @for (path, name) in PAGES {
                    @let current = (path == shell.here).then_some("page");
                    li { a href=(path) aria-current=[current] { (name) } }
                }
            }
        }
        h1 { (title) }
        @if let Some(done) = shell.done { p.note role="status" { (done) } }
        (content)
        form.leave method="post" action="/admin/act" {
            input type="hidden" name="form" value=(shell.form);
            button.plain type="submit" name="act" value="sign_out" { "Sign out of administration" }
        }
    };
    document_of(&shell.frame, title, "wide", &body)
}
