//! A server that is killed and started again, and one whose store is away, while commands wait through it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::place::{Background, Place};
use crate::redis::{RedisServer, free_port};

const AWAY: &str = "waiting until it is back, Ctrl-C ends this";
const BACK: &str = "the server is back";

/// A command in the background whose words go to a file of its own.
struct Waiting<'a> {
    place: &'a Place,
    name: String,
    child: Child,
}

impl<'a> Waiting<'a> {
    fn begin(place: &'a Place, name: &str, arguments: &[&str]) -> Self {
        let file = |end: &str| std::fs::File::create(place.path().join(format!("{name}.{end}")));
        let mut command = place.command(&[arguments, &["--timeout", "60s"]].concat());
        command
            .stdin(Stdio::null())
            .stdout(file("out").expect("a file"))
            .stderr(file("err").expect("a file"));
        Self { place, name: name.to_owned(), child: command.spawn().expect("it starts") }
    }

    fn read(&self, end: &str) -> String {
        std::fs::read_to_string(self.place.path().join(format!("{}.{end}", self.name))).expect("a file")
    }

    /// Waits until it has said that.
    fn says(&self, words: &str) {
        let begun = std::time::Instant::now();
        while !self.read("err").contains(words) {
            assert!(
                begun.elapsed() < crate::place::BOUND,
                "{} never says {words:?}: {}",
                self.name,
                self.read("err")
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Waits for its end: it has met one outage, said so once, and has printed that.
    fn ends_with(mut self, out: &str) {
        let code = self.child.wait().expect("it is ours").code();
        let (name, err) = (&self.name, self.read("err"));
        assert_eq!(code, Some(0), "{name}: {err}");
        assert!(self.read("out").contains(out), "{name}: {}", self.read("out"));
        assert_eq!((err.matches(AWAY).count(), err.matches(BACK).count()), (1, 1), "{name}: {err}");
    }
}

fn serve(place: &Place, port: u16) -> Background {
    let listen = format!("127.0.0.1:{port}");
    place.background(&["serve", "--json", "--workers", "0", "--listen", &listen])
}

/// The options of a server at that port in one era.
fn way(port: u16, era: &str) -> Vec<String> {
    ["--server", &format!("http://127.0.0.1:{port}/mcp"), "--era", era].map(str::to_owned).to_vec()
}

fn begin<'a>(place: &'a Place, name: &str, era: &str, port: u16, arguments: &[&str]) -> Waiting<'a> {
    let way = way(port, era);
    let all: Vec<&str> = arguments.iter().copied().chain(way.iter().map(String::as_str)).collect();
    Waiting::begin(place, &format!("{name}-{era}"), &all)
}

fn answer_both(place: &Place, id: &str) {
    place.ok(&["respond", id, "--wait", "--question", "q1", "--set", "cuisine=Thai"]);
    place.until_asked(id, "q2");
    place.ok(&["respond", id, "--wait", "--question", "q2", "--set", "vegetarian=yes"]);
}

/// Waits begun before the server is killed and while it is away, in both eras; all end with what is true.
fn a_killed_server_is_waited_for(place: &Place) {
    let (port, _worker) = (free_port(), place.worker());
    let server = serve(place, port);
    let id = place.asking("plan_dinner");
    let result = ["result", &id, "--wait"];
    let submit = ["submit", "wait", "--wait", "--arg", "seconds=0"];
    let (mut results, mut submits) = (Vec::new(), Vec::new());
    for era in ["legacy", "modern"] {
        results.push(begin(place, "before", era, port, &[&result[..], &["-v"]].concat()));
    }
    for waiting in &results {
        waiting.says("connected to");
    }
    server.kill();
    for era in ["auto", "legacy", "modern"] {
        results.push(begin(place, "within", era, port, &result));
        submits.push(begin(place, "submit", era, port, &submit));
    }
    results.iter().chain(&submits).for_each(|waiting| waiting.says(AWAY));
    let _server = serve(place, port);
    answer_both(place, &id);
    for waiting in results {
        waiting.ends_with("A vegetarian Thai dinner");
    }
    for waiting in submits {
        waiting.ends_with("");
    }
    assert_eq!(place.json(&["list"]).len(), 4, "each was submitted once");
}

#[test]
fn a_killed_server_over_a_redis_is_waited_for() {
    let redis = RedisServer::start();
    a_killed_server_is_waited_for(&Place::on_redis(&redis.url()));
}

#[test]
fn a_killed_server_over_a_file_is_waited_for() {
    a_killed_server_is_waited_for(&Place::new());
}

#[test]
fn a_store_that_is_away_behind_its_server_is_waited_for() {
    let mut redis = RedisServer::persistent();
    let place = Place::on_redis(&redis.url());
    let (port, _worker) = (free_port(), place.worker());
    let _server = serve(&place, port);
    let id = place.asking("plan_dinner");
    let result = ["result", &id, "--wait"];
    let submit = ["submit", "wait", "--wait", "--arg", "seconds=0"];
    redis.kill();
    let mut waiting = Vec::new();
    for era in ["legacy", "modern"] {
        waiting.push((begin(&place, "result", era, port, &result), "A vegetarian Thai dinner"));
        waiting.push((begin(&place, "submit", era, port, &submit), ""));
    }
    for (waiting, _) in &waiting {
        waiting.says(AWAY);
    }
    redis.restart();
    answer_both(&place, &id);
    for (waiting, out) in waiting {
        waiting.ends_with(out);
    }
    assert_eq!(place.json(&["list"]).len(), 3, "each was submitted once");
}

#[test]
fn a_store_that_refuses_behind_its_server_is_waited_for() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let (port, _worker) = (free_port(), place.worker());
    let _server = serve(&place, port);
    redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]).expect("is set");
    let submit = ["submit", "wait", "--wait", "--arg", "seconds=0"];
    let waiting = ["legacy", "modern"].map(|era| begin(&place, "submit", era, port, &submit));
    for waiting in &waiting {
        waiting.says(AWAY);
    }
    redis.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]).expect("is set");
    for waiting in waiting {
        waiting.ends_with("");
    }
    assert_eq!(place.json(&["list"]).len(), 2, "each was submitted once");
}

#[test]
fn what_does_not_pass_ends_a_command_that_waits_at_once() {
    let place = Place::new();
    let server = serve(&place, free_port());
    let url = server.url();
    let elsewhere = url.replace("/mcp", "/elsewhere");
    let nobody = format!("http://127.0.0.1:{}/mcp", free_port());
    let gone = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
    for era in ["legacy", "modern"] {
        for (command, at, code) in [
            (&["result", gone, "--wait"][..], url, 9),
            (&["submit", "nothing", "--wait"], url, 9),
            (&["result", gone, "--wait"], &elsewhere, 4),
            (&["submit", "wait"], &nobody, 4),
            (&["result", gone], &nobody, 4),
        ] {
            let ran = place.run(&[command, &["--server", at, "--era", era]].concat());
            assert_eq!(ran.code, code, "{command:?} at {at}: {ran:?}");
            assert!(!ran.err.contains(AWAY), "{ran:?}");
        }
    }
    let child = place.run(&["submit", "wait", "--wait", "--stdio", "sh -c 'exit 3'"]);
    assert!(child.code == 4 && !child.err.contains(AWAY), "{child:?}");
}

/// A server that hangs up at each call; killed when dropped.
struct HangsUp {
    child: Child,
    url: String,
}

impl HangsUp {
    fn start(log: &std::path::Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/hangs_up.py");
        let mut command = Command::new("python3");
        let mut child = command.arg(script).arg(log).stdout(Stdio::piped()).spawn().expect("python3 runs");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("its URL");
        Self { child, url: url.trim().to_owned() }
    }
}

impl Drop for HangsUp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_may_have_been_submitted_is_not_submitted_again() {
    let place = Place::new();
    let log = place.path().join("calls");
    let server = HangsUp::start(&log);
    let ran = place.run(&["submit", "bake", "--wait", "--server", &server.url, "--era", "modern"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("may have been submitted all the same"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&log).expect("it was called"), "called\n", "once");
}

/// The status of a server's `/health`.
fn health(url: &str) -> String {
    use std::io::{Read as _, Write as _};
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp");
    let mut stream = std::net::TcpStream::connect(address).expect("it listens");
    write!(stream, "GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").expect("asks");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply");
    reply.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// A server that lives without its store can do nothing: whoever watches over it and whoever uses it are told.
#[test]
fn a_server_whose_file_was_removed_is_unhealthy_and_its_clients_exit_4() {
    let place = Place::new();
    let database = place.path().join("gone.db");
    let place = place.on_file(&database.display().to_string());
    let server = place.serve(&[]);
    assert_eq!(health(server.url()), "200");
    for file in std::fs::read_dir(place.path()).expect("a folder").flatten() {
        if file.file_name().to_string_lossy().starts_with("gone.db") {
            std::fs::remove_file(file.path()).expect("removed");
        }
    }
    let begun = std::time::Instant::now();
    while health(server.url()) != "503" {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it calls itself well");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for more in [&[][..], &["--wait"]] {
        let command = [&["submit", "wait", "--timeout", "30s", "--server", server.url()][..], more].concat();
        let ran = place.run(&command);
        assert!(ran.code == 4 && ran.err.contains("its log says"), "{command:?}: {ran:?}");
    }
}
