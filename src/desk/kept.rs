//! The ids of tasks that were launched through servers, kept on disk: the modern era shows a task only to who
//! has its id, so one that was lost with a killed `submit --wait` would be lost for good.

use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::client::{Target, TaskView};

/// The file in the state directory.
const FILE: &str = "submitted.jsonl";

/// When the file has so many lines, the older half goes: servers keep tasks for days, not for ever.
const MOST: usize = 2000;

/// How long a task is kept that its server says it does not know: one that serves another database for a while, or is
/// asked by somebody else, must not cost anybody the ids.
const MISSED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long a task is kept at most that its server does not know, whoever asks.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptTask {
    /// Where it runs, without secrets.
    pub(crate) server: String,
    /// Its whole id.
    pub(crate) task: String,
    /// Its tool.
    pub(crate) tool: String,
    /// When it was launched.
    pub(crate) at: Timestamp,
    /// Who launched it, as [`principal`] has it; older files do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    /// When its own ttl ends, once the server has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Timestamp>,
    /// Since when the server says to who launched it that there is no such task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    missed: Option<Timestamp>,
}

impl KeptTask {
    /// Whether a task that its server does not know is to be forgotten.
    fn is_over(&self, now: Timestamp) -> bool {
        let is_past = |at: Timestamp, after: SignedDuration| now.duration_since(at) >= after;
        let has_ended = match self.ends {
            Some(ends) => ends <= now,
            None => self.missed.is_some_and(|since| is_past(since, MISSED_FOR)),
        };
        has_ended || is_past(self.at, UNKNOWN_FOR)
    }

    /// It after its server said what it knows of it, to that principal.
    fn looked_at(mut self, who: &str, known: Option<&TaskView>, now: Timestamp) -> Self {
        match known {
            Some(view) => (self.ends, self.missed) = (view.expires().or(self.ends), None),
            // What is hidden from others is there all the same.
            None if self.who.as_deref() == Some(who) => self.missed = self.missed.or(Some(now)),
            None => {}
        }
        self
    }
}

/// The file, for one who asks servers.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    path: PathBuf,
    who: String,
}

/// Who asks a server, as a digest: the token and the headers themselves are kept nowhere.
fn principal(target: &Target) -> String {
    let mut digest = Sha256::new();
    if let Target::Http { url, headers, token } = target {
        let own = [url.username(), url.password().unwrap_or_default(), token.as_deref().unwrap_or_default()];
        let headers = headers.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        for part in own.into_iter().chain(headers) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
    }
    digest.finalize().iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

impl Kept {
    /// The one in the user's state directory, for whoever asks that server.
    pub(crate) fn within(state_directory: &Path, target: &Target) -> Self {
        Self { path: state_directory.join(FILE), who: principal(target) }
    }

    /// Adds a task. An id opens its task, so the file is for its user only.
    pub(crate) fn add(&self, server: String, task: &str, tool: &str) -> io::Result<()> {
        let (task, tool, who) = (task.to_owned(), tool.to_owned(), Some(self.who.clone()));
        let one = KeptTask { server, task, tool, at: Timestamp::now(), who, ends: None, missed: None };
        if let Some(directory) = self.path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        }
        let _alone = self.alone()?;
        let lines = std::fs::read_to_string(&self.path).unwrap_or_default();
        let lines: Vec<&str> = lines.lines().collect();
        if lines.len() >= MOST {
            self.replace(&lines[MOST / 2..])?;
        }
        // One write of one line, so that commands at the same time do not mix theirs.
        let line = format!("{}\n", serde_json::to_string(&one)?);
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        file.write_all(line.as_bytes())
    }

    /// What was launched at that server, newest first. Lines that are none of ours are passed over.
    pub(crate) fn of_server(&self, server: &str) -> Vec<KeptTask> {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        let read = text.lines().rev().filter_map(|line| serde_json::from_str::<KeptTask>(line).ok());
        let mut met = HashSet::new();
        // A server that gives an id twice has one task of it.
        read.filter(|one| one.server == server && met.insert(one.task.clone())).collect()
    }

    /// Notes what the server said of tasks: which it shows, and which (`None`) it does not know. Those that it does not
    /// know are forgotten once their ttl has ended. Lines that are none of ours stay.
    pub(crate) fn note(&self, server: &str, looked: &HashMap<String, Option<TaskView>>) -> io::Result<()> {
        let now = Timestamp::now();
        let is_old = |one: &KeptTask| {
            looked.get(&one.task).is_some_and(|known| {
                let after = one.clone().looked_at(&self.who, known.as_ref(), now);
                after != *one || (known.is_none() && after.is_over(now))
            })
        };
        // Mostly nothing is new.
        if !self.of_server(server).iter().any(is_old) {
            return Ok(());
        }
        let _alone = self.alone()?;
        let text = std::fs::read_to_string(&self.path)?;
        let anew = |line: &str| {
            let read = serde_json::from_str::<KeptTask>(line).ok().filter(|one| one.server == server);
            let Some(one) = read else { return Some(line.to_owned()) };
            let Some(known) = looked.get(&one.task) else { return Some(line.to_owned()) };
            let after = one.looked_at(&self.who, known.as_ref(), now);
            let is_gone = known.is_none() && after.is_over(now);
            (!is_gone).then(|| serde_json::to_string(&after).unwrap_or_else(|_| line.to_owned()))
        };
        let lines: Vec<String> = text.lines().filter_map(anew).collect();
        self.replace(&lines.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Only one process at a time writes the file anew, or what another one adds meanwhile would be lost.
    fn alone(&self) -> io::Result<File> {
        let lock = self.path.with_extension("lock");
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(lock)?;
        file.lock()?;
        Ok(file)
    }

    fn replace(&self, lines: &[&str]) -> io::Result<()> {
        let beside = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let text: String = lines.iter().flat_map(|line| [*line, "\n"]).collect();
        file.write_all(text.as_bytes())?;
        std::fs::rename(&beside, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(home: &Path, token: &str) -> Kept {
        let mut target = Target::http("http://one/mcp").expect("a URL");
        if let Target::Http { token: given, .. } = &mut target {
            *given = Some(token.to_owned());
        }
        Kept::within(home, &target)
    }

    fn left(kept: &Kept, server: &str) -> Vec<String> {
        kept.of_server(server).into_iter().map(|one| one.task).collect()
    }

    /// The times in the file, put back by so many hours.
    fn age(kept: &Kept, hours: i64) {
        let text = std::fs::read_to_string(&kept.path).expect("it is there");
        let back = |at: Timestamp| at - SignedDuration::from_hours(hours);
        let lines = text.lines().map(|line| {
            let one: KeptTask = serde_json::from_str(line).expect("a task");
            let (at, missed) = (back(one.at), one.missed.map(back));
            serde_json::to_string(&KeptTask { at, missed, ..one }).expect("writes") + "\n"
        });
        std::fs::write(&kept.path, lines.collect::<String>()).expect("writes");
    }

    #[test]
    fn what_a_server_does_not_know_is_forgotten_after_a_day_for_who_launched_it_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let (anna, bob) = (kept(home.path(), "anna"), kept(home.path(), "bob"));
        for (server, task) in [("one", "a"), ("one", "b"), ("two", "a"), ("one", "b")] {
            anna.add(server.into(), task, "dinner").expect("writes");
        }
        let text = std::fs::read_to_string(&anna.path).expect("it is there");
        assert!(!text.contains("anna"), "no token is written: {text}");
        assert_eq!(anna.of_server("one").len(), 2, "an id that was given twice is one task");
        let gone = HashMap::from([("a".to_owned(), None)]);
        bob.note("one", &gone).expect("notes");
        age(&anna, 25);
        bob.note("one", &gone).expect("notes");
        assert_eq!(left(&anna, "one"), ["b", "a"], "another's token knows nothing of them");
        anna.note("one", &gone).expect("notes");
        assert_eq!(left(&anna, "one"), ["b", "a"], "it may be another database for a while");
        age(&anna, 25);
        anna.note("one", &gone).expect("notes");
        assert_eq!((left(&anna, "one"), left(&anna, "two")), (vec!["b".to_owned()], vec!["a".to_owned()]));
    }

    #[test]
    fn what_has_expired_is_forgotten_at_once_and_what_is_found_again_is_missed_no_more() {
        let home = tempfile::tempdir().expect("a folder");
        let anna = kept(home.path(), "anna");
        anna.add("one".into(), "a", "dinner").expect("writes");
        anna.add("one".into(), "b", "dinner").expect("writes");
        let mut file = OpenOptions::new().append(true).open(&anna.path).expect("opens");
        writeln!(file, r#"{{"server":"one","task":"old","tool":"dinner","at":"{}"}}"#, Timestamp::now())
            .expect("writes");
        let view = |id: &str, ttl: u64| TaskView {
            id: id.to_owned(),
            status: crate::task::TaskStatus::Working,
            status_message: None,
            created_at: Some((Timestamp::now() - SignedDuration::from_secs(5)).to_string()),
            updated_at: None,
            ttl_ms: Some(ttl),
            poll_interval: std::time::Duration::from_secs(1),
            input_requests: serde_json::Map::new(),
            outcome: None,
        };
        let ids = |views: [Option<TaskView>; 3]| {
            ["a", "b", "old"].map(str::to_owned).into_iter().zip(views).collect()
        };
        anna.note("one", &ids([None, None, None])).expect("notes");
        anna.note("one", &ids([Some(view("a", 1)), Some(view("b", 90_000_000)), None])).expect("notes");
        assert!(anna.of_server("one").iter().all(|one| one.missed.is_none()));
        anna.note("one", &ids([None, None, None])).expect("notes");
        assert_eq!(left(&anna, "one"), ["old", "b"], "the ttl of a has ended");
        age(&anna, 40 * 24);
        anna.note("one", &ids([None, None, None])).expect("notes");
        assert!(left(&anna, "one").is_empty());
    }

    #[test]
    fn the_file_is_private_and_does_not_grow_without_end() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a folder");
        let kept = kept(&home.path().join("state"), "anna");
        for number in 0..=MOST {
            kept.add("http://one/mcp".into(), &number.to_string(), "dinner").expect("writes");
        }
        kept.add("http://two/mcp".into(), "other", "lunch").expect("writes");
        let found = kept.of_server("http://one/mcp");
        assert_eq!((found.len(), found[0].task.as_str()), (MOST / 2 + 1, "2000"));
        assert_eq!(kept.of_server("http://two/mcp").len(), 1);
        let mode = std::fs::metadata(&kept.path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
