//! Addresses of receivers and of pages.

use url::Url;

/// What is wrong with an address, whatever it is; the problem shows nothing of it.
pub(crate) fn checked_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is not an http or https URL".to_owned());
    }
    Ok(url)
}

/// The host of an address.
pub(crate) fn host_of(text: &str) -> Option<String> {
    Some(Url::parse(text).ok()?.host_str()?.to_owned())
}
