//! Servers by the names that they have in the files of common MCP hosts: Claude Code, Claude Desktop, Cursor, VS Code.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::environment::Environment;
use super::failure::Failure;
use super::server_files::{self, Listed};
use super::ui::text;
use crate::client::Target;

/// The server of that name, with the file that has it.
pub(super) struct Named {
    pub(super) target: Target,
    pub(super) file: PathBuf,
}

/// Looks the name up: what is for this folder comes before what is for the whole project, and that before what is for the
/// user. `None` where no file has it.
pub(super) fn find(name: &str, environment: &Environment, folder: &Path) -> Result<Option<Named>, Failure> {
    let listed = server_files::read(environment, folder);
    let Some(found) = listed.iter().find(|listed| listed.servers.contains_key(name)) else { return Ok(None) };
    let entry = Entry {
        name,
        file: &found.file,
        home: environment.get("HOME"),
        environment,
        project: &found.project,
    };
    Ok(Some(Named { target: entry.target(&found.servers[name])?, file: found.file.clone() }))
}

/// The failure where no file names such a server.
pub(super) fn unknown(name: &str, environment: &Environment, folder: &Path) -> Failure {
    let listed = server_files::read(environment, folder);
    let servers = listed.iter().flat_map(|listed| &listed.servers);
    let mut names: Vec<&str> =
        servers.filter(|(_, entry)| !is_disabled(entry)).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let known = match names.as_slice() {
        [] => "no file of an MCP host here names any".to_owned(),
        names => format!("the files of MCP hosts here name {}", text::line(&names.join(", "))),
    };
    let failure = Failure::usage(format!("{name:?} is neither a URL nor the name of a server: {known}"));
    let broken = listed.iter().filter_map(Listed::broken);
    broken.fold(failure, Failure::hint).hint("a URL is such as http://127.0.0.1:8737/mcp")
}

/// Whether its host has it switched off, in the word of Cursor, Cline and others.
fn is_disabled(entry: &Value) -> bool {
    entry.get("disabled") == Some(&Value::Bool(true))
}

/// What a file says of one server.
struct Entry<'a> {
    name: &'a str,
    file: &'a Path,
    home: Option<&'a str>,
    environment: &'a Environment,
    /// The folder that the file is for.
    project: &'a Path,
}

impl Entry<'_> {
    fn target(&self, entry: &Value) -> Result<Target, Failure> {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        if is_disabled(entry) {
            let problem = "is disabled there: take \"disabled\": true out, or give --server its URL";
            return Err(self.refused(problem));
        }
        if text("type") == Some("sse") {
            return Err(self.refused("uses the transport of 2024 (sse), which is not spoken here"));
        }
        if let Some(url) = text("url").or_else(|| text("serverUrl")) {
            let mut target = Target::http(&self.filled(url)?)?;
            if let Target::Http { headers, .. } = &mut target {
                *headers = self.pairs(entry.get("headers"))?;
            }
            return Ok(target);
        }
        let Some(program) = text("command").filter(|program| !program.trim().is_empty()) else {
            return Err(self.refused("has neither a url nor a command"));
        };
        let arguments = entry.get("args").and_then(Value::as_array).into_iter().flatten();
        let words = std::iter::once(program).chain(arguments.filter_map(Value::as_str));
        let command = words.map(|word| self.filled(word)).collect::<Result<_, _>>()?;
        let directory = text("cwd").map(|folder| self.filled(folder)).transpose()?;
        let directory = directory.map(|folder| self.project.join(folder));
        if let Some(missing) = directory.as_deref().filter(|folder| !folder.is_dir()) {
            let problem = format!("runs in {}, and there is no such folder", missing.display());
            return Err(self.refused(&problem));
        }
        Ok(Target::Stdio { command, environment: self.pairs(entry.get("env"))?, directory })
    }

    fn pairs(&self, object: Option<&Value>) -> Result<Vec<(String, String)>, Failure> {
        let pairs = object.and_then(Value::as_object).into_iter().flatten();
        let shown = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        };
        pairs
            .filter_map(|(name, value)| Some((name, shown(value)?)))
            .map(|(name, value)| Ok((name.clone(), self.filled(&value)?)))
            .collect()
    }

    /// The text with what stands for something else filled in, as its host does it.
    fn filled(&self, text: &str) -> Result<String, Failure> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let Some((word, behind)) = after.split_once('}') else { break };
            filled.push_str(before);
            filled.push_str(&self.meant(word)?);
            rest = behind;
        }
        Ok(filled + rest)
    }

    fn meant(&self, word: &str) -> Result<String, Failure> {
        match word {
            "workspaceFolder" => return Ok(self.project.display().to_string()),
            "workspaceFolderBasename" => {
                return Ok(self.project.file_name().unwrap_or_default().to_string_lossy().into_owned());
            }
            "userHome" => return Ok(self.home.unwrap_or_default().to_owned()),
            "pathSeparator" | "/" => return Ok(std::path::MAIN_SEPARATOR.to_string()),
            _ => {}
        }
        if word.starts_with("input:") || word.starts_with("command:") {
            return Err(self.refused(&format!("has ${{{word}}}, which only its host can fill in")));
        }
        let (name, usual) = match word.strip_prefix("env:").unwrap_or(word).split_once(":-") {
            Some((name, usual)) => (name, Some(usual)),
            None => (word.strip_prefix("env:").unwrap_or(word), None),
        };
        let value = self.environment.get(name).filter(|value| !value.is_empty() || usual.is_none()).or(usual);
        value
            .map(str::to_owned)
            .ok_or_else(|| self.refused(&format!("needs the variable {name}, which is not set")))
    }

    fn refused(&self, problem: &str) -> Failure {
        let file = text::line(&self.file.display().to_string());
        Failure::usage(format!("the server {:?} of {file} {}", self.name, text::line(problem)))
    }
}
