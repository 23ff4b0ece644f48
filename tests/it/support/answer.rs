//! An HTTP answer, read whole.

use reqwest::header::HeaderMap;
use serde_json::Value;

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        Self::try_of(response).await.expect("an answer is text")
    }

    /// The answer to a request. One that never comes, or breaks off, has the status 0.
    pub async fn to(request: reqwest::RequestBuilder) -> Self {
        let answer = async { Self::try_of(request.send().await?).await };
        answer.await.unwrap_or_else(|error| Self {
            status: 0,
            headers: HeaderMap::new(),
            body: format!("no answer: {error:?}"),
        })
    }

    async fn try_of(response: reqwest::Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Ok(Self { status, headers, body: response.text().await? })
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, self.body);
        self
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header is text"))
    }

    #[track_caller]
    pub fn location(&self) -> String {
        assert_eq!(self.status, 303, "{}", self.body);
        self.header("location").expect("a redirect has a Location").to_owned()
    }

    /// The OAuth error code of a JSON answer.
    #[track_caller]
    pub fn error(&self) -> String {
        self.json()["error"].as_str().expect("an OAuth error has a code").to_owned()
    }

    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.error(), code);
        answer
    }
}

/// The value of a query parameter; it must not come twice.
#[track_caller]
pub fn query(location: &str, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(location).expect("a location is a URL");
    let found: Vec<_> = url.query_pairs().filter(|(key, _)| key == name).collect();
    assert!(found.len() <= 1, "{name} comes {} times in {location}", found.len());
    found.into_iter().next().map(|(_, value)| value.into_owned())
}
