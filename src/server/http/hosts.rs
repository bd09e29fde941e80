//! For which names requests are taken: what keeps a web page from reaching a server on loopback under a name of its own
//! (DNS rebinding).

use std::net::{IpAddr, Ipv6Addr};

use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::{HeaderMap, StatusCode, Uri};

/// A name or an address, as names are compared: in small letters, without a last dot or brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Domain(String),
    Address(IpAddr),
}

impl Name {
    /// Reads the host of an authority; `None` where it is none.
    pub(super) fn read(text: &str) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            return inside
                .strip_suffix(']')?
                .parse()
                .ok()
                .map(|address: Ipv6Addr| Self::Address(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| {
            let fits = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_');
            !label.is_empty() && label.bytes().all(fits)
        };
        name.split('.').all(is_label).then(|| Self::Domain(name.to_ascii_lowercase()))
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Domain(name) => name == "localhost",
            Self::Address(address) => address.to_canonical().is_loopback(),
        }
    }
}

/// One host that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Any,
    /// This name, with any port or with this one.
    Named(Name, Option<u16>),
}

/// The hosts for which requests are taken, besides loopback ones.
#[derive(Debug)]
pub(super) struct Hosts {
    allowed: Vec<Allowed>,
    /// The port that a host without one means.
    default_port: u16,
}

/// What is wrong with a value of `--allowed-host`, if anything is.
pub fn check_host(value: &str) -> Result<(), String> {
    read(value).map(drop)
}

fn read(value: &str) -> Result<Allowed, String> {
    if value == "*" {
        return Ok(Allowed::Any);
    }
    // An IPv6 address is often written without its brackets where there is no port.
    if let Ok(address) = value.parse() {
        return Ok(Allowed::Named(Name::Address(address), None));
    }
    let advice = match value {
        _ if value.contains("://") => "leave the scheme out",
        _ if value.contains('*') => "name each host, or give * alone for any",
        _ if value.contains('/') => "leave the path out",
        _ if value.contains('@') => "leave the user out",
        _ if !value.is_ascii() => "give it as it travels, beginning with xn--",
        _ => "give a name or an address, with or without a port",
    };
    let problem = || format!("{value:?} is no host: {advice}");
    if value.contains(['/', '@']) {
        return Err(problem());
    }
    let (name, port) = split(value).ok_or_else(problem)?;
    Ok(Allowed::Named(name, port))
}

/// A host and its port.
fn split(text: &str) -> Option<(Name, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, "")) => (host, None),
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (text, None),
    };
    Some((Name::read(host)?, port))
}

impl Hosts {
    /// These and loopback ones. What cannot be read takes nothing, and the log is told.
    pub(super) fn new(values: &[String], is_tls: bool) -> Self {
        let known = |value: &String| match read(value) {
            Ok(allowed) => Some(allowed),
            Err(problem) => {
                tracing::warn!(%problem, "an allowed host is passed over");
                None
            }
        };
        Self {
            allowed: values.iter().filter_map(known).collect(),
            default_port: if is_tls { 443 } else { 80 },
        }
    }

    /// Refuses a request for another host.
    pub(super) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let (name, port) = host(uri, headers).ok_or_else(|| Box::new(malformed()))?;
        if name.is_loopback() || self.allowed.iter().any(|one| self.takes(one, &name, port)) {
            return Ok(());
        }
        tracing::warn!(host = ?name, "refused a request for another host");
        let problem = "requests for this host are not taken: it is not among the allowed hosts\n";
        Err(Box::new((StatusCode::FORBIDDEN, problem).into_response()))
    }

    fn takes(&self, allowed: &Allowed, name: &Name, port: Option<u16>) -> bool {
        match allowed {
            Allowed::Any => true,
            Allowed::Named(known, None) => known == name,
            Allowed::Named(known, Some(known_port)) => {
                known == name && *known_port == port.unwrap_or(self.default_port)
            }
        }
    }
}

/// The one host that a request is for (RFC 9112, 3.2): a second one, or a user before it, leaves open which is meant. A
/// target that is a whole URL says it, whatever the header says (3.2.2).
fn host(uri: &Uri, headers: &HeaderMap) -> Option<(Name, Option<u16>)> {
    let mut values = headers.get_all(HOST).iter();
    let header = match (values.next(), values.next()) {
        (Some(value), None) => Some(split(value.to_str().ok()?)?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    match uri.authority() {
        Some(target) => split(target.as_str()),
        None => header,
    }
}

fn malformed() -> Response {
    let problem = "the request must have one Host header, with a name or an address and perhaps a port\n";
    (StatusCode::BAD_REQUEST, problem).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(hosts: &Hosts, values: &[&str]) -> u16 {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HOST, value.parse().expect("a header value"));
        }
        match hosts.check(&Uri::from_static("/mcp"), &headers) {
            Ok(()) => 200,
            Err(refusal) => refusal.status().as_u16(),
        }
    }

    #[test]
    fn named_hosts_come_to_loopback_ones() {
        let named = ["Tasks.example.com", "other.example:8443", "192.0.2.7", "::2", "xn--tst-qla.example."];
        let hosts = Hosts::new(&named.map(str::to_owned), true);
        for host in [
            "tasks.example.com",
            "TASKS.EXAMPLE.COM.",
            "tasks.example.com:443",
            "tasks.example.com:1",
            "other.example:8443",
            "192.0.2.7:80",
            "[::2]:80",
            "XN--tst-qla.example",
            "localhost",
            "LOCALHOST:8737",
            "127.0.0.1:8737",
            "127.8.8.8",
            "[::1]:8737",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(status(&hosts, &[host]), 200, "{host}");
        }
        for host in ["evil.example", "other.example", "other.example:443", "localhost.evil.example", "[::3]"]
        {
            assert_eq!(status(&hosts, &[host]), 403, "{host}");
        }
    }

    #[test]
    fn a_default_port_is_the_schemes() {
        for (is_tls, port) in [(true, 443), (false, 80)] {
            let hosts = Hosts::new(&[format!("a.example:{port}")], is_tls);
            assert_eq!(status(&hosts, &["a.example"]), 200, "{port}");
        }
    }

    #[test]
    fn a_target_that_is_a_whole_url_says_the_host() {
        let hosts = Hosts::new(&[], false);
        for (target, header, expected) in [
            ("http://evil.example/mcp", Some("127.0.0.1"), 403),
            ("http://evil.example/mcp", None, 403),
            ("http://127.0.0.1/mcp", Some("evil.example"), 200),
            ("http://localhost:8737/mcp", None, 200),
            ("http://localhost/mcp", Some("a..b"), 400),
            ("http://user@localhost/mcp", Some("localhost"), 400),
        ] {
            let values = header.map(|value| (HOST, value.parse().expect("a header value")));
            let checked = hosts.check(&target.parse().expect("a URI"), &values.into_iter().collect());
            let status = checked.map_or_else(|refusal| refusal.status().as_u16(), |()| 200);
            assert_eq!(status, expected, "{target} {header:?}");
        }
    }

    #[test]
    fn a_host_that_is_not_one_host_is_malformed_even_where_any_is_taken() {
        let hosts = Hosts::new(&["*".to_owned()], false);
        assert_eq!(status(&hosts, &["anything.example:9"]), 200);
        for values in [
            &["localhost", "localhost"][..],
            &["localhost", "evil.example"],
            &["user@localhost"],
            &["localhost:port"],
            &["localhost:99999"],
            &["local host"],
            &["[::1"],
            &["::1"],
            &[""],
            &["a..b"],
            &[],
        ] {
            assert_eq!(status(&hosts, values), 400, "{values:?}");
        }
    }

    #[test]
    fn what_can_never_match_is_refused_with_what_to_do() {
        for (value, advice) in [
            ("https://tasks.example.com", "leave the scheme out"),
            ("*.example.com", "give * alone"),
            ("tasks.example.com/mcp", "leave the path out"),
            ("me@tasks.example.com", "leave the user out"),
            ("bücher.example", "xn--"),
            ("", "give a name"),
            (" a.example", "give a name"),
            ("a.example:port", "give a name"),
            ("a.example:70000", "give a name"),
            ("[::1", "give a name"),
        ] {
            let problem = check_host(value).expect_err(value);
            assert!(problem.contains(advice) && problem.contains(&format!("{value:?}")), "{problem}");
        }
        for value in [
            "*",
            "a.example",
            "a.example:",
            "a.example:8737",
            "::1",
            "[::1]:8737",
            "10.0.0.1",
            "a_b.internal",
        ] {
            assert_eq!(check_host(value), Ok(()), "{value}");
        }
    }
}
