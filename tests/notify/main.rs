//! Telling people of events: real servers that post to real sockets, on both engines.

#[path = "../support/place.rs"]
mod place;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
mod redis;

/// Runs each of the named functions of this module on every engine.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $test() {
                super::$test(&crate::stage::Stage::sqlite());
            })+
        }

        mod redis {
            $(#[test]
            fn $test() {
                super::$test(&crate::stage::Stage::redis());
            })+
        }
    };
}

#[path = "../support/shapes.rs"]
mod shapes;

mod commands;
mod killed;
mod notices;
mod receiver;
mod receivers;
mod stage;
mod watching;
