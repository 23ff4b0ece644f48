//! Somebody outside who is handed feedback: a site's form, a webhook.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// How long a request may take until it arrives: less than the time after which a house looks into
/// its outbox without being told.
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

pub struct Receiver {
    server: MockServer,
    mind: Mind,
}

/// What it says to whoever comes.
#[derive(Clone)]
struct Mind {
    answers: Arc<Mutex<VecDeque<ResponseTemplate>>>,
    /// Whether answers are held back.
    is_silent: Arc<(Mutex<bool>, Condvar)>,
    arrived: watch::Sender<usize>,
}

impl Respond for Mind {
    fn respond(&self, _: &Request) -> ResponseTemplate {
        self.arrived.send_modify(|count| *count += 1);
        let (is_silent, changed) = &*self.is_silent;
        let held = changed.wait_while(is_silent.lock().unwrap(), |is_silent| *is_silent);
        drop(held.unwrap());
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        next.expect("it always has something to say")
    }
}

impl Receiver {
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        let mind = Mind {
            answers: Arc::new(Mutex::new([ResponseTemplate::new(200)].into())),
            is_silent: Arc::default(),
            arrived: watch::Sender::new(0),
        };
        Mock::given(any()).respond_with(mind.clone()).mount(&server).await;
        Self { server, mind }
    }

    /// The setting `feedback` of a house that posts its form here.
    pub fn form(&self) -> String {
        format!("kind=form,url={}", self.url())
    }

    pub fn url(&self) -> String {
        format!("{}/thanks?from=mcp", self.server.uri())
    }

    /// Where it listens, as `host:port`.
    pub fn address(&self) -> String {
        self.server.address().to_string()
    }

    /// From now on it says this.
    pub fn says(&self, answer: ResponseTemplate) {
        self.says_in_turn([answer]);
    }

    /// From now on it says each of these once, and goes on with the last.
    pub fn says_in_turn<const N: usize>(&self, answers: [ResponseTemplate; N]) {
        *self.mind.answers.lock().unwrap() = answers.into();
    }

    /// From now on it takes what comes and says nothing, until [`Self::speak`].
    pub fn be_silent(&self) {
        *self.mind.is_silent.0.lock().unwrap() = true;
    }

    pub fn speak(&self) {
        let (is_silent, changed) = &*self.mind.is_silent;
        *is_silent.lock().unwrap() = false;
        changed.notify_all();
    }

    /// Waits until this many requests have come, since the story began.
    pub async fn until(&self, count: usize) {
        let mut arrived = self.mind.arrived.subscribe();
        let arrives = arrived.wait_for(|arrived| *arrived >= count);
        let arrives = tokio::time::timeout(ARRIVES_WITHIN, arrives).await;
        arrives.expect("it comes in time").expect("the receiver stands");
    }

    pub async fn received(&self) -> Vec<Request> {
        self.server.received_requests().await.expect("requests are recorded")
    }

    /// By what each request that came says it is known, in the order they came.
    pub async fn keys(&self) -> Vec<String> {
        let key = |request: &Request| header(request, "idempotency-key");
        self.received().await.iter().map(key).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // A server that waits to speak cannot be stopped.
        self.speak();
    }
}

#[track_caller]
pub fn header(request: &Request, name: &str) -> String {
    let mut values = request.headers.get_all(name).iter();
    let value = values.next().unwrap_or_else(|| panic!("it has no {name}"));
    assert!(values.next().is_none(), "{name} comes twice");
    value.to_str().expect("a header is text").to_owned()
}

/// The fields of a form, in the order they are sent.
pub fn fields(request: &Request) -> Vec<(String, String)> {
    assert_eq!(header(request, "content-type"), "application/x-www-form-urlencoded");
    let mut url = reqwest::Url::parse("http://form/").expect("a URL");
    url.set_query(Some(std::str::from_utf8(&request.body).expect("a form is text")));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
