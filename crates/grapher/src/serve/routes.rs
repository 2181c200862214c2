//! The table of everything that is answered, and what answers it.

use std::convert::Infallible;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::{Stream, stream};
use heapsoak_chart::{ChartError, Picture, Theme};
use heapsoak_cli::time::TimeError;
use heapsoak_cli::{clock, exit};
use heapsoak_store::{Reader, StoreError};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::guard::{Doors, guard};
use super::library::{Library, Place};
use super::pulse::{Pulse, Seen};
use super::question::Question;
use super::{assets, history, judgement, scene, stores, view};

/// A page listens once; the other connections stay free for what it asks.
const MOST_LISTENERS: usize = 24;
/// Pictures drawn at the same time, so that a flood of requests costs no more memory than these.
const MOST_DRAWINGS: usize = 2;
/// A connection on which nothing was said for so long may be cut by what lies between.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const JSON: &str = "application/json";
const SVG: &str = "image/svg+xml; charset=utf-8";
const PNG: &str = "image/png";

/// What all requests share.
#[derive(Debug, Clone)]
struct Server {
    library: Arc<Library>,
    pulse: Pulse,
    listeners: Arc<Semaphore>,
    drawings: Arc<Semaphore>,
}

type Pairs = Query<Vec<(String, String)>>;

/// All routes behind the guard.
pub(super) fn router(doors: Doors, db: PathBuf) -> Router {
    let server = Server {
        library: Arc::new(Library::new(db)),
        pulse: Pulse::start(),
        listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
        drawings: Arc::new(Semaphore::new(MOST_DRAWINGS)),
    };
    Router::new()
        .route("/", get(home))
        .route("/live", get(|| async { Html(assets::LIVE) }))
        .route("/view", get(view_json))
        .route("/events", get(events_json))
        .route("/verdict", get(verdict_json))
        .route("/changes", get(changes))
        .route("/stores", get(stores_json))
        .route("/picture.svg", get(picture_svg))
        .route("/picture.png", get(picture_png))
        .route("/thumbnail.svg", get(thumbnail_svg))
        .merge(assets::routes())
        .fallback(|| async { (StatusCode::NOT_FOUND, "there is no such page\n") })
        .with_state(server)
        .layer(from_fn_with_state(doors, guard))
}

/// Why a request gets no answer of its kind.
enum Refusal {
    /// The request is wrong.
    Asked(anyhow::Error),
    /// No such store.
    NoStore,
    /// The store has no such source.
    NoSource(anyhow::Error),
    /// The store cannot be read now; it may be later.
    Store { waiting: bool, says: String },
    /// Too many ask at once.
    Busy,
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        if error.is::<TimeError>() || error.is::<ChartError>() {
            return Self::Asked(error);
        }
        if matches!(error.downcast_ref(), Some(StoreError::NoSource { .. })) {
            return Self::NoSource(error);
        }
        let waiting = matches!(error.downcast_ref(), Some(StoreError::Absent { .. } | StoreError::Lost { .. }));
        Self::Store { waiting, says: exit::one_line(error.as_ref()) }
    }
}

impl Refusal {
    /// What the page shows: a store that cannot be read is a state of it, not an error of the request.
    fn json(self) -> Response {
        let (status, state, says) = match self {
            Self::Asked(error) => (StatusCode::BAD_REQUEST, "refused", exit::one_line(error.as_ref())),
            Self::NoStore => (StatusCode::NOT_FOUND, "refused", "there is no such store".to_owned()),
            Self::NoSource(error) => (StatusCode::NOT_FOUND, "refused", exit::one_line(error.as_ref())),
            Self::Store { waiting, says } => (StatusCode::OK, if waiting { "waiting" } else { "trouble" }, says),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "too many ask at once".to_owned()),
        };
        (status, as_json(&json!({ "state": state, "says": says }))).into_response()
    }

    /// For who asked for a picture.
    fn text(self) -> Response {
        let (status, says) = match self {
            Self::Asked(error) => (StatusCode::BAD_REQUEST, exit::one_line(error.as_ref())),
            Self::NoStore => (StatusCode::NOT_FOUND, "there is no such store".to_owned()),
            Self::NoSource(error) => (StatusCode::NOT_FOUND, exit::one_line(error.as_ref())),
            Self::Store { waiting: true, says } => (StatusCode::NOT_FOUND, says),
            Self::Store { waiting: false, says } => (StatusCode::INTERNAL_SERVER_ERROR, says),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "too many ask at once".to_owned()),
        };
        (status, format!("{says}\n")).into_response()
    }
}

impl Server {
    fn question(&self, pairs: &[(String, String)]) -> Result<(Question, Place), Refusal> {
        let question = Question::parse(pairs).map_err(Refusal::Asked)?;
        let place = self.library.find(question.db.as_deref()).ok_or(Refusal::NoStore)?;
        Ok((question, place))
    }

    /// Reads and draws beside the tasks that answer.
    async fn draw<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        let slot = Arc::clone(&self.drawings).acquire_owned().await.map_err(|_| Refusal::Busy)?;
        let worked = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(slot);
            answer
        });
        worked.await.map_err(|_| Refusal::Busy)?.map_err(Refusal::from)
    }

    async fn with_store<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&Reader) -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.draw(move || work(&Reader::open(&place.path)?)).await
    }

    async fn picture<T: Send + 'static>(
        &self,
        pairs: &[(String, String)],
        encode: impl FnOnce(&Picture) -> Result<T, ChartError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (question, place) = self.question(pairs)?;
        let path = place.path.clone();
        let drawn = self.with_store(place, move |reader| {
            let scene = scene::read(reader, &question, clock::now_us())?;
            Ok(encode(&scene.whole(&path)?)?)
        });
        drawn.await
    }
}

async fn home(State(server): State<Server>) -> Html<&'static str> {
    Html(if server.library.is_folder() { assets::START } else { assets::LIVE })
}

fn as_json(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, JSON)], value.to_string()).into_response()
}

fn answer_json(answer: Result<Value, Refusal>) -> Response {
    answer.map_or_else(Refusal::json, |value| as_json(&value))
}

async fn view_json(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let (question, place) = match server.question(&pairs) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.json(),
    };
    let Place { name, path } = place.clone();
    let answer = server.with_store(place, move |reader| {
        let scene = scene::read(reader, &question, clock::now_us())?;
        let file = std::fs::metadata(&path).map(|found| format!("{}/{}", found.dev(), found.ino())).unwrap_or_default();
        let mut value = view::json(&scene)?;
        value["file"] = json!(name);
        value["recording"] = json!(format!("{file}/{}", scene.recording));
        Ok(value)
    });
    answer_json(answer.await)
}

async fn events_json(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let answer = match server.question(&pairs) {
        Ok((_, place)) => server.with_store(place, history::json).await,
        Err(refusal) => Err(refusal),
    };
    answer_json(answer)
}

async fn verdict_json(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let answer = match server.question(&pairs) {
        Ok((_, place)) => server.with_store(place, |reader| judgement::json(reader, clock::now_us())).await,
        Err(refusal) => Err(refusal),
    };
    answer_json(answer)
}

async fn stores_json(State(server): State<Server>) -> Response {
    let library = Arc::clone(&server.library);
    answer_json(server.draw(move || Ok(stores::json(&library, clock::now_us()))).await)
}

async fn picture_svg(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let drawn = server.picture(&pairs, heapsoak_chart::svg).await;
    drawn.map_or_else(Refusal::text, |svg| ([(header::CONTENT_TYPE, SVG)], svg).into_response())
}

async fn picture_png(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let drawn = server.picture(&pairs, heapsoak_chart::png).await;
    drawn.map_or_else(Refusal::text, |png| ([(header::CONTENT_TYPE, PNG)], png).into_response())
}

async fn thumbnail_svg(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let drawn = match server.question(&pairs) {
        Ok((question, place)) => {
            let theme: Theme = question.theme;
            server.with_store(place, move |reader| stores::thumbnail(reader, theme, clock::now_us())).await
        }
        Err(refusal) => Err(refusal),
    };
    drawn.map_or_else(Refusal::text, |svg| ([(header::CONTENT_TYPE, SVG)], svg).into_response())
}

/// One message at once, and one for each change from then on.
async fn changes(State(server): State<Server>, Query(pairs): Pairs) -> Response {
    let (_, place) = match server.question(&pairs) {
        Ok(asked) => asked,
        Err(refusal) => return refusal.json(),
    };
    let Ok(slot) = Arc::clone(&server.listeners).try_acquire_owned() else { return Refusal::Busy.json() };
    let listener = Listener { seen: server.pulse.listen(&place.path), first: true, _slot: slot };
    Sse::new(listener.messages()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

struct Listener {
    seen: watch::Receiver<Seen>,
    first: bool,
    _slot: OwnedSemaphorePermit,
}

impl Listener {
    /// A peer that does not keep up misses messages, not the newest one: nothing is queued for it.
    fn messages(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut listener| async move {
            if !std::mem::take(&mut listener.first) {
                listener.seen.changed().await.ok()?;
            }
            listener.seen.borrow_and_update();
            Some((Ok(Event::default().event("change").data("changed")), listener))
        })
    }
}
