//! Questions of running tools.

use mcptask::engine::{EngineError, Viewer};
use mcptask::store::StoreError;
use mcptask::task::{Action, Answer, Answerer, Ask, OnTimeout, Outcome, QuestionId, TaskStatus};
use serde_json::{Map, json};

use crate::setup::{Setup, asks, question, text, tool, value};

on_both_engines!(
    a_waiting_task_holds_no_slot,
    concurrency_limits_what_runs_after_answers,
    several_questions_are_open_at_once,
    the_answer_reaches_the_tool_that_asked,
    an_invalid_answer_leaves_the_question_open,
    a_second_answerer_is_told_who_answered,
    a_malformed_question_is_refused_at_the_worker,
    nobody_in_time_is_answered_by_cancel,
    what_nobody_answered_in_time_answers_itself_as_its_asker_said,
    defaults_that_are_no_answer_are_refused_at_the_worker,
    decline_and_cancel_reach_the_tool_without_content,
);

async fn a_waiting_task_holds_no_slot(setup: Setup) {
    let worker = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let mut waiting = Vec::new();
    for _ in 0..20 {
        let task = setup.submit("ask").await;
        setup.asked(&task, 1).await;
        waiting.push(task);
    }
    for task in &waiting {
        setup.answer(task, 1, "yes").await;
    }
    for task in &waiting {
        assert_eq!(text(&setup.ended(task).await), "yes");
    }
    worker.drain().await;
}

async fn concurrency_limits_what_runs_after_answers(setup: Setup) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (running.clone(), most.clone());
    let slow = tool("slow", move |task| {
        let (running, most) = counts.clone();
        async move {
            task.ask(question("go on?")).await?;
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Long enough that tasks which wrongly run together are seen to.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(Outcome::text("done"))
        }
    });
    let worker = setup.worker("w1", 2, vec![slow]).await;
    let mut tasks = Vec::new();
    for _ in 0..10 {
        let task = setup.submit("slow").await;
        setup.asked(&task, 1).await;
        tasks.push(task);
    }
    for task in &tasks {
        setup.answer(task, 1, "yes").await;
    }
    for task in &tasks {
        setup.ended(task).await;
    }
    assert!(most.load(Ordering::SeqCst) <= 2, "{} ran at once", most.load(Ordering::SeqCst));
    worker.drain().await;
}

async fn several_questions_are_open_at_once(setup: Setup) {
    let both = tool("both", |task| async move {
        let answers = task.ask_all(vec![question("one"), question("two")]).await?;
        Ok(Outcome::text(answers.iter().map(value).collect::<Vec<_>>().join(" ")))
    });
    let worker = setup.worker("w1", 1, vec![both]).await;
    let task = setup.submit("both").await;
    assert_eq!(setup.asked(&task, 2).await.open_questions().count(), 2);
    setup.answer(&task, 2, "second").await;
    let between = setup.engine.get(&Viewer::Operator, &task).await.expect("gets");
    assert_eq!(between.status, TaskStatus::InputRequired, "one is still open");
    setup.answer(&task, 1, "first").await;
    assert_eq!(text(&setup.ended(&task).await), "first second", "in the order asked");
    worker.drain().await;
}

async fn the_answer_reaches_the_tool_that_asked(setup: Setup) {
    let worker = setup.worker("w1", 4, vec![asks("ask", 30)]).await;
    let (one, other) = (setup.submit("ask").await, setup.submit("ask").await);
    for position in 1..=30 {
        for (task, name) in [(&one, "one"), (&other, "other")] {
            setup.asked(task, position).await;
            setup.answer(task, position, &format!("{name}{position}")).await;
        }
    }
    let expected = |name: &str| (1..=30).map(|at| format!("{name}{at}")).collect::<Vec<_>>().join(" ");
    assert_eq!(text(&setup.ended(&one).await), expected("one"));
    assert_eq!(text(&setup.ended(&other).await), expected("other"));
    worker.drain().await;
}

async fn an_invalid_answer_leaves_the_question_open(setup: Setup) {
    let worker = setup.worker("w1", 1, vec![asks("ask", 1)]).await;
    let task = setup.submit("ask").await;
    let before = setup.asked(&task, 1).await;
    let answer = Answer::accept(Map::new(), Answerer::Client);
    let refused = setup.engine.answer(&Viewer::Operator, &task, &QuestionId::at(1), answer).await;
    assert!(matches!(refused, Err(EngineError::Answer { violations, .. }) if violations.len() == 1));
    assert_eq!(setup.engine.get(&Viewer::Operator, &task).await.expect("gets"), before, "nothing changed");
    setup.answer(&task, 1, "better").await;
    assert_eq!(text(&setup.ended(&task).await), "better");
    worker.drain().await;
}

async fn a_second_answerer_is_told_who_answered(setup: Setup) {
    let worker = setup.worker("w1", 1, vec![asks("ask", 2)]).await;
    let task = setup.submit("ask").await;
    setup.asked(&task, 1).await;
    setup.answer(&task, 1, "first").await;
    setup.asked(&task, 2).await;
    let late = Answer::new(Action::Decline, Answerer::Client);
    let refused = setup.engine.answer(&Viewer::Operator, &task, &QuestionId::at(1), late).await;
    let Err(EngineError::Store(StoreError::AlreadyAnswered { answer, .. })) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((answer.by, answer.action), (Answerer::Operator, Action::Accept));
    setup.answer(&task, 2, "second").await;
    assert_eq!(text(&setup.ended(&task).await), "first second", "the late answer leaked nowhere");
    worker.drain().await;
}

async fn a_malformed_question_is_refused_at_the_worker(setup: Setup) {
    let nested = json!({ "type": "object", "properties": { "a": { "type": "object" } } });
    let broken = tool("broken", move |task| {
        let ask = Ask::form("", nested.clone());
        async move { Ok(Outcome::text(value(&task.ask(ask).await?))) }
    });
    let worker = setup.worker("w1", 1, vec![broken]).await;
    let task = setup.submit("broken").await;
    let ended = setup.ended(&task).await;
    assert!(ended.questions.is_empty(), "nobody saw it");
    let outcome = ended.outcome.expect("an outcome");
    assert!(outcome.is_tool_error());
    let Outcome::Result(result) = outcome else { panic!("a result") };
    let text = result["content"][0]["text"].as_str().expect("text");
    assert!(text.contains("message") && text.contains("requestedSchema/properties/a/type"), "{text}");
    worker.drain().await;
}

async fn nobody_in_time_is_answered_by_cancel(setup: Setup) {
    let short = tool("short", |task| async move {
        let limit = Some(std::time::Duration::from_millis(50));
        let answers = task.ask_within(vec![question("quick!")], limit).await?;
        Ok(Outcome::text(answers[0].action.to_string()))
    });
    let worker = setup.worker("w1", 1, vec![short]).await;
    let task = setup.submit("short").await;
    let ended = setup.ended(&task).await;
    assert_eq!(text(&ended), "cancel");
    let answer = ended.questions[0].answer.as_ref().expect("answered");
    assert_eq!(answer.by, Answerer::Timeout);
    assert!(answer.reason.is_some(), "the log says why");
    worker.drain().await;
}

async fn what_nobody_answered_in_time_answers_itself_as_its_asker_said(setup: Setup) {
    let short = tool("short", |task| async move {
        let limit = Some(std::time::Duration::from_millis(50));
        let schema = json!({ "type": "object", "required": ["value"],
            "properties": { "value": { "type": "string", "default": "staging" }, "note": { "type": "string" } } });
        let asks = vec![
            question("no?").on_timeout(OnTimeout::Decline),
            Ask::form("where?", schema).on_timeout(OnTimeout::Default),
            Ask::url("pay", "https://pay.example/").on_timeout(OnTimeout::Decline),
        ];
        let answers = task.ask_within(asks, limit).await?;
        let told = answers.iter().map(|one| format!("{} {}", one.action, json!(one.content)));
        Ok(Outcome::text(told.collect::<Vec<_>>().join("; ")))
    });
    let worker = setup.worker("w1", 1, vec![short]).await;
    let ended = setup.ended(&setup.submit("short").await).await;
    assert_eq!(text(&ended), r#"decline null; accept {"value":"staging"}; decline null"#);
    for question in &ended.questions {
        let answer = question.answer.as_ref().expect("answered");
        assert_eq!((answer.by, answer.reason.is_some()), (Answerer::Timeout, true));
    }
    worker.drain().await;
}

async fn defaults_that_are_no_answer_are_refused_at_the_worker(setup: Setup) {
    let asks =
        [(question("quick!"), "value"), (Ask::url("pay", "https://pay.example/"), "a page has no defaults")];
    for (ask, problem) in asks {
        let hasty = tool("hasty", move |task| {
            let ask = ask.clone().on_timeout(OnTimeout::Default);
            async move { Ok(Outcome::text(task.ask(ask).await?.action.to_string())) }
        });
        let worker = setup.worker("w1", 1, vec![hasty]).await;
        let ended = setup.ended(&setup.submit("hasty").await).await;
        assert_eq!(ended.questions.len(), 0);
        let error = format!("{:?}", ended.outcome);
        assert!(error.contains("on_timeout") && error.contains(problem), "{error}");
        worker.drain().await;
    }
}

async fn decline_and_cancel_reach_the_tool_without_content(setup: Setup) {
    let echo = tool("echo", |task| async move {
        let answer = task.ask(question("well?")).await?;
        Ok(Outcome::text(format!("{} {}", answer.action, answer.content.is_some())))
    });
    let worker = setup.worker("w1", 1, vec![echo]).await;
    for action in [Action::Decline, Action::Cancel] {
        let task = setup.submit("echo").await;
        setup.asked(&task, 1).await;
        let answer = Answer { content: Some(Map::new()), ..Answer::new(action, Answerer::Client) };
        setup.engine.answer(&Viewer::Operator, &task, &QuestionId::at(1), answer).await.expect("answers");
        assert_eq!(text(&setup.ended(&task).await), format!("{action} false"));
    }
    worker.drain().await;
}
