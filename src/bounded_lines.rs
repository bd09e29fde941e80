//! Lines of a stranger's stream, each within a bound of bytes.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line that has anything but blanks, without its end.
    Whole(Vec<u8>),
    /// One that is longer than the bound. It is told as soon as that is known; the rest of it is passed over.
    TooLong,
}

/// The lines of a stream.
#[derive(Debug)]
pub(crate) struct BoundedLines<R> {
    reader: R,
    most_bytes: usize,
    line: Vec<u8>,
    /// The present line is too long; the rest of it is skipped.
    skipping: bool,
}

impl<R: AsyncBufRead + Unpin> BoundedLines<R> {
    /// Lines of so many bytes at most.
    pub(crate) fn new(reader: R, most_bytes: usize) -> Self {
        Self { reader, most_bytes, line: Vec::new(), skipping: false }
    }

    /// The next line; `None` at the end of the input, of which what was written last may have no line end. Losing the
    /// future loses nothing.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let read = self.reader.fill_buf().await?;
            if read.is_empty() {
                let last = Some(std::mem::take(&mut self.line)).filter(|line| is_told(line));
                return Ok(last.map(Line::Whole));
            }
            let end = read.iter().position(|byte| *byte == b'\n');
            let part = &read[..end.unwrap_or(read.len())];
            let is_too_long = !self.skipping && self.line.len() + part.len() > self.most_bytes;
            if is_too_long {
                self.line.clear();
            } else if !self.skipping {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(read.len(), |end| end + 1);
            self.reader.consume(used);
            self.skipping = (self.skipping || is_too_long) && end.is_none();
            if is_too_long {
                return Ok(Some(Line::TooLong));
            }
            let line = end.map(|_| std::mem::take(&mut self.line));
            if let Some(line) = line.filter(|line| is_told(line)) {
                return Ok(Some(Line::Whole(line)));
            }
        }
    }
}

fn is_told(line: &[u8]) -> bool {
    !line.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_and_those_that_are_too_long_are_told_and_passed_over() {
        let text = b"one\n \r\n123456789\nabc\n12345678901234567890";
        // However little is read at once.
        for at_once in [1, 4, 100] {
            let mut lines = BoundedLines::new(tokio::io::BufReader::with_capacity(at_once, &text[..]), 8);
            let mut seen = Vec::new();
            while let Some(line) = lines.next().await.expect("reads") {
                seen.push(line);
            }
            let whole = |line: &str| Line::Whole(line.as_bytes().to_vec());
            assert_eq!(seen, [whole("one"), Line::TooLong, whole("abc"), Line::TooLong], "{at_once}");
        }
    }
}
