//! The rules of the inbox: who is let in, what they see, and whose forms are taken.

use mcptask::task::{Ask, Scope, Task};
use serde_json::{Value, json};

use crate::http::{Reply, Site};
use crate::pages::{PUBLIC, Pages, form};
use crate::place::BOUND;
use crate::stage::Stage;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A server that lets in two people.
pub(crate) fn pages(stage: Stage) -> Pages {
    let tokens = stage.file("tokens", "anna annas-own-token\nben bens-own-token\n");
    Pages::on(stage, &["--token-file", &tokens])
}

/// A task of a scope that asks.
pub(crate) fn asking(pages: &Pages, scope: &str, ask: &Ask) -> Task {
    pages.tasks.asking_in(Scope::named(scope), "deploy", ask, None)
}

/// Signs in; the pair of the cookie.
pub(crate) fn signed_in(site: &Site, token: &str) -> String {
    let reply = sign_in(site, token);
    assert_eq!(reply.status, 303, "{reply:?}");
    let cookie = reply.header("set-cookie").expect("a cookie");
    cookie.split(';').next().expect("a pair").to_owned()
}

fn sign_in(site: &Site, token: &str) -> Reply {
    let form = site.get("/inbox").form_token().to_owned();
    site.post_with("/inbox/sign-in", &[], &format!("form={form}&token={token}"))
}

/// The path of a task's first question.
fn path(task: &Task) -> String {
    format!("/inbox/{}/q1", task.id())
}

/// Posts what stands in the form of a page, with its token.
fn answer(site: &Site, cookie: &str, path: &str, fields: &str) -> Reply {
    let headers = [("cookie", cookie)];
    let token = site.get_with(path, &headers).form_token().to_owned();
    site.post_with(path, &headers, &format!("form={token}&{fields}"))
}

fn assert_guarded(reply: &Reply) {
    let header = |name| reply.header(name).unwrap_or_default();
    assert_eq!(header("content-security-policy"), POLICY, "{reply:?}");
    assert_eq!(
        (header("referrer-policy"), header("cache-control"), header("x-frame-options")),
        ("no-referrer", "no-store", "DENY")
    );
}

#[test]
fn a_token_opens_its_scope_and_nothing_else() {
    for stage in [Stage::sqlite(), Stage::redis()] {
        let pages = pages(stage);
        let (site, hers, his) =
            (&pages.site, asking(&pages, "anna", &form()), asking(&pages, "ben", &form()));
        let stranger = site.get("/inbox");
        assert_eq!((stranger.status, stranger.body.contains("Sign in")), (401, true));
        assert_guarded(&stranger);
        let cookie = signed_in(site, "annas-own-token");
        let get = |path: &str| site.get_with(path, &[("cookie", &cookie)]);
        let list = get("/inbox");
        assert_guarded(&list);
        assert!(list.body.contains("1 question waits."), "{}", list.body);
        assert!(
            list.body.contains(&format!("/mcptask{}", path(&hers))) && !list.body.contains(his.id().as_str())
        );
        let page = get(&path(&hers));
        for said in ["deploy asks", "Which cuisine?", "Signed in as anna", &hers.id().as_str()[..8]] {
            assert!(page.body.contains(said), "{said:?} is not in {}", page.body);
        }
        let form = page.form_token();
        let nothing = get(&format!("/inbox/{}/q1", "0".repeat(his.id().as_str().len())));
        for other in [get(&path(&his)), get(&format!("/inbox/{}/q2", hers.id())), get("/inbox/%00/q1")] {
            assert_eq!((other.status, &other.body), (404, &nothing.body));
        }
        for action in ["accept&f0=Thai", "decline", "cancel", "cancel-task"] {
            let body = format!("form={form}&action={action}");
            assert_eq!(site.post_with(&path(&his), &[("cookie", &cookie)], &body).status, 404, "{action}");
        }
        let sent = answer(site, &cookie, &path(&hers), "f0=Thai&action=accept");
        assert_eq!((sent.status, sent.header("location")), (303, Some(&*format!("/mcptask{}", path(&hers)))));
        let given = pages.answer(&hers);
        assert_eq!((&given["action"], &given["content"]), (&json!("accept"), &json!({ "cuisine": "Thai" })));
        assert_eq!(given["who"], json!({ "name": "anna", "known": "token", "client": "inbox page" }));
        let closed = get(&path(&hers));
        assert_eq!(closed.status, 410);
        for said in ["accept by operator anna", "Which cuisine?", "cuisine=Thai"] {
            assert!(closed.body.contains(said), "{said:?} is not in {}", closed.body);
        }
        let again = format!("form={form}&f0=Greek&action=accept");
        let late = site.post_with(&path(&hers), &[("cookie", &cookie)], &again);
        assert_eq!((late.status, late.body.contains("accept by operator anna")), (409, true));
        let recent = get("/inbox/answers");
        assert!(recent.body.contains("accept by operator anna") && !recent.body.contains(his.id().as_str()));
        assert_eq!((pages.answer(&his), pages.question(&his)["id"].clone()), (Value::Null, json!("q1")));
    }
}

#[test]
fn a_cookie_is_none_of_the_token_and_ends_by_signing_out() {
    let pages = pages(Stage::sqlite());
    let site = &pages.site;
    let cookie = sign_in(site, "annas-own-token");
    assert_eq!(cookie.header("location"), Some("/mcptask/inbox"));
    let cookie = cookie.header("set-cookie").expect("a cookie").to_owned();
    let (pair, rest) = cookie.split_once("; ").expect("attributes");
    assert_eq!(rest, "Path=/mcptask/inbox; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    let value = pair.strip_prefix("__Secure-mcptask=").expect("its name");
    assert!(value.len() == 43 && !value.contains("token"), "{value}");
    let get = |pair: &str| site.get_with("/inbox", &[("cookie", pair)]);
    assert_eq!((get(pair).status, get(&pair[..pair.len() - 1]).status), (200, 401));
    assert_eq!(site.get_with("/inbox", &[("authorization", "Bearer annas-own-token")]).status, 401);
    let other = signed_in(site, "annas-own-token");
    let of_other = get(&other).form_token().to_owned();
    let out = |body: String| site.post_with("/inbox/sign-out", &[("cookie", pair)], &body);
    assert_eq!(out(format!("form={of_other}")).status, 403);
    let done = out(format!("form={}", get(pair).form_token()));
    assert_eq!(done.status, 303);
    assert!(done.header("set-cookie").is_some_and(|gone| gone.contains("=; ") && gone.contains("Max-Age=0")));
    assert_eq!((get(pair).status, get(&other).status), (401, 200), "one sign-in, not the other");
}

#[test]
fn who_was_sent_to_a_question_comes_to_it_by_signing_in() {
    let pages = pages(Stage::sqlite());
    let task = asking(&pages, "anna", &form());
    let page = pages.site.get(&path(&task));
    assert_eq!(page.status, 401);
    let wanted = format!("/mcptask{}", path(&task));
    assert!(page.body.contains(&format!("value=\"{wanted}\"")), "{}", page.body);
    let body = format!("form={}&token=annas-own-token&wanted={wanted}", page.form_token());
    let sent = pages.site.post_with("/inbox/sign-in", &[], &body);
    assert_eq!((sent.status, sent.header("location")), (303, Some(wanted.as_str())));
}

#[test]
fn wrong_tokens_are_told_nothing_and_have_to_wait() {
    let pages = pages(Stage::sqlite());
    let replies: Vec<Reply> = (0..15).map(|at| sign_in(&pages.site, &format!("guess{at}"))).collect();
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!((statuses[0], statuses[9]), (401, 401), "{statuses:?}");
    assert!(statuses.contains(&429) && !statuses.contains(&303), "{statuses:?}");
    assert_eq!(replies[0].body, replies[9].body, "the same words");
    assert!(replies[0].header("set-cookie").is_none() && !replies[0].body.contains("guess0"));
    let held = replies.iter().find(|reply| reply.status == 429).expect("one");
    assert!(held.header("retry-after").is_some());
}

#[test]
fn forms_of_other_sites_and_of_other_sign_ins_are_refused() {
    let pages = pages(Stage::sqlite());
    let task = asking(&pages, "anna", &form());
    let cookies = [signed_in(&pages.site, "annas-own-token"), signed_in(&pages.site, "annas-own-token")];
    let site = &pages.site;
    let token = |cookie: &str| site.get_with("/inbox", &[("cookie", cookie)]).form_token().to_owned();
    let (own, other) = (token(&cookies[0]), token(&cookies[1]));
    let post = |headers: &[(&str, &str)], body: &str| {
        let headers = [&[("cookie", cookies[0].as_str())], headers].concat();
        site.post_with(&path(&task), &headers, body)
    };
    let body = format!("form={own}&f0=Thai&action=accept");
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(post(headers, &body).status, 403, "{headers:?}");
    }
    for token in ["", "0123", &other] {
        let refused = post(&[], &format!("form={token}&f0=Thai&action=accept"));
        assert_eq!(refused.status, 403, "{token}");
        assert_guarded(&refused);
    }
    assert_eq!(site.post_with(&path(&task), &[], &body).status, 401, "without the cookie");
    let foreign = [("origin", "https://evil.example")];
    let form = site.get("/inbox").form_token().to_owned();
    let refused = site.post_with("/inbox/sign-in", &foreign, &format!("form={form}&token=annas-own-token"));
    assert_eq!((refused.status, refused.header("set-cookie")), (403, None));
    assert_eq!(pages.answer(&task), Value::Null, "nothing of it counted");
    let same = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    assert_eq!(post(&same, &body).status, 303, "as browsers send it");
}

#[test]
fn what_is_wrong_is_said_and_a_task_can_be_cancelled() {
    let pages = pages(Stage::sqlite());
    let (site, task) = (&pages.site, asking(&pages, "anna", &form()));
    let cookie = signed_in(site, "annas-own-token");
    let refused = answer(site, &cookie, &path(&task), "f0=T&action=accept");
    assert_eq!((refused.status, refused.body.contains("shorter than 2")), (422, true), "{refused:?}");
    assert!(refused.body.contains("value=\"T\""), "what was typed stays");
    assert_eq!(answer(site, &cookie, &path(&task), "f0=Thai&action=explode").status, 422);
    assert_eq!(answer(site, &cookie, &path(&task), "action=cancel-task").status, 303);
    let shown = pages.stage.json(&["show", task.id().as_str()]);
    assert_eq!(shown[0]["status"], "cancelled");
    let told = pages.stage.ok(&["watch", "--task", task.id().as_str(), "--since", "start", "--until", "end"]);
    assert!(told.contains("cancelled by anna in the inbox"), "{told}");
    let closed = site.get_with(&path(&task), &[("cookie", &cookie)]);
    assert!(closed.status == 410 && closed.body.contains("Its task has ended: cancelled"), "{closed:?}");
}

#[test]
fn a_browser_that_another_site_led_here_asks_once_more_by_itself() {
    let pages = pages(Stage::sqlite());
    let led = [("sec-fetch-site", "cross-site"), ("sec-fetch-dest", "document")];
    let again = |path: &str, headers: &[(&str, &str)]| {
        pages.site.get_with(path, headers).header("refresh").map(str::to_owned)
    };
    assert_eq!(again("/inbox", &led), Some("0; url=?again".to_owned()));
    let cookie = signed_in(&pages.site, "annas-own-token");
    let signed_in = [&led[..], &[("cookie", &cookie)]].concat();
    assert_eq!(
        (again("/inbox?again", &led), again("/inbox", &[]), again("/inbox", &signed_in)),
        (None, None, None)
    );
}

#[test]
fn without_tokens_nobody_signs_in() {
    let pages = Pages::sqlite();
    let task = pages.asking(&form());
    let list = pages.site.get("/inbox");
    assert_eq!((list.status, list.header("set-cookie")), (200, None));
    assert!(list.body.contains(&path(&task)) && !list.body.contains("Sign"), "{}", list.body);
    let refused = pages.site.post_with(&path(&task), &[], "form=x&action=decline");
    assert_eq!(refused.status, 403);
    assert_eq!(pages.site.answer(&path(&task), "action=decline").status, 303);
    let answer = pages.answer(&task);
    assert_eq!((&answer["action"], &answer["who"]), (&json!("decline"), &json!({ "client": "inbox page" })));
}

#[test]
fn what_waits_longest_comes_first_and_hostile_text_stays_text() {
    let pages = Pages::sqlite();
    let bad = "</p><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m";
    let tasks = ["the first", bad, "the last"]
        .map(|message| pages.asking(&Ask::form(message, json!({ "type": "object", "properties": {} }))));
    let list = pages.site.get("/inbox");
    let places = tasks.each_ref().map(|task| list.body.find(&path(task)).expect("a row"));
    assert!(places.is_sorted(), "{places:?}");
    for page in [&list, &pages.site.get(&path(&tasks[1]))] {
        assert_eq!(page.body.matches("<script").count(), 1, "the own one: {}", page.body);
        for mark in ["<img", "\u{202e}", "\u{1b}"] {
            assert!(!page.body.contains(mark), "{mark:?} is in {}", page.body);
        }
    }
    let script = pages.site.get("/inbox.js");
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(script.body.lines().count() <= 50, "the script stays small");
}

#[test]
fn a_token_that_is_gone_signs_out() {
    let pages = pages(Stage::sqlite());
    let cookies = [signed_in(&pages.site, "annas-own-token"), signed_in(&pages.site, "bens-own-token")];
    let statuses = || cookies.each_ref().map(|one| pages.site.get_with("/inbox", &[("cookie", one)]).status);
    assert_eq!(statuses(), [200, 200]);
    pages.stage.file("tokens", "anna another-token\nben bens-own-token\n");
    pages.site.server().signal("HUP");
    let began = std::time::Instant::now();
    while statuses()[0] == 200 && began.elapsed() < BOUND {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(statuses(), [401, 200]);
    assert_eq!(sign_in(&pages.site, "annas-own-token").status, 401);
}

#[test]
fn an_inbox_is_under_the_public_url_and_nowhere_without_one() {
    let pages = Pages::sqlite();
    assert!(PUBLIC.ends_with("/mcptask"));
    for path in ["/inbox", "/inbox/", "/mcptask/inbox", "/mcptask/inbox/answers", "/mcptask/inbox.js"] {
        assert_eq!(pages.site.get(path).status, 200, "{path}");
    }
    let bare = Site::of(pages.stage.serve(&["--workers", "0"]));
    assert_eq!(bare.get("/inbox").status, 404);
}
