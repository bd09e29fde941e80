//! Parse, dispatch, exit code.

use std::ffi::OsString;
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use clap_complete::CompleteEnv;
use tokio::runtime::{Builder, Runtime};
use tracing::Level;

use super::Command;
use super::config::Config;
use super::context::Context;
use super::environment::Environment;
use super::failure::{Failure, Kind};
use super::signals::{self, Signals, Stop};
use super::ui::{self, Streams, Ui};
use super::{
    ask, attach, cancel, check, completions, demo, doctor, export, extend, handover, help, inbox, link, list,
    mcp, notify, profile, prune, report, respond, result, retry, serve, settings, show, submit, tools, usage,
    watch, worker, workers,
};
use crate::client::programs_ended;

/// The program: from the process's arguments to its exit code.
pub fn main() -> ExitCode {
    // Answers a shell that completes a line, and ends the process; nothing may be printed before.
    CompleteEnv::with_factory(help::whole).shells(completions::SHELLS).complete();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = Environment::of_process();
    let cli = match help::parse(&arguments, &environment) {
        Ok(cli) => cli,
        Err(error) => return usage::refused(&error, &arguments, &environment),
    };
    let profile = profile::chosen(&cli.global, &environment);
    let mut manner = cli.global.manner(&environment, profile.as_ref().ok().and_then(Option::as_ref));
    // What comes on stdin is a host's.
    manner.no_input |= matches!(cli.command, Command::Mcp(_));
    let ui = Ui::new(manner, &environment, Streams::of_process());
    let environment = match cli.command {
        Command::Serve(serve::ServeArgs { ref offer, .. })
        | Command::Worker(worker::WorkerArgs { ref offer, .. }) => {
            handover::environment(&arguments, environment, (&ui, || offer.secret_variables()))
        }
        _ => environment,
    };
    let done = match cli.command {
        // Inside a command there need be neither a home nor a store: these two know only the worker.
        Command::Ask(args) if !args.local => ask::run(&ui, cli.global.timeout(), &args),
        Command::Report(args) => report::run(&ui, args).map(|()| ExitCode::SUCCESS),
        Command::Config(args) if args.what == settings::What::Path => {
            settings::path(&ui, &environment).map(|()| ExitCode::SUCCESS)
        }
        command => (if needs_profile(&command) { profile } else { Ok(profile.ok().flatten()) })
            .and_then(|profile| {
                Config::resolve(&cli.global, &of_store(&environment, &command), profile.as_ref())
            })
            .map(|config| Context::new(config, environment, ui.clone()))
            .and_then(|context| {
                let done = dispatch(&context, command).map_err(|failure| context.failed(failure))?;
                context.tell_unset();
                Ok(done)
            }),
    };
    ended(&ui, done)
}

/// The environment as far as it may say where the tasks are to that command.
fn of_store(environment: &Environment, command: &Command) -> Environment {
    let remote = match command {
        Command::Check(_)
        | Command::Completions(_)
        | Command::Init(_)
        | Command::Demo(_)
        | Command::Ask(_) => {
            return environment.without_store();
        }
        Command::Submit(args) => &args.remote,
        Command::Attach(args) => &args.remote,
        Command::Retry(args) => &args.remote,
        Command::Prune(args) => &args.remote,
        Command::Watch(args) => &args.remote,
        Command::Respond(args) => &args.remote,
        Command::Inbox(args) => &args.remote,
        Command::Link(args) => &args.remote,
        Command::Extend(args) => &args.remote,
        Command::List(args) => &args.remote,
        Command::Show(args) => &args.remote,
        Command::Result(args) => &args.remote,
        Command::Cancel(args) => &args.remote,
        Command::Doctor(args) => &args.remote,
        Command::Tools(args) => &args.remote,
        Command::Workers(args) => &args.remote,
        Command::Notify(args) => &args.remote,
        Command::Export(args) => &args.remote,
        Command::Mcp(args) => &args.remote,
        Command::Serve(_) | Command::Worker(_) | Command::Report(_) | Command::Config(_) => {
            return environment.clone();
        }
    };
    if remote.names_a_server() { environment.without_store() } else { environment.clone() }
}

/// Whether the command does another thing without the profile, so that it fails where that cannot be read.
fn needs_profile(command: &Command) -> bool {
    !matches!(
        command,
        Command::Check(_) | Command::Completions(_) | Command::Init(_) | Command::Demo(_) | Command::Ask(_)
    )
}

fn ended(ui: &Ui, done: Result<ExitCode, Failure>) -> ExitCode {
    match done {
        Ok(code) => code,
        // Whoever read stdout has seen enough.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            ui.failure(&failure);
            ExitCode::from(&failure)
        }
    }
}

fn dispatch(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    match command {
        Command::Check(args) => check::run(context, &args),
        Command::Completions(args) => completions::run(context, &args),
        Command::Config(_) => settings::show(context),
        Command::Init(args) => settings::init(context, &args),
        Command::Serve(args) => daemon(context, serve::run(context, args)),
        Command::Worker(args) => daemon(context, worker::run(context, args)),
        Command::Demo(args) => client(context, Level::ERROR, Box::pin(demo::run(context, args))),
        Command::Submit(args) => client(context, level(args.waits()), Box::pin(submit::run(context, args))),
        Command::Attach(args) => client(context, level(true), Box::pin(attach::run(context, args))),
        Command::Watch(args) => client(context, level(true), Box::pin(watch::run(context, args))),
        Command::Respond(args) => client(context, level(true), Box::pin(respond::run(context, args))),
        Command::Inbox(args) => client(context, level(true), Box::pin(inbox::run(context, args))),
        Command::Link(args) => client(context, Level::WARN, Box::pin(link::run(context, args))),
        Command::Extend(args) => client(context, Level::WARN, Box::pin(extend::run(context, args))),
        Command::List(args) => client(context, Level::WARN, Box::pin(list::run(context, args))),
        Command::Show(args) => client(context, level(args.waits()), Box::pin(show::run(context, args))),
        Command::Result(args) => client(context, level(args.waits()), Box::pin(result::run(context, args))),
        Command::Cancel(args) => client(context, Level::WARN, Box::pin(cancel::run(context, args))),
        Command::Retry(args) => client(context, level(args.waits()), Box::pin(retry::run(context, args))),
        Command::Prune(args) => client(context, Level::WARN, Box::pin(prune::run(context, args))),
        Command::Doctor(args) => client(context, Level::WARN, Box::pin(doctor::run(context, args))),
        Command::Tools(args) => client(context, Level::WARN, Box::pin(tools::run(context, args))),
        Command::Workers(args) => client(context, Level::WARN, Box::pin(workers::run(context, args))),
        Command::Notify(args) => client(context, Level::WARN, Box::pin(notify::run(context, args))),
        Command::Export(args) => client(context, Level::WARN, Box::pin(export::run(context, args))),
        Command::Mcp(args) => client(context, Level::WARN, Box::pin(mcp::run(context, args))),
        Command::Report(args) => report::run(&context.ui, args),
        Command::Ask(args) => {
            let local = async {
                code = ask::run_local(context, &args).await?;
                Ok(())
            };
            client(context, Level::WARN, Box::pin(local))
        }
    }?;
    Ok(code)
}

/// A command that serves until it is told to stop, and takes signals by itself.
fn daemon(context: &Context, command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    ui::logging::start(&context.ui, &context.environment, Level::INFO)?;
    let closed = async {
        let done = command.await;
        // Whoever insists with a second signal wants the end at once.
        if !done.as_ref().is_err_and(Failure::is_signal) {
            context.close().await;
        }
        done
    };
    run_on(context, Builder::new_multi_thread(), closed)
}

/// A command that ends by itself, by a signal, or by `--timeout`.
fn client(
    context: &Context,
    usual: Level,
    command: impl Future<Output = Result<(), Failure>> + Unpin,
) -> Result<(), Failure> {
    ui::logging::start(&context.ui, &context.environment, usual)?;
    let closed = async {
        let done = bounded(context, command).await;
        context.close().await;
        programs_end().await;
        done
    };
    run_on(context, Builder::new_current_thread(), closed)
}

/// Waits for the servers that the command started, also where it was interrupted. A signal cuts that short: what is left
/// of them is killed.
async fn programs_end() {
    let Ok(mut signals) = Signals::of_command() else { return };
    tokio::select! {
        biased;
        _ = signals.next() => {}
        () = programs_ended() => {}
    }
}

/// The level of logs where a command waits: what it says of an outage, it says in its own words.
fn level(waits: bool) -> Level {
    if waits { Level::ERROR } else { Level::WARN }
}

fn run_on(
    context: &Context,
    mut builder: Builder,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let runtime: Runtime = builder
        .enable_all()
        .build()
        .map_err(|error| Failure::caused(Kind::Unexpected, "cannot start the runtime", error))?;
    let done = runtime.block_on(async {
        signals::survive_large_files()?;
        command.await
    });
    context.stop.cancel();
    // A background thread that does not end must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(500));
    done
}

/// How long a prompt that was interrupted by a key has to end its command; it takes microseconds. A signal
/// from elsewhere does not reach the prompt, and ends the command after this.
const PROMPT_ENDS: Duration = Duration::from_millis(200);

async fn bounded(
    context: &Context,
    mut command: impl Future<Output = Result<(), Failure>> + Unpin,
) -> Result<(), Failure> {
    let mut signals = Signals::of_command()?;
    let end = context.config.timeout.map(|timeout| (timeout, tokio::time::Instant::now() + timeout));
    let timed_out = async {
        match end {
            Some((_, until)) => tokio::time::sleep_until(until).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(timed_out);
    loop {
        tokio::select! {
            biased;
            done = &mut command => return done,
            lost = context.lost() => return Err(lost),
            () = &mut timed_out => {
                let shown = end.map(|(timeout, _)| format!("{timeout:?}")).unwrap_or_default();
                let silent = context.who_is_silent().map(|who| format!(": {who}")).unwrap_or_default();
                clean_up(context, &mut signals, &mut command).await;
                let failure = Failure::new(Kind::TimedOut, format!("gave up after {shown}{silent}"));
                return Err(failure.maybe_hint(context.what_goes_on()));
            }
            signal = signals.next() => {
                if signal == Stop::Interrupt && context.ui.take_own_interrupt() {
                    continue;
                }
                if signal == Stop::HangUp && !context.ends_at_hangup() {
                    continue;
                }
                // A prompt has seen the same Ctrl-C, and knows better what to say of it.
                if context.ui.is_prompting()
                    && let Ok(done) = tokio::time::timeout(PROMPT_ENDS, &mut command).await
                {
                    return done;
                }
                clean_up(context, &mut signals, &mut command).await;
                return Err(signal.failure().maybe_hint(context.what_goes_on()));
            }
        }
    }
}

/// How long a command may take to clean up before it ends: a server says within seconds whether it cancelled a task.
const CLEANS_UP: Duration = Duration::from_secs(5);

/// Lets a command that has to end clean up, where it has something to. A further signal insists on the end.
async fn clean_up(
    context: &Context,
    signals: &mut Signals,
    command: &mut (impl Future<Output = Result<(), Failure>> + Unpin),
) {
    if context.begin_clean_up() {
        tokio::select! {
            biased;
            _ = signals.next() => {}
            _ = tokio::time::timeout(CLEANS_UP, command) => {}
        }
    }
}
