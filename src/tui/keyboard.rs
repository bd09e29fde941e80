//! What a person does at the keyboard: keys and pasted text, in bursts of what came at once.
//!
//! Terminals that know bracketed paste say where one begins and ends. From others a paste comes as keys that are there
//! all at once, with Enter among them, which no hand can do: there a line end is text, and presses nothing.

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures::StreamExt as _;

/// How soon the next key of a burst is there.
const NEXT: Duration = Duration::from_millis(8);

/// How soon after Enter the next key of a paste is there; hands are slower.
const AFTER_ENTER: Duration = Duration::from_millis(12);

/// How soon the rest of an escape sequence is there, on a slow line too.
const AFTER_ESCAPE: Duration = Duration::from_millis(50);

/// A burst this soon after a paste belongs to it: a line brings it in parts.
const AFTER_PASTE: Duration = Duration::from_millis(100);

/// The most inputs of one burst.
const MOST: usize = 64 * 1024;

/// The longest escape sequence that is put together again.
const SEQUENCE: usize = 32;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// One key.
    Key(KeyEvent),
    /// Text, with its line ends.
    Pasted(String),
    /// The terminal has another size.
    Resized,
}

/// What was done at once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Burst {
    pub(super) inputs: Vec<Input>,
    /// Whether it is one key alone, which a hand pressed after it saw what is on the screen.
    pub(super) is_one_key: bool,
}

/// The keyboard of one form.
pub(super) struct Keyboard {
    /// Two streams at a time block each other, so this one goes before an editor reads the terminal.
    stream: Option<EventStream>,
    pasted: Option<Instant>,
}

impl Keyboard {
    /// What was read for an earlier form and not used is thrown away.
    pub(super) fn new() -> Self {
        // A wait of no time never looks at the terminal.
        while let Ok(true) = event::poll(Duration::from_millis(1)) {
            if event::read().is_err() {
                break;
            }
        }
        Self { stream: None, pasted: None }
    }

    /// Reads no more, until the next burst is waited for.
    pub(super) fn release(&mut self) {
        self.stream = None;
    }

    /// Waits for what is done next. The error is the end of the terminal.
    pub(super) async fn next(&mut self) -> io::Result<Burst> {
        let mut come = vec![self.one().await?];
        // The stream's thread rests until the stream is asked again, so the rest is read here, at once: handed over one by
        // one it would come too late on a busy machine to be told from keys.
        while come.len() < MOST && event::poll(pause_after(come.last()))? {
            come.push(event::read()?);
        }
        Ok(self.sorted(inputs(come)))
    }

    async fn one(&mut self) -> io::Result<Event> {
        let stream = self.stream.get_or_insert_with(EventStream::new);
        stream.next().await.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))
    }

    /// Tells a paste from keys.
    fn sorted(&mut self, inputs: Vec<Input>) -> Burst {
        let goes_on = self.pasted.take().is_some_and(|at| at.elapsed() < AFTER_PASTE);
        let keys: Option<Vec<KeyEvent>> = inputs
            .iter()
            .map(|input| match input {
                Input::Key(key) => Some(*key),
                _ => None,
            })
            .collect();
        // Keys that type nothing are in no paste.
        let is_text = keys.as_ref().is_some_and(|keys| keys.iter().all(|key| letter(key).is_some()));
        match keys {
            Some(keys) if is_text && (goes_on || is_paste(&keys)) => {
                self.pasted = Some(Instant::now());
                let text = keys.iter().filter_map(letter).collect();
                Burst { inputs: vec![Input::Pasted(text)], is_one_key: false }
            }
            keys => Burst { is_one_key: keys.is_some_and(|keys| keys.len() == 1), inputs },
        }
    }
}

/// How long the next part of a burst is waited for.
fn pause_after(last: Option<&Event>) -> Duration {
    match last {
        Some(Event::Key(key)) if key.code == KeyCode::Esc => AFTER_ESCAPE,
        Some(Event::Key(key)) if is_enter(key) => AFTER_ENTER,
        _ => NEXT,
    }
}

/// Enter, or the line end that some terminals paste.
fn is_enter(key: &KeyEvent) -> bool {
    key.code == KeyCode::Enter
        || key.code == KeyCode::Char('j') && key.modifiers.contains(KeyModifiers::CONTROL)
}

/// The text that a key types.
fn letter(key: &KeyEvent) -> Option<char> {
    match key.code {
        _ if is_enter(key) => Some('\n'),
        KeyCode::Tab => Some('\t'),
        KeyCode::Char(letter) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => Some(letter),
        _ => None,
    }
}

/// A line that is typed ends with Enter; behind it comes nothing at the same moment.
fn is_paste(keys: &[KeyEvent]) -> bool {
    let after = keys.iter().skip_while(|key| !is_enter(key)).skip(1);
    let mut text = after.filter_map(letter);
    text.next().is_some()
}

/// What the library's events mean; a sequence that came in parts is one key again.
fn inputs(events: Vec<Event>) -> Vec<Input> {
    let mut all = Vec::new();
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) if key.code == KeyCode::Esc && events.peek().is_some_and(begins) => {
                let mut sequence = String::new();
                while is_unfinished(&sequence)
                    && let Some(next) = events.next_if(|event| plain(event).is_some())
                {
                    sequence.extend(plain(&next));
                }
                all.extend(named(&sequence).map(|code| Input::Key(KeyEvent::from(code))));
            }
            Event::Key(key) if is_enter(&key) => all.push(Input::Key(KeyEvent::from(KeyCode::Enter))),
            Event::Key(key) => all.push(Input::Key(key)),
            Event::Paste(text) => all.push(Input::Pasted(text)),
            Event::Resize(..) => all.push(Input::Resized),
            _ => {}
        }
    }
    all
}

fn plain(event: &Event) -> Option<char> {
    match event {
        Event::Key(KeyEvent { code: KeyCode::Char(one), modifiers, .. })
            if (*modifiers - KeyModifiers::SHIFT).is_empty() =>
        {
            Some(*one)
        }
        _ => None,
    }
}

fn begins(event: &Event) -> bool {
    matches!(plain(event), Some('[' | 'O'))
}

/// Whether more belongs to an escape sequence: `[` up to a letter or `~`, `O` and one character.
fn is_unfinished(sequence: &str) -> bool {
    let last = sequence.chars().last().unwrap_or_default();
    match sequence.chars().next() {
        None => true,
        Some('[') if sequence.len() == 1 => true,
        Some('[') => !matches!(last, '@'..='~') && sequence.len() < SEQUENCE,
        _ => sequence.len() == 1,
    }
}

/// The key of a sequence; others than these are none.
fn named(sequence: &str) -> Option<KeyCode> {
    Some(match sequence {
        "[A" | "OA" => KeyCode::Up,
        "[B" | "OB" => KeyCode::Down,
        "[C" | "OC" => KeyCode::Right,
        "[D" | "OD" => KeyCode::Left,
        "[Z" => KeyCode::BackTab,
        "[3~" => KeyCode::Delete,
        "[5~" => KeyCode::PageUp,
        "[6~" => KeyCode::PageDown,
        "[H" | "OH" => KeyCode::Home,
        "[F" | "OF" => KeyCode::End,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Event> {
        let code = |one| match one {
            '\r' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            other => KeyCode::Char(other),
        };
        text.chars().map(|one| Event::Key(KeyEvent::from(code(one)))).collect()
    }

    fn burst(text: &str) -> Burst {
        Keyboard { stream: None, pasted: None }.sorted(inputs(events(text)))
    }

    #[test]
    fn lines_that_come_at_once_are_a_paste_and_one_line_is_typed() {
        for text in ["one\rtwo", "one\rtwo\r", "\r\r", "one\r\r"] {
            let pasted = Input::Pasted(text.replace('\r', "\n"));
            assert_eq!(burst(text), Burst { inputs: vec![pasted], is_one_key: false }, "{text:?}");
        }
        assert_eq!(burst("one\r").inputs.len(), 4);
        assert!(burst("y").is_one_key && burst("\r").is_one_key && !burst("yes").is_one_key);
    }

    #[test]
    fn the_rest_of_a_paste_is_a_paste() {
        let mut keyboard = Keyboard { stream: None, pasted: None };
        keyboard.sorted(inputs(events("one\rtwo")));
        assert_eq!(keyboard.sorted(inputs(events("\r"))).inputs, [Input::Pasted("\n".into())]);
    }

    #[test]
    fn a_sequence_that_came_in_parts_is_one_key() {
        let key = |code| Input::Key(KeyEvent::from(code));
        assert_eq!(burst("\u{1b}[Bx").inputs, [key(KeyCode::Down), key(KeyCode::Char('x'))]);
        assert_eq!(burst("\u{1b}[15~x").inputs, [key(KeyCode::Char('x'))]);
        assert_eq!(burst("\u{1b}").inputs, [key(KeyCode::Esc)]);
    }
}
