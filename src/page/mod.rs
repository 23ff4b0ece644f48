//! Pages for people: typed contexts in, HTML out, compiled in.
//!
//! No JavaScript, nothing from another origin, readable in light and dark and on a phone. What
//! comes from outside is text and never markup: the template language escapes it.
//!
//! Never here: decisions.

use maud::{DOCTYPE, Markup, html};

pub mod account;
pub mod admin;
pub mod admin_attempt;
pub mod brand;
pub mod chart;
pub mod consent;
pub mod dev_login;
pub mod enforcement;
pub mod front_door;
pub mod kept;
pub mod logout;
pub mod moment;
pub mod notice;
pub mod reference;
pub mod sharing;

use crate::page::brand::{Brand, FAVICON_PATH, LOGO_PATH, STYLESHEET_PATH};

/// What every page shows.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// The product whose documentation this is.
    pub product: &'a str,
    /// How the pages look.
    pub brand: &'a Brand,
}

/// A link in words.
#[derive(Clone, Debug)]
pub struct Link<'a> {
    /// Where to.
    pub href: &'a str,
    /// What it says.
    pub text: &'a str,
}

fn document(frame: &Frame<'_>, title: &str, body: &Markup) -> String {
    document_of(frame, title, "narrow", body)
}

/// A document of a kind that the stylesheet knows.
fn document_of(frame: &Frame<'_>, title: &str, kind: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · " (frame.product) }
                link rel="stylesheet" href=(STYLESHEET_PATH);
                link rel="icon" href=(FAVICON_PATH);
            }
            body class=(kind) {
                header { p.brand {
                    // The name beside it says all that the picture does.
                    @if frame.brand.chosen.logo.is_some() { img src=(LOGO_PATH) alt=""; }
                    (frame.brand.chosen.name.as_deref().unwrap_or(frame.product))
                } }
                main { (body) }
                footer { p { "Sign-in and documentation access by Gatehouse." } }
            }
        }
    }
    .into_string()
}

/// A link to another site: opened without telling it where the person came from.
fn outward(link: &Link<'_>) -> Markup {
    html! { a href=(link.href) rel="noopener noreferrer" target="_blank" { (link.text) } }
}
