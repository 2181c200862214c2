//! A browser window on the page, driven by our own WebDriver code, and everything it said meanwhile.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use heapsoak_browser::{Driver, DriverOptions, Session, SessionOptions, Way, find};
use heapsoak_devtools::{Client, ConnectOptions, Error, Subscription, targets};
use nix::unistd::geteuid;
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Page {
    driver: Driver,
    pub(crate) session: Session,
    client: Client,
    events: Subscription,
    origin: String,
}

impl Page {
    /// A window of this size at `path` of the server at `url`.
    pub(crate) async fn open(url: &str, path: &str, (width, height): (u32, u32)) -> Self {
        let mut page = Self::blank(url).await;
        page.resize(width, height).await;
        page.goto(path).await;
        page
    }

    /// A window that has not been anywhere yet.
    pub(crate) async fn blank(url: &str) -> Self {
        let me = std::env::current_exe().unwrap();
        let guardian = me.parent().unwrap().parent().unwrap().join("examples/guardian");
        let options = DriverOptions::new(guardian, &["guardian"], find::driver().unwrap());
        let driver = Driver::start(&options).await.unwrap();
        let wish = SessionOptions {
            browser: Some(find::browser(None).unwrap()),
            no_sandbox: geteuid().is_root(),
            ..Default::default()
        };
        let mut session = Session::open(&driver, &wish).await.unwrap();
        // Away from the browser's own first page, which asks for much.
        session.goto(&"about:blank".parse().unwrap()).await.unwrap();
        let Way::Debugger(address) = session.devtools_way() else { panic!("no way to the page") };
        let all = targets(&address, PATIENCE).await.unwrap();
        let target = all.iter().find(|target| target.id == session.window()).unwrap();
        let options = ConnectOptions { max_message_bytes: 64 << 20, ..Default::default() };
        let client = Client::connect_to(&target.socket(&address).unwrap(), &options).await.unwrap();
        let events = client.subscribe();
        for domain in ["Runtime", "Log", "Network", "Page"] {
            client.call(&format!("{domain}.enable"), json!({}), PATIENCE).await.unwrap();
        }
        Self { driver, session, client, events, origin: url.to_owned() }
    }

    pub(crate) async fn goto(&mut self, path: &str) {
        let url = format!("{}{}", self.origin, path.trim_start_matches('/'));
        self.session.goto(&url.parse().unwrap()).await.unwrap();
        assert!(self.session.document_url().await.unwrap().starts_with(&self.origin));
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        self.client.call(method, params, PATIENCE).await.unwrap()
    }

    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Light or dark, as the system says.
    pub(crate) async fn system_theme(&self, theme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": theme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// The value of an expression.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        let found = self.eval(&format!("document.querySelector({css:?})?.textContent")).await;
        found.as_str().unwrap_or_default().to_owned()
    }

    /// Goes back in the history. The browser forgets every question it has while it leaves a document, so this one
    /// is answered before it goes.
    pub(crate) async fn back(&self) {
        self.eval("void setTimeout(() => history.back())").await;
    }

    /// Whether the expression is true; a document that is being left answers nothing.
    async fn holds(&self, expression: &str) -> bool {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        match self.client.call("Runtime.evaluate", params, PATIENCE).await {
            Ok(answer) => {
                assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
                answer["result"]["value"] == json!(true)
            }
            Err(Error::Protocol { message, .. }) if message.contains("navigated") => false,
            Err(error) => panic!("{expression}: {error}"),
        }
    }

    /// Waits until the expression is true; gives how long it took.
    #[track_caller]
    pub(crate) fn until<'a>(&'a self, expression: &'a str) -> impl Future<Output = Duration> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let begun = Instant::now();
            while !self.holds(expression).await {
                if begun.elapsed() > PATIENCE {
                    let says = self.text("#says").await;
                    panic!("{caller}: never `{expression}`; the page says `{says}`");
                }
                tokio::time::sleep(Duration::from_millis(15)).await;
            }
            begun.elapsed()
        }
    }

    /// Waits until a picture is there, of the size that was asked for.
    pub(crate) async fn until_shown(&self) {
        self.until("document.body?.dataset.state === 'shown' && !!document.querySelector('#canvas svg')").await;
    }

    async fn mouse(&self, kind: &str, (x, y): (f64, f64), clicks: u32) {
        let held = u32::from(kind != "mouseReleased" && clicks > 0);
        let button = if clicks > 0 { "left" } else { "none" };
        let params = json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": held, "clickCount": clicks });
        self.call("Input.dispatchMouseEvent", params).await;
    }

    pub(crate) async fn hover_at(&self, at: (f64, f64)) {
        self.mouse("mouseMoved", at, 0).await;
    }

    pub(crate) async fn drag(&self, from: (f64, f64), to: (f64, f64)) {
        self.mouse("mouseMoved", from, 0).await;
        self.mouse("mousePressed", from, 1).await;
        for part in [0.3, 0.7, 1.0] {
            self.mouse("mouseMoved", (from.0 + (to.0 - from.0) * part, to.1), 1).await;
        }
        self.mouse("mouseReleased", to, 1).await;
    }

    pub(crate) async fn double_click(&self, at: (f64, f64)) {
        self.mouse("mouseMoved", at, 0).await;
        for clicks in [1, 2] {
            self.mouse("mousePressed", at, clicks).await;
            self.mouse("mouseReleased", at, clicks).await;
        }
    }

    /// Presses a key as it is called in the browser: `ArrowLeft`, `Enter`, `Tab`, `+`.
    pub(crate) async fn press(&self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            one if one.chars().count() == 1 => one,
            _ => "",
        };
        let code = match key {
            "Enter" => 13,
            "Tab" => 9,
            _ => 0,
        };
        let kind = if text.is_empty() { "rawKeyDown" } else { "keyDown" };
        let down = json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", down).await;
        self.call("Input.dispatchKeyEvent", json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }))
            .await;
    }

    pub(crate) async fn click(&self, css: &str) {
        assert_eq!(self.eval(&format!("(document.querySelector({css:?}).click(), true)")).await, json!(true));
    }

    /// The middle of an element, or a part of the way over it, in pixels of the window.
    pub(crate) async fn point(&self, css: &str, across: f64, down: f64) -> (f64, f64) {
        let rect = self.eval(&format!("document.querySelector({css:?}).getBoundingClientRect().toJSON()")).await;
        let number = |key: &str| rect[key].as_f64().unwrap();
        (number("x") + number("width") * across, number("y") + number("height") * down)
    }

    /// What the page looks like, as a file beside the other test files, for people to look at.
    pub(crate) async fn screenshot(&self, name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live_page");
        std::fs::create_dir_all(&folder).unwrap();
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        let path = folder.join(name);
        let bytes = decode(answer["data"].as_str().unwrap());
        heapsoak_cli::output::replace(&path, &bytes, heapsoak_cli::output::SHARED).unwrap();
        path
    }

    /// Ends the window. Nothing was wrong in it, and it asked nobody but its server.
    pub(crate) async fn close(self) {
        let complaints = self.end().await;
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Ends the window; what was wrong in it.
    pub(crate) async fn end(mut self) -> Vec<String> {
        let mut complaints = Vec::new();
        while let Some(event) = self.events.try_recv() {
            complaints.extend(complaint(&event.method, &event.params, &self.origin));
        }
        assert_eq!(self.events.dropped(), 0);
        drop(self.client);
        let _ = self.session.close(2 * SECOND).await;
        self.driver.end(4 * SECOND).await.unwrap();
        complaints
    }
}

fn complaint(method: &str, params: &Value, origin: &str) -> Option<String> {
    match method {
        "Runtime.exceptionThrown" => Some(format!("thrown: {params}")),
        "Runtime.consoleAPICalled" => Some(format!("console: {params}")),
        "Log.entryAdded" => Some(format!("log: {params}")),
        "Network.requestWillBeSent" => {
            let url = params["request"]["url"].as_str().unwrap_or_default();
            let ours = url.starts_with(origin) || url.starts_with("data:,") || url == "about:blank";
            (!ours).then(|| format!("asked for {url}"))
        }
        _ => None,
    }
}

/// Base64, of which nothing else here is in need.
fn decode(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().enumerate().fold(0, |bits, (i, byte)| bits | value(*byte) << (18 - 6 * i));
        bytes.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}
