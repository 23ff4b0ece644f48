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
    /// How long a program that nobody uses is known, and with it who approved of it.
    pub client_unused_kept: Duration,
    /// How long it is kept how often the person used what.
    pub usage_kept: Duration,
    /// How long sums of it by organization are kept.
    pub usage_totals_kept: Duration,
    /// How long it is kept what the person searches for; not at all without.
    pub queries_kept: Option<Duration>,
    /// How long it is kept what their assistant says they want; not at all without.
    pub context_kept: Option<Duration>,
    /// Where feedback is handed on, if anywhere.
    pub feedback_receiver: Option<FeedbackReceiver<'a>>,
    /// Other servers that are asked on the person's behalf.
    pub suppliers: Vec<Supplier<'a>>,
    /// Receivers of events.
    pub sinks: Vec<SinkTold<'a>>,
    /// How long somebody is kept who does not come any more; for good when none.
    pub inactive_people_kept: Option<Duration>,
}

/// A receiver of events.
#[derive(Clone, Debug)]
pub struct SinkTold<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Where it is.
    pub host: &'a str,
    /// What it is told, in words.
    pub fields: String,
    /// When, in words.
    pub events: String,
    /// What for.
    pub purpose: &'a str,
    /// Whether nobody can object to it.
    pub is_required: bool,
}

/// Whoever feedback is handed on to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackReceiver<'a> {
    /// Their host.
    pub host: &'a str,
    /// What of the sender they are told.
    pub told: SenderTold,
}

/// What is told of whoever sends feedback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SenderTold {
    /// Their address.
    Address,
    /// The domain of their address alone.
    Domain,
    /// Nothing.
    Nothing,
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

fn all(context: &KeptContext<'_>) -> Vec<Kept> {
    let idle = in_words(context.refresh_token_ttl);
    let unused = in_words(context.client_unused_kept);
    let inactive = context.inactive_people_kept.map_or_else(String::new, |kept| {
        format!(", or you have not been here for {}", in_words(kept))
    });
    let erased = format!(
        "until you erase it on your account page, or whoever runs this server does{inactive}"
    );
    let usage = in_words(context.usage_kept);
    let totals = in_words(context.usage_totals_kept);
    let mut all = vec![
        Kept {
            what: format!(
                "Your e-mail address, name and organization, as {} reports them",
                context.upstream_name
            ),
            why: "to learn which organizations use the documentation",
            until: erased.clone(),
        },
        Kept {
            what: "Which organization you belong to: the one reported, else that of your e-mail \
                   domain; and which you belonged to before"
                .into(),
            why: "to learn which organizations use it, also when people move",
            until: "until whoever runs this server deletes it".into(),
        },
        Kept {
            what: "Which programs you allowed, and when".into(),
            why: "so that you stay signed in, and can end it",
            until: format!(
                "until you have not used the program for {idle} or disconnect it; your approval, \
                 until nobody has used it for {unused}"
            ),
        },
        Kept {
            what: "How often you use which tool here, on which day and with which program".into(),
            why: "to learn which organizations use the documentation",
            until: format!("for {usage}; sums of each organization, without you, for {totals}"),
        },
        Kept {
            what: feedback(context.feedback_receiver),
            why: "to improve the documentation",
            until: erased,
        },
    ];
    if let Some(kept) = context.queries_kept {
        all.push(Kept {
            what: "What you search for and ask here, encrypted, with your organization".into(),
            why: "to learn what is missing in the documentation",
            until: format!("for {}", in_words(kept)),
        });
    }
    if let Some(kept) = context.context_kept {
        all.push(Kept {
            what: "What you want to achieve, if your assistant says it when it calls a tool, \
                   encrypted, with your organization"
                .into(),
            why: "to learn what is missing in the documentation",
            until: format!("for {}", in_words(kept)),
        });
    }
    all
}

/// What is not kept, of what people may wonder about.
const fn not_stored(context: &KeptContext<'_>) -> &'static str {
    match context.queries_kept {
        None => "What you search for and read is not stored",
        Some(_) => "Which pages you read is not stored",
    }
}

fn feedback(receiver: Option<FeedbackReceiver<'_>>) -> String {
    let Some(FeedbackReceiver { host, told }) = receiver else {
        return "The feedback you send".into();
    };
    let with = match told {
        SenderTold::Address => "with your e-mail address",
        SenderTold::Domain => "with the domain of your e-mail address",
        SenderTold::Nothing => "without your name or e-mail address",
    };
    format!("The feedback you send, which is passed on to {host} {with}")
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
            (not_stored(context))
            @if !context.suppliers.is_empty() { " here" } "."
        }
        @for supplier in &context.suppliers {
            p {
                "Some questions are also put to " (supplier.name) ", "
                @if supplier.knows_person { "with your e-mail address and organization." }
                @else { "without saying who asks." }
            }
        }
        @for sink in &context.sinks {
            p {
                strong { (sink.name) } " (" (sink.host) ") is told " (sink.fields) ", "
                (sink.events) ", " (sink.purpose) ". "
                @if sink.is_required { "It is required to use this server." }
                @else { "You can object to it on your account page." }
            }
        }
    }
}

/// A duration as people say it.
/// How long, in words.
pub fn in_words(duration: Duration) -> String {
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
            client_unused_kept: Duration::from_hours(24 * 90),
            usage_kept: Duration::from_hours(24 * 90),
            usage_totals_kept: Duration::from_hours(24 * 730),
            queries_kept: None,
            context_kept: None,
            feedback_receiver: None,
            suppliers: Vec::new(),
            sinks: Vec::new(),
            inactive_people_kept: None,
        };
        let text = list(&context).into_string();
        assert!(text.contains("as Example &amp; Co reports them"), "{text}");
        assert!(text.contains("not used the program for 30 days"), "{text}");
        assert!(text.contains("that of your e-mail domain; and which you belonged to"), "{text}");
        assert!(!text.contains("passed on"), "{text}");
        assert!(text.contains("Kept for 90 days; sums of each organization"), "{text}");
        assert!(!text.contains("have not been here"), "{text}");
        let sink = SinkTold {
            name: "crm",
            host: "crm.e.com",
            fields: "your name & address".into(),
            events: "when you sign in".into(),
            purpose: "to say hello",
            is_required: false,
        };
        let required = SinkTold { is_required: true, ..sink.clone() };
        let inactive_people_kept = Some(Duration::from_hours(24 * 400));
        let sinks = vec![sink, required];
        let more = list(&KeptContext { sinks, inactive_people_kept, ..context.clone() });
        let more = more.into_string();
        let told = "</strong> (crm.e.com) is told your name &amp; address, when you sign in, \
                    to say hello. ";
        assert_eq!(more.matches(told).count(), 2, "{more}");
        for words in ["You can object", "It is required", "not been here for 400 days"] {
            assert!(more.contains(words), "{words} is missing in {more}");
        }
        for (told, words) in [
            (SenderTold::Address, "passed on to forms.e.com with your e-mail address,"),
            (SenderTold::Domain, "passed on to forms.e.com with the domain of your e-mail"),
            (SenderTold::Nothing, "passed on to forms.e.com without your name or e-mail"),
        ] {
            let feedback_receiver = Some(FeedbackReceiver { host: "forms.e.com", told });
            let text = list(&KeptContext { feedback_receiver, ..context.clone() }).into_string();
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn what_is_searched_for_is_said_to_be_kept_exactly_when_it_is() {
        for (queries, contexts) in [(false, false), (true, false), (false, true), (true, true)] {
            let week = Duration::from_hours(24 * 7);
            let context = KeptContext {
                upstream_name: "Example",
                refresh_token_ttl: week,
                client_unused_kept: week,
                usage_kept: week,
                usage_totals_kept: week,
                queries_kept: queries.then_some(Duration::from_hours(24 * 30)),
                context_kept: contexts.then_some(Duration::from_hours(24 * 14)),
                feedback_receiver: None,
                suppliers: Vec::new(),
                sinks: Vec::new(),
                inactive_people_kept: None,
            };
            let text = list(&context).into_string();
            for (words, is_said) in [
                ("What you search for and ask here, encrypted", queries),
                ("Kept for 30 days.", queries),
                ("What you want to achieve", contexts),
                ("Kept for 14 days.", contexts),
                ("What you search for and read is not stored", !queries),
                ("Which pages you read is not stored", queries),
            ] {
                assert_eq!(text.contains(words), is_said, "{queries} {contexts} {words}");
            }
        }
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
