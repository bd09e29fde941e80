//! Every command that is suggested, pasted: as it is it decides nothing, and filled in it does what its line says.

use serde_json::Value;

use crate::place::{Background, Place};
use crate::redis::RedisServer;
use crate::situations::{ABOUT_TASKS, Ids};
use crate::stage::{TOOLS, assert_none};
use crate::suggesting::{paste, suggested};

/// What else has suggestions. `ASKING` is a task that asks.
const MORE: &[&[&str]] = &[
    &["show", "ASKING"],
    &["watch", "--task", "ASKING", "--until", "asked"],
    &["watch", "--task", "ASKING", "--no-follow"],
    &["watch", "--no-follow"],
    &["doctor"],
    &["doctor", "ASKING"],
    &["respond", "--next"],
    &["submit", "asks", "--wait"],
    &["submit", "wait", "--arg", "seconds=many"],
    &["respond", "ASKING", "--question", "q9", "--decline"],
];

/// A place, the options that lead to it, and what a person has in their environment.
struct Stage<'a> {
    place: &'a Place,
    way: Vec<&'a str>,
    secrets: Vec<(&'a str, &'a str)>,
    /// What stands for `URL`, in a suggestion for elsewhere.
    elsewhere: String,
}

impl Stage<'_> {
    fn run(&self, command: &[&str]) -> crate::place::Ran {
        let command = [command, &self.way].concat();
        self.place.run_among(&self.secrets, &command)
    }

    fn asking(&self) -> String {
        let ran = self.run(&["submit", "asks"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        self.place.until_asked(ran.out.trim(), "q1");
        ran.out.trim().to_owned()
    }

    /// The questions of all tasks that are answered, by task.
    fn answered(&self) -> Vec<(String, String)> {
        let events = self.place.json(&["watch", "--no-follow"]);
        let answers = events.iter().filter(|event| event["event"] == "answered");
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        answers.map(|event| (text(&event["task"]), text(&event["question"]))).collect()
    }

    fn paste(&self, line: &str) -> crate::place::Ran {
        paste(self.place, line, &self.secrets)
    }

    /// What is wrong with the commands that one command suggests.
    fn faults(&self, command: &[&str]) -> Vec<String> {
        let ids = |id: String| Ids(vec![("ASKING", id), ("UNKNOWN", "nobodys0".to_owned())]);
        if ids(String::new()).filled(command).is_none() {
            return Vec::new();
        }
        let id = self.asking();
        let words = ids(id.clone()).filled(command).expect("all are known");
        let ran = self.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let said = ran.out + &ran.err;
        let mut faults = Vec::new();
        for (_, secret) in &self.secrets {
            if said.contains(secret) {
                faults.push(format!("{command:?} shows a secret: {said}"));
            }
        }
        let mut lines = suggested(&said);
        lines.sort();
        lines.dedup();
        // What it says of others' tasks was tried with those; and a server may be called mcptask.
        lines.retain(|line| {
            !line.contains(" respond ") || line.contains(&id[..8]) || command.contains(&"UNKNOWN")
        });
        lines.retain(|line| !line.starts_with("mcptask ("));
        faults.extend(lines.iter().filter_map(|line| {
            let fault = self.fault(line)?;
            Some(format!("{command:?} suggests {line}: {fault}"))
        }));
        faults
    }

    fn fault(&self, line: &str) -> Option<String> {
        let words = shell_words::split(line).expect("words");
        let verb = words
            .iter()
            .find(|word| VERBS.contains(&word.as_str()))
            .unwrap_or_else(|| panic!("no verb is in {line}"));
        if line.contains(" URL") && self.paste(line).code != 2 {
            return Some("it does something before anybody has said where".to_owned());
        }
        let line = &line.replace(" URL", &format!(" {}", self.elsewhere));
        match verb.as_str() {
            "respond" => self.fault_of_answer(line),
            "watch" => self.fault_of(&format!("{line} --timeout 0.5s"), &[0, 7]),
            "doctor" => self.fault_of(line, &[0, 5]),
            "result" => self.fault_of(&format!("{line} --timeout 0.5s"), &[0, 5, 7, 8]),
            "worker" => self.fault_of(&format!("timeout --preserve-status 1 {line}"), &[0]),
            _ => self.fault_of(line, &[0]),
        }
    }

    fn fault_of(&self, line: &str, codes: &[i32]) -> Option<String> {
        let ran = self.paste(line);
        (!codes.contains(&ran.code)).then(|| format!("{line}: {ran:?}"))
    }

    /// As it is it answers nothing; filled in it answers its own question.
    fn fault_of_answer(&self, line: &str) -> Option<String> {
        let before = self.answered();
        let plain = self.paste(line);
        if self.answered() != before || ![2, 6, 7, 10].contains(&plain.code) {
            return Some(format!("pasted as it is, it does something: {plain:?}"));
        }
        let mut filled = line.replace("yes|no", "no").replace("TEXT", "tea");
        if !filled.contains("--set") {
            filled.push_str(" --set sure=no");
        }
        if line.contains("--wait") {
            filled.push_str(" --timeout 1s");
        }
        let ran = self.paste(&filled);
        let words = shell_words::split(line).expect("words");
        let named = words.iter().skip_while(|word| *word != "--question").nth(1);
        let more: Vec<_> = self.answered().into_iter().filter(|one| !before.contains(one)).collect();
        let is_its_own = |(task, question): &(String, String)| {
            words.iter().any(|word| task.starts_with(word.as_str())) && named == Some(question)
        };
        let is_right = match named {
            Some(_) => ran.code == 0 && more.len() == 1 && is_its_own(&more[0]),
            // It waits until its task asks, or asks at the terminal.
            None => more.len() <= 1,
        };
        (!is_right).then(|| format!("{filled}: answered {more:?}: {ran:?}"))
    }
}

/// The verbs that are suggested.
const VERBS: [&str; 11] =
    ["list", "show", "watch", "respond", "result", "cancel", "doctor", "tools", "submit", "worker", "serve"];

fn faults(stage: &Stage<'_>) -> Vec<String> {
    let rows = ABOUT_TASKS.iter().map(|row| row.command).filter(|command| !command.contains(&""));
    rows.chain(MORE.iter().copied()).flat_map(|command| stage.faults(command)).collect()
}

fn worker(place: &Place) -> Background {
    let config = place.file("tools.toml", TOOLS);
    place.background(&["worker", "--json", "--config", &config])
}

#[test]
fn what_a_sqlite_store_suggests_is_true() {
    let place = Place::new();
    let database = place.path().join("other place.db").display().to_string();
    let place = place.on_file(&database);
    let _worker = worker(&place);
    let stage =
        Stage { place: &place, way: vec!["--db", &database], secrets: vec![], elsewhere: String::new() };
    assert_none(&faults(&stage));
}

#[test]
fn what_a_redis_with_a_password_suggests_is_true_and_hides_it() {
    let redis = RedisServer::start_with(&["--user", "me", "on", ">planted-secret", "~*", "&*", "+@all"]);
    let url = redis.url().replace("redis://", "redis://me:planted-secret@");
    let place = Place::on_redis(&url);
    let _worker = worker(&place);
    let way = vec!["--redis", url.as_str(), "--namespace", "default"];
    let secrets = vec![("MCPTASK_REDIS_URL", url.as_str()), ("OF_THE_TEST", "planted-secret")];
    assert_none(&faults(&Stage { place: &place, way, secrets, elsewhere: String::new() }));
    // Without the variable nothing else is reached, and it is said once what the commands need.
    let said = place.run(&["show", "nobodys0", "--redis", &url]).err;
    assert!(!said.contains("works with the URL in"), "it is there: {said}");
    let mut bare = place.command(&["show", "nobodys0", "--redis", &url]);
    let said =
        String::from_utf8(bare.env_remove("MCPTASK_REDIS_URL").output().expect("runs").stderr).expect("text");
    assert_eq!(said.matches("works with the URL in MCPTASK_REDIS_URL").count(), 1, "{said}");
    assert!(said.contains("--redis \"$MCPTASK_REDIS_URL\"") && !said.contains("***"), "{said}");
    let line = suggested(&said).remove(0);
    let pasted = paste(&place, &line, &[("MCPTASK_REDIS_URL", "")]);
    assert_eq!(pasted.code, 2, "{line}: {pasted:?}");
    assert!(pasted.err.contains("is a variable unset?"), "{pasted:?}");
}

/// The variables hold other secrets than the options: what is suggested reaches nothing until it is filled in.
#[test]
fn what_is_suggested_beside_a_secret_never_reaches_what_a_variable_names() {
    let redis = RedisServer::start_with(&["--user", "me", "on", ">planted-secret", "~*", "&*", "+@all"]);
    let url = redis.url().replace("redis://", "redis://me:planted-secret@");
    let elsewhere = RedisServer::start();
    let other = Place::on_redis(&elsewhere.url());
    let _worker = other.worker();
    other.asking("plan_dinner");
    let said = other.run(&["show", "nobodys0", "--redis", &url]).err;
    let line = suggested(&said).remove(0);
    assert!(line.contains("me:***@") && !said.contains("planted"), "{said}");
    for variables in [&[("MCPTASK_REDIS_URL", "")][..], &[]] {
        let pasted = paste(&other, &line, variables);
        assert!(pasted.code == 2 && pasted.err.contains("put the URL with its password into"), "{pasted:?}");
    }
    assert_eq!(paste(&other, &line.replace("***", "planted-secret"), &[]).code, 0);
    let tokens = other.file("tokens", "anna planted-token\nbert berts-token\n");
    let server = other.serve(&["--token-file", &tokens, "--workers", "0"]);
    let said = other.run(&["show", "nobodys0", "--server", server.url(), "--token", "planted-token"]).err;
    let said =
        said + &other.run(&["tools", "none", "--server", server.url(), "--token", "planted-token"]).err;
    let line = suggested(&said).remove(0);
    for variables in [&[("MCPTASK_TOKEN", "berts-token")][..], &[("MCPTASK_TOKEN", "")]] {
        let pasted = paste(&other, &line, variables);
        assert!(pasted.code == 2 && pasted.err.contains("TOKEN in place of the token"), "{line}: {pasted:?}");
    }
    assert_eq!(paste(&other, &line.replace(" TOKEN", " planted-token"), &[]).code, 0);
}

#[test]
fn what_a_server_with_a_token_suggests_is_true_and_hides_it() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let _worker = worker(&place);
    let tokens = place.file("tokens", "anna planted-token\n");
    let server = place.serve(&["--token-file", &tokens, "--workers", "0"]);
    let way = vec!["--server", server.url(), "--era", "modern", "--token", "planted-token"];
    let secrets = vec![("MCPTASK_TOKEN", "planted-token")];
    assert_none(&faults(&Stage { place: &place, way, secrets, elsewhere: redis.url() }));
}

/// A legacy server leads to its store, and nowhere through itself.
#[test]
fn what_a_legacy_server_suggests_leads_to_its_store() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let _worker = worker(&place);
    let server = place.serve(&["--workers", "0"]);
    let id = place.asking("asks");
    let way = ["--server", server.url(), "--era", "legacy"];
    for command in [&["respond", &id, "--decline"][..], &["doctor", &id]] {
        let ran = place.run(&[command, &way].concat());
        let said = ran.out + &ran.err;
        assert!(said.contains("with --db PATH instead of --redis URL"), "the store may be a file: {said}");
        let lines = suggested(&said);
        let line = lines.iter().find(|line| line.contains("respond")).expect("one that answers");
        assert!(line.contains("--redis URL") && !line.contains("--server"), "{line}");
        assert_eq!(paste(&place, line, &[]).code, 2, "URL is no address");
        let filled = line.replace("URL", &redis.url()) + " --set sure=maybe";
        let pasted = paste(&place, &filled, &[]);
        assert!(
            pasted.code == 2 && pasted.err.contains("\"maybe\""),
            "it reaches the question: {filled}: {pasted:?}"
        );
    }
    let shown: Value = place.json(&["show", &id]).remove(0);
    assert!(shown["questions"][0]["answer"].is_null(), "{shown}");
}

#[test]
fn what_a_header_or_a_url_hides_has_to_be_filled_in() {
    let place = Place::new();
    let server = place.serve(&[]);
    let secret = format!("{}?key=planted-key", server.url());
    let ran = place.run(&["show", "nobodys0", "--server", &secret, "--header", "X-Team: planted-team"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    let ran = place.run(&["tools", "none", "--server", &secret, "--header", "X-Team: planted-team"]);
    assert!(!ran.err.contains("planted"), "{ran:?}");
    let line = suggested(&ran.err).remove(0);
    assert!(line.contains("--server URL") && line.contains("'X-Team: VALUE'"), "{line}");
    assert_eq!(paste(&place, &line, &[]).code, 2);
    let filled = line.replace("URL", server.url());
    let pasted = paste(&place, &filled, &[]);
    assert!(pasted.code == 2 && pasted.err.contains("VALUE in place of its value"), "{pasted:?}");
    assert_eq!(paste(&place, &filled.replace("VALUE", "kitchen"), &[]).code, 0);
}

#[test]
fn texts_and_choices_have_to_be_filled_in() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let line = suggested(&place.ok(&["show", &id])).into_iter().find(|line| line.contains("respond"));
    let line = line.expect("one that answers");
    assert!(line.contains("cuisine=TEXT"), "{line}");
    let pasted = paste(&place, &line, &[]);
    assert!(pasted.code == 2 && pasted.err.contains("TEXT stands for the answer"), "{pasted:?}");
    assert_eq!(paste(&place, &line.replace("TEXT", "Thai"), &[]).code, 0);
}
