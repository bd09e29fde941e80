//! What all pages have: the frame, the style sheet, and the headers that keep a page from being used for anything else.

use axum::response::{IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use maud::{DOCTYPE, Markup, html};

use crate::desk::text;
use crate::server::SignedIn;

/// Where the style sheet is, below the public URL.
pub(super) const STYLE_PATH: &str = "/q.css";

const STYLE: &str = include_str!("style.css");

/// Where the script of the inbox is, below the public URL.
pub(super) const SCRIPT_PATH: &str = "/inbox.js";

const SCRIPT: &str = include_str!("inbox.js");

/// Nothing but the own style sheet is loaded, nothing runs, and forms go nowhere else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The inbox has one script, which is told of what is new by this server alone.
const POLICY_OF_INBOX: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Headers of every response. Pages hold what only the holder of a link may see, and their address is a secret.
const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// A response with those headers, which no cache keeps unless it says so.
pub(super) async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The same of a page of the inbox.
pub(super) async fn guarded_inbox(response: Response) -> Response {
    let mut response = guarded(response).await;
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_OF_INBOX));
    response
}

/// The style sheet.
pub(super) fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, STYLE).into_response()
}

/// The script of the inbox.
pub(super) fn script() -> Response {
    let headers = [(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")];
    (headers, SCRIPT).into_response()
}

/// Which pages a page is one of.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    /// What stands before the paths of this server's pages.
    pub(super) path: &'a str,
    /// For whom, where it is one of the inbox.
    pub(super) inbox: Option<&'a SignedIn>,
}

impl<'a> Frame<'a> {
    /// Of a page that is none of the inbox.
    pub(super) fn alone(path: &'a str) -> Self {
        Self { path, inbox: None }
    }

    /// A whole page.
    pub(super) fn page(self, status: StatusCode, title: &str, content: &Markup) -> Response {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) }
                    link rel="stylesheet" href={ (self.path) (STYLE_PATH) };
                    @if self.inbox.is_some() { script src={ (self.path) (SCRIPT_PATH) } defer {} }
                }
                body data-events=[self.inbox.map(|_| format!("{}/inbox/events", self.path))] {
                    @if let Some(signed_in) = self.inbox { (self.ways(signed_in)) }
                    main tabindex=[self.inbox.map(|_| "-1")] { (content) }
                }
            }
        };
        (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page.into_string()).into_response()
    }

    /// A page with a heading and some sentences.
    pub(super) fn said(self, status: StatusCode, heading: &str, sentences: &[String]) -> Response {
        let content = html! {
            h1 { (heading) }
            @for sentence in sentences { p { (sentence) } }
        };
        self.page(status, heading, &content)
    }

    /// The ways from page to page of the inbox, and out.
    fn ways(self, signed_in: &SignedIn) -> Markup {
        html! {
            header {
                nav aria-label="Pages" {
                    a href={ (self.path) "/inbox" } { "Inbox" }
                    a href={ (self.path) "/inbox/answers" } { "Recent answers" }
                }
                @if let Some(name) = signed_in.name() {
                    form method="post" action={ (self.path) "/inbox/sign-out" } {
                        input type="hidden" name="form" value=(signed_in.form_token());
                        span { "Signed in as " (text::line(name)) }
                        button { "Sign out" }
                    }
                }
            }
        }
    }
}
