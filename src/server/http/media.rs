//! Media types: what a client accepts and what it sends, read as HTTP says (RFC 9110, 8.3.1 and 12.5.1).

use axum::body::{Body, BodyDataStream, to_bytes};
use axum::response::Response;
use futures::StreamExt as _;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// How well a range of media types names one: by name, by its first half, or as any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    Any,
    Half,
    Named,
}

/// Whether what is sent is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| essence(kind).eq_ignore_ascii_case(JSON))
}

fn is_events(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| essence(kind) == EVENTS)
}

fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

/// Says in rmcp's words what a client accepts; false where it takes no stream. rmcp knows the two types by name only.
pub(super) fn name_accepted(headers: &mut HeaderMap) -> bool {
    let (json, events) = (accepts(headers, JSON), accepts(headers, EVENTS));
    let named = match (json, events) {
        (true, _) => HeaderValue::from_static("application/json, text/event-stream"),
        (false, true) => HeaderValue::from_static(EVENTS),
        (false, false) => return false,
    };
    headers.insert(ACCEPT, named);
    events
}

/// Whether a client takes that type. One that says nothing takes anything.
fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = values.flat_map(|value| value.split(',')).filter(|range| !range.trim().is_empty());
    let Some(first) = ranges.next() else { return true };
    // The range that names a type best says of it what counts.
    let fits = std::iter::once(first)
        .chain(ranges)
        .filter_map(|range| Some((fit(range, wanted)?, !is_refused(range))));
    fits.max().is_some_and(|(_, taken)| taken)
}

fn fit(range: &str, wanted: &str) -> Option<Fit> {
    let range = essence(range);
    if range == "*/*" {
        return Some(Fit::Any);
    }
    if range.eq_ignore_ascii_case(wanted) {
        return Some(Fit::Named);
    }
    let (half, _) = wanted.split_once('/')?;
    range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(half)).then_some(Fit::Half)
}

/// Whether the range has the weight 0, which means "not this".
fn is_refused(range: &str) -> bool {
    let mut parameters = range.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let weight = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.is_some_and(|(_, weight)| weight.trim().parse().is_ok_and(|weight: f32| weight <= 0.0))
}

/// A response of one JSON-RPC message with its result changed; any other as it is.
pub(super) async fn with_result(response: Response, change: impl FnOnce(&mut Value)) -> Response {
    if !is_json(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut message) = serde_json::from_slice::<Value>(&text) else {
        return Response::from_parts(parts, Body::from(text));
    };
    if let Some(result) = message.get_mut("result") {
        change(result);
    }
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(message.to_string()))
}

/// A stream whose first message is the response already, as that response alone; any other as it is.
pub(super) async fn as_json(response: Response) -> Response {
    if !is_events(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut rest = body.into_data_stream();
    let read = first_message(&mut rest).await;
    let Some(message) = message(&read).filter(|message| message.get("method").is_none()) else {
        let read = futures::stream::once(std::future::ready(Ok(read.into())));
        return Response::from_parts(parts, Body::from_stream(read.chain(rest)));
    };
    make_json(&mut parts);
    Response::from_parts(parts, Body::from(message.to_string()))
}

/// A stream as the response that it has, for who takes no stream: what is only told on the way there goes unheard. `None`
/// where the server asks something first.
pub(super) async fn as_json_only(response: Response) -> Option<Response> {
    if !is_events(response.headers()) {
        return Some(response);
    }
    let (mut parts, body) = response.into_parts();
    let mut rest = body.into_data_stream();
    loop {
        let Some(message) = message(&first_message(&mut rest).await) else {
            // It ended without its response, and so does this one.
            return Some(Response::from_parts(parts, Body::empty()));
        };
        match (message.get("method"), message.get("id")) {
            (Some(_), Some(_)) => return None,
            (Some(_), None) => {}
            (None, _) => {
                make_json(&mut parts);
                return Some(Response::from_parts(parts, Body::from(message.to_string())));
            }
        }
    }
}

fn make_json(parts: &mut Parts) {
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    parts.headers.remove(CACHE_CONTROL);
}

/// The stream up to its first message, or to its end. Each of its parts is one event.
async fn first_message(stream: &mut BodyDataStream) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(Ok(part)) = stream.next().await {
        read.extend_from_slice(&part);
        if read.ends_with(b"\n\n") && message(&read).is_some() {
            break;
        }
    }
    read
}

/// The first message of these events. Each is one line of data.
fn message(events: &[u8]) -> Option<Value> {
    let mut lines = events.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
    lines.find_map(|data| serde_json::from_slice(data).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(values: &[&str]) -> (bool, bool) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT, value.parse().expect("a header value"));
        }
        (accepts(&headers, JSON), accepts(&headers, EVENTS))
    }

    #[test]
    fn ranges_and_weights_are_read_as_http_says() {
        for (values, accepted) in [
            (&[][..], (true, true)),
            (&[""], (true, true)),
            (&["*/*"], (true, true)),
            (&["application/*, text/*"], (true, true)),
            (&["application/*", "text/event-stream"], (true, true)),
            (&["Application/JSON;charset=utf-8 , TEXT/Event-Stream; q=0.5"], (true, true)),
            (&["application/*"], (true, false)),
            (&["application/json"], (true, false)),
            (&["text/event-stream"], (false, true)),
            (&["*/*, text/event-stream;q=0"], (true, false)),
            (&["application/json;q=0, application/*, */*"], (false, true)),
            (&["text/html, image/*"], (false, false)),
            (&["*/*;q=0.0"], (false, false)),
            (&["application/json;q=odd, */*;q=0"], (true, false)),
        ] {
            assert_eq!(accepting(values), accepted, "{values:?}");
        }
    }
}
