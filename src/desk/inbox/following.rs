//! How the inbox learns what waits: each place is read once, and then tells.

use std::convert::Infallible;
use std::ops::ControlFlow;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;

use super::Inbox;
use super::list::{Asker, Key, Met, Question};
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::{Failure, Kind};
use crate::desk::place::{Found, Place, SERVER, STORE};
use crate::desk::question_end::QuestionEnd;
use crate::desk::row::{session_of, source_of};
use crate::desk::server::{Server, ServerTask};
use crate::desk::waiting::each_task;
use crate::desk::watch::{Notice, Seen, Watching};
use crate::engine::{Engine, Viewer, Watch, Watched};
use crate::fastmcp::{DeployedTask, Generation};
use crate::store::EventFilter;
use crate::task::{self, Event, EventKind, Task, TaskId};

/// Questions that are kept: as many as somebody could go through in some weeks, and some megabytes.
const MOST: usize = 10_000;

/// Tasks of a server that are looked at.
const SERVED: usize = 1000;

/// Tasks that are read at once for when they end, which no event says. Of those that ask beyond that, it is not known until
/// all is read again, or their form is opened.
const READ_AT_ONCE: usize = 256;

/// What came.
enum News {
    Ours(Watched),
    Theirs(Notice),
    /// A task, and when its time to live ends.
    Ends(Option<(TaskId, Timestamp)>),
}

impl Inbox {
    /// Reads what waits at that place, then follows what happens there. An outage ends it; followed anew, it misses nothing.
    /// Each place is followed by itself, so one that is away takes nothing from the others.
    /// `answers` is told once it was read.
    pub(crate) async fn follow(&self, at: usize, answers: &dyn Fn()) -> Result<Infallible, Failure> {
        let Some(place) = &self.place(at) else { return std::future::pending().await };
        // The tails begin first: what happens while all is read is not missed.
        let mut remarks = Vec::new();
        let mut others = Watching::of(place, &mut |words| remarks.push(words)).await?;
        let mut log = match place {
            Place::Store(engine) => Some(engine.watch(EventFilter::All, engine.last().await?).await?),
            Place::Fastmcp(_) | Place::Server(_) => None,
        };
        self.load(at, place).await?;
        answers();
        if !remarks.is_empty() {
            self.remark_of(at, remarks);
        }
        // What they knew at their beginning has just been read.
        drop(others.open_questions());
        let mut ends = FuturesUnordered::new();
        loop {
            let news = tokio::select! {
                biased;
                news = Watch::next_of(&mut log) => News::Ours(news?),
                notice = others.next() => News::Theirs(notice?),
                Some(end) = ends.next() => News::Ends(end),
            };
            match news {
                News::Ours(Watched::Event(event)) => {
                    self.ours(at, &event);
                    let is_asking = matches!(event.kind, EventKind::Asked { .. });
                    if let Place::Store(engine) = place
                        && is_asking
                        && ends.len() < READ_AT_ONCE
                    {
                        ends.push(end_of(engine, event.task));
                    }
                }
                News::Ends(end) => {
                    if let Some((task, end)) = end {
                        self.change(|list| list.ends(at, task.as_str(), end));
                    }
                    continue;
                }
                // Whatever the log does not tell of any more is among what waits.
                News::Ours(_) => self.load(at, place).await?,
                News::Theirs(Notice::Event(seen)) => self.theirs(at, place, &seen).await?,
                News::Theirs(Notice::Warning(words)) => self.remark_of(at, [words]),
            }
            self.happened.send_modify(|number| *number = number.wrapping_add(1));
            if self.has_room_again(at) {
                self.load(at, place).await?;
            }
        }
    }

    /// Whether there are more of that place than are kept, and half of those are gone.
    fn has_room_again(&self, at: usize) -> bool {
        let list = self.list();
        list.has_more_of(at) && list.questions().len() < MOST / 2
    }

    /// Reads the place.
    async fn load(&self, at: usize, place: &Place) -> Result<(), Failure> {
        let waiting = match place {
            Place::Store(engine) => self.of_store(at, engine).await?,
            Place::Fastmcp(deployment) => {
                deployment.list().await?.iter().flat_map(|task| self.of_deployed(at, task)).collect()
            }
            Place::Server(server) => self.of_server(at, server).await?,
        };
        self.change(|list| list.set(at, waiting, MOST));
        Ok(())
    }

    /// An event of our own log says all that there is to know.
    fn ours(&self, at: usize, event: &Event) {
        let task = event.task.as_str();
        match &event.kind {
            EventKind::Asked { question } => {
                let session = event.session.as_ref().map(task::SessionId::as_str);
                let source = self.name_of(at, STORE);
                let asker = Asker { source: &source, tool: Some(&event.tool), session, met: Met::Kept };
                let end = QuestionEnd::of_its_own(question);
                let question = of_question((at, task), asker, question, end);
                self.change(|list| list.add(question, MOST));
            }
            EventKind::Answered { question, .. } => {
                self.change(|list| list.close(at, task, Some(question.as_str())));
            }
            EventKind::Extended { question, deadline, .. } => {
                let key = Key { place: at, task: task.to_owned(), question: question.to_string() };
                self.change(|list| list.extend(&key, *deadline));
            }
            kind if kind.is_end() => self.change(|list| list.close(at, task, None)),
            _ => {}
        }
    }

    /// An event of another place says which task to read again.
    async fn theirs(&self, at: usize, place: &Place, seen: &Seen) -> Result<(), Failure> {
        if !matches!(seen.name, "asked" | "answered") && !seen.is_end {
            return Ok(());
        }
        let open = match place.find(&seen.task).await {
            Ok(found) => found.map(|found| self.of_found(at, &found)).unwrap_or_default(),
            Err(failure) if failure.kind() == Kind::NotFound => Vec::new(),
            Err(failure) => return Err(failure),
        };
        self.change(|list| list.set_task((at, &seen.task), open, MOST));
        Ok(())
    }

    async fn of_store(&self, at: usize, engine: &Engine) -> Result<Vec<Question>, Failure> {
        let (source, mut waiting) = (self.name_of(at, STORE), Vec::new());
        let visit = async |task: &Task| {
            waiting.extend(of_task(at, &source, task));
            Ok(if waiting.len() > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        each_task(engine, (None, None), visit).await?;
        Ok(waiting)
    }

    fn of_deployed(&self, at: usize, task: &DeployedTask) -> Vec<Question> {
        let source = self.name_of(at, &source_of(task));
        let met = if task.generation == Generation::V4 { Met::Elsewhere } else { Met::Kept };
        let asker =
            Asker { source: &source, tool: Some(&task.component.name), session: session_of(task), met };
        let (open, end) = (task.questions.iter(), QuestionEnd::of_deployed(task));
        open.map(|question| {
            let key = Key { place: at, task: task.id.clone(), question: question.id.clone() };
            Question::new(key, asker, &question.ask, (question.asked_at, end))
        })
        .collect()
    }

    async fn of_server(&self, at: usize, server: &Server) -> Result<Vec<Question>, Failure> {
        if let Some(failure) = server.refuses_answers(None) {
            return Err(failure);
        }
        let tasks = server.all_tasks(SERVED).await?;
        Ok(tasks.rows.iter().flat_map(|task| self.of_served(at, server, task)).collect())
    }

    fn of_served(&self, at: usize, server: &Server, task: &ServerTask) -> Vec<Question> {
        let source = self.name_of(at, SERVER);
        let asker = Asker { source: &source, tool: task.tool.as_deref(), session: None, met: Met::Shown };
        let (since, may_be_later) = task.view.waits_since().unzip();
        let may_be_later = may_be_later.unwrap_or_default();
        let question = |open: OpenQuestion| {
            let (key, end) = (Key { place: at, task: open.task, question: open.id }, open.asked.end());
            let mut question = Question::new(key, asker, &open.asked.ask, (since, end));
            question.may_be_later = may_be_later;
            question
        };
        OpenQuestion::all_of_server(server.title(), &task.view).map(question).collect()
    }

    /// What a task of another place asks now.
    fn of_found(&self, at: usize, found: &Found) -> Vec<Question> {
        match found {
            Found::Store(..) => Vec::new(),
            Found::Fastmcp(_, task) => self.of_deployed(at, task),
            Found::Server(server, view) => {
                let tool = server.tool_of(&view.id);
                self.of_served(at, server, &ServerTask { view: (**view).clone(), tool })
            }
        }
    }
}

fn of_task<'a>(at: usize, source: &'a str, task: &'a Task) -> impl Iterator<Item = Question> + 'a {
    let session = task.new.session.as_ref().map(task::SessionId::as_str);
    let asker = Asker { source, tool: Some(&task.new.tool), session, met: Met::Kept };
    task.open_questions().map(move |question| {
        let end = QuestionEnd::of_store(task, question);
        of_question((at, task.id().as_str()), asker, question, end)
    })
}

fn of_question(
    (at, task): (usize, &str),
    asker: Asker<'_>,
    question: &task::Question,
    end: Option<QuestionEnd>,
) -> Question {
    let key = Key { place: at, task: task.to_owned(), question: question.id.to_string() };
    Question::new(key, asker, &question.ask, (Some(question.asked_at), end))
}

/// When a task's time to live ends, where that is known.
async fn end_of(engine: &Engine, task: TaskId) -> Option<(TaskId, Timestamp)> {
    let read = engine.get(&Viewer::Operator, &task).await.ok()?;
    read.expires_at().map(|at| (task, at))
}
