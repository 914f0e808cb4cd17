//! Chromium, driven: what a person sees and presses. Each test has a browser of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::demo::free_address;

/// How long something may take to be seen, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// The accessibility checker, of the npm registry that the machine is set up with.
const AXE: &str = "axe-core@4.10.2";

/// Notes what a page's Content-Security-Policy refuses, until the checker puts its own style in.
const VIOLATIONS: &str = "addEventListener('securitypolicyviolation', (event) => { \
    if (!globalThis.axe) (globalThis.violations ??= []).push( \
        event.violatedDirective + ' ' + event.blockedURI); });";

/// Makes text twice as large.
const LARGE: &str = "document.addEventListener('DOMContentLoaded', () => \
                     document.documentElement.style.fontSize = '200%')";

/// What kind of browser.
#[derive(Clone, Copy)]
pub struct Kind {
    pub width: u32,
    pub script: bool,
    pub dark: bool,
}

pub const PHONE: Kind = Kind {
    width: 320,
    script: true,
    dark: false,
};

pub struct Browser {
    pub client: Client,
    pub kind: Kind,
    /// The address that paths are under.
    base: String,
    pub lang: &'static str,
}

/// Opens a browser for a test and closes it whatever becomes of the test.
pub fn browse<T>(kind: Kind, base: &str, test: impl AsyncFnOnce(&mut Browser) -> T) -> T {
    let driver = Driver::start();
    let profile = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let mut browser = runtime.block_on(Browser::open(&driver, kind, profile.path(), base));
    let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on(test(&mut browser))
    }));
    if seen.is_err() {
        runtime.block_on(browser.describe());
    }
    let _ = runtime.block_on(browser.client.close());
    match seen {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// chromedriver on a port of its own.
struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// It ends at once if somebody else took the port meanwhile: then another is tried.
    fn start() -> Self {
        let mut tries = (0..5).map(|_| Self::try_start(free_address().port()));
        let started = tries.find_map(|driver| driver);
        started.expect("chromedriver starts in one of five tries")
    }

    fn try_start(port: u16) -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        command.stdout(Stdio::piped());
        let missing = "chromedriver is missing: tests/all installs it, or `apt-get install \
                       chromium chromium-driver fonts-noto-cjk`";
        let mut child = command.spawn().expect(missing);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let driver = Self { child, port };
        let mut said = String::new();
        for line in lines.map_while(Result::ok) {
            if line.contains("was started successfully") {
                return Some(driver);
            }
            said = said + &line + "\n";
        }
        eprintln!("chromedriver did not start on port {port}: {said}");
        None
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        let _ = Command::new("kill").args(["-s", "TERM", &id]).status();
        let _ = self.child.wait();
    }
}

impl Browser {
    async fn open(driver: &Driver, kind: Kind, profile: &Path, base: &str) -> Self {
        let profile = format!("--user-data-dir={}", profile.display());
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-device-scale-factor=1",
            "--hide-scrollbars",
            "--lang=ko",
            &profile,
        ];
        let mut options = json!({ "args": args });
        if !kind.script {
            let blocked = "profile.managed_default_content_settings.javascript";
            options["prefs"] = json!({ blocked: 2 });
        }
        // The demo's certificate is signed by itself.
        let capabilities = json!({
            "browserName": "chrome", "goog:chromeOptions": options, "acceptInsecureCerts": true,
        });
        let capabilities = capabilities.as_object().unwrap().clone();
        let at = format!("http://127.0.0.1:{}", driver.port);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder
            .capabilities(capabilities)
            .connect(&at)
            .await
            .unwrap();
        let browser = Self {
            client,
            kind,
            base: base.to_owned(),
            lang: "ko",
        };
        browser.shape(800).await;
        browser.prefer("", &[]).await;
        browser.at_each_load(VIOLATIONS).await;
        browser
    }

    /// Runs this in each page before its own scripts; what takes it back.
    async fn at_each_load(&self, script: &str) -> Value {
        let source = json!({ "source": script });
        self.ask("Page.addScriptToEvaluateOnNewDocument", source)
            .await
    }

    /// Shows the pages that are loaded from now on with text twice as large; what takes it back.
    pub async fn large_text(&self) -> Value {
        self.at_each_load(LARGE).await
    }

    /// Shows them as they are again.
    pub async fn usual_text(&self, large: Value) {
        let taken_back = "Page.removeScriptToEvaluateOnNewDocument";
        self.ask(taken_back, large).await;
    }

    /// Opens another tab and goes on in it.
    pub async fn in_new_tab(&self) -> fantoccini::wd::WindowHandle {
        let tab = self.client.new_window(true).await.unwrap().handle;
        self.client.switch_to_window(tab.clone()).await.unwrap();
        tab
    }

    /// Shows pages in a medium, the usual one if not named, to somebody with these wishes.
    pub async fn prefer(&self, media: &str, wishes: &[(&str, &str)]) {
        let theme = if self.kind.dark { "dark" } else { "light" };
        let all = [("prefers-color-scheme", theme)];
        let features = all.iter().chain(wishes);
        let features = features.map(|(name, value)| json!({ "name": name, "value": value }));
        let features: Vec<Value> = features.collect();
        let params = json!({ "media": media, "features": features });
        self.ask("Emulation.setEmulatedMedia", params).await;
    }

    /// Prints the page; on how many sheets.
    pub async fn print(&self, name: &str) -> usize {
        let how = json!({ "preferCSSPageSize": true, "printBackground": false });
        let printed = self.ask("Page.printToPDF", how).await;
        let pdf = printed["data"].as_str().unwrap();
        let pdf = data_encoding::BASE64.decode(pdf.as_bytes()).unwrap();
        let folder = target().join("pages");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.pdf")), &pdf).unwrap();
        let text = String::from_utf8_lossy(&pdf);
        text.matches("/Type /Page\n").count() + text.matches("/Type /Page ").count()
    }

    /// Sets the width of its kind, and a height.
    async fn shape(&self, height: u64) {
        let metrics = json!({
            "width": self.kind.width, "height": height, "deviceScaleFactor": 1,
            "mobile": self.kind.width < 600,
        });
        self.ask("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// A command of Chromium's own protocol.
    pub async fn ask(&self, command: &str, params: Value) -> Value {
        let asked = Chromium(json!({ "cmd": command, "params": params }));
        self.client.issue_cmd(asked).await.unwrap()
    }

    /// Goes to a page of the demo's campaign.
    pub async fn go(&self, page: &str) {
        let address = format!("{}/{}/kr-2021-50s{page}", self.base, self.lang);
        self.client.goto(&address).await.unwrap();
    }

    /// The page that is shown: its address behind the campaign's, without a query.
    pub async fn page(&self) -> String {
        let address = self.client.current_url().await.unwrap();
        let path = address.path().to_owned();
        let behind = path.split_once("kr-2021-50s").map(|(_, page)| page);
        behind.unwrap_or(&path).to_owned()
    }

    /// Waits until that page is shown.
    #[track_caller]
    pub fn at<'a>(&'a self, page: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let shown = self.page().await;
                if shown == page && self.script("return document.readyState").await != "loading" {
                    return;
                }
                assert!(Instant::now() < until, "{caller}: at {shown}, not {page}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until the page has an element, and gives its text.
    #[track_caller]
    pub fn text<'a>(&'a self, css: &'a str) -> impl Future<Output = String> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let until = Instant::now() + PATIENCE;
            loop {
                if let Ok(found) = self.client.find(Locator::Css(css)).await
                    && let Ok(text) = found.text().await
                {
                    return text;
                }
                assert!(Instant::now() < until, "{caller}: no {css} is seen");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until an element's text has `part` in it.
    #[track_caller]
    pub fn reads<'a>(&'a self, css: &'a str, part: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let until = Instant::now() + PATIENCE;
            loop {
                let text = self.text(css).await;
                if text.contains(part) {
                    return;
                }
                assert!(
                    Instant::now() < until,
                    "{caller}: {css} reads {text:?}, not {part:?}"
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    pub async fn count(&self, css: &str) -> usize {
        self.client.find_all(Locator::Css(css)).await.unwrap().len()
    }

    #[track_caller]
    pub fn click<'a>(&'a self, css: &'a str) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            self.text(css).await;
            let found = self.client.find(Locator::Css(css)).await.unwrap();
            let clicked = found.click().await;
            clicked.unwrap_or_else(|error| panic!("{caller}: {css}: {error}"));
        }
    }

    /// Types into a field, over what is in it.
    pub async fn fill(&self, id: &str, text: &str) {
        let field = self.client.find(Locator::Id(id)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub async fn value(&self, id: &str) -> String {
        let field = self.client.find(Locator::Id(id)).await.unwrap();
        field.prop("value").await.unwrap().unwrap_or_default()
    }

    /// Presses a key where the focus is.
    pub async fn press(&self, key: char) {
        let keys = KeyActions::new("keyboard".to_owned());
        let keys = keys.then(KeyAction::Down { value: key });
        let keys = keys.then(KeyAction::Up { value: key });
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Presses a key while another is held down.
    pub async fn press_with(&self, held: char, key: char) {
        let keys = KeyActions::new("keyboard".to_owned());
        let keys = keys.then(KeyAction::Down { value: held });
        let keys = keys.then(KeyAction::Down { value: key });
        let keys = keys.then(KeyAction::Up { value: key });
        let keys = keys.then(KeyAction::Up { value: held });
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Runs a script of the test's own, which works also where pages may have none.
    pub async fn script(&self, script: &str) -> Value {
        let expression = format!("(() => {{ {script} }})()");
        let params = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
        });
        let answer = self.ask("Runtime.evaluate", params).await;
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{script}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Looks at the page as it stands: takes its picture, and finds what axe finds. No page may be
    /// wider than the window.
    pub async fn look(&self, name: &str) {
        self.picture(name).await;
        let wide = self
            .script("return document.documentElement.scrollWidth - innerWidth")
            .await;
        assert!(
            wide.as_i64() <= Some(0),
            "{name} is {wide} px wider than the window"
        );
        let violations = self.script("return globalThis.violations ?? []").await;
        assert_eq!(
            violations,
            json!([]),
            "{name} asks for what its policy refuses"
        );
        // The checker itself needs scripts: `unscripted` shows it pages on which ours do not run.
        if self.kind.script {
            self.check(name).await;
        }
    }

    pub async fn picture(&self, name: &str) {
        let theme = if self.kind.dark { "-dark" } else { "" };
        let plain = if self.kind.script { "" } else { "-plain" };
        let height = self
            .script("return document.documentElement.scrollHeight")
            .await;
        self.shape(height.as_u64().unwrap_or(800).clamp(480, 4_000))
            .await;
        let shot = self.client.screenshot().await.unwrap();
        self.shape(800).await;
        let folder = target().join("pages");
        fs::create_dir_all(&folder).unwrap();
        let file = format!("{name}-{}-{}{theme}{plain}.png", self.lang, self.kind.width);
        fs::write(folder.join(file), shot).unwrap();
    }

    /// No violation that axe knows of, of WCAG 2.2 AA and its best practices.
    async fn check(&self, name: &str) {
        let known = self.script("return typeof window.axe").await;
        if known != "object" {
            let source = json!({ "expression": axe(), "returnByValue": false });
            self.ask("Runtime.evaluate", source).await;
        }
        let found = "return axe.run(document, { resultTypes: ['violations'] }).then(r => \
                     r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html + ' ' + \
                     n.failureSummary).join(' | ')))";
        let found = self.script(found).await;
        assert_eq!(found, json!([]), "{name} in {}: {found:#}", self.lang);
    }

    /// Shows pages as they are where their script does not come, while others run.
    pub async fn unscripted(&self) {
        self.ask("Network.enable", json!({})).await;
        let blocked = json!({ "urls": ["*/assets/page.*.js"] });
        self.ask("Network.setBlockedURLs", blocked).await;
    }

    /// What a screen reader reads, in its order: texts, and what has a name instead of one.
    pub async fn spoken(&self) -> Vec<String> {
        let tree = self.ask("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().unwrap();
        let node_of = |id: &Value| nodes.iter().find(|node| node["nodeId"] == *id).unwrap();
        let (mut said, mut next) = (Vec::new(), vec![&nodes[0]]);
        while let Some(node) = next.pop() {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let is_said = matches!(role, "StaticText" | "progressbar" | "image");
            if is_said && node["ignored"] != true {
                said.extend(node["name"]["value"].as_str().map(str::to_owned));
            } else if let Some(children) = node["childIds"].as_array() {
                next.extend(children.iter().rev().map(node_of));
            }
        }
        said
    }

    /// What was shown when a test failed.
    async fn describe(&self) {
        let address = self.client.current_url().await;
        eprintln!("the browser is at {address:?}");
        let text = self.script("return document.body.innerText").await;
        eprintln!("and shows:\n{}", text.as_str().unwrap_or_default());
        self.picture("failed").await;
    }
}

#[derive(Debug)]
struct Chromium(Value);

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        let session = session.unwrap_or_default();
        base.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.to_string()))
    }
}

pub fn target() -> PathBuf {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
}

/// The checker's source: fetched once with npm into the build folder.
fn axe() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let folder = target().join("pages/axe");
        let file = folder.join("package/axe.min.js");
        if !file.exists() {
            fs::create_dir_all(&folder).unwrap();
            let fetch = format!("npm pack {AXE} --silent && tar -xzf axe-core-*.tgz");
            let mut command = Command::new("sh");
            let fetched = command.args(["-c", &fetch]).current_dir(&folder).status();
            assert!(
                fetched.is_ok_and(|status| status.success()),
                "{AXE} can't be fetched: tests/all installs npm, or `apt-get install npm`"
            );
        }
        fs::read_to_string(file).unwrap()
    })
}
