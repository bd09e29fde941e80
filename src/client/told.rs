//! What an HTTP reply other than success tells.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;

/// The most characters of its words that are shown.
const MOST: usize = 200;

/// Why a message brought no reply over HTTP.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpFailure {
    /// It did not arrive, or the reply broke off.
    #[error(transparent)]
    Broken(reqwest::Error),
    /// It was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// A reply other than success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {status}")]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// Where the request is sent instead, or what the body says, in a line for people.
    pub(super) words: Option<String>,
    /// For how long the server wants to be left alone (`Retry-After`).
    pub(super) wait: Option<Duration>,
    is_text: bool,
}

impl Refusal {
    /// One of which nothing else is known.
    pub(super) fn bare(status: u16) -> Self {
        Self { status, words: None, wait: None, is_text: false }
    }

    /// What the status and the headers of a reply tell.
    pub(super) fn of(response: &Response) -> Self {
        let (status, headers) = (response.status(), response.headers());
        let words = named(headers, LOCATION.as_str()).filter(|_| status.is_redirection());
        let is_text = named(headers, CONTENT_TYPE.as_str())
            .is_none_or(|kind| kind.trim().to_ascii_lowercase().starts_with("text/plain"));
        let wait = named(headers, RETRY_AFTER.as_str()).filter(|_| asks_for_peace(status));
        Self {
            status: status.as_u16(),
            words: words.map(|address| shortened(without_query(&address))),
            wait: wait.and_then(|after| waiting(after.trim(), Timestamp::now())),
            is_text,
        }
    }

    /// With the body: what it says as a JSON-RPC error, or its first line, where it is plain text.
    pub(super) fn with(mut self, body: &[u8]) -> Self {
        let first_line = || {
            let text = String::from_utf8_lossy(body);
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            line.filter(|line| self.is_text && !line.starts_with(['<', '{'])).map(str::to_owned)
        };
        self.words = self.words.take().or_else(|| error(body).or_else(first_line).as_deref().map(shortened));
        self
    }

    /// Whether it says nothing of what was asked, only that it was the wrong time for it. What stands before a server puts
    /// such a reply into any form, also into that of a JSON-RPC error.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 429 | 502..=504)
    }
}

/// Whether a server says with that status that it is to be left alone for a while.
pub(super) fn asks_for_peace(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// What a JSON-RPC error says, where the body is one.
pub(super) fn error(body: &[u8]) -> Option<String> {
    let error: Value = serde_json::from_slice(body).ok()?;
    error.get("error")?.get("message")?.as_str().map(str::to_owned)
}

/// How long a `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3), lets wait.
fn waiting(after: &str, now: Timestamp) -> Option<Duration> {
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(after.parse().unwrap_or(u64::MAX)));
    }
    let then = rfc2822::parse(after).ok()?.timestamp();
    Some(Duration::try_from(then.duration_since(now)).unwrap_or_default())
}

fn named(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn shortened(words: &str) -> String {
    words.chars().take(MOST).collect()
}

/// A query may have a secret.
fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_wait_is_read_in_seconds_and_as_a_date() {
        let now: Timestamp = "2026-11-27T18:00:00Z".parse().expect("a time");
        let seconds = |after: &str| waiting(after, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("30"), Some(30));
        assert_eq!(seconds("99999999999999999999999"), Some(u64::MAX));
        assert_eq!(seconds("Fri, 27 Nov 2026 18:01:30 GMT"), Some(90));
        assert_eq!(seconds("Fri, 27 Nov 2026 17:00:00 GMT"), Some(0), "it is over");
        for odd in ["", "soon", "-5", "1.5", "Fri, 27 Nov"] {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }
}
