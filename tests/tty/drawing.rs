//! Nothing is drawn over a prompt: no line that moves, and no remark.

use std::time::Duration;

use crate::place::Place;
use crate::terminal::{CTRL_C, DOWN, ENTER, ESCAPE, Terminal};

const MENU: &str = "leave it open (Esc)";

/// Longer than a moving line stays as it is.
const A_THOUGHT: Duration = Duration::from_millis(500);

/// Two of the three bytes of each sign that a moving line begins with, as the terminal's reader shows bytes.
const MOVING: &str = "\u{e2}\u{a0}";

#[test]
fn nothing_moves_while_a_servers_question_is_on_the_screen() {
    let place = Place::new();
    let server = place.serve(&[]);
    for era in ["legacy", "modern"] {
        let arguments = ["submit", "plan_dinner", "--wait", "--server", server.url(), "--era", era];
        let mut terminal = Terminal::run(&place, &arguments);
        let before = terminal.sees("What cuisine would you like?");
        assert!(before.contains("task "), "the id comes before the question: {before:?}");
        terminal.sees(MENU);
        std::thread::sleep(A_THOUGHT);
        terminal.press(&[ENTER]);
        let mut seen = terminal.sees("Cuisine: ");
        std::thread::sleep(A_THOUGHT);
        terminal.press(&["Thai"]);
        seen += &terminal.sees("Cuisine: Thai");
        assert!(!seen.contains(MOVING) && !seen.contains("waiting"), "{era}: {seen:?}");
        terminal.press(&[CTRL_C]);
        assert_eq!(terminal.ends().1, 130, "{era}");
    }
}

#[test]
fn the_demo_explains_before_it_asks() {
    let place = Place::new();
    for _ in 0..5 {
        let mut terminal = Terminal::run(&place, &["demo"]);
        let before = terminal.sees("What cuisine would you like?");
        assert!(before.contains("The server passes each question on"), "{before:?}");
        let after = terminal.sees(MENU);
        assert!(!after.contains("A client calls the tool"), "{after:?}");
        terminal.press(&[ESCAPE]);
        terminal.ends();
    }
}

/// A form with choices that are wider than they have letters.
const CHOICES: &str = r#"
[tools.place]
description = "Asks where."
steps = [
  { ask = "Please choose.", as = "a", form = { x = { type = "string", title = "Where", oneOf = [
    { const = "a", title = "本番環境クラスター東京全顧客向け段階的展開カナリアあり手動承認" },
    { const = "b", title = "Тестовый кластер без клиентов, всё сразу и там, и ещё немного слов для ширины терминала" },
  ] } } },
  { return = "{{ a.content.x }}" },
]
"#;

#[test]
fn choices_are_taken_off_the_screen_row_by_row() {
    let place = Place::new();
    let _worker = place.background(&["worker", "--json", "--config", &place.file("mcptask.toml", CHOICES)]);
    for (columns, rows) in [(60, 5), (40, 6), (200, 3)] {
        let id = place.asking("place");
        let script = format!("stty cols {columns} rows 24; exec \"$MCPTASK\" respond {id}");
        let mut terminal = Terminal::shell(&place, &script);
        terminal.at(MENU, &[ENTER]);
        terminal.sees("Where");
        terminal.sees("\u{d1}\u{80}\u{d0}\u{b0}"); // "ра", as bytes: the end of the second title.
        terminal.press(&[DOWN]);
        // The cursor goes up over what was drawn, and over nothing else.
        terminal.sees(&format!("\u{1b}[{rows}A"));
        terminal.press(&[DOWN]);
        terminal.at("Where", &[ENTER]);
        terminal.at("Send this answer?", &[ENTER]);
        assert_eq!(terminal.ends().1, 0, "{columns} columns");
        assert!(!place.ok(&["result", &id, "--wait"]).is_empty());
    }
}
