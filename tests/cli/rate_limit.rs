//! Commands that wait through a server with a limit of requests, which all of them share.

use crate::place::Place;

#[test]
fn a_server_with_a_limit_is_waited_for_to_the_end_in_both_eras() {
    let place = Place::new();
    let server = place.serve(&["--rate-limit", "3"]);
    let answers = place.file("answers.json", r#"{"cuisine":"Thai","vegetarian":true}"#);
    for era in ["auto", "legacy", "modern"] {
        let way = ["--era", era, "--server", server.url(), "--timeout", "60s"];
        let submit = ["submit", "plan_dinner", "--wait", "--answers", &answers];
        let ran = place.run(&[&submit[..], &way].concat());
        assert!(ran.code == 0 && ran.out.contains("A vegetarian Thai dinner"), "{era}: {ran:?}");
    }
    assert_eq!(place.json(&["list"]).len(), 3, "each was submitted once");
}
