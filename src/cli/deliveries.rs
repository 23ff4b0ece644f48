//! Who is handed what: the receivers that the configuration names.

use std::future::Future;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::attribution::delivery::{Delivery, Objections, Progress};
use crate::attribution::feedback::{DESTINATION, HandedOn, PURPOSE, StoredFeedback, Told};
use crate::attribution::form::{Form, FormField};
use crate::attribution::letter::Receiver;
use crate::attribution::post::Post;
use crate::attribution::sink_letter::SinkReceiver;
use crate::attribution::sinks::{Sink, Sinks};
use crate::attribution::webhook::Webhook;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::feedback::{FeedbackConfig, FeedbackShape};
use crate::config::sink::SinkConfig;
use crate::flow::wire_own_data;
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
        purpose: PURPOSE.to_owned(),
        objections: Objections::None,
        receiver: receiver(feedback),
        post: Post::to(&feedback.url)?,
        store: store.clone(),
        secret: Arc::clone(&config.secret),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        progress: Progress::default(),
    })))
}

/// What hands letters on to a sink.
pub fn to_sink(
    sink: &SinkConfig,
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Arc<Delivery>, NoHttpClient> {
    Ok(Arc::new(Delivery {
        destination: sink.destination(),
        purpose: sink.purpose.clone(),
        objections: if sink.is_required { Objections::None } else { Objections::Heeded },
        receiver: Box::new(SinkReceiver {
            url: sink.url.clone(),
            secrets: sink.secrets.clone(),
            shape: sink.shape,
            fields: sink.fields.clone(),
        }),
        post: Post::to(&sink.url)?,
        store: store.clone(),
        secret: Arc::clone(&config.secret),
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        progress: Progress::default(),
    }))
}

/// The sinks, with what hands letters on to them.
pub fn sinks(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Sinks, NoHttpClient> {
    let sink = |sink: &SinkConfig| {
        let delivery = to_sink(sink, config, store, clock, entropy)?;
        let (config, destination) = (sink.clone(), sink.destination());
        Ok(Sink { config, destination, delivery: Some(delivery) })
    };
    let sinks = config.sinks.iter().map(sink).collect::<Result<_, _>>()?;
    Ok(Sinks::new(sinks, Arc::clone(&config.secret), Arc::clone(entropy)))
}

/// The sinks, for a command that only queues: any running server hands it on.
pub fn sinks_without_delivery(config: &Config, entropy: &Arc<dyn Entropy>) -> Sinks {
    let sink = |sink: &SinkConfig| Sink {
        config: sink.clone(),
        destination: sink.destination(),
        delivery: None,
    };
    let sinks = config.sinks.iter().map(sink).collect();
    Sinks::new(sinks, Arc::clone(&config.secret), Arc::clone(entropy))
}

/// Where feedback is kept. Without a `delivery` what is queued waits for whoever has one.
pub fn stored_feedback(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    delivery: Option<Arc<Delivery>>,
    sinks: Arc<Sinks>,
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
        sinks,
    }
}

/// Serves every receiver until `has_ended` does: one that does not answer holds up none of the
/// others.
pub async fn keep_delivering<E>(deliveries: Vec<Arc<Delivery>>, has_ended: impl Fn() -> E)
where
    E: Future<Output = ()> + Send + 'static,
{
    let mut all = JoinSet::new();
    for delivery in deliveries {
        let ended = has_ended();
        all.spawn(async move { delivery.keep_delivering(ended).await });
    }
    has_ended().await;
    while let Some(ended) = all.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a delivery ended badly");
        }
    }
}

/// A sink, as a person's assistant says it.
pub fn in_a_line(sink: &SinkConfig) -> String {
    let (fields, events) =
        (wire_own_data::fields_in_words(sink), wire_own_data::events_in_words(sink));
    let objection = if sink.is_required { "required" } else { "you can object" };
    let (name, host, purpose) = (&sink.name, sink.host(), &sink.purpose);
    format!("{name} ({host}): {fields}; {events}; {purpose} ({objection})")
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
