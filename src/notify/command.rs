//! Running a program for a notice. What is told is in its environment and on its stdin, never in its arguments.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::failed::Failed;
use super::format::standard;
use super::notice::Notice;
use crate::process_group::command::{Group, variable};

/// How long a program may take.
const MOST_TIME: Duration = Duration::from_secs(60);

/// Runs it until it ends; an exit code other than 0 says that the notice was not taken.
pub(super) async fn run(words: &[String], id: &str, notice: &Notice) -> Result<String, Failed> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failed::for_good("no program is given"));
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(variables(id, notice));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Its children are stopped with it.
    command.process_group(0).kill_on_drop(true);
    let child =
        command.spawn().map_err(|error| Failed::passing(format!("{program} cannot be run: {error}")))?;
    let unwaited = |error| Failed::passing(format!("{program} cannot be waited for: {error}"));
    // Whatever does not end well is killed with all that it started.
    let mut group = Group::of(child).map_err(unwaited)?;
    let done = tokio::time::timeout(MOST_TIME, group.told(&standard(notice).to_string())).await;
    match done {
        Ok(Ok(status)) if status.success() => {
            group.leave();
            Ok("it ended well".to_owned())
        }
        Ok(Ok(status)) => Err(Failed::passing(format!("{program} ended with {status}"))),
        Ok(Err(error)) => Err(unwaited(error)),
        Err(_) => Err(Failed::passing(format!("{program} did not end within {} s", MOST_TIME.as_secs()))),
    }
}

/// Names and values: those of `watch --exec`, and some more. Each name is there, empty where there is nothing to say.
fn variables(id: &str, notice: &Notice) -> Vec<(&'static str, String)> {
    let question = notice.question.as_ref();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let asked = question.and_then(|question| question.message.as_ref());
    let deadline = question.and_then(|question| question.deadline);
    let values = [
        ("MCPTASK_EVENT", notice.event.clone()),
        ("MCPTASK_EVENT_ID", id.to_owned()),
        ("MCPTASK_EVENT_AT", notice.at.to_string()),
        ("MCPTASK_EVENT_TASK", notice.task.clone()),
        ("MCPTASK_EVENT_TOOL", text(notice.tool.as_ref())),
        ("MCPTASK_EVENT_STATUS", notice.status.to_string()),
        ("MCPTASK_EVENT_SOURCE", notice.source.clone()),
        ("MCPTASK_EVENT_SESSION", text(notice.session.as_ref())),
        ("MCPTASK_EVENT_QUESTION", question.map(|question| question.id.clone()).unwrap_or_default()),
        ("MCPTASK_EVENT_MESSAGE", text(asked.or(notice.text.as_ref()))),
        ("MCPTASK_EVENT_URL", text(question.and_then(|question| question.url.as_ref()))),
        ("MCPTASK_EVENT_DEADLINE", deadline.map(|at| at.to_string()).unwrap_or_default()),
        ("MCPTASK_EVENT_ACTION", text(notice.action.as_ref())),
        ("MCPTASK_EVENT_BY", text(notice.by.as_ref())),
        ("MCPTASK_EVENT_WHO", text(notice.who.as_ref())),
        ("MCPTASK_EVENT_COMMAND", text(notice.command.as_ref())),
        ("MCPTASK_EVENT_LINK", text(notice.link.as_ref())),
    ];
    values.into_iter().map(|(name, value)| (name, variable(&value))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::notice::tests::notice;
    use super::*;

    async fn sh(script: &str) -> Result<String, Failed> {
        run(&["sh", "-c", script].map(str::to_owned), "msg_1", &notice()).await
    }

    #[tokio::test]
    async fn a_program_has_the_notice_in_its_environment_and_on_stdin() {
        let wanted = r#"test "$MCPTASK_EVENT $MCPTASK_EVENT_ID $MCPTASK_EVENT_QUESTION" = "asked msg_1 q1" &&
            grep -q '"type":"task.asked"'"#;
        assert!(sh(wanted).await.is_ok());
    }

    #[tokio::test]
    async fn a_program_that_fails_or_is_not_there_may_be_tried_again() {
        assert!(sh("exit 3").await.is_err_and(|failed| failed.is_passing && failed.problem.contains('3')));
        let missing = run(&["no-such-program-here".to_owned()], "msg_1", &notice()).await;
        assert!(missing.is_err_and(|failed| failed.is_passing && failed.problem.contains("no-such-program")));
    }
}
