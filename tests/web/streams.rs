//! Open inboxes: they hear of what is new, end when they must, and cost little.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http::Site;
use crate::inbox::{asking, pages, signed_in};
use crate::pages::{Pages, form};
use crate::place::BOUND;
use crate::stage::Stage;

/// A connection that stays.
struct Kept {
    stream: TcpStream,
    read: BufReader<TcpStream>,
    headers: String,
}

impl Kept {
    fn new(site: &Site, cookie: &str) -> Self {
        let stream = TcpStream::connect(site.address()).expect("connects");
        stream.set_read_timeout(Some(BOUND)).expect("a bound");
        let read = BufReader::with_capacity(512, stream.try_clone().expect("another handle"));
        Self { stream, read, headers: format!("host: {}\r\ncookie: {cookie}\r\n", site.address()) }
    }

    fn ask(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers);
        self.stream.write_all(request.as_bytes()).expect("is sent");
    }

    /// The status and the length of a whole small response.
    fn whole(&mut self, path: &str) {
        self.ask(path);
        let (mut length, mut line) = (0, String::new());
        while line != "\r\n" {
            line.clear();
            self.read.read_line(&mut line).expect("a head");
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a number");
            }
        }
        std::io::Read::read_exact(&mut self.read, &mut vec![0; length]).expect("a body");
    }

    /// Opens the stream, and waits for its first word.
    fn open(&mut self) {
        self.ask("/inbox/events");
        assert_eq!(self.next().as_deref(), Some("data: changed"));
    }

    /// The next word; `None` when the stream ends.
    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            match self.read.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                // The last chunk of all.
                Ok(_) if line == "0\r\n" => return None,
                Ok(_) if line.starts_with("data: ") => return Some(line.trim().to_owned()),
                Ok(_) if line.starts_with("HTTP/") => assert!(line.contains(" 200 "), "{line}"),
                Ok(_) => {}
            }
        }
    }
}

/// A process's memory, in bytes.
fn resident(site: &Site) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.server().id())).expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("its memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).expect("a number") * 1024
}

/// Beyond its connection, what an open inbox may cost.
const MOST_BYTES: u64 = 4096;

#[test]
fn five_hundred_open_inboxes_cost_little_and_hear_of_what_is_new() {
    let pages = Pages::sqlite();
    let mut kept: Vec<Kept> = (0..500).map(|_| Kept::new(&pages.site, "")).collect();
    // A connection has its buffers once a request went through it.
    for one in &mut kept {
        one.whole("/inbox.js");
        one.whole("/inbox.js");
    }
    let before = resident(&pages.site);
    kept.iter_mut().for_each(Kept::open);
    let each = resident(&pages.site).saturating_sub(before) / 500;
    assert!(each <= MOST_BYTES, "{each} bytes each");
    let asked = Instant::now();
    let task = pages.asking(&form());
    for one in &mut kept {
        assert_eq!(one.next().as_deref(), Some("data: changed"));
    }
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?} until all had heard", asked.elapsed());
    // All look at one list, which is read anew when they are told again.
    let lists = |path: &str| pages.site.get(path).body.contains(task.id().as_str());
    assert_eq!(["/inbox?live", "/inbox?live", "/inbox"].map(lists), [true; 3]);
    pages.stage.ok(&["extend", task.id().as_str(), "30h"]);
    assert_eq!(kept[0].next().as_deref(), Some("data: changed"));
    let shown = pages.site.get("/inbox?live").body;
    assert!(shown.contains("cancels itself in 30 h"), "{shown}");
    pages.tasks.cancel(task.id());
    assert!(!lists("/inbox"));
    assert_eq!(kept[0].next().as_deref(), Some("data: changed"));
    assert!(!lists("/inbox?live"));
}

#[test]
fn a_stream_hears_of_its_own_scope_alone() {
    let pages = pages(Stage::redis());
    let mut hers = Kept::new(&pages.site, &signed_in(&pages.site, "annas-own-token"));
    let mut his = Kept::new(&pages.site, &signed_in(&pages.site, "bens-own-token"));
    hers.open();
    his.open();
    asking(&pages, "anna", &form());
    assert_eq!(hers.next().as_deref(), Some("data: changed"));
    his.stream.set_read_timeout(Some(Duration::from_millis(1500))).expect("a bound");
    assert_eq!(his.next(), None, "nothing within a second and a half");
    assert_eq!(pages.site.get("/inbox/events").status, 401);
}

#[test]
fn a_stream_ends_with_its_token_with_its_sign_in_and_with_the_server() {
    let pages = pages(Stage::sqlite());
    let site = &pages.site;
    let cookie = signed_in(site, "annas-own-token");
    let mut signs_out = Kept::new(site, &cookie);
    let mut revoked = Kept::new(site, &signed_in(site, "annas-own-token"));
    let mut stays = Kept::new(site, &signed_in(site, "bens-own-token"));
    [&mut signs_out, &mut revoked, &mut stays].into_iter().for_each(Kept::open);
    let form = site.get_with("/inbox", &[("cookie", &cookie)]).form_token().to_owned();
    site.post_with("/inbox/sign-out", &[("cookie", &cookie)], &format!("form={form}"));
    assert_eq!(signs_out.next(), None);
    pages.stage.file("tokens", "ben bens-own-token\n");
    site.server().signal("HUP");
    assert_eq!(revoked.next(), None);
    let began = Instant::now();
    site.server().signal("TERM");
    assert_eq!(stays.next(), None);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}
