//! Values that are typed arrive as they were meant: `--arg`, `--set` and JSON.

use serde_json::json;

use crate::place::Place;

const TOOLS: &str = r#"
[tools.echo]
description = "Returns what it was given and told."
input = { n = "integer?", v = "string?" }
[[tools.echo.steps]]
ask = "N?"
as = "a"
[tools.echo.steps.form]
n = "integer"
level = { type = "string", optional = true, oneOf = [{ const = "1", title = "2" }, { const = "2", title = "1" }] }
many = { type = "array", optional = true, items = { anyOf = [{ const = "salt, pepper", title = "Both" }, { const = "oil", title = "Oil" }] } }
[[tools.echo.steps]]
return = { text = "ok", structured = { told = "{{ a.content }}", n = "{{ args.n }}" } }
"#;

#[test]
fn what_is_set_arrives_as_it_was_typed() {
    let place = Place::new();
    place.file("mcptask.toml", TOOLS);
    let _worker = place.worker();
    for (largest, way) in [
        ("9007199254740993", "salt, pepper,oil"),
        ("-9223372036854775808", r#"["salt, pepper", "oil"]"#),
        ("18446744073709551615", r"salt\, pepper,Oil"),
    ] {
        let id = place.ok(&["submit", "echo", "--arg", &format!("n={largest}")]);
        place.until(&id, "asked");
        let (n, many) = (format!("n={largest}"), format!("many={way}"));
        place.ok(&["respond", &id, "--set", &n, "--set", "level=2", "--set", &many]);
        let result = place.ok(&["result", &id, "--wait", "--json"]);
        assert_eq!(result.matches(&format!("\"n\":{largest}")).count(), 2, "{largest} was changed: {result}");
        let ended: serde_json::Value = serde_json::from_str(&result).expect("JSON");
        let told = &ended["result"]["structuredContent"]["told"];
        assert_eq!(told["level"], "2");
        assert_eq!(told["many"], json!(["salt, pepper", "oil"]));
    }
}

#[test]
fn a_number_that_would_be_rounded_is_refused_whichever_way_it_comes() {
    let place = Place::new();
    place.file("mcptask.toml", TOOLS);
    let _worker = place.worker();
    let id = place.asking("echo");
    let answers = place.file("answers.json", "{\"n\": 18446744073709551617}");
    for refused in [
        &["submit", "echo", "--arg", "n=18446744073709551617"][..],
        &["submit", "echo", "--args-json", "{\"n\": 18446744073709551617}"],
        &["submit", "echo", "--wait", "--answers", &answers],
        &["respond", &id, "--set", "n=-9223372036854775809"],
        &["respond", &id, "--content", "{\"n\": 18446744073709551617}"],
    ] {
        let ran = place.run(refused);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("would be rounded"), "{ran:?}");
    }
    let twice = place.file("twice.json", "{\"n\": 1, \"n\": 2}");
    for refused in [
        &["submit", "echo", "--args-json", "{\"n\": 1, \"n\": 2}"][..],
        &["submit", "echo", "--wait", "--answers", &twice],
        &["respond", &id, "--content", "{\"n\": 1, \"n\": 2}"],
    ] {
        let ran = place.run(refused);
        assert!(ran.code == 2 && ran.err.contains("\"n\" is there twice"), "{ran:?}");
    }
    assert_eq!(place.json(&["list"]).len(), 1, "nothing was submitted");
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
}

#[test]
fn json_may_begin_with_a_byte_order_mark() {
    let place = Place::new();
    let _worker = place.worker();
    let marked = |text: &str| format!("\u{feff}{text}");
    let arguments = format!("@{}", place.file("args.json", &marked("{\"guests\": 3}")));
    let answers = place.file("answers.json", &marked("{\"cuisine\":\"Thai\"}\n{\"vegetarian\":true}"));
    let out =
        place.ok(&["submit", "plan_dinner", "--wait", "--args-json", &arguments, "--answers", &answers]);
    assert!(out.starts_with("A vegetarian Thai dinner for 3"), "{out}");
}
