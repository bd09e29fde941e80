//! Profiles: named sets of options in the user's configuration directory.

use std::process::Output;

use serde_json::{Value, json};

use crate::place::Place;

/// A place with a file of profiles.
fn with(profiles: &str) -> Place {
    let place = Place::new();
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/config.toml", profiles);
    place
}

fn run(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = place.command(arguments);
    command.env_remove("MCPTASK_AS").envs(variables.iter().copied());
    let Output { status, stdout, stderr } = command.output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("ends by itself"), text(stdout), text(stderr))
}

/// The settings by name: value and origin.
fn settings(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Vec<(String, Value, String)> {
    let arguments = [&["config", "show", "--json"], arguments].concat();
    let (code, out, err) = run(place, &arguments, variables);
    assert_eq!(code, 0, "{err}");
    let line = |line: &str| {
        let one: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| one[name].as_str().expect("text").to_owned();
        (text("name"), one["value"].clone(), text("from"))
    };
    out.lines().map(line).collect()
}

fn setting(place: &Place, name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> (Value, String) {
    let all = settings(place, arguments, variables);
    let found = all.into_iter().find(|(one, ..)| one == name);
    let (_, value, from) = found.unwrap_or_else(|| panic!("no setting {name}"));
    (value, from)
}

const TWO: &str = "default = \"prod\"\n[profile.prod]\nredis = \"redis://me:hunter2@127.0.0.1:1/0\"\nnamespace = \"kitchen\"\n\
    as = \"ada\"\ncolor = \"never\"\n[profile.here]\ndb = \"here.db\"\n";

#[test]
fn flags_win_over_the_environment_over_the_profile_over_what_is_built_in() {
    let place = with(TWO);
    let of =
        |arguments: &[&str], variables: &[(&str, &str)]| setting(&place, "namespace", arguments, variables);
    let by_variable = [("MCPTASK_NAMESPACE", "bar")];
    assert_eq!(of(&["--namespace", "foo"], &by_variable), (json!("foo"), "--namespace".to_owned()));
    assert_eq!(of(&[], &by_variable), (json!("bar"), "MCPTASK_NAMESPACE".to_owned()));
    assert_eq!(of(&[], &[]), (json!("kitchen"), "profile prod".to_owned()));
    assert_eq!(of(&["--profile", "here"], &[]), (json!("default"), "built in".to_owned()));
    assert_eq!(setting(&place, "profile", &[], &[]).0, "prod");
    let by_variable = [("MCPTASK_PROFILE", "here")];
    assert_eq!(setting(&place, "profile", &[], &by_variable), (json!("here"), "MCPTASK_PROFILE".to_owned()));
    assert_eq!(setting(&place, "profile", &["--profile", "prod"], &by_variable).1, "--profile");
    assert_eq!(setting(&place, "as", &[], &[]), (json!("ada"), "profile prod".to_owned()));
    assert_eq!(setting(&place, "as", &[], &[("MCPTASK_AS", "ben")]), (json!("ben"), "MCPTASK_AS".to_owned()));
    assert_eq!(setting(&place, "color", &[], &[]), (json!("never"), "profile prod".to_owned()));
    assert_eq!(setting(&place, "color", &["--color", "always"], &[]).0, "always");
}

#[test]
fn no_secret_is_shown() {
    let place = with(TWO);
    for arguments in
        [&["config", "show"][..], &["config", "show", "--json"], &["list"], &["list", "--json", "-v"]]
    {
        let (_, out, err) = run(&place, arguments, &[("MCPTASK_TOKEN", "s3cret-token")]);
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{out}{err}");
        assert!(!out.contains("s3cret") && !err.contains("s3cret"), "{out}{err}");
    }
    let server = "[profile.s]\nserver = \"https://me:hunter2@example.com/mcp?key=hunter2\"\n";
    let (_, out, _) = run(&with(server), &["config", "--profile", "s"], &[]);
    assert!(out.contains("example.com") && !out.contains("hunter2"), "{out}");
}

#[test]
fn a_store_of_another_kind_replaces_the_profiles() {
    let place = with(TWO);
    let db = place.path().join("other.db").display().to_string();
    let _worker = place.background(&["worker", "--json", "--db", &db]);
    assert_eq!(run(&place, &["list", "--db", &db], &[]).0, 0);
    assert_eq!(setting(&place, "db", &["--db", &db], &[]), (json!(db), "--db".to_owned()));
    assert_eq!(run(&place, &["list"], &[("MCPTASK_DB", &db)]).0, 0);
    assert_eq!(run(&place, &["list"], &[]).0, 4, "the profile's Redis does not answer");
    let here = place.path().join(".config/mcptask/here.db").display().to_string();
    assert_eq!(setting(&place, "db", &["--profile", "here"], &[]), (json!(here), "profile here".to_owned()));
}

#[test]
fn a_profiles_server_and_token_are_used_and_its_token_goes_nowhere_else() {
    let place = Place::new();
    let tokens = place.file("tokens.txt", "ann 0123456789abcdef0123456789abcdef\n");
    let server = place.serve(&["--token-file", &tokens, "--builtin"]);
    std::fs::create_dir_all(place.path().join(".config/mcptask")).expect("a folder");
    place.file(".config/mcptask/token", "0123456789abcdef0123456789abcdef\n");
    let text = format!("[profile.s]\nserver = \"{}\"\ntoken_file = \"token\"\nas = \"ada\"\n", server.url());
    place.file(".config/mcptask/config.toml", &text);
    let (code, id, err) = run(&place, &["submit", "plan_dinner", "--profile", "s", "--era", "modern"], &[]);
    assert_eq!(code, 0, "{err}");
    let words = ["respond", id.trim(), "--wait", "--decline", "--profile", "s", "--era", "modern"];
    assert_eq!(run(&place, &words, &[]).0, 0);
    let who = place.json(&["show", id.trim()])[0]["questions"][0]["answer"]["who"].clone();
    assert_eq!((&who["name"], &who["known"], &who["as"]), (&json!("ann"), &json!("token"), &json!("ada")));
    let (_, told, _) = run(&place, &["submit", "plan_dinner", "--profile", "s", "--json"], &[]);
    assert!(told.contains(r#""source":"server""#), "it is the server's task: {told}");
    let other = ["list", "--profile", "s", "--server", server.url()];
    assert_eq!(run(&place, &other, &[]).0, 3, "the token is for the profile's own word of it");
    assert_eq!(
        run(&place, &["list", "--profile", "s", "--db", place.database().to_str().expect("text")], &[]).0,
        0
    );
}

#[test]
fn a_mistake_is_named_with_line_and_column_and_check_reads_it() {
    let place = with("[profile.prod]\nconfrim = true\n");
    let path = place.path().join(".config/mcptask/config.toml").display().to_string();
    let said = format!("{path}:2:1: unknown key \"confrim\" in profile \"prod\"");
    let (code, _, err) = run(&place, &["list", "--profile", "prod"], &[]);
    assert!(code == 2 && err.contains(&said), "{err}");
    let (code, _, err) = run(&place, &["list"], &[]);
    assert!(code == 0, "it uses no profile: {err}");
    place.file(
        ".config/mcptask/config.toml",
        "default = \"here\"\n[profile.here]\n[profile.prod]\nconfrim = true\n",
    );
    for arguments in [&["list"][..], &["list", "--profile", "here"]] {
        let (code, _, err) = run(&place, arguments, &[]);
        assert!(code == 0, "it uses another one: {err}");
    }
    place.file(".config/mcptask/config.toml", "[profile.prod]\nconfrim = true\n");
    place.file("mcptask.toml", "builtin = true\n");
    for arguments in [&["check"][..], &["check", &path]] {
        let (code, out, err) = run(&place, arguments, &[]);
        assert!(code == 2 && (err.contains(&said) || out.contains(&said)), "{arguments:?}: {out}{err}");
    }
    assert_eq!(
        run(&place, &["check", "mcptask.toml"], &[]).0,
        0,
        "whoever names a file gets that one checked"
    );
    place.file(".config/mcptask/config.toml", TWO);
    let (code, out, err) = run(&place, &["check"], &[]);
    assert!(code == 0 && out.contains("config.toml is right: it has the profiles here, prod"), "{out}{err}");
    let (code, _, err) = run(&place, &["list", "--profile", "prid"], &[]);
    assert!(code == 2 && err.contains("there is no profile \"prid\"") && err.contains("here, prod"), "{err}");
    assert_eq!(run(&place, &["list", "--profile", ""], &[]).0, 2);
}

#[test]
fn no_home_and_an_odd_file_break_nothing_that_needs_none() {
    let place = with("[profile.\u{0}");
    place.file("mcptask.toml", "builtin = true\n");
    let odd = place.path().join(".config/mcptask/config.toml");
    for step in 0..3 {
        for arguments in [
            &["check", "mcptask.toml"][..],
            &["completions", "bash", "--static"],
            &["help"],
            &["help", "list"],
            &["config", "path"],
            &["init", &format!("new{step}.toml")],
        ] {
            let (code, _, err) = run(&place, arguments, &[]);
            assert_eq!(code, 0, "{arguments:?}: {err}");
        }
        // A folder, then something that has no end.
        if step == 0 {
            std::fs::remove_file(&odd).expect("is there");
            std::fs::create_dir(&odd).expect("makes it");
        } else {
            let _ = std::fs::remove_dir(&odd);
            let _ = std::os::unix::fs::symlink("/dev/zero", &odd);
        }
        assert_eq!(run(&place, &["check"], &[]).0, 0, "what cannot be read at all is a warning");
    }
    assert_eq!(run(&place, &["list"], &[]).0, 2, "whoever needs the profiles is told");
    for arguments in [&["check", "mcptask.toml"][..], &["completions", "bash", "--static"], &["help"]] {
        let mut command = place.command(arguments);
        let output = command.env_remove("HOME").env_remove("XDG_STATE_HOME").output().expect("runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn what_changes_something_under_a_guarded_profile_wants_to_be_told() {
    let place = with("default = \"prod\"\n[profile.prod]\nconfirm = true\n");
    let worker = place.background(&["worker", "--json", "--yes"]);
    let id = place.ok(&["submit", "plan_dinner", "--yes"]);
    place.until(&id, "asked");
    for arguments in [
        &["submit", "plan_dinner"][..],
        &["respond", &id, "--decline"],
        &["cancel", &id],
        &["worker"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let (code, _, err) = run(&place, arguments, &[]);
        assert!(code == 6 && err.contains("profile prod") && err.contains("--yes"), "{arguments:?}: {err}");
    }
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
    let (code, _, err) = run(&place, &["respond", &id, "--decline", "--yes"], &[]);
    assert!(code == 0 && err.contains("profile prod: this changes tasks at "), "{err}");
    let (code, _, err) = run(&place, &["cancel", &id, "--yes", "--color", "always"], &[]);
    assert!(matches!(code, 0 | 10) && err.contains("\u{1b}[31m"), "named in red: {err:?}");
    let other = place.path().join("other.db").display().to_string();
    let (_, _, err) = run(&place, &["cancel", "abcdefgh", "--db", &other], &[]);
    assert!(err.contains("profile prod"), "a profile that names no place is about every place: {err}");
    drop(worker);
    let text = "default = \"prod\"\n[profile.prod]\nredis = \"redis://127.0.0.1:1\"\nconfirm = true\n";
    place.file(".config/mcptask/config.toml", text);
    for elsewhere in [&["--db", &other][..], &["--server", "http://127.0.0.1:1/mcp"]] {
        let (code, _, err) = run(&place, &[&["cancel", "abcdefgh"], elsewhere].concat(), &[]);
        assert!(code != 6 && !err.contains("profile prod"), "another place than the profile's: {err}");
    }
}

#[test]
fn a_profiles_own_place_is_guarded_whoever_else_names_it() {
    let text = "default = \"prod\"\n[profile.prod]\nredis = \"redis://me:hunter2@127.0.0.1:1/0\"\nconfirm = true\n\
                [profile.s]\nserver = \"http://127.0.0.1:1/mcp\"\nconfirm = true\n[profile.file]\ndb = \"own.db\"\nconfirm = true\n";
    let place = with(text);
    let own = place.path().join(".config/mcptask/own.db").display().to_string();
    let cancel = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (code, _, err) = run(&place, &[&["cancel", "abcdefgh"], arguments].concat(), variables);
        code == 6 && err.contains("--yes")
    };
    let same = [("MCPTASK_REDIS_URL", "redis://127.0.0.1:1")];
    let other = [("MCPTASK_REDIS_URL", "redis://127.0.0.1:1/3")];
    assert!(cancel(&["--redis", "redis://ann:other@localhost:1/0"], &[]), "its own place, by an option");
    assert!(cancel(&[], &same), "its own place, by a variable");
    assert!(!cancel(&[], &other), "another database");
    assert!(cancel(&["--profile", "s", "--server", "http://127.0.0.1:1/mcp/"], &same), "its own server");
    assert!(!cancel(&["--profile", "s", "--server", "http://127.0.0.1:1/other"], &[]), "another one");
    assert!(cancel(&["--profile", "file", "--db", &own], &[]), "its own file");
    let servers = r#"{"mcpServers": {"kitchen": {"url": "http://localhost:1/mcp"}, "copy": {"url": "http://127.0.0.1:1/mcp/"},
        "other": {"url": "http://127.0.0.1:1/other"}, "program": {"command": "cat", "args": ["-u"]}}}"#;
    place.file(".claude.json", servers);
    let named = format!(
        "{text}[profile.named]\nserver = \"kitchen\"\nconfirm = true\n[profile.cat]\nserver = \"program\"\nconfirm = true\n"
    );
    place.file(".config/mcptask/config.toml", &named);
    assert!(
        cancel(&["--profile", "s", "--server", "kitchen"], &[]),
        "its own server, by a name of a host's file"
    );
    assert!(!cancel(&["--profile", "s", "--server", "other"], &[]), "another name");
    for one in ["kitchen", "copy", "http://127.0.0.1:1/mcp"] {
        assert!(cancel(&["--profile", "named", "--server", one], &[]), "one server: {one}");
    }
    assert!(!cancel(&["--profile", "named", "--server", "program"], &[]), "no server of that name");
    assert!(cancel(&["--profile", "cat", "--stdio", "cat -u"], &[]), "its own program");
    assert_eq!(setting(&place, "confirm", &[], &same), (json!("true"), "profile prod".to_owned()));
    let (value, from) = setting(&place, "confirm", &[], &other);
    assert_eq!((value, &*from), (json!("false"), "MCPTASK_REDIS_URL names another place than profile prod"));
}

#[test]
fn a_first_file_is_written_once_and_is_right() {
    let place = Place::new();
    assert!(place.ok(&["init"]).contains("wrote mcptask.toml"));
    let text = std::fs::read_to_string(place.path().join("mcptask.toml")).expect("is there");
    assert!(text.contains("# ") && text.contains("[tools.greet]"), "{text}");
    assert!(place.ok(&["check"]).contains("mcptask.toml is right: it offers greet"));
    std::fs::write(place.path().join("mcptask.toml"), "# mine\n").expect("writes");
    let ran = place.run(&["init"]);
    assert!(ran.code == 10 && ran.err.contains("left as it is"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(place.path().join("mcptask.toml")).expect("is there"), "# mine\n");
}
