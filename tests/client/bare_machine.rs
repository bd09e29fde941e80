//! Commands on a machine that has next to nothing: no home, no CA certificates, a proxy for the way out.

use std::process::{Command, Output, Stdio};

use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

use crate::peer::{Peer, Reply, legacy};

/// Runs `mcptask` without a home and without CA certificates.
fn mcptask(words: &[&str], variables: &[(&str, &str)]) -> Output {
    let empty = TempDir::new().expect("a folder");
    let file = empty.path().join("certificates");
    std::fs::write(&file, "").expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcptask"));
    command.env_clear().env("SSL_CERT_FILE", &file).env("SSL_CERT_DIR", empty.path());
    command.envs(variables.iter().copied()).args(words).stdin(Stdio::null()).output().expect("mcptask runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Proxies where nobody is.
const PROXIES: [(&str, &str); 6] = [
    ("HTTP_PROXY", "http://127.0.0.1:1"),
    ("http_proxy", "http://127.0.0.1:1"),
    ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ("https_proxy", "http://127.0.0.1:1"),
    ("ALL_PROXY", "http://127.0.0.1:1"),
    ("all_proxy", "http://127.0.0.1:1"),
];

#[rstest]
#[case::with_nothing(&[])]
#[case::with_proxies(&PROXIES)]
fn the_demo_runs_anywhere(#[case] variables: &[(&str, &str)]) {
    let output = mcptask(&["demo"], variables);
    assert!(output.status.success(), "{}", said(&output));
}

#[rstest]
#[case::with_nothing("127.0.0.1", &[])]
#[case::with_proxies("127.0.0.1", &PROXIES)]
#[case::by_name("localhost", &PROXIES)]
fn a_server_of_this_machine_is_reached_without_certificates_home_or_proxy(
    #[case] host: &str,
    #[case] variables: &[(&str, &str)],
) {
    let peer = Peer::start(legacy);
    let url = peer.url().replace("127.0.0.1", host);
    let output = mcptask(&["tools", "--server", &url], variables);
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn plain_http_elsewhere_needs_no_certificates_and_its_proxy_is_used() {
    // The peer is the proxy: it is asked for the whole URL.
    let peer = Peer::start(legacy);
    let proxy = peer.url().replace("/mcp", "");
    let output = mcptask(&["tools", "--server", "http://kitchen.example/mcp"], &[("HTTP_PROXY", &proxy)]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(peer.said()[0].head.starts_with("post http://kitchen.example/mcp "), "{:?}", peer.said()[0]);
}

#[test]
fn a_server_behind_tls_is_not_waited_for_where_its_certificate_cannot_be_checked() {
    for words in [&["tools"][..], &["submit", "x", "--wait"]] {
        let output = mcptask(&[words, &["--server", "https://kitchen.example/mcp"]].concat(), &[]);
        let said = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains("has no CA certificates") && said.contains("SSL_CERT_FILE"), "{said}");
        assert!(!said.contains("is the server running") && !said.contains("builder error"), "{said}");
    }
}

#[test]
fn a_file_of_certificates_that_cannot_be_read_is_named_where_it_is_needed() {
    let variables = [("SSL_CERT_FILE", "/nowhere/ca.pem")];
    for words in [&["tools"][..], &["submit", "x", "--wait"]] {
        let output = mcptask(&[words, &["--server", "https://kitchen.example/mcp"]].concat(), &variables);
        let said = said(&output).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(2), "{said}");
        let why = "cannot be used: SSL_CERT_FILE names /nowhere/ca.pem, which cannot be read: No such file";
        assert!(said.contains(why), "{said}");
    }
    let peer = Peer::start(legacy);
    let output = mcptask(&["tools", "--server", &peer.url()], &variables);
    assert!(output.status.success(), "plain HTTP needs none: {}", said(&output));
}

#[test]
fn what_needs_a_store_says_that_there_is_no_place_for_it() {
    for words in [&["list"][..], &["submit", "x"], &["serve", "--listen", "127.0.0.1:0"]] {
        let output = mcptask(words, &[]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("neither HOME nor XDG_STATE_HOME"), "{}", said(&output));
    }
}

#[rstest]
#[case::of_a_file("s3cret\n")]
#[case::of_windows("s3cret\r\n")]
#[case::padded(" s3cret \n\n")]
fn a_token_may_end_with_its_line(#[case] token: &str) {
    let peer = Peer::start(legacy);
    let output = mcptask(&["tools", "--server", &peer.url()], &[("MCPTASK_TOKEN", token)]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(peer.said()[0].head.contains("authorization: bearer s3cret\r\n"), "{:?}", peer.said()[0]);
}

#[test]
fn a_token_that_cannot_be_sent_is_refused_without_being_shown() {
    let peer = Peer::start(|_| Reply::Result(json!({})));
    let output = mcptask(&["tools", "--server", &peer.url()], &[("MCPTASK_TOKEN", "s3cret\nline")]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("the token") && !said(&output).contains("s3cret"), "{}", said(&output));
    assert!(peer.said().is_empty());
}
