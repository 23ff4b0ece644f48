//! Pictures of numbers, drawn here: SVG without a script, in the colours of the stylesheet.
//!
//! A picture holds shapes and no letters, which would be too small on a phone: what it says stands
//! around it, and all of its numbers in a table below, for those who do not see it.

use maud::{Markup, html};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;

/// A row of numbers over time.
#[derive(Clone, Debug)]
pub struct Series<'a> {
    /// Tells it from others of the page; letters and hyphens.
    pub id: &'a str,
    /// What is counted, for the heading.
    pub title: &'a str,
    /// What one number is, for the table.
    pub unit: &'a str,
    /// A day and its number, in order.
    pub points: Vec<(String, i64)>,
}

/// Names and their numbers, the largest first.
#[derive(Clone, Debug)]
pub struct Ranking<'a> {
    /// Tells it from others of the page.
    pub id: &'a str,
    /// What is counted, for the heading.
    pub title: &'a str,
    /// What a name is, for the table.
    pub of: &'a str,
    /// What one number is, for the table.
    pub unit: &'a str,
    /// What is to be said before it.
    pub note: Option<&'a str>,
    /// A name, where it leads, and its number.
    pub entries: Vec<(String, Option<String>, i64)>,
}

/// Columns over time.
pub fn columns(series: &Series<'_>) -> Markup {
    let total = series.points.iter().fold(0_i64, |sum, (_, value)| sum.saturating_add(*value));
    let most = series.points.iter().max_by_key(|(_, value)| *value);
    let heading = format!("{}-heading", series.id);
    let described = format!("{}-description", series.id);
    html! {
        section.chart aria-labelledby=(heading) {
            h2 id=(heading) { (series.title) }
            @match (series.points.first(), series.points.last(), most) {
                (Some((first, _)), Some((last, _)), Some((day, value))) if *value > 0 => {
                    p.quiet id=(described) {
                        (total) " from " (first) " to " (last) "; the most on " (day) ": " (value)
                    }
                    svg role="img" aria-labelledby=(heading) aria-describedby=(described)
                        viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none"
                    {
                        title { (series.title) }
                        (shapes(series))
                    }
                    p.ends aria-hidden="true" { span { (first) } span { (last) } }
                    details {
                        summary { "The numbers" }
                        div { (table(series)) }
                    }
                }
                (Some((first, _)), Some((last, _)), _) => {
                    p { "Nothing from " (first) " to " (last) "." }
                }
                _ => p { "Nothing yet." },
            }
        }
    }
}

fn shapes(series: &Series<'_>) -> Markup {
    let count = series.points.len();
    let values: Vec<i64> = series.points.iter().map(|(_, value)| *value).collect();
    html! {
        line class="axis" x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
        @for (number, height) in heights(&values).into_iter().enumerate() {
            @let (x, width) = slot(number, count);
            @if height > 0.0 {
                rect x=(px(x)) y=(px(HEIGHT - height)) width=(px(width)) height=(px(height)) {}
            }
        }
    }
}

/// How high each column is. What is there at all is seen, however little it is of the largest.
fn heights(values: &[i64]) -> Vec<f64> {
    let largest = values.iter().copied().max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a picture is not that exact")]
    let height = |value: i64| match value {
        ..=0 => 0.0,
        value => (value as f64 / largest as f64 * HEIGHT).max(2.0),
    };
    values.iter().copied().map(height).collect()
}

/// Where a column stands, and how wide it is.
fn slot(number: usize, count: usize) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "there are as many as days of a year")]
    let (number, count) = (number as f64, count.max(1) as f64);
    let slot = WIDTH / count;
    (number * slot + slot * 0.1, slot * 0.8)
}

fn px(length: f64) -> String {
    format!("{length:.2}")
}

fn table(series: &Series<'_>) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label=(format!("{}, numbers", series.title)) {
            table {
                thead { tr { th scope="col" { "Day" } th.number scope="col" { (series.unit) } } }
                tbody {
                    @for (day, value) in &series.points {
                        tr { td { (day) } td.number { (value) } }
                    }
                }
            }
        }
    }
}

/// Bars beside names: the table is the picture.
pub fn ranking(ranking: &Ranking<'_>) -> Markup {
    let heading = format!("{}-heading", ranking.id);
    let values: Vec<i64> = ranking.entries.iter().map(|(_, _, value)| *value).collect();
    html! {
        section.chart aria-labelledby=(heading) {
            h2 id=(heading) { (ranking.title) }
            @if let Some(note) = ranking.note { p.quiet { (note) } }
            @if ranking.entries.is_empty() {
                p { "Nothing yet." }
            } @else {
                table.ranking {
                    thead { tr {
                        th scope="col" { (ranking.of) }
                        th.number scope="col" { (ranking.unit) }
                    } }
                    tbody {
                        @for ((name, href, value), height) in
                            ranking.entries.iter().zip(heights(&values))
                        {
                            tr {
                                td {
                                    @match href {
                                        Some(href) => a href=(href) { (name) },
                                        None => (name),
                                    }
                                    svg aria-hidden="true" viewBox=(format!("0 0 {HEIGHT} 4"))
                                        preserveAspectRatio="none"
                                    { rect x="0" y="0" width=(px(height)) height="4" {} }
                                }
                                td.number { (value) }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[i64]) -> String {
        let points = values.iter().enumerate();
        let points = points.map(|(at, value)| (format!("2027-01-{at:02}"), *value)).collect();
        columns(&Series { id: "calls", title: "Calls", unit: "Calls", points }).into_string()
    }

    fn ranked(entries: &[(&str, i64)]) -> String {
        let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), None, *value));
        let (of, unit) = ("Organization", "People");
        let entries = entries.collect();
        ranking(&Ranking { id: "o", title: "Organizations", of, unit, note: None, entries })
            .into_string()
    }

    /// Every number that a shape is made of.
    fn lengths(svg: &str) -> Vec<f64> {
        let parts = svg.split([' ', '<']).filter_map(|part| {
            let (name, value) = part.split_once("=\"")?;
            let is_length = matches!(name, "x" | "y" | "width" | "height" | "x1" | "x2");
            is_length.then(|| value.split('"').next().unwrap_or_default())
        });
        parts.map(|value| value.parse().expect(value)).collect()
    }

    #[test]
    fn every_shape_lies_inside_whatever_the_numbers_are() {
        let year: Vec<i64> = (0..366).collect();
        for values in [
            &[0][..],
            &[0, 0, 0],
            &[1],
            &[i64::MAX],
            &[i64::MAX, i64::MAX, 1],
            &[-5, 3],
            &[i64::MIN, i64::MAX],
            &year,
        ] {
            let svg = drawn(values);
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{values:?}: {svg}");
            for length in lengths(&svg) {
                assert!((0.0..=WIDTH).contains(&length), "{values:?}: {length}");
            }
        }
    }

    #[test]
    fn one_column_is_as_high_as_the_picture_and_little_is_seen() {
        assert!(drawn(&[7]).contains("height=\"160.00\""));
        assert_eq!(heights(&[1_000_000, 1, 0]), [HEIGHT, 2.0, 0.0]);
    }

    #[test]
    fn without_data_there_is_no_picture() {
        assert!(!drawn(&[]).contains("<svg"));
        assert!(drawn(&[]).contains("Nothing yet."));
        assert!(!drawn(&[0, 0]).contains("<svg"));
        assert!(drawn(&[0, 0]).contains("Nothing from 2027-01-00 to 2027-01-01."));
        assert!(ranked(&[]).contains("Nothing yet."));
    }

    #[test]
    fn names_of_strangers_are_text() {
        let evil = "</title><script>alert(1)</script>\"'";
        let html = ranked(&[(evil, 3), ("", 1)]);
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn a_picture_says_what_it_shows() {
        let html = drawn(&[1, 5, 2]);
        assert!(html.contains("role=\"img\"") && html.contains("<title>Calls</title>"), "{html}");
        assert!(html.contains("8 from 2027-01-00 to 2027-01-02; the most on 2027-01-01: 5"));
        assert!(html.contains("<td>2027-01-01</td><td class=\"number\">5</td>"), "{html}");
    }
}
