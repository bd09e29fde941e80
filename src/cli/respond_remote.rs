//! `respond` through an MCP server: the modern era shows open questions in `tasks/get`.

use super::context::Context;
use super::failure::{Failure, Kind};
use super::respond::{self, RespondArgs};
use super::ui::question::Asked;
use super::ui::{event, text};
use super::values;
use crate::client::{self, Client, Era};
use crate::desk::suggest::Suggested;

pub(super) async fn run(context: &Context, args: &RespondArgs, client: &Client) -> Result<(), Failure> {
    let Some(id) = args.task() else {
        return Err(Failure::usage("through a server, name the task: its whole id"));
    };
    let task = client.get(id).await?;
    if client.era() == Era::Legacy && !task.status.is_final() {
        return Err(Failure::usage(
            "a legacy server sends its questions only to the client that submitted the task",
        )
        .hint("answer there, or straight at the store: leave out --server"));
    }
    let wanted = args.question().map(crate::task::QuestionId::as_str);
    let found =
        task.input_requests.iter().find(|(key, _)| wanted.is_none_or(|wanted| wanted == key.as_str()));
    let Some((key, request)) = found else {
        let message =
            format!("task {} waits for no such answer: it is {}", text::line(&task.id), task.status);
        return Err(Failure::new(Kind::NothingChanged, message));
    };
    let ask = client::ask_from(request.get("params").unwrap_or(request)).map_err(|problem| {
        Failure::new(
            Kind::Unexpected,
            format!("the server asks what must not be shown: {}", text::line(&problem)),
        )
    })?;
    let asked = Asked {
        who: format!("{} (task {}, question {key})", client.server(), event::short(&task.id)),
        later: Some(values::accepting(Suggested::new("respond").about(task.id.as_str()), &ask).question(key)),
        ask,
        asked_at: None,
        deadline: None,
        refused: None,
    };
    let answer = match args.given(&asked.ask)? {
        Some(answer) => answer,
        None => respond::ask(context, &asked).await?,
    };
    client.answer(&task.id, key, &asked.ask, &answer).await?;
    respond::told(context, &task.id, key, &answer)
}
