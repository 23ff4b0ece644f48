//! Gaps of the documentation: what people looked for and did not find, put together by what it is
//! about.
//!
//! Searches are compared by their terms, as the index makes them of words. The same searches give
//! the same gaps in the same order, whatever order they are read in.

use std::collections::{BTreeMap, BTreeSet};

/// Two searches are about the same when they share so much of all terms of both (Jaccard), in
/// hundredths.
const SHARED_MIN: usize = 40;

/// The most texts of each kind that are shown of a gap.
const TEXTS_MAX: usize = 5;

/// The fewest searches with a score from which it is known what scores are usual.
pub const SCORED_MIN: usize = 10;

/// A best result that scores less than this part of what is usual for the tool is a weak one.
const WEAK_BELOW: f64 = 0.4;

/// Why a search is taken for one that found no good answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// Nothing was found.
    pub is_empty: bool,
    /// The best that was found fits far less than is usual.
    pub is_weak: bool,
    /// The same person asked in other words soon after.
    pub is_reformulated: bool,
}

impl Signs {
    /// Whether there is any sign.
    pub const fn any(self) -> bool {
        self.is_empty || self.is_weak || self.is_reformulated
    }
}

/// A search that found no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What it was about.
    pub terms: BTreeSet<String>,
    /// Whose it was; empty where that is not known.
    pub organization: String,
    /// What was searched for, where that is kept.
    pub query: Option<String>,
    /// What the person wanted, where that is kept.
    pub context: Option<String>,
    /// Why.
    pub signs: Signs,
    /// When, in milliseconds since the epoch.
    pub at: i64,
}

/// What people looked for and did not find.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gap {
    /// What it is about: the terms of the most frequent search.
    pub topic: Vec<String>,
    /// The keys of the organizations that it hurt, in their order; without those not known.
    pub organizations: BTreeSet<String>,
    /// Searches.
    pub searches: u64,
    /// Of these, with no result.
    pub empty: u64,
    /// Of these, with a weak best result.
    pub weak: u64,
    /// Of these, asked again in other words.
    pub reformulated: u64,
    /// What was searched for, the most frequent first, a few.
    pub queries: Vec<String>,
    /// What people wanted, the most frequent first, a few.
    pub contexts: Vec<String>,
    /// The last time, in milliseconds since the epoch.
    pub last_at: i64,
}

/// Whether somebody who asked `earlier` and then `later` asks for the same in other words: more
/// than half of the shorter one's terms are in both, and not all of both.
pub fn is_reformulation(earlier: &BTreeSet<String>, later: &BTreeSet<String>) -> bool {
    let shared = earlier.intersection(later).count();
    earlier != later && shared * 2 > earlier.len().min(later.len())
}

/// Below which score for each term a best result is a weak one. Scores of the index are sums over
/// terms, and how much a term is worth depends on the documentation; so what counts is what is
/// usual there: the median. `None` when too few are known.
pub fn weak_below(mut scores: Vec<f64>) -> Option<f64> {
    if scores.len() < SCORED_MIN {
        return None;
    }
    scores.sort_by(f64::total_cmp);
    Some(scores[scores.len() / 2] * WEAK_BELOW)
}

/// Puts misses together: those that hurt the most organizations first, of these the most frequent.
pub fn gaps(misses: Vec<Miss>) -> Vec<Gap> {
    let mut alike: BTreeMap<BTreeSet<String>, Vec<Miss>> = BTreeMap::new();
    for miss in misses {
        alike.entry(miss.terms.clone()).or_default().push(miss);
    }
    // The most frequent leads: others join it.
    let mut alike: Vec<_> = alike.into_iter().collect();
    alike.sort_by_key(|(_, misses)| std::cmp::Reverse(misses.len()));
    let mut groups: Vec<(BTreeSet<String>, Vec<Miss>)> = Vec::new();
    let mut leaders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (terms, misses) in alike {
        if let Some(group) = nearest(&terms, &groups, &leaders) {
            groups[group].1.extend(misses);
            continue;
        }
        for term in &terms {
            leaders.entry(term.clone()).or_default().push(groups.len());
        }
        groups.push((terms, misses));
    }
    let mut gaps: Vec<_> = groups.into_iter().map(|(terms, misses)| gap(terms, misses)).collect();
    gaps.sort_by(|a, b| {
        let rank = |gap: &Gap| std::cmp::Reverse((gap.organizations.len(), gap.searches));
        rank(a).cmp(&rank(b)).then_with(|| a.topic.cmp(&b.topic))
    });
    gaps
}

/// The group whose leader shares the most, if it shares enough; of equals the first.
fn nearest(
    terms: &BTreeSet<String>,
    groups: &[(BTreeSet<String>, Vec<Miss>)],
    leaders: &BTreeMap<String, Vec<usize>>,
) -> Option<usize> {
    let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
    for group in terms.iter().filter_map(|term| leaders.get(term)).flatten() {
        *shared.entry(*group).or_default() += 1;
    }
    let likeness = |(group, shared): (usize, usize)| {
        let all = terms.len() + groups[group].0.len() - shared;
        (shared * 100 / all.max(1), group)
    };
    let alike = shared.into_iter().map(likeness).filter(|(likeness, _)| *likeness >= SHARED_MIN);
    alike.max_by_key(|(likeness, group)| (*likeness, std::cmp::Reverse(*group))).map(|(_, at)| at)
}

fn gap(terms: BTreeSet<String>, misses: Vec<Miss>) -> Gap {
    let mut gap = Gap { topic: terms.into_iter().collect(), ..Gap::default() };
    let (mut queries, mut contexts) = (Vec::new(), Vec::new());
    for Miss { organization, query, context, signs, at, .. } in misses {
        gap.searches += 1;
        gap.empty += u64::from(signs.is_empty);
        gap.weak += u64::from(signs.is_weak);
        gap.reformulated += u64::from(signs.is_reformulated);
        gap.last_at = gap.last_at.max(at);
        if !organization.is_empty() {
            gap.organizations.insert(organization);
        }
        queries.extend(query);
        contexts.extend(context);
    }
    gap.queries = most_frequent(queries);
    gap.contexts = most_frequent(contexts);
    gap
}

fn most_frequent(texts: Vec<String>) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().take(TEXTS_MAX).map(|(text, _)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(words: &str) -> BTreeSet<String> {
        words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    fn miss(words: &str, organization: &str, at: i64) -> Miss {
        Miss {
            terms: terms(words),
            organization: organization.to_owned(),
            query: Some(words.to_owned()),
            context: None,
            signs: Signs { is_empty: true, ..Signs::default() },
            at,
        }
    }

    #[test]
    fn other_words_for_the_same_are_a_reformulation() {
        for (earlier, later, expected) in [
            ("retent", "log retent hour", true),
            ("sasl scram user", "scram user creat", true),
            ("sasl scram", "scram user", false),
            ("topic", "topic", false),
            ("topic", "broker", false),
            ("", "broker", false),
        ] {
            let is_one = is_reformulation(&terms(earlier), &terms(later));
            assert_eq!(is_one, expected, "{earlier} / {later}");
        }
    }

    #[test]
    fn weak_is_far_below_what_is_usual() {
        assert_eq!(weak_below(vec![1.0; SCORED_MIN - 1]), None);
        let scores = [vec![0.1, 0.2], vec![10.0; SCORED_MIN]].concat();
        assert_eq!(weak_below(scores), Some(4.0));
    }

    #[test]
    fn what_hurts_more_organizations_comes_first_and_then_what_is_more_frequent() {
        let misses = vec![
            miss("export csv", "domain:a.example", 1),
            miss("export csv", "domain:a.example", 2),
            miss("csv export file", "domain:a.example", 3),
            miss("audit log", "domain:a.example", 4),
            miss("audit log", "domain:b.example", 5),
            miss("rack", "", 6),
            miss("rack", "", 7),
        ];
        let found = gaps(misses.clone());
        let lines: Vec<_> = found
            .iter()
            .map(|gap| (gap.topic.join(" "), gap.organizations.len(), gap.searches, gap.last_at))
            .collect();
        assert_eq!(
            lines,
            [
                ("audit log".to_owned(), 2, 2, 5),
                ("csv export".to_owned(), 1, 3, 3),
                ("rack".to_owned(), 0, 2, 7),
            ]
        );
        assert_eq!(found[1].queries, ["export csv", "csv export file"]);
        // In whatever order they come.
        let mut reversed = misses;
        reversed.reverse();
        assert_eq!(gaps(reversed), found);
    }

    #[test]
    fn each_search_lies_in_one_gap() {
        let words =
            |number: usize| format!("word{} word{} word{}", number % 7, number % 11, number);
        let misses: Vec<_> = (0..500).map(|number| miss(&words(number), "", 0)).collect();
        let found = gaps(misses);
        assert_eq!(found.iter().map(|gap| gap.searches).sum::<u64>(), 500);
        assert!(gaps(Vec::new()).is_empty());
    }
}
