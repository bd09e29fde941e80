//! `notify`, `check` and `doctor`.

use crate::place::Place;
use crate::receiver::{Receiver, Reply};
use crate::stage::{Stage, notifier, posting};

on_both_engines! {
    a_notifier_that_nobody_runs_is_named_and_can_be_forgotten,
}

fn a_notifier_that_nobody_runs_is_named_and_can_be_forgotten(stage: &Stage) {
    let receiver = Receiver::ready();
    let server = stage.telling(&posting("hook", &["submitted"], &receiver.url()));
    let forgetting = stage.run(&["notify", "forget", "hook"]);
    assert_eq!(forgetting.code, 10, "{forgetting:?}");
    assert_eq!(stage.run(&["doctor"]).code, 0);
    server.kill();
    let found = stage.until_notifiers("its lease ends", |found| found[0]["running"] == false);
    assert_eq!((&found[0]["notifier"], &found[0]["waiting"]), (&"hook".into(), &0.into()));
    let doctor = stage.run(&["doctor", "--json"]);
    assert!(doctor.code == 5 && doctor.out.contains("notifier_not_run"), "{doctor:?}");
    assert!(stage.ok(&["notify"]).contains("nobody"));
    stage.ok(&["notify", "forget", "hook"]);
    assert_eq!(stage.json(&["notify"]).len(), 0);
    assert_eq!(stage.run(&["notify", "forget", "hook"]).code, 9);
    assert_eq!(stage.run(&["doctor"]).code, 0);
}

#[test]
fn a_notifier_is_tried_and_what_came_back_is_said() {
    let place = Place::new();
    let well = Receiver::ready();
    let refusing = Receiver::start(|_, _| Reply::With(403, "content-length: 10\r\n\r\nnot today!".into()));
    place.file(
        "mcptask.toml",
        &format!(
            "{}{}",
            posting("well", &["asked"], &well.url()),
            posting("not", &["asked"], &refusing.url())
        ),
    );
    let tried = place.run(&["notify", "test", "well"]);
    assert!(tried.code == 0 && tried.err.contains("204"), "{tried:?}");
    assert_eq!(well.all()[0].data("event"), "test");
    let refused = place.run(&["notify", "test", "not"]);
    assert!(
        refused.code == 4 && refused.err.contains("403") && refused.err.contains("not today!"),
        "{refused:?}"
    );
    assert!(!refused.err.contains("s3cret"), "{refused:?}");
    let unknown = place.run(&["notify", "test", "other"]);
    assert!(unknown.code == 9 && unknown.err.contains("well, not"), "{unknown:?}");
}

#[test]
fn a_notifier_by_whose_name_ids_begin_is_sent_again_alone() {
    let stage = Stage::sqlite();
    let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 410 } else { 200 }));
    let file = ["m", "other"].map(|name| posting(name, &["submitted"], &receiver.url())).concat();
    let _server = stage.telling(&file);
    stage.tasks().submit("one", None);
    let is_aside = |found: &[serde_json::Value]| found[..2].iter().all(|one| one["set_aside"] == 1);
    stage.until_notifiers("both are set aside", is_aside);
    assert_eq!(stage.json(&["notify", "retry", "m"])[0]["retried"], 1);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = Place::new();
    for arguments in [
        &["notify", "list", "hook"][..],
        &["notify", "retry"],
        &["notify", "retry", "hook", "--all"],
        &["notify", "test"],
        &["notify", "forget", "a", "b"],
        &["notify", "--all"],
        &["notify", "forget", "a", "--config", "x.toml"],
        &["notify", "--server", "http://127.0.0.1:1/mcp", "test", "a"],
    ] {
        assert_eq!(place.run(arguments).code, 2, "{arguments:?}");
    }
    assert_eq!(place.run(&["notify"]).code, 0);
    assert_eq!(place.run(&["notify", "retry", "--all"]).code, 0, "nobody has begun a store");
}

#[test]
fn a_server_shows_no_notifiers() {
    let place = Place::new();
    let server = place.serve(&[]);
    let asked = place.run(&["notify", "--server", server.url()]);
    assert!(asked.code == 2 && asked.err.contains("only our own store has notifiers"), "{asked:?}");
}

#[test]
fn a_file_is_checked_and_a_secret_that_is_missing_keeps_a_server_from_starting() {
    let place = Place::new();
    let rest = "webhook = { env = \"HOOK_URL\" }\nsecret = { env = \"HOOK_SECRET\" }";
    place.file("mcptask.toml", &notifier("hook", &["asked"], rest));
    let checked = place.ok(&["check"]);
    assert!(checked.contains("tells hook"), "{checked}");
    assert_eq!(place.json(&["check"])[0]["event"], "notifier");
    let refused = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.code == 2 && refused.err.contains("HOOK_URL"), "{refused:?}");
    place.file("mcptask.toml", &notifier("hook", &["askd"], rest));
    let mistaken = place.run(&["check"]);
    assert!(mistaken.code == 2 && mistaken.err.contains("mcptask.toml:3:"), "{mistaken:?}");
}

/// The block of the README that has those words, without its fences.
fn block(words: &str) -> String {
    let text = include_str!("../../README.md");
    let blocks = text.split("\n```").skip(1).step_by(2);
    let block = blocks.into_iter().find(|block| block.contains(words)).expect("a block");
    block.split_once('\n').expect("the fence's line").1.to_owned()
}

#[test]
fn what_the_readme_says_works() {
    let stage = Stage::sqlite();
    let receiver = Receiver::ready();
    let here = receiver.url();
    let file = block("[[notify]]")
        .replace("https://ntfy.sh/my-topic", &here)
        .replace("https://hooks.example.com/x", &here);
    stage.file("mcptask.toml", &file);
    let serve = ["serve", "--json", "--listen", "127.0.0.1:0", "--workers", "0", "--lease", "2s"];
    let mut server = stage.command(&serve);
    server
        .env("HOOK_SECRET", "whsec_c2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2g=")
        .stderr(std::process::Stdio::null());
    let server = server.stdout(std::process::Stdio::null()).spawn().expect("starts");
    let server = Killed(server);
    stage.until_run(2);
    let environ = std::fs::read(format!("/proc/{}/environ", server.0.id()));
    assert!(
        !environ.is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains("whsec_")),
        "tools would read it"
    );
    let lines = block("mcptask notify test phone");
    for line in lines.lines() {
        let words: Vec<&str> =
            line.split(" #").next().unwrap_or_default().split_whitespace().skip(1).collect();
        let ran = stage.run(&words);
        let wanted = if words.contains(&"retry") { 10 } else { 0 };
        assert_eq!(ran.code, wanted, "{line}: {ran:?}");
    }
    let told = receiver.count(1).remove(0);
    assert_eq!((told.path.as_str(), told.body()["topic"].as_str()), ("/", Some("s3cret-path")));
}

struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_examples_of_its_help_do_what_they_say() {
    let stage = Stage::sqlite();
    let receiver = Receiver::start(|got, before| {
        Reply::Status(if got.data("event") == "submitted" && before == 0 { 410 } else { 200 })
    });
    let _server = stage.telling(&posting("desk", &["submitted"], &receiver.url()));
    stage.tasks().submit("one", None);
    stage.until_notifiers("it is set aside", |found| found[0]["set_aside"] == 1);
    let help = stage.ok(&["notify", "--help"]);
    let lines =
        help.lines().skip_while(|line| *line != "Examples:").skip(1).take_while(|line| !line.is_empty());
    let examples: Vec<&str> = lines.map(str::trim).filter(|line| line.starts_with("mcptask ")).collect();
    assert_eq!(examples.len(), 3, "{help}");
    for example in examples {
        let words: Vec<&str> = example.split(' ').skip(1).collect();
        let ran = stage.run(&words);
        assert_eq!(ran.code, 0, "{example}: {ran:?}");
    }
    let all = receiver.until("both", |all| all.len() == 3);
    assert!(all.iter().any(|got| got.data("event") == "test"));
}

/// What is in a pipe can be read once: the tools and the notifiers are of the same reading.
#[test]
fn a_worker_takes_its_tools_and_its_notifiers_from_one_pipe() {
    let stage = Stage::sqlite();
    let file = "builtin = true\n[[notify]]\nname = \"desk\"\non = [\"asked\"]\nexec = [\"true\"]\n";
    stage.file("whole.toml", file);
    let through = "mkfifo pipe && { cat whole.toml > pipe & } && exec \"$0\" \"$@\"";
    let _worker = stage.background_in(&["sh", "-c", through], &["worker", "--json", "--config", "pipe"]);
    let found = stage.until_notifiers("it is run", |found| found.len() == 1 && found[0]["running"] == true);
    assert_eq!(found[0]["notifier"], "desk");
    let [seen] = stage.json(&["workers"]).try_into().expect("one worker");
    assert!(seen["tools"].as_array().is_some_and(|tools| tools.contains(&"plan_dinner".into())), "{seen}");
}
