//! An event as variables of a command: nothing of it becomes a part of the command's text.

use serde_json::Value;

use super::Seen;
use crate::desk::page;

impl Seen {
    /// Names and values. Each name is there for each event, empty where there is nothing to say, so that no value of
    /// another event is taken for one of this.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let text = |name: &str| self.object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let question = self.question.as_ref();
        let first = |names: [&str; 3]| names.map(text).into_iter().find(|text| !text.is_empty());
        let message = match question {
            Some(question) => question.asked.ask.message.clone(),
            None => first(["message", "note", "reason"]).unwrap_or_default(),
        };
        let url = question.and_then(|question| page::of(&question.asked.ask)).unwrap_or_default();
        let who = self.object.pointer("/who/name").and_then(Value::as_str).unwrap_or_default();
        let values = [
            ("MCPTASK_EVENT", self.name.to_owned()),
            ("MCPTASK_EVENT_AT", self.at.to_string()),
            ("MCPTASK_EVENT_TASK", self.task.clone()),
            ("MCPTASK_EVENT_TOOL", self.tool.clone().unwrap_or_default()),
            ("MCPTASK_EVENT_STATUS", self.status.to_string()),
            ("MCPTASK_EVENT_SOURCE", text("source")),
            ("MCPTASK_EVENT_SESSION", text("session")),
            ("MCPTASK_EVENT_QUESTION", question.map_or_else(|| text("question"), |one| one.id.clone())),
            ("MCPTASK_EVENT_MESSAGE", message),
            ("MCPTASK_EVENT_URL", url.to_owned()),
            ("MCPTASK_EVENT_ACTION", text("action")),
            ("MCPTASK_EVENT_BY", text("by")),
            ("MCPTASK_EVENT_WHO", who.to_owned()),
        ];
        values.into()
    }
}
