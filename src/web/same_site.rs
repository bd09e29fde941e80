//! Whether a form was sent from a page of this server: what keeps other sites' pages from answering in a browser that knows a
//! link.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::ORIGIN;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::PublicUrl;
use crate::engine::LinkToken;

/// What the form's token is a digest of, before the link's.
const PURPOSE: &[u8] = b"mcptask, the form of a link\0";

/// The token that a page's form brings along. It is derived from the link's, which is the secret that whoever answers has:
/// so every server of a store takes the forms of the others, and nothing has to be kept.
pub(super) fn form_token(token: &LinkToken) -> String {
    let mut digest = Sha256::new();
    digest.update(PURPOSE);
    digest.update(token.reveal());
    BASE64_URL_SAFE_NO_PAD.encode(digest.finalize())
}

/// Whether that is the form's token.
pub(super) fn is_form_token(token: &LinkToken, given: &str) -> bool {
    form_token(token).as_bytes().ct_eq(given.as_bytes()).into()
}

/// Whether the headers say that a page of this server sent it. A browser says where a form comes from by
/// `Sec-Fetch-Site`; an older one by `Origin` alone, which is `null` from pages that tell nobody their address, as these
/// do. What says neither is no browser.
pub(super) fn is_own(headers: &HeaderMap, public: &PublicUrl) -> bool {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let is_own_site = said("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let is_own_origin = said(ORIGIN.as_str())
        .is_none_or(|origin| origin == "null" || origin == public.origin() || is_here(origin, headers));
    is_own_site && is_own_origin
}

/// Whether the origin is of the host that the request is for: on the machine itself, and where a proxy uses another name.
fn is_here(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    let of_origin = origin.split_once("://").map(|(_, host)| host);
    of_origin.is_some() && of_origin == host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_other_sites_are_told_by_either_header() {
        let public = PublicUrl::read("https://tasks.example.com").expect("a URL");
        for (site, origin, expected) in [
            (None, None, true),
            (Some("same-origin"), Some("null"), true),
            (Some("same-origin"), Some("https://tasks.example.com"), true),
            (Some("none"), None, true),
            (None, Some("null"), true),
            (None, Some("http://127.0.0.1:8737"), true),
            (Some("cross-site"), Some("null"), false),
            (Some("same-site"), Some("https://tasks.example.com"), false),
            (Some("same-origin"), Some("https://evil.example"), false),
            (None, Some("https://evil.example"), false),
            (None, Some(""), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("host", "127.0.0.1:8737".parse().expect("a value"));
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().expect("a value"));
                }
            }
            assert_eq!(is_own(&headers, &public), expected, "{site:?} {origin:?}");
        }
    }
}
