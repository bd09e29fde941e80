//! Nothing is drawn over a form: no line that moves, and no remark; and a form draws over nothing.

use std::time::Duration;

use crate::place::Place;
use crate::screen::{SEND, Screen};
use crate::terminal::{CTRL_C, DOWN, ENTER, ESCAPE};

/// Longer than a moving line stays as it is.
const A_THOUGHT: Duration = Duration::from_millis(500);

/// The signs that a moving line begins with.
const MOVING: std::ops::RangeInclusive<char> = '\u{2800}'..='\u{28ff}';

#[test]
fn nothing_moves_while_a_servers_question_is_on_the_screen() {
    let place = Place::new();
    let server = place.serve(&[]);
    for era in ["legacy", "modern"] {
        let arguments = ["submit", "plan_dinner", "--wait", "--server", server.url(), "--era", era];
        let mut screen = Screen::run(&place, &arguments);
        let shown = screen.sees("> Cuisine");
        assert!(shown.starts_with("task "), "the id comes before the question: {shown}");
        screen.forget_written();
        std::thread::sleep(A_THOUGHT);
        screen.press("Thai");
        screen.sees("> Cuisine  Thai");
        let written = screen.written();
        assert!(
            !written.contains(|one| MOVING.contains(&one)) && !written.contains("waiting"),
            "{written:?}"
        );
        screen.press(CTRL_C);
        assert_eq!(screen.ends().1, 130, "{era}");
    }
}

#[test]
fn the_demo_explains_before_it_asks() {
    let place = Place::new();
    for _ in 0..5 {
        let mut screen = Screen::sized(&place, &["demo"], (80, 50));
        let shown = screen.sees("> Cuisine");
        let (before, after) = shown.split_once("What cuisine would you like?").expect("the question");
        let words: Vec<&str> = before.split_whitespace().collect();
        assert!(words.join(" ").contains("The server passes each question on"), "{shown}");
        assert!(!after.contains("A client calls the tool"), "{shown}");
        screen.press(ESCAPE);
        screen.ends();
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
fn wide_choices_leave_what_is_above_them_alone() {
    let place = Place::new();
    let _worker = place.background(&["worker", "--json", "--config", &place.file("mcptask.toml", CHOICES)]);
    for columns in [60, 40, 200] {
        let id = place.asking("place");
        let script = format!("stty cols {columns}; echo above; exec \"$MCPTASK\" respond {id}");
        let mut screen = Screen::shell(&place, &script);
        screen.resize(columns, 24);
        screen.at("> Where", DOWN);
        screen.at("(x) Тестовый", DOWN);
        let shown = screen.sees("(x) 本番環境");
        assert_eq!(shown.matches("Please choose.").count(), 1, "{shown}");
        assert!(shown.starts_with("above\n"), "{shown}");
        screen.press(ENTER);
        screen.at(SEND, ENTER);
        assert_eq!(screen.ends().1, 0, "{columns} columns");
        assert!(!place.ok(&["result", &id, "--wait"]).is_empty());
    }
}
