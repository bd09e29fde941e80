//! The only road to the terminal: stdout is data, stderr is talk.

pub(crate) mod choose;
mod colour;
pub(crate) mod event;
mod failing;
pub(crate) mod flow;
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
mod terminal_traits;
mod theme;
pub(crate) mod width;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use dialoguer::console::Term;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

pub(crate) use crate::desk::{page, text, time};
pub(crate) use colour::{ColorChoice, Paint};
pub(crate) use flow::Piece;
pub(crate) use status::{ENDED, queued, row_status, status, status_column, tool_error, unreadable};
pub(crate) use table::{Cell, Column, TableRow, table, table_of};

use stage::Stage;
use terminal_traits::TerminalTraits;

use super::environment::Environment;
use super::failure::{Failure, Kind};
use crate::tui;

/// The version of the JSON that is printed (docs/JSON.md). Names that are added do not change it.
pub(crate) const FORMAT: u32 = 1;

/// The most characters of one value on a terminal.
const MOST: usize = 2000;

/// The columns that words of one row have at least.
const LEAST: usize = 24;

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
    /// How many columns stdout has, where it is a terminal that says so; likewise stderr.
    out_columns: Option<usize>,
    err_columns: Option<usize>,
    may_prompt: bool,
    /// The terminal as a form finds it; `None` where it can only be written to line by line.
    terminal: Option<TerminalTraits>,
    /// What was said last while a prompt is on the screen.
    board: watch::Sender<tui::Board>,
    prompting: AtomicBool,
    own_interrupt: AtomicBool,
}

impl Ui {
    pub(crate) fn new(manner: Manner, environment: &Environment, streams: Streams) -> Self {
        let paint = |is_terminal| Paint::new(manner.color.resolve(environment, is_terminal));
        let width_of = |is_terminal: bool, term: Term| {
            is_terminal.then(|| width::of_stream(environment, &term)).flatten()
        };
        let shared = Shared {
            manner,
            out_paint: paint(streams.out_is_terminal),
            err_paint: paint(streams.err_is_terminal),
            out_is_terminal: streams.out_is_terminal,
            err_is_terminal: streams.err_is_terminal,
            out_columns: width_of(streams.out_is_terminal, Term::stdout()),
            err_columns: width_of(streams.err_is_terminal, Term::stderr()),
            may_prompt: streams.in_is_terminal
                && streams.err_is_terminal
                && !manner.no_input
                && !environment.is_ci(),
            terminal: TerminalTraits::of(environment),
            board: watch::Sender::default(),
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

    /// How many columns stdout has; `None` where it is no terminal and nothing may be cut or wrapped.
    pub(crate) fn out_columns(&self) -> Option<usize> {
        self.shared.out_columns
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

    /// The same whose words are wrapped below each other, after what stands before them.
    pub(crate) fn line_after(&self, lead: &str, pieces: &[Piece]) -> Result<(), Failure> {
        flow::hanging(lead, pieces, self.out_columns()).iter().try_for_each(|row| self.line(row))
    }

    /// The same for words from outside: whole in a pipe, and no more of them on a terminal than somebody reads.
    pub(crate) fn line_words(&self, lead: &str, words: &str) -> Result<(), Failure> {
        let words = self.out_columns().map_or_else(|| words.to_owned(), |_| text::short(words, MOST));
        self.line_after(lead, &[Piece::Words(words)])
    }

    /// An object of data for machines, stamped `at` now unless it is stamped already; flushed.
    pub(crate) fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        let unexpected = |error| Failure::caused(Kind::Unexpected, "cannot write the result as JSON", error);
        let mut stamped = Map::from_iter([
            ("at".to_owned(), json!(Timestamp::now())),
            ("format".to_owned(), json!(FORMAT)),
        ]);
        match serde_json::to_value(object).map_err(unexpected)? {
            Value::Object(fields) => stamped.extend(fields),
            other => drop(stamped.insert("value".to_owned(), other)),
        }
        written(&self.shared.out, &text::json(&Value::Object(stamped).to_string()))
    }

    /// A remark on stderr, unless `-q` or `--json` was given.
    pub(crate) fn talk(&self, line: &str) {
        self.talk_after("", &flow::pieces(line));
    }

    /// A remark after what stands before it.
    pub(crate) fn talk_after(&self, lead: &str, pieces: &[Piece]) {
        if self.talks() {
            if self.is_prompting() {
                // A warning stands until something else is said.
                let news =
                    tui::News { words: flow::joined(pieces), stays: !lead.is_empty(), at: Instant::now() };
                self.shared.board.send_modify(|board| board.news = Some(news));
            }
            self.wrapped(lead, pieces);
        }
    }

    /// A remark in one row: of its words as many as fit beside what stands before them. Where that would be next to none,
    /// they go on in the rows below.
    pub(crate) fn talk_row(&self, lead: &str, words: &str) {
        if !self.talks() {
            return;
        }
        let columns = self.shared.err_columns.unwrap_or(MOST);
        let room = columns.saturating_sub(width::columns(lead));
        if room < LEAST {
            let words = width::cut(words, columns.saturating_mul(2));
            self.wrapped(lead, &[Piece::Words(words)]);
        } else {
            self.to_stderr(&format!("{lead}{}", width::cut(words, room)));
        }
    }

    /// Rings the bell of the terminal that stderr is.
    pub(crate) fn ring(&self) {
        if self.shared.err_is_terminal {
            self.stage().ring();
        }
    }

    /// A remark for those who asked for more with `-v`.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbosity() > 0 && self.talks() {
            for row in flow::hanging("", &flow::pieces(line), self.shared.err_columns) {
                self.to_stderr(&self.talk_paint().dim(&row));
            }
        }
    }

    /// A warning on stderr, unless `-q` or `--json` was given.
    pub(crate) fn warn(&self, line: &str) {
        self.talk_after(&format!("{} ", self.talk_paint().yellow("warning:")), &flow::pieces(line));
    }

    /// A warning that is so until it is over, as [`Ui::over`] tells; `what` it is about.
    pub(crate) fn stand(&self, what: &str, line: &str) {
        if self.talks() {
            let (what, words) = (what.to_owned(), flow::joined(&flow::pieces(line)));
            self.shared.board.send_modify(|board| {
                // That it is back, say, is over.
                board.news.take_if(|news| !news.stays);
                board.standing.insert(what, words);
            });
            let lead = format!("{} ", self.talk_paint().yellow("warning:"));
            self.wrapped(&lead, &flow::pieces(line));
        }
    }

    /// What was said to be so is over.
    pub(crate) fn over(&self, what: &str) {
        self.shared.board.send_if_modified(|board| board.standing.remove(what).is_some());
    }

    /// Rows on stderr, as wide as its terminal.
    fn wrapped(&self, lead: &str, pieces: &[Piece]) {
        for row in flow::hanging(lead, pieces, self.shared.err_columns) {
            self.to_stderr(&row);
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

    /// A form's terminal; `None` where prompts are to be plain lines.
    pub(crate) fn form_setting(&self) -> Option<tui::Setting> {
        let TerminalTraits { rewraps, editor, .. } = self.shared.terminal.clone()?;
        let is_within = self.is_prompting();
        self.shared.board.send_modify(|board| {
            // What was said before is above the form, unless that is asked within another screen.
            board.news.take_if(|news| !is_within || !news.stays);
        });
        let (board, draft) = (self.shared.board.subscribe(), Arc::default());
        Some(tui::Setting { is_coloured: self.talk_paint().is_on(), rewraps, editor, board, draft })
    }

    /// Whether the terminal has a title that can be set and given back.
    pub(crate) fn has_title(&self) -> bool {
        self.shared.terminal.as_ref().is_some_and(|traits| traits.has_title)
    }

    /// Whether the terminal cannot move its cursor.
    pub(crate) fn is_plain(&self) -> bool {
        self.shared.terminal.is_none()
    }

    /// Whether a whole screen can be drawn, for somebody who looks at it.
    pub(crate) fn may_draw(&self) -> bool {
        self.may_prompt() && !self.is_json() && self.shared.terminal.is_some()
    }

    pub(crate) fn set_prompting(&self, prompting: bool) {
        self.shared.prompting.store(prompting, Ordering::Release);
        self.stage().set_prompting(prompting);
    }
}

fn written(stream: &Mutex<Box<dyn Write + Send>>, line: &str) -> Result<(), Failure> {
    let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
    let done = stream.write_all(format!("{line}\n").as_bytes()).and_then(|()| stream.flush());
    done.map_err(|error| {
        Failure::caused(Kind::Unexpected, format!("cannot write the output: {error}"), error)
    })
}
