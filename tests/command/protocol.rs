//! The socket's protocol, as `docs/ASK_PROTOCOL.md` describes it.

use mcptask::task::{Action, Answer, Answerer, EventKind, TaskStatus};
use serde_json::{Value, json};

use crate::bench::{Bench, PYTHON, accept, quick, text};

/// The replies that a script printed, one a line.
async fn replies(script: &str) -> Vec<Value> {
    let task = Bench::new().await.python(script).once().await;
    text(&task).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn codes(replies: &[Value]) -> Vec<&str> {
    replies.iter().map(|reply| reply["error"]["code"].as_str().unwrap_or("no error")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_python_example_works() {
    let document = include_str!("../../docs/ASK_PROTOCOL.md");
    let (_, rest) = document.split_once("```python\n").expect("the document has an example");
    let (example, _) = rest.split_once("```").expect("which ends");
    assert!(example.lines().count() <= 12, "it is short");
    let bench = Bench::new().await;
    let path = bench.script("run.py", &format!("#!/usr/bin/env python3\n{example}"));
    let bench = bench.command(quick(path));
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    let asked = bench.asked(&task, 1).await;
    let question = asked.open_questions().next().expect("open");
    assert_eq!(question.ask.message, "Which environment?");
    bench.answer(&task, 1, accept(&json!({ "environment": "staging" }))).await;
    let ended = bench.ended(&task).await;
    assert_eq!(text(&ended), "staging");
    assert_eq!(ended.progress.expect("reported").message.as_deref(), Some("deploying to staging"));
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_not_arrive_as_it_was_sent_is_refused_by_name() {
    let script = "
for report in ({'current': 123456789012345678901234567890}, {'current': 1}):
    print(json.dumps(send({'report': report})))
print(json.dumps(send({'ask': {'message': '?', 'schema': {'type': 'object', 'properties': {
    'n': {'type': 'integer', 'maximum': 18446744073709551617}}}}})))";
    let replies = replies(script).await;
    assert_eq!(codes(&replies), ["bad_request", "no error", "bad_request"]);
    for reply in [&replies[0], &replies[2]] {
        let message = reply["error"]["message"].as_str().expect("words");
        assert!(message.contains("would be rounded"), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_questions_are_open_at_once() {
    let script = "\nasks = [{'message': 'One?'}, {'message': 'Two?', 'url': 'https://a.example/'}]
print(' '.join(a['action'] for a in send({'ask_all': {'questions': asks, 'timeout': 600}})['answers']))";
    let bench = Bench::new().await.python(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    bench.asked(&task, 2).await;
    bench.answer(&task, 2, Answer::new(Action::Accept, Answerer::Operator)).await;
    bench.answer(&task, 1, Answer::new(Action::Decline, Answerer::Operator)).await;
    assert_eq!(text(&bench.ended(&task).await), "decline accept");
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_asked_is_refused_and_the_command_goes_on() {
    let script = "
for question in ({'message': ''}, {'message': '?', 'schema': {'type': 'array'}},
                 {'message': '?', 'url': 'ftp://a'}, {'message': '?', 'timeout': -1},
                 {'message': '?', 'schema': {'type': 'object', 'properties': {'x': {'type': 'tuple'}}}}):
    print(json.dumps(send({'ask': question})))
print(json.dumps(send({'ask_all': {'questions': [{'message': '?'}] * 65}})))
print(json.dumps(send({'ask': {'message': 'Now?', 'timeout': 0.2}})))";
    let replies = replies(script).await;
    let bad = "bad_question";
    assert_eq!(codes(&replies), [bad, bad, bad, "bad_request", bad, bad, "no error"]);
    assert!(
        replies[4]["error"]["message"].as_str().expect("text").contains("properties/x"),
        "{}",
        replies[4]
    );
    assert_eq!(
        (&replies[6]["answer"]["action"], &replies[6]["answer"]["by"]),
        (&json!("cancel"), &json!("timeout"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_requests_are_refused() {
    let script = "
def raw(data):
    s = socket.socket(socket.AF_UNIX); s.connect(os.environ['MCPTASK_SOCKET'])
    try: s.sendall(data)
    except BrokenPipeError: pass
    print(s.makefile().readline().strip())
raw(b'hello\\n'); raw(b'{\"answer\": 1}\\n'); raw(b'\\xff\\xfe\\n'); raw(b'{\"ask\": {}}\\n')
raw(b'{\"report\": {\"current\": 1, \"step\": 2}}\\n'); raw(b'x' * 2000000)
raw(b'\\n\\n{\"report\": {\"current\": 1}}\\n')";
    let replies = replies(script).await;
    let bad = "bad_request";
    assert_eq!(codes(&replies), [bad, bad, bad, bad, bad, bad, "no error"]);
    assert!(replies[5]["error"]["message"].as_str().expect("text").contains("at most 1048576 bytes"));
    assert_eq!(replies[6], json!({ "reported": {} }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_question_at_once_is_refused() {
    let script = "
first = connect(); first.write(json.dumps({'ask': {'message': 'First?'}}) + '\\n'); first.flush()
while 'error' not in (second := ask('Second?', timeout=0.1)): pass
print(second['error']['code'], '|', second['error']['message'])
print(json.loads(first.readline())['answer']['action'])";
    let bench = Bench::new().await.python(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    let first = bench
        .reached(&task, |task| task.open_questions().any(|question| question.ask.message == "First?"))
        .await;
    let position = first.questions.len() as u32;
    // Long enough for the second question to be refused, and harmless if it is not.
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    bench.answer(&task, position, accept(&json!({ "answer": "x" }))).await;
    let ended = bench.ended(&task).await;
    assert!(
        text(&ended).starts_with("busy | another question of this task is still open"),
        "{}",
        text(&ended)
    );
    assert!(text(&ended).ends_with("accept"));
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_asker_went_away_is_withdrawn() {
    let script = "
import subprocess
child = [sys.executable, '-c', 'import os,socket,time; s = socket.socket(socket.AF_UNIX);'
    's.connect(os.environ[\"MCPTASK_SOCKET\"]); s.sendall(b\\'{\"ask\": {\"message\": \"First?\"}}\\\\n\\'); time.sleep(1)']
subprocess.run(child)
print(ask('Second?')['answer']['action'])";
    let bench = Bench::new().await.python(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    let second = bench.asked(&task, 2).await;
    let first = second.questions[0].answer.as_ref().expect("withdrawn");
    assert_eq!((first.action, first.by), (Action::Cancel, Answerer::Policy));
    assert_eq!(first.reason.as_deref(), Some("the command stopped waiting for the answer"));
    bench.answer(&task, 2, accept(&json!({ "answer": "x" }))).await;
    assert_eq!(text(&bench.ended(&task).await), "accept");
    running.drain().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_only_finished_writing_gets_its_answer() {
    let script = "
s = socket.socket(socket.AF_UNIX); s.connect(os.environ['MCPTASK_SOCKET'])
s.sendall(b'{\"ask\": {\"message\": \"Half?\"}}'); s.shutdown(socket.SHUT_WR)
print(json.loads(s.makefile().readline())['answer']['action'])";
    let bench = Bench::new().await.python(script);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    bench.asked(&task, 1).await;
    tokio::time::sleep(std::time::Duration::from_millis(1200)).await;
    bench.answer(&task, 1, accept(&json!({ "answer": "x" }))).await;
    assert_eq!(text(&bench.ended(&task).await), "accept");
    running.drain().await;
}

/// How many steps are in the task's log, and the last of them.
async fn steps(bench: &Bench, task: &mcptask::task::Task) -> (usize, String) {
    let events = bench.events(task.id()).await;
    let steps: Vec<f64> = events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Progress(step) => Some(step.current),
            _ => None,
        })
        .collect();
    assert!(steps.is_sorted(), "{steps:?}");
    (steps.len(), steps.last().map(ToString::to_string).unwrap_or_default())
}

/// One event a second is allowed, after twenty at once: the command is not kept waiting for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_reports_costs_the_command_no_time_and_leaves_its_newest_step() {
    let script = "
line = connect()
for step in range(150): send({'report': {'current': step, 'total': 150, 'message': f'step {step}'}}, line)
print(ask('Go on?')['answer']['action'])
for step in range(150, 300): send({'report': {'current': step, 'total': 300}}, line)";
    let bench = Bench::new().await;
    let mut command = quick(bench.script("run.py", &format!("{PYTHON}{script}\n")));
    command.output.events_per_second = 1;
    let bench = bench.command(command);
    let running = bench.start().await;
    let task = bench.submit(json!({})).await;
    let asked = bench.asked(&task, 1).await;
    assert_eq!(asked.progress.clone().expect("reported").message.as_deref(), Some("step 149"));
    let (before, last) = steps(&bench, &asked).await;
    assert!((2..60).contains(&before) && last == "149", "{before} events, the last {last}");
    bench.answer(&task, 1, Answer::new(Action::Decline, Answerer::Operator)).await;
    let ended = bench.ended(&task).await;
    assert_eq!(ended.status, TaskStatus::Completed);
    let (all, last) = steps(&bench, &ended).await;
    assert!(all < 120 && last == "299", "{all} events, the last {last}");
    running.drain().await;
}
