//! Debian's Chromium, driven over WebDriver as a person would use it.
//!
//! Each story has a driver, a browser and a profile of its own. All of it is gone when the story
//! ends, however it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::actions::{
    InputSource as _, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use fantoccini::error::CmdError;
use fantoccini::key::Key;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::web::Web;

/// How long anything may take that a person would wait for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How a browser is set up; the usual one by default.
#[derive(Clone, Debug, Default)]
pub struct Habits {
    pub is_without_javascript: bool,
    pub is_without_cookies: bool,
    /// Whether going back shows a page as it was left, where the browser sees nothing against it.
    /// Otherwise it is asked for anew, always.
    pub is_keeping_pages: bool,
    /// Where every name leads that is not this machine's.
    pub web: Option<u16>,
}

impl Habits {
    /// The usual ones, on this web.
    pub fn on(web: &Web) -> Self {
        Self { web: Some(web.port), ..Self::default() }
    }
}

/// A page is shown like this.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub name: &'static str,
    pub is_dark: bool,
    pub width: u32,
    pub height: u32,
}

pub struct Chromium {
    pub client: Client,
    /// These are dropped in this order: the browser goes before its folder.
    _driver: Driver,
    _profile: TempDir,
}

/// The process that Chromium is driven through.
struct Driver {
    child: Child,
    port: u16,
    session: Option<String>,
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment where to look")]
fn program(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

impl Driver {
    fn start() -> Self {
        let mut child = Command::new(program("CHROMEDRIVER", "chromedriver"))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be started; scripts/with-chromium installs it");
        let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = said.find_map(|line| {
            let line = line.expect("it says text");
            line.split_once("started successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        // A driver that cannot say more blocks.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, port: port.expect("it says its port"), session: None }
    }

    /// Asks the driver to end the browser, and waits until it has.
    fn end_session(&self, session: &str) -> std::io::Result<()> {
        let mut driver = TcpStream::connect(("127.0.0.1", self.port))?;
        driver.set_read_timeout(Some(PATIENCE))?;
        let host = format!("127.0.0.1:{}", self.port);
        write!(driver, "DELETE /session/{session} HTTP/1.1\r\nHost: {host}\r\n")?;
        write!(driver, "Connection: close\r\nContent-Length: 0\r\n\r\n")?;
        // It answers when the browser is gone, and keeps the connection.
        driver.read(&mut [0; 1024]).map(drop)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            // A browser that does not hear it ends with its driver: they speak through a pipe.
            let _ = self.end_session(&session);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Chromium {
    /// A browser that has never been anywhere.
    pub async fn open() -> Self {
        Self::with(Habits::default()).await
    }

    /// One with habits of its own.
    pub async fn with(habits: Habits) -> Self {
        let profile = tempfile::tempdir().expect("a folder can be made");
        let mut driver = Driver::start();
        let folder = profile.path().to_str().expect("its name is text");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities(&habits, folder))
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .expect("Chromium starts");
        driver.session = client.session_id().await.expect("the driver answers");
        Self { client, _driver: driver, _profile: profile }
    }

    /// Types an address.
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    pub async fn url(&self) -> String {
        self.client.current_url().await.expect("a page is shown").into()
    }

    /// What a person reads on the page.
    pub async fn text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.expect("a page has a body");
        body.text().await.expect("it has a text")
    }

    /// Waits for a page with this heading, and says all its text.
    pub async fn heading(&self, words: &str) -> String {
        let found = self.wait_for(&format!("//h1[contains(., {words:?})]")).await.err();
        let text = self.text().await;
        let url = self.url().await;
        assert!(found.is_none(), "no heading {words:?} at {url} ({found:?}):\n{text}");
        text
    }

    /// Waits for a page with one of two headings: which, and all its text.
    pub async fn either_heading<'a>(&self, one: &'a str, other: &'a str) -> (&'a str, String) {
        let path = format!("//h1[contains(., {one:?}) or contains(., {other:?})]");
        let found = self.wait_for(&path).await;
        let text = self.text().await;
        assert!(found.is_ok(), "neither {one:?} nor {other:?}:\n{text}");
        (if text.contains(one) { one } else { other }, text)
    }

    /// What is asked while one page gives way to the next is answered with one of several errors
    /// by the driver, and asked again.
    async fn wait_for(&self, path: &str) -> Result<fantoccini::elements::Element, CmdError> {
        let mut last = CmdError::WaitTimeout;
        let found = async {
            loop {
                match self.client.wait().forever().for_element(Locator::XPath(path)).await {
                    Err(error @ CmdError::Standard(_)) => last = error,
                    found_or_broken => return found_or_broken,
                }
            }
        };
        let found = tokio::time::timeout(PATIENCE, found).await;
        found.unwrap_or(Err(last))
    }

    /// The button or link with this label.
    pub async fn labelled(&self, words: &str) -> fantoccini::elements::Element {
        let path = format!("//*[(self::button or self::a) and contains(., {words:?})]");
        match self.wait_for(&path).await {
            Ok(found) => found,
            Err(error) => panic!("no {words:?} to press: {error}\n{}", self.text().await),
        }
    }

    /// Presses the button or link with this label.
    pub async fn press(&self, words: &str) {
        self.labelled(words).await.click().await.expect("it can be pressed");
    }

    /// Presses it twice, as fast as a mouse can.
    pub async fn press_twice(&self, words: &str) {
        let element = self.labelled(words).await;
        let (down, up) = (
            PointerAction::Down { button: MOUSE_BUTTON_LEFT },
            PointerAction::Up { button: MOUSE_BUTTON_LEFT },
        );
        let to = PointerAction::MoveToElement { element, duration: None, x: 0.0, y: 0.0 };
        let mouse = MouseActions::new("mouse".to_owned()).then(to);
        let mouse = mouse.then(down.clone()).then(up.clone()).then(down).then(up);
        self.client.perform_actions(mouse).await.expect("a mouse can do it");
    }

    /// Presses a key.
    pub async fn key(&self, key: Key) {
        let value = char::from(key);
        let keys = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value });
        self.client.perform_actions(keys).await.expect("a key can be pressed");
    }

    /// Types into whatever has the focus.
    pub async fn write(&self, text: &str) {
        let keyboard = KeyActions::new("keyboard".to_owned());
        let keys = text.chars().fold(keyboard, |keys, value| {
            keys.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(keys).await.expect("keys can be pressed");
    }

    /// Waits for a page whose address has this in it; the whole of it.
    pub async fn reaches(&self, part: &str) -> String {
        let reached = async {
            loop {
                let url = self.url().await;
                if url.contains(part) {
                    return url;
                }
            }
        };
        let reached = tokio::time::timeout(PATIENCE, reached).await;
        reached.unwrap_or_else(|_| panic!("nothing led to {part}"))
    }

    /// Waits for a complaint that is read out at once.
    pub async fn alert(&self, words: &str) {
        let found = self.wait_for(&format!("//*[@role='alert' and contains(., {words:?})]")).await;
        assert!(found.is_ok(), "no complaint {words:?}:\n{}", self.text().await);
    }

    /// Fills in the form of the built-in provider and sends it.
    pub async fn log_in(&self) {
        self.log_in_as("bob@example.com").await;
    }

    /// The same, with an address of the story's making.
    pub async fn log_in_as(&self, email: &str) {
        self.heading("Development sign-in").await;
        let field = self.client.find(Locator::Css("input[name=email]")).await.expect("a field");
        field.clear().await.expect("it can be emptied");
        field.send_keys(email).await.expect("it can be filled in");
        self.press("Sign in").await;
    }

    /// Fills in the field with this label.
    pub async fn type_into(&self, label: &str, text: &str) {
        let path = format!("//input[@id=//label[contains(., {label:?})]/@for]");
        let field = self.wait_for(&path).await;
        field.expect("there is such a field").send_keys(text).await.expect("it can be filled in");
    }

    /// What a script of the story finds on the page; not bound by the page's own rules.
    pub async fn execute(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.client.execute(script, arguments).await.expect("the script runs")
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        let command = Extension { path: "goog/cdp/execute", body };
        self.client.issue_cmd(command).await.expect("the browser obeys")
    }

    /// What the browser has noted since it was last asked: `browser` is its console,
    /// `performance` what it did on the network.
    pub async fn log(&self, kind: &str) -> Vec<Value> {
        let command = Extension { path: "se/log", body: json!({ "type": kind }) };
        let entries = self.client.issue_cmd(command).await.expect("the driver keeps a log");
        entries.as_array().expect("it is a list").clone()
    }

    /// From now on pages are shown like this.
    pub async fn look(&self, look: Look) {
        let scheme = if look.is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let metrics = json!({
            "width": look.width, "height": look.height, "deviceScaleFactor": 1,
            "mobile": look.width < 500,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// The whole page as a PNG file.
    pub async fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let all = json!({ "format": "png", "captureBeyondViewport": true });
        let size = "return [document.documentElement.clientWidth, Math.max(innerHeight, \
                    document.documentElement.scrollHeight)]";
        let size = self.execute(size, Vec::new()).await;
        let mut all = all;
        all["clip"] = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let taken = self.devtools("Page.captureScreenshot", all).await;
        let data = taken["data"].as_str().expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(data).expect("it is base64")
    }
}

/// What a content setting says for no.
const BLOCKED: u8 = 2;

fn capabilities(habits: &Habits, profile: &str) -> Capabilities {
    let mut arguments: Vec<String> = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--remote-debugging-pipe",
        "--window-size=1024,768",
    ]
    .map(str::to_owned)
    .to_vec();
    arguments.push(format!("--user-data-dir={profile}"));
    // No name is ever looked up outside this machine.
    let elsewhere = match habits.web {
        Some(port) => format!("127.0.0.1:{port}"),
        None => "~NOTFOUND".to_owned(),
    };
    let rule = format!("MAP * {elsewhere}, EXCLUDE 127.0.0.1, EXCLUDE localhost");
    arguments.push(format!("--host-resolver-rules={rule}"));
    if habits.web.is_some() {
        arguments.push("--ignore-certificate-errors".to_owned());
    }
    if !habits.is_keeping_pages {
        arguments.push("--disable-features=BackForwardCache".to_owned());
    }
    let mut preferences = json!({});
    if habits.is_without_javascript {
        preferences["profile.managed_default_content_settings.javascript"] = json!(BLOCKED);
    }
    if habits.is_without_cookies {
        preferences["profile.default_content_setting_values.cookies"] = json!(BLOCKED);
    }
    let options = json!({
        "binary": program("CHROMIUM", "/usr/bin/chromium"),
        "args": arguments,
        "prefs": preferences,
    });
    let patience = u64::try_from(PATIENCE.as_millis()).expect("it is short");
    let capabilities = json!({
        "browserName": "chrome",
        "timeouts": { "pageLoad": patience, "script": patience },
        "goog:chromeOptions": options,
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    });
    capabilities.as_object().expect("an object").clone()
}

/// A command that Chromium's driver knows beyond the standard.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(
        &self,
        base_url: &url::Url,
        session_id: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
