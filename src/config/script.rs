//! Tools of kind `script`: checks that need to see all steps of one.

use super::steps::Reader;
use super::table::Table;
use crate::task::{Fault, ToolSpec, fault};
use crate::worker::script::{Step, StepKind};

/// Reads `steps`; notes mistakes.
pub(super) fn read(table: &mut Table<'_>, spec: &mut ToolSpec) -> Vec<Step> {
    let tables = table.tables("steps").unwrap_or_default();
    if tables.is_empty() {
        table.missing("steps", "give at least one, such as { return = \"done\" }");
    }
    let mut reader = Reader::default();
    let steps = reader.steps(tables);
    reader.check_names(table.source);
    if uses(&steps, Fault::TtlEndsMidQuestion) {
        spec.ttl_ms = Some(spec.ttl_ms.map_or(fault::ENDING_TTL_MS, |ttl| ttl.min(fault::ENDING_TTL_MS)));
    }
    steps
}

/// How many questions the steps ask at most.
pub(super) fn most_questions(steps: &[Step]) -> u64 {
    let of_step = |step: &Step| match &step.kind {
        StepKind::Ask { questions, .. } => questions.len() as u64,
        StepKind::Branch { then, otherwise, .. } => most_questions(then).max(most_questions(otherwise)),
        StepKind::Loop { body, at_most, .. } => most_questions(body).saturating_mul(u64::from(*at_most)),
        _ => 0,
    };
    steps.iter().map(of_step).fold(0, u64::saturating_add)
}

fn uses(steps: &[Step], fault: Fault) -> bool {
    steps.iter().any(|step| match &step.kind {
        StepKind::Fault(used) => *used == fault,
        StepKind::Branch { then, otherwise, .. } => uses(then, fault) || uses(otherwise, fault),
        StepKind::Loop { body, .. } => uses(body, fault),
        _ => false,
    })
}
