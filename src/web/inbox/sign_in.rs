//! Signing in by a token, and out.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use maud::html;

use super::super::answering::back_to;
use super::super::frame::Frame;
use super::super::posted::Posted;
use super::super::{Web, closed, same_site};
use crate::server::{NotSignedIn, SignedIn};

/// The page on which somebody signs in, who wanted to go to that page.
pub(super) fn page(web: &Web, wanted: &str) -> Response {
    let shown = form(web, StatusCode::UNAUTHORIZED, (wanted, None));
    ([(WWW_AUTHENTICATE, "Bearer")], shown).into_response()
}

fn form(web: &Web, status: StatusCode, (wanted, problem): (&str, Option<&str>)) -> Response {
    let path = web.public.path();
    let content = html! {
        h1 { "Sign in" }
        p { "This is the inbox of a server of tasks: its questions wait here for answers." }
        form method="post" action={ (path) "/inbox/sign-in" } novalidate {
            input type="hidden" name="form" value=(web.sign_ins.form_token_of_nobody());
            input type="hidden" name="wanted" value=(wanted);
            div.field {
                label.label for="token" { "Token" }
                p.about id="token-about" { "The bearer token that clients of this server show" }
                @if let Some(problem) = problem { p.wrong id="token-wrong" role="alert" { (problem) } }
                input type="password" id="token" name="token" autocomplete="current-password" required autofocus
                    aria-describedby=(if problem.is_some() { "token-wrong token-about" } else { "token-about" })
                    aria-invalid=[problem.map(|_| "true")];
            }
            div.buttons { button.main { "Sign in" } }
        }
    };
    let title = if problem.is_some() { "Not signed in: Inbox" } else { "Sign in: Inbox" };
    Frame::alone(path).page(status, title, &content)
}

/// Takes a token, and leads to the page that was wanted.
pub(super) async fn begin(State(web): State<Web>, headers: HeaderMap, body: Body) -> Response {
    let frame = Frame::alone(web.public.path());
    let posted = match Posted::read(&headers, body).await {
        Ok(posted) => posted,
        Err(status) => return closed::unread(status, frame),
    };
    let is_own = same_site::is_own(&headers, &web.public)
        && web.sign_ins.is_form_token_of_nobody(posted.text("form").unwrap_or_default());
    let wanted = wanted(web.public.path(), posted.text("wanted").unwrap_or_default());
    if !is_own {
        return form(
            &web,
            StatusCode::FORBIDDEN,
            (&wanted, Some("The form did not come from this page. Try again.")),
        );
    }
    match web.sign_ins.begin(posted.text("token").unwrap_or_default()) {
        Ok(cookie) => ([(SET_COOKIE, cookie)], back_to(&wanted)).into_response(),
        Err(NotSignedIn::Wrong) => {
            let problem = "That token opens nothing here.";
            ([(WWW_AUTHENTICATE, "Bearer")], form(&web, StatusCode::UNAUTHORIZED, (&wanted, Some(problem))))
                .into_response()
        }
        Err(NotSignedIn::TooMany(wait)) => {
            let seconds = (wait.as_secs() + 1).to_string();
            let problem = "Too many wrong tokens came to this server. Try again in a moment.";
            let shown = form(&web, StatusCode::TOO_MANY_REQUESTS, (&wanted, Some(problem)));
            ([(RETRY_AFTER, seconds)], shown).into_response()
        }
    }
}

/// Ends the sign-in.
pub(super) async fn end(
    State(web): State<Web>,
    Extension(signed_in): Extension<Option<SignedIn>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let home = wanted(web.public.path(), "");
    let Some(signed_in) = signed_in else { return back_to(&home) };
    let frame = Frame { path: web.public.path(), inbox: Some(&signed_in) };
    let posted = match Posted::read(&headers, body).await {
        Ok(posted) => posted,
        Err(status) => return closed::unread(status, frame),
    };
    let is_own = same_site::is_own(&headers, &web.public)
        && signed_in.is_form_token(posted.text("form").unwrap_or_default());
    if !is_own {
        return closed::foreign(frame);
    }
    ([(SET_COOKIE, web.sign_ins.end(&signed_in))], back_to(&home)).into_response()
}

/// The page of the inbox that was wanted; what is none leads to the list.
fn wanted(path: &str, wanted: &str) -> String {
    let home = format!("{path}/inbox");
    let fits = |one: u8| one.is_ascii_alphanumeric() || b"/%-._*".contains(&one);
    let is_below = wanted.strip_prefix(&home).is_some_and(|rest| rest.starts_with('/'));
    if is_below && wanted.bytes().all(fits) && !wanted.contains("..") { wanted.to_owned() } else { home }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_sign_in_leads_to_the_inbox_and_nowhere_else() {
        let home = "/a/inbox";
        for (given, expected) in [
            ("/a/inbox/task/q1", "/a/inbox/task/q1"),
            ("", home),
            ("/a/inbox", home),
            ("/a/inboxes/1", home),
            ("//evil.example/a/inbox/", home),
            ("https://evil.example/", home),
            ("/a/inbox/../../x", home),
            ("/a/inbox/\r\nset-cookie: a=b", home),
        ] {
            assert_eq!(super::wanted("/a", given), expected, "{given}");
        }
    }
}
