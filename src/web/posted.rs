//! What a browser sent of a form.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use futures::StreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};

/// The largest form, in bytes as it is sent: an answer of 256 KiB, with every byte escaped, and what stands around it.
const MOST_BYTES: usize = 1024 * 1024;

/// How long a browser may take to send it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A form's values, by the names of its controls.
#[derive(Default)]
pub(super) struct Posted(HashMap<String, Vec<String>>);

impl Posted {
    /// Reads the body of a request.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, StatusCode> {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        match tokio::time::timeout(PATIENCE, bytes(body)).await {
            Ok(read) => Ok(Self::of(&read?)),
            Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        }
    }

    /// Browsers write line ends as carriage return and line feed, whatever was typed.
    pub(super) fn of(text: &[u8]) -> Self {
        let mut all: HashMap<String, Vec<String>> = HashMap::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            all.entry(name.into_owned()).or_default().push(value.replace("\r\n", "\n"));
        }
        Self(all)
    }

    /// The one value of that name; of several the first.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// All values of that name.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A whole body that is not too large.
async fn bytes(body: Body) -> Result<Vec<u8>, StatusCode> {
    let (mut read, mut parts) = (Vec::new(), body.into_data_stream());
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| StatusCode::BAD_REQUEST)?;
        if read.len() + part.len() > MOST_BYTES {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        read.extend_from_slice(&part);
    }
    Ok(read)
}
