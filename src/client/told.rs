//! What an HTTP reply other than success tells, in a line for people.

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::Value;

/// The most characters of it that are shown.
const MOST: usize = 200;

/// What of its headers tells what to do: where a request is sent instead, or when the next one is taken.
#[derive(Debug)]
pub(super) struct Told {
    by_headers: Option<String>,
    is_text: bool,
}

impl Told {
    pub(super) fn of(response: &Response) -> Self {
        let headers = response.headers();
        let by_headers = match response.status() {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                named(headers, RETRY_AFTER.as_str())
            }
            status if status.is_redirection() => {
                named(headers, LOCATION.as_str()).map(|address| without_query(&address))
            }
            _ => None,
        };
        let is_text = named(headers, CONTENT_TYPE.as_str())
            .is_none_or(|kind| kind.trim().to_ascii_lowercase().starts_with("text/plain"));
        Self { by_headers, is_text }
    }

    /// With the body: what it says as a JSON-RPC error, or its first line, where it is plain text.
    pub(super) fn with(self, body: &[u8]) -> Option<String> {
        let told = self.by_headers.or_else(|| error(body)).or_else(|| {
            let text = String::from_utf8_lossy(body);
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            line.filter(|line| self.is_text && !line.starts_with(['<', '{'])).map(str::to_owned)
        })?;
        Some(told.chars().take(MOST).collect())
    }
}

/// What a JSON-RPC error says, where the body is one.
pub(super) fn error(body: &[u8]) -> Option<String> {
    let error: Value = serde_json::from_slice(body).ok()?;
    error.get("error")?.get("message")?.as_str().map(str::to_owned)
}

fn named(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A query may have a secret.
fn without_query(address: &str) -> String {
    address.split(['?', '#']).next().unwrap_or_default().to_owned()
}
