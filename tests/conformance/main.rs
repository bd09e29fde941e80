//! The official conformance suite against `mcptask serve` with the script tools of `mcptask.toml`.

mod suite;

use suite::{Checks, Server};

/// What the suite tests that this project does not exist for: prompts, resources, sampling, roots and
/// logging of servers; and skills, which are resources. The capability check wants a question by sampling.
const NOT_APPLICABLE: &[&str] = &[
    "input-required-result-capability-check",
    "input-required-result-basic-list-roots",
    "input-required-result-basic-sampling",
    "input-required-result-multiple-input-requests",
    "input-required-result-non-tool-request",
    "logging-set-level",
    "prompts-get-embedded-resource",
    "prompts-get-simple",
    "prompts-get-with-args",
    "prompts-get-with-image",
    "resources-read-binary",
    "resources-read-text",
    "resources-subscribe",
    "resources-templates-read",
    "resources-unsubscribe",
    "tools-call-sampling",
    "tools-call-with-logging",
];

/// Checks that fail today, each with what it would take. An entry that does not fail any more fails the
/// test, so that the list stays true.
const PENDING: &[(&str, &str)] = &[
    // The suite answers by names of its own in place of the keys that it was given.
    ("input-required-result-basic-elicitation", "sep-2322-elicitation-incomplete"),
    ("input-required-result-multi-round", "sep-2322-multi-round-r2"),
    // rmcp answers prompts/list with an empty list, though the server has no prompts.
    ("server-stateless", "sep-2575-server-declares-prompts-in-discover"),
];

fn failed(checks: &[Checks], pending: &[(&str, &str)]) -> Vec<String> {
    let mut failed = Vec::new();
    for one in checks.iter().filter(|one| !NOT_APPLICABLE.contains(&one.scenario.as_str())) {
        for (check, message) in one.failures() {
            if !pending.contains(&(one.scenario.as_str(), check)) {
                failed.push(format!("{} {check}: {message}", one.scenario));
            }
        }
    }
    failed
}

/// Runs every scenario of one version of the protocol.
fn version(version: &str) {
    let server = Server::start();
    let checks = server.run(&["--suite", "all", "--spec-version", version]);
    let failed = failed(&checks, PENDING);
    assert!(failed.is_empty(), "{failed:#?}");
    let fails = |scenario: &str, check: &str| {
        checks.iter().any(|one| one.scenario == scenario && one.failures().any(|(id, _)| id == check))
    };
    for (scenario, check) in PENDING.iter().filter(|(name, _)| checks.iter().any(|one| one.scenario == *name))
    {
        assert!(fails(scenario, check), "{scenario} {check} passes now: take it off the list");
    }
    let run: Vec<_> = checks.iter().map(|one| one.scenario.as_str()).collect();
    assert!(run.contains(&"tools-list") && run.len() > 25, "{run:?}");
}

#[test]
fn scenarios_of_2025_11_25_pass() {
    version("2025-11-25");
}

#[test]
fn scenarios_of_2026_07_28_pass() {
    version("2026-07-28");
}

macro_rules! task_scenarios {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            let scenario = stringify!($name).replace('_', "-");
            let checks = Server::start().run(&["--scenario", &scenario]);
            assert_eq!(checks.len(), 1, "{scenario} left no checks: it crashed");
            let failed = failed(&checks, PENDING);
            assert!(failed.is_empty(), "{failed:#?}");
        })+
    };
}

task_scenarios!(
    tasks_lifecycle,
    tasks_capability_negotiation,
    tasks_wire_fields,
    tasks_request_state_removal,
    tasks_mrtr_input,
    tasks_request_headers,
    tasks_dispatch_and_envelope,
    tasks_status_notifications,
    tasks_required_task_error,
    tasks_mrtr_composition,
);
