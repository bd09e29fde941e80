//! Redis over TLS: `rediss://`, with a certificate that only `SSL_CERT_FILE` vouches for.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificate::certificate_with;

/// A redis-server that speaks only TLS; killed on drop.
struct TlsRedis {
    child: Child,
    port: u16,
    directory: TempDir,
}

impl TlsRedis {
    fn start() -> Self {
        Self::start_with("CA:FALSE")
    }

    /// With a certificate of those basic constraints.
    fn start_with(constraints: &str) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        certificate_with(directory.path(), constraints);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        drop(listener);
        let child = Command::new("redis-server")
            .args(["--port", "0", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--tls-port", &port.to_string(), "--tls-auth-clients", "no"])
            .args(["--tls-cert-file", "certificate.pem", "--tls-key-file", "key.pem"])
            .args(["--tls-ca-cert-file", "certificate.pem"])
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts; install it: apt-get install redis-server");
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port, directory }
    }

    /// Runs `mcptask list` against it.
    fn list(&self, trusted: bool) -> Output {
        let file = self.directory.path().join("certificate.pem");
        self.list_trusting(trusted.then_some(file.as_path()))
    }

    /// The same with those certificates to trust.
    fn list_trusting(&self, file: Option<&Path>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
        command.env_clear().env("HOME", self.directory.path()).args([
            "list",
            "--redis",
            &format!("rediss://127.0.0.1:{}", self.port),
        ]);
        if let Some(file) = file {
            command.env("SSL_CERT_FILE", file);
        }
        command.output().expect("mcptask runs")
    }
}

impl Drop for TlsRedis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_redis_over_tls_is_used_when_its_certificate_is_trusted() {
    let server = TlsRedis::start();
    let output = server.list(true);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let server = TlsRedis::start();
    let output = server.list(false);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert!(error.contains("its certificate signs itself") && error.contains("SSL_CERT_FILE"), "{error}");
    assert!(!error.contains("UnknownIssuer"), "{error}");
}

#[test]
fn a_file_of_certificates_that_cannot_be_used_is_named() {
    let server = TlsRedis::start();
    let key = server.directory.path().join("key.pem");
    for (file, why) in [
        (
            Path::new("/nowhere/ca.pem"),
            "SSL_CERT_FILE names /nowhere/ca.pem, which cannot be read: No such file",
        ),
        (key.as_path(), "key.pem, which has no certificate in PEM form"),
    ] {
        let output = server.list_trusting(Some(file));
        let said = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_certificate_for_signing_others_is_called_so() {
    let server = TlsRedis::start_with("CA:TRUE");
    let output = server.list(true);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{error}");
    assert!(error.contains("no secure connection to rediss://127.0.0.1"), "{error}");
    assert!(
        error.contains("is one for signing others (CA:TRUE)") && error.contains("SSL_CERT_FILE"),
        "{error}"
    );
}
