//! The program itself, really killed, on both engines. `docs/RELIABILITY.md` lists what is tried and how often.

#[macro_use]
#[path = "../support/both_engines.rs"]
mod both_engines;
#[path = "../support/place.rs"]
mod place;
#[path = "../protocol/support/mod.rs"]
mod protocol;
#[path = "../support/tables.rs"]
mod tables;

mod answering_ways;
mod archive;
mod container;
mod damaged_keys;
mod deadlines;
mod draining;
mod failover;
mod harm;
mod invariants;
mod killable;
mod load;
mod pausable;
mod paused;
mod processes;
mod races;
mod random;
mod redis_killed;
mod refusing;
mod reliability;
mod sentinel;
mod server_killed;
mod soak;
mod sqlite_shared;
mod stage;
mod storage;
mod usage;
mod worker_killed;
