//! Open questions as rules see them, in every place, and the answers that rules give on their way.

use std::ops::ControlFlow;

use serde_json::{Map, Value, json};

use super::answer::{Delivered, Sending};
use super::asked::OpenQuestion;
use super::failure::{Failure, Kind};
use super::place::{Found, Place};
use super::places::Places;
use super::row::session_of;
use super::server::Unseen;
use super::waiting::{MOST, Waiting, each_task, of_deployment, of_server};
use crate::engine::{Engine, Viewer};
use crate::fastmcp::Way;
use crate::rules::{Decision, Rules, Subject, Verdict};
use crate::task::{Answer, Ask, Question, Task};

/// An open question, with what a rule may ask about.
pub(crate) struct Ruling {
    found: Found,
    question: OpenQuestion,
    tool: Option<String>,
    session: Option<String>,
    arguments: Option<Map<String, Value>>,
    /// By which way an answer goes.
    way: Way,
}

/// What became of a question.
pub(crate) enum Ruled {
    /// The rule's answer is its answer.
    Answered,
    /// It would be, if anything were changed.
    Would,
    /// It is left to people, for this reason where there is one beside the rule.
    Left(Option<String>),
    /// It had another answer, or its task was over, when the rule's answer came.
    Late(String),
}

impl Ruling {
    /// One of a task of our own store.
    pub(crate) fn of_task(engine: &Engine, task: &Task, question: &Question) -> Self {
        Self {
            found: Found::Store(engine.clone(), task.id().clone()),
            question: OpenQuestion::of_task(task, question),
            tool: Some(task.new.tool.clone()),
            session: task.new.session.as_ref().map(ToString::to_string),
            arguments: Some(task.new.arguments.clone()),
            way: Way::Supported,
        }
    }

    /// The same, answered by that way.
    #[must_use]
    pub(crate) fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// One of another place, where nobody is told a task's arguments.
    pub(crate) fn of_others(found: Found, tool: Option<String>, question: OpenQuestion) -> Self {
        let session = match &found {
            Found::Fastmcp(_, task) => session_of(task).map(str::to_owned),
            Found::Store(..) | Found::Server(..) => None,
        };
        Self { found, question, tool, session, arguments: None, way: Way::Supported }
    }

    /// The task's whole id, and the question's.
    pub(crate) fn ids(&self) -> (&str, &str) {
        (&self.question.task, &self.question.id)
    }

    /// What the rules say of it.
    pub(crate) fn decided(&self, rules: &Rules) -> Decision {
        let (task, question) = self.ids();
        rules.decide(&Subject {
            source: self.found.source(),
            task,
            tool: self.tool.as_deref(),
            session: self.session.as_deref(),
            arguments: self.arguments.as_ref(),
            question,
            ask: &self.question.asked.ask,
        })
    }

    /// The way of an answer to it, which can be gone again after an outage.
    pub(crate) fn sending(&self, answer: Answer) -> Sending<'_> {
        Sending::new(&self.found, &self.question, answer, self.way)
    }

    /// Why it cannot be answered at all from here, whatever the answer is.
    pub(crate) async fn refusal(&self) -> Option<Failure> {
        match &self.found {
            Found::Fastmcp(..) => self.found.question(Some(&self.question.id), self.way).await.err(),
            Found::Store(..) | Found::Server(..) => None,
        }
    }

    /// Its object: what was decided, and what became of it.
    pub(crate) fn object(&self, decision: &Decision, ruled: &Ruled) -> Value {
        let (task, question) = self.ids();
        let (event, why) = match ruled {
            Ruled::Answered => ("answered", None),
            Ruled::Would => ("would_answer", None),
            Ruled::Left(why) => ("left", why.as_deref()),
            Ruled::Late(why) => ("late", Some(why.as_str())),
        };
        let answer = match &decision.verdict {
            Verdict::Answer(answer) => Some(answer),
            Verdict::Leave(_) => None,
        };
        json!({
            "event": event, "source": self.found.source(), "task": task, "question": question, "tool": self.tool,
            "rule": decision.rule, "action": answer.map(|answer| answer.action),
            "content": answer.and_then(|answer| answer.content.as_ref()), "why": why,
        })
    }

    /// The tool that asks, where that is known.
    pub(crate) fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }
}

impl Ruled {
    /// What a try to send an answer came to; a failure where the place itself is the trouble.
    pub(crate) fn of_sending(sent: Result<Delivered, Failure>) -> Result<Self, Failure> {
        match sent {
            Ok(Delivered::Taken(_)) => Ok(Self::Answered),
            Ok(Delivered::Refused { problem, .. }) => Ok(Self::Left(Some(problem))),
            Err(failure) if failure.leaves_open() => Ok(Self::Left(Some(failure.to_string()))),
            Err(failure) => match failure.kind() {
                Kind::NothingChanged | Kind::NotFound | Kind::Cancelled => {
                    Ok(Self::Late(failure.to_string()))
                }
                Kind::Unauthorised
                | Kind::Unreachable
                | Kind::TimedOut
                | Kind::Interrupted
                | Kind::Terminated => Err(failure),
                _ => Ok(Self::Left(Some(failure.to_string()))),
            },
        }
    }
}

impl Ruling {
    /// What is asked.
    pub(crate) fn ask(&self) -> &Ask {
        &self.question.asked.ask
    }
}

impl Places {
    /// Does something with every question that waits now, the oldest of each place first.
    pub(crate) async fn each_open(
        &self,
        mut each: impl AsyncFnMut(Ruling) -> Result<(), Failure>,
    ) -> Result<Unseen, Failure> {
        let mut unseen = Unseen::default();
        for place in self.all() {
            let waiting = match place {
                Place::Store(engine) => {
                    each_of_store(engine, &mut each).await?;
                    continue;
                }
                Place::Fastmcp(deployment) => of_deployment(deployment).await?,
                Place::Server(server) => {
                    let (waiting, not_seen) = of_server(server, MOST).await?;
                    unseen = not_seen;
                    waiting
                }
            };
            for Waiting { found, tool, question, .. } in waiting {
                each(Ruling::of_others(found, tool, question)).await?;
            }
        }
        Ok(unseen)
    }
}

impl Found {
    /// Does something with every open question of this task; a failure where it waits for no answer.
    pub(crate) async fn each_open(
        &self,
        mut each: impl AsyncFnMut(Ruling) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let rulings: Vec<Ruling> = match self {
            Self::Store(engine, id) => {
                let task = engine.get(&Viewer::Operator, id).await?;
                task.open_questions().map(|question| Ruling::of_task(engine, &task, question)).collect()
            }
            Self::Fastmcp(_, task) => {
                let of =
                    |question| Ruling::of_others(self.clone(), Some(task.component.name.clone()), question);
                OpenQuestion::all_of_fastmcp(task).into_iter().map(of).collect()
            }
            Self::Server(server, view) => {
                let failure = server.refuses_answers(Some(&view.id)).filter(|_| !view.status.is_final());
                if let Some(failure) = failure {
                    return Err(failure);
                }
                let tool = server.tool_of(&view.id);
                let of = |question| Ruling::of_others(self.clone(), tool.clone(), question);
                OpenQuestion::all_of_server(server.title(), view).map(of).collect()
            }
        };
        if rulings.is_empty() {
            return Err(waits_for_nothing(self).await);
        }
        for ruling in rulings {
            each(ruling).await?;
        }
        Ok(())
    }
}

/// Why a task has no open question.
async fn waits_for_nothing(found: &Found) -> Failure {
    let nothing = || Failure::new(Kind::NothingChanged, "it asks nothing that can be answered here");
    found.question(None, Way::Supported).await.err().unwrap_or_else(nothing)
}

async fn each_of_store(
    engine: &Engine,
    each: &mut impl AsyncFnMut(Ruling) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let visit = async |task: &Task| {
        for question in task.open_questions() {
            each(Ruling::of_task(engine, task, question)).await?;
        }
        Ok(ControlFlow::Continue(()))
    };
    each_task(engine, (None, None), visit).await.map(drop)
}
