//! The rules of a link: what looks changes nothing, the first answer counts, and nobody learns of what is not theirs.

use std::thread;

use mcptask::task::{Ask, Outcome};
use serde_json::{Value, json};

use crate::http::Reply;
use crate::pages::{Pages, form};
use crate::stage::Stage;

/// Where a page may load from and be shown.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn assert_guarded(reply: &Reply) {
    let header = |name| reply.header(name).unwrap_or_default().to_owned();
    assert_eq!(header("content-security-policy"), POLICY, "{reply:?}");
    assert_eq!(
        (header("referrer-policy"), header("x-content-type-options")),
        ("no-referrer".into(), "nosniff".into())
    );
    assert_eq!(header("x-frame-options"), "DENY");
    assert!(header("x-robots-tag").contains("noindex"));
    assert_eq!(reply.header("set-cookie"), None);
}

#[test]
fn a_link_answers_its_question_once() {
    for stage in [Stage::sqlite(), Stage::redis()] {
        let pages = Pages::on(stage, &[]);
        let task = pages.asking(&form());
        let link = pages.link(&task, &["--as", "Ada L."]);
        let page = pages.site.get(&link);
        assert_eq!(page.status, 200);
        assert_guarded(&page);
        assert_eq!(page.header("cache-control"), Some("no-store"));
        for said in ["deploy asks", "Which cuisine?", "Cuisine", "Ada L.", &task.id().as_str()[..8]] {
            assert!(page.body.contains(said), "{said:?} is not in {}", page.body);
        }
        let sent = pages.site.answer(&link, "f0=Thai&action=accept");
        assert_eq!(sent.status, 303, "{sent:?}");
        assert_guarded(&sent);
        let location = sent.header("location").expect("leads on").to_owned();
        assert_eq!(location, format!("/mcptask{link}"), "under the public URL's path");
        let answer = pages.answer(&task);
        assert_eq!(
            (&answer["action"], &answer["content"]),
            (&json!("accept"), &json!({ "cuisine": "Thai" }))
        );
        let who = json!({ "name": "Ada L.", "known": "link" });
        assert_eq!((&answer["by"], &answer["who"]), (&json!("operator"), &who));
        for path in [&location, &link] {
            let after = pages.site.get(path);
            assert_eq!(after.status, 410, "a reload sends nothing again: {after:?}");
            assert!(after.body.contains("accept by operator Ada L."), "{}", after.body);
            assert!(!after.body.contains("Thai"), "what was answered is not told");
        }
        let again =
            pages.site.post_with(&link, &[], &format!("form={}&f0=Greek&action=accept", page.form_token()));
        assert_eq!(again.status, 409, "{again:?}");
        assert!(again.body.contains("accept by operator Ada L."), "{}", again.body);
        assert_eq!(pages.answer(&task), answer);
    }
}

#[test]
fn looking_changes_nothing_however_often() {
    let pages = Pages::sqlite();
    let (task, link) = pages.asked();
    let before = pages.stage.json(&["show", task.id().as_str()]);
    for method in ["GET", "HEAD"].repeat(25) {
        let seen = pages.site.send(method, &link);
        assert_eq!(seen.status, 200);
        assert_guarded(&seen);
        assert_eq!(seen.body.is_empty(), method == "HEAD");
    }
    let after = pages.stage.json(&["show", task.id().as_str()]);
    assert_eq!(
        (&before[0]["questions"], &before[0]["status"]),
        (&after[0]["questions"], &after[0]["status"])
    );
    assert_eq!(pages.site.answer(&link, "f0=Thai&action=accept").status, 303);
}

#[test]
fn twenty_at_once_give_one_answer() {
    for stage in [Stage::sqlite(), Stage::redis()] {
        let pages = Pages::on(stage, &[]);
        let task = pages.asking(&form());
        let links = [pages.link(&task, &["--as", "ada"]), pages.link(&task, &["--as", "ben"])];
        let tokens = links.each_ref().map(|link| pages.site.get(link).form_token().to_owned());
        let site = &pages.site;
        let replies: Vec<u16> = thread::scope(|scope| {
            let one = |at: usize| {
                let body = format!("form={}&f0=Number{at}&action=accept", tokens[at % 2]);
                let link = &links[at % 2];
                scope.spawn(move || site.post_with(link, &[], &body).status)
            };
            let all: Vec<_> = (0..20).map(one).collect();
            all.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        let count = |status| replies.iter().filter(|one| **one == status).count();
        assert_eq!((count(303), count(409)), (1, 19), "{replies:?}");
        let told = pages.stage.json(&[
            "watch",
            "--task",
            task.id().as_str(),
            "--since",
            "start",
            "--until",
            "answered",
        ]);
        assert_eq!(told.iter().filter(|event| event["event"] == "answered").count(), 1);
    }
}

#[test]
fn what_leads_nowhere_says_so_and_no_more() {
    let pages = Pages::sqlite();
    let (task, link) = pages.asked();
    pages.stage.ok(&["link", task.id().as_str(), "--withdraw"]);
    let guessed = format!("/q/{}", "A".repeat(43));
    let withdrawn = pages.site.get(&link);
    assert_eq!(withdrawn.status, 404);
    for path in [&*guessed, "/q/a", "/q/%00", "/q/..%2f", &format!("{link}A"), &format!("/q/{}", task.id())] {
        let unknown = pages.site.get(path);
        assert_eq!((unknown.status, &unknown.body), (404, &withdrawn.body), "{path}");
        assert_guarded(&unknown);
    }
    // The token of a form is told from nothing else either.
    let posted = pages.site.post_with(&guessed, &[], "form=0&f0=Thai&action=accept");
    assert_eq!(posted.status, 403);
    assert_eq!(pages.answer(&task), Value::Null);
    assert_eq!(
        pages.stage.run(&["link", task.id().as_str(), "--withdraw"]).code,
        10,
        "there is none any more"
    );
}

#[test]
fn after_the_end_a_link_tells_how_it_ended() {
    let pages = Pages::sqlite();
    let (cancelled, link) = pages.asked();
    let page = pages.site.get(&link);
    pages.tasks.cancel(cancelled.id());
    let seen = pages.site.get(&link);
    assert_eq!(seen.status, 410);
    assert!(seen.body.contains("Its task has ended: cancelled"), "{}", seen.body);
    let late = pages.site.post_with(&link, &[], &format!("form={}&f0=Thai&action=accept", page.form_token()));
    assert_eq!((late.status, late.body.contains("Its task has ended: cancelled")), (409, true));
    let (answered, link) = pages.asked();
    pages.stage.ok(&["respond", answered.id().as_str(), "--decline"]);
    let seen = pages.site.get(&link);
    assert_eq!((seen.status, seen.body.contains("decline by operator")), (410, true), "{}", seen.body);
    let code = pages.stage.run(&["link", answered.id().as_str(), "--public-url", crate::pages::PUBLIC]).code;
    assert_eq!(code, 10, "as respond says it");
    // With its task, a link goes for good.
    pages.tasks.finish(&answered, &Outcome::text("done"));
    pages.stage.ok(&["prune", "--ended", "--yes"]);
    assert_eq!(pages.site.get(&link).status, 404);
}

#[test]
fn what_is_wrong_stands_with_its_field_and_what_was_typed_stays() {
    let pages = Pages::sqlite();
    let (task, link) = pages.asked();
    for (fields, said) in [
        ("f0=T&action=accept", "shorter than 2"),
        ("action=accept", "a value is needed here"),
        ("f0=Thai", "which button was pressed"),
        ("f0=Thai&action=explode", "which button was pressed"),
        (&*format!("f0={}&action=accept", "x".repeat(21)), "longer than 20"),
    ] {
        let refused = pages.site.answer(&link, fields);
        assert_eq!(refused.status, 422, "{fields}: {refused:?}");
        assert!(refused.body.contains(said), "{said:?} is not in {}", refused.body);
        assert!(refused.body.contains("Nothing was sent"));
        assert_guarded(&refused);
    }
    let refused = pages.site.answer(&link, "f0=%22%3Cb%3E&action=accept&f0=");
    assert_eq!(refused.status, 303, "what looks like markup is text: {refused:?}");
    assert_eq!(pages.answer(&task)["content"], json!({ "cuisine": "\"<b>" }));
}

#[test]
fn forms_of_other_sites_and_what_is_no_form_are_refused() {
    let pages = Pages::sqlite();
    let (task, link) = pages.asked();
    let body = format!("form={}&f0=Thai&action=accept", pages.site.get(&link).form_token());
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("sec-fetch-site", "cross-site"), ("origin", "null")],
        &[("sec-fetch-site", "same-site")],
    ] {
        let refused = pages.site.post_with(&link, headers, &body);
        assert_eq!(refused.status, 403, "{headers:?}");
        assert_guarded(&refused);
    }
    for body in ["f0=Thai&action=accept", "form=&f0=Thai&action=accept", "form=0123&f0=Thai&action=accept"] {
        assert_eq!(pages.site.post_with(&link, &[], body).status, 403, "{body}");
    }
    let (_, other) = pages.asked();
    let of_other = format!("form={}&f0=Thai&action=accept", pages.site.get(&other).form_token());
    assert_eq!(pages.site.post_with(&link, &[], &of_other).status, 403, "the form of another link");
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        assert_eq!(pages.site.post_with(&link, &[("content-type", kind)], &body).status, 415, "{kind}");
    }
    let large = format!("{body}&f1={}", "x".repeat(1024 * 1024));
    assert_eq!(pages.site.post_with(&link, &[], &large).status, 413);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS"] {
        let refused = pages.site.send(method, &link);
        assert_eq!(refused.status, 405, "{method}");
        assert_guarded(&refused);
    }
    let host = "host: evil.example\r\nconnection: close\r\n\r\n";
    assert_eq!(pages.site.raw(format!("GET {link} HTTP/1.1\r\n{host}").as_bytes()).status, 403);
    let public = "host: tasks.example.com\r\nconnection: close\r\n\r\n";
    assert_eq!(pages.site.raw(format!("GET {link} HTTP/1.1\r\n{public}").as_bytes()).status, 200);
    assert_eq!(pages.answer(&task), Value::Null, "nothing of it counted");
    let same = [("sec-fetch-site", "same-origin"), ("origin", "null")];
    assert_eq!(pages.site.post_with(&link, &same, &body).status, 303, "as browsers send it");
}

#[test]
fn hostile_text_stays_text() {
    let pages = Pages::sqlite();
    let bad = "</p><script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}\u{1b}[31m";
    let schema = json!({ "type": "object", "properties": {
        "<script>": { "type": "string", "title": bad, "description": bad,
            "default": "<script>" },
        "c": { "oneOf": [{ "const": bad, "title": bad }, { "const": "b", "title": "B" }] } } });
    let task = pages.asking(&Ask::form(bad, schema));
    let link = pages.link(&task, &["--as", "<b>ada</b>"]);
    let url = pages.asking(&Ask::url(bad, "https://user@xn--80ak6aa92e.com/?a=%22%3E<script>"));
    for path in [&link, &pages.link(&url, &[])] {
        let page = pages.site.get(path);
        assert_eq!(page.status, 200);
        for mark in ["<script", "<img", "<b>", "\u{202e}", "\u{1b}"] {
            assert!(!page.body.contains(mark), "{mark:?} is in {}", page.body);
        }
    }
    let page = pages.site.get(&pages.link(&url, &[])).body;
    for said in
        ["Punycode", "not the host", "target=\"_blank\" rel=\"noopener noreferrer\"", "xn--80ak6aa92e.com"]
    {
        assert!(page.contains(said), "{said:?} is not in {page}");
    }
    let refused = pages.site.answer(&link, "f0=%3Cscript%3E&f1=9&action=nothing");
    assert!(refused.body.contains("&lt;script&gt;") && !refused.body.contains("<script"), "{}", refused.body);
}

#[test]
fn a_link_is_in_no_log_and_in_no_store() {
    let stage = Stage::sqlite();
    let mut command =
        stage.command(&["serve", "--listen", "127.0.0.1:0", "--json", "--public-url", crate::pages::PUBLIC]);
    command.args(["--workers", "0"]).env("MCPTASK_LOG", "trace");
    let said = stage.path().join("log");
    command.stdout(std::process::Stdio::piped()).stderr(std::fs::File::create(&said).expect("a file"));
    let mut child = command.spawn().expect("starts");
    let mut beginning = String::new();
    let out = child.stdout.take().expect("piped");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut beginning).expect("its first line");
    let url: Value = serde_json::from_str(&beginning).expect("JSON");
    let pages = Pages::sqlite_beside(stage, url["url"].as_str().expect("a URL"));
    let (_, link) = pages.asked();
    let token = link.strip_prefix("/q/").expect("a token");
    pages.site.get(&link);
    assert_eq!(pages.site.answer(&link, "f0=T&action=accept").status, 422);
    assert_eq!(pages.site.answer(&link, "f0=Thai&action=accept").status, 303);
    pages.site.get(&format!("/q/{}", "B".repeat(43)));
    child.kill().expect("ours");
    child.wait().expect("ours");
    let log = std::fs::read_to_string(said).expect("a log");
    assert!(log.lines().count() > 10, "it says much: {log}");
    assert!(!log.contains(token) && !log.contains(&"B".repeat(43)), "{log}");
    let folder = pages.stage.database();
    for file in std::fs::read_dir(folder.parent().expect("a folder")).expect("is read") {
        let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
        assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()), "the store has the token");
    }
}

#[test]
fn a_server_without_a_public_url_has_no_pages() {
    let pages = Pages::on(Stage::sqlite(), &[]);
    let (_, link) = pages.asked();
    let bare = crate::http::Site::of(pages.stage.serve(&["--workers", "0"]));
    assert_eq!(bare.get(&link).status, 404);
    assert_eq!(pages.site.get(&link).status, 200);
    assert_eq!(pages.site.get("/q.css").header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(pages.site.get("/mcptask/q.css").status, 200);
}

#[test]
fn who_guesses_is_held_to_the_servers_rate() {
    let pages = Pages::on(Stage::sqlite(), &["--rate-limit", "5"]);
    let guess = format!("/q/{}", "A".repeat(43));
    let statuses: Vec<u16> = (0..20).map(|_| pages.site.get(&guess).status).collect();
    assert!(statuses.contains(&404) && statuses.contains(&429), "{statuses:?}");
}

#[test]
fn every_server_of_a_store_takes_the_forms_of_the_others() {
    let pages = Pages::on(Stage::redis(), &[]);
    let (task, link) = pages.asked();
    let other =
        crate::http::Site::of(pages.stage.serve(&["--workers", "0", "--public-url", "https://b.example"]));
    let token = pages.site.get(&link).form_token().to_owned();
    let sent = other.post_with(&link, &[], &format!("form={token}&f0=Thai&action=accept"));
    assert_eq!(sent.status, 303, "{sent:?}");
    assert_eq!(pages.answer(&task)["content"], json!({ "cuisine": "Thai" }));
}

#[test]
fn a_store_that_is_away_is_said_and_the_question_stays_open() {
    let mut pages = Pages::on(Stage::persistent(), &[]);
    let (task, link) = pages.asked();
    let token = pages.site.get(&link).form_token().to_owned();
    pages.stage.server_mut().kill();
    let form = format!("form={token}&f0=Thai&action=accept");
    for reply in [pages.site.get(&link), pages.site.post_with(&link, &[], &form)] {
        assert_eq!(reply.status, 503, "{reply:?}");
        assert!(reply.body.contains("cannot reach its tasks"), "{}", reply.body);
        assert_guarded(&reply);
    }
    pages.stage.server_mut().restart();
    let began = std::time::Instant::now();
    let mut sent = pages.site.post_with(&link, &[], &form);
    while sent.status == 503 && began.elapsed() < crate::place::BOUND {
        sent = pages.site.post_with(&link, &[], &form);
    }
    assert_eq!(sent.status, 303, "{sent:?}");
    assert_eq!(pages.answer(&task)["action"], "accept");
}
