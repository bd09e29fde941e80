//! `config`: each setting with where its value comes from, and the file of profiles; `init`: a file of tools to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::context::Context;
use super::environment::Environment;
use super::failure::{Failure, Kind};
use super::profile_file;
use super::ui::{Ui, text};
use crate::config;
use crate::desk::suggest::{Advice, Suggested};

/// How a profile is written, for the help.
const FORMAT: &str = "\
Profiles, in config.toml of the user's configuration directory; every key may be left out:
  default = \"prod\"
  [profile.prod]
  redis = \"rediss://redis.example.com:6379\"  # or db = \"PATH\", or server = \"URL|NAME\"
  # token_file = \"PATH\"                       # of a server: the bearer token, alone in a file
  namespace = \"kitchen\"
  docket = \"orders\"                           # look only at that FastMCP deployment
  as = \"ada\"                                  # who answers
  public_url = \"https://tasks.example.com\"    # of links to questions
  color = \"always\"
  confirm = true                              # named, and asked for, before something is changed";

/// Show each setting with where its value comes from, or the path of the file of profiles
///
/// Options of the command line win over the environment, that over the profile, and that over what is built in. Secrets
/// are not shown. With `path`, prints where the file of profiles is, whether it is there or not.
#[derive(Debug, Args)]
#[command(after_long_help = FORMAT)]
pub(crate) struct ConfigArgs {
    /// What to show
    #[arg(value_enum, value_name = "WHAT", default_value_t)]
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum What {
    /// Each setting.
    #[default]
    Show,
    /// The path of the file of profiles.
    Path,
}

/// Write a commented mcptask.toml to begin with
///
/// An existing file is left as it is (exit 10).
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file
    #[arg(default_value = config::FILE, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

/// Prints every setting.
pub(crate) fn show(context: &Context) -> Result<(), Failure> {
    let settings = &context.config.settings;
    let width = settings.iter().map(|one| one.name.len()).max().unwrap_or_default();
    for one in settings {
        if context.ui.is_json() {
            context.ui.object(&json!({ "name": one.name, "value": one.value, "from": one.from }))?;
            continue;
        }
        let value = one.value.as_deref().map_or_else(|| "-".to_owned(), text::line);
        context.ui.line(&format!("{:width$}  {value}  ({})", one.name, text::line(&one.from)))?;
    }
    Ok(())
}

/// Prints where the profiles are.
pub(crate) fn path(ui: &Ui, environment: &Environment) -> Result<(), Failure> {
    let Some(path) = profile_file::file(environment) else {
        return Err(Failure::usage(
            "neither HOME nor XDG_CONFIG_HOME is set, so there is no file of profiles",
        )
        .hint("set one of them"));
    };
    if ui.is_json() {
        return ui.object(&json!({ "path": path.display().to_string(), "exists": path.exists() }));
    }
    ui.line(&text::line(&path.display().to_string()))
}

/// Writes the file, where there is none.
pub(crate) fn init(context: &Context, args: &InitArgs) -> Result<(), Failure> {
    let shown = args.file.display();
    let written = OpenOptions::new().write(true).create_new(true).open(&args.file);
    let written = written.and_then(|mut file| file.write_all(config::BEGINNING.as_bytes()));
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::new(
                Kind::NothingChanged,
                format!("{shown} is there already, and is left as it is"),
            )
            .hint("give another path, such as mcptask init tools.toml"));
        }
        Err(error) => {
            return Err(Failure::caused(Kind::Unexpected, format!("cannot write {shown}: {error}"), error)
                .hint("give a path in a folder that can be written"));
        }
        Ok(()) => {}
    }
    if context.ui.is_json() {
        return context.ui.object(&json!({ "path": shown.to_string(), "exists": true }));
    }
    let serve = Suggested::new("serve").option("--config", shown.to_string());
    context.ui.line(&format!("wrote {}", text::line(&shown.to_string())))?;
    context.tell(Advice::command(serve, "offers its tools"));
    Ok(())
}
