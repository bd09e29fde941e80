//! The headers of requests over HTTP, as people give them.

use reqwest::header::{HeaderName, HeaderValue};

use super::{ClientError, ClientResult};

/// A header that a person gave, which may be a secret.
pub(super) fn header((name, value): &(String, String)) -> ClientResult<(HeaderName, HeaderValue)> {
    let refused = |problem: &str| ClientError::Target {
        given: format!("header {name}"),
        problem: format!("{problem}: give NAME: VALUE"),
    };
    let parsed = HeaderName::try_from(name).map_err(|_| refused("has a name that HTTP does not allow"))?;
    let mut value =
        HeaderValue::try_from(value).map_err(|_| refused("has a value that HTTP does not allow"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

/// A token that HTTP allows.
pub(super) fn bearer(token: &str) -> ClientResult<String> {
    match HeaderValue::try_from(token) {
        Ok(_) => Ok(token.to_owned()),
        Err(_) => Err(ClientError::Target {
            given: "the token".to_owned(),
            problem: "has characters that HTTP does not allow, such as a line end".to_owned(),
        }),
    }
}
