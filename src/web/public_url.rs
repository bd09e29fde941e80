//! The address under which people's browsers reach this server.

use std::fmt;

use url::{Host, Url};

/// The most characters of a public URL.
const MOST_CHARACTERS: usize = 500;

/// A public URL: `https://`, or `http://` on this machine; it may have a path, under which a proxy serves this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port.
    origin: String,
    host: String,
    /// Empty, or with a slash before it and none after it.
    path: String,
}

impl PublicUrl {
    /// Reads one; the error says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let problem = |why: &str| Err(format!("{text:?} is no public URL: {why}"));
        if text.len() > MOST_CHARACTERS {
            return Err(format!("a public URL has {MOST_CHARACTERS} characters at most"));
        }
        let Ok(url) = Url::parse(text) else {
            return problem("give a whole one, such as https://tasks.example.com");
        };
        let Some(host) = url.host_str().map(str::to_owned) else {
            return problem("it has no host");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return problem("give https://");
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return problem("links are secrets, so it is https://; http:// only for localhost");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return problem("leave the user out");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return problem("leave out what stands behind ? and #");
        }
        let path = url.path().trim_end_matches('/').to_owned();
        let fits = |one: u8| one.is_ascii_alphanumeric() || matches!(one, b'-' | b'_' | b'.' | b'~' | b'/');
        if !path.bytes().all(fits) || path.contains("//") {
            return problem("its path may have letters, digits, - _ . ~ and single slashes");
        }
        Ok(Self { origin: url.origin().ascii_serialization(), host, path })
    }

    /// The host, without a port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether browsers reach it over TLS.
    pub fn is_over_tls(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// What stands before the paths of its pages: nothing, or a path without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The address of the page of that token.
    pub fn question(&self, token: &str) -> String {
        format!("{self}/q/{token}")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_may_have_a_port_and_a_path() {
        for (text, read, page) in [
            ("https://tasks.example.com", "https://tasks.example.com", "https://tasks.example.com/q/T"),
            ("https://Tasks.example.com:443/", "https://tasks.example.com", "https://tasks.example.com/q/T"),
            (
                "https://example.com:8443/a/b/",
                "https://example.com:8443/a/b",
                "https://example.com:8443/a/b/q/T",
            ),
            ("http://localhost:8737", "http://localhost:8737", "http://localhost:8737/q/T"),
            ("http://127.0.0.1", "http://127.0.0.1", "http://127.0.0.1/q/T"),
            ("http://[::1]:1", "http://[::1]:1", "http://[::1]:1/q/T"),
        ] {
            let url = PublicUrl::read(text).expect(text);
            assert_eq!((url.to_string().as_str(), url.question("T").as_str()), (read, page));
        }
    }

    #[test]
    fn what_no_browser_should_be_sent_to_is_refused() {
        for (text, why) in [
            ("", "give a whole one"),
            ("tasks.example.com", "give a whole one"),
            ("ftp://example.com", "give https://"),
            ("http://example.com", "https://"),
            ("http://localhost.example.com", "https://"),
            ("https://me:pw@example.com", "leave the user out"),
            ("https://example.com/?a=1", "leave out"),
            ("https://example.com/#a", "leave out"),
            ("https://example.com/a{b}", "its path"),
            ("https://example.com/a//b", "its path"),
            ("file:///etc", "no host"),
        ] {
            let problem = PublicUrl::read(text).expect_err(text);
            assert!(problem.contains(why), "{problem}");
        }
        assert!(PublicUrl::read(&format!("https://example.com/{}", "a".repeat(500))).is_err());
    }
}
