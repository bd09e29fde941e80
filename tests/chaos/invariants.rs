//! What must hold of the log and of every view, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use mcptask::engine::{Engine, Viewer};
use mcptask::store::{EventFilter, TaskFilter};
use mcptask::task::{Answer, Cursor, Event, EventKind, QuestionId, Task, TaskId, TaskStatus};

use crate::killable::told;

/// Answers that were acknowledged, by their question.
pub(crate) type Acknowledged = BTreeMap<(TaskId, QuestionId), Answer>;

/// Checks everything about tasks that have all ended. Of those whose record was damaged only that they are there.
pub(crate) async fn check(
    engine: &Engine,
    submitted: &[TaskId],
    acknowledged: &Acknowledged,
    damaged: &[TaskId],
) {
    let log = log(engine, &EventFilter::All).await;
    assert!(log.windows(2).all(|two| two[0].cursor < two[1].cursor), "the log is in order");
    let mut by_task: BTreeMap<TaskId, Vec<Event>> = BTreeMap::new();
    for event in log {
        by_task.entry(event.task.clone()).or_default().push(event);
    }
    for id in damaged {
        assert!(by_task.remove(id).is_some(), "the log has {id}");
    }
    let wanted: BTreeSet<_> = submitted.iter().cloned().collect();
    assert_eq!(by_task.keys().cloned().collect::<BTreeSet<_>>(), wanted, "the log has each task");
    let (mut listed, unreadable) = list(engine).await;
    for id in damaged {
        assert!(unreadable.contains(id.as_str()) || listed.remove(id).is_some(), "{id} is listed");
    }
    assert!(unreadable.iter().all(|name| damaged.iter().any(|id| id.as_str() == name)), "{unreadable:?}");
    assert_eq!(listed.keys().cloned().collect::<BTreeSet<_>>(), wanted, "the list has each task");
    for (id, events) in &by_task {
        let task = engine.get(&Viewer::Operator, id).await.expect("shows");
        assert_eq!(task, listed[id], "the list and the task agree");
        assert_eq!(&self::log(engine, &EventFilter::Task(id.clone())).await, events, "both logs agree");
        check_life(&task, events);
        check_questions(&task, events);
    }
    for ((id, question), answer) in acknowledged {
        let stands = listed[id].question(question).and_then(|question| question.answer.as_ref());
        assert_eq!(stands, Some(answer), "an acknowledged answer of {id} {question} stands");
    }
}

/// It begins once, ends once, and its attempts count up.
fn check_life(task: &Task, events: &[Event]) {
    let ends: Vec<_> = events.iter().filter(|event| event.kind.is_end()).collect();
    assert_eq!(ends.len(), 1, "{task:?} ends once: {events:?}");
    let last = events.last().expect("an event");
    assert!(last.kind.is_end(), "nothing follows the end of {task:?}: {events:?}");
    assert_eq!(last.status, task.status, "the log and the task agree");
    assert!(task.status.is_final() && task.worker.is_none(), "{task:?}");
    let begins = events.iter().filter(|event| matches!(event.kind, EventKind::Submitted {})).count();
    assert!(begins == 1 && matches!(events[0].kind, EventKind::Submitted {}), "{events:?}");
    let attempts = events.iter().filter_map(|event| match event.kind {
        EventKind::Claimed { attempt, .. } => Some(attempt),
        _ => None,
    });
    assert!(attempts.eq(1..=task.attempt), "the attempts of {task:?} count up: {events:?}");
}

/// Each question is asked once and answered at most once, later; the tool got these answers in this order.
fn check_questions(task: &Task, events: &[Event]) {
    let (mut asked, mut answered) = (Vec::new(), Vec::new());
    for event in events {
        match &event.kind {
            EventKind::Asked { question } => asked.push(question.id.clone()),
            EventKind::Answered { question, action, by, .. } => {
                assert!(asked.contains(question), "{question} is asked before it is answered: {events:?}");
                answered.push((question.clone(), *action, *by));
            }
            _ => {}
        }
    }
    let journal: Vec<_> = task.questions.iter().map(|question| question.id.clone()).collect();
    assert_eq!(asked, journal, "each question was asked once: {events:?}");
    let answers = |question: &mcptask::task::Question| {
        question.answer.as_ref().map(|answer| (question.id.clone(), answer.action, answer.by))
    };
    let stand: Vec<_> = task.questions.iter().filter_map(answers).collect();
    assert_eq!(answered, stand, "each question was answered at most once: {events:?}");
    if task.status == TaskStatus::Completed {
        let used: Vec<_> =
            task.questions.iter().map(|question| question.answer.clone().expect("answered")).collect();
        let outcome = task.outcome.as_ref().expect("an outcome");
        assert_eq!(outcome.first_text(), Some(told(&used).as_str()), "each answer was used once: {task:?}");
    }
}

/// That part of the log.
pub(crate) async fn log(engine: &Engine, filter: &EventFilter) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), Cursor::START);
    loop {
        let page = engine.store().history(filter, after, 500).await.expect("reads").events;
        let Some(last) = page.last() else { return events };
        after = last.cursor;
        events.extend(page);
    }
}

/// All tasks, and the names of those that cannot be read.
async fn list(engine: &Engine) -> (BTreeMap<TaskId, Task>, BTreeSet<String>) {
    let (mut tasks, mut unreadable, mut after) = (BTreeMap::new(), BTreeSet::new(), None);
    loop {
        let filter = TaskFilter::default();
        let page = engine.list(&Viewer::Operator, filter, after.as_ref(), 100).await.expect("lists");
        tasks.extend(page.tasks.into_iter().map(|task| (task.id().clone(), task)));
        unreadable.extend(page.unreadable.into_iter().map(|one| one.name));
        after = page.next;
        if after.is_none() {
            return (tasks, unreadable);
        }
    }
}
