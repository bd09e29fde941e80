use serde_json::json;

use super::*;

/// A rule without conditions.
fn rule(name: &str, then: Then) -> Rule {
    let (tools, sessions, message, when) = (None, None, None, None);
    Rule { name: name.to_owned(), tools, sessions, message, when, takes_pages: false, then }
}

fn accept(content: &Value) -> Then {
    Then::Accept(ValueTemplate::parse(content).expect("is a template"))
}

fn seats() -> Ask {
    Ask::form(
        "How many seats for Ada?",
        json!({ "type": "object", "required": ["seats"], "properties": {
            "seats": { "type": "integer", "maximum": 8 }, "window": { "type": "boolean", "default": true } } }),
    )
}

fn page() -> Ask {
    Ask::url("Please sign.", "https://example.com/sign")
}

/// Decides on a question of the tool `book` in the session `trip`, whose arguments are `{ "people": 3 }`.
fn decide(rules: Vec<Rule>, ask: &Ask) -> Decision {
    let arguments = json!({ "people": 3 });
    let subject = Subject {
        source: "mcptask",
        task: "abcdefgh",
        tool: Some("book"),
        session: Some("trip"),
        arguments: arguments.as_object(),
        question: "q1",
        ask,
    };
    Rules::new(rules).decide(&subject)
}

/// Action and content of the answer.
fn answered(decision: &Decision) -> (Option<&str>, Value) {
    let Verdict::Answer(answer) = &decision.verdict else { panic!("is left: {decision:?}") };
    (decision.rule.as_deref(), json!([answer.action, answer.content]))
}

fn left(decision: &Decision) -> (Option<&str>, &str) {
    let Verdict::Leave(why) = &decision.verdict else { panic!("is answered: {decision:?}") };
    (decision.rule.as_deref(), why.as_deref().unwrap_or_default())
}

fn expression(text: &str) -> Expression {
    Expression::parse(text).expect("is an expression")
}

#[test]
fn the_first_rule_that_matches_decides_and_is_the_answerer() {
    let other = Rule { tools: Some(vec!["plan".into()]), ..rule("other", Then::Cancel) };
    let content = json!({ "seats": "{{ args.people }}" });
    let mine = Rule {
        tools: Some(vec!["plan".into(), "book".into()]),
        sessions: Some(vec!["trip".into()]),
        message: Some(Pattern::parse("^How many seats").expect("is one")),
        when: Some(expression("args.people < 5 and 'seats' in question.fields and task.session == 'trip'")),
        ..rule("mine", accept(&content))
    };
    let decision = decide(vec![other, mine, rule("last", Then::Decline)], &seats());
    let wanted = json!(["accept", { "seats": 3, "window": true }]);
    assert_eq!(answered(&decision), (Some("mine"), wanted));
    let Verdict::Answer(answer) = decision.verdict else { panic!("is answered") };
    assert_eq!((answer.by, answer.answerer()), (Answerer::Policy, "rule mine".to_owned()));
}

#[test]
fn what_no_rule_is_about_is_left() {
    let small = Rule { when: Some(expression("args.people < 3")), ..rule("small", Then::Decline) };
    assert_eq!(left(&decide(vec![small], &seats())), (None, "no rule is about it"));
    let leave = vec![rule("people", Then::Leave), rule("all", Then::Decline)];
    assert_eq!(left(&decide(leave, &seats())), (Some("people"), ""));
}

#[test]
fn an_answer_that_does_not_fit_leaves_the_question() {
    for (content, why) in [
        (json!({ "seats": 9 }), "maximum"),
        (json!({}), "seats"),
        (json!({ "seats": 2, "hat": "red" }), "no field \"hat\""),
        (json!({ "seats": "{{ args.no_such }}" }), "not there"),
        (json!({ "seats": "{{ args.people }} or so" }), "does not fit"),
    ] {
        let decision = decide(vec![rule("r", accept(&content)), rule("all", Then::Decline)], &seats());
        let (name, said) = left(&decision);
        assert!(name == Some("r") && said.contains(why), "{content}: {said}");
    }
}

#[test]
fn a_condition_that_fails_leaves_the_question_to_people_and_to_no_later_rule() {
    for text in ["args.no_such > 3", "range(1000000) | sum > 3", "answer.ok"] {
        let broken = Rule { when: Some(expression(text)), ..rule("broken", Then::Decline) };
        let decision = decide(vec![broken, rule("all", Then::Decline)], &seats());
        assert_eq!(left(&decision).0, Some("broken"), "{text}");
    }
}

#[test]
fn a_page_is_accepted_only_where_a_rule_says_so() {
    let nothing = || accept(&json!({}));
    let (name, why) = (Some("r"), "it asks to visit a page, and the rule does not say url = true");
    assert_eq!(left(&decide(vec![rule("r", nothing())], &page())), (name, why));
    let taking = Rule { takes_pages: true, ..rule("r", nothing()) };
    assert_eq!(answered(&decide(vec![taking], &page())), (Some("r"), json!(["accept", null])));
    let with_fields = Rule { takes_pages: true, ..rule("r", accept(&json!({ "a": 1 }))) };
    assert!(left(&decide(vec![with_fields], &page())).1.contains("without fields"));
    assert_eq!(answered(&decide(vec![rule("r", Then::Decline)], &page())).1, json!(["decline", null]));
}

#[test]
fn arguments_that_are_not_known_are_not_there() {
    let ask = seats();
    let (tool, session, arguments) = (None, None, None);
    let subject =
        Subject { source: "server", task: "t", tool, session, arguments, question: "q1", ask: &ask };
    let by_tool = Rule { tools: Some(vec!["book".into()]), ..rule("tool", Then::Decline) };
    let by_argument =
        Rule { when: Some(expression("args is defined and args.people")), ..rule("args", Then::Decline) };
    let decision = Rules::new(vec![by_tool, by_argument]).decide(&subject);
    assert_eq!(left(&decision), (None, "no rule is about it"));
}

#[test]
fn a_pattern_is_bounded_and_takes_a_huge_message_in_its_stride() {
    assert!(Pattern::parse("(").is_err_and(|why| why.contains("is no regular expression: unclosed group")));
    assert!(Pattern::parse(&"x".repeat(5000)).is_err_and(|why| why.contains("5000 bytes")));
    assert!(Pattern::parse("(?:a{1000}){1000}").is_err_and(|why| why.contains("takes more than")));
    let message = "a".repeat(16 * 1024);
    let slow_elsewhere = Pattern::parse("(a+)+$b").expect("is one");
    let begun = std::time::Instant::now();
    assert!(!slow_elsewhere.is_in(&message));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5));
}
