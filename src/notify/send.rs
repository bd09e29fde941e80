//! One try to deliver something.

use serde_json::Value;

use super::command;
use super::failed::Failed;
use super::notice::{Notice, Ways};
use super::secret::Secret;
use super::webhook::Webhook;
use super::{Notifier, Source, Target};

/// How a notifier tells, with all that it needs for it.
#[derive(Debug)]
pub(crate) enum Channel {
    /// By posting.
    Webhook(Box<Webhook>),
    /// By running a program.
    Exec(Vec<String>),
}

impl Channel {
    /// Reads what the notifier needs; the error says what is missing, and nothing of what is secret.
    pub(crate) fn open(
        notifier: &Notifier,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let read = |what: &str, source: &Source| -> Result<Secret, String> {
            source.read(&variable).map_err(|problem| format!("{what}: {problem}"))
        };
        match &notifier.target {
            Target::Exec(words) => Ok(Self::Exec(words.clone())),
            Target::Webhook { url, format, secret, headers } => {
                let url = read("webhook", url)?;
                let secret = secret.as_ref().map(|secret| read("secret", secret)).transpose()?;
                let headers = headers.iter().map(|(name, source)| Ok((name.clone(), read(name, source)?)));
                let headers = headers.collect::<Result<Vec<_>, String>>()?;
                Ok(Self::Webhook(Box::new(Webhook::new(&url, format.clone(), secret.as_ref(), &headers)?)))
            }
        }
    }

    /// Where it tells, with nothing of it that may be secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Webhook(webhook) => webhook.shown().to_owned(),
            Self::Exec(words) => words.first().cloned().unwrap_or_default(),
        }
    }

    /// Tries once. What came back is said of a success too.
    pub(crate) async fn send(&self, id: &str, notice: &Notice) -> Result<String, Failed> {
        match self {
            Self::Webhook(webhook) => webhook.post(id, notice).await,
            Self::Exec(words) => command::run(words, id, notice).await,
        }
    }

    /// The same of a notice as a store has it, with a link of its own.
    pub(super) async fn send_stored(&self, id: &str, notice: &Value, ways: &Ways) -> Result<String, Failed> {
        match serde_json::from_value::<Notice>(notice.clone()) {
            Ok(notice) => self.send(id, &notice.linked(ways).await).await,
            Err(error) => Err(Failed::for_good(format!(
                "it was stored in a form that this version does not know: {error}"
            ))),
        }
    }
}
