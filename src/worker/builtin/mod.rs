//! Tools that are always there: to try the loop, and to show every kind of question.

mod form;
mod plan_dinner;
mod wait;

use std::sync::Arc;

use super::{Tool, Tools};

/// The built-in tools, by name.
pub fn tools() -> Tools {
    let tools: [Arc<dyn Tool>; 3] = [
        Arc::new(plan_dinner::PlanDinner::new()),
        Arc::new(form::FillForm::new()),
        Arc::new(wait::Wait::new()),
    ];
    tools.into_iter().map(|tool| (tool.spec().name.clone(), tool)).collect()
}
