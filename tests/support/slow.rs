//! A way to a server that is far away: what it says comes later.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// Listens, and passes everything on to that port; what comes back is held for so long. Its port.
pub(crate) fn slow_way(to: u16, held: Duration) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { return };
            let (from_client, from_server) = (client.try_clone(), server.try_clone());
            let (Ok(from_client), Ok(from_server)) = (from_client, from_server) else { return };
            std::thread::spawn(move || pass(from_client, server, Duration::ZERO));
            std::thread::spawn(move || pass(from_server, client, held));
        }
    });
    port
}

/// Passes on each part that long after it came.
fn pass(mut from: TcpStream, mut to: TcpStream, held: Duration) {
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
    while let Ok(count @ 1..) = from.read(&mut part) {
        if parts.send((Instant::now(), part[..count].to_vec())).is_err() {
            break;
        }
    }
    drop(parts);
    let _ = writer.join();
}
