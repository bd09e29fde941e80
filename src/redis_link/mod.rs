//! What every connection to a Redis needs, whoever makes it: the node that an address means now, a TLS
//! provider, no delay on small packets, a connection that is made again, and an address that can be shown.

mod address;
mod figures;
mod handshake;
mod route;
mod steady;
mod url;

use std::time::Duration;

use redis::{ErrorKind, RedisError};

pub(crate) use address::Address;
pub(crate) use figures::Figures;
pub(crate) use handshake::connect;
pub(crate) use route::{Route, masters};
pub(crate) use steady::Steady;
pub(crate) use url::{cli_options, is_same_place, problem, shown, without_secrets};

/// How long a command may take.
pub(crate) const RESPONSE: Duration = Duration::from_secs(10);

/// How long a connection may take to be made.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);

/// Whether the server cannot be reached now, rather than refusing what was asked.
pub(crate) fn is_unreachable(error: &RedisError) -> bool {
    // What cannot be read is no reply of a Redis, or not all of it.
    error.kind() == ErrorKind::Parse
        || error.is_io_error()
        || error.is_timeout()
        || error.is_connection_dropped()
        || is_passing(error)
}

/// Whether what was given cannot be its address: nobody else can mend that.
pub(crate) fn is_wrong_address(error: &RedisError) -> bool {
    error.kind() == ErrorKind::InvalidClientConfig
}

/// What went wrong, in the server's own words where they are its: they can be looked up.
pub(crate) fn said(error: &RedisError) -> String {
    if error.kind() == ErrorKind::Parse {
        return "what answers there does not speak as a Redis does: is it another server's port?".to_owned();
    }
    match (error.code(), error.detail()) {
        (None, Some(detail)) if is_wrong_address(error) => detail.to_owned(),
        (Some(code), Some(detail)) if code != "ERR" && !detail.starts_with(code) => {
            format!("{code} {detail}")
        }
        (Some(_), Some(detail)) => detail.to_owned(),
        _ => error.to_string(),
    }
}

/// Server errors that end by themselves: it is loading its file, another node has taken over or is about to,
/// or its replicas are away.
fn is_passing(error: &RedisError) -> bool {
    const CODES: [&str; 10] = [
        "LOADING",
        "MASTERDOWN",
        "READONLY",
        "TRYAGAIN",
        "CLUSTERDOWN",
        "MOVED",
        "ASK",
        "NOREPLICAS",
        "UNBLOCKED",
        "NOMASTERLINK",
    ];
    error.code().is_some_and(|code| CODES.contains(&code)) || is_readonly_script(error)
}

/// Redis 6 hides the code of an error inside a script in the message of another one.
fn is_readonly_script(error: &RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.contains(": -READONLY "))
}
