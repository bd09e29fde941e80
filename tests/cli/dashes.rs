//! Ids that begin with a dash, as one of 64 of FastMCP 4's does.

use crate::place::Place;

const ID: &str = "-1bXw0lKQm7vYcNf2dEaR8sTgUhPjZ5oMi3xBq9_kVA";

#[test]
fn an_id_that_begins_with_a_dash_is_no_option() {
    let place = Place::new();
    place.ok(&["list"]);
    for line in [
        &["show", ID][..],
        &["show", "--json", ID],
        &["cancel", ID, "--yes"],
        &["result", ID, "--wait"],
        &["doctor", ID],
        &["attach", ID],
        &["retry", ID, "--wait"],
        &["respond", ID, "--decline", "--note=-2bXw0lKQm"],
        &["respond", "--question", "-2bXw0lKQm", ID, "--decline"],
        &["show", &ID[..8]],
        // A short option of its own.
        &["show", "-hqVv1BcDe"],
        &["show", "--", ID],
    ] {
        let ran = place.run(line);
        assert!(ran.code == 9 && ran.err.contains("no task"), "{line:?}: {ran:?}");
    }
}

#[test]
fn an_unknown_option_is_refused_with_its_tip() {
    let place = Place::new();
    for (line, tip) in [
        (&["show", "-unknown-option"][..], "unexpected argument '-u' found"),
        (&["respond", "abcd1234", "--declin"], "a similar argument exists: '--decline'"),
        (&["show", "abcd1234", ID], "unexpected argument '-1' found"),
        (&["submit", ID], "unexpected argument '-1' found"),
        (&["show", "-x"], "unexpected argument '-x' found"),
    ] {
        let ran = place.run(line);
        assert!(ran.code == 2 && ran.err.contains(tip), "{line:?}: {ran:?}");
    }
}
