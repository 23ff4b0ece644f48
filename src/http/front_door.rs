//! The page at `/`, and the same for people who open `/mcp` in a browser.

use crate::flow::Gatehouse;
use crate::page::Frame;
use crate::page::front_door::{self, FrontDoorContext};

fn context(gatehouse: &Gatehouse) -> FrontDoorContext<'_> {
    FrontDoorContext {
        frame: Frame { product: &gatehouse.config.docs_product },
        resource: gatehouse.resource.as_str(),
        help_url: gatehouse.config.help_url.as_ref().map(url::Url::as_str),
    }
}

/// As HTML.
pub fn html(gatehouse: &Gatehouse) -> String {
    front_door::render(&context(gatehouse))
}

/// As Markdown.
pub fn markdown(gatehouse: &Gatehouse) -> String {
    front_door::markdown(&context(gatehouse))
}
