//! A profile that asks before something is changed, and where it does.

use url::Url;

use crate::client::Target;

/// A profile that wants to be asked before something is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guarded {
    pub(crate) profile: String,
    /// Whether it says where the tasks are: elsewhere it has no say.
    pub(crate) has_place: bool,
    /// Whether it has a say where the tasks are that are meant without a server's name.
    pub(crate) is_here: bool,
    /// The server that it names.
    pub(crate) server: Option<String>,
}

impl Guarded {
    /// Whether it has a say at that server, which the line names. `leads_to` tells where a URL or a name in a host's file
    /// leads.
    pub(crate) fn is_of_server(&self, server: &str, leads_to: impl Fn(&str) -> Option<Target>) -> bool {
        self.is_of(|own| own.trim() == server.trim() || is_same(leads_to(own), leads_to(server)))
    }

    /// Whether it has a say at that program, which the line names.
    pub(crate) fn is_of_program(&self, line: &str, leads_to: impl Fn(&str) -> Option<Target>) -> bool {
        self.is_of(|own| is_same(leads_to(own), Target::stdio(line).ok()))
    }

    /// One that names no place has a say everywhere, another one at its own server.
    fn is_of(&self, is_own: impl Fn(&str) -> bool) -> bool {
        !self.has_place || self.server.as_deref().is_some_and(is_own)
    }
}

/// Whether both lead to one server, however they are written.
fn is_same(one: Option<Target>, other: Option<Target>) -> bool {
    match (one, other) {
        (Some(Target::Http { url: one, .. }), Some(Target::Http { url: other, .. })) => {
            place(&one) == place(&other)
        }
        (
            Some(Target::Stdio { command: one, directory: here, .. }),
            Some(Target::Stdio { command: other, directory: there, .. }),
        ) => one == other && here == there,
        _ => false,
    }
}

fn place(url: &Url) -> (String, Option<u16>, &str) {
    let host = url.host_str().map(|name| if name == "localhost" { "127.0.0.1" } else { name });
    (host.unwrap_or_default().to_owned(), url.port_or_known_default(), url.path().trim_matches('/'))
}
