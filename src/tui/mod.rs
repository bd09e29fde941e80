//! A question in the terminal: one screen, drawn under what the command has said, and gone when it is answered.
//!
//! The inbox ([`inbox::Pane`]) has the whole screen instead, and asks in it.
//!
//! [`ask`] is the loop: it gathers keys, signals and news, and [`sheet::Sheet`] decides. Nothing here has a rule about
//! values or tasks of its own: [`crate::form`] reads what is typed, [`crate::desk`] tells what is around a question.

mod backend;
pub(crate) mod editor;
mod entry;
mod glyphs;
mod header;
pub(crate) mod inbox;
mod keyboard;
mod line;
mod look;
pub(crate) mod mode;
mod picker;
mod reading;
mod screen;
mod sheet;
mod stopping;
mod view;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal as Kill;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::desk::asked::Asked;
use crate::form::Form;
use keyboard::{Burst, Keyboard};
use look::Look;
use screen::Screen;
use sheet::{Sheet, Step};
use stopping::Drawn;

pub(crate) use sheet::{Closing, Reply};

/// How often times are told anew while nothing else happens.
const TELL_TIMES: Duration = Duration::from_secs(10);

/// How soon a stopped program is stopped: a group that no shell would wake is not.
const STOPS: Duration = Duration::from_millis(100);

/// Why a form ended without a reply.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Ctrl-C.
    Interrupted,
    /// The terminal is gone or broken.
    Terminal(io::Error),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Terminal(error)
    }
}

/// What a command says while somebody is at a form or at the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    pub(crate) words: String,
    /// Whether it is still so until something else is said; else it has been read once a key is pressed.
    pub(crate) stays: bool,
    /// When it was said.
    pub(crate) at: Instant,
}

/// How long what does not stay is shown to whoever presses no key.
const PASSES: Duration = Duration::from_secs(15);

/// All that is said meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Board {
    /// What was said last.
    pub(crate) news: Option<News>,
    /// What is so until it is over, by what it is about: a store that is away, say.
    pub(crate) standing: BTreeMap<String, String>,
}

impl Board {
    /// It as rows; the news only where they have not been read.
    fn rows(&self, is_read: bool) -> Vec<&str> {
        let news = self.news.as_ref().filter(|news| news.stays || !is_read && news.at.elapsed() < PASSES);
        let news = news.map(|news| news.words.as_str());
        self.standing.values().map(String::as_str).chain(news).collect()
    }
}

/// The terminal and the person before it.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// Whether there are colours.
    pub(crate) is_coloured: bool,
    /// Whether the terminal breaks long rows anew when it becomes narrower.
    pub(crate) rewraps: bool,
    /// The command of the person's editor.
    pub(crate) editor: String,
    /// What the command has to say meanwhile.
    pub(crate) board: watch::Receiver<Board>,
    /// What is filled in, in words, for whoever takes the form off the screen.
    pub(crate) draft: Arc<Mutex<Option<String>>>,
}

/// What came.
enum Event {
    Burst(io::Result<Burst>),
    /// The program is to stop, from outside.
    Stop,
    /// The program was stopped from outside and goes on.
    Continued,
    /// The question was closed from elsewhere.
    Closed(Closing),
    News,
    Time,
}

/// Asks at the terminal; `form` is the question's, and `None` for a page. What `closing` tells became of the question: its
/// form then stays until somebody has read that, so that nothing which is typed for it goes elsewhere. Dropping the future
/// takes the form off the screen, and the terminal is as it was.
pub(crate) async fn ask(
    asked: &Asked,
    form: Option<Form>,
    setting: Setting,
    mut closing: watch::Receiver<Option<Closing>>,
) -> Result<Reply, Stopped> {
    let mut continued = continuations()?;
    let mut open = Open::new(asked, form, setting)?;
    open.keep_draft();
    loop {
        open.draw()?;
        let event = open.next(&mut continued, &mut closing).await;
        let step = match event {
            Event::Burst(burst) => open.sheet.take(burst?),
            Event::Stop => {
                open.stop(&mut continued, stopping::stop).await?;
                Step::Stay
            }
            Event::Continued => Step::Continued,
            Event::Closed(closing) => {
                open.sheet.close(closing);
                Step::Stay
            }
            Event::News => Step::Stay,
            Event::Time => open.sheet.rest(),
        };
        open.keep_draft();
        match step {
            Step::Stay => {}
            Step::Reply(reply) => return Ok(reply),
            Step::Interrupted => return Err(Stopped::Interrupted),
            Step::Suspend => open.stop(&mut continued, stopping::stop_job).await?,
            Step::Edit(text) => open.edit(&text).await?,
            Step::Redraw => open.screen.erase()?,
            Step::Continued => open.screen.resume()?,
        }
    }
}

/// A form on the screen. The keyboard goes first: who throws away what is left must be the only one who reads.
struct Open<'a> {
    asked: &'a Asked,
    sheet: Sheet,
    setting: Setting,
    keyboard: Keyboard,
    screen: Screen,
    drawn: Drawn,
}

impl<'a> Open<'a> {
    fn new(asked: &'a Asked, form: Option<Form>, setting: Setting) -> io::Result<Self> {
        let drawn = Drawn::begin()?;
        let screen = Screen::take(setting.rewraps)?;
        let keyboard = Keyboard::new();
        Ok(Self { asked, sheet: Sheet::new(asked, form), setting, keyboard, screen, drawn })
    }

    fn draw(&mut self) -> io::Result<()> {
        let look = Look { is_coloured: self.setting.is_coloured };
        let board = self.setting.board.borrow_and_update().clone();
        let (sheet, asked) = (&mut self.sheet, self.asked);
        self.screen.draw(|size| view::picture(sheet, asked, &board.rows(false), look, size))?;
        self.sheet.seen();
        Ok(())
    }

    async fn next(
        &mut self,
        continued: &mut Signal,
        closing: &mut watch::Receiver<Option<Closing>>,
    ) -> Event {
        let rest = self.sheet.changes_in().unwrap_or(TELL_TIMES).min(TELL_TIMES);
        tokio::select! {
            biased;
            () = stopping::asked() => Event::Stop,
            _ = continued.recv() => Event::Continued,
            Some(what) = closed(closing) => Event::Closed(what),
            burst = self.keyboard.next() => Event::Burst(burst),
            Ok(()) = self.setting.board.changed() => Event::News,
            () = tokio::time::sleep(rest) => Event::Time,
        }
    }

    fn keep_draft(&self) {
        *self.setting.draft.lock().unwrap_or_else(PoisonError::into_inner) = self.sheet.draft();
        self.asked.filled.set(self.sheet.filled());
    }

    async fn stop(&mut self, continued: &mut Signal, stop: fn()) -> io::Result<()> {
        stop_by(stop, &mut self.keyboard, &mut self.screen, continued).await
    }

    async fn edit(&mut self, text: &str) -> io::Result<()> {
        self.keyboard.release();
        self.screen.suspend()?;
        let edited = self.drawn.away(editor::edit(&self.setting.editor, text)).await;
        self.screen.resume()?;
        match edited {
            Ok(Some(text)) => self.sheet.edited(&text),
            Ok(None) => self.sheet.notice = Some("the editor failed; the text is as it was".to_owned()),
            Err(error) => self.sheet.notice = Some(format!("the editor cannot be used: {error}")),
        }
        Ok(())
    }
}

/// What became of the question, once; `None` where nobody tells that.
async fn closed(closing: &mut watch::Receiver<Option<Closing>>) -> Option<Closing> {
    closing.changed().await.ok()?;
    closing.borrow_and_update().clone()
}

/// Ctrl-Z: the shell gets the terminal as it was, and what was on the screen comes back below what the shell has said.
async fn suspend(keyboard: &mut Keyboard, screen: &mut Screen, continued: &mut Signal) -> io::Result<()> {
    stop_by(stopping::stop_job, keyboard, screen, continued).await
}

/// The same, stopped in that way.
async fn stop_by(
    stop: fn(),
    keyboard: &mut Keyboard,
    screen: &mut Screen,
    continued: &mut Signal,
) -> io::Result<()> {
    keyboard.release();
    screen.suspend()?;
    stop();
    // The stop may come a moment later, to another thread.
    let _ = tokio::time::timeout(STOPS, continued.recv()).await;
    screen.resume()
}

/// Tells that the program was stopped from outside and goes on.
fn continuations() -> io::Result<Signal> {
    signal(SignalKind::from_raw(Kill::CONT.as_raw()))
}
