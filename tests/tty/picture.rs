//! The pictures of the README, made from the terminal. After a change on purpose, make them anew with
//! `UPDATE=1 cargo nextest run --test tty picture`, and look at them before they are checked in.

use std::path::Path;

use regex::Regex;

use crate::place::Place;
use crate::screen::Screen;
use crate::terminal::{DOWN, ENTER};

/// What a shop's operators are asked.
const TOOLS: &str = r#"
[tools.deploy]
description = "Deploys a version of the shop."
input = { version = "text", customers = "integer" }
question_timeout = "1d"
ttl = "2d"
steps = [
  { report = "tests have passed", current = 2, total = 4 },
  { ask = "Is the change log of {{ args.version }} complete?", as = "log", form = { ok = "boolean" } },
  { report = "packages are built", current = 3, total = 4 },
  { ask = "Deploy {{ args.version }} to {{ args.customers }} customers?", as = "where", form = {
    environment = { type = "string", title = "Where to", enum = ["staging", "production in Europe", "production everywhere"] },
    share = { type = "integer", title = "Share of customers at first, in %", minimum = 1, maximum = 100, default = 10 },
    day = { type = "string", format = "date", title = "Day" },
    note = { type = "string", title = "For the log", optional = true } } },
  { return = "deployed" },
]

[tools.refund]
description = "Pays a customer back."
input = { order = "text", amount = "text" }
question_timeout = "1d"
ttl = "2d"
steps = [{ ask = "Pay {{ args.amount }} back for order {{ args.order }}?", as = "a", form = { ok = "boolean" } }, { return = "done" }]

[tools.sign_in]
description = "Signs in at the bank."
steps = [{ ask = "The bank wants a person to sign in.", as = "a", url = "https://bank.example/consent?id=4711" }, { return = "done" }]
"#;

/// The ids of the tasks in the pictures.
const IDS: [&str; 5] = ["7w3k9q2m", "c4tz81xd", "p0v6rn5h", "e9j2sa7f", "m1y8gb4k"];

/// How long the questions wait in the pictures.
const WAIT: [&str; 5] = ["42 min", "26 min", "25 min", "9 min", "48 s"];

/// A task whose question is open.
fn ask(place: &Place, session: &str, line: &[&str]) -> String {
    let id = place.ok(&[&["submit", "--session", session][..], line].concat());
    place.until(&id, "asked");
    id
}

/// The same in every picture: ids, the times of the rows, and that of the one question of which more is told.
fn told(ids: &[String], of: usize, text: &str) -> String {
    let mut text = text.to_owned();
    for (id, shown) in ids.iter().zip(IDS) {
        text = text.replace(&id[..8], shown);
    }
    let ago = Regex::new(r"(asked|asks,) (just now|\d+ (s|min) ago)").expect("a pattern");
    let text = ago.replace_all(&text, format!("$1 {} ago", WAIT[of])).into_owned();
    let row = Regex::new(r"^[> ] [* ] \d+ (s|min) ").expect("a pattern");
    match QUESTIONS.iter().position(|question| row.is_match(&text) && text.contains(question)) {
        Some(at) => format!("{}{:<9}{}", &text[..4], WAIT[at], &text[13..]),
        None => text,
    }
}

/// What the rows are known by, in their order.
const QUESTIONS: [&str; 5] = ["Deploy 2.8.0", "order 4711", "order 4712", "sign in", "Deploy 2.8.1"];

/// Looks whether the picture is the one that the README shows, or makes it that.
fn is_as(name: &str, picture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, picture).expect("the picture can be written");
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == picture,
        "docs/{name} is not what the terminal shows: UPDATE=1 cargo nextest run --test tty picture\n{picture}"
    );
}

#[test]
fn the_pictures_of_the_readme_are_what_the_terminal_shows() {
    // By a name that is as long on every machine.
    let place = Place::new().on_file("shop.db");
    let _worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", TOOLS)]);
    let deploy = ["deploy", "--arg", "version=2.8.0", "--arg", "customers=12000"];
    let first = ask(&place, "release", &deploy);
    place.ok(&["respond", &first, "--set", "ok=yes", "--as", "ann"]);
    place.until_asked(&first, "q2");
    let mut ids = vec![first];
    ids.push(ask(&place, "support", &["refund", "--arg", "order=4711", "--arg", "amount=€ 49.90"]));
    ids.push(ask(&place, "support", &["refund", "--arg", "order=4712", "--arg", "amount=€ 12.00"]));
    ids.push(ask(&place, "books", &["sign_in"]));
    // Another store, which a profile names.
    let folder = place.path().join(".config/mcptask");
    std::fs::create_dir_all(&folder).expect("a folder");
    let eu = Place::new().on_file(&folder.join("eu.db").to_string_lossy());
    place.file(".config/mcptask/config.toml", "[profile.eu]\ndb = \"eu.db\"\n");
    let _second = eu.background(&["worker", "--json", "--config", &eu.file("tools.toml", TOOLS)]);
    let last = ask(&eu, "release", &["deploy", "--arg", "version=2.8.1", "--arg", "customers=40"]);
    eu.ok(&["respond", &last, "--set", "ok=yes", "--as", "ann"]);
    eu.until_asked(&last, "q2");
    ids.push(last);
    let colours = [("CLICOLOR_FORCE", "1")];
    let mut screen =
        Screen::sized_with(&place, &["inbox", "--also", "eu", "--as", "ann"], (100, 22), &colours);
    screen.sees("[ 5 waiting ]");
    screen.press(DOWN);
    screen.at_row(QUESTIONS[1]);
    screen.press(" ");
    screen.at_row(QUESTIONS[2]);
    screen.press(" ");
    screen.at_row(QUESTIONS[3]);
    screen.press("k");
    screen.at_row(QUESTIONS[2]);
    screen.sees("2 marked");
    is_as("inbox.svg", &screen.picture(|text| told(&ids, 2, text)));
    // Marks off, then the first one's form.
    screen.press("\u{1b}");
    screen.gone("marked");
    screen.press("g");
    screen.at_row(QUESTIONS[0]);
    screen.press(ENTER);
    screen.at_form("> Where to");
    screen.press(ENTER);
    screen.at("> Share", ENTER);
    screen.at("> Day", "2026-12-24");
    screen.sees("> Day                                2026-12-24");
    is_as("form.svg", &screen.picture(|text| told(&ids, 0, text)));
}
