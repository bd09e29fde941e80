//! A Redis that is a replica and has nothing yet: what is not there may come.

use crate::outage::{Waiting, until};
use crate::place::Place;
use crate::redis::RedisServer;

#[test]
fn a_replica_that_has_not_copied_anything_is_not_taken_for_no_store() {
    let primary = RedisServer::start();
    let replica = RedisServer::start();
    let (writes, reads) = (Place::on_redis(&primary.url()), Place::on_redis(&replica.url()));
    let worker = writes.worker();
    let id = writes.ok(&["submit", "wait", "--arg", "seconds=0"]);
    writes.until(&id, "completed");
    drop(worker);
    // Nobody listens at that port.
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]).expect("follows");
    for command in [&["list"][..], &["show", &id], &["result", &id], &["tools"], &["watch", "--no-follow"]] {
        let ran = reads.run(command);
        assert_eq!(ran.code, 4, "{command:?}: {ran:?}");
        assert!(ran.err.contains("is a replica of 127.0.0.1:1, and has no link to it"), "{ran:?}");
        assert!(!ran.err.contains("nobody has begun") && !ran.err.contains("serve"), "{ran:?}");
    }
    let told = reads.run(&["doctor"]);
    assert_eq!(told.code, 5, "{told:?}");
    assert!(
        told.out.contains("replica not synced") && told.out.contains("address of the primary"),
        "{told:?}"
    );
    let commands = [&["result", &id, "--wait"][..], &["watch", "--task", &id]];
    let waiting: Vec<_> = commands.iter().map(|command| Waiting::begin(&reads, command)).collect();
    until(|| reads.heard("").matches("waiting until it is back").count() == 2);
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]).expect("follows");
    for (command, waiting) in commands.iter().zip(waiting) {
        assert_eq!(waiting.code(), Some(0), "{command:?}: {}", reads.heard(""));
    }
}

#[test]
fn a_redis_with_nothing_that_is_no_replica_or_has_copied_nothing_is_just_empty() {
    let primary = RedisServer::start();
    let replica = RedisServer::start();
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]).expect("follows");
    replica.until(&["INFO", "replication"], |text: &String| text.contains("master_link_status:up"));
    replica
        .ask::<()>(&["ACL", "SETUSER", "blind", "on", ">pw", "~*", "&*", "+@all", "-info"])
        .expect("is set");
    let blind = replica.url().replace("redis://", "redis://blind:pw@");
    for url in [primary.url(), replica.url(), blind.clone()] {
        assert!(Place::on_redis(&url).run(&["list"]).err.contains("nobody has begun a store"), "{url}");
    }
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", "1"]).expect("follows");
    let ran = Place::on_redis(&blind).run(&["list"]);
    assert!(ran.code == 0 && ran.err.contains("nobody has begun a store"), "who may not ask: {ran:?}");
}
