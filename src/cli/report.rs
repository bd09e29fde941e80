//! `report`: says how far a command is.

use std::str::FromStr;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::ui::{Ui, text};
use crate::ask::client::Connection;
use crate::ask::protocol::ReportRequest;

/// Report a step of this task, from inside a command that a worker runs
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// How far: 3, or 3/10
    #[arg(value_name = "STEP[/TOTAL]")]
    step: Step,
    /// What the command is doing; becomes the task's status message
    message: Option<String>,
    /// Say it at this terminal, to try a script by hand
    #[arg(long)]
    local: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    current: f64,
    total: Option<f64>,
}

impl FromStr for Step {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let read = part.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
            read.ok_or_else(|| format!("{given:?} is not a step such as 3 or 3/10"))
        };
        match given.split_once('/') {
            Some((current, total)) => Ok(Self { current: number(current)?, total: Some(number(total)?) }),
            None => Ok(Self { current: number(given)?, total: None }),
        }
    }
}

pub(crate) fn run(ui: &Ui, args: ReportArgs) -> Result<(), Failure> {
    let Step { current, total } = args.step;
    if !args.local {
        Connection::from_environment()?.report(ReportRequest { current, total, message: args.message })?;
        return Ok(());
    }
    if ui.is_json() {
        return ui.object(&json!({ "current": current, "total": total, "message": args.message }));
    }
    let total = total.map(|total| format!("/{total}")).unwrap_or_default();
    let message = args.message.map(|message| format!(" {}", text::sentence(&message))).unwrap_or_default();
    ui.talk(&format!("{current}{total}{message}"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_number_or_two() {
        assert_eq!("3/10".parse(), Ok(Step { current: 3.0, total: Some(10.0) }));
        assert_eq!("2.5".parse(), Ok(Step { current: 2.5, total: None }));
        for wrong in ["", "x", "-1", "3/", "1/2/3", "inf"] {
            assert!(wrong.parse::<Step>().is_err(), "{wrong:?}");
        }
    }
}
