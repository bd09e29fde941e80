//! Tests of real processes that run on both engines: each gets a `Stage` of its binary's.

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
