//! `serve` over TLS: with our client and with others, and what is said about files that are of no use.

use std::fs;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::certificate::certificate;
use crate::place::{BOUND, Background, Place};

/// A server with a certificate that it finds in its home.
fn serve(place: &Place) -> Background {
    certificate(place.path());
    place.serve(&["--tls-cert", "certificate.pem", "--tls-key", "key.pem"])
}

/// curl on the server's health, trusting the certificate in that folder.
fn curl(place: &Place, server: &Background) -> Output {
    let health = server.url().replace("/mcp", "/health");
    let mut curl = Command::new("curl");
    let curl = curl.args(["--silent", "--show-error", "--cacert", "certificate.pem", &health]);
    curl.current_dir(place.path()).output().expect("curl runs; install it: apt-get install curl")
}

#[test]
fn our_client_curl_and_python_reach_a_server_over_tls() {
    let place = Place::new();
    let server = serve(&place);
    assert!(server.url().starts_with("https://127.0.0.1:"), "{}", server.url());
    let mut submit =
        place.command(&["submit", "wait", "--arg", "seconds=0", "--wait", "--server", server.url()]);
    let output = submit.env("SSL_CERT_FILE", place.path().join("certificate.pem")).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(curl(&place, &server).stdout, b"ok\n");
    let script = "import ssl, sys, urllib.request
trusted = ssl.create_default_context(cafile='certificate.pem')
print(urllib.request.urlopen(sys.argv[1], context=trusted).read().decode().strip())";
    let health = server.url().replace("/mcp", "/health");
    let mut python = Command::new("python3");
    let python = python.args(["-c", script, &health]).current_dir(place.path()).output();
    assert_eq!(python.expect("python3 runs").stdout, b"ok\n");
}

#[test]
fn a_client_that_does_not_trust_the_certificate_goes_no_further() {
    let place = Place::new();
    let server = serve(&place);
    let ran = place.run(&["tools", "--server", server.url()]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("its certificate signs itself") && ran.err.contains("SSL_CERT_FILE"), "{ran:?}");
    assert!(!ran.err.contains("UnknownIssuer"), "once, and in words: {ran:?}");
    let plain = server.url().replace("https://", "http://");
    assert_eq!(place.run(&["tools", "--server", &plain]).code, 4, "plain HTTP is not served");
}

#[test]
fn sighup_takes_up_a_new_certificate_and_a_broken_one_changes_nothing() {
    let place = Place::new();
    let server = serve(&place);
    fs::write(place.path().join("key.pem"), "no key").expect("writes");
    server.signal("HUP");
    assert!(!place.heard("no private key").contains("PRIVATE KEY-----"));
    assert_eq!(curl(&place, &server).stdout, b"ok\n", "the old one is still used");
    certificate(place.path());
    assert_ne!(curl(&place, &server).stdout, b"ok\n", "the old one is not the new one");
    server.signal("HUP");
    let begun = Instant::now();
    while curl(&place, &server).stdout != b"ok\n" {
        assert!(begun.elapsed() < BOUND, "the new certificate is not taken up");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn files_that_are_of_no_use_are_named() {
    let place = Place::new();
    certificate(place.path());
    let other = TempDir::new().expect("a folder");
    certificate(other.path());
    place.file("empty.pem", "");
    place.file("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let foreign = other.path().join("key.pem").to_string_lossy().into_owned();
    for (certificate, key, words) in [
        ("none.pem", "key.pem", "cannot read none.pem"),
        ("certificate.pem", "none.pem", "cannot read none.pem"),
        ("empty.pem", "key.pem", "cannot use empty.pem: there is no certificate"),
        ("key.pem", "key.pem", "cannot use key.pem: there is no certificate"),
        ("broken.pem", "key.pem", "cannot use broken.pem"),
        ("certificate.pem", "certificate.pem", "cannot use certificate.pem: there is no private key"),
        ("certificate.pem", &foreign, "the key is not the certificate's"),
    ] {
        let ran =
            place.run(&["serve", "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key]);
        assert_eq!(ran.code, 2, "{certificate} {key}: {ran:?}");
        assert!(ran.err.contains(words), "{certificate} {key}: {ran:?}");
        assert!(!ran.err.contains("PRIVATE KEY-----"), "{ran:?}");
    }
    assert_eq!(place.run(&["serve", "--tls-cert", "certificate.pem"]).code, 2, "half of a pair");
}

#[test]
fn a_webhook_whose_certificate_is_not_trusted_is_told_nothing() {
    let place = Place::new();
    let server = serve(&place);
    let url = server.url().replace("/mcp", "/hook");
    let text = format!("[[notify]]\nname = \"hook\"\non = [\"asked\"]\nwebhook = \"{url}\"\n");
    place.file("mcptask.toml", &text);
    let ran = place.run(&["notify", "test", "hook"]);
    assert!(ran.code == 4 && ran.err.contains("its certificate signs itself"), "{ran:?}");
    let trusted = place.path().join("certificate.pem").to_string_lossy().into_owned();
    let ran = place.run_among(&[("SSL_CERT_FILE", &trusted)], &["notify", "test", "hook"]);
    assert!(ran.code == 4 && ran.err.contains("404"), "it is reached, and takes no webhooks: {ran:?}");
}
