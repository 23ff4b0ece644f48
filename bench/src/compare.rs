//! How the house compares with what the machine can do at most. Both sides of a comparison take
//! turns, so that a machine whose speed changes changes both.

use std::error::Error;
use std::time::Duration;

use crate::load::drive;
use crate::run::{Findings, Plan};
use crate::scenarios::Ground;
use crate::server::Server;

/// What servers are called.
pub const EMPTY: &str = "empty endpoint";
/// See there.
pub const BARE: &str = "rmcp alone";
/// See there.
pub const LIMIT: &str = "limit program";
/// See there.
pub const LIMIT_ES256: &str = "limit program ES256";
/// A house with the other algorithm.
pub const HOUSE_ES256: &str = "gatehouse ES256";

/// Connections of each side of a comparison.
pub const COMPARED_AT: usize = 16;

/// How often the sides of a comparison take turns, and for how long at a time.
const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(1500);
const WARM_UP: Duration = Duration::from_millis(300);

/// Who does what, and beside whom.
const COMPARISONS: &[[(&str, &str); 2]] = &[
    [("gatehouse", "refresh"), (LIMIT, "refresh")],
    [(HOUSE_ES256, "refresh"), (LIMIT_ES256, "refresh")],
    [("gatehouse", "list"), (BARE, "bare")],
    [("gatehouse", "no-token"), ("gatehouse", "list")],
    [("gatehouse", "metadata"), (EMPTY, "empty")],
    [("gatehouse", "jwks"), (EMPTY, "empty")],
];

/// A server that runs, and what its visitors share.
pub struct Place {
    /// What it is called.
    pub name: &'static str,
    /// The server.
    pub server: Server,
    /// What they share.
    pub ground: Ground,
}

/// How two sides compare.
pub struct Comparison {
    /// Who, and the scenario.
    pub ours: (&'static str, &'static str),
    /// Our rate by theirs, of each pair of turns, in order of size.
    pub ratios: Vec<f64>,
}

impl Findings {
    /// Lets the sides of each comparison take turns.
    pub async fn compare(
        &mut self,
        plan: &Plan,
        places: &[Place],
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let place = |name| places.iter().find(|place| place.name == name);
        for sides in COMPARISONS {
            let [Some(ours), Some(theirs)] = sides.map(|(name, _)| place(name)) else { continue };
            if !sides.iter().any(|(_, scenario)| plan.includes(scenario)) {
                continue;
            }
            let mut ratios = Vec::new();
            for _ in 0..TURNS {
                let mut rates = [0.0; 2];
                for (rate, (place, (_, scenario))) in
                    rates.iter_mut().zip([ours, theirs].into_iter().zip(sides))
                {
                    let visitors = place.ground.visitors(scenario, COMPARED_AT)?;
                    let driven = drive(place.server.address, visitors, WARM_UP, TURN).await;
                    if let Some(failure) = driven.first_failure {
                        return Err(format!("{}: {scenario}: {failure}", place.name).into());
                    }
                    *rate = driven.rate();
                }
                ratios.push(rates[0] / rates[1]);
            }
            ratios.sort_by(f64::total_cmp);
            self.comparisons.push(Comparison { ours: sides[0], ratios });
        }
        Ok(())
    }

    /// The ratios of a comparison, in order of size.
    pub fn compared(&self, server: &str, scenario: &str) -> Option<&[f64]> {
        let found = self.comparisons.iter().find(|it| it.ours == (server, scenario))?;
        Some(&found.ratios)
    }
}
