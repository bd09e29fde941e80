//! The inbox in the terminal: a pane that has the whole screen, while forms are asked in it and news come.
//!
//! [`Pane`] gathers keys, signals and news; [`state::State`] decides what they mean. What is more than a matter of the
//! screen is a [`Wish`], which whoever holds the pane fulfils.

mod announce;
pub(crate) mod facts;
mod help;
mod overview;
mod pace;
mod sheet;
mod state;
mod tasks;
mod view;

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tokio::time::Instant;

use super::keyboard::{Burst, Keyboard};
use super::look::Look;
use super::screen::{Screen, WholeScreen};
use super::stopping::{self, Drawn};
use super::{Board, Setting, Stopped, TELL_TIMES, continuations, stop_by, suspend};
use crate::desk::inbox::Inbox;
use crate::desk::inbox::overview::Overview;
use crate::desk::suggest::Reach;

pub(crate) use announce::announce;
use pace::Pace;
pub(crate) use sheet::{Sheet, SheetLine, Tone};
pub(crate) use state::Wish;
use state::{Mode, State, Step};

/// The least time from one drawing of news to the next: a storm of them costs no more than that.
const BETWEEN_NEWS: Duration = Duration::from_millis(50);

/// What came.
enum Event {
    Burst(std::io::Result<Burst>),
    /// The program is to stop, from outside.
    Stop,
    /// The program was stopped from outside and goes on.
    Continued,
    /// What is shown may be another one.
    News,
}

/// What stands around the questions.
pub(crate) struct Surroundings<'a> {
    /// Where they are.
    pub(crate) place: String,
    /// What is said wherever something is changed.
    pub(crate) guard: Option<String>,
    /// How a suggested command reaches each place that is open by now.
    pub(crate) reaches: Box<dyn Fn() -> Vec<Reach> + 'a>,
}

/// The inbox on the screen.
pub(crate) struct Pane<'a> {
    inbox: &'a Inbox,
    setting: Setting,
    around: Surroundings<'a>,
    state: State,
    changes: watch::Receiver<u64>,
    overviews: watch::Receiver<Option<Arc<Overview>>>,
    continued: Signal,
    drawn: Instant,
    pace: Pace,
    /// What was said last, and whether somebody has pressed a key since.
    board: Board,
    was_read: bool,
    /// What the second tab shows.
    overview: Option<Arc<Overview>>,
    /// `None` while a form has the screen. The keyboard goes first: who throws away what is left must be the only one who
    /// reads.
    open: Option<(Keyboard, Screen)>,
    _drawn: Drawn,
    /// Declared last: the screen is given back when nobody draws on it any more.
    _whole: WholeScreen,
}

impl<'a> Pane<'a> {
    /// Takes the screen. Dropping it gives the screen back.
    pub(crate) fn open(
        inbox: &'a Inbox,
        setting: Setting,
        around: Surroundings<'a>,
    ) -> Result<Self, Stopped> {
        let continued = continuations()?;
        let (changes, overviews) = (inbox.changes(), inbox.overviews());
        let (state, drawn) = (State::default(), Instant::now());
        Ok(Self {
            inbox,
            setting,
            around,
            state,
            changes,
            overviews,
            continued,
            drawn,
            pace: Pace::default(),
            board: Board::default(),
            was_read: false,
            overview: None,
            open: None,
            _drawn: Drawn::begin()?,
            _whole: WholeScreen::take(),
        })
    }

    /// Says something until the next key.
    pub(crate) fn notice(&mut self, words: impl Into<String>) {
        self.state.notice = Some(words.into());
    }

    /// Takes all marks off.
    pub(crate) fn unmark(&mut self) {
        self.state.marked.clear();
    }

    /// Leaves the screen to a form, until it is drawn on again.
    pub(crate) fn release(&mut self) {
        self.open = None;
    }

    /// Waits until something is wanted.
    pub(crate) async fn wish(&mut self) -> Result<Wish, Stopped> {
        loop {
            match self.step().await? {
                Step::Wish(wish) => return Ok(wish),
                Step::Interrupted => return Err(Stopped::Interrupted),
                _ => {}
            }
        }
    }

    /// Shows a text until it is closed; whether somebody said yes to it.
    pub(crate) async fn read(&mut self, sheet: Sheet) -> Result<bool, Stopped> {
        self.state.show(sheet);
        loop {
            match self.step().await? {
                Step::Closed(yes) => return Ok(yes),
                Step::Interrupted => return Err(Stopped::Interrupted),
                _ => {}
            }
        }
    }

    /// Does some work, of which that is said meanwhile; `None` where somebody would not wait for it.
    pub(crate) async fn during<T>(
        &mut self,
        words: &str,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, Stopped> {
        tokio::pin!(work);
        // What takes no time is not spoken of.
        if let Ok(done) = tokio::time::timeout(BETWEEN_NEWS, &mut work).await {
            return Ok(Some(done));
        }
        self.state.busy = Some(words.to_owned());
        let done = loop {
            self.draw()?;
            let event = tokio::select! {
                biased;
                done = &mut work => break Some(done),
                event = self.next() => event,
            };
            match self.obey(event).await? {
                Step::Closed(_) => break None,
                Step::Interrupted => return Err(Stopped::Interrupted),
                _ => {}
            }
        };
        self.state.busy = None;
        Ok(done)
    }

    /// Draws, and waits for one thing to come.
    async fn step(&mut self) -> Result<Step, Stopped> {
        self.draw()?;
        let event = self.next().await;
        self.obey(event).await
    }

    fn draw(&mut self) -> Result<(), Stopped> {
        let begun = std::time::Instant::now();
        let drawn = self.draw_frame();
        self.pace.took(begun.elapsed());
        drawn
    }

    fn draw_frame(&mut self) -> Result<(), Stopped> {
        self.inbox.look_at_all(matches!(self.state.mode, Mode::Tasks));
        self.take_overview();
        let (_, screen) = Self::opened(&mut self.open, &self.setting)?;
        let look = Look { is_coloured: self.setting.is_coloured };
        let board = self.setting.board.borrow_and_update().clone();
        if board.news != self.board.news {
            self.was_read = false;
        }
        self.board = board;
        self.changes.mark_unchanged();
        for remark in self.inbox.take_remarks() {
            // What was just said of an answer is read as well.
            let before = self.state.notice.take().map(|said| format!("{said}; ")).unwrap_or_default();
            self.state.notice = Some(before + &remark);
        }
        let list = self.inbox.list();
        let around = view::Around {
            place: &self.around.place,
            guard: self.around.guard.as_deref(),
            has_several_places: self.inbox.has_several_places(),
            unread: self.inbox.unread(&list),
            has_overview: self.overview.is_some(),
            news: self.board.rows(self.was_read),
        };
        let state = &mut self.state;
        state.settle(&list);
        screen.draw(|size| view::picture(state, &list, &around, look, size))?;
        self.state.is_seen = true;
        self.drawn = Instant::now();
        Ok(())
    }

    /// Shows the overview that was read last, where that is another one.
    fn take_overview(&mut self) {
        let read = self.overviews.borrow_and_update().clone();
        let is_shown = |read: &Arc<_>| self.overview.as_ref().is_some_and(|shown| Arc::ptr_eq(read, shown));
        if let Some(read) = read.filter(|read| !is_shown(read)) {
            self.state.tasks.set(overview::lines(&read, &(self.around.reaches)()));
            self.overview = Some(read);
        }
    }

    fn opened<'o>(
        open: &'o mut Option<(Keyboard, Screen)>,
        setting: &Setting,
    ) -> Result<&'o mut (Keyboard, Screen), Stopped> {
        match open {
            Some(open) => Ok(open),
            none => {
                let screen = Screen::take(setting.rewraps)?;
                Ok(none.insert((Keyboard::new(), screen)))
            }
        }
    }

    /// Waits for what comes next. Dropping the future loses nothing.
    async fn next(&mut self) -> Event {
        let Some((keyboard, _)) = &mut self.open else { return Event::News };
        let drawn = self.drawn + BETWEEN_NEWS;
        let (changes, overviews, board) = (&mut self.changes, &mut self.overviews, &mut self.setting.board);
        let another = async {
            tokio::time::sleep_until(drawn).await;
            tokio::select! {
                Ok(()) = changes.changed() => {}
                Ok(()) = overviews.changed() => {}
                Ok(()) = board.changed() => {}
                else => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stopping::asked() => Event::Stop,
            _ = self.continued.recv() => Event::Continued,
            burst = keyboard.next() => Event::Burst(burst),
            () = another => Event::News,
            () = tokio::time::sleep(TELL_TIMES) => Event::News,
        }
    }

    async fn obey(&mut self, event: Event) -> Result<Step, Stopped> {
        let step = match event {
            Event::Burst(burst) => {
                self.was_read = true;
                self.state.take(burst?, &self.inbox.list())
            }
            Event::Stop => {
                if let Some((keyboard, screen)) = &mut self.open {
                    stop_by(stopping::stop, keyboard, screen, &mut self.continued).await?;
                }
                Step::Stay
            }
            Event::Continued => {
                if let Some((_, screen)) = &mut self.open {
                    screen.resume()?;
                }
                Step::Stay
            }
            Event::News => Step::Stay,
        };
        match (&step, &mut self.open) {
            (Step::Suspend, Some((keyboard, screen))) => {
                suspend(keyboard, screen, &mut self.continued).await?;
            }
            (Step::Redraw, Some((_, screen))) => screen.erase()?,
            _ => {}
        }
        Ok(step)
    }
}
