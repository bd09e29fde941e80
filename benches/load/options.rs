//! The command line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The parts: name, what it measures, seconds that it takes in full.
pub(crate) const PARTS: [(&str, &str, u32); 14] = [
    ("floor", "round trips of Redis and of HTTP, of the size that a question needs", 20),
    ("latency", "ask → handler → worker goes on, with 1, 10 and 100 tasks asking at once", 300),
    ("throughput", "tasks with one question each per second, by tasks in flight and worker processes", 400),
    ("sessions", "50 and 500 sessions at once; 1,000 other tasks that wait for people", 150),
    ("start", "submit → first line → first question → result, one task at a time", 60),
    ("correctness", "100,000 questions, each answer compared", 200),
    ("rest", "memory, CPU and connections with up to 100,000 waiting questions and 5,000 idle sessions", 400),
    ("growth", "commands and questions beside up to 1,000,000 finished tasks", 600),
    ("namespaces", "the same beside up to 1,000,000 other namespaces", 400),
    ("operator", "watch behind its writers; commands as whole processes", 90),
    ("inbox", "the inbox with 1,000 waiting questions on a slow store: frames, keys, CPU at rest", 120),
    ("pages", "questions beside 500 open inboxes in browsers", 100),
    ("sqlite", "questions between two processes on a file, and CPU at rest", 60),
    ("scale", "many readers of one log: what one namespace carries", 120),
];

/// What was asked for.
pub(crate) struct Options {
    only: Vec<String>,
    /// Small sizes: does it work at all?
    pub(crate) quick: bool,
    /// A Python that has FastMCP 3.
    pub(crate) python: Option<PathBuf>,
    pub(crate) json: PathBuf,
    pub(crate) plots: Option<PathBuf>,
    pub(crate) report: Option<PathBuf>,
}

pub(crate) fn usage() -> String {
    let mut text = "cargo bench --bench load -- [OPTIONS]

  --only PART,…    only these parts; none measures nothing and only publishes what FILE has
  --quick          small sizes, to see that everything works: its figures say little
  --python PATH    a Python with FastMCP 3.4.11 [default: where tests/run installs it]; none does without
  --json FILE      where the figures are kept; parts that are not run stay [default: target/load.json]
  --plots DIR      draw the plots there
  --report FILE    write the tables between that Markdown file's marks

"
    .to_owned();
    for (part, what, seconds) in PARTS {
        let _ = writeln!(text, "  {part:12} {what} ({seconds} s)");
    }
    text
}

impl Options {
    /// Reads them; `None` when help is wanted.
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut options = Self {
            only: PARTS.map(|(part, ..)| part.to_owned()).to_vec(),
            quick: false,
            python: usual_python(),
            json: PathBuf::from("target/load.json"),
            plots: None,
            report: None,
        };
        while let Some(name) = given.next() {
            let mut value = || given.next().ok_or(format!("{name} needs a value"));
            match name.as_str() {
                "--only" => options.only = parts(&value()?)?,
                "--quick" => options.quick = true,
                "--python" => {
                    options.python = Some(PathBuf::from(value()?)).filter(|path| path != Path::new("none"));
                }
                "--json" => options.json = value()?.into(),
                "--plots" => options.plots = Some(value()?.into()),
                "--report" => options.report = Some(value()?.into()),
                // What cargo says to every benchmark.
                "--bench" => {}
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("{other} is not an option")),
            }
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, part: &str) -> bool {
        self.only.iter().any(|wanted| wanted == part)
    }

    /// One size for a quick run, another for a full one.
    pub(crate) fn size<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }
}

fn parts(list: &str) -> Result<Vec<String>, String> {
    let known = |part: &&str| PARTS.iter().any(|(known, ..)| known == part);
    match list.split(',').find(|part| *part != "none" && !known(part)) {
        Some(part) => Err(format!("{part} is not a part")),
        None => Ok(list.split(',').map(str::to_owned).collect()),
    }
}

fn usual_python() -> Option<PathBuf> {
    let cache = std::env::var_os("MCPTASK_TEST_CACHE").map(PathBuf::from);
    let cache =
        cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/mcptask-tests")))?;
    Some(cache.join("fastmcp-3.4.11/bin/python")).filter(|python| python.exists())
}
