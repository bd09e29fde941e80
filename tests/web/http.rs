//! HTTP as it travels: one request on one connection.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::place::{BOUND, Background};

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Reply {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The token of the page's form.
    pub(crate) fn form_token(&self) -> &str {
        let (_, rest) = self.body.split_once("name=\"form\" value=\"").expect("a form");
        rest.split_once('"').expect("its end").0
    }
}

/// A server, as a client reaches it.
pub(crate) struct Site {
    /// Ended with this, unless somebody else started it.
    server: Option<Background>,
    address: String,
}

impl Site {
    pub(crate) fn of(server: Background) -> Self {
        Self { address: Self::at(server.url()).address, server: Some(server) }
    }

    /// Of a server that somebody else started.
    pub(crate) fn at(url: &str) -> Self {
        let rest = url.split_once("://").expect("a scheme").1;
        Self { server: None, address: rest.split_once('/').expect("a path").0.to_owned() }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Sends what is given as it is.
    pub(crate) fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(&self.address).expect("connects");
        stream.set_read_timeout(Some(BOUND)).expect("a bound");
        // A server that has answered may read no more.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let text = String::from_utf8(bytes).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply, but {text:?}"));
        let status = head.split(' ').nth(1).expect("a status").parse().expect("a number");
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// Asks for a page with these headers.
    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        request.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        self.raw(format!("{request}\r\n").as_bytes())
    }

    /// The server's process.
    pub(crate) fn server(&self) -> &Background {
        self.server.as_ref().expect("ours")
    }

    /// A request without a body.
    pub(crate) fn send(&self, method: &str, path: &str) -> Reply {
        let host = &self.address;
        self.raw(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path)
    }

    /// Posts a form, with these headers beside the usual ones.
    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let (host, length) = (&self.address, body.len());
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n"
        );
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request += "content-type: application/x-www-form-urlencoded\r\n";
        }
        request.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
        self.raw(format!("{request}\r\n{body}").as_bytes())
    }

    /// Posts what stands in the page's form, with its token.
    pub(crate) fn answer(&self, path: &str, fields: &str) -> Reply {
        let token = self.get(path).form_token().to_owned();
        self.post_with(path, &[], &format!("form={token}&{fields}"))
    }
}
