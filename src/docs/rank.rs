//! From candidates of the index to the sections of an answer.

use std::collections::HashSet;

use super::{index::SectionAddress, page::Page};

/// Sections of one page in an answer. The best two show what a page has to say; further ones
/// would push out the page that says it better.
const HITS_PER_PAGE_MAX: usize = 2;

/// What the second section of a page is worth beside the first: whoever reads the first is on that
/// page already, and another page may be the right one.
const SECOND_WORTH: f32 = 0.6;

/// A section is worth more on a page whose other sections match as well: that page is about the
/// question, another one may only mention it. So much of the scores of its best neighbours is
/// added; more than this lets long pages win.
const SUPPORT: f32 = 0.1;
const SUPPORTERS_MAX: usize = 3;

/// The best candidates, few of any one page and no text twice: sites repeat the same passage on
/// the page of every platform.
pub fn best(
    pages: &[Page],
    candidates: &[(SectionAddress, f32)],
    limit: usize,
) -> Vec<(SectionAddress, f32)> {
    let mut ranked: Vec<(SectionAddress, f32)> = candidates
        .iter()
        .map(|(at, score)| (*at, score + SUPPORT * support(*at, candidates)))
        .collect();
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut seen = HashSet::new();
    for (at, score) in &mut ranked {
        if !seen.insert(at.page) {
            *score *= SECOND_WORTH;
        }
    }
    ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let body = |at: SectionAddress| pages[at.page].document.body(at.section);
    let mut chosen: Vec<(SectionAddress, f32)> = Vec::with_capacity(limit);
    for (at, score) in ranked {
        if chosen.len() == limit {
            break;
        }
        let of_this_page = chosen.iter().filter(|(other, _)| other.page == at.page).count();
        let is_repeated = chosen.iter().any(|(other, _)| body(*other) == body(at));
        if of_this_page < HITS_PER_PAGE_MAX && !is_repeated {
            chosen.push((at, score));
        }
    }
    chosen
}

/// What the best other candidates of the same page score together. Candidates come best first.
fn support(at: SectionAddress, candidates: &[(SectionAddress, f32)]) -> f32 {
    let neighbours = candidates.iter().filter(|(other, _)| other.page == at.page && *other != at);
    neighbours.take(SUPPORTERS_MAX).map(|(_, score)| score).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::markdown;

    fn page(path: &str, markdown: &str) -> Page {
        Page {
            path: path.to_owned(),
            public_path: path.to_owned(),
            url: None,
            aliases: Vec::new(),
            document: markdown::read(markdown, path),
        }
    }

    fn at(page: usize, section: usize) -> SectionAddress {
        SectionAddress { page, section }
    }

    fn order(candidates: &[(SectionAddress, f32)], limit: usize) -> Vec<SectionAddress> {
        let pages = [
            page("a", "# A\n\nx\n\n## B\n\ny\n\n## C\n\nz\n"),
            page("d", "# D\n\nw\n\n## E\n\ny\n"),
        ];
        best(&pages, candidates, limit).into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn no_page_fills_an_answer_alone() {
        let candidates = [(at(0, 0), 9.0), (at(0, 1), 8.0), (at(0, 2), 7.0), (at(1, 0), 1.0)];
        assert_eq!(order(&candidates, 9), [at(0, 0), at(0, 1), at(1, 0)]);
    }

    #[test]
    fn a_repeated_text_is_shown_once() {
        assert_eq!(order(&[(at(0, 1), 5.0), (at(1, 1), 4.9)], 9), [at(0, 1)]);
    }

    #[test]
    fn matching_neighbours_lift_a_section() {
        let candidates = [(at(1, 0), 5.1), (at(0, 0), 5.0), (at(0, 2), 4.0)];
        assert_eq!(order(&candidates, 1), [at(0, 0)]);
    }

    #[test]
    fn an_answer_has_no_more_sections_than_asked_for() {
        assert_eq!(order(&[(at(0, 0), 2.0), (at(1, 0), 1.0)], 1).len(), 1);
        assert_eq!(order(&[(at(0, 0), 2.0)], 0).len(), 0);
    }
}
