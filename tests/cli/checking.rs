//! `check`, and how `serve` and `worker` take a file with mistakes.

use crate::place::Place;

const BROKEN: &str = r#"[tools.a]
description = "A."
steps = [{ retrun = "x" }]

[tools.b]
descripton = "B."
description = "B."
steps = [{ ask = "Sure?" }, { return = "{{ anwser }}" }]
"#;

#[test]
fn a_right_file_is_said_to_offer_its_tools() {
    let place = Place::new();
    place.file("mcptask.toml", "[tools.a]\ndescription = \"A.\"\nsteps = [{ return = \"x\" }]\n");
    let said = place.ok(&["check"]);
    assert!(said.contains("is right: it offers a"), "{said}");
}

#[test]
fn every_mistake_is_said_with_file_line_and_column() {
    let place = Place::new();
    let file = place.file("mine.toml", BROKEN);
    let ran = place.run(&["check", &file]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for start in ["3:10: ", "6:1: ", "8:40: "] {
        assert!(ran.err.contains(&format!("{file}:{start}")), "{start:?} is not in {}", ran.err);
    }
    assert!(ran.err.contains("did you mean \"description\"?") && ran.out.is_empty(), "{ran:?}");
}

#[test]
fn mistakes_are_json_lines_for_scripts() {
    let place = Place::new();
    let file = place.file("mine.toml", BROKEN);
    let ran = place.run(&["check", "--json", &file]);
    let places: Vec<_> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a JSON line"))
        .filter(|one| one["event"] == "mistake")
        .map(|one| (one["line"].as_u64(), one["column"].as_u64()))
        .collect();
    assert_eq!((ran.code, places), (2, vec![(Some(3), Some(10)), (Some(6), Some(1)), (Some(8), Some(40))]));
}

#[test]
fn a_form_that_asks_for_a_secret_is_warned_of() {
    let place = Place::new();
    let file = place.file(
        "mine.toml",
        "[tools.a]\ndescription = \"A.\"\nsteps = [{ ask = \"Who?\", form = { name = \"text\", Password = \"text\" } }, \
         { return = \"x\" }]\n",
    );
    let ran = place.run(&["check", &file]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains(&format!("{file}:3:")) && ran.err.contains("\"Password\" asks for a secret"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("\"name\""), "{ran:?}");
    assert!(place.json(&["check", &file]).iter().any(|one| one["event"] == "warning" && one["line"] == 3));
}

#[test]
fn serve_and_worker_refuse_a_file_with_mistakes() {
    let place = Place::new();
    let file = place.file("mine.toml", BROKEN);
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["worker"]] {
        let ran = place.run(&[command, &["--config", &file]].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(&format!("{file}:3:10: ")) && ran.err.contains("3 mistakes"), "{ran:?}");
    }
}

#[test]
fn serve_on_stdio_refuses_to_drop_a_connection_that_cannot_be_taken_up_again() {
    let ran = Place::new().run(&["serve", "--stdio", "--fault", "dropped-connection"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--stdio") && ran.err.contains("over HTTP"), "{ran:?}");
}

#[test]
fn a_worker_refuses_faults_that_only_a_server_shows() {
    let place = Place::new();
    let ran = place.run(&["worker", "--fault", "dropped-connection"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("mcptask serve --fault dropped-connection"), "{ran:?}");
}

#[test]
fn a_hundred_mistakes_are_enough_for_one_reading() {
    let place = Place::new();
    let text = (0..1000).fold(String::new(), |text, at| text + &format!("[tools.t{at}]\ncolour = {at}\n"));
    let file = place.file("mine.toml", &text);
    let ran = place.run(&["check", &file]);
    assert_eq!((ran.code, ran.err.matches(&format!("{file}:")).count()), (2, 101), "{ran:.300?}");
    assert!(
        ran.err.contains("more than 100 mistakes") && ran.err.contains("has more mistakes"),
        "{}",
        ran.err
    );
}

#[test]
fn an_expression_without_end_is_a_mistake_and_serve_lives_on_when_it_comes_with_sighup() {
    let place = Place::new();
    let tool = |value: &str| {
        format!("[tools.t]\ndescription = \"d\"\nsteps = [{{ return = \"{{{{ {value} }}}}\" }}]\n")
    };
    let file = place.file("mine.toml", &tool("1"));
    let said = std::fs::File::create(place.path().join("said")).expect("a file");
    let mut serve = place.command(&["serve", "--listen", "127.0.0.1:0", "--config", &file]);
    let mut server = serve.stderr(said).spawn().expect("starts");
    place.heard("/mcp");
    place.file("mine.toml", &tool(&format!("1{}", "+1".repeat(20_000))));
    let ran = place.run(&["check", &file]);
    let id = rustix::process::Pid::from_child(&server);
    rustix::process::kill_process(id, rustix::process::Signal::HUP).expect("is there");
    let told = place.heard("the tools are the same as before");
    let lives = server.try_wait().expect("ours").is_none();
    server.kill().expect("ours");
    server.wait().expect("ours");
    assert!(ran.code == 2 && ran.err.contains(&format!("{file}:3:")), "{ran:?}");
    assert!(lives && told.contains("words and signs"), "{told}");
}

#[test]
fn of_an_empty_file_it_is_said_what_it_may_be() {
    let place = Place::new();
    let file = place.file("e.toml", "# nothing yet\n");
    let ran = place.run(&["check", &file]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for part in ["e.toml says nothing", "[tools.NAME]", "[[rule]]", "[profile.NAME]"] {
        assert!(ran.err.contains(part), "{part:?} is not in {ran:?}");
    }
    let lines = place.run(&["check", &file, "--json"]);
    assert!(lines.code == 2 && lines.out.contains("\"says nothing\""), "{lines:?}");
    let rules = place.run(&["respond", "--rules", &file]);
    assert!(rules.code == 2 && rules.err.contains("the file has no rules"), "{rules:?}");
}

#[test]
fn a_file_that_is_not_there_is_not_to_be_corrected() {
    let place = Place::new();
    for words in [
        &["respond", "--rules", "nope.toml"][..],
        &["check", "nope.toml"],
        &["worker", "--config", "nope.toml"],
    ] {
        let ran = place.run(words);
        assert!(ran.code == 2 && ran.err.contains("nope.toml cannot be read: No such file"), "{ran:?}");
        assert!(ran.err.contains("give the path of a file") && !ran.err.contains("correct it"), "{ran:?}");
    }
}
