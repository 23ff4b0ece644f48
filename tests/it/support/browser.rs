//! A browser without JavaScript: keeps cookies, submits forms, follows a redirect when told.

use std::collections::BTreeMap;

use reqwest::header::SET_COOKIE;

use super::Answer;

#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// A form as a page shows it.
#[derive(Clone, Debug)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Browser {
    pub fn new(http: reqwest::Client) -> Self {
        Self { http, cookies: BTreeMap::new() }
    }

    pub async fn get(&mut self, url: &str) -> Answer {
        self.send(self.http.get(url)).await
    }

    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = reqwest::Url::parse(url).expect("a URL").origin().ascii_serialization();
        let request = self.http.post(url).form(fields).header("origin", origin);
        self.send(request.header("sec-fetch-site", "same-origin")).await
    }

    pub async fn send(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let line: Vec<_> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request =
            if line.is_empty() { request } else { request.header("cookie", line.join("; ")) };
        let answer = Answer::to(request).await;
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is text");
            let (pair, attributes) = cookie.split_once(';').expect("a cookie has attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    /// Puts a cookie in, as somebody else might have.
    pub fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Asks a page of ours as a script of another site does, credentials included.
    pub async fn fetch_from(&mut self, origin: &str, url: &str) -> Answer {
        let request = self.http.get(url).header("origin", origin);
        self.send(request.header("sec-fetch-site", "same-site")).await
    }

    /// Submits a form with fields changed or added.
    pub async fn submit(&mut self, base: &str, form: &Form, changes: &[(&str, &str)]) -> Answer {
        let shown = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let kept = shown.filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        let fields: Vec<_> = kept.chain(changes.iter().copied()).collect();
        self.post(&format!("{base}{}", form.action), &fields).await
    }

    pub fn cookie_names(&self) -> Vec<&str> {
        self.cookies.keys().map(String::as_str).collect()
    }

    /// Changes the value of every cookie.
    pub fn bend_cookies(&mut self) {
        for value in self.cookies.values_mut() {
            let last = if value.ends_with('A') { "B" } else { "A" };
            value.replace_range(value.len() - 1.., last);
        }
    }
}

/// The first form of a page.
#[track_caller]
pub fn form(page: &str) -> Form {
    forms(page).into_iter().next().unwrap_or_else(|| panic!("no form in {page}"))
}

/// All forms of a page.
#[track_caller]
pub fn forms(page: &str) -> Vec<Form> {
    page.split("<form").skip(1).map(form_of).collect()
}

#[track_caller]
fn form_of(after: &str) -> Form {
    let body = after.split("</form>").next().expect("a form ends");
    let fields = body.split("<input").skip(1).filter_map(|input| {
        let tag = input.split('>').next()?;
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    Form {
        action: attribute(body.split('>').next().expect("a tag ends"), "action")
            .expect("an action"),
        fields: fields.collect(),
    }
}

/// The target of the first link whose text contains `text`.
pub fn link(page: &str, text: &str) -> Option<String> {
    page.split("<a ").skip(1).find_map(|rest| {
        let (tag, after) = rest.split_once('>')?;
        let label = after.split("</a>").next()?;
        label.contains(text).then(|| attribute(tag, "href"))?
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!("{name}=\"")).nth(1)?.split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
