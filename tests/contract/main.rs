//! The store's contract: every verb, on every engine. Each test gets a place of its own, opens handles
//! on it as processes would, and speaks only the trait.

#[path = "../support/mod.rs"]
mod support;

/// Runs each of the named functions of this module on every engine.
macro_rules! contract {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::support::bench::Bench::sqlite()).await;
            })+
        }
    };
}

mod answer;
mod ask;
mod claim;
mod due;
mod expire;
mod finish;
mod history;
mod list;
mod requeue;
mod sqlite_file;
mod submit;
mod tail;
mod workers;
