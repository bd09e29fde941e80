//! What each kind of field is on a page, and what a browser's form makes of it.

use mcptask::task::Ask;
use serde_json::{Value, json};

use crate::pages::Pages;

fn ask() -> Ask {
    let schema = json!({ "type": "object", "required": ["pin", "list", "any"], "properties": {
        "pin": { "type": "string", "title": "PIN", "format": "password", "minLength": 4 },
        "list": { "type": "array", "title": "List", "items": { "type": "integer" } },
        "any": { "title": "Any" },
        "some": { "type": "array", "title": "Some", "default": ["b"], "items": { "enum": ["a", "b"] } },
        "note": { "type": "string", "title": "Note", "default": "two\nlines" },
        "maybe": { "type": ["boolean", "null"], "title": "Maybe", "default": true } } });
    Ask::form("Odd things?", schema)
}

#[test]
fn what_no_usual_form_has_is_typed_as_the_terminal_has_it() {
    let pages = Pages::sqlite();
    let task = pages.asking(&ask());
    let link = pages.link(&task, &[]);
    let page = pages.site.get(&link).body;
    for part in [
        "type=\"password\" id=\"f0\" name=\"f0\" value=\"\"",
        "a list of whole numbers, with commas between",
        "<textarea class=\"json\" id=\"f2\"",
        "name=\"f3\" value=\"1\" checked",
        "\ntwo\nlines</textarea>",
        "name=\"f5\" value=\"yes\" checked id=\"f5\"",
    ] {
        assert!(page.contains(part), "{part:?} is not in {page}");
    }
    let refused = pages.site.answer(&link, "f0=hunter2&f1=1%2C+x&f2=&f3=0&f4=a%0D%0Ab&action=accept");
    assert_eq!(refused.status, 422, "{refused:?}");
    assert!(!refused.body.contains("hunter2"), "a secret does not come back: {}", refused.body);
    assert!(
        refused.body.contains("value=\"1, x\"") && refused.body.contains("\na\nb</textarea>"),
        "{}",
        refused.body
    );
    let short = pages.site.answer(&link, "f0=pin&f1=1&f2=2&action=accept");
    assert!(short.status == 422 && !short.body.contains("&quot;pin&quot;"), "{}", short.body);
    assert_eq!(pages.answer(&task), Value::Null);
    let fields = "f0=hunter2&f1=1%2C+2&f2=%7B%22a%22%3A%5B1%5D%7D&f4=two%0D%0Alines&f5=&action=accept";
    let sent = pages.site.answer(&link, fields);
    assert_eq!(sent.status, 303, "{sent:?}");
    let expected = json!({ "pin": "hunter2", "list": [1, 2], "any": { "a": [1] }, "some": [], "note": "two\nlines", "maybe": null });
    assert_eq!(pages.answer(&task)["content"], expected);
}

#[test]
fn a_form_whose_fields_cannot_be_told_is_one_text() {
    let pages = Pages::sqlite();
    let schema = json!({ "type": "object", "oneOf": [
        { "properties": { "a": { "type": "string" } }, "required": ["a"] },
        { "properties": { "b": { "type": "string" } }, "required": ["b"] } ] });
    let task = pages.asking(&Ask::form("Which?", schema));
    let link = pages.link(&task, &[]);
    for (typed, said) in [("", "a JSON object"), ("[1]", "a JSON object"), ("%7B%7D", "Nothing was sent")] {
        let refused = pages.site.answer(&link, &format!("whole={typed}&action=accept"));
        assert_eq!(refused.status, 422, "{typed}: {refused:?}");
        assert!(
            refused.body.contains(said) && refused.body.contains("aria-invalid=\"true\""),
            "{}",
            refused.body
        );
    }
    assert_eq!(pages.site.answer(&link, "whole=%7B%22b%22%3A%22x%22%7D&action=accept").status, 303);
    assert_eq!(pages.answer(&task)["content"], json!({ "b": "x" }));
}
