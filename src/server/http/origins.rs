//! Which web pages may use the server, and what their browsers have to be told for it (CORS).

use axum::response::{IntoResponse as _, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::hosts::Name;

/// What a page may send. The headers that repeat arguments (`Mcp-Param-*`) have any name, so that a browser that asks
/// for some is told those.
const SENT: &str = "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, \
                    mcp-protocol-version, mcp-session-id";

/// What a page may read of a response.
const READ: &str = "mcp-session-id, mcp-protocol-version, retry-after, www-authenticate";

/// How long a browser may keep what it was told, in seconds; Chromium keeps it for two hours at most.
const KEPT: &str = "7200";

/// By these a browser asks whether a page of the internet may reach a private network, and is told so.
const ASKS_FOR_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// One origin (RFC 6454) that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Allowed {
    Any,
    /// That of pages that have none of their own.
    Null,
    /// Scheme, host, and the port; none for any.
    Site(String, Name, Option<u16>),
}

/// The origins of the web pages whose requests are taken.
#[derive(Debug)]
pub(super) struct Origins {
    allowed: Vec<Allowed>,
}

/// What is wrong with a value of `--allowed-origin`, if anything is.
pub fn check_origin(value: &str) -> Result<(), String> {
    read(value).map(drop)
}

fn read(value: &str) -> Result<Allowed, String> {
    match value {
        "*" => return Ok(Allowed::Any),
        "null" => return Ok(Allowed::Null),
        _ => {}
    }
    let advice = match value.split_once("://") {
        None => "give its scheme too, as in https://app.example.com",
        Some((_, site)) if site.trim_end_matches('/').contains(['/', '?', '#']) => {
            "leave out what comes after host and port"
        }
        Some((_, site)) if site.contains('@') => "leave the user out",
        Some((_, site)) if site.trim_end_matches(":*").contains('*') => {
            "name each origin, or give * alone for any"
        }
        Some(_) => "give scheme and host, with or without a port",
    };
    let site = value.strip_suffix('/').unwrap_or(value);
    let (site, any_port) = match site.strip_suffix(":*") {
        Some(site) => (site, true),
        None => (site, false),
    };
    match (split(site), any_port) {
        (Some((scheme, name, None)), true) => Ok(Allowed::Site(scheme, name, None)),
        (Some((scheme, name, port)), false) => {
            let port = port.or_else(|| default_port(&scheme));
            Ok(Allowed::Site(scheme, name, port))
        }
        _ => Err(format!("{value:?} is no origin of web pages: {advice}")),
    }
}

/// Scheme, host and port of an origin as browsers send it.
fn split(text: &str) -> Option<(String, Name, Option<u16>)> {
    let (scheme, site) = text.split_once("://")?;
    let is_scheme = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'+' | b'-' | b'.');
    let begins = scheme.bytes().next().is_some_and(|first| first.is_ascii_alphabetic());
    if !begins || !scheme.bytes().all(is_scheme) {
        return None;
    }
    let (host, port) = match site.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port.parse().ok()?)),
        _ => (site, None),
    };
    Some((scheme.to_ascii_lowercase(), Name::read(host)?, port))
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl Origins {
    /// These, and the server's own: what cannot be read takes nothing, and the log is told.
    pub(super) fn new(values: &[String], own: &[String]) -> Self {
        let known = |value: &String| match read(value) {
            Ok(allowed) => Some(allowed),
            Err(problem) => {
                tracing::warn!(%problem, "an allowed origin is passed over");
                None
            }
        };
        Self { allowed: values.iter().chain(own).filter_map(known).collect() }
    }

    /// The origin of the page that sends a request; none where no page does. Refuses that of another page.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Box<Response>> {
        let mut values = headers.get_all(ORIGIN).iter();
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_none() && value.to_str().is_ok_and(|origin| self.takes(origin)) {
            return Ok(Some(value.clone()));
        }
        tracing::warn!(origin = ?value, "refused a request of another web page");
        let problem =
            "requests of web pages of this origin are not taken: it is not among the allowed ones\n";
        Err(Box::new((StatusCode::FORBIDDEN, problem).into_response()))
    }

    fn takes(&self, origin: &str) -> bool {
        let site = split(origin);
        self.allowed.iter().any(|allowed| match (allowed, &site) {
            (Allowed::Any, site) => site.is_some() || origin == "null",
            (Allowed::Null, _) => origin == "null",
            (Allowed::Site(scheme, name, port), Some((from, host, at))) => {
                scheme == from
                    && name == host
                    && port.is_none_or(|port| at.or_else(|| default_port(from)) == Some(port))
            }
            (Allowed::Site(..), None) => false,
        })
    }
}

/// Whether a browser asks what a page may send. It asks without the page's token.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a page may send.
pub(super) fn preflight(asked: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE"));
    let wanted = asked.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|wanted| wanted.to_str().ok());
    let sent = wanted.map_or_else(|| SENT.to_owned(), |wanted| format!("{SENT}, {wanted}"));
    let sent = HeaderValue::try_from(sent).unwrap_or(HeaderValue::from_static(SENT));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, sent);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(KEPT));
    if asked.contains_key(ASKS_FOR_PRIVATE) {
        headers.insert(ALLOWS_PRIVATE, HeaderValue::from_static("true"));
    }
    response
}

/// Lets a page of that origin read the response.
pub(super) fn opened_to(mut response: Response, origin: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
    // What a cache keeps for one page it must not give to another.
    headers.append(VARY, HeaderValue::from_static("origin"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(values: &[&str]) -> Origins {
        let values: Vec<_> = values.iter().map(|one| (*one).to_owned()).collect();
        Origins::new(&values, &["http://127.0.0.1:8737".to_owned()])
    }

    #[test]
    fn an_origin_is_compared_as_what_it_means() {
        let known = origins(&[
            "HTTPS://App.Example.com/",
            "http://localhost:*",
            "https://good.example:443",
            "chrome-extension://abcdef",
            "http://[::1]:5173",
        ]);
        for origin in [
            "https://app.example.com",
            "https://app.example.com:443",
            "http://localhost",
            "http://localhost:5173",
            "https://good.example",
            "chrome-extension://abcdef",
            "http://[::1]:5173",
            "http://127.0.0.1:8737",
        ] {
            assert!(known.takes(origin), "{origin}");
        }
        for origin in [
            "https://app.example.com:8443",
            "http://app.example.com",
            "https://app.example.com.evil.example",
            "https://evil.example",
            "https://user@app.example.com",
            "http://127.0.0.1:1",
            "null",
            "",
            "app.example.com",
        ] {
            assert!(!known.takes(origin), "{origin}");
        }
    }

    #[test]
    fn any_and_none_are_said_by_name() {
        assert!(origins(&["*"]).takes("https://anything.example:7") && origins(&["*"]).takes("null"));
        assert!(origins(&["null"]).takes("null") && !origins(&["null"]).takes("https://a.example"));
    }

    #[test]
    fn what_can_never_match_is_refused_with_what_to_do() {
        for (value, advice) in [
            ("app.example.com", "give its scheme too"),
            ("https://app.example.com/mcp", "leave out what comes after"),
            ("https://app.example.com?x", "leave out what comes after"),
            ("https://*.example.com", "name each origin"),
            ("https://me@app.example.com", "leave the user out"),
            ("https://", "give scheme and host"),
            ("https://app.example.com:port", "give scheme and host"),
            ("https://app.example.com:1:*", "give scheme and host"),
            ("", "give its scheme too"),
        ] {
            let problem = check_origin(value).expect_err(value);
            assert!(problem.contains(advice), "{problem}");
        }
        for value in ["*", "null", "https://a.example", "http://localhost:*", "https://a.example/"] {
            assert_eq!(check_origin(value), Ok(()), "{value}");
        }
    }
}
