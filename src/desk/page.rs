//! The page that a question asks to visit: whoever may accept it is shown its address and its host first.

use super::text;
use crate::task::{Ask, AskKind};

/// The most characters of an address within a line: what follows would hide the words before it.
const WITHIN: usize = 300;

/// The address of the page, where the question asks to visit one.
pub(crate) fn of(ask: &Ask) -> Option<&str> {
    match &ask.kind {
        AskKind::Url { url } => Some(url),
        AskKind::Form { .. } => None,
    }
}

/// Address and host within a line.
pub(crate) fn within(url: &str) -> String {
    format!("{} ({})", text::short(url, WITHIN), named_host(url))
}

/// The question's message, with the page that it asks to visit.
pub(crate) fn message(ask: &Ask, most: usize) -> String {
    with_page(&ask.message, of(ask), most)
}

/// The same of a question that is not read as one of ours.
pub(crate) fn with_page(message: &str, url: Option<&str>, most: usize) -> String {
    let message = text::short(message, most);
    match url {
        Some(url) => format!("{message} → {}", within(url)),
        None => message,
    }
}

/// The host that a URL leads to, where it has one.
pub(crate) fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok().and_then(|parsed| parsed.host_str().map(str::to_owned))
}

fn named_host(url: &str) -> String {
    match host_of(url) {
        Some(host) => format!("host {}", text::line(&host)),
        None => "not a URL with a host".to_owned(),
    }
}

/// The host that a URL leads to; Punycode and user names in it are tricks often enough to be pointed out.
pub(crate) fn host(url: &str) -> Vec<String> {
    let Ok(parsed) = url::Url::parse(url) else { return vec!["(this is not a URL)".to_owned()] };
    let host = parsed.host_str().unwrap_or_default();
    let mut lines = vec![text::line(host)];
    if host.split('.').any(|label| label.starts_with("xn--")) {
        lines.push("This host's name is written in Punycode: it may look like another one.".to_owned());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        lines.push("What stands before the @ is a user name, not the host.".to_owned());
    }
    if parsed.scheme() == "http" {
        lines.push("The connection is not encrypted (http).".to_owned());
    }
    lines
}

/// Names and values for a sheet of facts: the address, the host, and what is odd about it.
pub(crate) fn facts(url: &str) -> Vec<(&'static str, String)> {
    let hosts = host(url).into_iter();
    let names = std::iter::once("host").chain(std::iter::repeat(""));
    std::iter::once(("page", text::line(url))).chain(names.zip(hosts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_hosts_are_pointed_out() {
        let said = |url: &str| host(url).join("\n");
        assert_eq!(said("https://example.com/a"), "example.com");
        assert!(said("https://xn--80ak6aa92e.com/").contains("Punycode"));
        assert!(said("https://аpple.com/").contains("Punycode"), "a Cyrillic letter");
        assert!(said("https://bank.example@evil.example/").contains("not the host"));
        assert!(said("http://example.com/").contains("not encrypted"));
    }

    #[test]
    fn a_page_stands_beside_its_message() {
        let ask = Ask::url("Please pay.", "https://pay.example/checkout?x=1");
        assert_eq!(message(&ask, 60), "Please pay. → https://pay.example/checkout?x=1 (host pay.example)");
        assert_eq!(
            within("https://bank.example@evil.example/\u{1b}"),
            "https://bank.example@evil.example/\\u{1b} (host evil.example)"
        );
    }
}
