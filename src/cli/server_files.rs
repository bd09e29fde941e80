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

/// A file that is there: what it says, or why it cannot be read.
struct File {
    path: PathBuf,
    whole: Result<Value, String>,
}

/// The servers of all files, in the order in which they are looked through.
pub(super) fn read(environment: &Environment, folder: &Path) -> Vec<Listed> {
    let folders = project_folders(folder);
    let home = environment.given("HOME").map(PathBuf::from);
    let claude = home.as_ref().and_then(|home| File::read(home.join(".claude.json")));
    // What Claude Code has for a folder alone comes before what the project shares.
    let mut all: Vec<Listed> =
        folders.iter().filter_map(|folder| claude.as_ref()?.of_project(folder)).collect();
    for folder in &folders {
        for (path, key) in
            [(".mcp.json", CLAUDE), (".cursor/mcp.json", CLAUDE), (".vscode/mcp.json", VS_CODE)]
        {
            all.extend(File::read(folder.join(path)).and_then(|file| file.listed(key, folder)));
        }
    }
    // What is for the whole user is used in the project at hand.
    let project = folders.last().map_or(folder, PathBuf::as_path);
    all.extend(claude.and_then(|file| file.listed(CLAUDE, project)));
    for (path, key) in home.iter().flat_map(|home| user_files(home, environment)) {
        all.extend(File::read(path).and_then(|file| file.listed(key, project)));
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

impl File {
    /// `None` where there is none.
    fn read(path: PathBuf) -> Option<Self> {
        let found = std::fs::metadata(&path).ok()?;
        let whole = if found.is_file() && found.len() <= MAX_FILE_BYTES {
            let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
            text.and_then(|text| {
                serde_json::from_str(&without_comments(&text)).map_err(|error| error.to_string())
            })
        } else {
            Err("it is no file of a sensible size".to_owned())
        };
        Some(Self { path, whole })
    }

    /// What Claude Code's file has for one folder.
    fn of_project(&self, folder: &Path) -> Option<Listed> {
        let projects = self.whole.as_ref().ok()?.get("projects")?;
        let servers = projects.get(folder.to_str()?)?.get(CLAUDE)?.as_object()?.clone();
        Some(Listed { file: self.path.clone(), project: folder.to_owned(), servers, problem: None })
    }

    fn listed(self, key: &str, project: &Path) -> Option<Listed> {
        let (file, project) = (self.path, project.to_owned());
        match self.whole {
            Ok(whole) => {
                let servers = whole.get(key)?.as_object()?.clone();
                Some(Listed { file, project, servers, problem: None })
            }
            Err(problem) => Some(Listed { file, project, servers: Map::new(), problem: Some(problem) }),
        }
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
