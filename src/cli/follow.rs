//! Staying with a task to its end, and answering its questions meanwhile.

use super::answers::Answers;
use super::config::Config;
use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::question::{self, Asked, Reply};
use super::ui::spinner::Spinner;
use super::ui::{Paint, Ui, event, text};
use super::{convert, values};
use crate::engine::{Engine, EngineError, Viewer, Watch};
use crate::store::{EventFilter, StoreError};
use crate::task::form::{Field, FieldKind};
use crate::task::{Answer, Ask, AskKind, EventKind, Form, Question, Task, TaskId};

/// Who answers: a file first, then the person at the terminal.
pub(crate) struct Answering {
    ui: Ui,
    answers: Option<Answers>,
}

impl Answering {
    pub(crate) fn new(ui: &Ui, answers: Option<Answers>) -> Self {
        Self { ui: ui.clone(), answers }
    }

    /// Whether there is anybody or anything to ask.
    pub(crate) fn can_ask(&self) -> bool {
        self.answers.is_some() || self.ui.may_prompt()
    }

    /// Decides on the task's question at `position`, counted from 1. Dropping the future takes a prompt off
    /// the screen.
    pub(crate) async fn decide(&self, asked: &Asked, position: usize) -> Result<Answer, Failure> {
        if let Some(answer) = self.answers.as_ref().and_then(|answers| answers.to(position, &asked.ask)) {
            if let Some(problem) = &asked.refused {
                return Err(Failure::usage(format!("the given answer was refused: {problem}"))
                    .maybe_hint(asked.later_hint()));
            }
            self.ui.talk(&format!(
                "{} asks: {}",
                text::line(&asked.who),
                text::short(&asked.ask.message, 200)
            ));
            self.ui.talk(&format!("  answered as given: {}", in_words(&answer)));
            return Ok(answer);
        }
        if !self.ui.may_prompt() {
            return Err(Failure::new(
                Kind::NeedsInput,
                format!(
                    "{} asks, and nobody may be asked here: {}",
                    asked.who,
                    text::short(&asked.ask.message, 200)
                ),
            )
            .maybe_hint(asked.later_hint()));
        }
        match question::ask(&self.ui, asked).await? {
            Reply::Answer(answer) => Ok(answer),
            Reply::LeftOpen => {
                Err(Failure::new(Kind::NeedsInput, "the question stays open").maybe_hint(asked.later_hint()))
            }
        }
    }
}

/// An answer as one line.
pub(crate) fn in_words(answer: &Answer) -> String {
    match &answer.content {
        Some(content) => {
            let one =
                |(name, value): (&String, &serde_json::Value)| format!("{name}={}", values::shown(value));
            text::short(&content.iter().map(one).collect::<Vec<_>>().join(" "), 200)
        }
        None => answer.action.to_string(),
    }
}

/// A question of our own store, ready to be shown.
pub(crate) fn asked(config: &Config, task: &Task, question: &Question) -> Asked {
    let id = event::short_id(task.id());
    Asked {
        who: format!("{} (task {id}, question {})", task.new.tool, question.id),
        ask: question.ask.clone(),
        asked_at: Some(question.asked_at),
        deadline: question.deadline,
        refused: None,
        later: Some(later(config, task.id(), question)),
    }
}

/// The command that answers a question of our own store.
pub(crate) fn later(config: &Config, task: &TaskId, question: &Question) -> String {
    config.command(&format!("respond {}{}", event::short_id(task), flags(&question.ask)))
}

/// The flags that would answer it, with a place for each value.
pub(crate) fn flags(ask: &Ask) -> String {
    let AskKind::Form { schema } = &ask.kind else { return " --accept".to_owned() };
    let Ok(form) = Form::parse(schema) else { return " --content JSON".to_owned() };
    let defaults = values::defaults(&form);
    let one = |field: &Field| {
        let value = defaults.get(&field.name).map_or_else(|| place(field), values::shown);
        format!(" --set {}", super::config::quoted(&format!("{}={value}", field.name)))
    };
    let sets: String = form.fields.iter().filter(|field| field.required).map(one).collect();
    format!(" --accept{sets}")
}

fn place(field: &Field) -> String {
    match &field.kind {
        FieldKind::Text { .. } => "TEXT".to_owned(),
        FieldKind::Number { .. } => "NUMBER".to_owned(),
        FieldKind::Boolean { .. } => "yes".to_owned(),
        FieldKind::OneOf { choices, .. } | FieldKind::SomeOf { choices, .. } => {
            choices.first().map(|choice| choice.value.clone()).unwrap_or_default()
        }
    }
}

/// Follows a task of our own store to its end.
pub(crate) async fn to_end(
    context: &Context,
    engine: &Engine,
    id: &TaskId,
    answering: &Answering,
) -> Result<Task, Failure> {
    let start = engine.last().await?;
    let mut watch = engine.watch(EventFilter::Task(id.clone()), start).await?;
    loop {
        let task = present(engine, id).await?;
        if task.status.is_final() {
            return Ok(task);
        }
        match task.open_questions().next() {
            Some(question) => answer(context, engine, &task, question, answering).await?,
            None => until_change(context, &mut watch, &task).await?,
        }
    }
}

/// The task; one that is gone had expired.
async fn present(engine: &Engine, id: &TaskId) -> Result<Task, Failure> {
    engine.get_patiently(&Viewer::Operator, id).await.map_err(|error| match error {
        EngineError::Store(StoreError::NoTask(id)) => {
            Failure::new(Kind::Cancelled, format!("task {id} expired: its ttl ended and it was deleted"))
        }
        other => other.into(),
    })
}

/// Shows steps until something else happens.
async fn until_change(context: &Context, watch: &mut Watch, task: &Task) -> Result<(), Failure> {
    let spinner = Spinner::start(&context.ui, task.status_message.as_deref().unwrap_or(&task.new.tool));
    loop {
        let event = watch.next().await?;
        context.ui.detail(&event::line(&event, jiff::Timestamp::now(), Paint::new(false)));
        match event.kind {
            EventKind::Progress(progress) => spinner.step(&progress),
            EventKind::Claimed { .. } | EventKind::Noted { .. } => {}
            _ => return Ok(()),
        }
    }
}

/// Has one question answered, here or by somebody who is faster.
async fn answer(
    context: &Context,
    engine: &Engine,
    task: &Task,
    question: &Question,
    answering: &Answering,
) -> Result<(), Failure> {
    let position = question.id.position().map_or(0, |position| position as usize);
    let mut asked = asked(&context.config, task, question);
    loop {
        let answer = tokio::select! {
            answer = answering.decide(&asked, position) => answer?,
            winner = answered_elsewhere(engine, task.id(), question) => {
                context.ui.talk(&winner?);
                return Ok(());
            }
        };
        match engine.answer(&Viewer::Operator, task.id(), &question.id, answer).await {
            Ok(_) | Err(EngineError::Store(StoreError::Ended { .. })) => return Ok(()),
            Err(EngineError::Answer { violations, .. }) => {
                asked.refused = Some(crate::task::form::joined(&violations));
            }
            Err(EngineError::Store(StoreError::AlreadyAnswered { task, question, answer })) => {
                context.ui.talk(&convert::already_answered(&task, &question, &answer).to_string());
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until the question is not open any more, and says what became of it.
pub(crate) async fn answered_elsewhere(
    engine: &Engine,
    id: &TaskId,
    question: &Question,
) -> Result<String, Failure> {
    let closed = |task: &Task| task.open_questions().all(|open| open.id != question.id);
    let task = match engine.wait(&Viewer::Operator, id, closed).await {
        Ok(task) => task,
        Err(EngineError::Store(StoreError::NoTask(id))) => return Ok(format!("task {id} expired meanwhile")),
        Err(error) => return Err(error.into()),
    };
    Ok(match task.question(&question.id).and_then(|question| question.answer.as_ref()) {
        Some(answer) => convert::already_answered(id, &question.id, answer).to_string(),
        None => format!("task {id} has ended meanwhile: {}", task.status),
    })
}
