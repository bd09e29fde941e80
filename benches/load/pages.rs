//! What open inboxes in browsers take of the relay: questions beside 500 of them, and beside none, in turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use crate::drive::{Driver, Drove, Load};
use crate::figures::{Figures, rounded};
use crate::options::Options;
use crate::report::Section;
use crate::run::Run;
use crate::stage::{Ours, Place, Redis};

const INBOXES: usize = 500;
/// Requests in flight while they are opened.
const AT_ONCE: usize = 32;
/// Questions of one task, in a row.
const IN_A_ROW: usize = 4;
/// How often with and without take turns.
const TURNS: usize = 5;

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    // Where the public address leads to is not looked at: the pages are asked for where the server listens.
    let public = ["--public-url", "http://127.0.0.1/mcptask"];
    let ours = Ours::start_with(Place::Redis(redis.url.clone()), 1, &public);
    let events = ours.url.trim_end_matches("/mcp").to_owned() + "/inbox/events";
    let seconds = options.size(1.0, 5.0);
    let mut rows = Vec::new();
    for open in [1, 10] {
        let (mut alone, mut beside, mut words) = (Drove::default(), Drove::default(), 0);
        let load = Load::new(open, IN_A_ROW, seconds);
        for _ in 0..options.size(1, TURNS) {
            alone.add(Driver::Lean.drive(&ours.url, load).await);
            let inboxes = open_inboxes(&events).await;
            beside.add(Driver::Lean.drive(&ours.url, load).await);
            words += inboxes.iter().map(Inbox::words).sum::<usize>();
        }
        rows.extend([row("none", open, &alone, 0), row("500", open, &beside, words)]);
    }
    vec![Section {
        name: "pages",
        title: "A question's whole round beside open inbox pages, microseconds; one worker process",
        rows,
    }]
}

/// A browser's open inbox: it hears that something is new, and ends when it is dropped.
struct Inbox {
    words: Arc<AtomicUsize>,
    _reader: AbortOnDropHandle<()>,
}

impl Inbox {
    async fn open(events: &str) -> Self {
        let response = crate::lean::http().get(events).send().await.expect("the stream opens");
        assert!(response.status().is_success(), "{}", response.status());
        let words = Arc::new(AtomicUsize::new(0));
        let heard = words.clone();
        let reader = async move {
            let mut body = response.bytes_stream();
            while let Some(Ok(bytes)) = body.next().await {
                let changed = bytes.windows(5).filter(|five| five == b"data:").count();
                heard.fetch_add(changed, Ordering::Relaxed);
            }
        };
        Self { words, _reader: AbortOnDropHandle::new(tokio::spawn(reader)) }
    }

    /// How often it was told.
    fn words(&self) -> usize {
        self.words.load(Ordering::Relaxed)
    }
}

async fn open_inboxes(events: &str) -> Vec<Inbox> {
    let opening = stream::iter((0..INBOXES).map(|_| Inbox::open(events)));
    opening.buffer_unordered(AT_ONCE).collect().await
}

fn row(inboxes: &str, open: usize, drove: &Drove, words: usize) -> Value {
    let mut row = json!({ "inboxes": inboxes, "questions at once": open, "lost": drove.lost });
    if let Some(figures) = Figures::of(drove.all(Run::rounds)) {
        row["p50"] = json!(figures.p50);
        row["p95"] = json!(figures.p95);
        row["p99"] = json!(figures.p99);
        row["count"] = json!(figures.count);
        row["per second"] = json!(rounded(figures.count as f64 / drove.seconds));
    }
    row["told each"] = json!(rounded(words as f64 / INBOXES as f64));
    row
}
