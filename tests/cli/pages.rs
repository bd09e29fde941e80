//! A question that asks to visit a page shows its address and its host wherever it is shown.

use crate::place::Place;

const PAGE: &str = "https://pay.example/checkout?x=1";
const HOST: &str = "pay.example";

const PAY: &str = r#"[tools.pay]
description = "Asks to visit a page."
steps = [{ ask = "Please pay.", as = "v", url = "https://pay.example/checkout?x=1" }, { return = "{{ v.action }}" }]
"#;

/// Whether the host is named apart from the address.
fn names_the_host(shown: &str) -> bool {
    shown.replace(PAGE, "").contains(HOST)
}

#[test]
fn nobody_is_led_to_accept_a_page_they_were_not_shown() {
    let place = Place::new();
    let server = place.serve(&["--config", &place.file("mcptask.toml", PAY)]);
    let id = place.asking("pay");
    let modern = ["--server", server.url(), "--era", "modern"];
    let shown: Vec<(Vec<&str>, i32)> = vec![
        (vec!["show", &id], 0),
        (vec!["list"], 0),
        (vec!["watch", "--no-follow", "--task", &id], 0),
        (vec!["doctor", &id], 0),
        (vec!["result", &id], 10),
        (vec!["respond", &id, "--no-input"], 6),
        (vec!["respond", "--next", "--no-input"], 6),
        (vec!["submit", "pay", "--wait", "--no-input"], 6),
        ([&["show", &id][..], &modern].concat(), 0),
        ([&["respond", &id, "--no-input"][..], &modern].concat(), 6),
        ([&["submit", "pay", "--wait", "--no-input"][..], &modern].concat(), 6),
        ([&["submit", "pay", "--wait", "--no-input", "--json"][..], &modern].concat(), 6),
    ];
    for (command, code) in shown {
        let ran = place.run(&command);
        assert_eq!(ran.code, code, "{command:?}: {ran:?}");
        let shown = ran.out + &ran.err;
        assert!(shown.contains(PAGE) && names_the_host(&shown), "{command:?} hides the page: {shown}");
    }
    for command in [&["show", &id, "--json"][..], &["list", "--json"], &["watch", "--no-follow", "--json"]] {
        assert!(place.ok(command).contains(PAGE), "{command:?}");
    }
}

#[test]
fn only_accept_accepts_a_page_and_the_receipt_names_it() {
    let place = Place::new();
    let _server = place.serve(&["--config", &place.file("mcptask.toml", PAY)]);
    let id = place.asking("pay");
    for content in ["{}", r#"{"ok":true}"#] {
        for respond in [&["respond", &id][..], &["respond", "--next"], &["respond", "--all", "--tool", "pay"]]
        {
            let refused = place.run(&[respond, &["--content", content]].concat());
            assert_eq!(refused.code, 2, "{refused:?}");
            assert!(refused.err.contains("only --accept accepts"), "{refused:?}");
        }
    }
    let refused =
        place.run(&["submit", "pay", "--wait", "--answers", &place.file("answers.json", "[{},{}]")]);
    assert!(refused.code != 0 && refused.err.contains("asks to visit a page"), "{refused:?}");
    let accepted = place.run(&["respond", &id, "--accept"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert!(accepted.err.contains(PAGE) && names_the_host(&accepted.err), "{accepted:?}");
    place.until(&id, "completed");
    let id = place.asking("pay");
    let receipt = place.json(&["respond", &id, "--accept"]);
    assert_eq!((&receipt[0]["url"], &receipt[0]["host"]), (&PAGE.into(), &HOST.into()), "{receipt:?}");
}
