//! What stands on stderr: remarks, a line that moves, or a prompt, and never two of them on top of each other.

use std::collections::VecDeque;
use std::io::{self, Write};

use super::spinner::Moving;

/// The most bytes of remarks that wait for a prompt to leave; older ones make room.
const MOST_BYTES: usize = 64 * 1024;

/// The one place that writes remarks.
pub(super) struct Stage {
    stream: Box<dyn Write + Send>,
    is_prompting: bool,
    waiting: VecDeque<String>,
    bytes: usize,
    left_out: usize,
    moving: Option<Moving>,
}

impl Stage {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        let waiting = VecDeque::new();
        Self { stream, is_prompting: false, waiting, bytes: 0, left_out: 0, moving: None }
    }

    /// Says it; while a prompt is there, as soon as it has left.
    pub(super) fn say(&mut self, line: &str) -> io::Result<()> {
        if self.is_prompting {
            self.keep(line);
            return Ok(());
        }
        let stream = &mut self.stream;
        let mut write = || stream.write_all(format!("{line}\n").as_bytes()).and_then(|()| stream.flush());
        match &self.moving {
            Some(moving) => moving.aside(write),
            None => write(),
        }
    }

    /// Rings the bell, which moves nothing on the screen.
    pub(super) fn ring(&mut self) {
        // Nobody can be told that stderr is closed.
        let _ = self.stream.write_all(b"\x07").and_then(|()| self.stream.flush());
    }

    /// A prompt comes, or leaves.
    pub(super) fn set_prompting(&mut self, is_prompting: bool) {
        if is_prompting == self.is_prompting {
            return;
        }
        self.is_prompting = is_prompting;
        if is_prompting {
            self.moving.iter_mut().for_each(Moving::hide);
            return;
        }
        if self.left_out > 0 {
            self.waiting.push_front(format!("({} lines before these are left out)", self.left_out));
        }
        (self.bytes, self.left_out) = (0, 0);
        for line in std::mem::take(&mut self.waiting) {
            // Nobody can be told that stderr is closed.
            let _ = self.say(&line);
        }
        self.moving.iter_mut().for_each(Moving::show);
    }

    /// Puts a moving line there, another one, or none.
    pub(super) fn set_moving(&mut self, message: Option<&str>) {
        let Some(message) = message else {
            self.moving.take().iter_mut().for_each(Moving::hide);
            return;
        };
        let moving = self.moving.get_or_insert_with(Moving::default);
        moving.say(message);
        if !self.is_prompting {
            moving.show();
        }
    }

    fn keep(&mut self, line: &str) {
        self.bytes += line.len();
        self.waiting.push_back(line.to_owned());
        while self.bytes > MOST_BYTES
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.bytes -= oldest.len();
            self.left_out += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl Said {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()).expect("UTF-8")
        }
    }

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_said_during_a_prompt_follows_it() {
        let said = Said::default();
        let mut stage = Stage::new(Box::new(said.clone()));
        stage.say("before").expect("is written");
        stage.set_prompting(true);
        stage.say("meanwhile").expect("is kept");
        assert_eq!(said.text(), "before\n");
        stage.set_prompting(false);
        stage.say("after").expect("is written");
        assert_eq!(said.text(), "before\nmeanwhile\nafter\n");
    }

    #[test]
    fn no_more_is_kept_than_the_bound() {
        let said = Said::default();
        let mut stage = Stage::new(Box::new(said.clone()));
        stage.set_prompting(true);
        let line = "x".repeat(MOST_BYTES / 4);
        (0..6).for_each(|_| stage.say(&line).expect("is kept"));
        stage.set_prompting(false);
        assert!(said.text().starts_with("(2 lines before these are left out)\n"), "{}", said.text().len());
        assert_eq!(said.text().lines().count(), 5);
    }
}
