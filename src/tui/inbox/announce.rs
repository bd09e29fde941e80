//! The terminal's title counts what waits, and its bell tells of what is new.

use std::convert::Infallible;
use std::io::{self, Write as _};

use crate::desk::inbox::Inbox;
use crate::desk::text;

/// The title that was there before is kept by the terminal, and comes back.
const TITLE: (&str, &str) = ("\u{1b}[22;2t", "\u{1b}[23;2t");

/// Keeps the title, and rings, for as long as it is polled; dropping it gives the title back.
pub(crate) async fn announce(inbox: &Inbox, (has_title, rings): (bool, bool)) -> Infallible {
    let _title = has_title.then(Title::take);
    let mut changes = inbox.changes();
    let mut said = (0, None);
    loop {
        let (arrived, count) = {
            let list = inbox.list();
            (list.arrived(), (list.places_read() > 0).then(|| list.questions().len()))
        };
        if has_title && count != said.1 {
            say(&format!("\u{1b}]2;{}\u{7}", text::line(&title(count.unwrap_or(0)))));
        }
        if rings && arrived > said.0 {
            say("\u{7}");
        }
        said = (arrived, count);
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

fn title(count: usize) -> String {
    if count == 0 { "mcptask inbox".to_owned() } else { format!("({count}) mcptask inbox") }
}

/// The title while it is ours.
struct Title;

impl Title {
    fn take() -> Self {
        say(TITLE.0);
        Self
    }
}

impl Drop for Title {
    fn drop(&mut self) {
        say(TITLE.1);
    }
}

fn say(sequence: &str) {
    let mut stderr = io::stderr();
    // Nobody can be told that the terminal is gone.
    let _ = stderr.write_all(sequence.as_bytes()).and_then(|()| stderr.flush());
}
