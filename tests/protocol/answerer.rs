//! Who answers for a client: the name of its token, what it calls itself, what it says of its user.

use mcptask::server::Tokens;
use mcptask::task::{Known, Who};
use serde_json::{Value, json};

use crate::support::http::{Legacy, Modern};
use crate::support::{Server, soon};

async fn letting_in_ann() -> Server {
    Server::with(|config| config.tokens = Tokens::new(&[("secret".to_owned(), "ann".to_owned())])).await
}

fn accept(meta: &Value) -> Value {
    json!({ "action": "accept", "content": { "name": "Ada" }, "_meta": meta })
}

fn said() -> Value {
    json!({ "mcptask/answerer": { "name": "ada \u{1b}[31m", "note": "ticket 7" } })
}

async fn kept(server: &Server, task: &str) -> Who {
    let answered = soon("the question is answered", async {
        loop {
            let found = server.task(task).await;
            if let Some(answer) = found.questions.first().and_then(|question| question.answer.clone()) {
                return answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    *answered.await.who.expect("somebody answered")
}

async fn modern(server: &Server, client: &Modern, meta: &Value) -> Who {
    let task = client.launch("ask_name", json!({})).await;
    client.until(&task, "input_required").await;
    let key = client.get(&task).await["inputRequests"].as_object().expect("questions").keys().next().cloned();
    let responses = json!({ key.expect("one"): accept(meta) });
    client.result("tasks/update", json!({ "taskId": task, "inputResponses": responses })).await;
    kept(server, &task).await
}

async fn legacy(server: &Server, client: &Legacy, meta: &Value) -> Who {
    let mut stream = client.listen(None).await;
    let task = client.launch("ask_name", json!({})).await;
    let asked = stream.next_of("elicitation/create").await;
    client.answer(&asked, accept(meta)).await;
    kept(server, &task).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_the_name_and_what_the_client_says_stands_beside_it() {
    let server = letting_in_ann().await;
    let wanted = json!({ "name": "ann", "known": "token", "as": "ada \u{1b}[31m", "client": "test 1", "note": "ticket 7" });
    let who = modern(&server, &Modern::with_token(&server, "secret"), &said()).await;
    assert_eq!(json!(who), wanted);
    let client = Legacy::with(&server, json!({ "elicitation": {} }), Some("secret")).await;
    let who = legacy(&server, &client, &said()).await;
    assert_eq!(json!(who), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_token_is_known_by_what_it_says() {
    let server = Server::start().await;
    let plain = json!({});
    for who in [
        modern(&server, &Modern::new(&server), &plain).await,
        legacy(&server, &Legacy::open(&server).await, &plain).await,
    ] {
        assert_eq!((who.name.as_deref(), who.known), (Some("test 1"), Some(Known::ClientInfo)));
        assert_eq!(who.note, None);
    }
    let who = modern(&server, &Modern::new(&server), &said()).await;
    assert_eq!((who.known, who.client.as_deref()), (Some(Known::Given), Some("test 1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_client_says_of_its_user_the_answer_counts() {
    let server = Server::start().await;
    let client = Modern::new(&server);
    let long = "x".repeat(100_000);
    for said in [json!(3), json!([]), json!({ "name": 3, "note": {} }), json!({ "name": long, "note": long })]
    {
        let who = modern(&server, &client, &json!({ "mcptask/answerer": said })).await;
        assert_eq!(who.client.as_deref(), Some("test 1"));
        assert!(who.name.is_none_or(|name| name.len() <= 200));
        assert!(who.note.is_none_or(|note| note.len() <= 2048));
    }
}
