//! The official conformance suite against `mcptask serve` with the script tools of `mcptask.toml`.

mod client;
mod suite;
#[path = "../support/tables.rs"]
#[expect(dead_code, reason = "the other test binaries look for tests of ours")]
mod tables;

use suite::{Checks, Server};

/// What the suite tests that this project does not exist for: prompts, resources, completion, sampling, roots and
/// logging of servers; and skills, which are resources. The capability check wants a question by sampling.
const NOT_APPLICABLE: &[&str] = &[
    "completion-complete",
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
    "prompts-list",
    "resources-list",
    "resources-read-binary",
    "resources-read-text",
    "resources-subscribe",
    "resources-templates-read",
    "resources-unsubscribe",
    "sep-2164-resource-not-found",
    "tools-call-sampling",
    "tools-call-with-logging",
];

/// What the suite only has a name for yet: it skips itself, so nothing may lean on it.
const PENDING: &[&str] = &["tasks-status-notifications"];

/// Checks of scenarios that apply otherwise: prompts and resources, which the server lacks; and answers of a call that
/// has not been asked anything and brings no state, so that there is no question they belong to.
const CHECKS_NOT_APPLICABLE: &[&str] = &[
    "sep-2549-prompts-list-caching-hints",
    "sep-2549-resources-list-caching-hints",
    "sep-2549-resources-read-caching-hints",
    "sep-2549-resources-templates-list-caching-hints",
    "sep-2575-server-sends-prompts-list-changed-on-subscription",
    "sep-2322-ignore-unexpected-params",
];

/// What did not pass and should have.
fn failed(checks: &[Checks]) -> Vec<String> {
    let mut failed = Vec::new();
    for one in checks.iter().filter(|one| !NOT_APPLICABLE.contains(&one.scenario.as_str())) {
        for (check, message) in one.failures() {
            if !CHECKS_NOT_APPLICABLE.contains(&check) {
                failed.push(format!("{} {check}: {message}", one.scenario));
            }
        }
    }
    failed
}

/// `docs/SPECIFICATION.md` leaves claims to scenarios that exist and are run.
#[test]
fn every_scenario_that_the_specification_page_names_is_run() {
    let page = tables::text("docs/SPECIFICATION.md");
    let listed = suite::listed();
    for row in tables::rows(&page) {
        for name in tables::names(&row, 2).iter().filter_map(|name| name.strip_prefix("conformance ")) {
            assert!(listed.contains(name), "there is no scenario {name}");
            let is_run = ![NOT_APPLICABLE, PENDING].concat().contains(&name) && client::may_run(name);
            assert!(is_run, "{name} is not run");
        }
    }
}

/// Runs every scenario of one version of the protocol.
fn version(version: &str) {
    let server = Server::start();
    let checks = server.run(&["--suite", "all", "--spec-version", version]);
    let failed = failed(&checks);
    assert!(failed.is_empty(), "{failed:#?}");
    let run: Vec<_> = checks.iter().map(|one| one.scenario.as_str()).collect();
    assert!(run.contains(&"tools-list") && run.len() > 25, "{run:?}");
}

#[test]
fn scenarios_of_2025_06_18_pass() {
    version("2025-06-18");
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
        /// Those that are run.
        const TASKS: &[&str] = &[$(stringify!($name)),+];

        $(#[test]
        fn $name() {
            let scenario = stringify!($name).replace('_', "-");
            let checks = Server::start().run(&["--scenario", &scenario]);
            assert_eq!(checks.len(), 1, "{scenario} left no checks: it crashed");
            let failed = failed(&checks);
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
    tasks_required_task_error,
    tasks_mrtr_composition,
);

/// Whoever takes a newer suite sees here what became of them.
#[test]
fn what_is_pending_looks_at_nothing() {
    for scenario in PENDING {
        let checks = Server::start().run(&["--scenario", scenario]);
        assert!(!checks.iter().any(Checks::passed), "{scenario} looks at something: run it as the others");
    }
}

/// Each task scenario of the suite is run above or is pending.
#[test]
fn every_task_scenario_is_run() {
    let listed = suite::listed();
    let of_tasks = listed.iter().filter(|name| name.starts_with("tasks-")).map(String::as_str);
    let unknown: Vec<_> = of_tasks
        .filter(|name| !TASKS.contains(&name.replace('-', "_").as_str()) && !PENDING.contains(name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
