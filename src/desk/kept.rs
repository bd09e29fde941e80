//! The ids of tasks that were launched through servers, kept on disk: the modern era shows a task only to who
//! has its id, so one that was lost with a killed `submit --wait` would be lost for good.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The file in the state directory.
const FILE: &str = "submitted.jsonl";

/// When the file has so many lines, the older half goes: servers keep tasks for days, not for ever.
const MOST: usize = 2000;

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
}

/// The file.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// The one in the user's state directory.
    pub(crate) fn within(state_directory: &Path) -> Self {
        Self { path: state_directory.join(FILE) }
    }

    /// Adds a task. An id opens its task, so the file is for its user only.
    pub(crate) fn add(&self, server: String, task: &str, tool: &str) -> io::Result<()> {
        let one = KeptTask { server, task: task.to_owned(), tool: tool.to_owned(), at: Timestamp::now() };
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

    /// Forgets tasks that their server does not know any more. Lines that are none of ours stay.
    pub(crate) fn forget(&self, server: &str, tasks: &[String]) -> io::Result<()> {
        let _alone = self.alone()?;
        let text = std::fs::read_to_string(&self.path)?;
        let is_gone = |line: &&str| {
            serde_json::from_str::<KeptTask>(line)
                .is_ok_and(|one| one.server == server && tasks.contains(&one.task))
        };
        self.replace(&text.lines().filter(|line| !is_gone(line)).collect::<Vec<_>>())
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

    #[test]
    fn what_is_forgotten_takes_nothing_else_with_it() {
        let home = tempfile::tempdir().expect("a folder");
        let kept = Kept { path: home.path().join(FILE) };
        for (server, task) in [("one", "a"), ("one", "b"), ("two", "a"), ("one", "b")] {
            kept.add(server.into(), task, "dinner").expect("writes");
        }
        assert_eq!(kept.of_server("one").len(), 2, "an id that was given twice is one task");
        kept.forget("one", &["a".to_owned()]).expect("forgets");
        let left = |server: &str| kept.of_server(server).into_iter().map(|one| one.task).collect::<Vec<_>>();
        assert_eq!((left("one"), left("two")), (vec!["b".to_owned()], vec!["a".to_owned()]));
        kept.forget("one", &["b".to_owned()]).expect("forgets");
        kept.add("one".into(), "c", "dinner").expect("writes");
        assert_eq!(left("one"), ["c"]);
    }

    #[test]
    fn the_file_is_private_and_does_not_grow_without_end() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a folder");
        let kept = Kept { path: home.path().join("state").join(FILE) };
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
