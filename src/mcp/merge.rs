//! One answer from several sources: what they share is said once, and what more of them found comes
//! first.
//!
//! Scores of different sources say nothing to each other; places do. So each section gets, from
//! every source that has it, the inverse of its place (reciprocal rank fusion; Cormack, Clarke and
//! Büttcher, SIGIR 2009). The same sources always give the same answer.

use std::collections::BTreeSet;

use url::Url;

use crate::mcp::sections::Section;
use crate::text::cut;

/// Keeps the first place of one source from outweighing two second places (the value of the paper).
const DAMPING: f64 = 60.0;

/// Words of a text that are compared.
const WORDS_MAX: usize = 400;

/// Words in a row that are looked for in the other text.
const RUN: usize = 3;

/// Texts with fewer runs are the same only if they are equal.
const RUNS_MIN: usize = 5;

/// So much of the shorter text in the longer one makes them the same.
const SHARED_MIN: f64 = 0.7;

struct Candidate {
    section: Section,
    marks: Marks,
    source: usize,
    place: usize,
    score: f64,
}

/// What tells a section from others.
struct Marks {
    page: Option<String>,
    fragment: Option<String>,
    heading: String,
    words: Vec<String>,
}

/// Merges lists, each best first. Of what two of them have, the section of the earlier list stays.
pub fn merged(lists: Vec<Vec<Section>>, limit: usize, max_chars: usize) -> Vec<Section> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (source, list) in lists.into_iter().enumerate() {
        for (place, section) in list.into_iter().enumerate() {
            let marks = Marks::of(&section);
            // A list has a few dozen entries at most, and its place is a small number.
            let score = 1.0 / (DAMPING + 1.0 + f64::from(u32::try_from(place).unwrap_or(u32::MAX)));
            match candidates.iter_mut().find(|other| marks.are_of_the_same_as(&other.marks)) {
                // One source that repeats itself has no second voice.
                Some(twin) if twin.source == source => {}
                Some(twin) => {
                    twin.score += score;
                    twin.section.url = twin.section.url.take().or(section.url);
                }
                None => candidates.push(Candidate { section, marks, source, place, score }),
            }
        }
    }
    candidates.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then((a.source, a.place).cmp(&(b.source, b.place)))
    });
    candidates.truncate(limit);
    let sections = candidates.into_iter().map(|candidate| Section {
        score: (candidate.score * 10_000.0).round() / 10_000.0,
        ..candidate.section
    });
    within(sections.collect(), max_chars)
}

/// Cuts the texts to a budget that they share.
pub fn within(mut sections: Vec<Section>, max_chars: usize) -> Vec<Section> {
    let length = |section: &Section| section.text.chars().take(max_chars).count();
    let lengths: Vec<_> = sections.iter().map(length).collect();
    for (section, share) in sections.iter_mut().zip(cut::share(&lengths, max_chars)) {
        section.text = cut::head(&section.text, share).to_owned();
    }
    sections
}

impl Marks {
    fn of(section: &Section) -> Self {
        let url = section.url.as_deref().and_then(|url| Url::parse(url).ok());
        let fragment = url.as_ref().and_then(|url| url.fragment().map(str::to_owned));
        let name = match section.heading.as_str() {
            "" => &section.title,
            heading => heading.rsplit(" > ").next().unwrap_or(heading),
        };
        Self {
            page: url.as_ref().map(page),
            fragment: fragment.filter(|fragment| !fragment.is_empty()),
            heading: words(name).collect::<Vec<_>>().join(" "),
            words: words(&section.text).take(WORDS_MAX).collect(),
        }
    }

    fn are_of_the_same_as(&self, other: &Self) -> bool {
        let is_same_page = self.page.is_some() && self.page == other.page;
        let is_same_place = is_same_page
            && (self.heading == other.heading
                || (self.fragment.is_some() && self.fragment == other.fragment));
        is_same_place || is_same_text(&self.words, &other.words)
    }
}

/// A page's address without what does not tell it from others.
fn page(url: &Url) -> String {
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/index.html").or_else(|| path.strip_suffix(".html"));
    let path = path.unwrap_or_else(|| url.path().trim_end_matches('/'));
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    format!("{host}{path}?{}", url.query().unwrap_or_default())
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

fn is_same_text(left: &[String], right: &[String]) -> bool {
    let (left_runs, right_runs) = (runs(left), runs(right));
    let fewer = left_runs.len().min(right_runs.len());
    if fewer < RUNS_MIN {
        return !left.is_empty() && left == right;
    }
    let shared = left_runs.intersection(&right_runs).count();
    // Both are below `WORDS_MAX`.
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    count(shared) >= SHARED_MIN * count(fewer)
}

fn runs(words: &[String]) -> BTreeSet<&[String]> {
    words.windows(RUN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(title: &str, url: &str, heading: &str, text: &str) -> Section {
        Section {
            title: title.to_owned(),
            url: (!url.is_empty()).then(|| url.to_owned()),
            heading: heading.to_owned(),
            text: text.to_owned(),
            ..Section::default()
        }
    }

    fn titles(sections: &[Section]) -> Vec<&str> {
        sections.iter().map(|section| section.title.as_str()).collect()
    }

    fn of_titles(titles: &str) -> Vec<Section> {
        titles.chars().map(|c| section(&c.to_string(), "", "", &c.to_string())).collect()
    }

    #[test]
    fn what_both_sources_have_comes_first_and_the_rest_takes_turns() {
        for (local, remote, expected) in [
            ("abc", "xyz", vec!["a", "x", "b", "y", "c", "z"]),
            ("abc", "cxa", vec!["a", "c", "b", "x"]),
            ("", "xy", vec!["x", "y"]),
            ("ab", "", vec!["a", "b"]),
            ("aab", "", vec!["a", "b"]),
        ] {
            let lists = vec![of_titles(local), of_titles(remote)];
            assert_eq!(titles(&merged(lists, 9, 1_000)), expected, "{local} {remote}");
        }
    }

    #[test]
    fn a_limit_and_a_budget_hold_for_all_sources_together() {
        let long = |title: &str| section(title, "", "", &format!("{title} ").repeat(100));
        let lists = vec![vec![long("a"), long("b")], vec![long("x"), long("y")]];
        let merged = merged(lists, 3, 90);
        assert_eq!(titles(&merged), ["a", "x", "b"]);
        let lengths: Vec<_> = merged.iter().map(|section| section.text.chars().count()).collect();
        assert_eq!(lengths, [30, 30, 30]);
    }

    #[test]
    fn sections_are_the_same_by_address_by_heading_or_by_text() {
        let text = "Upgrade the brokers one at a time, and wait until each of them is back.";
        let other = "Every topic has partitions, which the brokers hold for their clients.";
        let local = section("Upgrade", "https://docs.example.com/up/#how", "How", text);
        for (url, heading, words, is_same) in [
            ("http://www.docs.example.com/up.html#how", "Ways", other, true),
            ("https://docs.example.com/up", "how", other, true),
            ("https://docs.example.com/up#why", "Why", other, false),
            ("https://docs.example.com/down#how", "How", other, false),
            ("https://blog.example.org/", "Else", &format!("> {text} Then drink."), true),
            ("", "", text, true),
            ("", "", "Upgrade the brokers", false),
        ] {
            let lists = vec![vec![local.clone()], vec![section("B", url, heading, words)]];
            let count = merged(lists, 9, 9_000).len();
            assert_eq!(count == 1, is_same, "{url} {heading} {words}");
        }
    }

    #[test]
    fn a_source_that_repeats_itself_gains_nothing_by_it() {
        let lists = vec![of_titles("ab"), of_titles("xxxb")];
        assert_eq!(titles(&merged(lists, 9, 100)), ["b", "a", "x"]);
    }
}
