//! FastMCP's keys and values, as `crate::fuzzing` runs them.

use jiff::Timestamp;
use redis::Value;

use super::docket::{Docket, Run, Workers};
use super::event;
use super::identity::Identity;
use super::link::Replies;
use super::read;
use super::signs::Asking;
use super::v4;

/// A task's key on the first line, a reply of Redis on each further one.
pub(crate) fn task(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let Some(key) = lines.next().and_then(|key| std::str::from_utf8(key).ok()) else { return };
    let Some(identity) = Identity::parse(key) else { return };
    let (docket, workers) = (Docket::new("docket"), Workers::none());
    let mut replies = Replies::of(lines.map(reply).map(Ok).collect());
    let Ok(mut draft) = read::take(&mut replies, &docket, &identity, Timestamp::UNIX_EPOCH) else { return };
    if let Asking::Leg(leg) = &mut draft.signs.asking {
        let Ok(run) = Run::take(&mut replies, &mut draft.notes) else { return };
        draft.signs.run = run;
        let questions = v4::take_requests(&mut replies, leg, Timestamp::UNIX_EPOCH, &mut draft.notes);
        draft.questions = questions.unwrap_or_default();
    }
    if let Some(task) = read::finished(draft, &workers) {
        event::between(None, &task);
    }
}

/// `:5` is a number, `-` nothing, `%a=b&c=d` a hash, `*a&b` a list, anything else a string.
fn reply(line: &[u8]) -> Value {
    let text = |part: &[u8]| Value::BulkString(part.to_vec());
    let item = |part: &[u8]| if part == b"-" { Value::Nil } else { text(part) };
    match line.split_first() {
        Some((b':', number)) => std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse().ok())
            .map_or(Value::Nil, Value::Int),
        Some((b'-', [])) => Value::Nil,
        Some((b'%', entries)) => Value::Map(
            entries
                .split(|byte| *byte == b'&')
                .map(|entry| {
                    let at = entry.iter().position(|byte| *byte == b'=').unwrap_or(entry.len());
                    (text(&entry[..at]), text(entry.get(at + 1..).unwrap_or_default()))
                })
                .collect(),
        ),
        Some((b'*', items)) => Value::Array(items.split(|byte| *byte == b'&').map(item).collect()),
        _ => text(line),
    }
}
