//! Everything that is wrong with a file is said at once: where, what, and what is allowed there.

use std::path::Path;

use mcptask::config;

/// The mistakes of a file's text, one line each.
fn mistakes(text: &str) -> Vec<String> {
    let found = config::parse(Path::new("mcptask.toml"), text).expect_err("the file has mistakes");
    found.iter().map(ToString::to_string).collect()
}

/// Asserts that the file has this one mistake.
fn one(text: &str, place: &str, words: &[&str]) {
    let found = mistakes(text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(&format!("mcptask.toml:{place}: ")), "{found:?}");
    for word in words {
        assert!(found[0].contains(word), "{word:?} is not in {found:?}");
    }
}

fn script(steps: &str) -> String {
    format!("[tools.t]\ndescription = \"d\"\nsteps = [\n{steps}\n]\n")
}

#[test]
fn all_mistakes_are_reported_at_once_in_the_order_of_the_file() {
    let found = mistakes(
        "colour = 1\n[tools.a]\ntitle = 5\nsteps = [{ retrun = \"x\" }]\n[tools.b]\ndescription = \"b\"\n",
    );
    let places: Vec<_> = found.iter().filter_map(|one| one.split(": ").next()).collect();
    let wanted = ["1:1", "2:8", "3:9", "4:10", "5:8"].map(|place| format!("mcptask.toml:{place}"));
    assert_eq!(places, wanted, "{found:#?}");
}

#[test]
fn a_call_cannot_wait_for_more_answers_than_there_are_questions() {
    let file = |asks_first: u32, steps: &str| {
        format!(
            "[tools.t]\ndescription = \"d\"\nasks_first = {asks_first}\nsteps = [{steps}, {{ return = \"x\" }}]\n"
        )
    };
    let ask = "{ ask = \"?\", as = \"v\", form = { a = \"text\" } }";
    one(&file(2, ask), "3:14", &["\"asks_first\" in tool \"t\" is 2", "ask one question at most"]);
    one(&file(1, "{ sleep = 1 }"), "3:14", &["ask nothing"]);
    let parse = |text: &str| config::parse(Path::new("mcptask.toml"), text);
    assert!(parse(&file(1, ask)).is_ok());
    let looped = format!("{{ while = \"v is not defined\", at_most = 3, do = [{ask}] }}");
    assert!(parse(&file(3, &looped)).is_ok(), "a question in a loop is asked several times");
}

#[test]
fn a_ttl_that_no_server_keeps_by_itself_is_warned_of() {
    let parse = |ttl: &str| {
        let text =
            format!("[tools.t]\ndescription = \"d\"\nttl = \"{ttl}\"\nsteps = [{{ return = \"x\" }}]\n");
        let found = config::parse(Path::new("mcptask.toml"), &text).expect("it is right");
        found.warnings().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(parse("7d"), [""; 0]);
    let warned = parse("8d");
    assert!(warned.len() == 1 && warned[0].starts_with("mcptask.toml:3:7: "), "{warned:?}");
    assert!(warned[0].contains("7 days") && warned[0].contains("--max-ttl"), "{warned:?}");
}

#[test]
fn an_unknown_key_names_the_one_that_was_meant() {
    let text = "[tools.t]\ndescripton = \"d\"\ndescription = \"d\"\nsteps = [{ return = \"x\" }]\n";
    one(text, "2:1", &["\"descripton\"", "did you mean \"description\"?", "timeout"]);
}

#[test]
fn broken_syntax_has_a_place() {
    let found = mistakes("[tools.t]\ndescription = \n");
    assert!(found[0].starts_with("mcptask.toml:2:"), "{found:?}");
}

#[test]
fn two_tools_of_one_name_are_refused() {
    let text =
        "[tools.t]\ndescription = \"d\"\nsteps = [{ return = \"x\" }]\n[tools.t]\ndescription = \"e\"\n";
    let found = mistakes(text);
    assert!(found[0].starts_with("mcptask.toml:4:") && found[0].contains("duplicate"), "{found:?}");
    let text = "builtin = true\n[tools.wait]\ndescription = \"d\"\nsteps = [{ return = \"x\" }]\n";
    one(text, "2:8", &["built in as well", "leave \"wait\" out"]);
}

#[test]
fn a_script_that_is_missing_or_not_executable_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("plain.sh"), "#!/bin/sh\n").expect("writes");
    let path = folder.path().join("mcptask.toml");
    let text = "[tools.a]\ndescription = \"d\"\ncommand = \"./gone.sh\"\n[tools.b]\ndescription = \"d\"\ncommand = [\"./plain.sh\"]\n";
    let found = config::parse(&path, text).expect_err("two mistakes");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].problem.contains("gone.sh is not there"), "{found:?}");
    assert!(found[1].problem.contains("chmod +x"), "{found:?}");
}

#[test]
fn a_command_is_a_list_of_words() {
    let text = "[tools.t]\ndescription = \"d\"\ncommand = \"echo hello\"\n";
    one(text, "3:11", &["no shell", "[\"echo\", \"hello\"]"]);
}

#[test]
fn a_broken_question_is_found_before_it_is_asked() {
    one(&script("{ ask = \"Which?\", form = { one = [] } }"), "4:1", &["/properties/one", "at least one"]);
    one(&script("{ ask = \"Which?\", form = { one = \"txt\" } }"), "4:34", &["did you mean \"text\"?"]);
    one(&script("{ ask = \"Go\", url = \"https://x.example\", form = {} }"), "4:1", &["one of them"]);
}

#[test]
fn what_no_answer_or_run_can_fulfil_is_found_before_it_is_asked() {
    let few = r#"{ ask = "Which?", schema = { type = "object", properties = { x = { type = "array", minItems = 5, items = { type = "string", enum = ["a"] } } } } }"#;
    one(&script(few), "4:1", &["/properties/x/minItems", "is 5, more than there are choices, 1"]);
    let many = vec!["{ ask = \"Go?\" }"; 65].join(", ");
    one(&script(&format!("{{ ask_all = [{many}] }}")), "4:1", &["65 questions at once, more than 64"]);
    let text = "[tools.t]\ndescription = \"d\"\ncommand = [\"sh\\u0000x\"]\n";
    assert!(mistakes(text).iter().any(|one| one.contains("NUL character")), "{:?}", mistakes(text));
}

#[test]
fn a_template_that_cannot_work_is_found() {
    one(&script("{ return = \"{{ args.name\" }"), "4:12", &["{{ args.name"]);
    one(&script("{ return = \"{{ nme }}\" }, { set = { name = 1 } }"), "4:12", &["did you mean \"name\"?"]);
    one(&script("{ if = \"1 +\", then = [] }"), "4:8", &["1 +"]);
    one(&script("{ return = \"{{ args.x|nope }}\" }"), "4:12", &["the filter \"nope\""]);
    one(&script("{ if = \"args.x is nope\", then = [] }"), "4:8", &["the test \"nope\""]);
}

#[test]
fn a_loop_needs_a_bound() {
    one(&script("{ while = \"true\", do = [] }"), "4:1", &["at_most"]);
}

#[test]
fn a_step_does_one_thing() {
    one(&script("{ sleep = 1, return = \"x\" }"), "4:1", &["sleep, return"]);
    one(&script("{ wait = 1 }"), "4:1", &["does nothing", "protocol_error"]);
}

#[test]
fn schemas_are_checked() {
    let tool =
        |lines: &str| format!("[tools.t]\ndescription = \"d\"\n{lines}\nsteps = [{{ return = \"x\" }}]\n");
    one(&tool("input = { count = \"integer = many\" }"), "3:19", &["default", "count"]);
    one(&tool("input_schema = { type = \"array\" }"), "3:16", &["not \"object\""]);
    one(&tool("input_schema = \"gone.json\""), "3:16", &["gone.json"]);
    one(&tool("input_schema = { type = \"object\", properties = 3 }"), "3:16", &["broken"]);
    one(&tool("input = {}\ninput_schema = { type = \"object\" }"), "3:9", &["both"]);
    one(&tool("annotations = { readOnly = true }"), "3:17", &["did you mean \"readOnlyHint\"?"]);
    one(&tool("task_support = \"optionl\""), "3:16", &["did you mean \"optional\"?"]);
    one(&tool("timeout = \"soon\""), "3:11", &["5m"]);
    one(&tool("retries = { pause = \"1s\" }"), "3:11", &["most"]);
}

#[test]
fn a_file_that_is_not_there_says_what_to_do() {
    let found = config::load(Path::new("/nowhere/mcptask.toml")).expect_err("not there");
    assert!(found[0].to_string().contains("give the path of a file that is there"), "{found:?}");
}

#[test]
fn names_are_what_clients_accept() {
    let text = "[tools.\"a b\"]\ndescription = \"d\"\nsteps = [{ return = \"x\" }]\n";
    one(text, "1:8", &["\"a b\"", "letters"]);
}

#[test]
fn numbers_that_make_no_sense_are_found() {
    let tool =
        |lines: &str| format!("[tools.t]\ndescription = \"d\"\n{lines}\nsteps = [{{ return = \"x\" }}]\n");
    one(&tool("retries = { most = 2, factor = 0.5 }"), "3:32", &["0.5", "from 1 on"]);
    one(&tool("retries = { most = 2, factor = nan }"), "3:32", &["nan", "from 1 on"]);
    one(&tool("retries = { most = 2, pause = \"5m\", longest = \"1s\" }"), "3:11", &["shorter"]);
    for key in ["timeout", "ttl", "question_timeout", "remind_after"] {
        let column = key.len() + 4;
        one(&tool(&format!("{key} = 0")), &format!("3:{column}"), &[key, "is 0"]);
        one(&tool(&format!("{key} = -1")), &format!("3:{column}"), &[key, "length of time"]);
        one(&tool(&format!("{key} = 1e30")), &format!("3:{column}"), &[key]);
    }
    one(&tool("ttl = \"9000000h\""), "3:7", &["ten years"]);
    one(&tool("concurrency = 0"), "3:15", &["from 1 on"]);
    one(&script("{ ask = \"Go?\", timeout = 0 }"), "4:26", &["timeout", "is 0"]);
    one(&script("{ ask = \"Go?\", on_timeout = \"never\" }"), "4:29", &["on_timeout", "never"]);
    one(&script("{ ask = \"Go?\", remind_after = 0 }"), "4:31", &["remind_after", "is 0"]);
    one(&tool("unanswerable = \"never\""), "3:16", &["unanswerable", "never", "notify"]);
    let form = "{ ask = \"Go?\", form = { name = \"text\" }, on_timeout = \"default\" }";
    one(&script(form), "4:1", &["on_timeout", "name"]);
    for time in ["-1", "\"8d\"", "true", "inf", "\"soon\""] {
        one(&script(&format!("{{ sleep = {time} }}")), "4:11", &["no time to sleep"]);
    }
    one(&script("{ report = \"r\", current = -1 }"), "4:27", &["current", "from 0 on"]);
    one(&script("{ report = \"r\", total = \"many\" }"), "4:25", &["total", "many"]);
    one(&script("{ report = \"r\", current = 3, total = 2 }"), "4:1", &["3", "2"]);
}

#[test]
fn steps_that_lack_their_point_are_found() {
    one(&script("{ if = \"true\" }"), "4:1", &["\"then\""]);
    one(&script("{ if = \"true\", else = [] }"), "4:1", &["\"then\""]);
    one(&script("{ while = \"true\", at_most = 3 }"), "4:1", &["\"do\""]);
    one(&script("{ while = \"true\", at_most = 200000, do = [] }"), "4:29", &["100000"]);
    one(&script("{ set = {} }"), "4:9", &["no name a value"]);
    one(&script("{ return = {} }"), "4:12", &["says nothing"]);
    one(&script("{ return = { structured = 3 } }"), "4:27", &["no table"]);
    one(&script("{ return = { content = [{ type = \"image\", data = \"x\" }] } }"), "4:25", &["mimeType"]);
    one(
        &script("{ ask_all = [{ ask = \"a\", as = \"x\" }, { ask = \"b\", as = \"x\" }] }"),
        "4:1",
        &["\"x\""],
    );
    one(&script("{ ask = \" \" }"), "4:1", &["is empty"]);
    one(&script("{ ask = \"Go\", url = \"ftp://x.example\" }"), "4:1", &["ftp"]);
}

#[test]
fn fields_that_nobody_can_fill_in_are_found() {
    let form = |field: &str| script(&format!("{{ ask = \"Which?\", form = {{ one = {field} }} }}"));
    one(&form("[\"a\", 3]"), "4:40", &["\"one\"", "3, not text"]);
    one(&form("[\"a\", \"a\"]"), "4:34", &["\"one\"", "\"a\" twice"]);
    one(&form("{ type = \"string\", optional = \"yes\" }"), "4:34", &["optional", "\"yes\""]);
    one(
        &form("{ type = \"string\", maxLenght = 3 }"),
        "4:1",
        &["maxLenght", "nothing that MCP's forms have"],
    );
    one(&form("{ type = \"string\", maxLength = 2, default = \"long\" }"), "4:34", &["default", "long"]);
    for field in [
        "{ type = \"integer\", minimum = 5, maximum = 2 }",
        "{ type = \"string\", minLength = 5, maxLength = 2 }",
    ] {
        let found = mistakes(&form(field));
        assert!(found.iter().all(|one| one.contains('5') && one.contains('2')), "{found:?}");
    }
    let input = |field: &str| {
        format!("[tools.t]\ndescription = \"d\"\ninput = {{ n = {field} }}\nsteps = [{{ return = \"x\" }}]\n")
    };
    one(&input("{ type = \"integer\", default = \"x\" }"), "3:15", &["default", "not a whole number"]);
    one(&input("{ type = \"integer\", minimum = 5, maximum = 2 }"), "3:15", &["5, more than"]);
    one(&input("{ type = \"array\", items = { typ = \"string\" } }"), "3:15", &["\"typ\"", "\"type\""]);
    one(&input("[true]"), "3:16", &["true, not text"]);
    let text = "[tools.t]\ndescription = \" \"\nsteps = [{ return = \"x\" }]\n";
    one(text, "2:15", &["\"description\"", "is empty"]);
    one("builtin = [\"wait\", \"wait\"]\n", "1:11", &["\"wait\" twice"]);
}

#[test]
fn a_step_behind_the_end_is_warned_of() {
    let text = script("{ return = \"x\" },\n{ sleep = 1 }");
    let config = config::parse(Path::new("mcptask.toml"), &text).expect("is allowed");
    assert_eq!(config.warnings().len(), 1, "{:?}", config.warnings());
    assert!(config.warnings()[0].to_string().starts_with("mcptask.toml:5:1: nothing comes to this step"));
}

#[test]
fn long_and_deep_expressions_are_mistakes_with_their_place() {
    for (link, times) in
        [("+1", 20_000), (" ~ 'a'", 3000), ("|upper", 3000), (".a", 3000), (" if 1 else 1", 2000)]
    {
        let long = format!("args{}", link.repeat(times));
        one(&script(&format!("{{ return = \"{{{{ {long} }}}}\" }}")), "4:12", &["words and signs"]);
        one(&script(&format!("{{ if = \"{long}\", then = [] }}")), "4:8", &["words and signs"]);
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("range(", ")")] {
        let deep = format!("{}1{}", open.repeat(2000), close.repeat(2000));
        let found = mistakes(&script(&format!("{{ return = \"{{{{ {deep} }}}}\" }}")));
        assert!(found.len() == 1 && found[0].contains("brackets"), "{found:?}");
    }
    let elifs = format!("{{% if 1 %}}{}{{% endif %}}", "{% elif 1 %}".repeat(3000));
    one(&script(&format!("{{ return = \"{elifs}\" }}")), "4:12", &["template"]);
}

#[test]
fn tables_that_are_nested_too_deep_are_mistakes_with_their_place() {
    let steps = format!("{}{{ return = \"x\" }}{}", "{ if = \"1\", then = [".repeat(35), "] }".repeat(35));
    let found = mistakes(&script(&steps));
    assert!(found.len() == 1 && found[0].contains("64 levels"), "{found:?}");
    for deep in ["[".repeat(50_000), "{a=".repeat(50_000)] {
        let found = mistakes(&format!("x = {deep}"));
        assert!(found[0].starts_with("mcptask.toml:1:"), "{found:?}");
    }
    let found = mistakes(&format!("[tools{}]\n", ".a".repeat(50_000)));
    assert!(found[0].starts_with("mcptask.toml:1:"), "{found:?}");
}

/// A file of a few megabytes is read in a moment, whatever is wrong with it: all on one line as well.
#[test]
fn a_hundred_mistakes_are_said_and_that_there_are_more() {
    let tables = (0..100_000).fold(String::new(), |text, at| text + &format!("[a{at}]\n"));
    let tools =
        (0..10_000).fold(String::new(), |text, at| text + &format!("[tools.t{at}]\ndescripton = \"d\"\n"));
    let line = format!("x = [{}]\n[tools]\nt = {{ a = 1 }}\n", "{ b = 1 }, ".repeat(50_000));
    let names =
        (0..2000).fold(String::new(), |text, at| text + &format!("{{ return = \"{{{{ n{at} }}}}\" }},"));
    let began = std::time::Instant::now();
    for text in [tables, tools, script(&names)] {
        let found = mistakes(&text);
        assert_eq!(found.len(), 101, "{:?}", found.last());
        assert!(found[100].contains("more mistakes"), "{:?}", found[100]);
    }
    assert!(!mistakes(&line).is_empty());
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
