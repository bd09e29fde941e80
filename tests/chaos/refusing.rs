//! A Redis that is there and refuses, for some seconds and for each of the reasons that a test can bring about, while
//! tasks end and others ask.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::protocol::redis::RedisServer;
use crate::stage::{Stage, Views as _};

/// Why it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Its memory is used up.
    Memory,
    /// Too few replicas keep up.
    Replicas,
    /// Scripts may not be run.
    Scripts,
    /// What scripts do may not be done.
    Rights,
    /// A script runs on and on.
    Busy,
}

impl Trouble {
    pub(crate) const ALL: [Self; 5] = [Self::Memory, Self::Replicas, Self::Scripts, Self::Rights, Self::Busy];

    /// Refuses from now on, until the guard is dropped.
    pub(crate) fn begin(self, redis: &RedisServer) -> Refusing<'_> {
        let set = |name, value| redis.ask::<()>(&["CONFIG", "SET", name, value]).expect("sets");
        let mut script = None;
        match self {
            Self::Memory => set("maxmemory", "1"),
            Self::Replicas => set("min-replicas-to-write", "1"),
            Self::Scripts => forbid(redis, &["-evalsha", "-eval"]),
            Self::Rights => forbid(redis, &["-hset", "-zadd", "-xadd"]),
            Self::Busy => {
                set("busy-reply-threshold", "20");
                script = Some(endless_script(redis));
            }
        }
        Refusing { trouble: self, redis, script }
    }
}

fn forbid(redis: &RedisServer, commands: &[&str]) {
    redis.ask::<()>(&[&["ACL", "SETUSER", "default"], commands].concat()).expect("forbids");
}

/// A script that ends only when it is killed; waits until others are turned away.
fn endless_script(redis: &RedisServer) -> Child {
    let port = redis.port().to_string();
    let mut script = Command::new("redis-cli");
    script.args(["-p", &port, "EVAL", "while true do end", "0"]).stdout(Stdio::null()).stderr(Stdio::null());
    let child = script.spawn().expect("redis-cli runs");
    while redis.ask::<()>(&["GET", "anything"]).is_ok() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

/// As long as it refuses.
pub(crate) struct Refusing<'a> {
    trouble: Trouble,
    redis: &'a RedisServer,
    script: Option<Child>,
}

impl Drop for Refusing<'_> {
    fn drop(&mut self) {
        let words: &[&str] = match self.trouble {
            Trouble::Memory => &["CONFIG", "SET", "maxmemory", "0"],
            Trouble::Replicas => &["CONFIG", "SET", "min-replicas-to-write", "0"],
            Trouble::Scripts | Trouble::Rights => &["ACL", "SETUSER", "default", "+@all"],
            Trouble::Busy => &["SCRIPT", "KILL"],
        };
        // One that kills no script has found none; whoever is refused for longer notices.
        let _ = self.redis.ask::<redis::Value>(words);
        if let Some(mut script) = self.script.take() {
            let _ = script.wait();
        }
    }
}

/// Longer than the task takes, and than the worker's lease.
const REFUSED: Duration = Duration::from_millis(4500);

#[test]
fn what_ends_and_what_asks_meanwhile_is_recorded_when_redis_takes_it_again() {
    std::thread::scope(|scope| {
        for trouble in Trouble::ALL {
            scope.spawn(move || outlast(trouble));
        }
    });
}

fn outlast(trouble: Trouble) {
    let redis = RedisServer::start();
    let stage = Stage::on(&redis);
    stage.file("slow.toml", SLOW);
    let _worker = stage.background(&["worker", "--json", "--lease", "3s", "--config", "slow.toml"]);
    let (ending, asking) = (stage.ok(&["submit", "ends"]), stage.ok(&["submit", "asks"]));
    for task in [&ending, &asking] {
        stage.until(task, "progress");
    }
    let waits = stage.background_for(Duration::from_secs(60), &["watch", "--json", "--task", &ending]);
    let refusing = trouble.begin(&redis);
    std::thread::sleep(REFUSED);
    drop(refusing);
    stage.until(&ending, "completed");
    stage.until_asked(&asking, "q1");
    stage.ok(&["respond", &asking, "--accept", "--set", "answer=yes"]);
    stage.until(&asking, "completed");
    crate::stage::saw_everything(&stage, waits, &ending);
    for task in [&ending, &asking] {
        let claims = stage.events(task).iter().filter(|event| event["event"] == "claimed").count();
        assert_eq!(claims, 1, "{trouble:?}: {task} was run once: {:?}", stage.events(task));
    }
}

/// Tools that are in the middle of something when Redis begins to refuse.
const SLOW: &str = r#"
[tools.ends]
description = "Works for a while."
steps = [{ report = "working" }, { sleep = "2s" }, { return = "done" }]

[tools.asks]
description = "Works for a while, then asks."
steps = [
    { report = "working" },
    { sleep = "2s" },
    { ask = "Go on?", as = "answer", form = { answer = "string" } },
    { return = "{{ answer.content.answer }}" },
]
"#;
