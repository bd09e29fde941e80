//! Notices carry a link where people reach a page, and no store has it.

use crate::http::Site;
use crate::pages::{PUBLIC, Pages, form};
use crate::receiver::{Receiver, Reply};
use crate::stage::{Stage, posting};

#[test]
fn a_notice_carries_a_link_of_its_own_each_time_it_is_sent() {
    // The first try fails, so the second one brings another link.
    let receiver = Receiver::start(|_, before| Reply::Status(if before == 0 { 500 } else { 204 }));
    let stage = Stage::sqlite();
    stage.file("mcptask.toml", &posting("hook", &["asked", "answered"], &receiver.url()));
    let site = Site::of(stage.serve(&["--workers", "0", "--lease", "2s", "--public-url", PUBLIC]));
    stage.until_run(1);
    let tasks = stage.tasks();
    let pages = Pages { stage, tasks, site };
    let task = pages.asking(&form());
    let got = receiver.count(2);
    assert_eq!(got[0].id(), got[1].id(), "the same notice");
    let links: Vec<String> = got.iter().map(|one| one.data("link")).collect();
    assert_ne!(links[0], links[1]);
    for link in &links {
        let path = link.strip_prefix(PUBLIC).expect("the public URL");
        assert_eq!(pages.site.get(path).status, 200, "{link}");
        let token = path.rsplit_once('/').expect("a path").1.as_bytes();
        for file in std::fs::read_dir(pages.stage.database().parent().expect("a folder")).expect("is read") {
            let bytes = std::fs::read(file.expect("a file").path()).unwrap_or_default();
            assert!(!bytes.windows(token.len()).any(|part| part == token), "the store has the token");
        }
    }
    let path = links[1].strip_prefix(PUBLIC).expect("the public URL");
    assert_eq!(pages.site.answer(path, "f0=Thai&action=accept").status, 303);
    let answered = receiver.count(3).remove(2);
    assert_eq!((answered.data("link"), answered.data("by")), (String::new(), "operator".to_owned()));
    assert_eq!(pages.answer(&task)["who"]["known"], "link");
}

#[test]
fn without_a_public_url_a_notice_has_no_link() {
    let receiver = Receiver::ready();
    let stage = Stage::sqlite();
    let _server = stage.telling(&posting("hook", &["asked"], &receiver.url()));
    stage.tasks().asking("deploy", &form(), None);
    assert_eq!(receiver.count(1)[0].data("link"), "");
}
