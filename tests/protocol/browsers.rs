//! Web pages and names of hosts: who may reach the server from a browser, and under which name.

use mcptask::server::ServeConfig;
use reqwest::{Method, Response};
use serde_json::json;

use crate::support::Server;
use crate::support::http::{LEGACY, Modern, client};

const PAGE: &str = "https://app.example.com";

fn page(config: &mut ServeConfig) {
    config.allowed_origins = vec![PAGE.to_owned()];
}

fn hello() -> String {
    let params = json!({ "protocolVersion": LEGACY, "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" } });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string()
}

async fn post(server: &Server, headers: &[(&'static str, &str)]) -> Response {
    let mut request = client().post(server.url()).header("content-type", "application/json");
    request = request.header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(hello()).send().await.expect("a response")
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_is_told_what_it_may_send_before_any_token() {
    let server = Server::with(|config| {
        page(config);
        config.tokens = mcptask::server::Tokens::new(&[("one".into(), "anna".into())]);
    })
    .await;
    for path in ["/mcp", "/mcp/"] {
        let url = server.url().replace("/mcp", path);
        let asked = client()
            .request(Method::OPTIONS, url)
            .header("origin", PAGE)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type,mcp-param-region,x-trace")
            .header("access-control-request-private-network", "true");
        let told = asked.send().await.expect("a response");
        assert_eq!(told.status(), 204, "{path}");
        assert_eq!(header(&told, "access-control-allow-origin"), PAGE);
        assert_eq!(header(&told, "access-control-allow-private-network"), "true");
        let methods = header(&told, "access-control-allow-methods");
        assert!(["GET", "POST", "DELETE"].iter().all(|one| methods.contains(one)), "{methods}");
        let sent = header(&told, "access-control-allow-headers");
        for name in [
            "authorization",
            "content-type",
            "last-event-id",
            "mcp-method",
            "mcp-name",
            "mcp-param-region",
            "mcp-protocol-version",
            "mcp-session-id",
            "x-trace",
        ] {
            assert!(sent.contains(name), "{name}: {sent}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_may_read_what_it_gets() {
    let server = Server::with(page).await;
    let taken = post(&server, &[("origin", PAGE)]).await;
    assert_eq!(taken.status(), 200);
    assert_eq!(header(&taken, "access-control-allow-origin"), PAGE);
    assert_eq!(header(&taken, "vary"), "origin");
    let exposed = header(&taken, "access-control-expose-headers");
    assert!(exposed.contains("mcp-session-id") && exposed.contains("www-authenticate"), "{exposed}");
    let (_, request) = Modern::new(&server).begin("tasks/get", json!({ "taskId": "nothing" }));
    let refused = request.header("origin", PAGE).send().await.expect("a response");
    assert_eq!(header(&refused, "access-control-allow-origin"), PAGE, "errors too");
    let plain = post(&server, &[]).await;
    assert_eq!(header(&plain, "access-control-allow-origin"), "", "who is no page is told nothing of pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_page_is_neither_answered_nor_told_what_it_may_send() {
    let server = Server::with(page).await;
    for origin in
        ["https://evil.example", "https://app.example.com.evil.example", "null", "http://app.example.com"]
    {
        let refused = post(&server, &[("origin", origin)]).await;
        assert_eq!((refused.status().as_u16(), header(&refused, "access-control-allow-origin")), (403, ""));
        let asked = client().request(Method::OPTIONS, server.url()).header("origin", origin);
        let told = asked.header("access-control-request-method", "POST").send().await.expect("a response");
        assert_eq!((told.status().as_u16(), header(&told, "access-control-allow-origin")), (403, ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_host_comes_to_loopback_ones() {
    let server = Server::with(|config| config.allowed_hosts = vec!["tasks.example.com".to_owned()]).await;
    let own = server.address.to_string();
    for host in ["tasks.example.com", "TASKS.example.com:443", &own, "localhost", "[::1]:8737"] {
        assert_eq!(post(&server, &[("host", host)]).await.status(), 200, "{host}");
    }
    assert_eq!(post(&server, &[("host", "evil.example")]).await.status(), 403);
}
