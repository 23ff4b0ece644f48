//! Conditional lines: `ifdef`, `ifndef`, `ifeval`, `endif`.

use super::{attributes::Attributes, shield::unshield};

/// A line that opens or closes a conditional part.
#[derive(Debug, PartialEq)]
pub enum Directive<'a> {
    /// The condition, and the text of the single-line form.
    If {
        condition: Condition<'a>,
        content: &'a str,
    },
    End,
}

#[derive(Debug, PartialEq)]
pub enum Condition<'a> {
    Set(&'a str),
    Unset(&'a str),
    Expression(&'a str),
}

/// Reads a conditional line.
pub fn directive(line: &str) -> Option<Directive<'_>> {
    let (name, rest) = line.split_once("::")?;
    let (target, content) = rest.strip_suffix(']')?.split_once('[')?;
    let condition = match name {
        "endif" => return Some(Directive::End),
        "ifdef" if !target.is_empty() => Condition::Set(target),
        "ifndef" if !target.is_empty() => Condition::Unset(target),
        "ifeval" if target.is_empty() => {
            return Some(Directive::If { condition: Condition::Expression(content), content: "" });
        }
        _ => return None,
    };
    Some(Directive::If { condition, content })
}

impl Condition<'_> {
    /// Whether the condition holds. In lists a comma means "any", a plus "all".
    pub fn holds(&self, attributes: &mut Attributes) -> bool {
        match self {
            Self::Set(names) if names.contains(',') => {
                names.split(',').any(|name| attributes.is_set(name))
            }
            Self::Set(names) => names.split('+').all(|name| attributes.is_set(name)),
            Self::Unset(names) if names.contains(',') => {
                names.split(',').all(|name| !attributes.is_set(name))
            }
            Self::Unset(names) => !names.split('+').all(|name| attributes.is_set(name)),
            Self::Expression(expression) => compare(expression, attributes).unwrap_or_default(),
        }
    }
}

#[derive(PartialEq, PartialOrd)]
enum Operand {
    Text(String),
    Number(f64),
}

fn compare(expression: &str, attributes: &mut Attributes) -> Option<bool> {
    let operators = ["==", "!=", "<=", ">=", "<", ">"];
    let found = operators.iter().filter_map(|it| expression.find(it).map(|at| (at, *it)));
    let (at, operator) = found.min_by_key(|(at, operator)| (*at, usize::MAX - operator.len()))?;
    let left = operand(&expression[..at], attributes);
    let right = operand(&expression[at + operator.len()..], attributes);
    Some(match operator {
        "==" => left == right,
        "!=" => left != right,
        "<=" => left <= right,
        ">=" => left >= right,
        "<" => left < right,
        _ => left > right,
    })
}

fn operand(text: &str, attributes: &mut Attributes) -> Operand {
    let text = text.trim();
    let quoted = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = quoted('"').or_else(|| quoted('\'')) {
        return Operand::Text(unshield(&attributes.substitute(inner)));
    }
    let value = unshield(&attributes.substitute(text));
    value.trim().parse().map_or_else(|_| Operand::Text(value), Operand::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(line: &str) -> bool {
        let value = |value: &str| Some(value.to_owned());
        let mut attributes =
            Attributes::new(vec![("a".into(), value("")), ("n".into(), value("9"))]);
        match directive(line) {
            Some(Directive::If { condition, .. }) => condition.holds(&mut attributes),
            other => panic!("{line} is {other:?}"),
        }
    }

    #[test]
    fn conditions_hold_as_in_asciidoctor() {
        let cases = [
            ("ifdef::a[]", true),
            ("ifdef::b[]", false),
            ("ifdef::a,b[]", true),
            ("ifdef::a+b[]", false),
            ("ifndef::b[]", true),
            ("ifndef::a,b[]", false),
            ("ifndef::a+b[]", true),
            ("ifeval::[\"{n}\" == \"9\"]", true),
            ("ifeval::[{n} < 10]", true),
            ("ifeval::[{n} >= 10]", false),
            ("ifeval::['{n}' != '9']", false),
            ("ifeval::[{n} <= 9]", true),
            ("ifeval::[nonsense]", false),
            ("ifeval::[{n} < \"x\"]", false),
        ];
        for (line, expected) in cases {
            assert_eq!(holds(line), expected, "{line}");
        }
    }

    #[test]
    fn the_single_line_form_has_content() {
        let content = match directive("ifdef::a[x [y\\] z]") {
            Some(Directive::If { content, .. }) => content,
            _ => "",
        };
        assert_eq!(content, "x [y\\] z");
    }

    #[test]
    fn other_lines_are_no_directives() {
        for line in ["ifdef::[]", "ifdef::a", "include::a[]", "text", "endif"] {
            assert_eq!(directive(line), None, "{line}");
        }
        assert_eq!(directive("endif::a[]"), Some(Directive::End));
    }
}
