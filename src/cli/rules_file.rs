//! The file of `respond --rules --follow`, which is read again when it changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::time::Instant;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::Ui;
use super::{offer, signals};
use crate::config;
use crate::rules::Rules;

/// How often it is looked whether the file is another one: a look is one call of the system.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What tells one state of a file from the next: when it was written, its bytes, and which file it is.
type State = Option<(i64, i64, u64, u64)>;

/// Reads a file of rules; its mistakes are one failure.
pub(crate) fn load(ui: &Ui, file: &Path) -> Result<Rules, Failure> {
    let (rules, warnings) = config::rules::load(file).map_err(|mistakes| offer::mistaken(file, &mistakes))?;
    for one in &warnings {
        ui.warn(&one.to_string());
    }
    Ok(rules)
}

/// Reads it again, and says so. `None` where it has mistakes, which are told of: the rules stay the same then.
pub(crate) async fn read_again(ui: &Ui, file: &Path) -> Option<Rules> {
    match read(ui, file).await {
        Ok(rules) => {
            ui.talk(&format!("read the rules again: {} of them", rules.all().len()));
            Some(rules)
        }
        Err(failure) => {
            signals::tell_kept(ui, &failure, "the rules are");
            None
        }
    }
}

/// The same as [`load`], away from the runtime's threads: a file may be large, or a pipe that nobody writes to.
async fn read(ui: &Ui, file: &Path) -> Result<Rules, Failure> {
    let (ui, file) = (ui.clone(), file.to_owned());
    tokio::task::spawn_blocking(move || load(&ui, &file))
        .await
        .map_err(|error| Failure::caused(Kind::Unexpected, "the file of rules could not be read", error))?
}

/// A file of rules.
pub(crate) struct RulesFile {
    path: PathBuf,
    state: State,
}

impl RulesFile {
    /// Reads it; its mistakes are one failure.
    pub(crate) fn open(context: &Context, path: &Path) -> Result<(Self, Rules), Failure> {
        // Before it is read: what is written meanwhile is read again.
        let state = state(path);
        let rules = load(&context.ui, path)?;
        Ok((Self { path: path.to_owned(), state }, rules))
    }

    /// From now on it is read again when it changes, and at SIGHUP, which then ends nothing as long as the terminal is there.
    pub(crate) fn again(self, context: &Context) -> Result<ReadAgain, Failure> {
        let hangups = signals::hangups()?;
        context.reads_again_at_hangup();
        Ok(ReadAgain { file: self, ui: context.ui.clone(), hangups, look_at: Instant::now(), is_due: false })
    }
}

/// The same file, looked at again and again.
pub(crate) struct ReadAgain {
    file: RulesFile,
    ui: Ui,
    hangups: Signal,
    /// When it is looked at again: whoever is busy looks all the same.
    look_at: Instant,
    /// Whether it is to be read, however it looks. Kept here, since the future that learned of it may be dropped.
    is_due: bool,
}

impl ReadAgain {
    /// Waits until it has other rules. One with mistakes is told of once, and changes nothing.
    pub(crate) async fn next(&mut self) -> Rules {
        loop {
            while !self.is_due {
                tokio::select! {
                    biased;
                    _ = self.hangups.recv() => self.is_due = true,
                    () = tokio::time::sleep_until(self.look_at) => {
                        self.look_at = Instant::now() + LOOK_EVERY;
                        self.is_due = state(&self.file.path) != self.file.state;
                    }
                }
            }
            let now = state(&self.file.path);
            let read = read_again(&self.ui, &self.file.path).await;
            (self.is_due, self.file.state) = (false, now);
            if let Some(rules) = read {
                return rules;
            }
        }
    }
}

fn state(path: &Path) -> State {
    let found = std::fs::metadata(path).ok()?;
    Some((found.mtime(), found.mtime_nsec(), found.size(), found.ino()))
}
