//! Logs: what happens inside, on stderr, never on stdout.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::Ui;
use crate::cli::environment::{Environment, LOG};
use crate::cli::failure::Failure;

/// Begins logging to stderr. `usual` is the level without `-v` and `-q`; `MCPTASK_LOG` wins over all.
pub(crate) fn start(ui: &Ui, environment: &Environment, usual: tracing::Level) -> Result<(), Failure> {
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter(
        ui,
        environment,
        usual,
    )?);
    // A second start in one process keeps the first.
    let _ = if ui.is_json() {
        builder.json().flatten_event(true).try_init()
    } else {
        let ansi = ui.talk_paint().is_on() && std::io::stderr().is_terminal();
        builder.with_ansi(ansi).with_target(ui.verbosity() > 0).try_init()
    };
    Ok(())
}

fn filter(ui: &Ui, environment: &Environment, usual: tracing::Level) -> Result<EnvFilter, Failure> {
    if let Some(given) = environment.given(LOG) {
        return EnvFilter::try_new(given).map_err(|error| {
            Failure::usage(format!("{LOG}={given:?} is not a log filter: {error}"))
                .hint(format!("for example {LOG}=mcptask=debug"))
        });
    }
    let level = match (ui.is_quiet(), ui.verbosity()) {
        (true, _) => "error".to_owned(),
        (false, 0) => usual.to_string().to_lowercase(),
        (false, 1) => "debug".to_owned(),
        (false, _) => "trace".to_owned(),
    };
    // What the protocol library says of a connection that ends is said here as an error or not at all.
    let rmcp = if ui.verbosity() > 0 { "warn" } else { "off" };
    Ok(EnvFilter::new(format!("warn,rmcp={rmcp},mcptask={level}")))
}
