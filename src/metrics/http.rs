//! Requests: how long they took, by route and by what came of them.

use std::sync::OnceLock;
use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, HistogramVec};

use crate::metrics::{Part, seconds};

/// Routes by their whole path, below `pages_path` where that is set. The most asked stand first.
const EXACT: [&str; 29] = [
    "/mcp",
    "/oauth/token",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/.well-known/mcp/server-card.json",
    "/oauth/register",
    "/oauth/authorize",
    "/oauth/consent",
    "/mcp/callback",
    "/oauth/revoke",
    "/",
    "/session",
    "/login",
    "/logout",
    "/account",
    "/account/disconnect",
    "/account/sharing",
    "/account/export",
    "/account/erase",
    "/reference",
    "/openapi.yaml",
    "/openapi.json",
    "/server.json",
    "/healthz",
    "/readyz",
    "/metrics",
    "/admin",
];

/// Places whose routes are one here, since nobody waits for one of them alone.
const PLACES: [&str; 4] = ["/admin/api/", "/admin/", "/oauth/assets/", "/dev-provider/"];

/// Whatever is no route of ours: whoever makes paths up makes no series.
const OTHER: &str = "other";

const ROUTES: usize = EXACT.len() + PLACES.len() + 1;

/// The status classes, from 1xx to 5xx.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The measurements. A series is made when it is first needed; from then on no lock is taken.
pub struct HttpMetrics {
    requests: HistogramVec,
    series: [[OnceLock<Histogram>; CLASSES.len()]; ROUTES],
}

impl Default for HttpMetrics {
    fn default() -> Self {
        Self {
            requests: seconds(
                "gatehouse_http_request_seconds",
                "Time to answer a request, by route and status class.",
                &["route", "status"],
            ),
            series: std::array::from_fn(|_| std::array::from_fn(|_| OnceLock::new())),
        }
    }
}

impl HttpMetrics {
    /// A request was answered.
    pub fn answered(&self, path: &str, status: u16, took: Duration) {
        let route = route_of(path);
        let class = usize::from(status / 100).clamp(1, CLASSES.len()) - 1;
        let series = self.series[route][class]
            .get_or_init(|| self.requests.with_label_values(&[route_name(route), CLASSES[class]]));
        series.observe(took.as_secs_f64());
    }
}

/// The pattern of a path's route; none for what is no route of ours.
pub fn route(path: &str) -> Option<&'static str> {
    Some(route_name(route_of(path))).filter(|name| *name != OTHER)
}

/// The number of a path's route.
fn route_of(path: &str) -> usize {
    let place = || PLACES.iter().position(|place| path.starts_with(place));
    let exact = EXACT.iter().position(|route| *route == path);
    exact.or_else(|| Some(EXACT.len() + place()?)).unwrap_or(ROUTES - 1)
}

fn route_name(route: usize) -> &'static str {
    let place = || PLACES.get(route.checked_sub(EXACT.len())?);
    EXACT.get(route).or_else(place).unwrap_or(&OTHER)
}

impl Part for HttpMetrics {
    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![Box::new(self.requests.clone())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_described_path_has_a_route() {
        let document = include_str!("../../openapi.yaml");
        let (_, paths) = document.split_once("\npaths:\n").expect("it has paths");
        let (paths, _) = paths.split_once("\ncomponents:").expect("it has components");
        let is_path = |line: &&str| line.starts_with("  /");
        let mut described = 0;
        for line in paths.lines().filter(is_path) {
            let path = line.trim().trim_end_matches(':');
            // Other spellings are the routes that they stand for by the time they are counted.
            if !["/register", "/authorize", "/token", "/mcp/"].contains(&path) {
                assert_ne!(route_name(route_of(path)), OTHER, "{path}");
                described += 1;
            }
        }
        assert!(described > 40, "{described}");
    }

    #[test]
    fn a_path_is_counted_as_its_route() {
        for (path, name) in [
            ("/mcp", "/mcp"),
            ("/admin", "/admin"),
            ("/admin/", "/admin/"),
            ("/admin/people/01a2", "/admin/"),
            ("/admin/api/v1/grants/01a2/revoke", "/admin/api/"),
            ("/oauth/assets/style.css", "/oauth/assets/"),
            ("/oauth/token/", OTHER),
            ("/wp-login.php", OTHER),
            ("", OTHER),
        ] {
            assert_eq!(route_name(route_of(path)), name, "{path}");
        }
    }
}
