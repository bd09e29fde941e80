//! A store with tasks in every state.
#![allow(unreachable_pub, reason = "as the other parts of tests")]

use crate::place::{Background, Place};
use crate::situations::{Done, Ids, Row, faults};

/// Tools whose tasks come into every state.
pub const TOOLS: &str = r#"builtin = ["wait"]

[tools.asks]
description = "Asks twice, one after the other."
steps = [
  { as = "q1", ask = "Are you sure?", form = { sure = "boolean" } },
  { as = "q2", ask = "Which size?", form = { size = "text" } },
  { return = "done" },
]

[tools.breaks]
description = "Its result is an error."
command = ["sh", "-c", "echo no gas >&2; exit 1"]
"#;

/// A store with a worker and one task in each state, some seen through a server.
pub struct Stage {
    pub place: Place,
    pub ids: Ids,
    pub server: Background,
    _worker: Background,
}

impl Stage {
    /// Its worker runs [`TOOLS`], its server does not work.
    pub fn on(place: Place) -> Self {
        let config = place.file("tools.toml", TOOLS);
        let worker = place.background(&["worker", "--json", "--config", &config]);
        let server = place.serve(&["--workers", "0"]);
        let working = place.ok(&["submit", "wait", "--arg", "seconds=600"]);
        let ended = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
        let broken = place.ok(&["submit", "breaks"]);
        let cancelled = place.asking("asks");
        place.ok(&["cancel", &cancelled]);
        let second = place.asking("asks");
        place.ok(&["respond", &second, "--set", "sure=yes"]);
        place.until_asked(&second, "q2");
        place.until(&working, "claimed");
        place.until(&ended, "completed");
        place.until(&broken, "end");
        let ids = Ids(vec![
            ("UNKNOWN", "nobodys0".to_owned()),
            ("WORKING", working),
            ("ENDED", ended),
            ("TOOL_ERROR", broken),
            ("CANCELLED", cancelled),
            ("ASKING", place.asking("asks")),
            ("SECOND", second),
            ("FIRST_QUESTION", "q1".to_owned()),
        ]);
        Self { place, ids, server, _worker: worker }
    }

    /// What is wrong with the rows where the commands go that way.
    pub fn faults(&self, name: &str, rows: &[Row], way: &[&str]) -> Vec<String> {
        faults(name, &self.ids, rows, &mut |command| ran(&self.place, command, way))
    }
}

/// Runs a command with the options of its way.
pub fn ran(place: &Place, command: &[&str], way: &[&str]) -> Done {
    let ran = place.run(&[command, way].concat());
    Done { code: ran.code, err: ran.err }
}

/// Shows every fault at once.
pub fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
