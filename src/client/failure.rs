//! What rmcp's errors mean.

use std::error::Error;
use std::time::Duration;

use rmcp::service::ServiceError;
use rmcp::transport::streamable_http_client::StreamableHttpError;
use url::Url;

use super::ClientError;
use super::error::LOOK;
use super::http_client::proxy_to;
use super::oddity;
use super::told::{HttpFailure, Refusal};
use crate::certificate::{CertificateFault, inner};
use crate::task::RpcError;

/// What is known of a connection that just ends.
pub(super) fn closed(place: &str) -> ClientError {
    let reason = "the connection closed".to_owned();
    ClientError::Unreachable { server: place.to_owned(), reason, is_sent: true }
}

/// What is known of a server that stays silent.
pub(super) fn timeout(place: &str, what: &str, after: Duration) -> ClientError {
    let (server, what, words) = (place.to_owned(), what.to_owned(), String::new());
    ClientError::Timeout { server, what, after, words }
}

/// What the failure of a request means.
pub(super) fn service_failure(place: &str, method: &str, error: ServiceError) -> ClientError {
    if let ServiceError::McpError(error) = &error
        && let Some(problem) = oddity::told(error)
    {
        return answers_oddly(place, problem);
    }
    match error {
        ServiceError::McpError(error) => ClientError::Refused {
            method: method.to_owned(),
            error: Box::new(RpcError {
                code: i64::from(error.code.0),
                message: error.message.into_owned(),
                data: error.data,
            }),
        },
        ServiceError::TransportSend(error) => match transport_failure(place, error.error.as_ref()) {
            // As where the same is said in JSON-RPC.
            ClientError::Answers {
                server, problem, wait, is_refusal, status: status @ Some(500), ..
            } if method == LOOK => {
                ClientError::Answers { server, problem, status, wait, is_passing: true, is_refusal }
            }
            failure => failure,
        },
        ServiceError::TransportClosed => closed(place),
        other => ClientError::Protocol { server: place.to_owned(), problem: format!("{method}: {other}") },
    }
}

/// What an error of the transport means to a person.
pub(super) fn transport_failure(place: &str, error: &(dyn Error + 'static)) -> ClientError {
    let mut next = Some(error);
    let (mut reason, mut is_sent) = (error.to_string(), true);
    while let Some(error) = next {
        // The innermost words name the cause: "Connection refused (os error 111)".
        reason = error.to_string();
        if error.is::<rustls::Error>() {
            let (server, certificate) = (place.to_owned(), CertificateFault::of(error));
            return match certificate {
                Some(fault) => ClientError::Untrusted { server, fault },
                None => ClientError::Insecure { server, reason },
            };
        }
        if let Some(answered) = error.downcast_ref().and_then(|error| answered(place, error)) {
            return answered;
        }
        next = match error.downcast_ref::<StreamableHttpError<HttpFailure>>() {
            Some(StreamableHttpError::Client(HttpFailure::Broken(error))) => {
                is_sent = !error.is_connect();
                Some(error)
            }
            _ => inner(error),
        };
    }
    // hyper's word for bytes that are no HTTP, such as a TLS alert.
    if reason.contains("invalid HTTP version") {
        let problem =
            "answers, and not in HTTP: where it speaks TLS, its URL begins with https://".to_owned();
        return answers_oddly(place, problem);
    }
    // Nobody has said who did not answer: the server, or the proxy before it.
    let proxy = Url::parse(place).ok().filter(|_| !is_sent).and_then(|url| proxy_to(&url));
    if let Some(proxy) = proxy {
        reason = format!("{reason}, through the proxy {proxy}");
    }
    ClientError::Unreachable { server: place.to_owned(), reason, is_sent }
}

/// The failure where somebody has answered.
fn answered(place: &str, error: &StreamableHttpError<HttpFailure>) -> Option<ClientError> {
    let server = place.to_owned();
    Some(match error {
        StreamableHttpError::SessionExpired => ClientError::SessionEnded { server },
        StreamableHttpError::AuthRequired(_) => ClientError::Unauthorised { server },
        StreamableHttpError::InsufficientScope(error) => {
            let words = Some(error.www_authenticate_header.clone()).filter(|words| !words.is_empty());
            ClientError::Forbidden { server, words }
        }
        StreamableHttpError::Client(HttpFailure::Refused(refusal)) => answers_http(place, refusal),
        odd => answers_oddly(place, oddity::in_words(odd)?),
    })
}

/// The failure where HTTP answered so.
pub(super) fn answers_http(place: &str, refusal: &Refusal) -> ClientError {
    ClientError::Answers {
        server: place.to_owned(),
        problem: in_words(refusal),
        status: Some(refusal.status),
        wait: refusal.wait,
        is_passing: refusal.is_passing(),
        // What sends a request elsewhere, or finds fault with it, has not let it in. One that took too long may have been.
        is_refusal: (300..500).contains(&refusal.status) && refusal.status != 408,
    }
}

/// The failure where somebody answered with what is no reply. What was asked may have been done.
pub(super) fn answers_oddly(place: &str, problem: String) -> ClientError {
    let (status, wait) = (None, None);
    ClientError::Answers {
        server: place.to_owned(),
        problem,
        status,
        wait,
        is_passing: false,
        is_refusal: false,
    }
}

/// What it means here.
fn in_words(refusal: &Refusal) -> String {
    let Refusal { status, words, wait, .. } = refusal;
    let says = |meaning: &str| match words {
        Some(words) => format!("{meaning}; it says: {words}"),
        None => meaning.to_owned(),
    };
    let again =
        wait.map(|wait| format!(", and takes requests again after {} s (Retry-After)", wait.as_secs()));
    let meaning = match (status, words, again) {
        (404 | 405, ..) => "there is no MCP endpoint at this path".to_owned(),
        (300..=399, Some(to), _) => format!("it sends the request on to {to}; that is followed only within one server, and where nothing gets lost"),
        (300..=399, None, _) => "it sends the request elsewhere; that is followed only within one server, and where nothing gets lost".to_owned(),
        (407, ..) => {
            says("the proxy on the way, which HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names, wants a password")
        }
        (429, _, again) => says(&format!("it is asked too often{}", again.unwrap_or_default())),
        (_, _, Some(again)) => says(&format!("it is away{again}")),
        (502..=504, ..) => says("what stands before the server does not reach it"),
        (_, Some(words), _) => format!("it says: {words}"),
        (_, None, _) => "it does not say why".to_owned(),
    };
    format!("answers HTTP {status}: {meaning}")
}
