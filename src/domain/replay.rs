//! What a policy would have done with the traffic that was recorded, by the same rule that decides
//! about requests.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::day::Day;
use crate::domain::enforcement::{
    Asked, Bucket, Decision, NOBODY, NetworkHash, Policy, Standing, decide,
};
use crate::domain::product::UNKNOWN;

/// Requests of one caller that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The caller.
    pub network_hash: NetworkHash,
    /// What may be shown of their network.
    pub network: String,
    /// With which product.
    pub product: String,
    /// Which tool; empty for none.
    pub tool: String,
    /// Which method; empty for requests that were not read.
    pub method: String,
    /// Requests.
    pub calls: u64,
    /// How many of them were asked to sign in when they came.
    pub challenged: u64,
}

/// Requests, and those among them that the policy would ask to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Different callers.
    pub callers: u64,
    /// Requests.
    pub calls: u64,
    /// Callers of whom at least one request would be asked.
    pub asked_callers: u64,
    /// Requests that would be.
    pub asked_calls: u64,
}

/// Whether a product is known to sign in here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignsIn {
    /// People use it signed in: it will ask its person.
    Seen,
    /// Nobody has: it would break, as far as anybody knows.
    Never,
    /// It does not say what it is.
    Unnamed,
}

impl SignsIn {
    /// In plain words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Seen => "will ask its person to sign in",
            Self::Never => "has never signed in here: would break",
            Self::Unnamed => "does not say what it is",
        }
    }
}

/// What is known of signed-in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedIn {
    /// Products that people have used signed in.
    pub products: BTreeSet<String>,
    /// Calls of tools by people on the report's days.
    pub tool_calls: u64,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
    /// What was replayed.
    pub policy: Policy,
    /// All requests without a token.
    pub total: Sum,
    /// How many of them were asked to sign in when they came.
    pub challenged: u64,
    /// How many of them call a tool.
    pub tool_calls: u64,
    /// Calls of tools by people who are signed in.
    pub signed_in_tool_calls: u64,
    /// Requests whose callers could not be kept apart; not in any other number.
    pub unattributed: u64,
    /// By client product, those most asked first.
    pub products: Vec<(String, SignsIn, Sum)>,
    /// By network, those most asked first.
    pub networks: Vec<(String, Sum)>,
    /// By tool, or by method where none is called, those most asked first.
    pub tools: Vec<(String, Sum)>,
}

/// A replay under way. Callers come one after the other, each whole.
#[derive(Debug)]
pub struct Replay {
    policy: Policy,
    total: Sum,
    challenged: u64,
    tool_calls: u64,
    unattributed: u64,
    products: BTreeMap<String, Sum>,
    networks: BTreeMap<String, Sum>,
    tools: BTreeMap<String, Sum>,
}

impl Replay {
    /// Of a policy.
    pub fn of(policy: Policy) -> Self {
        Self {
            policy,
            total: Sum::default(),
            challenged: 0,
            tool_calls: 0,
            unattributed: 0,
            products: BTreeMap::new(),
            networks: BTreeMap::new(),
            tools: BTreeMap::new(),
        }
    }

    /// Adds everything of one caller.
    pub fn add(&mut self, caller: &[Seen]) {
        let mut of_caller = Parts::default();
        for seen in caller {
            if seen.network_hash == NOBODY {
                self.unattributed += seen.calls;
                continue;
            }
            let tool = (!seen.tool.is_empty()).then_some(seen.tool.as_str());
            let asked = Asked { product: &seen.product, tool };
            let bucket = Bucket::of(&seen.network_hash);
            let decision = decide(&self.policy, Standing::InForce, bucket, asked);
            self.challenged += seen.challenged;
            if tool.is_some() {
                self.tool_calls += seen.calls;
            }
            of_caller.add(seen, decision);
        }
        let Parts { all, products, networks, tools } = of_caller;
        if let Some(sum) = all {
            merge(&mut self.total, &sum);
        }
        for (sums, parts) in [
            (&mut self.products, products),
            (&mut self.networks, networks),
            (&mut self.tools, tools),
        ] {
            for (key, part) in parts {
                merge(sums.entry(key.to_owned()).or_default(), &part);
            }
        }
    }

    /// Ends it.
    pub fn report(self, (from, to): (Day, Day), signed_in: &SignedIn) -> Report {
        let products = sorted(self.products).into_iter().map(|(product, sum)| {
            let signs_in = match product.as_str() {
                UNKNOWN => SignsIn::Unnamed,
                named if signed_in.products.contains(named) => SignsIn::Seen,
                _ => SignsIn::Never,
            };
            (product, signs_in, sum)
        });
        Report {
            from,
            to,
            policy: self.policy,
            total: self.total,
            challenged: self.challenged,
            tool_calls: self.tool_calls,
            signed_in_tool_calls: signed_in.tool_calls,
            unattributed: self.unattributed,
            products: products.collect(),
            networks: sorted(self.networks),
            tools: sorted(self.tools),
        }
    }
}

/// What one caller adds to each sum: they are one caller in each, however many requests they made.
#[derive(Default)]
struct Parts<'a> {
    all: Option<Sum>,
    products: BTreeMap<&'a str, Sum>,
    networks: BTreeMap<&'a str, Sum>,
    tools: BTreeMap<&'a str, Sum>,
}

impl<'a> Parts<'a> {
    fn add(&mut self, seen: &'a Seen, decision: Decision) {
        let (asked_callers, asked_calls) = match decision {
            Decision::Challenge(_) => (1, seen.calls),
            Decision::Pass => (0, 0),
        };
        let what = match (seen.tool.as_str(), seen.method.as_str()) {
            ("", "") => "(not read)",
            ("", method) => method,
            (tool, _) => tool,
        };
        let sums = [
            self.all.get_or_insert_default(),
            self.products.entry(&seen.product).or_default(),
            self.networks.entry(&seen.network).or_default(),
            self.tools.entry(what).or_default(),
        ];
        for sum in sums {
            sum.callers = 1;
            sum.calls += seen.calls;
            sum.asked_callers = sum.asked_callers.max(asked_callers);
            sum.asked_calls += asked_calls;
        }
    }
}

const fn merge(sum: &mut Sum, part: &Sum) {
    sum.callers += part.callers;
    sum.calls += part.calls;
    sum.asked_callers += part.asked_callers;
    sum.asked_calls += part.asked_calls;
}

/// Those that are most asked first, of equals those with the most requests.
fn sorted(sums: BTreeMap<String, Sum>) -> Vec<(String, Sum)> {
    let mut sorted: Vec<_> = sums.into_iter().collect();
    sorted.sort_by_key(|(_, sum)| std::cmp::Reverse((sum.asked_calls, sum.calls)));
    sorted
}

impl Report {
    /// How many of a thousand calls of tools came without a token; `None` without any call.
    pub fn anonymous_per_mille(&self) -> Option<u64> {
        let all = self.tool_calls + self.signed_in_tool_calls;
        (self.tool_calls * 1_000).checked_div(all)
    }

    /// What to do next, in plain words.
    pub fn advice(&self) -> Vec<String> {
        if self.total.calls == 0 {
            return vec![
                "Nothing came without a token on these days. If auth was grace all the time, set \
                 auth = \"enforce\"."
                    .to_owned(),
            ];
        }
        if self.total.asked_calls == 0 {
            return vec!["This policy would ask nobody to sign in.".to_owned()];
        }
        let named = |wanted: SignsIn| {
            let of_kind = self
                .products
                .iter()
                .filter(move |(_, signs_in, sum)| *signs_in == wanted && sum.asked_calls > 0);
            of_kind.map(|(product, _, _)| product.as_str()).collect::<Vec<_>>().join(", ")
        };
        let mut advice = Vec::new();
        let (seen, never) = (named(SignsIn::Seen), named(SignsIn::Never));
        if !seen.is_empty() {
            advice
                .push(format!("Signed in here before: {seen}. Begin with them: enforce_clients."));
        }
        if !never.is_empty() {
            advice.push(format!(
                "Never signed in here: {never}. Try each by hand before it is asked; see \
                 docs/clients.md for what is known of it."
            ));
        }
        if !named(SignsIn::Unnamed).is_empty() {
            advice.push(
                "Some clients do not say what they are: programs and scripts, mostly. A small \
                 enforce_share shows how many of them come back."
                    .to_owned(),
            );
        }
        if self.unattributed > 0 {
            advice.push(format!(
                "{} requests are in no line: there were too many callers to keep them apart.",
                self.unattributed
            ));
        }
        advice.push(
            "Raise enforce_share step by step, with a day between the steps, and look at \
             `gatehouse enforcement status`; when all are asked and come back, set \
             auth = \"enforce\"."
                .to_owned(),
        );
        advice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::enforcement::Share;

    fn seen(caller: u8, product: &str, tool: &str, calls: u64) -> Seen {
        Seen {
            network_hash: [caller; 32],
            network: "198.51.100.0/24".to_owned(),
            product: product.to_owned(),
            tool: tool.to_owned(),
            method: if tool.is_empty() { "initialize" } else { "tools/call" }.to_owned(),
            calls,
            challenged: 0,
        }
    }

    fn report(policy: Policy, callers: &[&[Seen]]) -> Report {
        let mut replay = Replay::of(policy);
        for caller in callers {
            replay.add(caller);
        }
        let products = BTreeSet::from(["Cursor".to_owned()]);
        let day = Day::from_number(7);
        replay.report((day, day), &SignedIn { products, tool_calls: 10 })
    }

    const fn sum(callers: u64, calls: u64, asked_callers: u64, asked_calls: u64) -> Sum {
        Sum { callers, calls, asked_callers, asked_calls }
    }

    #[test]
    fn a_caller_is_one_in_each_sum_and_each_request_is_decided_by_the_rule() {
        let policy = Policy {
            clients: BTreeSet::from(["Cursor".to_owned()]),
            tools: BTreeSet::from(["read_page".to_owned()]),
            ..Policy::default()
        };
        let first =
            [seen(1, "Cursor", "", 2), seen(1, "Zed", "search_docs", 3), seen(1, "Zed", "", 4)];
        let second = [seen(2, "Zed", "read_page", 5), seen(2, "unknown", "search_docs", 6)];
        let third = [seen(3, "Zed", "search_docs", 7)];
        let lost = [Seen { network_hash: NOBODY, ..seen(0, "Cursor", "", 100) }];
        let report = report(policy, &[&lost, &first, &second, &third]);
        assert_eq!(report.total, sum(3, 27, 2, 7));
        assert_eq!((report.unattributed, report.tool_calls), (100, 21));
        assert_eq!(report.anonymous_per_mille(), Some(677));
        assert_eq!(
            report.products,
            [
                ("Zed".to_owned(), SignsIn::Never, sum(3, 19, 1, 5)),
                ("Cursor".to_owned(), SignsIn::Seen, sum(1, 2, 1, 2)),
                ("unknown".to_owned(), SignsIn::Unnamed, sum(1, 6, 0, 0)),
            ]
        );
        assert_eq!(
            report.tools,
            [
                ("read_page".to_owned(), sum(1, 5, 1, 5)),
                ("initialize".to_owned(), sum(1, 6, 1, 2)),
                ("search_docs".to_owned(), sum(3, 16, 0, 0)),
            ]
        );
        assert_eq!(report.networks, [("198.51.100.0/24".to_owned(), sum(3, 27, 2, 7))]);
    }

    #[test]
    fn advice_names_who_can_and_who_would_break() {
        let callers = [seen(1, "Cursor", "", 1), seen(1, "Zed", "", 1)];
        let advice = report(Policy::everybody(), &[&callers]).advice();
        assert!(advice[0].starts_with("Signed in here before: Cursor."), "{advice:?}");
        assert!(advice[1].starts_with("Never signed in here: Zed."), "{advice:?}");
        let nobody = Policy { share: Share::default(), ..Policy::default() };
        assert_eq!(report(nobody, &[&callers]).advice().len(), 1);
        assert!(report(Policy::everybody(), &[]).advice()[0].starts_with("Nothing came"));
    }
}
