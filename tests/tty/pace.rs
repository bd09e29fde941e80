//! The inbox with many questions, over a store that is slow to answer too: a key asks nothing of the store, and nothing is
//! done at rest. Requests, wake-ups and frames are counted, since a busy machine makes times longer;
//! `cargo bench --bench load -- --only inbox` measures how long frames take.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mcptask::engine::{Engine, Limits, Submission};
use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use crate::inbox::worker;
use crate::place::Place;
use crate::redis::RedisServer;
use crate::screen::{Screen, TAB};
use crate::slow::slow_way;

/// How much later each of the store's replies comes.
const LATER: Duration = Duration::from_millis(50);

/// How long it is looked at while it rests.
const REST: Duration = Duration::from_secs(5);

/// What the log says of the frames under that name.
fn said(log: &str, name: &str) -> u64 {
    let (_, rest) = log.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {log}"));
    rest.split(|one: char| !one.is_ascii_digit()).next().expect("a part").parse().expect("a number")
}

#[test]
fn a_thousand_questions_on_a_slow_store_are_gone_through_and_cost_nothing_at_rest() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let _worker = worker(&place);
    submit_many(&place, Some(&redis), 1000);
    let (port, asked) = slow_way(redis.port(), LATER);
    let far = Place::on_redis(&format!("redis://127.0.0.1:{port}"));
    let variables = [("MCPTASK_LOG", "mcptask::tui=debug")];
    let mut screen = Screen::sized_with(&far, &["inbox"], (120, 40), &variables);
    screen.sees("[ 1000 waiting ]");
    screen.at_row("row 0");
    // What is pressed is seen whatever the store says: nothing is asked of it for a key.
    let (begun, before) = (Instant::now(), asked.load(Ordering::SeqCst));
    for _ in 0..20 {
        screen.press("G");
        screen.at_row("row 09");
        screen.press("g");
        screen.at_row("row 00");
    }
    let for_keys = asked.load(Ordering::SeqCst) - before;
    // What it asks by itself, keys or not, is about one request in a second.
    let by_itself = 10 + 2 * begun.elapsed().as_secs();
    assert!(for_keys < by_itself, "{for_keys} requests in {:?} for 40 keys", begun.elapsed());
    // The other tab asks the store for much, and keys are taken while it does.
    screen.press(TAB);
    screen.sees("[ tasks and workers ]");
    screen.press(TAB);
    screen.sees("[ 1000 waiting ]");
    screen.press(&"j".repeat(305));
    screen.at_row("row 030");
    let before = (asked.load(Ordering::SeqCst), wakes(screen.id()));
    std::thread::sleep(REST);
    let at_rest = asked.load(Ordering::SeqCst) - before.0;
    let woken = wakes(screen.id()) - before.1;
    assert!(at_rest < 20, "{at_rest} requests in {REST:?}");
    assert!(woken < 100, "woken {woken} times in {REST:?}");
    screen.press("q");
    let (log, code) = screen.ends();
    assert_eq!(code, 0, "{log}");
    // Each of the first 40 keys was waited for; the held one is drawn at most once each time it comes.
    let frames = said(&log, "frames");
    assert!((40..500).contains(&frames), "{log}");
}

/// So many tasks of a place that ask, without a process for each.
fn submit_many(place: &Place, redis: Option<&RedisServer>, count: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store: Arc<dyn Store> = match redis {
            Some(redis) => RedisStore::open(&redis.url(), "default").await.expect("a store"),
            None => SqliteStore::open(&place.database(), "default").await.expect("a store"),
        };
        let engine = Engine::new(store, Limits::default(), CancellationToken::new());
        for at in 0..count {
            let arguments = Map::from_iter([("what".to_owned(), json!(format!("row {at:04}")))]);
            let submission = Submission {
                tool: "allow".to_owned(),
                arguments,
                scope: mcptask::task::Scope::anonymous(),
                session: None,
                hidden: false,
                ttl_ms: None,
            };
            engine.submit(submission).await.expect("is submitted");
        }
        engine.store().close().await;
    });
}

/// How often the process was woken until now, all its threads together.
fn wakes(id: i32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("it runs");
    let of_thread = |thread: std::fs::DirEntry| {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    threads.flatten().map(of_thread).sum()
}

#[test]
fn a_thousand_questions_are_gone_through_and_at_rest_nothing_is_done() {
    let place = Place::new();
    let _worker = worker(&place);
    submit_many(&place, None, 1000);
    let mut screen = Screen::run(&place, &["inbox"]);
    screen.sees("[ 1000 waiting ]");
    screen.press("G");
    screen.at_row("row 099");
    screen.press("g");
    screen.at_row("row 000");
    // A held key: 305 of them at once. Workers ask in about the order of the tasks.
    screen.press(&"j".repeat(305));
    screen.at_row("row 030");
    let before = wakes(screen.id());
    std::thread::sleep(REST);
    let woken = wakes(screen.id()) - before;
    assert!(woken < 60, "woken {woken} times in {REST:?}");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}
