//! Text from outside, made safe to show: messages, schemas and results are never trusted.

use std::fmt::Write as _;

use crate::task::{Progress, TaskStatus};

/// One line: control characters, escape sequences and bidi controls become visible escapes.
pub(crate) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            harmful if is_harmful(harmful) => shown.extend(harmful.escape_unicode()),
            harmless => shown.push(harmless),
        }
    }
    shown
}

/// What somebody says, in one line: its lines follow each other, and the rest is as in [`line`].
pub(crate) fn sentence(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    for part in text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()) {
        if !said.is_empty() {
            said.push_str(if said.ends_with(['.', ':', ';', ',', '!', '?']) { " " } else { "; " });
        }
        said.push_str(part);
    }
    line(&said)
}

/// Several lines: line ends stay, tabs become spaces, the rest is as in [`line`].
pub(crate) fn block(text: &str) -> Vec<String> {
    text.trim_end().replace("\r\n", "\n").split('\n').map(|one| line(&one.replace('\t', "    "))).collect()
}

/// [`sentence`], cut to `most` characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    let shown = sentence(text);
    if shown.chars().count() <= most {
        return shown;
    }
    let mut cut: String = shown.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// JSON in one line: what a terminal would obey is escaped, which changes nothing for who parses it.
pub(crate) fn json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmful(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal would obey it, or show it other than it is: C0 and C1 controls, bidi controls
/// (Unicode's `Bidi_Control`), line and paragraph separators, interlinear and tag characters, BOM; likewise what takes
/// room in a text and none on the screen: soft hyphens, fillers, invisible letters and signs. Joiners and variation
/// selectors are left, since emoji and whole languages are written with them.
pub(crate) fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{3164}' | '\u{ffa0}' | '\u{1d173}'..='\u{1d17a}' | '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Characters of an id that are shown where a person picks it up: 40 random bits tell tasks apart.
const SHOWN: usize = 8;

/// The beginning of any server's id.
pub(crate) fn short_id(id: &str) -> &str {
    let end = id.char_indices().nth(SHOWN).map_or(id.len(), |(end, _)| end);
    &id[..end]
}

/// What stands before a status, so that it is never only a colour.
pub(crate) fn sign(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Working => "…",
        TaskStatus::InputRequired => "?",
        TaskStatus::Completed => "✓",
        TaskStatus::Failed => "✗",
        TaskStatus::Cancelled => "-",
    }
}

/// "1/3 choosing a menu".
pub(crate) fn progress(step: &Progress) -> String {
    let total = step.total.map(|total| format!("/{total}")).unwrap_or_default();
    let message = step.message.as_deref().map(|message| format!(" {}", sentence(message)));
    format!("{}{total}{}", step.current, message.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn escape_sequences_are_shown_and_never_sent() {
        assert_eq!(line("a\u{1b}[31mred\u{7}"), "a\\u{1b}[31mred\\u{7}");
        assert_eq!(line("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(line("two\nlines\r"), "two\\nlines\\r");
    }

    #[test]
    fn what_is_said_in_several_lines_is_told_in_one() {
        assert_eq!(sentence("exit code 8\nno answer"), "exit code 8; no answer");
        assert_eq!(
            sentence("\nWhy:\r\n\n  it broke.\nLater\tit did not\n"),
            "Why: it broke. Later\\tit did not"
        );
        assert_eq!(sentence("a\u{1b}[31m\nb"), "a\\u{1b}[31m; b");
        assert_eq!(short("one\ntwo\nthree", 9), "one; two…");
        assert_eq!(
            progress(&Progress { current: 1.0, total: None, message: Some("a\nb".to_owned()) }),
            "1 a; b"
        );
    }

    #[test]
    fn bidi_controls_cannot_turn_text_around() {
        assert_eq!(line("user\u{202e}nimda"), "user\\u{202e}nimda");
        assert_eq!(line("\u{2066}x\u{2069}"), "\\u{2066}x\\u{2069}");
    }

    #[test]
    fn what_nobody_would_see_is_shown() {
        assert_eq!(line("pay\u{ad}pal\u{3164}"), "pay\\u{ad}pal\\u{3164}");
        assert_eq!(line("\u{115f}\u{200b}"), "\\u{115f}\\u{200b}");
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(block("one\r\ntwo\u{1b}]0;x\u{7}\n"), ["one", "two\\u{1b}]0;x\\u{7}"]);
    }

    #[test]
    fn json_says_the_same_without_sending_it() {
        let value = Value::from("\u{9b}2J\u{202e}\u{e0041}\u{1b}\n\\ü");
        let shown = json(&value.to_string());
        assert!(!shown.chars().any(is_harmful), "{shown}");
        assert_eq!(serde_json::from_str::<Value>(&shown).expect("JSON"), value);
    }

    #[test]
    fn ordinary_writing_stays_as_it_is() {
        let text = "Grüße, 你好, مرحبا, 👩\u{200d}🚀";
        assert_eq!(line(text), text);
    }
}
