//! The sheet of a server's task.

use serde_json::Value;

use super::{Fact, Facts, Sheet};
use crate::client::{Ended, Era, TaskView};
use crate::desk::asked::{self, OpenQuestion};
use crate::desk::row::Row;
use crate::desk::server::{Server, ServerTask};
use crate::desk::suggest::{Advice, Suggested};
use crate::task::{Outcome, TaskStatus};

/// All that the server shows of the task.
pub(super) async fn facts(server: &Server, task: &TaskView) -> Facts {
    let (task, warning) = with_outcome(server, task.clone()).await;
    let (mut sheet, name) = (Sheet::new(), server.title());
    let elsewhere = (server.era() == Era::Legacy && task.status == TaskStatus::InputRequired).then(|| {
        let respond = Suggested::new("respond").about(task.id.as_str());
        let there = "a legacy server shows its questions only to the client that launched the task: answer there, or \
                     straight at the store that the server uses: ";
        Advice::at_its_store(there, respond, "does that")
    });
    let tool = server.tool_of(&task.id);
    sheet.view(name, &task, tool.as_deref());
    for (key, request) in &task.input_requests {
        sheet.request(name, &task, key, request);
    }
    if let Some(Outcome::Result(result)) = &task.outcome {
        sheet.result(result);
    }
    let object = Row::of_view(server, &ServerTask { view: task, tool }).object;
    Facts { object, lines: sheet.lines, warnings: warning.into_iter().chain(elsewhere).collect() }
}

/// The task with its outcome, which a legacy server shows only when it is asked for it; what kept it from being shown.
async fn with_outcome(server: &Server, task: TaskView) -> (TaskView, Option<Advice>) {
    if task.outcome.is_some() || !matches!(task.status, TaskStatus::Completed | TaskStatus::Failed) {
        return (task, None);
    }
    match server.run(async |client| client.ended(&task.id).await).await {
        Ok(Ended::Finished(outcome)) => (TaskView { outcome: Some(outcome), ..task }, None),
        Ok(Ended::Failed { outcome, .. }) => (TaskView { outcome, ..task }, None),
        Ok(Ended::Cancelled { .. }) => (task, None),
        Err(failure) => (task, Some(Advice::from(format!("how it ended cannot be shown: {failure}")))),
    }
}

impl Sheet {
    fn view(&mut self, server: &str, task: &TaskView, tool: Option<&str>) {
        self.fact("task", &task.id);
        self.lines.push(if task.is_tool_error() { Fact::ToolError } else { Fact::Status(Some(task.status)) });
        self.fact("server", server);
        self.maybe("tool", tool);
        if let Some(message) = &task.status_message {
            self.block("message", message);
        }
        for (name, at) in [("submitted", &task.created_at), ("changed", &task.updated_at)] {
            match at.as_deref().map(|text| (text, text.parse())) {
                Some((_, Ok(at))) => self.time(name, at),
                Some((text, Err(_))) => self.fact(name, text),
                None => {}
            }
        }
        if let Some(Outcome::Error(error)) = &task.outcome {
            self.error("error", error);
        }
    }

    fn request(&mut self, server: &str, task: &TaskView, key: &str, request: &Value) {
        self.heading(&format!("question {key}"));
        let (message, url) = asked::parts(request);
        self.block("message", message.unwrap_or_default());
        match OpenQuestion::of_server(server, task, key, request) {
            Ok(open) => {
                self.wanted(&open.asked.ask);
                self.lines.extend(open.asked.later.map(|later| Fact::Command("answer with", later)));
            }
            Err(problem) => {
                self.page(url);
                self.fact("not shown", &problem);
            }
        }
    }
}
