//! Addresses of one Redis, of what sentinels watch, and of a cluster.
//!
//! | URL | means |
//! |---|---|
//! | `redis://USER:PASSWORD@HOST:PORT/DB` | one server |
//! | `redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/NAME/DB` | the primary that these sentinels call NAME |
//! | `redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT` | a cluster with these nodes |
//!
//! `rediss` in the place of `redis` is TLS to every node. A password of the sentinels' own is given as
//! `?sentinel_username=…&sentinel_password=…`.

use redis::io::tcp::TcpSettings;
use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _, RedisError, RedisResult};
use url::Url;

use crate::certificate::trusted_file_fault;

/// Where sentinels listen unless their address says otherwise.
const SENTINEL_PORT: u16 = 26379;

/// A URL, understood.
#[derive(Clone)]
pub(crate) enum Address {
    /// One server.
    One(ConnectionInfo),
    /// The primary that sentinels call by that name.
    Sentinel {
        /// The sentinels.
        sentinels: Vec<ConnectionInfo>,
        /// What they call it.
        name: String,
        /// How to speak with it, wherever it is.
        node: ConnectionInfo,
    },
    /// A cluster.
    Cluster {
        /// Nodes to begin with.
        seeds: Vec<ConnectionInfo>,
    },
}

impl Address {
    /// Understands a URL.
    pub(crate) fn parse(url: &str) -> RedisResult<Self> {
        if let Some(problem) = super::problem(url) {
            return Err((ErrorKind::InvalidClientConfig, "the URL cannot be used", problem).into());
        }
        let is_tls = ["rediss", "valkeys"].iter().any(|scheme| url.starts_with(scheme));
        if let Some(fault) = is_tls.then(trusted_file_fault).flatten() {
            return Err((ErrorKind::InvalidClientConfig, "the URL cannot be used", fault).into());
        }
        // Only the first call in a process has an effect; both rustls providers would panic together.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some((scheme, kind, rest)) = several(url) else {
            return Ok(Self::One(information(url)?));
        };
        let parts = Parts::of(rest).ok_or_else(|| wrong("its list of hosts cannot be read"))?;
        match kind {
            "cluster" => {
                let seed = |host| information(&format!("{scheme}://{}{host}{}", parts.user, parts.rest));
                Ok(Self::Cluster { seeds: parts.hosts.into_iter().map(seed).collect::<RedisResult<_>>()? })
            }
            _ => parts.sentinel(scheme),
        }
    }
}

/// The scheme, the kind and the rest of a URL that names several nodes.
fn several(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (scheme, kind) = scheme.split_once('+')?;
    matches!(kind, "sentinel" | "cluster").then_some((scheme, kind, rest))
}

/// How to connect to the one server of that URL.
fn information(url: &str) -> RedisResult<ConnectionInfo> {
    Ok(url.into_connection_info()?.set_tcp_settings(TcpSettings::default().set_nodelay(true)))
}

/// The same way to speak, at another place.
pub(super) fn at(information: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = host.to_owned();
    let place = match information.addr() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
        }
        _ => ConnectionAddr::Tcp(host, port),
    };
    information.clone().set_addr(place)
}

fn wrong(problem: &'static str) -> RedisError {
    (ErrorKind::InvalidClientConfig, problem).into()
}

/// What stands behind the scheme.
struct Parts<'a> {
    /// With its `@`, or empty.
    user: &'a str,
    hosts: Vec<&'a str>,
    /// From the first `/`, `?` or `#` on.
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let end = text.find(['/', '?', '#']).unwrap_or(text.len());
        let (authority, rest) = text.split_at(end);
        let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let hosts: Vec<_> = hosts.split(',').collect();
        // A path with an @ is a password with a slash, which has to be written as %2F.
        let fits = hosts.iter().all(|host| Url::parse(&format!("redis://{host}")).is_ok());
        (fits && !rest.contains('@')).then_some(Self { user, hosts, rest })
    }

    fn sentinel(&self, scheme: &str) -> RedisResult<Address> {
        let (path, query) = self.rest.split_once('?').unwrap_or((self.rest, ""));
        let mut path = path.trim_matches('/').split('/');
        let name = path.next().filter(|name| !name.is_empty());
        let name =
            name.ok_or_else(|| wrong("it has to name the primary: redis+sentinel://HOST:PORT/NAME"))?;
        let database = path.next().unwrap_or("0");
        let node = information(&format!("{scheme}://{}primary/{database}?{query}", self.user))?;
        let sentinels = self.hosts.iter().map(|host| sentinel(scheme, host, query));
        Ok(Address::Sentinel {
            sentinels: sentinels.collect::<RedisResult<_>>()?,
            name: name.to_owned(),
            node,
        })
    }
}

fn sentinel(scheme: &str, host: &str, query: &str) -> RedisResult<ConnectionInfo> {
    let has_port = Url::parse(&format!("redis://{host}")).is_ok_and(|url| url.port().is_some());
    let port = if has_port { String::new() } else { format!(":{SENTINEL_PORT}") };
    let information = information(&format!("{scheme}://{host}{port}"))?;
    let mut settings = information.redis_settings().clone();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "sentinel_username" => settings = settings.set_username(value),
            "sentinel_password" => settings = settings.set_password(value),
            _ => {}
        }
    }
    Ok(information.set_redis_settings(settings))
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn sentinels_and_their_primary_have_passwords_of_their_own() {
        let url = "rediss+sentinel://me:p%40ss@a:1,b/main/2?sentinel_password=other";
        let Ok(Address::Sentinel { sentinels, name, node }) = Address::parse(url) else { panic!("{url}") };
        let places: Vec<_> = sentinels.iter().map(|sentinel| sentinel.addr().to_string()).collect();
        assert_eq!(places, ["a:1", "b:26379"]);
        assert_eq!(sentinels[1].redis_settings().password(), Some("other"));
        assert_eq!(name, "main");
        let settings = node.redis_settings();
        assert_eq!((settings.username(), settings.password(), settings.db()), (Some("me"), Some("p@ss"), 2));
    }

    #[test]
    fn a_sentinel_url_without_a_name_is_refused() {
        assert!(Address::parse("redis+sentinel://a:1,b:2").is_err());
    }
}
