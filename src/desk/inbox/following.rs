//! How the inbox learns what waits: each place is read once, and then tells.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::PoisonError;

use jiff::Timestamp;

use super::Inbox;
use super::list::{Asker, Key, Question};
use crate::desk::asked::OpenQuestion;
use crate::desk::failure::{Failure, Kind};
use crate::desk::place::{Found, Place, SERVER, STORE};
use crate::desk::row::{session_of, source_of};
use crate::desk::server::{Server, ServerTask};
use crate::desk::waiting::each_task;
use crate::desk::watch::{Seen, Watching, What};
use crate::engine::{Engine, Watch, Watched};
use crate::fastmcp::{DeployedTask, Deployment};
use crate::store::EventFilter;
use crate::task::{self, Event, EventKind, Task};

/// Questions that are kept: as many as somebody could go through in some weeks, and some megabytes.
const MOST: usize = 10_000;

/// Tasks of a server that are looked at.
const SERVED: usize = 1000;

/// What came.
enum News {
    Ours(Watched),
    Theirs(Box<Seen>),
}

impl Inbox<'_> {
    /// Reads what waits, then follows what happens. An outage ends it; followed anew, it misses nothing.
    pub(crate) async fn follow(&self) -> Result<Infallible, Failure> {
        // The tails begin first: what happens while all is read is not missed.
        let mut remarks = Vec::new();
        let mut others = Watching::begin(self.places, &What::All, &mut |words| remarks.push(words)).await?;
        self.remarks.lock().unwrap_or_else(PoisonError::into_inner).extend(remarks);
        let own = self.places.own();
        let mut log = match own {
            Some((_, engine)) => Some(engine.watch(EventFilter::All, engine.last().await?).await?),
            None => None,
        };
        self.load().await?;
        // What they knew at their beginning has just been read.
        drop(others.open_questions());
        loop {
            let news = tokio::select! {
                biased;
                news = Watch::next_of(&mut log) => News::Ours(news?),
                seen = others.next() => News::Theirs(Box::new(seen?)),
            };
            match (news, own) {
                (News::Ours(Watched::Event(event)), Some((at, _))) => self.ours(at, &event),
                // Whatever the log does not tell of any more is among what waits.
                (News::Ours(_), _) => self.load().await?,
                (News::Theirs(seen), _) => self.theirs(&seen).await?,
            }
            self.happened.send_modify(|number| *number = number.wrapping_add(1));
            if self.has_room_again() {
                self.load().await?;
            }
        }
    }

    /// Whether there are more than are kept, and half of those are gone.
    fn has_room_again(&self) -> bool {
        let list = self.list();
        list.has_more() && list.questions().len() < MOST / 2
    }

    /// Reads all places.
    async fn load(&self) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        for (at, place) in self.places.all().iter().enumerate() {
            waiting.extend(match place {
                Place::Store(engine) => of_store(at, engine).await?,
                Place::Fastmcp(deployment) => of_deployment(at, deployment).await?,
                Place::Server(server) => of_server(at, server).await?,
            });
        }
        self.change(|list| list.set(waiting, MOST));
        Ok(())
    }

    /// An event of our own log says all that there is to know.
    fn ours(&self, at: usize, event: &Event) {
        let task = event.task.as_str();
        match &event.kind {
            EventKind::Asked { question } => {
                let session = event.session.as_ref().map(task::SessionId::as_str);
                let asker = Asker { source: STORE, tool: Some(&event.tool), session };
                let question = of_question((at, task), asker, question);
                self.change(|list| list.add(question, MOST));
            }
            EventKind::Answered { question, .. } => {
                self.change(|list| list.close(at, task, Some(question.as_str())));
            }
            kind if kind.is_end() => self.change(|list| list.close(at, task, None)),
            _ => {}
        }
    }

    /// An event of another place says which task to read again.
    async fn theirs(&self, seen: &Seen) -> Result<(), Failure> {
        if !matches!(seen.name, "asked" | "answered") && !seen.is_end {
            return Ok(());
        }
        for (at, place) in self.places.all().iter().enumerate() {
            if matches!(place, Place::Store(_)) {
                continue;
            }
            let open = match place.find(&seen.task).await {
                Ok(found) => found.map(|found| of_found(at, &found)).unwrap_or_default(),
                Err(failure) if failure.kind() == Kind::NotFound => Vec::new(),
                Err(failure) => return Err(failure),
            };
            self.change(|list| list.set_task((at, &seen.task), open, MOST));
        }
        Ok(())
    }
}

async fn of_store(at: usize, engine: &Engine) -> Result<Vec<Question>, Failure> {
    let mut waiting = Vec::new();
    let visit = async |task: &Task| {
        waiting.extend(of_task(at, task));
        Ok(if waiting.len() > MOST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    each_task(engine, (None, None), visit).await?;
    Ok(waiting)
}

fn of_task(at: usize, task: &Task) -> impl Iterator<Item = Question> {
    let session = task.new.session.as_ref().map(task::SessionId::as_str);
    let asker = Asker { source: STORE, tool: Some(&task.new.tool), session };
    task.open_questions().map(move |question| of_question((at, task.id().as_str()), asker, question))
}

fn of_question((at, task): (usize, &str), asker: Asker<'_>, question: &task::Question) -> Question {
    let key = Key { place: at, task: task.to_owned(), question: question.id.to_string() };
    Question::new(key, asker, &question.ask, (Some(question.asked_at), question.deadline))
}

async fn of_deployment(at: usize, deployment: &Deployment) -> Result<Vec<Question>, Failure> {
    Ok(deployment.list().await?.iter().flat_map(|task| of_deployed(at, task)).collect())
}

fn of_deployed(at: usize, task: &DeployedTask) -> Vec<Question> {
    let source = source_of(task);
    let asker = Asker { source: &source, tool: Some(&task.component.name), session: session_of(task) };
    let open = task.questions.iter();
    open.map(|question| {
        let key = Key { place: at, task: task.id.clone(), question: question.id.clone() };
        Question::new(key, asker, &question.ask, (question.asked_at, None))
    })
    .collect()
}

async fn of_server(at: usize, server: &Server) -> Result<Vec<Question>, Failure> {
    if let Some(failure) = server.refuses_answers(None) {
        return Err(failure);
    }
    let tasks = server.all_tasks(SERVED).await?;
    Ok(tasks.iter().flat_map(|task| of_served(at, server, task)).collect())
}

fn of_served(at: usize, server: &Server, task: &ServerTask) -> Vec<Question> {
    let asker = Asker { source: SERVER, tool: task.tool.as_deref(), session: None };
    let since: Option<Timestamp> = task.view.waits_since().map(|(at, _)| at);
    let open = task.view.input_requests.iter().filter_map(|(key, request)| {
        // What must not be shown cannot be answered here.
        let open = OpenQuestion::of_server(server.title(), &task.view, key, request).ok()?;
        let key = Key { place: at, task: task.view.id.clone(), question: key.clone() };
        Some(Question::new(key, asker, &open.asked.ask, (since, None)))
    });
    open.collect()
}

/// What a task of another place asks now.
fn of_found(at: usize, found: &Found) -> Vec<Question> {
    match found {
        Found::Store(..) => Vec::new(),
        Found::Fastmcp(_, task) => of_deployed(at, task),
        Found::Server(server, view) => {
            let tool = server.tool_of(&view.id);
            of_served(at, server, &ServerTask { view: (**view).clone(), tool })
        }
    }
}
