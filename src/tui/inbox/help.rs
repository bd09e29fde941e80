//! What `?` shows.

use super::sheet::{Sheet, SheetLine, Tone};

/// The keys, and what they do.
const KEYS: [(&str, &str); 13] = [
    ("↑ ↓, j k", "go through the questions; PgUp, PgDn, g and G go further"),
    ("Enter", "opens the question's form, answers it, and goes to the next one"),
    (
        "Space",
        "marks a question; Enter then answers all that are marked alike, once you have seen what is sent; the cursor goes down to the next",
    ),
    ("s", "shows the task with everything that happened to it"),
    ("x", "cancels the task, once you have said yes"),
    (
        "/",
        "filters by words of the tool, session, place, message or the beginning of a task's id; Esc takes the filter off",
    ),
    (
        "Tab",
        "goes to the tasks, the workers and what is wrong with them, and back; there ↑ ↓ choose a task, Enter and s show it, x cancels it",
    ),
    ("Ctrl-Z", "goes back to the shell; fg brings the inbox back"),
    ("Ctrl-L", "draws all anew"),
    ("q, Esc", "leaves; what is not answered stays open"),
    ("Ctrl-C", "leaves at once, also from a form"),
    ("", "In a form, Esc goes back to the list; the question stays open."),
    ("", "New questions come by themselves, with a bell; the title of the terminal counts them."),
];

/// Columns of a key.
const WIDE: usize = 12;

pub(super) fn sheet() -> Sheet {
    let one = |(keys, does): (&str, &str)| {
        let padding = " ".repeat(WIDE.saturating_sub(keys.chars().count()));
        SheetLine::new(format!("  {keys}{padding}"), does, Tone::Plain)
    };
    Sheet::new("Keys", KEYS.into_iter().map(one).collect())
}
