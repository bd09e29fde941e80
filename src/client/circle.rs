//! Calls that come back for input again and again, and get nowhere.

use std::time::Duration;

use serde_json::{Value, json};

/// How often a call may ask the same and be told the same in rounds that follow each other.
const SAME_ROUNDS: u32 = 10;
/// How many rounds that follow each other may ask nothing, whatever state they have. With their pauses, that is a quarter
/// of an hour.
const EMPTY_ROUNDS: u32 = 200;
/// The pauses before rounds that ask nothing, which only let the server go on: doubled from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The rounds of a call in which nothing was new.
#[derive(Default)]
pub(super) struct Circle {
    last: Value,
    same: u32,
    empty: u32,
}

impl Circle {
    /// Counts a round: the pause before the next one, or what is wrong where there must not be any.
    pub(super) fn goes_on(&mut self, asked: &Value, answered: &Value) -> Result<Duration, &'static str> {
        let is_empty = answered["inputResponses"] == json!({});
        // Where somebody was asked, the state may be another one each time, and the answer is the same all the same.
        let state = asked.get("requestState").filter(|_| is_empty);
        let round = json!([asked.get("inputRequests"), answered.get("inputResponses"), state]);
        self.same = if self.last == round { self.same + 1 } else { 1 };
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        self.last = round;
        match (is_empty, self.same >= SAME_ROUNDS) {
            (false, true) => Err("it asks the same again and again, and has its answer"),
            (true, true) => {
                Err("it asks for another round again and again, with the same state and no question")
            }
            (true, false) if self.empty >= EMPTY_ROUNDS => {
                Err("it asks for another round without end, and nothing else")
            }
            (true, false) => Ok(LONGEST_PAUSE.min(FIRST_PAUSE * (1 << (self.empty - 1).min(8)))),
            (false, false) => Ok(Duration::ZERO),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rounds there are, and how long their pauses take.
    fn rounds(asked: impl Fn(u32) -> Value, answered: &Value) -> (u32, Duration) {
        let (mut circle, mut pauses) = (Circle::default(), Duration::ZERO);
        for round in 1..=1000 {
            match circle.goes_on(&asked(round), answered) {
                Ok(pause) => pauses += pause,
                Err(_) => return (round, pauses),
            }
        }
        (1001, pauses)
    }

    #[test]
    fn rounds_without_a_question_end() {
        let nothing = json!({ "inputResponses": {} });
        let (same, pauses) = rounds(|_| json!({ "requestState": "z" }), &nothing);
        assert!(same == 10 && pauses < Duration::from_secs(60), "{same} {pauses:?}");
        let (new, pauses) = rounds(|round| json!({ "requestState": round }), &nothing);
        assert!(new == 200 && pauses < Duration::from_secs(1000), "{new} {pauses:?}");
    }

    #[test]
    fn the_same_question_with_the_same_answer_ends_whatever_the_state() {
        let answered = json!({ "inputResponses": { "q": { "action": "decline" } } });
        let same = |round| json!({ "requestState": round, "inputRequests": { "q": {} } });
        assert_eq!(rounds(same, &answered), (10, Duration::ZERO));
        let new = |round| json!({ "inputRequests": { "q": round } });
        assert_eq!(
            rounds(new, &answered),
            (1001, Duration::ZERO),
            "a person is asked something new each time"
        );
    }
}
