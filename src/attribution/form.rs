//! Feedback as a form of a site: the fields that hosts of static sites take from such pages.

use std::fmt::Write as _;

use url::Url;
use uuid::Uuid;

use crate::attribution::event::{FEEDBACK_SUBMITTED, FeedbackEvent};
use crate::attribution::letter::{
    IDEMPOTENCY_HEADER, Letter, Parcel, Receiver, Told, told_by_payload,
};
use crate::clock::Timestamp;

/// What a field of the form says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormField {
    /// By which the host knows the form; without it a host drops the rest.
    FormName,
    /// The person's words.
    Feedback,
    /// One of the four categories.
    Category,
    /// The page, as [`crate::attribution::event::Page::path`] says it.
    PagePath,
    /// The sender's address.
    UserEmail,
    /// The domain of that address.
    UserDomain,
    /// Empty: what fills it in is a robot.
    BotField,
    /// The receipt, by which the receiver can tell that it has had a feedback already.
    Receipt,
}

impl FormField {
    /// Every field, in the order they are sent.
    pub const ALL: [Self; 8] = [
        Self::FormName,
        Self::Feedback,
        Self::Category,
        Self::PagePath,
        Self::UserEmail,
        Self::UserDomain,
        Self::BotField,
        Self::Receipt,
    ];

    /// Our name for it, and the one it is sent under unless the configuration gives it another.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FormName => "form-name",
            Self::Feedback => "feedback",
            Self::Category => "category",
            Self::PagePath => "page-path",
            Self::UserEmail => "user-email",
            Self::UserDomain => "user-domain",
            Self::BotField => "bot-field",
            Self::Receipt => "receipt",
        }
    }
}

/// A form somewhere on a site.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is posted.
    pub url: Url,
    /// The value of [`FormField::FormName`].
    pub form_name: String,
    /// What is sent under which name, in order.
    pub fields: Vec<(FormField, String)>,
    /// Further fields that are the same each time.
    pub constants: Vec<(String, String)>,
}

impl Receiver for Form {
    fn letter(&self, parcel: &Parcel<'_>, _: Timestamp) -> Option<Letter> {
        if parcel.kind != FEEDBACK_SUBMITTED {
            return None;
        }
        let event: FeedbackEvent = serde_json::from_slice(parcel.payload).ok()?;
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (field, name) in &self.fields {
            body.append_pair(name, &self.value(*field, &event, parcel.idempotency_key));
        }
        body.extend_pairs(&self.constants);
        let content_type = "application/x-www-form-urlencoded".to_owned();
        Some(Letter {
            url: self.url.clone(),
            headers: vec![
                ("content-type", content_type),
                (IDEMPOTENCY_HEADER, parcel.idempotency_key.to_string()),
            ],
            body: body.finish().into_bytes(),
        })
    }

    fn told(&self, parcel: &Parcel<'_>) -> Told {
        told_by_payload(parcel.payload)
    }
}

impl Form {
    fn value(&self, field: FormField, event: &FeedbackEvent, receipt: Uuid) -> String {
        match field {
            FormField::FormName => self.form_name.clone(),
            FormField::Feedback => event.feedback.clone(),
            FormField::Category => event.category.clone(),
            FormField::PagePath => event.page_path.clone().unwrap_or_default(),
            FormField::UserEmail => event.user_email.clone().unwrap_or_default(),
            FormField::UserDomain => event.user_domain.clone().unwrap_or_default(),
            FormField::BotField => String::new(),
            FormField::Receipt => receipt.to_string(),
        }
    }

    /// The hidden form by which hosts of static sites learn, when they build the site, which form
    /// there is and which fields it has; fields they have not learnt of they drop.
    pub fn registration(&self) -> String {
        let honeypot = self
            .sent_as(FormField::BotField)
            .map_or_else(String::new, |name| format!(" netlify-honeypot=\"{}\"", escaped(name)));
        let name = escaped(&self.form_name);
        let mut html = format!("<form name=\"{name}\" method=\"post\" netlify{honeypot} hidden>\n");
        for (field, name) in &self.fields {
            let name = escaped(name);
            // Writing to a text cannot fail.
            let _ = match field {
                FormField::FormName => {
                    let value = escaped(&self.form_name);
                    writeln!(html, "  <input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
                }
                FormField::Feedback => writeln!(html, "  <textarea name=\"{name}\"></textarea>"),
                _ => writeln!(html, "  <input type=\"text\" name=\"{name}\">"),
            };
        }
        for (name, _) in &self.constants {
            let _ = writeln!(html, "  <input type=\"text\" name=\"{}\">", escaped(name));
        }
        html.push_str("</form>");
        html
    }

    fn sent_as(&self, field: FormField) -> Option<&str> {
        self.fields.iter().find(|(sent, _)| *sent == field).map(|(_, name)| name.as_str())
    }
}

/// As the value of an attribute in quotation marks.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let fields = FormField::ALL[..7].iter().map(|field| (*field, field.name().to_owned()));
        Form {
            url: Url::parse("https://docs.e.com/").unwrap(),
            form_name: "api-feedback".into(),
            fields: fields.collect(),
            constants: vec![("source".into(), "a&b".into())],
        }
    }

    #[test]
    fn what_a_form_cannot_say_is_no_letter() {
        let parcel = |kind, payload| Parcel { idempotency_key: Uuid::nil(), kind, payload };
        let now = Timestamp::from_seconds(1);
        let event = br#"{"feedback": "x", "category": "bug", "submitted_at": 1}"#;
        assert!(form().letter(&parcel(FEEDBACK_SUBMITTED, event), now).is_some());
        assert!(form().letter(&parcel("person.signed_in", event), now).is_none());
        assert!(form().letter(&parcel(FEEDBACK_SUBMITTED, b"{}"), now).is_none());
    }

    #[test]
    fn the_registration_names_every_field_that_is_sent() {
        assert_eq!(
            form().registration(),
            "<form name=\"api-feedback\" method=\"post\" netlify netlify-honeypot=\"bot-field\" \
             hidden>\n  <input type=\"hidden\" name=\"form-name\" value=\"api-feedback\">\n  \
             <textarea name=\"feedback\"></textarea>\n  <input type=\"text\" name=\"category\">\n  \
             <input type=\"text\" name=\"page-path\">\n  <input type=\"text\" \
             name=\"user-email\">\n  <input type=\"text\" name=\"user-domain\">\n  <input \
             type=\"text\" name=\"bot-field\">\n  <input type=\"text\" name=\"source\">\n</form>"
        );
        let odd = Form {
            form_name: "\"><script>".into(),
            fields: vec![(FormField::Feedback, "a&\"<b".into())],
            constants: Vec::new(),
            ..form()
        };
        assert_eq!(
            odd.registration(),
            "<form name=\"&quot;&gt;&lt;script&gt;\" method=\"post\" netlify hidden>\n  <textarea \
             name=\"a&amp;&quot;&lt;b\"></textarea>\n</form>"
        );
    }
}
