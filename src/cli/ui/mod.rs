//! The only road to the terminal: stdout is data, stderr is talk.

pub(crate) mod choose;
mod colour;
pub(crate) mod event;
pub(crate) mod form;
mod keyboard;
mod line;
mod list;
pub(crate) mod logging;
pub(crate) mod prompt;
pub(crate) mod question;
pub(crate) mod spinner;
mod stage;
mod status;
mod table;
mod terminal_mode;
mod theme;
mod width;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

pub(crate) use crate::desk::{page, text, time};
pub(crate) use colour::{ColorChoice, Paint};
pub(crate) use status::{row_status, status, status_column, tool_error, unreadable};
pub(crate) use table::table;

use stage::Stage;

use super::environment::Environment;
use super::failure::{Failure, Kind};

/// How to speak; resolved from the global flags.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// One JSON object per line.
    pub(crate) json: bool,
    /// No talk but errors.
    pub(crate) quiet: bool,
    /// How much more than usual.
    pub(crate) verbose: u8,
    /// Whether to colour.
    pub(crate) color: ColorChoice,
    /// Never ask at the terminal.
    pub(crate) no_input: bool,
}

/// The three standard streams: where they go, and which of them are a terminal.
pub(crate) struct Streams {
    pub(crate) out: Box<dyn Write + Send>,
    pub(crate) err: Box<dyn Write + Send>,
    pub(crate) in_is_terminal: bool,
    pub(crate) out_is_terminal: bool,
    pub(crate) err_is_terminal: bool,
}

impl Streams {
    /// The process's own.
    pub(crate) fn of_process() -> Self {
        use std::io::{IsTerminal as _, stderr, stdin, stdout};
        Self {
            out: Box::new(stdout()),
            err: Box::new(stderr()),
            in_is_terminal: stdin().is_terminal(),
            out_is_terminal: stdout().is_terminal(),
            err_is_terminal: stderr().is_terminal(),
        }
    }
}

/// A handle on the terminal; clones speak to the same one.
#[derive(Clone)]
pub(crate) struct Ui {
    shared: Arc<Shared>,
}

struct Shared {
    manner: Manner,
    out: Mutex<Box<dyn Write + Send>>,
    err: Mutex<Stage>,
    out_paint: Paint,
    err_paint: Paint,
    out_is_terminal: bool,
    err_is_terminal: bool,
    may_prompt: bool,
    prompting: AtomicBool,
    own_interrupt: AtomicBool,
}

impl Ui {
    pub(crate) fn new(manner: Manner, environment: &Environment, streams: Streams) -> Self {
        let paint = |is_terminal| Paint::new(manner.color.resolve(environment, is_terminal));
        let shared = Shared {
            manner,
            out_paint: paint(streams.out_is_terminal),
            err_paint: paint(streams.err_is_terminal),
            out_is_terminal: streams.out_is_terminal,
            err_is_terminal: streams.err_is_terminal,
            may_prompt: streams.in_is_terminal
                && streams.err_is_terminal
                && !manner.no_input
                && !environment.is_ci(),
            out: Mutex::new(streams.out),
            err: Mutex::new(Stage::new(streams.err)),
            prompting: AtomicBool::new(false),
            own_interrupt: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Whether output is JSON lines.
    pub(crate) fn is_json(&self) -> bool {
        self.shared.manner.json
    }

    /// How often `-v` was given.
    pub(crate) fn verbosity(&self) -> u8 {
        self.shared.manner.verbose
    }

    /// Whether `-q` was given.
    pub(crate) fn is_quiet(&self) -> bool {
        self.shared.manner.quiet
    }

    /// Whether somebody is there to be asked.
    pub(crate) fn may_prompt(&self) -> bool {
        self.shared.may_prompt
    }

    /// Whether things may move on stderr: a person looks at it and wants to be talked to.
    pub(crate) fn may_animate(&self) -> bool {
        self.shared.err_is_terminal && self.talks()
    }

    /// Whether a person reads stdout.
    pub(crate) fn out_is_terminal(&self) -> bool {
        self.shared.out_is_terminal
    }

    /// Colours for stdout.
    pub(crate) fn paint(&self) -> Paint {
        self.shared.out_paint
    }

    /// Colours for stderr.
    pub(crate) fn talk_paint(&self) -> Paint {
        self.shared.err_paint
    }

    fn talks(&self) -> bool {
        !self.shared.manner.quiet && !self.shared.manner.json
    }

    /// A line of data for people. Text from outside must have gone through [`text`].
    pub(crate) fn line(&self, line: &str) -> Result<(), Failure> {
        written(&self.shared.out, line)
    }

    /// An object of data for machines, stamped `at` now unless it is stamped already; flushed.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        let unexpected = |error| Failure::caused(Kind::Unexpected, "cannot write the result as JSON", error);
        let mut stamped = Map::from_iter([("at".to_owned(), json!(Timestamp::now()))]);
        match serde_json::to_value(object).map_err(unexpected)? {
            Value::Object(fields) => stamped.extend(fields),
            other => drop(stamped.insert("value".to_owned(), other)),
        }
        written(&self.shared.out, &text::json(&Value::Object(stamped).to_string()))
    }

    /// A remark on stderr, unless `-q` or `--json` was given.
    pub(crate) fn talk(&self, line: &str) {
        if self.talks() {
            self.to_stderr(line);
        }
    }

    /// A remark whose words are wrapped below each other, as a terminal's width asks for it.
    pub(crate) fn talk_after(&self, sign: &str, words: &str) {
        let indent = width::columns(sign);
        let columns = if self.shared.err_is_terminal { width::of_terminal() } else { usize::MAX };
        for (index, row) in width::wrap(words, columns.saturating_sub(indent)).iter().enumerate() {
            let before = if index == 0 { sign.to_owned() } else { " ".repeat(indent) };
            self.talk(&format!("{before}{row}"));
        }
    }

    /// A remark for those who asked for more with `-v`.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbosity() > 0 {
            self.talk(&self.talk_paint().dim(line));
        }
    }

    /// A warning on stderr, unless `-q` or `--json` was given.
    pub(crate) fn warn(&self, line: &str) {
        self.talk(&format!("{} {line}", self.talk_paint().yellow("warning:")));
    }

    /// The one message that is always shown: why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.is_json() {
            self.to_stderr(&text::json(&failure_object(failure).to_string()));
            return;
        }
        let paint = self.talk_paint();
        let mut lines = text::block(&failure.to_string()).into_iter();
        let first = lines.next().unwrap_or_default();
        self.to_stderr(&format!("{} {first}", paint.red("error:")));
        lines.for_each(|line| self.to_stderr(&format!("  {line}")));
        if self.verbosity() > 0 {
            for cause in failure.causes() {
                self.to_stderr(&paint.dim(&format!("  caused by: {}", text::line(&cause))));
            }
        }
        for hint in failure.hints() {
            self.to_stderr(&format!("{} {}", paint.cyan("hint:"), text::line(&hint.to_string())));
        }
    }

    /// Writes to stderr whatever the manner; while a prompt is on the screen, as soon as it has left.
    pub(crate) fn to_stderr(&self, line: &str) {
        // Nobody can be told that stderr is closed.
        let _ = self.stage().say(line);
    }

    /// What the line that moves says; `None` takes it off the screen.
    fn set_moving(&self, message: Option<&str>) {
        self.stage().set_moving(message);
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.shared.err.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a prompt is on the screen: then Ctrl-C is the prompt's.
    pub(crate) fn is_prompting(&self) -> bool {
        self.shared.prompting.load(Ordering::Acquire)
    }

    /// Whether the next SIGINT comes from a prompt that was taken off the screen; asking forgets it.
    pub(crate) fn take_own_interrupt(&self) -> bool {
        self.shared.own_interrupt.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn set_own_interrupt(&self, raised: bool) {
        self.shared.own_interrupt.store(raised, Ordering::Release);
    }

    pub(crate) fn set_prompting(&self, prompting: bool) {
        self.shared.prompting.store(prompting, Ordering::Release);
        self.stage().set_prompting(prompting);
    }
}

fn failure_object(failure: &Failure) -> Value {
    let mut object = json!({
        "at": Timestamp::now(),
        "code": failure.kind().code(),
        "exit": failure.kind().exit_code(),
        "message": failure.to_string(),
    });
    if !failure.hints().is_empty() {
        let hints: Vec<_> = failure.hints().iter().map(ToString::to_string).collect();
        object["hint"] = hints.join("; ").into();
    }
    if !failure.causes().is_empty() {
        object["causes"] = failure.causes().into();
    }
    object
}

fn written(stream: &Mutex<Box<dyn Write + Send>>, line: &str) -> Result<(), Failure> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let done = stream.write_all(format!("{line}\n").as_bytes()).and_then(|()| stream.flush());
    done.map_err(|error| {
        Failure::caused(Kind::Unexpected, format!("cannot write the output: {error}"), error)
    })
}
