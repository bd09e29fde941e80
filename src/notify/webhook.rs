//! Posting to an address. It gets 10 s, is followed nowhere, and little of what it answers is read.

use std::fmt;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use url::Url;

use super::TIMEOUT;
use super::address::checked_url;
use super::failed::Failed;
use super::format::{Body, Format};
use super::notice::Notice;
use super::secret::Secret;
use super::signature::Key;
use crate::certificate::{CertificateFault, trusted_file_fault};

/// What is read of an answer, in bytes: enough for the words of a refusal.
const MOST_READ: usize = 4096;

/// What is kept of the words of a refusal, in characters.
const MOST_WORDS: usize = 200;

/// The longest pause that a receiver can wish for.
const LONGEST_WISH: Duration = Duration::from_secs(3600);

/// An address to which notices are posted.
pub(crate) struct Webhook {
    client: reqwest::Client,
    url: Url,
    shown: String,
    format: Format,
    /// ntfy's topic, which stands in the body.
    topic: Option<String>,
    key: Option<Key>,
    headers: HeaderMap,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("shown", &self.shown).finish_non_exhaustive()
    }
}

/// Scheme and host: a webhook's path is its secret.
fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

impl Webhook {
    /// The address, with how bodies look, what signs them, and further headers.
    pub(super) fn new(
        url: &Secret,
        format: Format,
        secret: Option<&Secret>,
        headers: &[(String, Secret)],
    ) -> Result<Self, String> {
        let mut url = checked_url(url.as_str()).map_err(|problem| format!("webhook {problem}"))?;
        let shown = shown(&url);
        let topic = if format == Format::Ntfy { Some(taken_topic(&mut url)?) } else { None };
        let key = secret.map(Key::of).transpose().map_err(|problem| format!("secret: {problem}"))?;
        if let Some(fault) = (url.scheme() == "https").then(trusted_file_fault).flatten() {
            return Err(format!("webhook cannot be used: {fault}"));
        }
        let client = client(&url).map_err(|error| format!("webhook: no client can be made: {error}"))?;
        Ok(Self { client, url, shown, format, topic, key, headers: header_map(headers)? })
    }

    /// Scheme and host.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Posts a notice; says what came back.
    pub(super) async fn post(&self, id: &str, notice: &Notice) -> Result<String, Failed> {
        // A template that fails for this notice fails for it another time.
        let body = self.format.body(notice, self.topic.as_deref()).map_err(Failed::for_good)?;
        let tried = tokio::time::timeout(TIMEOUT, self.exchange(id, body));
        let late = || Failed::passing(format!("no answer within {} s", TIMEOUT.as_secs()));
        tried.await.unwrap_or_else(|_| Err(late()))
    }

    async fn exchange(&self, id: &str, body: Body) -> Result<String, Failed> {
        let seconds = Timestamp::now().as_second();
        let mut request = self.client.post(self.url.clone()).headers(self.headers.clone());
        request = request.header(CONTENT_TYPE, body.kind);
        request = request.header("webhook-id", id).header("webhook-timestamp", seconds.to_string());
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", key.sign(id, seconds, &body.text));
        }
        let response = request.body(body.text).send().await.map_err(|error| Failed::passing(said(&error)))?;
        answered(response).await
    }
}

/// What an answer means.
async fn answered(response: Response) -> Result<String, Failed> {
    let status = response.status();
    if status.is_success() {
        return Ok(format!("it answered {status}"));
    }
    let retry_after = wished_pause(response.headers());
    let words = words(response).await;
    let words = if words.is_empty() { String::new() } else { format!(": {words}") };
    let problem = match status {
        status if status.is_redirection() => {
            format!("it answered {status}: redirects are not followed; give the address itself")
        }
        status => format!("it answered {status}{words}"),
    };
    let is_passing = status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS)
        // An address that is moved for a while is there again.
        || matches!(status, StatusCode::FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::SEE_OTHER);
    Err(Failed { problem, is_passing, retry_after })
}

/// When it wants to be asked again, in seconds or as a date; within bounds.
fn wished_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Duration::try_from(at.duration_since(Timestamp::now())).ok()?
    };
    Some(pause.min(LONGEST_WISH))
}

/// The first words of an answer, in one line. What it says beyond that is not read.
async fn words(response: Response) -> String {
    let mut stream = response.bytes_stream();
    let mut read = Vec::new();
    while let Some(Ok(part)) = stream.next().await {
        read.extend_from_slice(&part[..part.len().min(MOST_READ - read.len())]);
        if read.len() >= MOST_READ {
            break;
        }
    }
    let text = String::from_utf8_lossy(&read);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = words.chars().map(|one| if one.is_control() { '\u{fffd}' } else { one });
    plain.take(MOST_WORDS).collect()
}

/// What went wrong, without the address.
fn said(error: &reqwest::Error) -> String {
    if let Some(fault) = CertificateFault::of(error) {
        return fault.to_string();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_connect() {
        format!("it cannot be reached: {cause}")
    } else {
        format!("the connection broke: {cause}")
    }
}

fn client(url: &Url) -> reqwest::Result<reqwest::Client> {
    // A second installation fails, and the first one is then in place.
    rustls::crypto::ring::default_provider().install_default().ok();
    let settings = || {
        reqwest::Client::builder()
            .connect_timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .http1_ignore_invalid_headers_in_responses(true)
            .user_agent(concat!("mcptask/", env!("CARGO_PKG_VERSION")))
            .pool_idle_timeout(Duration::from_secs(30))
    };
    match settings().build() {
        // There are no CA certificates on this machine, as in an empty container, and plain HTTP needs none.
        Err(_) if url.scheme() == "http" => settings().tls_certs_only([]).build(),
        built => built,
    }
}

/// Takes the topic off the address of ntfy.
fn taken_topic(url: &mut Url) -> Result<String, String> {
    let missing = || {
        "webhook has no topic: ntfy's is the last part of its address, as in https://ntfy.sh/TOPIC".to_owned()
    };
    let parts: Vec<String> = url.path_segments().ok_or_else(missing)?.map(str::to_owned).collect();
    let (topic, before) = parts.split_last().filter(|(topic, _)| !topic.is_empty()).ok_or_else(missing)?;
    url.set_path(&before.join("/"));
    Ok(topic.clone())
}

fn header_map(headers: &[(String, Secret)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let key: HeaderName = name.parse().map_err(|_| format!("{name:?} is no name of a header"))?;
        let mut value = HeaderValue::from_str(value.as_str())
            .map_err(|_| format!("the value of the header {name} has characters that no header takes"))?;
        value.set_sensitive(true);
        map.insert(key, value);
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::Source;

    fn secret(text: &str) -> Secret {
        Source::Text(text.to_owned()).read(|_| None).expect("a text")
    }

    #[test]
    fn nothing_shows_the_path_of_an_address() {
        let webhook =
            Webhook::new(&secret("https://u:p@h.example:99/s3cret?x=s3cret"), Format::Slack, None, &[]);
        let webhook = webhook.expect("a webhook");
        assert_eq!(webhook.shown(), "https://h.example:99");
        assert!(!format!("{webhook:?}").contains("s3cret"));
        let problem = Webhook::new(&secret("s3cret"), Format::Slack, None, &[]).expect_err("no URL");
        assert!(!problem.contains("s3cret"), "{problem}");
    }

    #[test]
    fn a_topic_is_taken_off_the_address() {
        let webhook = Webhook::new(&secret("https://h.example/below/kitchen"), Format::Ntfy, None, &[]);
        let webhook = webhook.expect("a webhook");
        assert_eq!(
            (webhook.url.as_str(), webhook.topic.as_deref()),
            ("https://h.example/below", Some("kitchen"))
        );
        assert!(Webhook::new(&secret("https://h.example/"), Format::Ntfy, None, &[]).is_err());
    }

    #[test]
    fn a_receiver_may_wish_for_a_pause_within_bounds() {
        let of =
            |text: &str| wished_pause(&HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a value"))]));
        assert_eq!(of("7"), Some(Duration::from_secs(7)));
        assert_eq!(of("99999999999"), Some(LONGEST_WISH));
        assert_eq!((of("soon"), of("-1"), of("Fri, 31 Dec 1999 23:59:59 GMT")), (None, None, None));
        assert_eq!(of("Fri, 31 Dec 2100 23:59:59 GMT"), Some(LONGEST_WISH));
    }
}
