//! Logs: what happens inside, on stderr, never on stdout.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;

use super::{Ui, text};
use crate::cli::environment::{Environment, LOG};
use crate::cli::failure::Failure;

/// Begins logging to stderr. `usual` is the level without `-v` and `-q`; `MCPTASK_LOG` wins over all.
pub(crate) fn start(ui: &Ui, environment: &Environment, usual: tracing::Level) -> Result<(), Failure> {
    let escape = if ui.is_json() { text::json } else { text::line };
    let speaker = ui.clone();
    let writer = move || Harmless { ui: speaker.clone(), escape };
    let builder =
        tracing_subscriber::fmt().with_writer(writer).with_env_filter(filter(ui, environment, usual)?);
    // A second start in one process keeps the first.
    let _ = if ui.is_json() {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(false).with_target(ui.verbosity() > 0).try_init()
    };
    Ok(())
}

/// Escapes what a terminal would obey: words of strangers are in libraries' logs too.
struct Harmless {
    ui: Ui,
    escape: fn(&str) -> String,
}

impl Write for Harmless {
    /// Gets one whole event at a time, with its line end.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        self.ui.to_stderr(&(self.escape)(text.strip_suffix('\n').unwrap_or(&text)));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    // What these libraries say of a connection that ends, or does not come about, is said here as an error or not at all.
    let theirs = if ui.verbosity() > 0 { "warn" } else { "off" };
    Ok(EnvFilter::new(format!("warn,rmcp={theirs},rustls_platform_verifier={theirs},mcptask={level}")))
}
