//! What this server keeps of a person, in words: on the page before the sign-in, and wherever else
//! it is told. It follows from how the server is configured, so that it cannot say what is not so.

use std::time::Duration;

use maud::{Markup, html};

/// What decides about it.
#[derive(Clone, Debug)]
pub struct KeptContext<'a> {
    /// Where the person signs in.
    pub upstream_name: &'a str,
    /// How long an unused sign-in lives.
    pub refresh_token_ttl: Duration,
    /// Other servers that are asked on the person's behalf.
    pub suppliers: Vec<Supplier<'a>>,
}

/// Another server that is asked.
#[derive(Clone, Copy, Debug)]
pub struct Supplier<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Whether it is told who asks.
    pub knows_person: bool,
}

/// One kind of thing.
struct Kept {
    what: String,
    why: &'static str,
    until: String,
}

fn all(context: &KeptContext<'_>) -> [Kept; 3] {
    let idle = in_words(context.refresh_token_ttl);
    [
        Kept {
            what: format!(
                "Your e-mail address, name and organization, as {} reports them",
                context.upstream_name
            ),
            why: "to learn which organizations use the documentation",
            until: "until whoever runs this server deletes it".into(),
        },
        Kept {
            what: "Which programs you allowed, and when".into(),
            why: "so that you stay signed in, and can end it",
            until: format!("until a program has not been used for {idle}"),
        },
        Kept {
            what: "The feedback you send".into(),
            why: "to improve the documentation",
            until: "until whoever runs this server deletes it".into(),
        },
    ]
}

/// As a list for a page.
pub fn list(context: &KeptContext<'_>) -> Markup {
    html! {
        ul {
            @for Kept { what, why, until } in all(context) {
                li { (what) ", " (why) ". " span.quiet { "Kept " (until) "." } }
            }
        }
        p {
            "What you search for and read is not stored"
            @if !context.suppliers.is_empty() { " here" } "."
        }
        @for supplier in &context.suppliers {
            p {
                "Some questions are also put to " (supplier.name) ", "
                @if supplier.knows_person { "with your e-mail address and organization." }
                @else { "without saying who asks." }
            }
        }
    }
}

/// A duration as people say it.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        s if s >= 86_400 => (s / 86_400, "day"),
        s if s >= 3600 => (s / 3600, "hour"),
        s if s >= 60 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_follows_the_settings() {
        let context = KeptContext {
            upstream_name: "Example & Co",
            refresh_token_ttl: Duration::from_hours(24 * 30),
            suppliers: Vec::new(),
        };
        let text = list(&context).into_string();
        assert!(text.contains("as Example &amp; Co reports them"), "{text}");
        assert!(text.contains("not been used for 30 days"), "{text}");
    }

    #[test]
    fn durations_are_told_as_people_say_them() {
        for (seconds, words) in
            [(1, "1 second"), (90, "1 minute"), (7200, "2 hours"), (86_400, "1 day")]
        {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
    }
}
