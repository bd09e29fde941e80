//! The files in which common MCP hosts keep their servers.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::environment::Environment;
use super::ui::text;

/// The largest file that is read, in bytes: Claude Code keeps much else in the same one.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The servers of one file, or of one project in it.
pub(super) struct Listed {
    pub(super) file: PathBuf,
    /// The folder that they are for.
    pub(super) project: PathBuf,
    pub(super) servers: Map<String, Value>,
    problem: Option<String>,
}

impl Listed {
    /// What is wrong with the file, where it cannot be read.
    pub(super) fn broken(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(text::line(&format!("{} cannot be read: {problem}", self.file.display())))
    }
}

/// The servers of all files, in the order in which they are looked through.
pub(super) fn read(environment: &Environment, folder: &Path) -> Vec<Listed> {
    let folders = project_folders(folder);
    let root = folders.last().map_or(folder, PathBuf::as_path);
    let home = environment.given("HOME").map(PathBuf::from);
    let mut all = Vec::new();
    let claude = home.as_ref().map(|home| contents(&home.join(".claude.json"), root));
    if let Some(Ok(Some((file, whole)))) = &claude {
        // What Claude Code has for a folder alone comes before what the project shares.
        let project = |folder: &PathBuf| {
            let servers =
                whole.get("projects")?.get(folder.to_str()?)?.get("mcpServers")?.as_object()?.clone();
            Some(Listed { file: file.clone(), project: folder.clone(), servers, problem: None })
        };
        all.extend(folders.iter().filter_map(project));
    }
    for folder in &folders {
        for (path, key) in
            [(".mcp.json", CLAUDE), (".cursor/mcp.json", CLAUDE), (".vscode/mcp.json", VS_CODE)]
        {
            all.extend(listed(contents(&folder.join(path), folder), key));
        }
    }
    all.extend(claude.and_then(|contents| listed(contents, CLAUDE)));
    for (path, key) in home.iter().flat_map(|home| user_files(home, environment)) {
        all.extend(listed(contents(&path, root), key));
    }
    all
}

/// Under which key a file has its servers.
const CLAUDE: &str = "mcpServers";
const VS_CODE: &str = "servers";

/// The files for a whole user.
fn user_files(home: &Path, environment: &Environment) -> Vec<(PathBuf, &'static str)> {
    let settings = if cfg!(target_os = "macos") {
        home.join("Library/Application Support")
    } else {
        environment.given("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from)
    };
    vec![
        (home.join(".cursor/mcp.json"), CLAUDE),
        (settings.join("Claude/claude_desktop_config.json"), CLAUDE),
        (settings.join("Code/User/mcp.json"), VS_CODE),
    ]
}

/// The folder and those above it, up to the root of its repository; the folder alone where there is no repository, since
/// somebody else may have put a file above it.
fn project_folders(folder: &Path) -> Vec<PathBuf> {
    let folders: Vec<PathBuf> = folder.ancestors().map(Path::to_path_buf).collect();
    let root = folders.iter().position(|folder| folder.join(".git").exists()).unwrap_or(0);
    folders.into_iter().take(root + 1).collect()
}

type Contents = Result<Option<(PathBuf, Value)>, Listed>;

/// What a file says; `None` where there is none.
fn contents(file: &Path, project: &Path) -> Contents {
    let broken = |problem: String| Listed {
        file: file.to_owned(),
        project: project.to_owned(),
        servers: Map::new(),
        problem: Some(problem),
    };
    let Ok(found) = std::fs::metadata(file) else { return Ok(None) };
    if !found.is_file() || found.len() > MAX_FILE_BYTES {
        return Err(broken("it is no file of a sensible size".to_owned()));
    }
    let text = std::fs::read_to_string(file).map_err(|error| broken(error.to_string()))?;
    let whole = serde_json::from_str(&without_comments(&text)).map_err(|error| broken(error.to_string()))?;
    Ok(Some((file.to_owned(), whole)))
}

fn listed(contents: Contents, key: &str) -> Option<Listed> {
    match contents {
        Ok(Some((file, whole))) => {
            let servers = whole.get(key)?.as_object()?.clone();
            let project = file.parent().map(Path::to_path_buf).unwrap_or_default();
            // A file in a folder of its host's is about the folder above.
            let project = if project.ends_with(".cursor") || project.ends_with(".vscode") {
                project.parent().map(Path::to_path_buf).unwrap_or_default()
            } else {
                project
            };
            Some(Listed { file, project, servers, problem: None })
        }
        Ok(None) => None,
        Err(broken) => Some(broken),
    }
}

/// The JSON in what VS Code takes: comments, and commas after the last item.
fn without_comments(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text.trim_start_matches('\u{feff}'));
    while let Some(next) = rest.chars().next() {
        let end = match next {
            '"' => {
                let end = string_end(rest);
                plain.push_str(&rest[..end]);
                end
            }
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '}' | ']' => {
                let kept = plain.trim_end();
                plain.truncate(kept.strip_suffix(',').unwrap_or(kept).len());
                plain.push(next);
                1
            }
            other => {
                plain.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[end..];
    }
    plain
}

/// Where the string ends that `text` begins with.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, one) in text.char_indices().skip(1) {
        match one {
            '"' if !is_escaped => return at + 1,
            _ => is_escaped = one == '\\' && !is_escaped,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comments_and_last_commas_are_read_as_vs_code_reads_them() {
        let text = "// a\n{ \"a//\": [1, /* b */ 2, ], \"q\\\"/*\": \"x,]\", // c\n}\n";
        let read: Value = serde_json::from_str(&without_comments(text)).expect("JSON");
        assert_eq!(read, json!({ "a//": [1, 2], "q\"/*": "x,]" }));
        assert_eq!(without_comments("{\"open"), "{\"open");
        assert_eq!(without_comments("/* open"), "");
    }
}
