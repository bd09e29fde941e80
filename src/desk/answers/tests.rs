//! What a file of answers says to which question.

use serde_json::json;

use super::*;

fn ask(field: &str) -> Ask {
    Ask::form("?", json!({ "type": "object", "properties": { field: { "type": "string" } } }))
}

fn to(answers: &Answers, position: usize, ask: &Ask) -> Option<Answer> {
    answers.to(position, ask).expect("fits")
}

fn action(text: &str, position: usize, ask: &Ask) -> Option<Action> {
    to(&Answers::parse(text).expect(text), position, ask).map(|answer| answer.action)
}

fn content(answers: &Answers, position: usize, field: &str) -> Option<Value> {
    to(answers, position, &ask(field)).and_then(|answer| answer.content).map(Value::Object)
}

#[test]
fn a_list_and_lines_answer_in_order() {
    for text in ["[{\"a\":\"1\"},{\"action\":\"decline\"}]", "{\"a\":\"1\"}\n{\"action\":\"decline\"}\n"] {
        let answers = Answers::parse(text).expect(text);
        assert_eq!(content(&answers, 1, "a"), Some(json!({ "a": "1" })));
        assert_eq!(to(&answers, 2, &ask("b")).expect("given").action, Action::Decline);
        assert_eq!(to(&answers, 3, &ask("c")), None);
    }
}

#[test]
fn one_object_answers_by_field_names() {
    let answers = Answers::parse("{\"a\":\"1\",\"b\":\"2\"}").expect("reads");
    assert_eq!(content(&answers, 7, "b"), Some(json!({ "b": "2" })));
    assert_eq!(to(&answers, 1, &ask("c")), None);
}

#[test]
fn an_empty_object_answers_what_its_defaults_answer() {
    let answers = Answers::parse("{}").expect("reads");
    let form = |needed: &[&str], default: Value| {
        let field = json!({ "type": "string", "default": default });
        Ask::form("?", json!({ "type": "object", "required": needed, "properties": { "a": field } }))
    };
    let empty = to(&answers, 1, &ask("a")).expect("needs nothing");
    assert_eq!((empty.action, empty.content), (Action::Accept, Some(Map::new())));
    let content = to(&answers, 1, &form(&["a"], json!("x"))).expect("has defaults").content;
    assert_eq!(content.map(Value::Object), Some(json!({ "a": "x" })));
    assert_eq!(to(&answers, 1, &form(&["a"], Value::Null)), None);
    assert!(answers.missing(1).contains("empty"), "{}", answers.missing(1));
    assert_eq!(to(&answers, 1, &Ask::url("Sign.", "https://x.test/")), None);
}

#[test]
fn a_field_named_action_is_content() {
    let answers = Answers::parse("[{\"action\":\"merge\"}]").expect("reads");
    assert_eq!(content(&answers, 1, "action"), Some(json!({ "action": "merge" })));
}

#[test]
fn what_is_not_an_answer_is_refused() {
    for text in ["", "[1]", "{", "\"yes\"", "{\"action\":\"accept\",\"content\":3}"] {
        assert!(Answers::parse(text).is_err(), "{text}");
    }
}

#[test]
fn what_nothing_answers_gets_the_last_resort() {
    for text in [
        r#"[{"a":"1"},{"otherwise":"decline"}]"#,
        "{\"a\":\"1\"}\n{\"otherwise\":\"decline\"}",
        r#"{"a":"1","otherwise":"decline"}"#,
    ] {
        let answers = Answers::parse(text).expect(text);
        assert_eq!(content(&answers, 1, "a"), Some(json!({ "a": "1" })), "{text}");
        assert_eq!(to(&answers, 2, &ask("b")).expect(text).action, Action::Decline);
        assert_eq!(
            to(&answers, 3, &Ask::url("Sign.", "https://x.test/")).expect(text).action,
            Action::Decline
        );
        assert_eq!(answers.surplus(), [""; 0], "{text}");
    }
    assert_eq!(action(r#"{"otherwise":"cancel"}"#, 1, &ask("a")), Some(Action::Cancel));
    let field = Answers::parse(r#"{"otherwise":"decline","a":"1"}"#).expect("reads");
    assert_eq!(content(&field, 1, "otherwise"), Some(json!({ "otherwise": "decline" })));
}

#[test]
fn an_entry_with_a_message_answers_the_question_of_that_message() {
    let text =
        r#"[{"message":"Who?","content":{"a":"who"}},{"a":"second"},{"message":"Why?","action":"decline"}]"#;
    let answers = Answers::parse(text).expect("reads");
    let asked = |message: &str| Ask { message: message.to_owned(), ..ask("a") };
    assert_eq!(to(&answers, 1, &asked("Why?")).expect("given").action, Action::Decline);
    let other = to(&answers, 2, &asked("What?")).expect("given").content.map(Value::Object);
    assert_eq!(other, Some(json!({ "a": "second" })));
    let who = to(&answers, 3, &asked("Who?")).expect("given").content.map(Value::Object);
    assert_eq!(who, Some(json!({ "a": "who" })));
    assert_eq!(to(&answers, 1, &asked("When?")), None);
}

#[test]
fn questions_that_come_at_once_are_answered_by_fit() {
    let text = r#"[{"a":"first"},{"b":"second"},{"c":"third"}]"#;
    for order in [["c", "a", "b"], ["b", "c", "a"], ["c", "b", "a"]] {
        let answers = Answers::parse(text).expect("reads");
        for (at, field) in order.into_iter().enumerate() {
            let given = content(&answers, at + 1, field).expect(field);
            let wanted = match field {
                "a" => "first",
                "b" => "second",
                _ => "third",
            };
            assert_eq!(given, json!({ field: wanted }), "{order:?}");
            assert_eq!(content(&answers, at + 1, field), Some(given), "asked again after a refusal");
        }
        assert_eq!(answers.surplus(), [""; 0], "{order:?}");
    }
    let refused = Answers::parse(r#"[{"a":7}]"#).expect("reads");
    for _ in 0..2 {
        let problem = refused.to(1, &ask("a")).expect_err("it is no text");
        assert_eq!(problem, "entry 1 does not fit question 1: a: 7 is not text", "it is told again");
    }
    let alike = Answers::parse(r#"[{"a":"1"},{"b":"2"},{"b":"3"}]"#).expect("reads");
    let problem = alike.to(1, &ask("b")).expect_err("two would fit");
    assert_eq!(
        problem,
        "entry 2 and entry 3 fit question 1, and the one at its place does not: entry 1: the question has no field \"a\"; \
         there is only b; \"message\" beside the content says which question an entry is for"
    );
}

#[test]
fn of_questions_that_come_at_once_the_entry_is_named_that_is_wrong() {
    let text = r#"[{"a":"1"},{"b":7},{"c":"3"}]"#;
    for order in [["b", "a", "c"], ["c", "b", "a"], ["a", "c", "b"], ["b", "c", "a"]] {
        let answers = Answers::parse(text).expect("reads");
        for (at, field) in order.into_iter().enumerate() {
            let given = answers.to(at + 1, &ask(field));
            let problem = format!("entry 2 does not fit question {}: b: 7 is not text", at + 1);
            match field {
                "b" => assert_eq!(given, Err(problem), "{order:?}"),
                _ => assert!(given.expect("has its own").is_some(), "{order:?}: {field}"),
            }
        }
    }
    let none = Answers::parse(r#"[{"a":"1"},{"x":"2"}]"#).expect("reads");
    assert_eq!(
        none.to(1, &ask("b")),
        Err("no entry fits question 1: entry 1: the question has no field \"a\"; there is only b; entry 2: the question \
             has no field \"x\"; there is only b"
            .to_owned())
    );
    let many = Answers::parse(r#"[{"a":1},{"a":1},{"a":1},{"a":1},{"a":1},{"a":1}]"#).expect("reads");
    let problem = many.to(1, &ask("b")).expect_err("none fits");
    assert!(
        problem.ends_with("entry 4: the question has no field \"a\"; there is only b; and 2 more"),
        "{problem}"
    );
}

#[test]
fn a_single_object_without_what_is_needed_names_what_it_has_instead() {
    let schema = json!({ "type": "object", "required": ["size"], "properties": {
        "size": { "type": "string" }, "name": { "type": "string" } } });
    let (needs, text) = (Ask::form("?", schema), r#"{"a":"1","name":"x","colour":"red"}"#);
    let answers = Answers::parse(text).expect("reads");
    assert!(to(&answers, 1, &ask("a")).is_some());
    assert_eq!(
        answers.to(2, &needs),
        Err("the answers do not fit question 2: \"size\" is a required property; it has no field \"colour\""
            .to_owned()),
        "\"a\" has answered another one"
    );
}

#[test]
fn a_page_is_accepted_only_where_that_is_said() {
    let page = Ask::url("Sign.", "https://x.test/");
    for text in
        [r#"[{"action":"accept"}]"#, r#"{"action":"accept"}"#, r#"{"action":"accept","content":{"a":"1"}}"#]
    {
        assert_eq!(action(text, 1, &page), Some(Action::Accept), "{text}");
    }
    assert_eq!(action(r#"{"a":"1"}"#, 1, &page), None);
    let answers = Answers::parse(r#"[{"a":"1"}]"#).expect("reads");
    assert!(
        answers.to(1, &page).expect_err("has fields").contains("entry 1: the question asks to visit a page")
    );
    let empty = Answers::parse("[{},{}]").expect("reads");
    let problem = empty.to(1, &page).expect_err("nobody has said that the page may be visited");
    assert!(problem.contains(r#"{"action": "accept"} accepts it"#), "{problem}");
}

#[test]
fn what_is_misspelt_is_named_with_its_place() {
    for (text, wanted) in [
        (r#"[{"b":"1"}]"#, "entry 1: the question has no field \"b\"; there is only a"),
        ("\n{\"a\":\"1\",\"A\":\"2\"}\n{}", "line 2: the question has no field \"A\""),
        (r#"[{"action":"merge"}]"#, "entry 1: \"merge\" is no action"),
        (r#"{"action":"merge"}"#, "the answers: \"merge\" is no action"),
        (r#"[{"a":"1","action":"decline"}]"#, "entry 1: \"action\" stands beside \"a\""),
        (r#"{"a":"1","action":"decline"}"#, "the answers: \"action\" stands beside \"a\""),
        (r#"{"a":"1","action":"accept"}"#, "the answers: \"action\" stands beside \"a\""),
    ] {
        let problem = Answers::parse(text).expect(text).to(1, &ask("a")).expect_err(text);
        assert!(problem.contains(wanted), "{problem}");
    }
    for (text, wanted) in [
        (r#"[{"action":"declin"}]"#, "entry 1: \"declin\" is no action"),
        (r#"{"action":"cancle"}"#, "the answers: \"cancle\" is no action"),
        (
            r#"[{"otherwise":"decline"},{"a":"1"}]"#,
            "entry 1: {\"otherwise\": \"decline\"} is an entry of its own",
        ),
        (
            r#"[{"a":"1","otherwise":"cancel"}]"#,
            "entry 1: {\"otherwise\": \"cancel\"} is an entry of its own",
        ),
        (r#"[{"action":"accept","otherwise":"cancel"}]"#, "entry 1: {\"otherwise\": \"cancel\"} is an entry"),
        (r#"{"a":"1","otherwise":"accept"}"#, "the answers: \"otherwise\" is \"accept\""),
        (r#"[{},{"action":"acept","content":{}}]"#, "entry 2: \"acept\" is no action"),
        ("{}\n{\"acton\":\"accept\",\"content\":{}}", "line 2: \"acton\" is no part of an entry"),
        (r#"[{},{"otherwise":"accept"}]"#, "entry 2: \"otherwise\" is \"accept\""),
        ("{}\n\n[1]", "line 3: [1] is not an object"),
        (r#"[{"n":18446744073709551617}]"#, "18446744073709551617 would be rounded"),
    ] {
        let problem = Answers::parse(text).expect_err(text);
        assert!(problem.contains(wanted), "{problem}");
    }
}

#[test]
fn a_field_that_is_missing_and_misspelt_is_named_before_anything_is_sent() {
    let fields = json!({ "name": { "type": "string" }, "note": { "type": "string" } });
    let ask = Ask::form("?", json!({ "type": "object", "properties": fields }));
    let said = |text: &str| Answers::parse(text).expect(text).to(1, &ask);
    for text in [r#"{"name":"x","nte":"y"}"#, r#"{"name":"x","noet":"y"}"#, r#"{"name":"x","notes":"y"}"#] {
        let problem = said(text).expect_err(text);
        assert!(problem.ends_with("; it has \"note\""), "{problem}");
    }
    for text in [r#"{"name":"x","note":"y","nte":"z"}"#, r#"{"name":"x","colour":"y"}"#] {
        assert!(said(text).expect(text).is_some(), "it may be another question's: {text}");
    }
}

#[test]
fn what_answered_nothing_is_named() {
    let answers = Answers::parse(r#"[{"a":"1"},{"a":"2"},{"a":"3"}]"#).expect("reads");
    assert!(to(&answers, 1, &ask("a")).is_some());
    assert_eq!(answers.surplus(), ["entry 2", "entry 3"]);
    assert!(answers.missing(4).contains("no entry for question 4: there are 3"));
    let answers = Answers::parse(r#"{"a":"1","spcie":"2"}"#).expect("reads");
    assert!(to(&answers, 1, &ask("a")).is_some());
    assert_eq!(answers.surplus(), ["the field \"spcie\""]);
}

#[test]
fn an_entry_for_a_page_is_left_to_it_when_forms_are_asked_before() {
    let yes_or_no = |message: &str| {
        let form =
            json!({ "type": "object", "required": ["ok"], "properties": { "ok": { "type": "boolean" } } });
        Ask::form(message, form)
    };
    let text = r#"[{"action":"accept"},{"ok":true},{"ok":false}]"#;
    let answers = Answers::parse(text).expect("reads");
    let ok =
        |position, message: &str| to(&answers, position, &yes_or_no(message)).and_then(|one| one.content);
    assert_eq!(ok(1, "one").map(Value::Object), Some(json!({ "ok": true })));
    assert_eq!(ok(2, "two").map(Value::Object), Some(json!({ "ok": false })));
    let page = to(&answers, 3, &Ask::url("Sign.", "https://x.test/")).expect("given");
    assert_eq!((page.action, page.content), (Action::Accept, None));
    assert_eq!(answers.surplus(), Vec::<String>::new());
}

#[test]
fn what_does_not_fit_is_named_with_its_place_before_it_is_given() {
    let schema = json!({ "type": "object", "required": ["pri"], "properties": {
        "pri": { "type": "string", "enum": ["fast", "slow"] }, "n": { "type": "integer" } } });
    let (of_text, ask) = (ask("a"), Ask::form("?", schema));
    let said = |text: &str, position: usize, ask: &Ask| {
        Answers::parse(text).expect(text).to(position, ask).expect_err("does not fit")
    };
    let list = Answers::parse(r#"[{"a":"1"},{"pri":"quick"}]"#).expect("reads");
    assert!(to(&list, 1, &of_text).is_some());
    let of_list = list.to(2, &ask).expect_err("does not fit");
    assert!(of_list.starts_with("entry 2 does not fit question 2: pri: "), "{of_list}");
    let whole = said(r#"{"pri":"quick"}"#, 1, &ask);
    assert!(whole.starts_with("the answers do not fit question 1: pri: "), "{whole}");
    let page = Ask::url("Sign.", "https://x.test/");
    for (text, place) in [(r#"{"action":"merge"}"#, "the answers"), (r#"[{"action":"merge"}]"#, "entry 1")] {
        for asked in [&ask, &page] {
            let problem = format!("{place}: \"merge\" is no action: there are accept, decline and cancel");
            assert_eq!(said(text, 1, asked), problem);
        }
    }
}

#[test]
fn an_answer_is_told_in_the_order_of_its_form() {
    let schema = json!({ "type": "object", "properties": {
        "b": { "type": "string" }, "a": { "type": "string", "default": "x" } } });
    let ask = Ask::form("?", schema);
    let answers = Answers::parse(r#"[{"b":"1"}]"#).expect("reads");
    let answer = to(&answers, 1, &ask).expect("fits");
    assert_eq!(crate::desk::values::in_words(&ask, &answer), "b=1 a=x");
}
