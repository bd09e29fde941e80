//! Running tools: slots, journals, cancels, refusals. Each on both engines.

#[path = "../support/mod.rs"]
mod support;

/// Runs each of the named functions of this module on every engine.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::setup::Setup::on(crate::support::bench::Bench::sqlite()).await).await;
            })+
        }

        mod redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(crate::setup::Setup::on(crate::support::bench::Bench::redis()).await).await;
            })+
        }
    };
}

mod arriving;
mod asking;
mod commands;
mod connections;
mod crashing;
mod ending;
mod leases;
mod recording;
#[allow(unreachable_pub, reason = "test modules use it")]
mod setup;
#[allow(unreachable_pub, dead_code, reason = "test modules use it")]
mod troubled;
mod waiting;
