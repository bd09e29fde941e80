//! The form at the edges of its terminal: gone, at rest, and without any store.

use std::time::{Duration, Instant};

use rexpect::process::Signal;

use crate::place::{BOUND, Place};
use crate::screen::{SEND, Screen};
use crate::terminal::{CTRL_C, ENTER};

/// How often the process's threads have been woken up and put to sleep again.
fn switches(process: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("it runs");
    let one = |thread: std::io::Result<std::fs::DirEntry>| {
        let status = std::fs::read_to_string(thread.ok()?.path().join("status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    threads.filter_map(one).sum()
}

/// Waits until a process is no more.
fn ends(process: &str) {
    let begun = Instant::now();
    let status = format!("/proc/{process}/status");
    while std::fs::read_to_string(&status).is_ok_and(|status| !status.contains("State:\tZ")) {
        assert!(begun.elapsed() < BOUND, "process {process} goes on without its terminal");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_form_and_leaves_the_question_open() {
    let place = Place::new();
    let _worker = place.worker();
    let id = place.asking("plan_dinner");
    let script = format!("sh -c 'echo $$ > pid; exec \"$MCPTASK\" respond {id}'; true");
    let mut screen = Screen::shell(&place, &script);
    screen.at("> Cuisine", "Tha");
    screen.sees("> Cuisine  Tha");
    let process = std::fs::read_to_string(place.path().join("pid")).expect("the shell wrote it");
    // The shell is its session's first process, whose end takes the terminal from all others.
    screen.signal(Signal::SIGKILL);
    ends(process.trim());
    assert_eq!(place.json(&["show", &id])[0]["status"], "input_required");
}

#[test]
fn a_script_that_is_tried_by_hand_has_the_same_form() {
    let place = Place::new();
    let mut screen = Screen::run(&place, &["ask", "--local", "Which city?", "--title", "City"]);
    let shown = screen.sees("> City");
    assert!(shown.contains("Which city?"), "{shown}");
    screen.press("Ulm");
    screen.at("> City  Ulm", ENTER);
    screen.at(SEND, ENTER);
    let (rest, code) = screen.ends();
    assert_eq!(code, 0, "{rest}");
    assert_eq!(rest.lines().last().map(str::trim), Some("Ulm"), "{rest}");
}

#[test]
fn a_form_at_rest_does_nothing() {
    let place = Place::new();
    let script = "sh -c 'echo $$ > pid; exec \"$MCPTASK\" ask --local Which --title City'";
    let mut screen = Screen::shell(&place, script);
    screen.sees("> City");
    let process = std::fs::read_to_string(place.path().join("pid")).expect("the shell wrote it");
    let process = process.trim().parse().expect("a number");
    let before = switches(process);
    std::thread::sleep(Duration::from_secs(3));
    let woken = switches(process) - before;
    assert!(woken <= 6, "woken {woken} times in three seconds, and nothing happened");
    screen.press(CTRL_C);
    assert_eq!(screen.ends().1, 130);
}

/// A question of many lines, of which the last one matters.
fn long_question() -> String {
    let lines: Vec<_> = (1..=40).map(|number| format!("line {number} of the plan")).collect();
    format!("{}\nREALLY DELETE PROD?", lines.join("\n"))
}

#[test]
fn a_long_question_is_scrolled_and_nothing_is_sent_before_all_of_it_was_there() {
    for size in [(80, 24), (60, 20)] {
        let place = Place::new();
        let mut screen = Screen::sized(&place, &["ask", "--local", "--confirm", &long_question()], size);
        let shown = screen.sees("PgDn goes on");
        assert!(shown.contains(" asks") && shown.contains("line 1 of the plan"), "{shown}");
        screen.press("y");
        screen.sees("nothing was sent: the question goes on");
        for _ in 0..40 {
            let before = screen.text();
            if before.contains("PgUp goes back") {
                break;
            }
            screen.press("\u{1b}[6~");
            let rows =
                before.lines().find(|row| row.contains(" rows ")).expect("says where it is").to_owned();
            screen.gone(rows.trim());
        }
        screen.sees("REALLY DELETE PROD?");
        screen.press("y");
        assert_eq!(screen.ends().1, 0);
    }
}

#[test]
fn who_asks_and_what_stays_beside_a_long_question() {
    let place = Place::new();
    let text = long_question().replace('\n', "\\n");
    let tool = format!(
        "[tools.plan]\ndescription = \"Plans\"\nsteps = [{{ ask = \"{text}\", as = \"v\", form = {{ ok = \"boolean\" }} }}]\n"
    );
    let tools = place.file("tools.toml", &tool);
    let _worker = place.background(&["worker", "--json", "--config", &tools]);
    let id = place.asking("plan");
    let mut screen = Screen::sized(&place, &["respond", &id], (60, 20));
    let shown = screen.sees("PgDn goes on");
    assert!(shown.contains("plan") && shown.contains(&id[..8]), "the tool and the task: {shown}");
    screen.press("\u{1b}");
    screen.ends();
}
