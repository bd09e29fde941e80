//! A profile that asks before something is changed, and where it does.

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
    /// Whether it has a say at that server, which the line names.
    pub(crate) fn is_of_server(&self, server: &str) -> bool {
        let place = |server: &str| match Target::http(server) {
            Ok(Target::Http { url, .. }) => {
                let host = url.host_str().map(|name| if name == "localhost" { "127.0.0.1" } else { name });
                let (port, path) = (url.port_or_known_default(), url.path().trim_matches('/'));
                format!("{}:{}/{path}", host.unwrap_or_default(), port.unwrap_or_default())
            }
            _ => server.trim().to_owned(),
        };
        !self.has_place || self.server.as_deref().is_some_and(|own| place(own) == place(server))
    }
}
