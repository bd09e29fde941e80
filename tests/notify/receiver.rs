//! A receiver of webhooks: a socket that behaves as the test says.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::place::BOUND;

/// Something that was posted.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) text: String,
    pub(crate) at: Instant,
}

impl Got {
    /// The header `webhook-id`.
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// Checks as others do that whoever has that secret sent it.
    pub(crate) fn is_signed_with(&self, secret: &str) {
        let mut headers = http::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.headers[name].parse().expect("a header"));
        }
        let webhook = standardwebhooks::Webhook::new(secret).expect("a secret");
        webhook.verify(self.text.as_bytes(), &headers).expect("is signed");
    }

    /// The words of `data` in the standard body.
    pub(crate) fn data(&self, name: &str) -> String {
        self.body()["data"][name].as_str().unwrap_or_default().to_owned()
    }
}

/// What is done with a request that was read.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    Status(u16),
    /// With these further lines of the head.
    With(u16, String),
    /// After that time.
    Late(Duration, u16),
    /// Nothing, for as long as the test runs.
    Hang,
    /// The connection is closed without a word.
    Close,
    /// A body without an end.
    Endless(u16),
}

type Behaviour = dyn Fn(&Got, usize) -> Reply + Send + Sync;

/// The receiver.
pub(crate) struct Receiver {
    port: u16,
    got: Arc<(Mutex<Vec<Got>>, Condvar)>,
}

impl Receiver {
    /// One that answers each request as it is told; the number says how many came before with the same id.
    pub(crate) fn start(behaves: impl Fn(&Got, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let got: Arc<(Mutex<Vec<Got>>, Condvar)> = Arc::default();
        let (noted, behaves): (_, Arc<Behaviour>) = (got.clone(), Arc::new(behaves));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (noted, behaves) = (noted.clone(), behaves.clone());
                std::thread::spawn(move || serve(stream, &noted, &*behaves));
            }
        });
        Self { port, got }
    }

    /// One that takes everything.
    pub(crate) fn ready() -> Self {
        Self::start(|_, _| Reply::Status(204))
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/s3cret-path", self.port)
    }

    pub(crate) fn all(&self) -> Vec<Got> {
        self.got.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what came is as wanted.
    pub(crate) fn until(&self, what: &str, wanted: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        self.until_within(BOUND, what, wanted)
    }

    pub(crate) fn until_within(
        &self,
        bound: Duration,
        what: &str,
        wanted: impl Fn(&[Got]) -> bool,
    ) -> Vec<Got> {
        let began = Instant::now();
        let mut all = self.got.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !wanted(&all) {
            let left = bound.checked_sub(began.elapsed());
            let left = left.unwrap_or_else(|| panic!("{what} never came, but {all:#?}"));
            all = self.got.1.wait_timeout(all, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        all.clone()
    }

    /// Waits for that many.
    pub(crate) fn count(&self, count: usize) -> Vec<Got> {
        self.until(&format!("{count} notices"), |all| all.len() >= count)
    }
}

fn serve(mut stream: TcpStream, noted: &(Mutex<Vec<Got>>, Condvar), behaves: &Behaviour) {
    let Some(got) = read(&stream) else { return };
    let before = {
        let mut all = noted.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before =
            all.iter().filter(|one| one.headers.get("webhook-id") == got.headers.get("webhook-id")).count();
        all.push(got.clone());
        noted.1.notify_all();
        before
    };
    let mut answer = |status: u16, more: &str| {
        // Whoever was killed meanwhile reads nothing.
        let _ = write!(stream, "HTTP/1.1 {status} Said\r\nconnection: close\r\n{more}\r\n");
    };
    match behaves(&got, before) {
        Reply::Status(status) => answer(status, "content-length: 0\r\n"),
        Reply::With(status, more) => answer(status, &more),
        Reply::Late(pause, status) => {
            std::thread::sleep(pause);
            answer(status, "content-length: 0\r\n");
        }
        Reply::Hang => loop {
            std::thread::sleep(BOUND);
        },
        Reply::Close => {}
        Reply::Endless(status) => {
            answer(status, "content-type: text/plain\r\n");
            while stream.write_all(&[b'x'; 8 * 1024]).is_ok() {}
        }
    }
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got { path, headers, text: String::from_utf8(body).ok()?, at: Instant::now() })
}
