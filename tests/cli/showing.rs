//! What people are shown: whole in a pipe, and true when it is read later.

use mcptask::store::{ClaimKey, Requeue};
use mcptask::task::{ToolSpec, WorkerId};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::place::Place;
use crate::stock::{Engine, Stock};

/// Longer than any terminal is wide.
const LONG: &str = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen \
                    seventeen eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four twenty-five \
                    twenty-six twenty-seven twenty-eight twenty-nine thirty and that was not all";

fn tools() -> String {
    format!(
        "[tools.long]\ndescription = \"{LONG}\"\nsteps = [{{ ask = \"{LONG}\", as = \"v\", \
         form = {{ size = {{ type = \"string\", enum = [\"small\", \"large\"], title = \"Which size\" }} }} }}, \
         {{ return = \"{{{{ v.size }}}}\" }}]\n"
    )
}

#[test]
fn nothing_is_cut_or_wrapped_in_a_pipe() {
    let place = Place::new();
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", &tools())]);
    let id = place.asking("long");
    let narrow = |arguments: &[&str]| {
        let output = place.command(arguments).env("COLUMNS", "40").output().expect("runs");
        String::from_utf8(output.stdout).expect("UTF-8") + &String::from_utf8(output.stderr).expect("UTF-8")
    };
    let commands: [&[&str]; 6] = [
        &["list"],
        &["show", &id],
        &["watch", "--no-follow"],
        &["tools"],
        &["tools", "long"],
        &["respond", &id, "--no-input"],
    ];
    for command in commands {
        let shown = narrow(command);
        assert!(shown.lines().any(|line| line.contains(LONG)), "{command:?}: {shown}");
    }
}

#[test]
fn show_has_the_form_the_answer_and_how_long_it_took() {
    let place = Place::new();
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", &tools())]);
    let id = place.asking("long");
    let zoned = |arguments: &[&str]| {
        let output = place.command(arguments).env("TZ", "UTC-5:30").output().expect("runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let shown = zoned(&["show", &id]);
    assert!(shown.contains("form            size: one of small, large, needed; Which size"), "{shown}");
    place.ok(&["respond", &id, "--set", "size=small"]);
    place.until(&id, "end");
    let shown = zoned(&["show", &id]);
    for part in ["answered        accept by operator\n", ", after ", "content         size=small"] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    // All times are this zone's.
    assert!(shown.contains("+05:30") && !shown.contains("+00:00") && !shown.contains("Z)"), "{shown}");
    let submitted = shown.lines().find(|line| line.starts_with("submitted")).expect("a line");
    let clock = submitted.split(' ').find(|word| word.ends_with("+05:30)")).expect("a time");
    assert!(shown.contains(&format!("  {}  ", &clock[..8])), "the events' clock is another one: {shown}");
}

#[test]
fn history_leads_nobody_to_answer_what_was_answered() {
    let place = Place::new();
    let _worker = place.worker();
    let (done, open) = (place.asking("plan_dinner"), place.asking("plan_dinner"));
    place.ok(&["respond", &done, "--decline"]);
    place.until(&done, "end");
    for arguments in [&["watch", "--no-follow"][..], &["watch", "--no-follow", "--task", &done]] {
        let shown = place.ok(arguments);
        assert!(!shown.contains(&format!("mcptask respond {}", &done[..8])), "{shown}");
    }
    assert!(place.ok(&["watch", "--no-follow"]).contains(&format!("mcptask respond {}", &open[..8])));
}

#[test]
fn a_task_where_a_session_is_meant_is_pointed_out() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    for arguments in [&["watch", &id][..], &["watch", &id[..8], "--no-follow"]] {
        let ran = place.run(arguments);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(&format!("watch --task {}", arguments[1])), "{ran:?}");
    }
    // A session may have any name, also one that looks like a beginning.
    let named = place.ok(&["submit", "plan_dinner", "--session", &id[..8]]);
    place.until(&named, "asked");
    assert!(place.ok(&["watch", &id[..8], "--no-follow"]).contains(&named[..8]));
    assert_eq!(place.run(&["watch", "nobody-yet", "--no-follow"]).code, 0);
}

#[test]
fn the_list_tells_queued_from_working_and_how_much_is_asked() {
    let place = Place::new();
    let worker = place.worker();
    let asking = place.asking("plan_dinner");
    worker.signal("TERM");
    assert_eq!(worker.code(), 0);
    let queued = place.ok(&["submit", "wait"]);
    let listed = place.ok(&["list"]);
    let line = |id: &str| listed.lines().find(|line| line.starts_with(&id[..8])).expect("a line").to_owned();
    assert!(listed.starts_with("TASK      STATUS            WAITING  ENDS"), "{listed}");
    assert!(line(&queued).contains("· queued") && line(&asking).contains("? input_required"), "{listed}");
    assert!(line(&asking).contains("in 60 min") && line(&asking).contains("What cuisine"), "{listed}");
    let object = &place.json(&["list", "--tool", "wait"])[0];
    assert_eq!((&object["status"], &object["waiting_for"]), (&"working".into(), &"worker".into()));
}

#[test]
fn a_list_that_is_empty_names_what_it_was_asked_for() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("plan_dinner");
    let said = |arguments: &[&str]| place.run(&[&["list"], arguments].concat()).err;
    assert!(said(&["--tool", "nope"]).contains("no task matches --tool nope; `mcptask list` shows all"));
    assert!(said(&["--status", "failed", "--session", "x"]).contains("--status failed and --session x"));
}

#[rstest]
#[case(&["serve", "--timeout", "5m"], "--timeout")]
#[case(&["worker", "--docket", "x"], "--docket")]
#[case(&["check", "--timeout", "5m"], "--timeout")]
#[case(&["list", "--docket", "x", "--server", "http://127.0.0.1:1/mcp"], "--docket")]
fn an_option_without_effect_is_refused(#[case] arguments: &[&str], #[case] option: &str) {
    let ran = Place::new().run(arguments);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains(&format!("{option} has no effect")), "{ran:?}");
}

#[test]
fn an_option_that_names_the_store_stands_before_any_command() {
    let place = Place::new();
    for command in [&["check", "--help"][..], &["completions", "bash"], &["help", "list"]] {
        let ran = place.run(&[&["--db", "x.db", "--namespace", "n"], command].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let ran = place.run(&["--db", "x.db", "list", "--server", "http://127.0.0.1:1/mcp"]);
    assert_eq!(ran.code, 4, "the server is asked: {ran:?}");
    assert!(!place.path().join("x.db").exists(), "and no store is begun");
}

#[test]
fn help_is_found_under_every_name() {
    let place = Place::new();
    assert_eq!(place.ok(&["help"]), place.ok(&["--help"]));
    assert_eq!(place.ok(&["help", "options"]), place.ok(&["--help"]));
    assert_eq!(place.ok(&["help", "list"]), place.ok(&["list", "--help"]));
    assert_eq!(place.run(&["help", "nope"]).code, 2);
    assert!(!place.ok(&["list", "--help"]).contains("--no-input\n"), "global options are explained once");
}

#[test]
fn tools_that_no_living_worker_runs_are_marked() {
    let place = Place::new();
    let config = place.file("tools.toml", &tools());
    let worker = place.background(&["worker", "--json", "--config", &config]);
    let run = place.ok(&["tools"]);
    assert!(run.contains("long") && !run.contains("WORKER"), "{run}");
    assert_eq!(place.json(&["tools", "long"])[0]["workers"].as_array().expect("a list").len(), 1);
    worker.signal("TERM");
    worker.code();
    let left = place.ok(&["tools"]);
    assert!(left.lines().next().is_some_and(|line| line.contains("WORKER")), "{left}");
    let is_marked = |line: &str| line.split_whitespace().take(3).eq(["long", "none", "one"]);
    assert!(left.lines().any(is_marked), "{left}");
    assert_eq!(place.json(&["tools", "long"])[0]["workers"], serde_json::json!([]));
    assert!(place.run(&["tools", "long"]).err.contains("no living worker runs it"));
}

#[test]
fn a_message_of_several_lines_is_told_in_one_where_one_line_is_shown() {
    let place = Place::new();
    let text = "[tools.broken]\ndescription = \"Breaks\"\nsteps = [{ protocol_error = { code = -32050, message = \"exit code 8\\nno answer\\u001b[31m\" } }]\n";
    let server = place.serve(&["--config", &place.file("tools.toml", text)]);
    let id = place.run(&["submit", "broken"]).out.trim().to_owned();
    place.until(&id, "failed");
    let url = server.url();
    for command in [&["doctor", &id][..], &["doctor", &id, "--server", url], &["watch", "--no-follow"]] {
        let ran = place.run(command);
        assert!(ran.out.contains("exit code 8; no answer\\u{1b}[31m"), "{command:?}: {ran:?}");
    }
}

/// What a worker gives back without its fault is no attempt, whatever the store counts for itself.
#[test]
fn people_are_told_of_attempts_that_count() {
    for engine in [Engine::Sqlite, Engine::Redis] {
        let stock = Stock::on(engine);
        let task = stock.fill(1, "slow", "s", None).remove(0);
        let (worker, tools, stop) = (WorkerId::generate("w"), ["slow".to_owned()], CancellationToken::new());
        stock.runtime.block_on(async {
            let spec = ToolSpec::new("slow", "Is slow.", serde_json::json!({ "type": "object" }));
            let lease = std::time::Duration::from_secs(600);
            stock.store.enlist(&worker, None, &[spec], lease).await.expect("enlists");
            for claims in 1..=4 {
                let claimed = stock.store.claim(&worker, &tools, 1, &stop).await.expect("claims").remove(0);
                let claim = ClaimKey { task: task.clone(), attempt: claimed.attempt };
                assert_eq!(claimed.attempt, claims);
                if claims < 4 {
                    let requeue = Requeue::returned("text file busy".to_owned());
                    stock.store.requeue(&claim, &requeue).await.expect("gives it back");
                }
            }
        });
        let shown = stock.place.ok(&["show", task.as_str()]);
        assert!(shown.contains("attempt 1 of 1") && shown.contains(", claim 4"), "{shown}");
        for command in [&["show", task.as_str()][..], &["list"]] {
            let object = stock.place.json(command).remove(0);
            assert_eq!((&object["attempt"], &object["max_attempts"]), (&1.into(), &1.into()), "{object}");
            assert!(object.get("failures").is_none(), "{object}");
        }
    }
}
