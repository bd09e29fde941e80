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
fn a_template_that_cannot_work_is_found() {
    one(&script("{ return = \"{{ args.name\" }"), "4:12", &["{{ args.name"]);
    one(&script("{ return = \"{{ nme }}\" }, { set = { name = 1 } }"), "4:12", &["did you mean \"name\"?"]);
    one(&script("{ if = \"1 +\", then = [] }"), "4:8", &["1 +"]);
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
    assert!(found[0].to_string().contains("--config"), "{found:?}");
}

#[test]
fn names_are_what_clients_accept() {
    let text = "[tools.\"a b\"]\ndescription = \"d\"\nsteps = [{ return = \"x\" }]\n";
    one(text, "1:8", &["\"a b\"", "letters"]);
}
