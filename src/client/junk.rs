//! Lines of a program on stdio that are no messages: some servers print a banner there, and other programs know nothing of
//! MCP at all.

/// What is read before the first message: a banner is shorter.
const MOST_LINES: usize = 1000;
const MOST_BYTES: usize = 1024 * 1024;

/// How much of a line is shown, in characters.
const SHOWN: usize = 80;

/// What of a program's output is no message.
#[derive(Debug, Default)]
pub(super) struct Junk {
    lines: usize,
    bytes: usize,
    first: String,
    /// A message came: it does speak MCP.
    speaks: bool,
}

impl Junk {
    /// A message came.
    pub(super) fn message(&mut self) {
        self.speaks = true;
    }

    /// Takes a line that is none; what is wrong with the program, where it has had enough of them. The first is warned
    /// of, the others are counted: a program may write millions.
    pub(super) fn line(&mut self, line: &str, error: &serde_json::Error) -> Option<String> {
        if self.lines == 0 {
            self.first = line.trim().chars().take(SHOWN).collect();
            tracing::warn!("the server sent a line that is not MCP, {:?}: {error}", self.first);
        }
        self.lines += 1;
        self.bytes = self.bytes.saturating_add(line.len());
        let is_too_much = !self.speaks && (self.lines >= MOST_LINES || self.bytes >= MOST_BYTES);
        is_too_much.then(|| format!("does not speak MCP: its first line was {:?}", self.first))
    }
}

impl Drop for Junk {
    fn drop(&mut self) {
        if self.lines > 1 {
            tracing::warn!("the server sent {} more lines that are not MCP", self.lines - 1);
        }
    }
}

/// What tells an echo.
#[derive(serde::Deserialize)]
struct Named {
    method: Option<String>,
}

/// What is wrong with a program whose message is one of ours, such as `cat`: servers begin no handshake.
pub(super) fn echoes(line: &str) -> Option<String> {
    let Named { method } = serde_json::from_str(line).ok()?;
    let is_ours = matches!(method.as_deref(), Some("server/discover" | "initialize"));
    is_ours.then(|| "does not speak MCP: it sends back what it is sent".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn error() -> serde_json::Error {
        serde_json::from_str::<Value>("y").expect_err("no JSON")
    }

    #[test]
    fn a_program_is_given_up_that_never_speaks() {
        let mut junk = Junk::default();
        let taken = (0..2 * MOST_LINES).take_while(|_| junk.line("y\n", &error()).is_none()).count();
        assert_eq!(taken, MOST_LINES - 1);
        let problem = Junk::default().line(&"x".repeat(MOST_BYTES), &error()).expect("too much");
        assert!(problem.len() < 200 && problem.contains("its first line was \"xxx"), "{problem}");
        let mut banner = Junk::default();
        banner.message();
        assert!((0..10 * MOST_LINES).all(|_| banner.line("y\n", &error()).is_none()), "it has spoken");
    }

    #[test]
    fn only_our_own_words_are_an_echo() {
        assert!(echoes(r#"{"id":1,"method":"server/discover"}"#).is_some());
        assert!(echoes(r#"{"id":1,"method":"elicitation/create"}"#).is_none());
        assert!(echoes(r#"{"id":1,"result":{}}"#).is_none());
    }
}
