//! `mcp`: the desk for MCP hosts, on stdio.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::sync::Arc;

use clap::Args;
use tokio::sync::Mutex;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::remote::RemoteArgs;
use super::{connections, places, who};
use crate::client::Target;
use crate::desk::place::Place;
use crate::desk::places::Places;
use crate::desk::server::Server;
use crate::desk::suggest::Advice;
use crate::engine::Engine;
use crate::host;
use crate::task::{Known, Who};

/// Serve the desk to an MCP host on stdio: its model can say what waits, and a person can decide there
///
/// A host such as Claude, Cursor or VS Code starts it. Tools: list_waiting, list_tasks, show_task, watch_task, submit_task; with
/// --allow-answer also answer_question, and ask_user, which puts a question's form before the person at a host that can ask. It
/// ends when the host closes its end.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct McpArgs {
    /// Let the host's model answer questions, for the person who told it what, and have that person asked
    #[arg(long)]
    allow_answer: bool,
    /// Say who answers, for the log: as given, not proven [env: MCPTASK_AS] [default: `mcp client` and the host's name]
    #[arg(long = "as", value_name = "NAME", requires = "allow_answer")]
    name: Option<String>,
    #[command(flatten)]
    pub(crate) remote: RemoteArgs,
}

pub(crate) async fn run(context: &Context, args: McpArgs) -> Result<(), Failure> {
    let who = who::given(context, args.name.as_deref(), None)?;
    let named = Some(who).filter(|who| who.known != Some(Known::Account));
    if std::io::stdin().is_terminal() {
        let words = "an MCP host starts this command, and speaks with it on stdin and stdout; Ctrl-D ends it";
        context.ui.talk(words);
    }
    // What can be told at once is told to whoever sets up the host.
    args.remote.target(context)?;
    let (remote, engine, server) = (&args.remote, Mutex::default(), Mutex::default());
    let way = Way { context, remote, who: named, engine, server, is_lost: Cell::new(false) };
    let done = host::serve(&way, args.allow_answer, tokio::io::stdin(), tokio::io::stdout()).await;
    if let Some(server) = way.server.into_inner().and_then(Arc::into_inner) {
        server.close().await;
    }
    done
}

/// How the desk's places are reached: the store and the server stay open, deployments are looked for anew at each call, since
/// they come and go.
struct Way<'a> {
    context: &'a Context,
    remote: &'a RemoteArgs,
    /// Who answers, where somebody has said so.
    who: Option<Who>,
    engine: Mutex<Option<Engine>>,
    server: Mutex<Option<Arc<Server>>>,
    /// Whether the connection to the server led nowhere when it was used last.
    is_lost: Cell<bool>,
}

impl Way<'_> {
    async fn engine(&self) -> Result<Option<Engine>, Failure> {
        let mut engine = self.engine.lock().await;
        if engine.is_none() {
            *engine = self.context.existing().await?;
        }
        Ok(engine.clone())
    }

    /// The server, over another connection where the last one led nowhere. A program is not started twice: its tasks would
    /// go with it.
    async fn server(&self, target: &Target) -> Result<Arc<Server>, Failure> {
        let mut kept = self.server.lock().await;
        let is_stale = self.is_lost.replace(false) && matches!(target, Target::Http { .. });
        if let Some(server) = kept.as_ref().filter(|_| !is_stale) {
            return Ok(server.clone());
        }
        let server = connections::open(self.context, self.remote, target, false, None).await;
        let server = Arc::new(server.map_err(|failure| failure.of_outage(false))?);
        *kept = Some(server.clone());
        Ok(server)
    }
}

impl host::Way for Way<'_> {
    async fn places(&self) -> Result<Places, Failure> {
        if let Some(target) = self.remote.target(self.context)? {
            return Ok(Places::of(vec![Place::Server(self.server(&target).await?)]));
        }
        places::of_store(self.context, self.engine()).await
    }

    fn failed(&self, failure: Failure) -> Failure {
        if failure.kind() == Kind::Unreachable {
            self.is_lost.set(true);
        }
        failure.at(self.context.reach())
    }

    fn advise(&self, advice: Advice) -> String {
        self.context.advise(advice)
    }

    fn nothing_begun(&self) -> String {
        self.context.nothing_begun()
    }

    async fn before_changing(&self) -> Result<(), Failure> {
        self.context.before_changing(self.remote).await
    }

    fn who(&self, client: Option<&str>, note: Option<String>) -> Who {
        let said = self.who.clone().unwrap_or_default().noting(note);
        Who::of_client(None, client.map(str::to_owned), said)
    }
}
