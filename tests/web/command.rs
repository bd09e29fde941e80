//! `link` as scripts see it.

use serde_json::{Value, json};

use crate::pages::{PUBLIC, Pages, form};
use crate::shapes::is_line;
use crate::stage::Stage;

#[test]
fn the_public_url_is_a_flag_a_variable_or_of_the_profile() {
    let pages = Pages::sqlite();
    let (task, _) = pages.asked();
    let id = task.id().as_str();
    let refused = pages.stage.run(&["link", id]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{refused:?}");
    assert!(refused.err.contains("--public-url"), "{}", refused.err);
    let variable = [("MCPTASK_PUBLIC_URL", "https://a.example")];
    let made = pages.stage.run_among(&variable, &["link", id]);
    assert!(made.out.starts_with("https://a.example/q/"), "{made:?}");
    let made = pages.stage.run_among(&variable, &["link", id, "--public-url", "http://localhost:1/b/"]);
    assert!(made.out.starts_with("http://localhost:1/b/q/"), "{made:?}");
    std::fs::create_dir_all(pages.stage.path().join(".config/mcptask")).expect("a folder");
    pages.stage.file(".config/mcptask/config.toml", "[profile.p]\npublic_url = \"https://p.example\"\n");
    let made = pages.stage.run(&["link", id, "--profile", "p"]);
    assert!(made.out.starts_with("https://p.example/q/"), "{made:?}");
    for bad in ["http://a.example", "https://a.example/?q", "a.example"] {
        assert_eq!(pages.stage.run(&["link", id, "--public-url", bad]).code, 2, "{bad}");
        assert_eq!(pages.stage.run_among(&[("MCPTASK_PUBLIC_URL", bad)], &["link", id]).code, 2, "{bad}");
    }
}

#[test]
fn a_script_is_told_all_of_a_link() {
    let pages = Pages::sqlite();
    let task = pages.asking(&form());
    let id = task.id().as_str();
    let made = &pages.stage.json(&["link", &id[..8], "--as", "ada", "--public-url", PUBLIC])[0];
    assert_eq!((&made["task"], &made["question"], &made["as"]), (&json!(id), &json!("q1"), &json!("ada")));
    is_line("link", made);
    assert!(made["deadline"].is_string() && made["source"] == "mcptask", "{made}");
    let url = made["url"].as_str().expect("a URL").to_owned();
    assert_eq!(pages.site.get(url.strip_prefix(PUBLIC).expect("the address")).status, 200);
    let other = &pages.stage.json(&["link", id, "--question", "q1", "--public-url", PUBLIC])[0];
    assert_eq!(other["as"], Value::Null);
    assert_ne!(other["url"], made["url"]);
    let withdrawn = &pages.stage.json(&["link", id, "--withdraw"])[0];
    is_line("link", withdrawn);
    assert_eq!(withdrawn["withdrawn"], 2);
    for (words, code) in [
        (&["link", "zzzzzzzz", "--public-url", PUBLIC][..], 9),
        (&["link", id, "--question", "q7", "--public-url", PUBLIC], 9),
        (&["link", id, "--as", "", "--public-url", PUBLIC], 2),
        (&["link", id, "--withdraw", "--as", "ada"], 2),
        (&["link", id, "--withdraw"], 10),
    ] {
        assert_eq!(pages.stage.run(words).code, code, "{words:?}");
    }
}

#[test]
fn only_our_own_tasks_have_links() {
    let stage = Stage::sqlite();
    let server = stage.serve(&[]);
    let id = stage.asking("plan_dinner");
    let refused = stage.run(&["link", &id, "--public-url", PUBLIC, "--server", server.url()]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("our own store"), "{}", refused.err);
}

/// The lines of the README's section, without their remarks.
fn readme() -> Vec<String> {
    let section =
        include_str!("../../README.md").split_once("## Answered in a browser").expect("a section").1;
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block");
    let words = |line: &str| line.split(" #").next().unwrap_or_default().trim().to_owned();
    block.lines().map(words).collect()
}

#[test]
fn what_the_readme_says_works() {
    let pages = Pages::sqlite();
    let lines = readme();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let serve: Vec<&str> = lines[0].split_whitespace().skip(2).collect();
    pages.stage.file("tokens", "anna annas-own-token\n");
    let site = crate::http::Site::of(pages.stage.serve(&[&["--workers", "0"], &serve[..]].concat()));
    let task = pages.asking(&form());
    assert_eq!(site.get("/inbox").status, 401, "who has no token is asked for one");
    let run = |line: &str| {
        let line = line.replace("7w3k9q2m", task.id().as_str());
        pages.stage.run(&line.split_whitespace().skip(1).collect::<Vec<_>>())
    };
    let made = run(&lines[1]);
    let path = made.out.trim().strip_prefix("https://tasks.example.com").expect("a link").to_owned();
    assert_eq!((made.code, site.get(&path).status), (0, 200), "{made:?}");
    assert_eq!((run(&lines[2]).code, site.get(&path).status), (0, 404));
}
