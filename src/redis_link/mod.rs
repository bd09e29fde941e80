//! What every connection to a Redis needs, whoever makes it: a TLS provider, no delay on small packets, and
//! an address that can be shown.

use redis::io::tcp::TcpSettings;
use redis::{Client, ConnectionInfo, IntoConnectionInfo as _, RedisError, RedisResult};
use std::time::Duration;

/// How long a command may take.
pub(crate) const RESPONSE: Duration = Duration::from_secs(10);

/// How long a connection may take to be made.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// A client for that URL; nothing is connected yet.
pub(crate) fn client(url: &str) -> RedisResult<Client> {
    Client::open(information(url)?)
}

/// How to connect to that URL.
pub(crate) fn information(url: &str) -> RedisResult<ConnectionInfo> {
    // Only the first call in a process has an effect; both rustls providers would panic together.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(url.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

/// Whether the server cannot be reached now, rather than refusing what was asked.
pub(crate) fn is_unreachable(error: &RedisError) -> bool {
    error.is_io_error() || error.is_timeout() || error.is_connection_dropped() || is_passing(error)
}

/// Server errors that end by themselves: it is loading its file, or another node is about to take over.
fn is_passing(error: &RedisError) -> bool {
    matches!(error.code(), Some("LOADING" | "MASTERDOWN" | "READONLY" | "TRYAGAIN" | "CLUSTERDOWN"))
}

/// The URL without its password.
pub(crate) fn shown(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut url) => {
            if url.password().is_some() {
                // Fails only for URLs that cannot have a password.
                let _ = url.set_password(Some("***"));
            }
            let secret = |name: &str| matches!(name, "pass" | "password");
            if url.query_pairs().any(|(name, _)| secret(&name)) {
                let pairs: Vec<_> =
                    url.query_pairs().into_owned().filter(|(name, _)| !secret(name)).collect();
                url.query_pairs_mut().clear().extend_pairs(pairs);
            }
            url.to_string()
        }
        // What cannot be parsed may hold a password anywhere.
        Err(_) => "the given Redis URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("redis://me:secret@host:1/2"), "redis://me:***@host:1/2");
        assert!(!shown("unix:///run/redis.sock?pass=secret&db=1").contains("secret"));
        assert!(!shown("redis:// me:secret@host").contains("secret"));
    }
}
