//! Part 7: the inbox with 1,000 waiting questions over a store whose replies come 50 ms later: how long frames take, how
//! soon a key is seen, and what it costs at rest.

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rexpect::process::PtyProcess;
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::{Value, json};

use crate::figures::{Figures, rounded};
use crate::lean::Lean;
use crate::options::Options;
use crate::processes::Cpu;
use crate::report::Section;
use crate::rest::submit;
use crate::slow::slow_way;
use crate::stage::{Ours, Place, Redis, at_terminal};

/// How much later each reply of the store comes.
const LATER: Duration = Duration::from_millis(50);

/// How long anything may take to be on the screen.
const BOUND: Duration = Duration::from_secs(60);

const QUESTIONS: usize = 1000;

pub(crate) async fn measure(options: &Options) -> Vec<Section> {
    let redis = Redis::start();
    let ours = Ours::start(Place::Redis(redis.url.clone()), 1);
    let silent = Lean::connect(&ours.url, |_| None).await.expect("connects");
    submit(&silent, QUESTIONS).await;
    tokio::time::timeout(BOUND, silent.asked(QUESTIONS)).await.expect("all tasks ask");
    let port = redis.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let slow = Place::Redis(format!("redis://127.0.0.1:{}", slow_way(port, LATER).0));
    let sizes = [(80, 24), (120, 40), (200, 60)];
    let rows = sizes.into_iter().map(|size| row(options, &slow, size)).collect();
    let title = "1,000 waiting questions, each reply of the store 50 ms later";
    vec![Section { name: "inbox", title, rows }]
}

fn row(options: &Options, place: &Place, (columns, rows): (u16, u16)) -> Value {
    let mut screen = Screen::open(at_terminal(place, &["inbox"]), (columns, rows));
    screen.until("1000 waiting");
    let mut keys = Vec::new();
    for at in 0..options.size(50, 1000) {
        std::thread::sleep(Duration::from_millis(12));
        let begun = Instant::now();
        screen.press(if at / 500 % 2 == 0 { "j" } else { "k" });
        screen.something();
        keys.push(u64::try_from(begun.elapsed().as_nanos()).expect("not that long"));
    }
    let period = Duration::from_secs(options.size(2, 20));
    std::thread::sleep(Duration::from_secs(1));
    let (cpu, begun) = (Cpu::begin(vec![("CPU at rest", vec![screen.id()])]), Instant::now());
    std::thread::sleep(period);
    let used = cpu.percent(begun.elapsed().as_secs_f64());
    screen.press("q");
    let log = screen.until("slowest_us=");
    let figures = Figures::of(keys).expect("some keys");
    json!({
        "screen": format!("{columns}×{rows}"), "key → frame p50": figures.p50, "p99": figures.p99,
        "frames": said(&log, "frames="), "slowest frame": said(&log, "slowest_us="),
        "frames over 50 ms": said(&log, "slow="), "% of a core at rest": rounded(used[0].1),
    })
}

/// The number that the log has under that name.
fn said(log: &str, name: &str) -> Option<u64> {
    let (_, rest) = log.rsplit_once(name)?;
    rest.split(|one: char| !one.is_ascii_digit()).next()?.parse().ok()
}

/// The program on a screen.
struct Screen {
    _process: PtyProcess,
    keys: std::fs::File,
    parts: Receiver<Vec<u8>>,
}

impl Screen {
    fn open(mut command: Command, (columns, rows): (u16, u16)) -> Self {
        command.env("TERM", "xterm").env("MCPTASK_LOG", "mcptask::tui=debug");
        command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
        let process = PtyProcess::new(command).expect("a pseudo-terminal");
        let keys = process.get_file_handle().expect("a handle");
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&keys, size).expect("a terminal");
        let mut from = process.get_file_handle().expect("a handle");
        let (sender, parts) = channel();
        std::thread::spawn(move || {
            let mut part = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from.read(&mut part) {
                if sender.send(part[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { _process: process, keys, parts }
    }

    fn id(&self) -> u32 {
        let leads = rustix::termios::tcgetsid(&self.keys).expect("a session");
        u32::try_from(leads.as_raw_nonzero().get()).expect("a process")
    }

    fn press(&mut self, key: &str) {
        self.keys.write_all(key.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits for the first of what is drawn.
    fn something(&self) {
        self.parts.recv_timeout(BOUND).expect("something is drawn");
        // The rest of the same frame.
        while self.parts.recv_timeout(Duration::from_millis(2)).is_ok() {}
    }

    /// Waits for a text, and for the rest of what is written with it.
    fn until(&self, text: &str) -> String {
        let mut written = String::new();
        while !written.contains(text) {
            let part = self.parts.recv_timeout(BOUND).expect("it is written");
            written += &String::from_utf8_lossy(&part);
        }
        while let Ok(part) = self.parts.recv_timeout(Duration::from_millis(300)) {
            written += &String::from_utf8_lossy(&part);
        }
        written
    }
}
