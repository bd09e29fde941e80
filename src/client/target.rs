//! Which server to talk to, and how.

use std::fmt;
use std::path::PathBuf;

use url::Url;

use super::ClientError;

/// Which protocol era to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Era {
    /// Modern where the server answers `server/discover`, else legacy. A legacy server that
    /// is silent to what it does not know costs ten seconds: name its era.
    #[default]
    Auto,
    /// Up to 2025-11-25: `initialize`, sessions, `tasks/result`.
    Legacy,
    /// 2026-07-28: stateless, tasks as an extension.
    Modern,
}

/// What stands before the name of a server that is a program.
const PROGRAM: &str = "command ";

/// Whether a server of that name is a program that was started here.
pub(super) fn is_program(server: &str) -> bool {
    server.starts_with(PROGRAM)
}

/// A server to connect to. Its `Display` and `Debug` are safe to show: no credentials, no query, no
/// header values, no arguments.
#[derive(Clone, PartialEq, Eq)]
pub enum Target {
    /// A streamable HTTP endpoint.
    Http {
        /// The endpoint.
        url: Url,
        /// More headers, sent with each request.
        headers: Vec<(String, String)>,
        /// A bearer token.
        token: Option<String>,
    },
    /// A program that speaks MCP on its stdin and stdout.
    Stdio {
        /// The program and its arguments; never empty.
        command: Vec<String>,
        /// Variables that it gets beside those of this process.
        environment: Vec<(String, String)>,
        /// Where it runs; `None` where this process does.
        directory: Option<PathBuf>,
    },
}

impl Target {
    /// An HTTP endpoint without headers or token.
    pub fn http(url: &str) -> Result<Self, ClientError> {
        let refused = |problem: &str| ClientError::Target { given: shown(url), problem: problem.to_owned() };
        if !url.contains("://")
            && let Some(whole) = completed(url)
        {
            return Err(refused(&format!("has no scheme: write {whole}")));
        }
        if let Some(problem) = unescaped(url) {
            return Err(refused(&problem));
        }
        let url = Url::parse(url)
            .map_err(|error| refused(&format!("is not a URL, such as http://127.0.0.1:8737/mcp: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(refused("is not an http or https URL, such as http://127.0.0.1:8737/mcp"));
        }
        Ok(Self::Http { url, headers: Vec::new(), token: None })
    }

    /// A program, from one line that is split into words as a shell does it, without running one.
    pub fn stdio(line: &str) -> Result<Self, ClientError> {
        let refused = |problem: &str| ClientError::Target { given: shown(line), problem: problem.to_owned() };
        let command = shell_words::split(line).map_err(|_| refused("has an open quote"))?;
        if command.is_empty() {
            return Err(refused("names no program"));
        }
        Ok(Self::Stdio { command, environment: Vec::new(), directory: None })
    }
}

/// What is wrong with a user name or password in which a character ends the part of the URL that it is in.
fn unescaped(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let ends = rest.find(['/', '?', '#'])?;
    let (before, after) = rest.split_at(ends);
    let mark = &after[..1];
    // A path may have an @ as well, and a port is a number.
    let is_port = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_cut = !before.contains('@') && after.contains('@');
    let is_password = before.rsplit_once(':').is_some_and(|(_, port)| !is_port(port));
    (is_cut && (mark != "/" || is_password) && (before.contains(':') || mark == "#")).then(|| {
        let escaped = match mark {
            "#" => "%23",
            "?" => "%3F",
            _ => "%2F",
        };
        format!("has {mark} in its user name or password: write {mark} as {escaped} there")
    })
}

/// What was probably meant by an address without a scheme.
fn completed(given: &str) -> Option<String> {
    let mut url = Url::parse(&format!("http://{}", shown(given))).ok()?;
    // A word alone is no address.
    let is_address = given.contains(['.', ':', '/']) || url.host_str() == Some("localhost");
    if url.path() == "/" {
        url.set_path("/mcp");
    }
    is_address.then(|| url.to_string())
}

/// The first word of what was given, so that an argument or a query that holds a secret stays hidden.
pub(crate) fn shown(given: &str) -> String {
    let end = given.find(|c: char| c.is_whitespace() || c == '?').unwrap_or(given.len());
    let first = &given[..end];
    match (first.find("://"), first.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => format!("{}://{}", &first[..scheme], &first[at + 1..]),
        (None, Some(at)) => first[at + 1..].to_owned(),
        _ => first.to_owned(),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { url, .. } => f.write_str(&shown(url.as_str())),
            Self::Stdio { command, .. } => write!(f, "{PROGRAM}{}", command[0]),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_shows_no_secret() {
        let target = Target::http("https://ann:hunter2@example.com/mcp?key=s3cret").expect("a URL");
        assert_eq!(target.to_string(), "https://example.com/mcp");
        let target = Target::stdio("server --token s3cret").expect("a command");
        assert_eq!(format!("{target:?}"), "Target(command server)");
        let error = Target::http("ftp://ann:hunter2@example.com/x?key=s3cret").expect_err("not http");
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("s3cret"), "{error}");
        let error = Target::http("ann:hunter2@example.com/x?key=s3cret").expect_err("no scheme");
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn what_is_missing_of_an_address_is_said() {
        for (given, meant) in [
            ("localhost:8737", "http://localhost:8737/mcp"),
            ("127.0.0.1:8737/other", "http://127.0.0.1:8737/other"),
            ("example.com", "http://example.com/mcp"),
        ] {
            let error = Target::http(given).expect_err("has no scheme").to_string();
            assert!(error.ends_with(&format!("has no scheme: write {meant}")), "{error}");
        }
        assert!(Target::http("URL").expect_err("no address").to_string().contains("is not a URL"));
    }

    #[test]
    fn a_command_line_is_split_as_a_shell_splits_it() {
        let target = Target::stdio(r#"python 'my server.py' --name "a b" c\ d"#).expect("a command");
        let words = ["python", "my server.py", "--name", "a b", "c d"].map(str::to_owned).to_vec();
        assert_eq!(target, Target::Stdio { command: words, environment: Vec::new(), directory: None });
        assert!(Target::stdio("python 'open").is_err());
        assert!(Target::stdio("  ").is_err());
    }
}
