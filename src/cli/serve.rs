//! `serve`: the MCP endpoint, with workers.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::access::{Access, AccessArgs};
use super::activity::{self, Whose};
use super::context::Context;
use super::failure::{Failure, Kind};
use super::notifying;
use super::offer::{OfferArgs, Offered};
use super::retention::RetentionArgs;
use super::served_rules::ServedRules;
use super::signals::Signals;
use super::ui::time;
use super::worker;
use crate::engine::{Engine, Limits};
use crate::server::{self, ServeConfig, ServeError, Unanswerable};
use crate::task::{Fault, fault};
use crate::web::{self, PublicUrl};

/// Serve tools as MCP tasks over HTTP or stdio, and run them
///
/// Clients of both protocol eras use the same endpoint, /mcp. The first SIGINT or SIGTERM lets running calls
/// and tasks finish, the second ends at once. Open questions stay open.
#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "doc comments of arguments are their help")]
pub(crate) struct ServeArgs {
    /// Listen here; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8737", conflicts_with = "stdio")]
    #[arg(value_parser = address)]
    listen: SocketAddr,
    /// Serve one client on stdin and stdout instead
    #[arg(long)]
    stdio: bool,
    /// Run this many tasks at once in this process; 0 leaves all to `mcptask worker` elsewhere
    ///
    /// A task that waits for an answer does not count.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(0..=1024))]
    #[arg(alias = "workers")]
    concurrency: u16,
    /// What becomes of a question when its client cannot answer, where its tool does not say: cancel it, wait for `respond`, or
    /// wait and let notifiers tell of it
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    unanswerable: UnanswerableChoice,
    /// Let the rules of this file answer what they are about, before anybody is shown it
    ///
    /// SIGHUP reads it again. What no rule is about is asked as ever; see `respond --rules`.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    rules: Option<PathBuf>,
    /// Take requests for this host name, besides loopback ones; * for any. May be given several times
    #[arg(long, value_name = "HOST", conflicts_with = "stdio", value_parser = host)]
    allowed_host: Vec<String>,
    /// Take requests of web pages from this origin. May be given several times
    #[arg(long, value_name = "ORIGIN", conflicts_with = "stdio", value_parser = origin)]
    allowed_origin: Vec<String>,
    /// Serve pages on which questions are answered, for people who reach this server at this URL [env:
    /// MCPTASK_PUBLIC_URL]
    ///
    /// https://, also where a proxy ends TLS, or http:// for localhost; it may have a path. Requests for its host are taken.
    /// /inbox has all that waits, for whoever has a token of --token-file; `mcptask link` makes a link to one question.
    #[arg(long, value_name = "URL", conflicts_with = "stdio", value_parser = PublicUrl::read)]
    #[arg(value_hint = clap::ValueHint::Url)]
    public_url: Option<PublicUrl>,
    /// Offer clients MCP's Events extension: questions and ends of their tasks, by poll or stream
    ///
    /// An experiment: the extension's words may still move. Only who brings a token is told, and only of the tasks of that
    /// token's scope; without tokens, only of a session that is named.
    #[arg(long)]
    experimental_events: bool,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    pub(crate) offer: OfferArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    retention: RetentionArgs,
}

/// An address to listen on, given by number or by name.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let example = "give a host and a port, as in localhost:8737";
    let (_, port) = text.rsplit_once(':').ok_or_else(|| example.to_owned())?;
    port.parse::<u16>().map_err(|_| example.to_owned())?;
    let found: Vec<_> =
        text.to_socket_addrs().map_err(|error| format!("the host cannot be found: {error}"))?.collect();
    // The server takes one, and more clients try the older kind.
    let older = found.iter().find(|address| address.is_ipv4());
    older.or(found.first()).copied().ok_or_else(|| "the host has no address".to_owned())
}

fn host(text: &str) -> Result<String, String> {
    server::check_host(text).map(|()| text.to_owned())
}

fn origin(text: &str) -> Result<String, String> {
    server::check_origin(text).map(|()| text.to_owned())
}

/// Open files that a server asks for: its most connections, and what else it has open. Commands that are tools inherit
/// the limit, and some close each file below it when they start: no reason to ask for a million.
const OPEN_FILES: u64 = server::MOST_CONNECTIONS as u64 + 1024;

/// How much of everything.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Unfinished tasks of one scope
    #[arg(long, value_name = "N", default_value_t = Limits::default().open_tasks)]
    max_tasks: u32,
    /// The longest time that a task is kept
    #[arg(long, value_name = "DURATION", default_value = "7days", value_parser = time::duration)]
    max_ttl: Duration,
    /// How long a question waits before it answers itself with cancel
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = time::duration)]
    question_timeout: Duration,
    /// The largest request, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = ServeConfig::default().max_body_bytes)]
    max_body: usize,
    /// Requests of one scope per second [default: as many as come]
    ///
    /// More are refused with HTTP status 429 and the time after which to come again.
    #[arg(long, value_name = "N", conflicts_with = "stdio")]
    rate_limit: Option<NonZeroU32>,
    /// Requests and open streams of one scope at once
    #[arg(long, value_name = "N", default_value_t = ServeConfig::default().max_requests)]
    #[arg(conflicts_with = "stdio")]
    max_requests: usize,
    /// Sessions of one scope at once
    #[arg(long, value_name = "N", default_value_t = ServeConfig::default().max_sessions)]
    #[arg(conflicts_with = "stdio")]
    max_sessions: usize,
}

/// `--unanswerable`: see [`Unanswerable`].
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum UnanswerableChoice {
    #[default]
    Cancel,
    Wait,
    Notify,
}

pub(crate) async fn run(context: &Context, args: ServeArgs) -> Result<(), Failure> {
    let signals = Signals::of_service()?;
    context.before_working().await?;
    if args.stdio && args.offer.faults().contains(&Fault::DroppedConnection) {
        return Err(Failure::usage(
            "--fault dropped-connection has no effect with --stdio: a pipe that is dropped cannot be taken up again",
        )
        .hint("serve over HTTP, without --stdio"));
    }
    let access = if args.stdio { Access::default() } else { args.access.open(context, args.listen)? };
    let rules = args.rules.as_deref().map(|file| ServedRules::open(context, file)).transpose()?;
    let mut config = ServeConfig {
        decider: rules.clone().map(|rules| rules as Arc<dyn server::Decide>),
        ..args.config(&access)
    };
    let Offered { tools, notifiers } = args.offer.read()?;
    let notifiers = notifying::open(notifiers, &context.environment)?;
    let port = if args.stdio {
        None
    } else {
        raise_open_files();
        Some(bind(args.listen)?)
    };
    let engine = context.engine_within(args.limits()).await?;
    args.retention.apply(&engine);
    let stop = context.stop.child_token();
    args.serve_pages(context, &mut config, (&engine, &stop));
    let parts = TaskTracker::new();
    activity::tell(context, &engine, Whose::Everybodys, &parts, &stop).await;
    if !args.stdio {
        access.reload(context, &parts, &stop)?;
    }
    if let Some(rules) = &rules {
        rules.reload(&parts, &stop)?;
    }
    if args.concurrency > 0 {
        let count = usize::from(args.concurrency);
        let worker = worker::enlist(&engine, &worker::worker_id(), count, (&args.offer, tools)).await?;
        args.offer.reload(context, &parts, worker.tools(), &stop)?;
        parts.spawn(worker.run(stop.clone()));
    }
    notifying::begin((context, &args.offer, args.public_url(context)), notifiers, &engine, (&parts, &stop))?;
    worker::spawn_time(&parts, &engine, &stop);
    let served = match port {
        Some(port) => {
            engine.hub().await?;
            let listener = port.listen(BACKLOG).map_err(|error| cannot_listen(args.listen, error))?;
            announce(context, &args, &engine, &listener).await?;
            parts.spawn(http(engine, config, listener, stop.clone()))
        }
        None => parts.spawn(stdio(engine, config, stop.clone())),
    };
    worker::until_stopped(context, signals, parts, &stop, worker::OnLoss::Refuse).await?;
    served.await.map_err(|error| Failure::caused(Kind::Unexpected, "the server broke", error))?
}

async fn http(
    engine: Engine,
    config: ServeConfig,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let done = server::http(engine, config, listener, stop.clone()).await;
    // A server that fails takes its workers along.
    stop.cancel();
    Ok(done?)
}

async fn stdio(engine: Engine, config: ServeConfig, stop: CancellationToken) -> Result<(), Failure> {
    let done = server::stdio(engine, config, tokio::io::stdin(), tokio::io::stdout(), stop.clone()).await;
    // The client closed its end.
    stop.cancel();
    Ok(done?)
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Engine(error) => error.into(),
            ServeError::Handshake { .. } => Self::new(Kind::Unexpected, error.to_string()),
        }
    }
}

impl ServeArgs {
    /// Where people reach its pages, if it has any.
    fn public_url<'a>(&'a self, context: &'a Context) -> Option<&'a PublicUrl> {
        self.public_url.as_ref().or(context.config.public_url.as_ref()).filter(|_| !self.stdio)
    }

    /// Has the pages served beside the endpoint, under the name that people know.
    fn serve_pages(
        &self,
        context: &Context,
        config: &mut ServeConfig,
        (engine, stop): (&Engine, &CancellationToken),
    ) {
        if let Some(public) = self.public_url(context) {
            config.allowed_hosts.push(public.host().to_owned());
            let tokens = config.tokens.clone();
            config.pages = Some(web::pages(engine.clone(), public.clone(), tokens, stop.clone()));
        }
    }

    fn config(&self, access: &Access) -> ServeConfig {
        ServeConfig {
            tokens: access.tokens(),
            identity: access.identity(),
            allowed_hosts: self.allowed_host.clone(),
            allowed_origins: self.allowed_origin.clone(),
            unanswerable: match self.unanswerable {
                UnanswerableChoice::Cancel => Unanswerable::Cancel,
                UnanswerableChoice::Wait => Unanswerable::Wait,
                UnanswerableChoice::Notify => Unanswerable::Notify,
            },
            max_body_bytes: self.limits.max_body,
            rate_limit: self.limits.rate_limit,
            max_requests: self.limits.max_requests,
            max_sessions: self.limits.max_sessions,
            experimental_events: self.experimental_events,
            faults: self.offer.faults().to_vec(),
            ..ServeConfig::default()
        }
    }

    fn limits(&self) -> Limits {
        let mut max_ttl_ms = u64::try_from(self.limits.max_ttl.as_millis()).unwrap_or(u64::MAX);
        if self.offer.faults().contains(&Fault::TtlEndsMidQuestion) {
            max_ttl_ms = fault::ENDING_TTL_MS;
        }
        let usual = Limits::default();
        Limits {
            open_tasks: self.limits.max_tasks,
            max_ttl_ms,
            default_ttl_ms: usual.default_ttl_ms.min(max_ttl_ms),
            question_timeout: self.limits.question_timeout,
            ..usual
        }
    }
}

/// Each session takes two open files, and shells usually allow 1,024 where the system would give more.
fn raise_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
}

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// Takes the port before anything else is begun. Nobody can connect to it before there is a store to answer from.
fn bind(listen: SocketAddr) -> Result<TcpSocket, Failure> {
    let take = || {
        let socket = if listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // A server that is started again gets its port, whatever its last connections still wait for.
        socket.set_reuseaddr(true)?;
        socket.bind(listen)?;
        Ok(socket)
    };
    take().map_err(|error| cannot_listen(listen, error))
}

fn cannot_listen(listen: SocketAddr, error: std::io::Error) -> Failure {
    let failure = Failure::caused(Kind::Unexpected, format!("cannot listen on {listen}: {error}"), error);
    failure.hint("another server may run there; --listen 127.0.0.1:0 takes any free port")
}

/// Says where it listens, and how to try it.
async fn announce(
    context: &Context,
    args: &ServeArgs,
    engine: &Engine,
    listener: &TcpListener,
) -> Result<(), Failure> {
    let at = listener.local_addr().unwrap_or(args.listen);
    let (url, store) = (format!("{}://{at}/mcp", args.access.scheme()), engine.store().location());
    if context.ui.is_json() {
        return context.ui.object(&json!({ "event": "listening", "url": url, "store": store }));
    }
    let ui = &context.ui;
    ui.talk(&format!("serving {}", ui.talk_paint().bold(&url)));
    ui.talk(&format!("  tasks in {store}; {}", running(args.concurrency)));
    if let Some(warning) = args.access.warning(at) {
        ui.warn(warning);
    }
    let public = args.public_url(context);
    if !at.ip().is_loopback() && args.allowed_host.is_empty() && public.is_none() {
        ui.warn("only requests for loopback names are taken; name this host with --allowed-host");
    }
    if args.allowed_origin.iter().any(|origin| origin == "*") {
        ui.warn("requests of every web page are taken that a browser of a user shows");
    }
    if let Some(public) = public {
        if !args.access.has_tokens() {
            ui.warn(&format!("everybody who reaches {public}/inbox can answer what waits: --token-file FILE lets in only who has a token"));
        }
        ui.talk(&format!("  people answer at {public}/inbox, or by link"));
    }
    activity::suggest(context, engine).await;
    Ok(())
}

fn running(concurrency: u16) -> String {
    match concurrency {
        0 => "run by `mcptask worker` elsewhere".to_owned(),
        1 => "run here, one at once".to_owned(),
        several => format!("run here, {several} at once"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_given_by_number_or_by_name() {
        for (text, is_read) in [
            ("127.0.0.1:8737", "127.0.0.1:8737"),
            ("[::1]:0", "[::1]:0"),
            ("localhost:8737", "127.0.0.1:8737"),
            ("LOCALHOST:0", "127.0.0.1:0"),
        ] {
            assert_eq!(address(text), Ok(is_read.parse().expect("an address")), "{text}");
        }
        for (text, problem) in [
            ("localhost", "as in localhost:8737"),
            ("8737", "as in localhost:8737"),
            ("localhost:port", "as in localhost:8737"),
            ("localhost:70000", "as in localhost:8737"),
            ("", "as in localhost:8737"),
            ("no.such.host.invalid:1", "cannot be found"),
        ] {
            let error = address(text).expect_err(text);
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
