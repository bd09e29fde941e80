//! Users with few rights, and servers with few abilities.

use mcptask::fastmcp::{Deployment, FastmcpError, Filter, Means, Way};
use mcptask::task::{Answer, Answerer};
use serde_json::json;

use crate::commands::mcptask;
use crate::kitchen::{Kitchen, V3_4, plan, refused, user};

#[tokio::test]
async fn who_may_only_read_is_told_what_was_refused() {
    let kitchen = Kitchen::open(V3_4);
    let id = kitchen.client("plan_dinner", &json!({}), "silent");
    let task = kitchen.asks(&id.task(), "What kind of dinner?").await;
    let url = user(&kitchen, &["+@read", "+@connection", "-client|tracking"]).await;
    let deployment = Deployment::discover(&url, None).await.expect("finds it").remove(0);
    assert_eq!(deployment.list().await.expect("may list").len(), 1);
    deployment.show(&task.id).await.expect("may show");
    assert!(!deployment.diagnose(None).await.expect("may diagnose").is_empty());

    let answer = Answer::accept(plan(), Answerer::Operator);
    let error = refused(deployment.answer(&task, &task.questions[0].id, &answer, Way::Supported).await);
    let FastmcpError::Refused { command, .. } = &error else { panic!("{error:?}") };
    assert!(command.starts_with("EVAL"), "{command}");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert!(matches!(refused(deployment.cancel(&task.id).await), FastmcpError::Refused { .. }));
    let now = kitchen.asks(&task.id, "What kind of dinner?").await;
    assert_eq!(now.questions[0].id, task.questions[0].id, "nothing changed");

    let watching = deployment.watch(Filter::All).await.expect("may watch");
    let Means::Polling { why, .. } = watching.means() else { panic!("it may not track") };
    assert!(why.contains("tracking"), "{why}");
}

#[tokio::test]
async fn who_may_not_even_look_is_told_so() {
    let kitchen = Kitchen::empty(V3_4, &[]);
    let url = user(&kitchen, &["+@connection"]).await;
    let error = refused(Deployment::discover(&url, None).await);
    assert!(matches!(&error, FastmcpError::Refused { command, .. } if command == "SCAN"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let url = {
        let server = crate::support::redis::RedisServer::start();
        server.url()
    };
    let error = refused(Deployment::discover(&url, None).await);
    assert!(matches!(error, FastmcpError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_gives_a_question_of_fastmcp_more_time_and_the_way_that_works_is_named() {
    let kitchen = Kitchen::open(V3_4);
    let client = kitchen.client("plan_dinner", &json!({}), "silent");
    let id = client.task();
    kitchen.asks(&id, "What kind of dinner?").await;
    let (code, done, complaint) = mcptask(&kitchen, &["extend", &id, "2h"]);
    assert_eq!((code, done.len()), (2, 0), "{complaint}");
    assert!(complaint.contains("nobody can give it more time"), "{complaint}");
    assert!(
        complaint.contains("mcptask respond") && complaint.contains("answers it before that"),
        "{complaint}"
    );
    kitchen.asks(&id, "What kind of dinner?").await;
    assert_eq!(mcptask(&kitchen, &["extend", "zzzzzzzz", "2h"]).0, 9);
}
