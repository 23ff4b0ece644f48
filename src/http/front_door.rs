//! The page at `/`, and the same for people who open `/mcp` in a browser.

use url::Url;

use crate::flow::Gatehouse;
use crate::page::front_door::{self, FrontDoorContext};

fn context(gatehouse: &Gatehouse, pages: usize) -> FrontDoorContext<'_> {
    let config = &gatehouse.config;
    FrontDoorContext {
        frame: gatehouse.frame(),
        resource: gatehouse.resource.as_str(),
        help_url: config.help_url.as_ref().map(Url::as_str),
        docs_url: config.docs_url.as_ref().map(Url::as_str),
        privacy_url: config.privacy_url.as_ref().map(Url::as_str),
        pages,
        account_url: config.page_url("/account"),
        sign_in: gatehouse.sign_in(),
    }
}

/// As HTML; `pages` is how many can be read.
pub fn html(gatehouse: &Gatehouse, pages: usize) -> String {
    front_door::render(&context(gatehouse, pages))
}

/// As Markdown.
pub fn markdown(gatehouse: &Gatehouse, pages: usize) -> String {
    front_door::markdown(&context(gatehouse, pages))
}
