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

#[test]
fn a_value_that_begins_with_a_dash_gets_a_tip_that_works() {
    let place = Place::new();
    for line in [&["watch", "--tail", "-1"][..], &["cancel", "--older", "-1h"], &["--timeout", "-3s", "list"]]
    {
        let ran = place.run(line);
        let value =
            line.iter().find(|word| word.starts_with('-') && !word.starts_with("--")).expect("has one");
        let option = line.iter().find(|word| word.starts_with("--")).expect("has one");
        let tip = format!("write {option}={value}");
        assert!(ran.code == 2 && ran.err.contains(&tip) && !ran.err.contains("'-- -"), "{line:?}: {ran:?}");
        let json = place.run(&[line, &["--json"]].concat());
        assert!(json.code == 2 && json.err.contains(&tip), "{line:?}: {json:?}");
    }
    // Written so, the value is read, and what is wrong with it is said.
    let ran = place.run(&["cancel", "--older=-1h"]);
    assert!(ran.code == 2 && ran.err.contains("-1h") && !ran.err.contains("unexpected"), "{ran:?}");
    let ran = place.run(&["list", "--no-input", "-1"]);
    assert!(ran.err.contains("unexpected argument '-1' found"), "a flag has no value: {ran:?}");
}

#[test]
fn an_empty_command_for_each_event_is_refused() {
    let place = Place::new();
    place.ok(&["list"]);
    for command in ["", "  "] {
        let ran = place.run(&["watch", "--no-follow", "--exec", command]);
        assert!(ran.code == 2 && ran.err.contains("is a variable unset?"), "{ran:?}");
    }
}
