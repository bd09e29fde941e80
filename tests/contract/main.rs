//! The store's contract: every verb, on every engine. Each test gets a place of its own, opens handles
//! on it as processes would, and speaks only the trait.

#[path = "../support/mod.rs"]
mod support;

/// One test for each named function, on one engine.
macro_rules! on {
    ($engine:ident: $($test:ident),+) => {
        mod $engine {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::support::bench::Bench::$engine()).await;
            })+
        }
    };
}

/// Runs each of the named functions of this module on every engine.
macro_rules! contract {
    ($($test:ident),+ $(,)?) => {
        on!(sqlite: $($test),+);
        on!(redis: $($test),+);

        /// On one cluster, one after the other: a cluster takes a while to come together.
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_of_it_on_a_cluster() {
            let cluster = std::sync::Arc::new(crate::support::cluster::RedisCluster::start(3, 0));
            $({
                let part = stringify!($test).replace('_', "-");
                $test(crate::support::bench::Bench::cluster(&cluster, &part)).await;
            })+
        }
    };
}

mod answer;
mod answerer;
mod archive;
mod archive_harm;
mod arriving;
mod ask;
mod claim;
mod clock_redis;
mod cluster_slot;
mod damaged_redis;
mod delay;
mod due;
mod expire;
mod finish;
mod handshake_redis;
mod history;
mod keeping;
mod labels;
mod layout_1_redis;
mod links;
mod list;
mod lost_redis;
mod notifiers;
mod numbers_redis;
mod poison_redis;
mod poison_sqlite;
mod prune;
mod redis_keys;
mod redis_server;
mod requeue;
mod rights_redis;
mod sqlite_bounds;
mod sqlite_due;
mod sqlite_file;
mod sqlite_kitchen;
mod sqlite_layout1;
mod sqlite_numbers;
mod sqlite_rest;
mod sqlite_scopes;
mod sqlite_sequences;
mod sqlite_trouble;
mod submit;
mod tail;
mod waiting;
mod workers;
