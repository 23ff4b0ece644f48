//! The gaps that kept searches show. The only way in which their texts leave the database in clear.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::attribution::searches::recorder::purpose;
use crate::clock::Timestamp;
use crate::domain::gap::{self, Gap, Miss, Signs, weak_below};
use crate::id::SearchId;
use crate::server_secret::ServerSecret;
use crate::store::searches::{KeptText, Kind, list};
use crate::store::{Store, StoreError};
use crate::text::tokens::{QUESTION_TERMS_MAX, terms};

/// The most texts of each kind that are read for one answer, the newest of the time asked for.
pub const TEXTS_MAX: u64 = 20_000;

/// The most misses that are put together, the newest of them.
const MISSES_MAX: usize = 5_000;

/// What kept searches show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gaps {
    /// Those that hurt the most organizations first.
    pub gaps: Vec<Gap>,
    /// How many calls were looked at.
    pub looked_at: u64,
    /// Whether there were more than that in the time asked for.
    pub is_cut: bool,
    /// Texts that this secret does not open.
    pub unreadable: u64,
}

/// The gaps of the time from `from` to before `to`.
pub async fn gaps(
    store: &Store,
    secret: &ServerSecret,
    from: Timestamp,
    to: Timestamp,
) -> Result<Gaps, StoreError> {
    let mut calls: BTreeMap<(i64, u128), Kept> = BTreeMap::new();
    let mut is_cut = false;
    for kind in [Kind::Query, Kind::Context] {
        let texts = list(store.read(), kind, (from, to), TEXTS_MAX).await?;
        is_cut |= texts.len() as u64 == TEXTS_MAX;
        for text in texts {
            let order = (text.asked_at.millis(), uuid_of(text.id));
            let call = calls.entry(order).or_default();
            match kind {
                Kind::Query => call.query = Some(text),
                Kind::Context => call.context = Some(text),
            }
        }
    }
    let looked_at = calls.len() as u64;
    // Much of it is answered well, and nothing of that is opened.
    let misses: Vec<_> = missed(calls.into_values().rev().collect());
    is_cut |= misses.len() > MISSES_MAX;
    let mut unreadable = 0;
    let misses = misses.into_iter().take(MISSES_MAX).filter_map(|(call, signs)| {
        let miss = call.opened(secret, signs);
        unreadable += u64::from(miss.is_none());
        miss
    });
    let gaps = gap::gaps(misses.collect());
    Ok(Gaps { gaps, looked_at, is_cut, unreadable })
}

const fn uuid_of(id: SearchId) -> u128 {
    id.uuid().as_u128()
}

/// The texts of one call.
#[derive(Default)]
struct Kept {
    query: Option<KeptText>,
    context: Option<KeptText>,
}

impl Kept {
    fn any(&self) -> Option<&KeptText> {
        self.query.as_ref().or(self.context.as_ref())
    }

    fn opened(&self, secret: &ServerSecret, signs: Signs) -> Option<Miss> {
        let open = |text: &Option<KeptText>| {
            let Some(KeptText { kind, text_sealed, .. }) = text else { return Some(None) };
            let bytes = secret.unseal(purpose(*kind), text_sealed)?;
            String::from_utf8(bytes).ok().map(Some)
        };
        let (query, context) = (open(&self.query)?, open(&self.context)?);
        let about = query.as_deref().or(context.as_deref()).unwrap_or_default();
        let any = self.any()?;
        Some(Miss {
            terms: terms(about, QUESTION_TERMS_MAX).into_iter().collect::<BTreeSet<_>>(),
            organization: any.organization.clone(),
            query,
            context,
            signs,
            at: any.asked_at.millis(),
        })
    }
}

/// The calls that found no good answer, and by which signs.
fn missed(calls: Vec<Kept>) -> Vec<(Kept, Signs)> {
    let mut scores: HashMap<String, Vec<f64>> = HashMap::new();
    for text in calls.iter().filter_map(Kept::any) {
        if let Some(score) = score_of_a_term(text) {
            scores.entry(text.tool.clone()).or_default().push(score);
        }
    }
    let weak: HashMap<_, _> =
        scores.into_iter().filter_map(|(tool, scores)| Some((tool, weak_below(scores)?))).collect();
    let signs = |call: &Kept| {
        let texts = [&call.query, &call.context];
        let is_reformulated = texts.into_iter().flatten().any(|text| text.is_reformulated);
        let text = call.any()?;
        let bound = weak.get(&text.tool);
        let is_weak = score_of_a_term(text).zip(bound).is_some_and(|(score, bound)| score < *bound);
        let signs = Signs { is_empty: text.results == Some(0), is_weak, is_reformulated };
        signs.any().then_some(signs)
    };
    calls.into_iter().filter_map(|call| signs(&call).map(|signs| (call, signs))).collect()
}

fn score_of_a_term(text: &KeptText) -> Option<f64> {
    let terms = u32::try_from(text.terms).ok().filter(|terms| *terms > 0)?;
    Some(text.top_score? / f64::from(terms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::gap::SCORED_MIN;

    fn kept(number: u128, results: i64, top_score: Option<f64>) -> Kept {
        let query = KeptText {
            id: SearchId::from_uuid(uuid::Uuid::from_u128(number)),
            kind: Kind::Query,
            asked_at: Timestamp::from_seconds(0),
            user_id: None,
            organization: String::new(),
            tool: "search_docs".to_owned(),
            text_sealed: Vec::new(),
            results: Some(results),
            top_score,
            terms: 2,
            is_reformulated: false,
        };
        Kept { query: Some(query), context: None }
    }

    #[test]
    fn a_search_is_missed_when_it_is_empty_weak_or_asked_again() {
        let mut calls: Vec<_> =
            (0..SCORED_MIN as u128).map(|number| kept(number, 5, Some(20.0))).collect();
        calls.push(kept(100, 0, None));
        calls.push(kept(101, 5, Some(3.0)));
        // Another server's answer has no score, and is no weak one.
        calls.push(kept(102, 5, None));
        let mut asked_again = kept(103, 5, Some(20.0));
        asked_again.query.as_mut().unwrap().is_reformulated = true;
        calls.push(asked_again);
        let signs =
            |is_empty, is_weak, is_reformulated| Signs { is_empty, is_weak, is_reformulated };
        let found: Vec<_> = missed(calls)
            .iter()
            .map(|(call, signs)| (uuid_of(call.any().unwrap().id), *signs))
            .collect();
        assert_eq!(
            found,
            [
                (100, signs(true, false, false)),
                (101, signs(false, true, false)),
                (103, signs(false, false, true)),
            ]
        );
    }
}
