//! A question's screen: at 60, 80 and 120 columns, with many fields and choices, while the terminal changes and while the
//! store is away. After a change on purpose, look at the new snapshots of
//! `INSTA_UPDATE=always cargo nextest run --test tty screens` before they are checked in.

use rexpect::process::Signal;
use rstest::rstest;
use serde_json::json;

use crate::place::Place;
use crate::redis::RedisServer;
use crate::screen::{SEND, Screen, TAB};
use crate::terminal::{CTRL_C, CTRL_U, DOWN, ENTER, ESCAPE};

/// Tools that ask: a form with all that is wide, 30 fields, and 200 choices of one and of several.
fn tools() -> String {
    let field = |at: u8| format!("f{at:02} = {{ type = \"string\", default = \"d{at}\" }}");
    let many = (0..30).map(field).collect::<Vec<_>>().join("\n");
    let choices = json!((0..200).map(|at| format!("région-{at:03} 東京")).collect::<Vec<_>>());
    format!(
        r#"
[tools.release]
description = "Asks where."
input = {{ who = "text" }}
steps = [{{ ask = "Do we release 本番環境 tonight, and does е́verybody know that we do? 👨‍👩‍👧 🇯🇵", as = "a", form = {{
  where = {{ type = "string", title = "Куда выпускаем, и кто об этом уже знает", enum = ["staging", "本番環境クラスター東京全顧客向け"] }},
  seats = {{ type = "integer", minimum = 1, maximum = 8, default = 2, description = "How many seats there are, at the table by the window" }} }} }},
  {{ return = "done" }}]

[tools.many]
description = "Asks a lot."
[[tools.many.steps]]
ask = "All of it?"
as = "a"
[tools.many.steps.form]
{many}
[[tools.many.steps]]
return = "{{{{ a.content }}}}"

[tools.long]
description = "Asks for choices."
[[tools.long.steps]]
ask = "Where?"
as = "a"
form = {{ one = {{ type = "string", enum = {choices} }}, some = {{ type = "array", items = {{ type = "string", enum = {choices} }} }} }}
[[tools.long.steps]]
return = {{ text = "done", structured = "{{{{ a.content }}}}" }}
"#
    )
}

/// A worker with those tools, and a task that asks.
fn asking(place: &Place, tool: &str) -> (crate::place::Background, String) {
    let worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", &tools())]);
    (worker, place.asking(tool))
}

/// What is on the screen, with ids, places and times that are always the same.
fn blank(place: &Place, id: &str, shown: &str) -> String {
    let home = place.path().to_string_lossy().into_owned();
    let shown = shown.replace(&id[..8], "aaaaaaaa").replace(&home, "~");
    shown.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[rstest]
fn everything_fits(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let worker = place.background(&["worker", "--json", "--config", &place.file("tools.toml", &tools())]);
    let id = place.ok(&["submit", "release", "--session", "friday", "--arg", "who=everybody"]);
    place.until(&id, "asked");
    // On a file whose name is always as long.
    let mut screen = Screen::sized(&place, &["respond", &id], (columns, 24));
    let first = screen.sees("> Куда");
    screen.press(TAB);
    screen.at("> seats", "9");
    screen.sees("29 is greater than the maximum of 8");
    let second = screen.text();
    screen.press(ESCAPE);
    let third = screen.sees("Leave it open?");
    screen.press(ESCAPE);
    assert_eq!(screen.ends().1, 10);
    drop(worker);
    let shown = [first, second, third].map(|shown| blank(&place, &id, &shown)).join("\n----\n");
    let is_told =
        |line: &&str| !line.contains("asks,") && !line.contains("cancels itself") && !line.contains("place:");
    let shown: Vec<&str> = shown.lines().filter(is_told).collect();
    insta::assert_snapshot!(format!("form_at_{columns}_columns"), shown.join("\n"));
}

#[rstest]
fn thirty_fields_are_gone_through_one_by_one(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let (_worker, id) = asking(&place, "many");
    let mut screen = Screen::sized(&place, &["respond", &id], (columns, 16));
    screen.sees("1 of 30");
    for at in 0..30 {
        let shown = screen.sees(&format!("> f{at:02}  d{at}"));
        assert!(shown.contains("All of it?") && shown.contains("[ Send ]"), "{shown}");
        assert!(shown.lines().count() <= 16, "{shown}");
        screen.press(if at == 17 { "!\t" } else { TAB });
    }
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"]["content"];
    assert_eq!((&answer["f17"], &answer["f29"]), (&json!("d17!"), &json!("d29")));
}

#[rstest]
fn two_hundred_choices_are_filtered_and_counted(#[values(60, 80, 120)] columns: u16) {
    let place = Place::new();
    let (_worker, id) = asking(&place, "long");
    let mut screen = Screen::sized(&place, &["respond", &id], (columns, 24));
    let shown = screen.sees("200 of 200 match");
    assert!(shown.contains("> ( ) région-000 東京"), "{shown}");
    screen.press("17 ON");
    let shown = screen.sees("filter: 17 ON");
    assert!(shown.contains("> ( ) région-017 東京") && shown.contains("12 of 200 match"), "{shown}");
    screen.press(DOWN);
    screen.at("> (x) région-117 東京", ENTER);
    screen.sees("  one   région-117 東京");
    screen.at("0 of 200 chosen", " ");
    screen.at("1 of 200 chosen", "199");
    screen.at("1 of 200 match", " ");
    screen.sees("[x] région-199");
    screen.press(ESCAPE);
    screen.at("2 of 200 chosen: région-000 東京, région-199 東京", ENTER);
    screen.at(SEND, ENTER);
    assert_eq!(screen.ends().1, 0);
    let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"]["content"];
    assert_eq!(*answer, json!({ "one": "région-117 東京", "some": ["région-000 東京", "région-199 東京"] }));
}

#[test]
fn another_size_loses_nothing_that_was_typed_and_nothing_that_was_said() {
    let place = Place::new();
    let (_worker, id) = asking(&place, "many");
    let script = format!("echo one; echo two; exec \"$MCPTASK\" respond {id}");
    let mut screen = Screen::shell(&place, &script);
    screen.at("> f00", "x");
    screen.sees("> f00  d0x");
    for (columns, rows) in [(60, 24), (120, 30), (80, 10), (80, 24)] {
        screen.resize(columns, rows);
        screen.press("y");
        let shown = screen.sees("> f00  d0xy");
        assert!(shown.contains("[ Send ]"), "{columns}x{rows}: {shown}");
        assert_eq!(shown.matches("[ Send ]").count(), 1, "{columns}x{rows}: {shown}");
        screen.press("\u{7f}");
        screen.gone("d0xy");
    }
    let shown = screen.text();
    assert!(shown.contains("> f00  d0x"), "{shown}");
    screen.press(CTRL_C);
    let (rest, code) = screen.ends();
    assert_eq!(code, 130, "{rest}");
    assert!(rest.contains("what you had filled in: f00=d0x"), "{rest}");
}

#[test]
fn letters_of_all_widths_are_edited_as_people_see_them() {
    let place = Place::new();
    let _worker = place.worker();
    place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond"]);
    screen.at("> Cuisine", "日本語e\u{301}👨\u{200d}👩\u{200d}👧");
    screen.sees("> Cuisine  日本語e\u{301}👨👩👧");
    // Two columns each, and one for the letter with its accent.
    assert_eq!(screen.cursor().0.1, 11 + 6 + 1 + 6);
    screen.press("\u{7f}\u{7f}");
    screen.sees("> Cuisine  日本語\n");
    screen.press("\u{1}\u{1b}[3~x\u{5}y");
    screen.at("> Cuisine  x本語y", "\u{17}");
    screen.sees("> Cuisine\n");
    screen.press("\u{19}\u{1}\u{b}z");
    screen.at("> Cuisine  z", CTRL_U);
    screen.press(ESCAPE);
    assert_eq!(screen.ends().1, 10);
}

#[test]
fn a_text_is_edited_in_the_persons_own_editor() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let editor = place
        .file("edit.sh", "printf 'editing '; read -r line; printf '%s\\nsecond\\n' \"$line\" >> \"$1\"\n");
    let editor = format!("sh {editor}");
    let mut screen = Screen::run_with(&place, &["respond", &id], &[("EDITOR", &editor)]);
    screen.at("> Cuisine", "first ");
    screen.at("> Cuisine  first", "\u{5}");
    let shown = screen.sees("editing");
    assert!(!shown.contains("[ Send ]"), "{shown}");
    screen.press("line\r");
    screen.sees("> Cuisine  first line⏎");
    screen.at("second", ENTER);
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    let answer = &place.json(&["show", &id])[0]["questions"][0]["answer"]["content"];
    assert_eq!(answer["cuisine"], "first line\nsecond");
}

#[test]
fn a_stop_from_outside_leaves_the_form_as_it_was() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::run(&place, &["respond", &id]);
    screen.at("> Cuisine", "Tha");
    screen.sees("> Cuisine  Tha");
    screen.signal(Signal::SIGSTOP);
    screen.signal(Signal::SIGCONT);
    screen.press("i");
    screen.at("> Cuisine  Thai", ENTER);
    screen.at(SEND, ENTER);
    assert_eq!(screen.ends().1, 0);
}

#[test]
fn a_store_that_is_away_is_told_on_the_screen_and_nothing_typed_is_lost() {
    let mut redis = RedisServer::persistent();
    let place = Place::on_redis(&redis.url());
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let mut screen = Screen::sized(&place, &["respond", &id], (120, 24));
    screen.at("> Cuisine", "Tha");
    screen.sees("> Cuisine  Tha");
    redis.kill();
    let shown = screen.sees("waiting until it is back, Ctrl-C ends this");
    assert!(shown.contains("> Cuisine  Tha"), "{shown}");
    redis.restart();
    screen.sees("the store is back");
    screen.press("i");
    screen.at("> Cuisine  Thai", ENTER);
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
}
