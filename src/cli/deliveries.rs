//! Who is handed what: the receivers that the configuration names.

use std::future::Future;
use std::sync::Arc;

use crate::attribution::delivery::{Delivery, Progress};
use crate::attribution::feedback::{DESTINATION, HandedOn, StoredFeedback, Told};
use crate::attribution::form::{Form, FormField};
use crate::attribution::letter::Receiver;
use crate::attribution::post::Post;
use crate::attribution::webhook::Webhook;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::feedback::{FeedbackConfig, FeedbackShape};
use crate::http_client::NoHttpClient;
use crate::secret::Entropy;
use crate::store::Store;

/// The form that feedback is posted to, when it is one.
pub fn form(feedback: &FeedbackConfig) -> Option<Form> {
    let FeedbackShape::Form { form_name, fields, constants } = &feedback.shape else {
        return None;
    };
    let field = |(ours, sent_as): &(&'static str, String)| {
        let field = FormField::ALL.into_iter().find(|field| field.name() == *ours);
        (field.expect("the settings know the same fields"), sent_as.clone())
    };
    Some(Form {
        url: feedback.url.clone(),
        form_name: form_name.clone(),
        fields: fields.iter().map(field).collect(),
        constants: constants.clone(),
    })
}

fn receiver(feedback: &FeedbackConfig) -> Box<dyn Receiver> {
    match &feedback.shape {
        FeedbackShape::Webhook { secrets } => {
            Box::new(Webhook { url: feedback.url.clone(), secrets: secrets.clone() })
        }
        FeedbackShape::Form { .. } => Box::new(form(feedback).expect("it is a form")),
    }
}

/// What hands feedback on, when it is handed on.
pub fn delivery(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Option<Arc<Delivery>>, NoHttpClient> {
    let Some(feedback) = &config.feedback else { return Ok(None) };
    Ok(Some(Arc::new(Delivery {
        destination: DESTINATION.to_owned(),
        receiver: receiver(feedback),
        post: Post::to(&feedback.url)?,
        store: store.clone(),
        secret: Arc::clone(&config.secret),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        progress: Progress::default(),
    })))
}

/// Hands on what is due until `ended` resolves, where something is handed on at all.
pub async fn keep_delivering(
    delivery: Option<Arc<Delivery>>,
    ended: impl Future<Output = ()> + Send,
) {
    match delivery {
        Some(delivery) => delivery.keep_delivering(ended).await,
        None => ended.await,
    }
}

/// Where feedback is kept. Without a `delivery` what is queued waits for whoever has one.
pub fn stored_feedback(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    delivery: Option<Arc<Delivery>>,
) -> StoredFeedback {
    let handed_on = config.feedback.as_ref().map(|feedback| {
        let told = Told { address: feedback.tells_address(), domain: feedback.tells_domain() };
        HandedOn { delivery, told }
    });
    StoredFeedback {
        store: store.clone(),
        secret: Arc::clone(&config.secret),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        docs_url: config.docs_url.clone(),
        handed_on,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::feedback::FORM_FIELDS;

    #[test]
    fn settings_and_forms_know_the_same_fields() {
        assert_eq!(FormField::ALL.map(FormField::name), FORM_FIELDS);
    }
}
