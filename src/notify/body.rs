//! Bodies for people's chats. What a stranger wrote, a question's message above all, is text there and never markup.

use serde_json::{Value, json};

use super::notice::Notice;

/// The longest text of a chat's message, in characters.
const MOST: usize = 2500;

/// What happened, in a few words.
pub(super) fn headline(notice: &Notice) -> String {
    let tool = notice.tool.as_deref().unwrap_or("a task");
    match notice.event.as_str() {
        "asked" => format!("{tool} asks"),
        "unanswerable" => format!("{tool} asks, and nobody at its client can answer"),
        "unanswered" | "reminded" => format!("{tool} still waits for an answer"),
        "answered" => {
            let by = notice.who.as_deref().or(notice.by.as_deref()).unwrap_or("somebody");
            format!("{by} answered {tool}: {}", notice.action.as_deref().unwrap_or("it"))
        }
        "extended" => {
            let by = notice.who.as_deref().or(notice.by.as_deref()).unwrap_or("somebody");
            format!("{by} gave a question of {tool} more time")
        }
        "completed" if notice.is_error => format!("{tool} ended with an error of its own"),
        "test" => "a test: this is where mcptask tells".to_owned(),
        event => format!("{tool}: {event}"),
    }
}

/// What is asked, or what else there is to say; `None` where that says nothing, since Slack takes no empty text.
fn said(notice: &Notice) -> Option<String> {
    let asked = notice.question.as_ref().and_then(|question| question.message.as_deref());
    let text = asked.or(notice.text.as_deref()).filter(|text| !text.trim().is_empty())?;
    Some(text.chars().take(MOST).collect())
}

/// Further facts, each with its name.
fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let question = notice.question.as_ref();
    let host = question.and_then(|question| question.host.clone());
    let until = question.and_then(|question| question.deadline).map(|at| at.to_string());
    let all = [
        ("Page", host),
        ("Why", notice.text.clone().filter(|_| question.is_some_and(|one| one.message.is_some()))),
        ("Until", until),
        ("Task", Some(notice.task.clone())),
        ("Session", notice.session.clone()),
        ("Answer with", notice.command.clone().filter(|_| question.is_some_and(|one| one.message.is_some()))),
        ("Answer at", notice.link.clone()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Text in which Slack sees no link and no mention.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// For Slack's incoming webhooks: `text` is what a phone shows, the blocks are what stands in the channel.
pub(super) fn slack(notice: &Notice) -> Value {
    let plain = |text: String| json!({ "type": "section", "text": { "type": "plain_text", "text": text, "emoji": false } });
    let said = said(notice);
    let facts: Vec<String> =
        facts(notice).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let short = match &said {
        Some(said) => format!("{}: {said}", headline(notice)),
        None => headline(notice),
    };
    let blocks: Vec<Value> =
        [Some(headline(notice)), said, Some(facts.join("\n"))].into_iter().flatten().map(plain).collect();
    json!({ "text": escaped(&short), "blocks": blocks })
}

/// For a Teams workflow. A text of a `TextBlock` could be a link that says another thing than it does; a run of text is
/// only text.
pub(super) fn teams(notice: &Notice) -> Value {
    let run = |text: String, weight: &str| {
        let inlines = json!([{ "type": "TextRun", "text": text, "weight": weight }]);
        json!({ "type": "RichTextBlock", "inlines": inlines })
    };
    let mut blocks = vec![run(headline(notice), "Bolder")];
    blocks.extend(said(notice).map(|said| run(said, "Default")));
    blocks.extend(facts(notice).into_iter().map(|(name, value)| run(format!("{name}: {value}"), "Default")));
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "body": blocks,
    });
    let kind = "application/vnd.microsoft.card.adaptive";
    json!({ "type": "message", "attachments": [{ "contentType": kind, "contentUrl": null, "content": card }] })
}

/// For ntfy, as JSON, since its headers take no letters beyond ASCII.
pub(super) fn ntfy(notice: &Notice, topic: &str) -> Value {
    let facts: Vec<String> =
        facts(notice).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let message: Vec<String> = said(notice).into_iter().chain(facts).collect();
    let mut body = json!({ "topic": topic, "title": headline(notice), "message": message.join("\n") });
    if matches!(notice.event.as_str(), "asked" | "unanswered" | "reminded" | "unanswerable") {
        body["priority"] = json!(4);
    }
    if let Some(link) = &notice.link {
        body["click"] = json!(link);
    }
    body
}
