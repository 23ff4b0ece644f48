//! What the lists of the admin pages and of the admin API are asked for. Every parameter is read
//! once and by its name; one that is repeated, unknown or out of range is a problem that names it.

use gatehouse_api::admin::answer::{Form, Problem};
use gatehouse_api::visit::Visit;
use http::StatusCode;
use uuid::Uuid;

use crate::store::listings::Window;

/// Rows of a list that says no other number.
const ROWS: u64 = 50;
const ROWS_MAX: u64 = 500;

/// Parameters that nobody has read yet.
pub struct Asked {
    pairs: Vec<(String, String)>,
    wants_csv: bool,
}

impl Asked {
    /// Those of a request.
    pub fn of(visit: &Visit) -> Self {
        // An empty field of a form is one that was not filled in.
        let pairs = visit.query_pairs().into_iter().filter(|(_, value)| !value.is_empty());
        let accept = visit.header("accept").unwrap_or_default();
        // Browsers name it nowhere, so whoever does wants it.
        Self { pairs: pairs.collect(), wants_csv: accept.contains("text/csv") }
    }

    /// None at all: what a list shows by itself.
    pub const fn nothing() -> Self {
        Self { pairs: Vec::new(), wants_csv: false }
    }

    /// Takes a text, if there is one.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let is_it = |pair: &mut (String, String)| pair.0 == name;
        let mut found = self.pairs.extract_if(.., is_it).map(|(_, value)| value);
        let (first, second) = (found.next(), found.next());
        if second.is_some() { Err(bad(name, "It came more than once.")) } else { Ok(first) }
    }

    /// Takes a value and reads it with `parse`, if there is one.
    pub fn read<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        parse(&text).map(Some).ok_or_else(|| bad(name, expected))
    }

    /// Takes `true` or `false`, if it is there.
    pub fn switch(&mut self, name: &str) -> Result<Option<bool>, Problem> {
        self.read(name, "It must be true or false.", |text| text.parse().ok())
    }

    /// Takes a word that asks for more, such as `include=email`.
    pub fn includes(&mut self, word: &str) -> Result<bool, Problem> {
        let expected = format!("It must be {word}.");
        let found = self.read("include", &expected, |text| (text == word).then_some(()))?;
        Ok(found.is_some())
    }

    /// Takes which part of a list is wanted.
    pub fn window(&mut self) -> Result<Window, Problem> {
        let is_some = |rows: &u64| (1..=ROWS_MAX).contains(rows);
        let rows = self.read("limit", "It must be a number from 1 to 500.", |text| {
            text.parse().ok().filter(is_some)
        })?;
        let after =
            self.read("after", "It must be what the page before said in next.", |text| {
                Uuid::try_parse(text).ok()
            })?;
        Ok(Window { after, rows: rows.unwrap_or(ROWS) })
    }

    /// Takes which lines of a report are wanted: how many come before, and how many at most.
    pub fn lines(&mut self) -> Result<(u64, u64), Problem> {
        let is_some = |rows: &u64| (1..=ROWS_MAX).contains(rows);
        let rows = self.read("limit", "It must be a number from 1 to 500.", |text| {
            text.parse().ok().filter(is_some)
        })?;
        let before =
            self.read("after", "It must be what the page before said in next.", |text| {
                text.parse::<u32>().ok().map(u64::from)
            })?;
        Ok((before.unwrap_or(0), rows.unwrap_or(ROWS)))
    }

    /// Takes in which form a list is wanted. The parameter counts more than the header.
    pub fn form(&mut self) -> Result<Form, Problem> {
        let form = self.read("format", "It must be json or csv.", |text| match text {
            "json" => Some(Form::Json),
            "csv" => Some(Form::Csv),
            _ => None,
        })?;
        Ok(form.unwrap_or(if self.wants_csv { Form::Csv } else { Form::Json }))
    }

    /// Ends the reading: what nobody took is a mistake in its name, and not a filter that is passed
    /// over.
    pub fn finish(self) -> Result<(), Problem> {
        match self.pairs.first() {
            Some((name, _)) => Err(bad(name, "There is no such parameter here.")),
            None => Ok(()),
        }
    }
}

/// What is wrong with a parameter. Its value is not repeated.
pub fn bad(name: &str, why: &str) -> Problem {
    let name: String = name.chars().take(40).filter(|c| !c.is_control()).collect();
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", why).of_parameter(&name)
}

/// Cuts a list that was read with one row more than wanted; what the next part is asked for by.
pub fn cut<T>(rows: &mut Vec<T>, wanted: u64, id: impl Fn(&T) -> String) -> Option<String> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let has_more = rows.len() > wanted;
    rows.truncate(wanted);
    rows.last().filter(|_| has_more).map(id)
}

/// A window with one row more, by which it is seen whether there are more.
pub const fn wider(window: Window) -> Window {
    Window { rows: window.rows + 1, ..window }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use http::HeaderMap;

    use super::*;

    fn asked(query: &str) -> Asked {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Asked::of(&Visit { address, headers: HeaderMap::new(), query: query.to_owned() })
    }

    #[test]
    fn each_mistake_names_its_parameter() {
        let parameter = |problem: Problem| problem.parameter.expect("it is named");
        for query in ["limit=0", "limit=501", "limit=x", "limit=1&limit=2"] {
            assert_eq!(parameter(asked(query).window().unwrap_err()), "limit", "{query}");
        }
        assert_eq!(parameter(asked("after=1").window().unwrap_err()), "after");
        assert_eq!(parameter(asked("active=yes").switch("active").unwrap_err()), "active");
        assert_eq!(parameter(asked("format=xml").form().unwrap_err()), "format");
        assert_eq!(parameter(asked("include=x").includes("email").unwrap_err()), "include");
        assert_eq!(parameter(asked("actve=true").finish().unwrap_err()), "actve");
    }

    #[test]
    fn what_is_left_out_or_empty_has_its_default() {
        let mut asked = asked("limit=&kind=&after=");
        assert_eq!(asked.window(), Ok(Window { after: None, rows: ROWS }));
        assert_eq!(asked.text("kind"), Ok(None));
        assert_eq!(asked.form(), Ok(Form::Json));
        assert_eq!(asked.finish(), Ok(()));
    }

    #[test]
    fn the_next_part_begins_after_the_last_row_that_is_shown() {
        let mut rows = vec![1, 2, 3];
        assert_eq!(cut(&mut rows, 2, ToString::to_string), Some("2".to_owned()));
        assert_eq!(rows, [1, 2]);
        assert_eq!(cut(&mut rows, 2, ToString::to_string), None);
    }
}
