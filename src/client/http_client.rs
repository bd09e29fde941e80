//! The HTTP client for one server: which proxy, certificates and redirects it uses.

use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::redirect::Policy;
use reqwest::{ClientBuilder, RequestBuilder, Response, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest};
use tokio::time::Instant;
use url::{Host, Url};

use super::quiet::{LONGEST, Quiet};
use super::told::{Refusal, asks_for_peace};

/// How long a TCP and TLS connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without a request is kept. Servers close theirs after five seconds (uvicorn, Node) or more, and
/// a request that meets the closing is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a server may take for a message that has no reply.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// The pauses before what was refused for a while is sent again, where the server names none: doubled from the first to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The requests that only read: whether they are sent once or twice is all the same to the server. Who asks for a result
/// looks at the task before it asks again.
const READING: [&str; 3] = ["tools/list", "tasks/get", "tasks/list"];

/// A client for that server.
pub(super) fn build(url: &Url) -> reqwest::Result<reqwest::Client> {
    // A second installation fails, and the first one is then in place.
    rustls::crypto::ring::default_provider().install_default().ok();
    let is_plain = url.scheme() == "http";
    if is_loopback(url) {
        // The variables that name a proxy are for the way out of this machine.
        let local = settings().no_proxy();
        return if is_plain { without_certificates(local) } else { local.build() };
    }
    match settings().build() {
        // There are no CA certificates on this machine, as in an empty container, and plain HTTP needs none.
        Err(_) if is_plain => without_certificates(settings()),
        built => built,
    }
}

fn settings() -> ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .redirect(same_origin_redirects())
        // One odd header, which nobody here reads, must not hide a reply and its status.
        .http1_ignore_invalid_headers_in_responses(true)
}

fn without_certificates(settings: ClientBuilder) -> reqwest::Result<reqwest::Client> {
    settings.tls_certs_only([]).build()
}

/// The proxy on the way to that server, without its password, and the variable that names it.
pub(super) fn proxy_to(url: &Url) -> Option<String> {
    if is_loopback(url) {
        return None;
    }
    let proxy = Matcher::from_env().intercept(&url.as_str().parse().ok()?)?;
    let host = proxy.uri().host()?;
    let port = proxy.uri().port().map(|port| format!(":{port}")).unwrap_or_default();
    let own = if url.scheme() == "https" { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    let is_set = |name: &&str| {
        [(*name).to_owned(), name.to_lowercase()].iter().any(|name| std::env::var_os(name).is_some())
    };
    let variable = [own, "ALL_PROXY"].into_iter().find(is_set)?;
    Some(format!("{host}{port} ({variable})"))
}

/// Sends a request. One that only reads, and whose connection the server closed without a word, is sent once more: the
/// server may have closed a connection that it kept for too long, just when it was used again.
pub(super) async fn send(
    request: RequestBuilder,
    message: &ClientJsonRpcMessage,
) -> reqwest::Result<Response> {
    let again = request.try_clone().filter(|_| only_reads(message));
    match (request.send().await, again) {
        (Err(error), Some(again)) if is_hung_up(&error) => again.send().await,
        (done, _) => done,
    }
}

/// Sends a message that has no reply, such as an answer: nobody else would send it again where the server takes none for a
/// while.
pub(super) async fn deliver(request: RequestBuilder, quiet: &Quiet) -> reqwest::Result<Response> {
    patiently(request.timeout(TAKEN_WITHIN), quiet).await
}

/// Sends a request once the server takes requests, and again where it says that it does later.
pub(super) async fn patiently(mut request: RequestBuilder, quiet: &Quiet) -> reqwest::Result<Response> {
    let (until, mut pause) = (Instant::now() + LONGEST, FIRST_PAUSE);
    loop {
        quiet.over().await;
        let again = request.try_clone().filter(|_| Instant::now() < until);
        let response = request.send().await?;
        let Some(again) = again.filter(|_| asks_for_peace(response.status())) else { return Ok(response) };
        let refusal = Refusal::of(&response);
        quiet.note(&refusal);
        if refusal.wait.is_none() {
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
        request = again;
    }
}

fn only_reads(message: &ClientJsonRpcMessage) -> bool {
    matches!(message, ClientJsonRpcMessage::Request(request)
        if matches!(&request.request, ClientRequest::CustomRequest(one) if READING.contains(&one.method.as_str())))
}

/// Whether a connection that was made ended before there was a reply.
fn is_hung_up(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

/// Whether it is this very machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        // Names below it are this machine, too (RFC 6761, section 6.3).
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// Redirects that keep body and origin; others would lose the message or carry headers elsewhere.
fn same_origin_redirects() -> Policy {
    Policy::custom(|attempt| {
        let keeps_body =
            matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        let first = attempt.previous().first();
        let same_origin = first.is_some_and(|first| first.origin() == attempt.url().origin());
        if keeps_body && same_origin && attempt.previous().len() <= 10 {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses() {
        let is = |url: &str| is_loopback(&Url::parse(url).expect("a URL"));
        for url in [
            "http://127.0.0.1:8737/mcp",
            "http://127.9.9.9",
            "https://[::1]/mcp",
            "http://[::ffff:127.0.0.1]/",
            "http://localhost:1/",
            "http://LOCALHOST./",
            "http://kitchen.localhost/",
        ] {
            assert!(is(url), "{url}");
        }
        for url in
            ["http://10.0.0.1/", "http://localhost.example.com/", "http://[::2]/", "http://notlocalhost/"]
        {
            assert!(!is(url), "{url}");
        }
    }
}
