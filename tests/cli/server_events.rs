//! A server that tells events (`serve --experimental-events`), watched.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::json_shapes::is_line;
use crate::place::{BOUND, Background, Place};
use crate::redis::{RedisServer, free_port};

const BY_EVENTS: &str = "the server tells by events what its tasks ask and how they end";

const LOOKED_AT: &str = "the tasks that were launched from here are looked at";

/// A watcher elsewhere, where nothing was launched.
struct Watcher {
    place: Place,
    child: Child,
}

impl Watcher {
    /// With its words to the log: other words are left out where JSON is printed.
    fn begin(words: &[&str], says: &str) -> Self {
        let place = Place::new();
        let file = |name: &str| std::fs::File::create(place.path().join(name)).expect("a file");
        let mut command = place.command(&[&["watch", "--json", "-v", "--timeout", "200s"], words].concat());
        let child = command.stdin(Stdio::null()).stdout(file("out")).stderr(file("err")).spawn();
        let watcher = Self { child: child.expect("it starts"), place };
        watcher.until(|| watcher.read("err").contains(says), says);
        watcher
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.place.path().join(name)).expect("a file")
    }

    fn until(&self, reached: impl Fn() -> bool, what: &str) {
        let begun = Instant::now();
        while !reached() {
            assert!(begun.elapsed() < BOUND, "never {what}: {} {}", self.read("out"), self.read("err"));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has told of a task, once that is so much.
    fn told(&self, task: &str, count: usize) -> Vec<Value> {
        let told = || -> Vec<Value> {
            let out = self.read("out");
            let lines = out.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let events = lines.map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
            events.filter(|event| event["task"] == task).collect()
        };
        self.until(|| told().len() >= count, &format!("{count} events of {task}"));
        told()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(place: &Place, port: u16) -> Background {
    let tokens = place.file("tokens", "anna annas-token\nben bens-token\n");
    let listen = format!("127.0.0.1:{port}");
    let words = ["serve", "--json", "--experimental-events", "--token-file", &tokens, "--listen", &listen];
    place.background(&words)
}

/// What others launch is told, through the death of the server, each once, and nothing of another scope.
fn what_others_launch_is_told_through_the_death_of_the_server(place: &Place) {
    let (elsewhere, port) = (Place::new(), free_port());
    let (server, second) = (serve(place, port), serve(place, free_port()));
    let at = |url: &str, token: &str, words: &[&str]| {
        elsewhere.ok(&[words, &["--server", url, "--era", "modern", "--token", token]].concat())
    };
    let url = server.url().to_owned();
    let watcher = Watcher::begin(&["--server", &url, "--token", "annas-token"], BY_EVENTS);
    let his = at(&url, "bens-token", &["submit", "plan_dinner"]);
    let first = at(&url, "annas-token", &["submit", "plan_dinner"]);
    let asked = watcher.told(&first, 1).remove(0);
    is_line("event", &asked);
    assert_eq!(
        (&asked["event"], &asked["tool"], &asked["source"]),
        (&"asked".into(), &"plan_dinner".into(), &"server".into())
    );
    assert_eq!(asked["question"]["message"], "What cuisine would you like?", "{asked}");
    assert!(
        asked["question"]["deadline"].is_string() && asked["question"]["requestedSchema"].is_object(),
        "{asked}"
    );

    server.kill();
    let missed = at(second.url(), "annas-token", &["submit", "plan_dinner"]);
    at(second.url(), "annas-token", &["cancel", &first]);
    let _server = serve(place, port);
    assert_eq!(watcher.told(&missed, 1)[0]["event"], "asked");
    assert_eq!(watcher.told(&first, 2)[1]["event"], "cancelled");
    is_line("event", &watcher.told(&first, 2)[1]);
    at(&url, "annas-token", &["cancel", &missed]);
    assert_eq!(watcher.told(&missed, 2)[1]["event"], "cancelled");
    assert_eq!((watcher.told(&first, 2).len(), watcher.told(&missed, 2).len()), (2, 2), "each once");
    assert_eq!(watcher.told(&his, 0), [] as [Value; 0]);
}

#[test]
fn what_others_launch_is_told_through_the_death_of_the_server_on_redis() {
    let redis = RedisServer::start();
    what_others_launch_is_told_through_the_death_of_the_server(&Place::on_redis(&redis.url()));
}

#[test]
fn what_others_launch_is_told_through_the_death_of_the_server_on_a_file() {
    what_others_launch_is_told_through_the_death_of_the_server(&Place::new());
}

/// Without a token a session is told of, and all else is followed as on other servers.
#[test]
fn a_session_is_watched_through_a_server_and_what_events_do_not_tell_is_looked_at() {
    let place = Place::new();
    let server = place.serve(&["--experimental-events"]);
    let of_session = Watcher::begin(&["dinner", "--server", server.url()], "what the session's tasks ask");
    let _all = Watcher::begin(&["--server", server.url()], LOOKED_AT);
    let refused = place.run(&["watch", "--server", server.url(), "--timeout", "2s"]).err;
    assert!(refused.contains("the server tells no events: who shows no token"), "{refused}");
    let other = Watcher::begin(&["--server", server.url(), "--event", "answered"], LOOKED_AT);
    assert!(!other.read("err").contains("by events"), "{}", other.read("err"));
    let task = place.ok(&["submit", "plan_dinner", "--session", "dinner"]);
    let unheard = place.asking("plan_dinner");
    assert_eq!(of_session.told(&task, 1)[0]["event"], "asked");
    place.ok(&["cancel", &task]);
    assert_eq!(of_session.told(&task, 2)[1]["event"], "cancelled");
    assert_eq!(of_session.told(&unheard, 0), [] as [Value; 0]);
    let plain = place.serve(&[]);
    let ran = place.run(&["watch", "dinner", "--server", plain.url()]);
    assert!(ran.code == 2 && ran.err.contains("does not say which session a task is of"), "{ran:?}");
}
