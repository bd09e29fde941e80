//! Certificates that nobody vouches for but who is told to.

use std::path::Path;
use std::process::{Command, Stdio};

/// Makes a certificate for 127.0.0.1 in `directory`: certificate.pem and key.pem.
pub(crate) fn certificate(directory: &Path) {
    certificate_with(directory, "CA:FALSE");
}

/// The same with other basic constraints, such as `CA:TRUE`.
pub(crate) fn certificate_with(directory: &Path, constraints: &str) {
    let constraints = format!("basicConstraints=critical,{constraints}");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", &constraints])
        .args(["-keyout", "key.pem", "-out", "certificate.pem"])
        .current_dir(directory)
        .stderr(Stdio::null())
        .status()
        .expect("openssl runs; install it: apt-get install openssl");
    assert!(made.success(), "openssl made no certificate");
}
