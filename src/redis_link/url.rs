//! What of a Redis URL may be shown, and whether it can be read in one way only.
//!
//! A password with a character that URLs use for something else (`#`, `/`, `?`, `@`, `%`) moves the borders of the
//! URL's parts: a piece of it would be taken for a port, a path or a fragment, and be shown. Such a URL is refused,
//! and what is shown is put together from parts that cannot hold a secret.

use url::Url;

/// The schemes of one server, and what stands before the kind in those of several (`redis+sentinel`).
const SCHEMES: [&str; 4] = ["redis", "rediss", "valkey", "valkeys"];

/// The schemes of a socket in the file system.
const SOCKETS: [&str; 3] = ["unix", "redis+unix", "valkey+unix"];

/// What is shown of a query. Everything else may be a secret, or a piece of one.
const SHOWN: [&str; 3] = ["db", "protocol", "sentinel_username"];

/// What of a query is a password.
const PASSWORDS: [&str; 3] = ["pass", "password", "sentinel_password"];

/// What stands for a password where it is not shown.
const STARS: &str = "***";

/// The parts of a URL, as they stand there.
struct Parts<'a> {
    scheme: &'a str,
    /// What stands before the `@`, or before the path of a socket.
    user: Option<&'a str>,
    /// Hosts with their ports, or nothing before a socket's path.
    hosts: &'a str,
    path: &'a str,
    query: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts of a URL that can be read in one way only; else what to write otherwise.
    fn of(url: &'a str) -> Result<Self, String> {
        const FORM: &str = "it is no Redis URL: write redis://USER:PASSWORD@HOST:PORT/DB, or rediss://, unix://, \
                            redis+sentinel:// or redis+cluster://";
        let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| is_known(scheme)).ok_or(FORM)?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if SOCKETS.contains(&scheme) {
            return Self::of_socket(scheme, rest);
        }
        if rest.contains('@') {
            // It ends the password, so what ended the authority stands in the password.
            return Err(escape(rest.chars().next().unwrap_or('/')));
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains('@')) {
            return Err(escape('@'));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let parts = Self { scheme, user, hosts, path: rest, query };
        parts.checked()
    }

    fn of_socket(scheme: &'a str, rest: &'a str) -> Result<Self, String> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Self { scheme, user: None, hosts: "", path, query }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        if self.path.contains('#') || self.query.contains('#') {
            return Err(escape('#'));
        }
        if [self.user.unwrap_or_default(), self.query].into_iter().any(has_bare_percent) {
            return Err(escape('%'));
        }
        if !self.is_socket() {
            let readable =
                |host: &str| Url::parse(&format!("redis://{host}")).is_ok_and(|url| url.has_host());
            // What is wrong may be a piece of a password, so it is not repeated.
            if !self.hosts.split(',').all(readable) {
                return Err(
                    "its host or port cannot be read: write redis://USER:PASSWORD@HOST:PORT/DB".to_owned()
                );
            }
        }
        Ok(self)
    }

    fn is_socket(&self) -> bool {
        SOCKETS.contains(&self.scheme)
    }

    /// Whether what stands in the place of a database is the number of one.
    fn check_database(&self) -> Result<(), String> {
        let path = self.path.trim_matches('/');
        let is_in_query = self.query.split('&').any(|pair| pair.starts_with("db="));
        if is_in_query && !self.is_socket() {
            // The library takes the path's and passes over this one.
            return Err("its database stands behind the host, and \"db\" says nothing there: write redis://HOST:PORT/DB"
                .to_owned());
        }
        let database = match () {
            () if self.is_socket() => {
                let given = self.query.split('&').find_map(|pair| pair.strip_prefix("db="));
                given.unwrap_or("0")
            }
            () if self.scheme.ends_with("+sentinel") => {
                path.split_once('/').map_or("0", |(_, database)| database)
            }
            () if path.is_empty() => "0",
            () => path,
        };
        // What is there may be a piece of a password, so it is not repeated.
        let problem = "what stands behind its host is no number of a database: write redis://HOST:PORT/DB, where DB is \
                       0 or more";
        let is_number = database.bytes().all(|byte| byte.is_ascii_digit()) && database.parse::<i32>().is_ok();
        if is_number { Ok(()) } else { Err(problem.to_owned()) }
    }

    /// The nodes, each with its port; a socket's path.
    fn nodes(&self) -> Vec<String> {
        if self.is_socket() {
            return vec![self.path.to_owned()];
        }
        let usual = if self.scheme.ends_with("+sentinel") { 26379 } else { 6379 };
        let node = |host: &str| {
            let url = Url::parse(&format!("redis://{}", host.to_ascii_lowercase())).ok()?;
            let name = url.host_str().map(|name| if name == "localhost" { "127.0.0.1" } else { name })?;
            Some(format!("{name}:{}", url.port().unwrap_or(usual)))
        };
        self.hosts.split(',').filter_map(node).collect()
    }

    /// The number of the database, and what sentinels call the primary.
    fn database(&self) -> String {
        let of_query = || self.query.split('&').find_map(|pair| pair.strip_prefix("db="));
        let path =
            if self.is_socket() { of_query().unwrap_or_default() } else { self.path.trim_matches('/') };
        let has_number = !path.is_empty() && (path.contains('/') || !self.scheme.ends_with("+sentinel"));
        if has_number { path.to_owned() } else { format!("{path}/0").trim_start_matches('/').to_owned() }
    }

    /// The path, if it is one that cannot be a piece of a password: a socket's, a number, a primary's name.
    fn shown_path(&self) -> &str {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_shown = self.is_socket() || self.is_of_several() || is_number(self.path.trim_matches('/'));
        if is_shown { self.path } else { "/…" }
    }

    fn is_of_several(&self) -> bool {
        self.scheme.contains('+')
    }

    fn shown_user(&self) -> String {
        match self.user.map(|user| user.split_once(':')) {
            None => String::new(),
            // A name without a password is often a password in the wrong place.
            Some(None) => format!("{STARS}@"),
            Some(Some((name, _))) => format!("{name}:{STARS}@"),
        }
    }

    fn names(&self, name: &str) -> bool {
        self.query.split('&').any(|pair| pair.split('=').next() == Some(name))
    }

    fn shown_query(&self) -> String {
        let name = |pair: &&str| SHOWN.contains(&pair.split('=').next().unwrap_or_default());
        let pairs: Vec<_> = self.query.split('&').filter(name).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// Whether stars stand in the place of a password, as in a URL that was shown.
fn has_stars(parts: &Parts<'_>) -> bool {
    let of_user = parts.user.is_some_and(|user| user.rsplit(':').next() == Some(STARS));
    let is_hidden = |pair: &str| pair.split_once('=').is_some_and(|(_, value)| value == STARS);
    of_user || parts.query.split('&').any(is_hidden)
}

fn is_known(scheme: &str) -> bool {
    let of_several = |kind: &str| scheme.strip_suffix(kind).is_some_and(|first| SCHEMES.contains(&first));
    SCHEMES.contains(&scheme)
        || SOCKETS.contains(&scheme)
        || of_several("+sentinel")
        || of_several("+cluster")
}

fn escape(character: char) -> String {
    let code = u32::from(character);
    format!("a user name or password in it has a {character}: write {character} as %{code:02X}")
}

/// Whether a `%` stands there that begins no escape.
fn has_bare_percent(text: &str) -> bool {
    let escapes = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    text.match_indices('%').any(|(at, _)| !escapes(&text[at + 1..]))
}

/// What is wrong with a URL, and how to write it; nothing of the URL is in it.
pub(crate) fn problem(url: &str) -> Option<String> {
    match Parts::of(url) {
        Ok(parts) if has_stars(&parts) => Some(format!("it has {STARS} in place of its password")),
        parts => parts.and_then(|parts| parts.check_database()).err(),
    }
}

/// The URL as a suggested command names it: where it has a secret, with stars in its place, which [`problem`] refuses.
pub(crate) fn without_secrets(url: &str) -> String {
    let shown = shown(url);
    let hidden: Vec<_> = Parts::of(url).map_or_else(
        |_| Vec::new(),
        |parts| PASSWORDS.into_iter().filter(|name| parts.names(name)).collect(),
    );
    hidden.into_iter().fold(shown, |shown, name| {
        let joint = if shown.contains('?') { '&' } else { '?' };
        format!("{shown}{joint}{name}={STARS}")
    })
}

/// The options with which `redis-cli` reaches the first node of a URL, without who asks; `None` where it is no such URL.
pub(crate) fn cli_options(url: &str) -> Option<Vec<String>> {
    let parts = Parts::of(url).ok()?;
    if parts.is_socket() {
        return Some(vec!["-s".to_owned(), parts.path.to_owned()]);
    }
    let node = Url::parse(&format!("redis://{}", parts.hosts.split(',').next()?)).ok()?;
    let usual = if parts.scheme.ends_with("+sentinel") { 26379 } else { 6379 };
    let port = node.port().unwrap_or(usual).to_string();
    let name = node.host_str()?.trim_matches(['[', ']']).to_owned();
    let has_tls = ["rediss", "valkeys"].iter().any(|scheme| parts.scheme.starts_with(scheme));
    let reached = ["-h".to_owned(), name, "-p".to_owned(), port];
    Some(reached.into_iter().chain(has_tls.then(|| "--tls".to_owned())).collect())
}

/// Whether two URLs lead to the same database, whoever asks there: one of the nodes is the same, and so is what stands
/// behind them.
pub(crate) fn is_same_place(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Parts::of(one), Parts::of(other)) else { return false };
    let nodes = other.nodes();
    one.database() == other.database() && one.nodes().iter().any(|node| nodes.contains(node))
}

/// The URL as it may be shown: with stars for the password, and without anything that could be a piece of one.
pub(crate) fn shown(url: &str) -> String {
    match Parts::of(url) {
        Ok(parts) => {
            let (scheme, hosts, path) = (parts.scheme, parts.hosts, parts.shown_path());
            format!("{scheme}://{}{hosts}{path}{}", parts.shown_user(), parts.shown_query())
        }
        Err(_) => "the given Redis URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{problem, shown};

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("redis://me:secret@host:1/2"), "redis://me:***@host:1/2");
        assert_eq!(shown("redis://:secret@host"), "redis://:***@host");
        assert_eq!(shown("redis://secret@host"), "redis://***@host");
        assert_eq!(shown("unix:///run/redis.sock?pass=secret&db=1"), "unix:///run/redis.sock?db=1");
        let several = "redis+sentinel://me:secret@a:1,b/main/2?sentinel_password=secret";
        assert_eq!(shown(several), "redis+sentinel://me:***@a:1,b/main/2");
        assert_eq!(shown("redis+cluster://a:1,[::1]:2"), "redis+cluster://a:1,[::1]:2");
        assert_eq!(shown("rediss://me:p%40ss@[::1]:6380"), "rediss://me:***@[::1]:6380");
    }

    #[test]
    fn a_suggested_url_has_to_be_filled_in_where_it_has_a_secret() {
        for (url, named) in [
            ("redis://me:secret@host:1/2", "redis://me:***@host:1/2"),
            ("redis://secret@host", "redis://***@host"),
            ("unix:///run/redis.sock?pass=secret&db=1", "unix:///run/redis.sock?db=1&pass=***"),
            ("redis+sentinel://a/m?sentinel_password=secret", "redis+sentinel://a/m?sentinel_password=***"),
        ] {
            assert_eq!(super::without_secrets(url), named);
            assert_eq!(problem(url), None, "{url}");
            assert!(problem(named).is_some_and(|problem| problem.contains("***")), "{named}");
        }
        assert_eq!(super::without_secrets("redis://host:1/2"), "redis://host:1/2");
    }

    #[test]
    fn a_url_that_can_be_read_in_two_ways_is_refused_and_no_piece_of_it_is_shown() {
        let escapes = [('#', "%23"), ('/', "%2F"), ('?', "%3F"), ('@', "%40"), ('%', "%25")];
        let places = [
            "redis://me:PW@host:1/2",
            "redis://:PW@host",
            "rediss+sentinel://me:PW@a,b:1/main/0",
            "redis+cluster://me:PW@a:1,b:2",
        ];
        for (character, code) in escapes {
            for place in places {
                for password in ["42_secret", "sec_ret", "_secret", "secret_", "42_7_secret"] {
                    let url = place.replace("PW", &password.replace('_', &character.to_string()));
                    let problem = problem(&url).unwrap_or_else(|| panic!("{url} is taken"));
                    assert!(problem.ends_with(&format!("write {character} as {code}")), "{url}: {problem}");
                    assert_eq!(shown(&url), "the given Redis URL", "{url}");
                    let written = place.replace("PW", &password.replace('_', code));
                    assert_eq!(super::problem(&written), None, "{written}");
                }
            }
        }
        for url in ["unix:///run/redis.sock?pass=sec#ret", "unix:///run/redis.sock?pass=sec%ret"] {
            assert!(problem(url).is_some(), "{url}");
        }
    }

    #[test]
    fn the_first_node_is_reached_without_who_asks() {
        for (url, options) in [
            ("redis://me:***@host:1/2", "-h host -p 1"),
            ("rediss://[::1]", "-h ::1 -p 6379 --tls"),
            ("redis+sentinel://a,b:3/main", "-h a -p 26379"),
            ("unix:///run/redis.sock?db=1", "-s /run/redis.sock"),
        ] {
            assert_eq!(super::cli_options(url).map(|words| words.join(" ")).as_deref(), Some(options));
        }
        assert_eq!(super::cli_options("the"), None);
    }

    #[test]
    fn the_same_database_is_known_whoever_asks_there() {
        for (one, other, is_same) in [
            ("redis://h:1/2", "redis://me:secret@H:1/2", true),
            ("redis://h", "rediss://h:6379/0", true),
            ("redis://localhost", "redis://127.0.0.1/", true),
            ("redis://h/1", "redis://h/2", false),
            ("redis://h:1", "redis://h:2", false),
            ("redis+sentinel://a,b/main", "redis+sentinel://b:26379/main/0", true),
            ("redis+sentinel://a/main", "redis+sentinel://a/other", false),
            ("unix:///run/r.sock?pass=secret", "unix:///run/r.sock?db=0", true),
            ("unix:///run/r.sock", "unix:///run/r.sock?db=1", false),
            ("secret", "secret", false),
        ] {
            assert_eq!(super::is_same_place(one, other), is_same, "{one} {other}");
        }
    }

    #[test]
    fn a_database_is_a_number() {
        for place in
            ["redis://h/DB", "rediss://h:1/DB", "redis+sentinel://a,b/main/DB", "unix:///run/r.sock?db=DB"]
        {
            for (database, is_taken) in [
                ("0", true),
                ("15", true),
                ("99", true),
                ("-1", false),
                ("x", false),
                ("notadb", false),
                ("1/2", false),
                ("9999999999", false),
            ] {
                let url = place.replace("DB", database);
                let problem = problem(&url);
                assert_eq!(problem.is_none(), is_taken, "{url}");
                assert!(problem.is_none_or(|problem| problem.contains("no number of a database")), "{url}");
            }
        }
        for url in [
            "redis://h",
            "redis://h/",
            "redis+sentinel://a/main",
            "redis+sentinel://a/main/",
            "redis+cluster://a",
            "redis+cluster://a/",
        ] {
            assert_eq!(problem(url), None, "{url}");
        }
    }

    #[test]
    fn what_is_no_redis_url_is_not_shown() {
        for url in [
            "me:secret@host",
            "http://me:secret@host",
            "redis:me:secret@host",
            "redis://me:secret",
            "redis+carrier://me:secret@host",
            "secret",
        ] {
            assert!(problem(url).is_some(), "{url}");
            assert!(!shown(url).contains("secret"), "{url}: {}", shown(url));
        }
        assert_eq!(shown("redis://host:42/secret"), "redis://host:42/…");
        assert!(!shown("unix:///run/redis.sock?pass=sec&ret&other=secret").contains("ret"));
    }
}
