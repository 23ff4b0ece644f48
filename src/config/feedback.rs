//! Where feedback is delivered: to a form, as a site's own page would send it, or to a webhook that
//! can tell by a signature who sent it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use url::Url;

use crate::config::layers::{ConfigError, Given, Layers};
use crate::config::readers::pairs_of;
use crate::config::values;

/// The fields of a form by our names, in the order they are sent. The receipt is sent only under a
/// name that the setting gives it.
pub const FORM_FIELDS: [&str; 8] = [
    "form-name",
    "feedback",
    "category",
    "page-path",
    "user-email",
    "user-domain",
    "bot-field",
    "receipt",
];

/// What of a person can be left out.
const PERSONAL: [&str; 2] = ["user-email", "user-domain"];

const DEFAULT_FORM_NAME: &str = "api-feedback";

/// The fewest bytes a signing secret may have, as Standard Webhooks asks.
const WEBHOOK_SECRET_BYTES_MIN: usize = 24;

/// The setting `feedback`.
#[derive(Clone)]
pub struct FeedbackConfig {
    /// Where it is posted.
    pub url: Url,
    /// How it is written.
    pub shape: FeedbackShape,
    /// Fields that are not sent, by our names.
    pub omitted: Vec<&'static str>,
}

/// How feedback is written for its receiver.
#[derive(Clone)]
pub enum FeedbackShape {
    /// As a form of a site.
    Form {
        /// The value of `form-name`, by which the host knows the form.
        form_name: String,
        /// Our name of each field that is sent, and the receiver's, in order.
        fields: Vec<(&'static str, String)>,
        /// Further fields that are the same each time.
        constants: Vec<(String, String)>,
    },
    /// As signed JSON.
    Webhook {
        /// Decoded secrets; each signs.
        secrets: Vec<Vec<u8>>,
    },
}

impl FeedbackConfig {
    /// Whether the sender's address is handed on.
    pub fn tells_address(&self) -> bool {
        !self.omitted.contains(&"user-email")
    }

    /// Whether the domain of that address is.
    pub fn tells_domain(&self) -> bool {
        !self.omitted.contains(&"user-domain")
    }

    /// The host it goes to, for people.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// What stands in the table, before it is known what belongs together.
#[derive(Default)]
struct Table {
    kind: Option<String>,
    url: Option<String>,
    form_name: Option<String>,
    secret_env: Option<String>,
    fields: Vec<(String, String)>,
    constants: Vec<(String, String)>,
    omit: Vec<String>,
}

/// Reads the setting; none when nobody set it.
pub fn feedback(layers: &Layers, given: &Given) -> Result<Option<FeedbackConfig>, ConfigError> {
    let secrets = layers.read_optional("feedback_secret", webhook_secrets)?;
    if layers.items("feedback").unwrap_or_default().is_empty() {
        return match secrets {
            Some(_) => Err(layers.error("feedback_secret", "it signs nothing without [feedback]")),
            None => Ok(None),
        };
    }
    let complain = |message: String| layers.error("feedback", message);
    let table = table(layers)?;
    let omitted = omitted(&table.omit).map_err(complain)?;
    let kind = table.kind.as_deref();
    let shape = match kind {
        Some("form") => form(&table, &omitted),
        Some("webhook") => webhook(&table, &omitted, secrets.clone(), given),
        Some(_) => Err("kind: it is neither form nor webhook".into()),
        None => Err("kind: it is required; write form or webhook".into()),
    };
    let shape = shape.map_err(complain)?;
    if secrets.is_some() && !matches!(shape, FeedbackShape::Webhook { .. }) {
        return Err(layers.error("feedback_secret", "a form is not signed; it is for a webhook"));
    }
    let address = table.url.ok_or_else(|| complain("url: it is required".into()))?;
    // An address may carry what only its receiver should know, so it is not repeated.
    let url = values::address(&address)
        .map_err(|message| complain(format!("url: {}", message.replace(&address, "…"))))?;
    Ok(Some(FeedbackConfig { url, shape, omitted }))
}

fn table(layers: &Layers) -> Result<Table, ConfigError> {
    let mut table = Table::default();
    for (key, value) in pairs_of(layers, "feedback")? {
        match key.split_once('.') {
            Some(("fields", ours)) => table.fields.push((ours.to_owned(), value)),
            Some(("constants", name)) => table.constants.push((name.to_owned(), value)),
            Some(_) => return Err(unknown(layers, &key)),
            None => match key.as_str() {
                "kind" => table.kind = Some(value),
                "url" => table.url = Some(value),
                "form_name" => table.form_name = Some(value),
                "secret_env" => table.secret_env = Some(value),
                "omit" => table.omit.push(value),
                "secret" => {
                    let message = "secret: it does not belong in a file; set \
                         GATEHOUSE_FEEDBACK_SECRET, or name a variable with secret_env";
                    return Err(layers.error("feedback", message));
                }
                _ => return Err(unknown(layers, &key)),
            },
        }
    }
    Ok(table)
}

fn unknown(layers: &Layers, key: &str) -> ConfigError {
    let known = "it is none of kind, url, form_name, fields, constants, omit, secret_env";
    layers.error("feedback", format!("{key}: {known}"))
}

/// The name as it stands in [`FORM_FIELDS`]; `user_email` is understood as well.
fn field_named(name: &str) -> Result<&'static str, String> {
    let ours = name.replace('_', "-");
    let known = FORM_FIELDS.into_iter().find(|field| *field == ours);
    known.ok_or_else(|| format!("{name}: there is no such field; {}", FORM_FIELDS.join(", ")))
}

fn omitted(names: &[String]) -> Result<Vec<&'static str>, String> {
    let field = |name: &String| match field_named(name).map_err(|m| format!("omit: {m}"))? {
        "feedback" => Err("omit: without the feedback there is nothing to send".into()),
        field => Ok(field),
    };
    names.iter().map(field).collect()
}

fn form(table: &Table, omitted: &[&'static str]) -> Result<FeedbackShape, String> {
    if table.secret_env.is_some() {
        return Err("secret_env: a form is not signed; it is for kind = \"webhook\"".into());
    }
    let mut renamed = Vec::new();
    for (name, sent_as) in &table.fields {
        let ours = field_named(name).map_err(|message| format!("fields.{message}"))?;
        if omitted.contains(&ours) {
            return Err(format!("fields.{name}: it is omitted as well"));
        }
        renamed.push((ours, sent_as));
    }
    let sent_as = |ours: &'static str| {
        let name = renamed.iter().find(|(field, _)| *field == ours).map(|(_, name)| *name);
        match (name, ours) {
            (Some(name), _) => Some((ours, name.clone())),
            (None, "receipt") => None,
            (None, _) => Some((ours, ours.to_owned())),
        }
    };
    let sent = FORM_FIELDS.into_iter().filter(|field| !omitted.contains(field));
    let fields: Vec<_> = sent.filter_map(sent_as).collect();
    let mut names: Vec<&str> = fields.iter().map(|(_, name)| name.as_str()).collect();
    names.extend(table.constants.iter().map(|(name, _)| name.as_str()));
    if let Some(name) = names.iter().find(|name| !is_field_name(name)) {
        return Err(format!("{name:?}: a field's name has 1 to 100 printable characters"));
    }
    let mut seen = BTreeSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(**name)) {
        return Err(format!("{name}: two fields have this name"));
    }
    let form_name = table.form_name.clone().unwrap_or_else(|| DEFAULT_FORM_NAME.to_owned());
    if !is_field_name(&form_name) {
        return Err("form_name: it must have 1 to 100 printable characters".into());
    }
    Ok(FeedbackShape::Form { form_name, fields, constants: table.constants.clone() })
}

fn is_field_name(name: &str) -> bool {
    (1..=100).contains(&name.chars().count()) && !name.chars().any(char::is_control)
}

fn webhook(
    table: &Table,
    omitted: &[&'static str],
    secrets: Option<Vec<Vec<u8>>>,
    given: &Given,
) -> Result<FeedbackShape, String> {
    let for_forms = [
        ("form_name", table.form_name.is_none()),
        ("fields", table.fields.is_empty()),
        ("constants", table.constants.is_empty()),
    ];
    if let Some((key, _)) = for_forms.iter().find(|(_, is_absent)| !is_absent) {
        return Err(format!("{key}: it is for kind = \"form\""));
    }
    if let Some(field) = omitted.iter().find(|field| !PERSONAL.contains(field)) {
        return Err(format!("omit: {field}: a webhook can go without {}", PERSONAL.join(" and ")));
    }
    let secrets = match (secrets, &table.secret_env) {
        (Some(_), Some(_)) => Err("secret_env: feedback_secret is set as well; one must go".into()),
        (Some(secrets), None) => Ok(secrets),
        (None, Some(variable)) => {
            let found = given.environment.iter().find(|(name, _)| name == variable);
            let text = found.map(|(_, text)| text.as_str()).filter(|text| !text.trim().is_empty());
            let text = text.ok_or_else(|| format!("secret_env: {variable} is not set"))?;
            webhook_secrets(text).map_err(|message| format!("secret_env: {variable}: {message}"))
        }
        (None, None) => Err("secret_env: a webhook is signed; set GATEHOUSE_FEEDBACK_SECRET, or \
             name another variable"
            .into()),
    };
    Ok(FeedbackShape::Webhook { secrets: secrets? })
}

/// Reads one secret, or several with spaces between: `whsec_` and base64, as Standard Webhooks
/// writes them.
pub fn webhook_secrets(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let engine = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let secret = |word: &str| {
        let bytes = engine
            .decode(word.strip_prefix("whsec_").unwrap_or(word))
            .map_err(|_| "it is not base64; make one with `openssl rand -base64 32`".to_owned())?;
        if bytes.len() < WEBHOOK_SECRET_BYTES_MIN {
            return Err(format!("it has fewer than {WEBHOOK_SECRET_BYTES_MIN} bytes"));
        }
        Ok(bytes)
    };
    text.split_ascii_whitespace().map(secret).collect()
}

#[cfg(test)]
mod tests;
