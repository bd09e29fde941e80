//! The suite's client scenarios against `mcptask submit` and `mcptask tools`, as `client.sh` runs them.

use std::path::Path;

use crate::suite::{Checks, read, suite};

/// What the client scenarios that are not run begin with: OAuth, since tokens are given to this client, and
/// skills, which are resources.
const NOT_APPLICABLE: &[&str] = &["auth/", "sep-2640-"];

/// Those that are run: each has a test below.
const RUN: &[&str] = &[
    "initialize",
    "tools_call",
    "elicitation-sep1034-client-defaults",
    "sse-retry",
    "request-metadata",
    "sep-2322-client-request-state",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "json-schema-ref-no-deref",
    "json-schema-2020-12-preservation",
];

/// Checks of scenarios that apply otherwise: what this client does not declare, and the headers of requests that it
/// does not send, for which the check's message says `Client did not send a REQUEST`.
const CHECKS_NOT_APPLICABLE: &[&str] =
    &["sep-2575-client-declares-roots-capability", "sep-2575-client-declares-sampling-capability"];
const REQUESTS_NOT_APPLICABLE: &[&str] =
    &["initialize", "notifications/initialized", "resources/", "prompts/"];

/// Whether a check that did not pass should have.
fn should_pass(&(check, message): &(&str, &str)) -> bool {
    let unsent = message.strip_prefix("Client did not send a ");
    let is_never_sent =
        unsent.is_some_and(|unsent| REQUESTS_NOT_APPLICABLE.iter().any(|one| unsent.starts_with(one)));
    !is_never_sent && !CHECKS_NOT_APPLICABLE.contains(&check)
}

/// Whether a scenario is none of those that are left out here.
pub(crate) fn may_run(scenario: &str) -> bool {
    !NOT_APPLICABLE.iter().any(|one| scenario.starts_with(one))
}

/// Runs one scenario; every check of it must pass.
fn passes(scenario: &str) {
    assert!(RUN.contains(&scenario));
    let home = tempfile::tempdir().expect("a folder");
    let output = home.path().join("output");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/client.sh");
    let ran = suite()
        .args(["client", "--scenario", scenario, "--command"])
        .arg(script)
        .arg("-o")
        .arg(&output)
        .env("MCPTASK", env!("CARGO_BIN_EXE_mcptask"))
        .env("HOME", home.path())
        .output()
        .expect("node starts");
    let said = String::from_utf8_lossy(&ran.stdout);
    let checks = read(&output);
    let failed: Vec<_> = checks.iter().flat_map(Checks::failures).filter(should_pass).collect();
    assert!(ran.status.success() && !checks.is_empty() && failed.is_empty(), "{failed:#?}\n{said}");
}

#[test]
fn every_client_scenario_is_run_or_named_as_not_applicable() {
    let listed = suite().args(["list", "--client"]).output().expect("node starts");
    let listed = String::from_utf8_lossy(&listed.stdout);
    let names: Vec<_> =
        listed.lines().filter_map(|line| line.strip_prefix("  - ")?.split(' ').next()).collect();
    assert!(RUN.iter().all(|one| names.contains(one)), "{names:?}");
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !RUN.contains(name) && !NOT_APPLICABLE.iter().any(|one| name.starts_with(one)))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

macro_rules! client_scenarios {
    ($($test:ident: $scenario:literal),+ $(,)?) => {
        $(#[test]
        fn $test() {
            passes($scenario);
        })+
    };
}

client_scenarios!(
    a_legacy_session_begins: "initialize",
    a_tool_is_called: "tools_call",
    defaults_are_part_of_an_answer: "elicitation-sep1034-client-defaults",
    a_stream_that_ends_is_taken_up_again: "sse-retry",
    modern_requests_say_who_sends_them: "request-metadata",
    the_state_of_a_round_goes_back: "sep-2322-client-request-state",
    headers_repeat_the_request: "http-standard-headers",
    parameters_go_into_their_headers: "http-custom-headers",
    a_tool_with_broken_headers_is_left_out: "http-invalid-tool-headers",
    schemas_are_kept_whole: "json-schema-2020-12-preservation",
    references_in_schemas_are_not_followed: "json-schema-ref-no-deref",
);
