//! A worker is killed while its task waits for a person.

use crate::stage::{CUISINE, Stage, VEGETARIAN, Views as _};

on_both_engines!(
    a_question_outlives_its_worker,
    a_worker_killed_between_two_questions_asks_only_the_second,
    an_answer_to_a_dead_worker_reaches_the_next_one,
    attempts_are_bounded_when_every_worker_is_killed,
    a_worker_that_wakes_after_its_lease_changes_nothing,
);

fn a_question_outlives_its_worker(stage: &Stage) {
    let worker = stage.worker();
    let task = stage.asking("plan_dinner");
    worker.kill();
    let listed = stage.json(&["list", "--status", "input_required"]);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["id"], task.as_str(), "{listed:?}");
    assert!(stage.ok(&["show", &task]).contains(CUISINE));
    assert_eq!(stage.asked(&task), [CUISINE]);
    stage.answer_cuisine(&task);
    let second = stage.worker();
    stage.until_asked(&task, "q2");
    stage.answer_vegetarian(&task);
    stage.menu(&task);
    drop(second);
}

fn a_worker_killed_between_two_questions_asks_only_the_second(stage: &Stage) {
    let worker = stage.worker();
    let task = stage.asking("plan_dinner");
    stage.answer_cuisine(&task);
    stage.until_asked(&task, "q2");
    worker.kill();
    let _second = stage.worker();
    stage.answer_vegetarian(&task);
    let menu = stage.menu(&task);
    assert!(menu.to_string().contains("vegetarian Thai dinner"), "{menu}");
}

fn an_answer_to_a_dead_worker_reaches_the_next_one(stage: &Stage) {
    let worker = stage.worker();
    let second = stage.worker();
    let task = stage.asking("plan_dinner");
    // Stopped first, so that the answer is on its way to whoever runs the task when both are killed.
    worker.signal("STOP");
    second.signal("STOP");
    stage.answer_cuisine(&task);
    worker.kill();
    second.kill();
    let _third = stage.worker();
    stage.until_asked(&task, "q2");
    assert_eq!(stage.asked(&task), [CUISINE, VEGETARIAN]);
    stage.answer_vegetarian(&task);
    stage.menu(&task);
}

fn attempts_are_bounded_when_every_worker_is_killed(stage: &Stage) {
    let task = {
        let worker = stage.worker();
        let task = stage.ok(&["submit", "wait", "--arg", "seconds=3600"]);
        stage.until(&task, "progress");
        worker.kill();
        task
    };
    let claims = |events: &[serde_json::Value]| events.iter().filter(|one| one["event"] == "claimed").count();
    for attempt in 2..=3 {
        let worker = stage.worker();
        let mut watch = stage.background(&["watch", "--json", "--task", &task]);
        let mut seen = vec![watch.first.clone()];
        while claims(&seen) < attempt {
            seen.push(watch.next());
        }
        worker.kill();
    }
    let _last = stage.worker();
    stage.until(&task, "failed");
    let failed = stage.events(&task);
    let message = failed.last().expect("an event")["message"].as_str().expect("a message");
    assert!(message.contains("stopped without finishing it"), "{message}");
}

fn a_worker_that_wakes_after_its_lease_changes_nothing(stage: &Stage) {
    let sleeper = stage.worker();
    let task = stage.ok(&["submit", "wait", "--arg", "seconds=3"]);
    stage.until(&task, "progress");
    sleeper.signal("STOP");
    // Where it was faster than the signal, its task is done and there is nothing to take over.
    let _second = stage.worker();
    stage.until(&task, "completed");
    let before = stage.events(&task);
    sleeper.signal("CONT");
    // It is awake when it stops in order, and has then tried to write what it had.
    sleeper.signal("TERM");
    assert_eq!(sleeper.code(), 0);
    assert_eq!(stage.events(&task), before);
}
