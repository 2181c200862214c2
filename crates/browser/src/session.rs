//! One browser window: open it, go somewhere, hover over an element, close it. Every step has a deadline.
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use fantoccini::{
    Client, Locator,
    actions::{InputSource, MouseActions, PointerAction},
    elements::Element,
    error::CmdError,
};
use nix::unistd::geteuid;
use serde_json::{Value, json};
use url::Url;

use crate::{
    Driver, Execute, Fault, SessionOptions, Way,
    capabilities::shm_is_small,
    driver::public,
    fault::not_created,
    handles::{Handle, Handles, Next},
    way::{Place, choose},
    wire::{DeleteSession, DevTools, Navigate, NewSession, client, within},
};

/// Where a browser is when it could not load what was asked for.
const ERROR_PAGE: &str = "chrome-error://";
/// A profile folder is used once: a browser that did not end yet would hold its lock.
static PROFILES: AtomicU64 = AtomicU64::new(1);

/// What browser and driver say about themselves. An empty text is what they did not say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `chrome`, `chrome-headless-shell` …
    pub browser_name: String,
    /// Such as `156.0.8078.79`.
    pub browser_version: String,
    /// Such as `156.0.8078.79`.
    pub driver_version: String,
    /// The browser's process, for a driver of our own.
    pub browser_pid: Option<i32>,
}

/// A WebDriver session with one window.
///
/// A session that is dropped without [`Session::close`] stays open until its driver ends.
#[derive(Debug)]
pub struct Session {
    client: Client,
    base: Url,
    id: String,
    window: String,
    capabilities: Value,
    place: Place,
    options: SessionOptions,
    /// Where it was sent last.
    url: Option<Url>,
    found: Option<(String, Element)>,
    handles: Handles,
}

impl Session {
    /// Starts a browser.
    ///
    /// # Errors
    /// [`Fault::NotCreated`], [`Fault::RootNeedsNoSandbox`], [`Fault::DriverGone`] or [`Fault::Unresponsive`].
    pub async fn open(driver: &Driver, options: &SessionOptions) -> Result<Session, Fault> {
        let base = driver.base.clone();
        let profile = profile(driver);
        let body = options.body(profile.as_deref(), driver.is_own() && shm_is_small());
        let opener = client(&base, "", options.longest()).await?;
        let root = driver.is_own() && geteuid().is_root();
        let answer = within("the start of the browser", options.open_deadline, opener.issue_cmd(NewSession(body)))
            .await
            .map_err(|fault| not_created(fault, root, options.no_sandbox))?;
        let id = answer["sessionId"].as_str().ok_or_else(|| no_session(&answer))?.to_owned();
        let client = client(&base, &id, options.longest()).await?;
        let place = Place { own: driver.is_own(), credentials: driver.has_credentials() };
        let capabilities = answer["capabilities"].clone();
        let mut session = Session {
            client,
            base,
            id,
            window: String::new(),
            capabilities,
            place,
            options: options.clone(),
            url: None,
            found: None,
            handles: Handles::default(),
        };
        let handle = within("the window's name", options.command_deadline, session.client.window()).await?;
        session.window = handle.into();
        Ok(session)
    }

    /// The driver's name for this session.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The window's handle, which is also the page's DevTools target id.
    pub fn window(&self) -> &str {
        &self.window
    }

    /// What browser and driver say about themselves.
    pub fn facts(&self) -> Facts {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let driver = text(&self.capabilities["chrome"]["chromedriverVersion"]);
        let pid = self.capabilities["goog:processID"].as_i64().filter(|_| self.place.own);
        Facts {
            browser_name: text(&self.capabilities["browserName"]),
            browser_version: text(&self.capabilities["browserVersion"]),
            driver_version: driver.split(' ').next().unwrap_or_default().to_owned(),
            browser_pid: pid.and_then(|pid| i32::try_from(pid).ok()),
        }
    }

    /// How a sampler reaches the page without disturbing this session.
    pub fn devtools_way(&self) -> Way {
        choose(&self.capabilities, self.place)
    }

    /// DevTools commands to the page through the driver, over a connection of their own.
    ///
    /// # Errors
    /// [`Fault::DriverGone`] when there is nobody to connect to.
    pub async fn commands(&self) -> Result<Execute, Fault> {
        Ok(Execute::new(client(&self.base, &self.id, self.options.longest()).await?))
    }

    /// Loads a page and makes sure that it is the page.
    ///
    /// # Errors
    /// [`Fault::ErrorPage`] when the browser shows a page of its own instead, [`Fault::Timeout`] when the page did not
    /// finish, and what can befall any command.
    pub async fn goto(&mut self, url: &Url) -> Result<(), Fault> {
        self.found = None;
        self.url = Some(url.clone());
        self.handles.lost();
        // The driver has the same deadline and knows more: it speaks first.
        let deadline = self.options.page_load_deadline + Duration::from_secs(1);
        within("the page", deadline, self.client.issue_cmd(Navigate(url.to_string())))
            .await
            .map_err(|fault| for_url(fault, url))?;
        self.check_page().await
    }

    /// Whether the browser shows an error page of its own, to which a page may come long after it was loaded.
    async fn check_page(&mut self) -> Result<(), Fault> {
        let found = self.document_url().await?;
        if !found.starts_with(ERROR_PAGE) {
            return Ok(());
        }
        let name = self.ask("document.querySelector('.error-code')?.textContent").await?;
        let found = if name.is_empty() { found } else { name };
        Err(Fault::ErrorPage { url: self.url.as_ref().map(public).unwrap_or_default(), found })
    }

    /// The document's own URL, which is the truth where the driver names the address that was asked for.
    ///
    /// # Errors
    /// What can befall any command.
    pub async fn document_url(&mut self) -> Result<String, Fault> {
        self.ask("document.URL").await
    }

    /// The text that an expression has in the page; empty if it has none.
    async fn ask(&mut self, expression: &str) -> Result<String, Fault> {
        self.handles.lost();
        let script = format!("return {expression}");
        let answer =
            within("the document", self.options.command_deadline, self.client.execute(&script, Vec::new())).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// Moves the pointer over the middle of the element: one W3C pointer move of duration 0, which takes one frame.
    ///
    /// The element is found at the first call and again only when it is stale, and scrolled to only when it is out of
    /// view. The handle that the driver leaves in the page is released.
    ///
    /// # Errors
    /// [`Fault::ElementNotFound`], [`Fault::ErrorPage`] when that is why, [`Fault::Selector`], [`Fault::OutOfView`],
    /// [`Fault::Stale`] when the element went twice within one call, [`Fault::Alert`], and what can befall any command.
    pub async fn hover(&mut self, css: &str) -> Result<(), Fault> {
        match self.hover_once(css).await {
            // No command lasts as long as its connection may be silent: it was we who were stopped, and came back to a
            // connection whose time had run out. The next command has a new one.
            Err(Fault::Unresponsive { after: None, .. }) => self.hover_once(css).await,
            done => done,
        }
    }

    async fn hover_once(&mut self, css: &str) -> Result<(), Fault> {
        let known = self.found.take().filter(|(selector, _)| selector == css);
        let mut element = match &known {
            Some((_, element)) => element.clone(),
            None => self.find(css).await?,
        };
        let mut moved = self.point(&element).await;
        // An element of a document that was replaced is not stale but unknown to the driver.
        if known.is_some() && matches!(moved, Err(Fault::Stale | Fault::ElementNotFound { .. })) {
            element = self.find(css).await?;
            moved = self.point(&element).await;
        }
        if let Err(Fault::OutOfView { .. }) = moved {
            self.scroll_to(&element).await?;
            moved = self.point(&element).await;
        }
        match moved {
            Ok(()) => {
                self.found = Some((css.to_owned(), element));
                let released = self.release().await;
                if released.is_err() {
                    self.handles.lost();
                }
                released
            }
            Err(fault) => {
                self.handles.lost();
                Err(for_element(fault, css))
            }
        }
    }

    /// Closes the window and, for a driver of our own, the browser. Whether the processes are gone is for
    /// [`Driver::end`] to prove.
    ///
    /// # Errors
    /// What can befall any command; the session is of no use afterwards either way.
    pub async fn close(self, deadline: Duration) -> Result<(), Fault> {
        within("the end of the session", deadline, self.client.issue_cmd(DeleteSession)).await.map(drop)
    }

    async fn find(&mut self, css: &str) -> Result<Element, Fault> {
        self.handles.lost();
        let find = self.client.find(Locator::Css(css));
        match within("the search for the element", self.options.command_deadline, find).await {
            Err(fault @ Fault::ElementNotFound { .. }) => {
                self.check_page().await?;
                Err(for_element(fault, css))
            }
            found => found.map_err(|fault| for_element(fault, css)),
        }
    }

    async fn point(&mut self, element: &Element) -> Result<(), Fault> {
        let duration = Some(Duration::ZERO);
        let over = PointerAction::MoveToElement { element: element.clone(), duration, x: 0.0, y: 0.0 };
        let mouse = MouseActions::new("mouse".to_owned()).then(over);
        let moved = within("the pointer move", self.options.command_deadline, self.client.perform_actions(mouse)).await;
        if moved.is_err() {
            self.handles.lost();
        }
        moved
    }

    async fn scroll_to(&mut self, element: &Element) -> Result<(), Fault> {
        self.handles.lost();
        let script = "arguments[0].scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})";
        let arguments = vec![json!({ "element-6066-11e4-a52e-4f735466cecf": element.element_id().as_ref() })];
        let scrolled = self.client.execute(script, arguments);
        within("scrolling to the element", self.options.command_deadline, scrolled).await.map(drop)
    }

    /// Releases what the hover left behind in the page; see the module `handles`.
    async fn release(&mut self) -> Result<(), Fault> {
        match self.handles.after_hover() {
            Next::Nothing => Ok(()),
            Next::Look => self.look().await,
            Next::Release(ids) => {
                for id in ids {
                    if !self.release_one(id).await? {
                        self.handles.lost();
                    }
                }
                Ok(())
            }
        }
    }

    async fn look(&mut self) -> Result<(), Fault> {
        let answer = self.devtools("Runtime.evaluate", json!({ "expression": "({})" })).await?;
        let Some(fresh) = answer.as_ref().and_then(Handle::of_answer) else {
            tracing::debug!("the driver's handles cannot be released");
            self.handles.give_up();
            return Ok(());
        };
        let mut released = Vec::new();
        for number in self.handles.between(&fresh) {
            if self.release_one(Handles::id(&fresh, number)).await? {
                released.push(number);
            }
        }
        self.release_one(fresh.id()).await?;
        self.handles.looked(fresh, &released);
        Ok(())
    }

    /// Whether there was such a handle.
    async fn release_one(&self, id: String) -> Result<bool, Fault> {
        Ok(self.devtools("Runtime.releaseObject", json!({ "objectId": id })).await?.is_some())
    }

    /// A DevTools command through the driver; `None` when the page refuses it. Only faults that end the session fail.
    async fn devtools(&self, method: &str, params: Value) -> Result<Option<Value>, Fault> {
        let command = DevTools { method: method.to_owned(), params };
        match within("the release of a handle", self.options.command_deadline, self.client.issue_cmd(command)).await {
            Ok(answer) => Ok(Some(answer)),
            Err(Fault::Other { .. } | Fault::Timeout { .. }) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// A profile folder that was never used, inside the run folder.
fn profile(driver: &Driver) -> Option<PathBuf> {
    let number = PROFILES.fetch_add(1, Ordering::Relaxed);
    Some(driver.run_dir()?.join(format!("profile-{number}")))
}

fn no_session(answer: &Value) -> Fault {
    crate::classify(&CmdError::NotW3C(answer.clone()))
}

fn for_element(fault: Fault, css: &str) -> Fault {
    match fault {
        Fault::ElementNotFound { .. } => Fault::ElementNotFound { css: css.to_owned() },
        Fault::Selector { message, .. } => Fault::Selector { css: css.to_owned(), message },
        other => other,
    }
}

fn for_url(fault: Fault, url: &Url) -> Fault {
    match fault {
        Fault::ErrorPage { found, .. } => Fault::ErrorPage { url: public(url), found },
        other => other,
    }
}
