//! Completions: scripts that are checked in, and ids as they are.

use std::ffi::OsStr;
use std::path::Path;

use crate::place::Place;

/// Compares a file of the repository with what it should be. `UPDATE=1` writes it instead.
pub(crate) fn checked(file: &str, wanted: &str, test: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("can be made");
        std::fs::write(&path, wanted).expect("can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{file} is out of date; refresh it with: UPDATE=1 cargo test --test cli {test}");
}

#[test]
fn completions_are_as_checked_in() {
    let place = Place::new();
    let scripts = [
        ("bash", "mcptask.bash"),
        ("zsh", "_mcptask"),
        ("fish", "mcptask.fish"),
        ("powershell", "_mcptask.ps1"),
        ("elvish", "mcptask.elv"),
    ];
    for (shell, file) in scripts {
        let script = place.ok(&["completions", shell, "--static"]);
        checked(&format!("completions/{file}"), &format!("{script}\n"), "completions");
    }
}

#[test]
fn every_shell_has_a_script_that_completes_ids() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.ok(&["completions", shell]).contains("COMPLETE"), "{shell}");
    }
}

#[test]
fn names_of_strangers_are_quoted_for_powershell() {
    let place = Place::new();
    let _worker = place.worker();
    for session in ["friday", "a;$(calc)", "it's"] {
        place.ok(&["submit", "plan_dinner", "--session", session]);
    }
    let mut command = place.command(&["--", "mcptask", "watch", ""]);
    let offered = command.env("COMPLETE", "powershell").output().expect("runs").stdout;
    let offered = String::from_utf8(offered).expect("UTF-8");
    let words: Vec<&str> = offered.lines().map(|line| line.split('\t').next().unwrap_or_default()).collect();
    for quoted in ["friday", "'a;$(calc)'", "'it''s'", "--task"] {
        assert!(words.contains(&quoted), "{quoted}: {offered}");
    }
}

/// What bash would offer for the last word.
fn offered(place: &Place, words: &[&str]) -> String {
    offered_among(place, &[], words)
}

/// The same where those variables are set.
fn offered_among(place: &Place, variables: &[(&str, &OsStr)], words: &[&str]) -> String {
    let mut command = place.command(&[&["--", "mcptask"], words].concat());
    command.env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    command.env("_CLAP_COMPLETE_COMP_TYPE", "9").env("_CLAP_COMPLETE_SPACE", "true").env("_CLAP_IFS", "\n");
    command.envs(variables.iter().copied());
    String::from_utf8(command.output().expect("runs").stdout).expect("UTF-8")
}

#[test]
fn ids_complete_where_they_can_be_used() {
    let place = Place::new();
    let _worker = place.worker();
    let waiting = place.asking("plan_dinner");
    let done = place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    place.until(&done, "completed");
    let respond = offered(&place, &["respond", ""]);
    assert!(respond.contains(&waiting[..8]) && !respond.contains(&done[..8]), "{respond}");
    let show = offered(&place, &["show", ""]);
    assert!(show.contains(&waiting[..8]) && show.contains(&done[..8]), "{show}");
    let whole = offered(&place, &["show", &waiting[..10]]);
    assert!(whole.contains(&waiting), "{whole}");
    assert!(offered(&place, &["submit", "pl"]).contains("plan_dinner"));
    let elsewhere = offered(&place, &["--db", "/dev/null/x", "show", ""]);
    assert!(!elsewhere.contains(&waiting[..8]), "{elsewhere}");
}

#[test]
fn profiles_complete() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", "[profile.prod]\n[profile.proof]\n[profile.here]\n");
    let all = offered(&place, &["list", "--profile", "pro"]);
    assert!(all.contains("prod") && all.contains("proof") && !all.contains("here"), "{all}");
    place.file(".config/mcptask/config.toml", "[profile.");
    assert!(!offered(&place, &["list", "--profile", ""]).contains("prod"));
    assert!(offered(&place, &["li"]).contains("list"), "a broken file breaks no completion");
}

#[test]
fn statuses_and_sessions_complete() {
    let place = Place::new();
    let _worker = place.worker();
    place.ok(&["submit", "wait", "--session", "kitchen", "--arg", "seconds=0"]);
    place.ok(&["submit", "wait", "--session", "kitten", "--arg", "seconds=0"]);
    for verb in [&["list", "--status"][..], &["watch", "--status"]] {
        let all = offered(&place, &[verb, &[""]].concat());
        for status in ["working", "input_required", "completed", "failed", "cancelled"] {
            assert!(all.contains(status), "{verb:?}: {all}");
        }
    }
    assert_eq!(offered(&place, &["list", "--status", "ca"]), "cancelled");
    for words in
        [&["list", "--session", "kitc"][..], &["watch", "kitc"], &["submit", "wait", "--session", "kitc"]]
    {
        assert_eq!(offered(&place, words), "kitchen", "{words:?}");
    }
}

#[test]
fn names_and_choices_of_values_and_questions_complete() {
    let place = Place::new();
    let _worker = place.worker();
    assert_eq!(offered(&place, &["submit", "plan_dinner", "--arg", "gue"]), "guests=");
    let id = place.asking("fill_form");
    let fields = offered(&place, &["respond", &id, "--set", ""]);
    assert!(fields.contains("name=") && fields.contains("seats="), "{fields}");
    assert_eq!(offered(&place, &["respond", &id[..8], "--set", "class=s"]), "class=second");
    assert_eq!(offered(&place, &["respond", &id, "--question", ""]), "q1");
    assert_eq!(offered(&place, &["respond", "nobody", "--set", ""]), "");
}

#[test]
fn a_waiting_task_completes_however_many_others_are_newer() {
    let place = Place::new();
    let worker = place.worker();
    let waiting = place.asking("plan_dinner");
    drop(worker);
    for _ in 0..60 {
        place.ok(&["submit", "wait", "--arg", "seconds=0"]);
    }
    for words in [&["respond", ""][..], &["cancel", ""], &["show", &waiting[..4]]] {
        let all = offered(&place, words);
        assert!(all.contains(&waiting[..8]), "{words:?}: {all}");
    }
}

/// What bash makes of the line when Tab is pressed at its end: the replies that stand for its last word.
fn replied(place: &Place, script: &str, function: &str, line: &str) -> String {
    // Bash fills these variables only at a terminal, so the line is broken here as it does it.
    let broken = line.replace('=', " = ").replace(':', " : ");
    let words: Vec<String> = broken.split(' ').filter(|word| !word.is_empty()).map(quoted).collect();
    let at_break = line.ends_with(['=', ':']);
    let last = if at_break { String::new() } else { words.last().cloned().unwrap_or_default() };
    let previous = words.iter().rev().nth(1).cloned().unwrap_or_default();
    let asked = format!(
        "{script}\ncompopt() {{ :; }}\nCOMP_LINE={}; COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9\nCOMP_WORDS=({})\n\
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n{function} mcptask '{}' {previous}\nprintf '%s ' \"${{COMPREPLY[@]}}\"",
        quoted(line),
        words.join(" "),
        last.trim_matches('\''),
    );
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_mcptask")).parent().expect("a folder");
    let mut command = std::process::Command::new("bash");
    command.args(["--norc", "-c", &asked]).current_dir(place.path());
    command.env("PATH", format!("{}:/usr/bin:/bin", binary.display())).env("MCPTASK_DB", place.database());
    let output = command.output().expect("bash runs");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

fn quoted(word: impl AsRef<str>) -> String {
    format!("'{}'", word.as_ref())
}

#[test]
fn in_bash_words_with_equals_signs_and_colons_complete() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("plan_dinner");
    let asking = place.ok(&["completions", "bash"]);
    let fixed = place.ok(&["completions", "bash", "--static"]);
    for (line, wanted) in [
        ("mcptask --color al", "always"),
        ("mcptask --color=al", "always"),
        ("mcptask --color=", "auto always never"),
        ("mcptask watch --color=ne", "never"),
    ] {
        assert_eq!(replied(&place, &asking, "_mcptask_complete", line), wanted, "{line}");
        assert_eq!(replied(&place, &fixed, "_mcptask", line), wanted, "{line}, static");
    }
    let database = place.database();
    for (line, wanted) in [
        ("mcptask watch --until=compl".to_owned(), "completed"),
        ("mcptask list --status=input".to_owned(), "input_required"),
        (format!("mcptask --db={} submit plan_d", database.display()), "plan_dinner"),
        (format!("mcptask --db {} list --tool=plan_d", database.display()), "plan_dinner"),
        ("mcptask --redis redis://127.0.0.1:1 --color=al".to_owned(), "always"),
    ] {
        assert_eq!(replied(&place, &asking, "_mcptask_complete", &line), wanted, "{line}");
    }
}

#[test]
fn what_strangers_wrote_runs_nothing_in_bash() {
    let place = Place::new();
    let tools = "[tools.pick]\ndescription = \"Asks.\"\nsteps = [{ ask = \"?\", form = { \"$(touch pwned)\" = \"string\" } }]\n";
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", tools)]);
    let session = "zz;touch${IFS}pwned;#'\"`touch${IFS}pwned`";
    let id = place.ok(&["submit", "pick", "--session", session]);
    place.until(&id, "asked");
    let asking = place.ok(&["completions", "bash"]);
    for line in ["mcptask list --session zz".to_owned(), format!("mcptask respond {id} --set $")] {
        let reply = replied(&place, &asking, "_mcptask_complete", &line);
        assert!(reply.contains("touch"), "{line}: {reply}");
        for open in ["", "\"", "'"] {
            let run = format!("printf '%s\\n' {open}{reply}{open}\n");
            std::process::Command::new("bash")
                .args(["--norc", "-c", &run])
                .current_dir(place.path())
                .output()
                .expect("bash runs");
            assert!(!place.path().join("pwned").exists(), "{run}");
        }
        let printed =
            std::process::Command::new("bash").args(["--norc", "-c", &format!("printf %s {reply}")]).output();
        let word = String::from_utf8(printed.expect("bash runs").stdout).expect("UTF-8");
        assert!([session, "$(touch pwned)="].contains(&word.as_str()), "{word}");
    }
}

#[test]
fn what_a_server_has_is_not_mixed_up_with_the_store_that_a_variable_names() {
    let place = Place::new();
    let _worker = place.worker();
    let waiting = place.asking("plan_dinner");
    let database = place.database();
    let offered = |words: &[&str]| offered_among(&place, &[("MCPTASK_DB", database.as_os_str())], words);
    assert!(offered(&["show", ""]).contains(&waiting[..8]));
    for server in [&["--server", "http://127.0.0.1:9/mcp"][..], &["--server=http://127.0.0.1:9/mcp"]] {
        for words in [[&["show"], server, &[""]].concat(), [&["respond"], server, &[""]].concat()] {
            let all = offered(&words);
            assert!(!all.contains(&waiting[..8]), "{words:?}: {all}");
        }
    }
}
