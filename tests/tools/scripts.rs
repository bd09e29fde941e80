//! Scripts, run end to end.

use mcptask::task::TaskStatus;
use serde_json::json;

use crate::setup::{error, result, run, text};

#[tokio::test(flavor = "multi_thread")]
async fn arguments_and_answers_reach_templates() {
    let running = run(r#"
        [tools.sign]
        description = "Two people sign."
        input = { what = "text", fee = "integer = 3" }
        [[tools.sign.steps]]
        report = "asking {{ args.what }}"
        current = 1
        total = 2
        [[tools.sign.steps]]
        ask = "Sign {{ args.what }}?"
        as = "first"
        form = { name = "text" }
        [[tools.sign.steps]]
        if = "not first.accepted"
        then = [{ return = "nobody signed: {{ first.action }}" }]
        [[tools.sign.steps]]
        set = { both = "{{ [first.content.name, args.what] }}" }
        [[tools.sign.steps]]
        return = { text = "{{ both | join(' signed ') }}", structured = { by = "{{ both[0] }}", fee = "{{ args.fee }}" } }
    "#)
    .await;
    let task = running.submit("sign", json!({ "what": "the treaty" })).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    let ended = running.ended(&task).await;
    assert_eq!(text(&ended), "Ada signed the treaty");
    assert_eq!(result(&ended)["structuredContent"], json!({ "by": "Ada", "fee": 3 }));
    assert_eq!(ended.progress.expect("reported").total, Some(2.0));
    let task = running.submit("sign", json!({ "what": "the bill" })).await;
    running.decline(&task, 1).await;
    assert_eq!(text(&running.ended(&task).await), "nobody signed: decline");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_questions_are_open_at_once_and_one_may_be_a_page() {
    let running = run(r#"
        [tools.both]
        description = "Asks two things at once."
        steps = [
            { ask_all = [
                { ask = "Name?", as = "name", form = { name = "text" } },
                { ask = "Visit the page", as = "page", url = "https://pay.example/{{ task.id }}" },
            ] },
            { return = "{{ name.content.name }} {{ page.action }}" },
        ]
    "#)
    .await;
    let task = running.submit("both", json!({})).await;
    let asked = running.reached(&task, |task| task.open_questions().count() == 2).await;
    assert_eq!(asked.questions[1].ask.to_params()["url"], format!("https://pay.example/{task}"));
    running.accept(&task, 2, json!({})).await;
    running.accept(&task, 1, json!({ "name": "Ada" })).await;
    assert_eq!(text(&running.ended(&task).await), "Ada accept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_goes_on_until_its_condition_ends_or_its_bound_is_exceeded() {
    let running = run(r#"
        [tools.count]
        description = "Counts."
        input = { to = "integer" }
        steps = [
            { set = { n = 0 } },
            { while = "n < args.to", at_most = 5, do = [{ set = { n = "{{ n + 1 }}" } }] },
            { return = "{{ n }}" },
        ]
    "#)
    .await;
    assert_eq!(text(&running.call("count", json!({ "to": 5 })).await), "5");
    let over = running.call("count", json!({ "to": 6 })).await;
    assert_eq!(over.status, TaskStatus::Failed);
    let message = &error(&over).message;
    assert!(message.contains("mcptask.toml:7") && message.contains("bound of 5"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_fails_is_a_clear_error_on_the_task() {
    let running = run(r#"
        [tools.t]
        description = "Uses an answer that may be missing."
        steps = [
            { ask = "Name?", as = "answer", form = { name = "text" } },
            { return = "Hello {{ answer.content.name }}" },
        ]
        [tools.sleepy]
        description = "Sleeps for no number."
        input = { seconds = "text" }
        steps = [{ sleep = "{{ args.seconds }}" }]
    "#)
    .await;
    let task = running.submit("t", json!({})).await;
    running.decline(&task, 1).await;
    let message = error(&running.ended(&task).await).message.clone();
    assert!(message.contains("mcptask.toml:6 (return)") && message.contains("not there"), "{message}");
    let sleepy = running.call("sleepy", json!({ "seconds": "long" })).await;
    assert!(error(&sleepy).message.contains("cannot sleep \"long\""), "{sleepy:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_tool_and_of_the_protocol_differ() {
    let running = run(r#"
        [tools.tool]
        description = "Fails as a tool."
        steps = [{ error = "no luck" }]
        [tools.protocol]
        description = "Fails as a request."
        steps = [{ protocol_error = { code = -32050, message = "broken", data = { why = "{{ task.attempt }}" } } }]
        [tools.nothing]
        description = "Ends without a result."
        steps = [{ sleep = 0 }]
    "#)
    .await;
    let tool = running.call("tool", json!({})).await;
    assert_eq!((text(&tool), &result(&tool)["isError"]), ("no luck", &json!(true)));
    let protocol = running.call("protocol", json!({})).await;
    let found = error(&protocol);
    assert_eq!(
        (found.code, found.message.as_str(), &found.data),
        (-32050, "broken", &Some(json!({ "why": 1 })))
    );
    assert_eq!(result(&running.call("nothing", json!({})).await)["content"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_content_can_be_returned() {
    let running = run(r#"
        [tools.mixed]
        description = "Returns text, a picture, sound and a resource."
        [[tools.mixed.steps]]
        [tools.mixed.steps.return]
        text = "first"
        content = [
            { type = "image", data = "aGk=", mimeType = "image/png" },
            { type = "audio", data = "aGk=", mimeType = "audio/wav" },
            { type = "resource", resource = { uri = "test://x", mimeType = "text/plain", text = "hello" } },
        ]
    "#)
    .await;
    let mixed = running.call("mixed", json!({})).await;
    let content = result(&mixed)["content"].as_array().expect("a list").clone();
    let kinds: Vec<_> = content.iter().map(|block| block["type"].as_str().unwrap_or_default()).collect();
    assert_eq!(kinds, ["text", "image", "audio", "resource"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_its_arguments_break_is_refused_on_the_task() {
    let running = run(r#"
        [tools.t]
        description = "Asks for one of the arguments."
        input = { choices = "texts" }
        steps = [{ ask = "Which?", schema = { type = "object", properties = {
            one = { type = "string", enum = "{{ args.choices }}" } } } }]
    "#)
    .await;
    let task = running.call("t", json!({ "choices": [] })).await;
    assert!(text(&task).contains("/properties/one") || text(&task).contains("at least one"), "{task:?}");
    assert_eq!(result(&task)["isError"], true);
}

/// What grows without end is an error that names the step; the worker and the other tasks go on.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_grow_without_end_are_an_error_of_their_task() {
    let running = run(r#"
        [tools.longer]
        description = "Doubles a text."
        steps = [
            { set = { text = "x" } },
            { while = "true", at_most = 1000, do = [{ set = { text = "{{ text ~ text }}" } }] },
        ]
        [tools.deeper]
        description = "Puts a list into a list."
        steps = [
            { set = { list = "{{ [] }}" } },
            { while = "true", at_most = 100000, do = [{ set = { list = "{{ [list] }}" } }] },
        ]
        [tools.more]
        description = "Appends to a list."
        steps = [
            { set = { list = "{{ ['x' * 1000] }}" } },
            { while = "true", at_most = 100000, do = [{ set = { list = "{{ list + list }}" } }] },
        ]
        [tools.fine]
        description = "Is fine."
        steps = [{ return = "fine" }]
    "#)
    .await;
    for (tool, words) in [("longer", "bytes, more than"), ("deeper", "levels"), ("more", "bytes, more than")]
    {
        let message = error(&running.call(tool, json!({})).await).message.clone();
        assert!(message.contains("mcptask.toml:") && message.contains("(set)"), "{tool}: {message}");
        assert!(message.contains(words), "{tool}: {message}");
    }
    assert_eq!(text(&running.call("fine", json!({})).await), "fine");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_that_no_store_keeps_is_a_tool_error_that_names_the_tool() {
    let list = "[".repeat(30);
    let end = "]".repeat(30);
    let running = run(&format!(
        r#"
        [tools.deep]
        description = "Is deep."
        input_schema = {{ type = "object" }}
        steps = [{{ return = {{ structured = {{ a = "{{{{ {list} args.a {end} }}}}" }} }} }}]
        [tools.large]
        description = "Is large."
        steps = [{{ return = {{ structured = {{ a = "{{{{ '\"' * 2000000 }}}}" }} }} }}]
        [tools.failed]
        description = "Fails at length."
        steps = [{{ protocol_error = {{ message = "{{{{ '\"' * 3000000 }}}}" }} }}]
        "#
    ))
    .await;
    let nested = (0..80).fold(json!(1), |inner, _| json!([inner]));
    for (tool, words) in
        [("deep", "levels deep"), ("large", "bytes, more than"), ("failed", "bytes, more than")]
    {
        let arguments = if tool == "deep" { json!({ "a": nested }) } else { json!({}) };
        let task = running.call(tool, arguments).await;
        assert_eq!(result(&task)["isError"], true, "{tool}");
        assert!(text(&task).contains(&format!("tool {tool:?}, mcptask.toml:")), "{:.200}", text(&task));
        assert!(text(&task).contains(words), "{:.200}", text(&task));
    }
}

/// Work that goes on for long is done beside the threads that serve everybody.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_template_that_works_long_holds_nobody_up() {
    let work = "{% for i in range(300) %}{% for j in range(300) %}.{% endfor %}{% endfor %}";
    let running = run(&format!(
        "[tools.busy]\ndescription = \"d\"\nsteps = [{{ while = \"true\", at_most = 100, do = [{{ set = {{ x = \"{work}\" }} }}] }}]\n"
    ))
    .await;
    let task = running.submit("busy", json!({})).await;
    let mut longest = std::time::Duration::ZERO;
    while !running.reached(&task, |_| true).await.status.is_final() {
        let began = std::time::Instant::now();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        longest = longest.max(began.elapsed());
    }
    assert!(longest < std::time::Duration::from_secs(1), "a sleep of a millisecond took {longest:?}");
}
