//! What is wrong with those who tell people of what happens.

use super::Finding;
use crate::desk::failure::Failure;
use crate::desk::place::STORE;
use crate::desk::suggest::{Advice, Suggested};
use crate::desk::text;
use crate::engine::Engine;
use crate::store::notifiers::NotifierInfo;

/// What is wrong with each.
pub(super) async fn of_notifiers(engine: &Engine) -> Result<Vec<Finding>, Failure> {
    let found = engine.store().notifiers().notifiers().await?;
    let unreadable = found.unreadable.iter().map(|one| {
        let forget = Suggested::new("notify").about("forget").word(&one.name);
        let help = Advice::command(forget, "forgets it, and whoever runs it begins anew");
        trouble(
            "unreadable",
            format!("the notifier {} cannot be read: {}", text::line(&one.name), one.problem),
            help,
        )
    });
    Ok(found.rows.iter().flat_map(of).chain(unreadable).collect())
}

fn of(info: &NotifierInfo) -> Vec<Finding> {
    let name = text::line(&info.name);
    let mut found = Vec::new();
    if !info.is_run() {
        let forget = Suggested::new("notify").about("forget").word(&info.name);
        let help = Advice::from("start a server whose file has it; ")
            .and_command(forget, "forgets it, with what it has to tell");
        found.push(trouble(
            "notifier_not_run",
            format!("nobody runs the notifier {name}: nobody is told"),
            help,
        ));
    }
    if let Some(problem) = info.status.problem.as_ref().filter(|_| info.status.failing_since.is_some()) {
        let waiting = info.waiting;
        let evidence = format!(
            "the last tries of the notifier {name} failed, {waiting} wait: {}",
            text::sentence(problem)
        );
        found.push(trouble(
            "notifier_fails",
            evidence,
            "see to its receiver; what waits is tried again by itself".into(),
        ));
    }
    if info.set_aside > 0 {
        let retry = Suggested::new("notify").about("retry").word(&info.name);
        let help =
            Advice::command(Suggested::new("notify"), "shows why, ").and_command(retry, "sends them again");
        found.push(trouble(
            "notices_set_aside",
            format!("the notifier {name} has given up {} notices", info.set_aside),
            help,
        ));
    }
    found
}

fn trouble(cause: &'static str, evidence: String, help: Advice) -> Finding {
    Finding { source: STORE, task: None, cause, evidence, help, is_trouble: true }
}
