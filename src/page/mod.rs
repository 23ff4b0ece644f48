//! Pages for people: typed contexts in, HTML out, compiled in.
//!
//! No JavaScript, nothing from another origin, readable in light and dark and on a phone. What
//! comes from outside is text and never markup: the template language escapes it.
//!
//! Never here: decisions.

use maud::{DOCTYPE, Markup, html};

pub mod account;
pub mod consent;
pub mod dev_login;
pub mod front_door;
pub mod logout;
pub mod moment;
pub mod notice;

/// The one stylesheet.
pub const STYLESHEET: &str = include_str!("gatehouse.css");

/// Where the stylesheet is served; below `/oauth/`, so that it is reachable beside a
/// documentation site that forwards only our paths.
pub const STYLESHEET_PATH: &str = "/oauth/assets/gatehouse.css";

/// What every page shows.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The product whose documentation this is.
    pub product: &'a str,
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
            }
            body {
                header { p.brand { (frame.product) } }
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
