//! Swapping tools while tasks run.

use serde_json::json;

use crate::setup::{config, error, run_with, text};
use crate::support::within;

const ASKS: &str =
    "[tools.asks]\ndescription = \"Asks.\"\nsteps = [{ ask = \"Ready?\" }, { return = \"old\" }]\n";
const OTHER: &str = "[tools.other]\ndescription = \"New.\"\nsteps = [{ return = \"new\" }]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_runs_keeps_the_tool_that_it_began_with() {
    let running = run_with(ASKS, 4, Vec::new()).await;
    let task = running.submit("asks", json!({})).await;
    running.asked(&task, 1).await;
    let changed = ASKS.replace("old", "changed");
    running.tools.replace(&config(&changed).tools()).await.expect("swaps");
    running.accept(&task, 1, json!({})).await;
    assert_eq!(text(&running.ended(&task).await), "old");
    let task = running.submit("asks", json!({})).await;
    running.accept(&task, 1, json!({})).await;
    assert_eq!(text(&running.ended(&task).await), "changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_tools_are_offered_old_ones_are_gone_and_watchers_are_told() {
    let running = run_with(ASKS, 4, Vec::new()).await;
    let mut changes = running.engine.tool_changes();
    let task = running.submit("asks", json!({})).await;
    running.asked(&task, 1).await;
    running.tools.replace(&config(OTHER).tools()).await.expect("swaps");
    within("the change", changes.changed()).await.expect("the engine lives");
    let names: Vec<_> =
        running.engine.tools().await.expect("reads").into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["other"]);
    assert_eq!(text(&running.call("other", json!({})).await), "new");
    running.accept(&task, 1, json!({})).await;
    assert_eq!(text(&running.ended(&task).await), "old", "it ran all along");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_tool_is_gone_while_it_waits_ends_in_a_clear_error() {
    let busy = "[tools.busy]\ndescription = \"Runs.\"\nsteps = [{ report = \"on\" }, { sleep = 600 }]\n";
    let running = run_with(&format!("{busy}{OTHER}"), 1, Vec::new()).await;
    let holder = running.submit("busy", json!({})).await;
    running.reported(&holder).await;
    let waiting = running.submit("other", json!({})).await;
    running.tools.replace(&config(busy).tools()).await.expect("swaps");
    let ended = running.ended(&waiting).await;
    assert!(error(&ended).message.contains("taken out of the configuration"), "{ended:?}");
    let holder = running.reached(&holder, |_| true).await;
    assert!(!holder.status.is_final(), "what runs goes on");
}
