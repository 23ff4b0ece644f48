//! People and programs that administer.

use serde_json::Value;

use super::process::run;
use super::{Answer, Browser, Person, World};

/// The setting that lists Alice.
pub const ALICE_ADMINISTERS: (&str, &str) = ("admins", "alice@example.com");

/// A program with a token.
pub struct Operator {
    http: reqwest::Client,
    base: String,
    pub token: String,
}

impl Operator {
    /// One whose token was made by the command.
    pub async fn with(world: &World, name: &str, scope: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let command = format!("admin token create {name} --scope {scope} --expires none");
        let (code, said) = run(world, folder.path(), &command, &[]).await;
        assert_eq!(code, Some(0), "{said}");
        let token = said.trim().to_owned();
        assert!(token.starts_with("gha_"), "a token has its prefix");
        Self { http: world.http.clone(), base: world.admin_at("/admin/api/v1"), token }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.asking(self.http.get(format!("{}{path}", self.base)))).await
    }

    pub async fn get_as(&self, path: &str, accept: &str) -> Answer {
        let request = self.http.get(format!("{}{path}", self.base)).header("accept", accept);
        Answer::to(self.asking(request)).await
    }

    pub async fn post(&self, path: &str) -> Answer {
        Answer::to(self.asking(self.http.post(format!("{}{path}", self.base)))).await
    }

    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        Answer::to(self.asking(request)).await
    }

    fn asking(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.bearer_auth(&self.token)
    }

    /// All rows of a list, page by page.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut rows, mut after) = (Vec::new(), String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}limit={limit}&after={after}")).await;
            let page = page.expect(200).json();
            let items = page["items"].as_array().expect("a list has items");
            assert!(items.len() <= limit);
            rows.extend(items.iter().cloned());
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut after),
                None => return rows,
            }
        }
    }
}

/// The way of a person from the admin listener as far as back to it: where their browser is led.
pub async fn led_back(world: &World, browser: &mut Browser, who: &Person) -> Answer {
    let login = browser.get(&world.admin_at("/admin/login")).await.location();
    let provider = browser.get(&login).await.location();
    browser.get(&world.auth0.log_in(&provider, who)).await
}

/// A browser in which somebody administers.
pub async fn administers(world: &World, name: &str) -> Browser {
    let mut browser = world.browser();
    let back = led_back(world, &mut browser, &Person::named(name)).await.location();
    let entered = browser.get(&back).await;
    assert_eq!(entered.location(), "/admin/");
    browser
}
