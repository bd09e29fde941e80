//! The command line: one file for each command, `ui` as the only road to the terminal, and one table of
//! exit codes (`failure::Kind`).

mod access;
mod activity;
mod answering;
mod arguments;
mod ask;
mod ask_kind;
mod attach;
mod bulk;
mod cancel;
mod check;
mod complete;
mod complete_names;
mod completions;
mod config;
mod connections;
mod context;
mod database;
mod demo;
mod doctor;
mod environment;
mod examples;
mod export;
mod extend;
mod follow;
mod handover;
mod help;
mod inbox;
mod left_behind;
mod link;
mod list;
mod mcp;
mod named_server;
mod notify;
mod notifying;
mod offer;
mod outage;
mod outcome;
mod places;
mod profile;
mod profile_file;
mod prune;
mod remote;
mod remote_answering;
mod report;
mod respond;
mod respond_all;
mod respond_args;
mod result;
mod retention;
mod retry;
mod rules;
mod rules_file;
mod run;
mod serve;
mod served_rules;
mod server_files;
mod settings;
mod show;
mod signals;
mod since;
mod stay;
mod submit;
mod task_id;
mod token_file;
mod tools;
mod ui;
mod unheeded;
mod usage;
mod waiting;
mod watch;
mod who;
mod worker;
mod workers;

use std::fmt::Write as _;

use clap::{Parser, Subcommand};

use crate::desk::failure::{self, Kind};
use config::GlobalArgs;

pub use run::main;

/// Background tasks of the Model Context Protocol that can ask their user
///
/// Start with `mcptask demo`. Then, in four terminals: `mcptask serve`, `mcptask submit plan_dinner --session
/// dinner`, `mcptask watch dinner`, `mcptask respond`.
#[derive(Debug, Parser)]
#[command(name = "mcptask", version, after_long_help = afterword(), max_term_width = 110)]
#[command(disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Worker(worker::WorkerArgs),
    Submit(submit::SubmitArgs),
    Attach(attach::AttachArgs),
    Watch(watch::WatchArgs),
    Respond(respond::RespondArgs),
    Inbox(inbox::InboxArgs),
    Link(link::LinkArgs),
    Extend(extend::ExtendArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Result(result::ResultArgs),
    Cancel(cancel::CancelArgs),
    Retry(retry::RetryArgs),
    Prune(prune::PruneArgs),
    Doctor(doctor::DoctorArgs),
    Tools(tools::ToolsArgs),
    Workers(workers::WorkersArgs),
    Notify(notify::NotifyArgs),
    Export(export::ExportArgs),
    Ask(ask::AskArgs),
    Report(report::ReportArgs),
    Check(check::CheckArgs),
    Mcp(mcp::McpArgs),
    Completions(completions::CompletionsArgs),
    Config(settings::ConfigArgs),
    Init(settings::InitArgs),
}

impl Command {
    /// Whether it takes a task's id, or what is followed, besides its options.
    fn is_about_a_task(&self) -> bool {
        matches!(
            self,
            Self::Attach(_)
                | Self::Watch(_)
                | Self::Respond(_)
                | Self::Link(_)
                | Self::Extend(_)
                | Self::Show(_)
                | Self::Result(_)
                | Self::Cancel(_)
                | Self::Retry(_)
                | Self::Doctor(_)
        )
    }
}

/// Exit codes and environment, for the end of the help.
fn afterword() -> String {
    let mut text = String::from("Exit codes:\n    0  done\n");
    let mut codes = Kind::ALL.map(|kind| (kind.exit_code(), kind.meaning())).to_vec();
    codes.push((ask::DECLINED, "the user declined (ask only)"));
    codes.sort_unstable();
    for (code, meaning) in codes {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {code:>3}  {meaning}");
    }
    text.push_str(
        "\nEnvironment:
  MCPTASK_REDIS_URL  as --redis
  MCPTASK_DB         as --db
  MCPTASK_NAMESPACE  as --namespace
  MCPTASK_TOKEN      as --token, which other users of the machine could read
  MCPTASK_PROFILE    as --profile
  MCPTASK_AS         who answers, as --as of respond
  MCPTASK_PUBLIC_URL as --public-url of serve and link
  MCPTASK_LOG        what to log on stderr, for example mcptask=debug
  NO_COLOR, CLICOLOR_FORCE, CI  as everywhere: no colours, colours, nobody to ask",
    );
    text
}
