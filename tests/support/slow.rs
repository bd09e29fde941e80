//! A way to a server that is far away: what it says comes later.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// How often something was sent on a way, all its connections together.
pub(crate) type Sent = Arc<AtomicU64>;

/// Listens, and passes everything on to that port; what comes back is held for so long. Its port, and how often
/// something was asked.
pub(crate) fn slow_way(to: u16, held: Duration) -> (u16, Sent) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Sent::default();
    let count = Arc::clone(&asked);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { return };
            let (from_client, from_server) = (client.try_clone(), server.try_clone());
            let (Ok(from_client), Ok(from_server)) = (from_client, from_server) else { return };
            let count = Arc::clone(&count);
            std::thread::spawn(move || pass(from_client, server, Duration::ZERO, &count));
            std::thread::spawn(move || pass(from_server, client, held, &Sent::default()));
        }
    });
    (port, asked)
}

/// Passes on each part that long after it came, and counts them.
fn pass(mut from: TcpStream, mut to: TcpStream, held: Duration, count: &Sent) {
    let (parts, come) = channel::<(Instant, Vec<u8>)>();
    let _ = to.set_nodelay(true);
    let writer = std::thread::spawn(move || {
        for (at, part) in come {
            std::thread::sleep((at + held).saturating_duration_since(Instant::now()));
            if to.write_all(&part).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut part = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut part) {
        count.fetch_add(1, Ordering::SeqCst);
        if parts.send((Instant::now(), part[..length].to_vec())).is_err() {
            break;
        }
    }
    drop(parts);
    let _ = writer.join();
}
