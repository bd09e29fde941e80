//! How many Redis connections a process holds.

use crate::setup::{Setup, asks};
use crate::support::bench::Bench;

/// The connections of one worker process (commands, the claim, the tail) and of the process that submits and
/// waits (commands, the tail), with the one that counts.
const EXPECTED: usize = 3 + 2 + 1;

/// What `CLIENT LIST` lists.
async fn count(bench: &Bench) -> usize {
    let Bench::Redis(server) = bench else { panic!("this is about Redis") };
    let client = redis::Client::open(server.url()).expect("an address");
    let mut connection = client.get_multiplexed_async_connection().await.expect("connects");
    let list: String = redis::cmd("CLIENT").arg("LIST").query_async(&mut connection).await.expect("lists");
    list.lines().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_do_not_grow_with_waiting_tasks() {
    let setup = Setup::on(Bench::redis()).await;
    let worker = setup.worker("w1", 4, vec![asks("ask", 1)]).await;
    let mut waiting = Vec::new();
    for wanted in [1, 300] {
        while waiting.len() < wanted {
            waiting.push(setup.submit("ask").await);
        }
        for task in &waiting {
            setup.asked(task, 1).await;
        }
        let connections = count(&setup.bench).await;
        assert!(connections <= EXPECTED, "{connections} connections with {wanted} waiting tasks");
    }
    for task in &waiting {
        setup.answer(task, 1, "yes").await;
        setup.ended(task).await;
    }
    worker.drain().await;
}
