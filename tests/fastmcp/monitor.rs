//! What commands do to a deployment's Redis, as the Redis itself tells it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::kitchen::Kitchen;

/// A running MONITOR.
pub(crate) struct Monitor {
    lines: UnboundedReceiver<Vec<String>>,
}

impl Monitor {
    /// Listens from now on.
    pub(crate) async fn begin(kitchen: &Kitchen) -> Self {
        let client = redis::Client::open(kitchen.redis.url()).expect("a client");
        let monitor = client.get_async_monitor().await.expect("connects");
        let (sender, lines) = unbounded_channel();
        tokio::spawn(async move {
            let mut told = monitor.into_on_message::<String>();
            while let Some(line) = told.next().await {
                if sender.send(words(&line)).is_err() {
                    return;
                }
            }
        });
        Self { lines }
    }

    /// The commands since then, in capitals, each with its arguments. What this asks itself ends them.
    pub(crate) async fn commands(&mut self, kitchen: &Kitchen) -> Vec<Vec<String>> {
        let end = "the end of what is monitored";
        kitchen.redis::<String>(&["ECHO", end]).await;
        let mut found = Vec::new();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(30), self.lines.recv());
            let command = next.await.expect("is told in time").expect("goes on");
            if command.get(1).is_some_and(|word| word == end) {
                return found;
            }
            found.push(command);
        }
    }
}

/// `1700000000.123456 [0 127.0.0.1:5000] "get" "a"`: the words of the command.
fn words(line: &str) -> Vec<String> {
    let (_, command) = line.split_once("] ").expect("a line of MONITOR");
    let words = command.trim_matches('"').split("\" \"");
    words.enumerate().map(|(at, word)| if at == 0 { word.to_uppercase() } else { word.to_owned() }).collect()
}

/// Those of the commands that change something, as the Redis itself has it.
pub(crate) async fn writes(kitchen: &Kitchen, commands: &[Vec<String>]) -> Vec<Vec<String>> {
    let names: BTreeSet<&str> = commands.iter().map(|command| command[0].as_str()).collect();
    let mut writing = BTreeSet::new();
    for name in names {
        let told: redis::Value = kitchen.redis(&["COMMAND", "INFO", name]).await;
        if format!("{told:?}").contains("'write'") {
            writing.insert(name);
        }
    }
    commands.iter().filter(|command| writing.contains(command[0].as_str())).cloned().collect()
}

/// How often one of that name was run.
pub(crate) fn count(commands: &[Vec<String>], name: &str) -> usize {
    commands.iter().filter(|command| command[0] == name).count()
}
