//! The inbox over a store that is slow to answer: it is drawn at once all the same, and does nothing at rest.
//! `cargo bench --bench load -- --only inbox` measures the same.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcptask::engine::{Engine, Limits, Submission};
use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use crate::inbox::worker;
use crate::place::{BOUND, Place};
use crate::redis::RedisServer;
use crate::screen::{Screen, TAB};
use crate::slow::slow_way;

/// How much later each of the store's replies comes.
const LATER: Duration = Duration::from_millis(50);

/// How long it is looked at while it rests.
const REST: Duration = Duration::from_secs(5);

/// The processor time that a process has had, in hundredths of a second.
fn ticks(id: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).expect("it runs");
    let (_, fields) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = fields.split_whitespace().collect();
    fields[11..13].iter().map(|one| one.parse::<u64>().expect("a number")).sum()
}

/// What the log says of the frames under that name.
fn said(log: &str, name: &str) -> u64 {
    let (_, rest) = log.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("no {name} in {log}"));
    rest.split(|one: char| !one.is_ascii_digit()).next().expect("a part").parse().expect("a number")
}

#[test]
fn a_thousand_questions_on_a_slow_store_are_smooth_and_cost_nothing_at_rest() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let _worker = worker(&place);
    submit_many(&place, Some(&redis), 1000);
    let far = Place::on_redis(&format!("redis://127.0.0.1:{}", slow_way(redis.port(), LATER)));
    let variables = [("MCPTASK_LOG", "mcptask::tui=debug")];
    let mut screen = Screen::sized_with(&far, &["inbox"], (120, 40), &variables);
    screen.sees("[ 1000 waiting ]");
    // What is pressed is seen at once, whatever is asked of the store meanwhile.
    screen.at_row("row 0");
    let begun = Instant::now();
    for _ in 0..20 {
        screen.press("G");
        screen.at_row("row 09");
        screen.press("g");
        screen.at_row("row 00");
    }
    let each = begun.elapsed() / 40;
    assert!(each < LATER.max(BOUND / 600), "{each:?} for a key");
    // The other tab asks the store for much, and keys are taken while it does.
    screen.press(TAB);
    screen.sees("[ tasks and workers ]");
    screen.press(TAB);
    screen.sees("[ 1000 waiting ]");
    screen.press(&"j".repeat(305));
    screen.at_row("row 030");
    let before = ticks(screen.id());
    std::thread::sleep(REST);
    let used = ticks(screen.id()) - before;
    // 2 % of a core.
    assert!(used <= REST.as_secs() * 2, "{used} hundredths of a second in {REST:?}");
    screen.press("q");
    let (log, code) = screen.ends();
    assert_eq!(code, 0, "{log}");
    let (frames, slow) = (said(&log, "frames"), said(&log, "slow"));
    // A machine that does something else meanwhile holds a frame up now and then.
    assert!(frames > 40 && slow * 50 <= frames, "{log}");
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
    let begun = Instant::now();
    screen.press("G");
    screen.at_row("row 099");
    screen.press("g");
    screen.at_row("row 000");
    // A held key: 305 of them at once. Workers ask in about the order of the tasks.
    screen.press(&"j".repeat(305));
    screen.at_row("row 030");
    assert!(begun.elapsed() < Duration::from_secs(5).min(BOUND), "{:?}", begun.elapsed());
    let before = wakes(screen.id());
    std::thread::sleep(Duration::from_secs(5));
    let woken = wakes(screen.id()) - before;
    assert!(woken < 60, "woken {woken} times in 5 s");
    screen.press("q");
    assert_eq!(screen.ends().1, 0);
}
