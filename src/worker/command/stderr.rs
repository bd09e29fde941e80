//! A command's stderr: its lines go to the event log as far as the budget goes, its end into error results.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Notify;

/// How much is read at once.
const CHUNK: usize = 8 * 1024;

/// The longest line that an event takes, in bytes; the rest of a longer one is left out.
const MAX_LINE_BYTES: usize = 1000;

/// Lines that wait for the budget; older ones are left out when there are more.
const MAX_WAITING: usize = 20;

/// What a command has written to stderr.
#[derive(Debug, Clone)]
pub(super) struct Stderr {
    state: Arc<Mutex<State>>,
    news: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    tail: VecDeque<u8>,
    tail_limit: usize,
    /// The line that has not ended yet, up to its limit.
    line: Vec<u8>,
    waiting: VecDeque<String>,
    left_out: u64,
}

impl Stderr {
    pub(super) fn new(tail_limit: usize) -> Self {
        let state = State { tail_limit, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)), news: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads to the end.
    pub(super) async fn read(self, mut pipe: impl AsyncRead + Unpin) {
        let mut chunk = vec![0; CHUNK];
        loop {
            match pipe.read(&mut chunk).await {
                Ok(0) | Err(_) => break,
                Ok(count) => self.state().take(&chunk[..count]),
            }
            self.news.notify_one();
        }
        self.state().end_line();
        self.news.notify_one();
    }

    /// Waits for a line that may go to the event log.
    pub(super) async fn news(&self) {
        while self.state().waiting.is_empty() {
            self.news.notified().await;
        }
    }

    /// The next line for the event log.
    pub(super) fn next_line(&self) -> Option<String> {
        let mut state = self.state();
        let line = state.waiting.pop_front()?;
        Some(with_gap(std::mem::take(&mut state.left_out), line))
    }

    /// The last line, where lines still wait; the others are left out.
    pub(super) fn last_line(&self) -> Option<String> {
        let mut state = self.state();
        let line = state.waiting.pop_back()?;
        let left_out = std::mem::take(&mut state.left_out) + state.waiting.drain(..).count() as u64;
        Some(with_gap(left_out, line))
    }

    /// The end of it as text, whole lines where they fit.
    pub(super) fn tail(&self) -> String {
        let mut state = self.state();
        let cut = state.tail.len() >= state.tail_limit;
        let bytes = state.tail.make_contiguous();
        let from = if cut { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1) } else { 0 };
        String::from_utf8_lossy(&bytes[from..]).trim_end().to_owned()
    }
}

fn with_gap(left_out: u64, line: String) -> String {
    if left_out == 0 { line } else { format!("{line} [{left_out} lines before it left out]") }
}

impl State {
    fn take(&mut self, bytes: &[u8]) {
        self.tail.extend(bytes);
        let beyond = self.tail.len().saturating_sub(self.tail_limit);
        self.tail.drain(..beyond);
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = MAX_LINE_BYTES.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if line.is_empty() {
            return;
        }
        self.waiting.push_back(line);
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_front();
            self.left_out += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_leaves_its_last_lines_and_a_count() {
        let stderr = Stderr::new(40);
        let flood: Vec<_> = (0..1000).map(|number| format!("line {number}\n")).collect();
        let flood = flood.concat();
        stderr.clone().read(flood.as_bytes()).await;
        assert_eq!(stderr.next_line().expect("one"), "line 980 [980 lines before it left out]");
        assert_eq!(stderr.last_line().expect("one"), "line 999 [18 lines before it left out]");
        assert_eq!(stderr.tail(), "line 996\nline 997\nline 998\nline 999");
    }

    #[tokio::test]
    async fn an_endless_line_and_bytes_that_are_no_text_do_no_harm() {
        let stderr = Stderr::new(10);
        let bytes: Vec<u8> = std::iter::repeat_n(0xff, 100_000).collect();
        stderr.clone().read(bytes.as_slice()).await;
        assert!(stderr.next_line().expect("cut").chars().count() <= MAX_LINE_BYTES);
        assert_eq!(stderr.tail().chars().count(), 10);
    }
}
