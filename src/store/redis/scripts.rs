//! The Lua files, each behind the prelude that all of them share.

use redis::Script;

macro_rules! scripts {
    ($($name:ident),+ $(,)?) => {
        /// One script for each verb. Redis keeps them by their hash; a lost cache is filled again.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)+
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                const PRELUDE: &str = include_str!("lua/prelude.lua");
                Self {
                    $($name: Script::new(
                        &[PRELUDE, include_str!(concat!("lua/", stringify!($name), ".lua"))].concat(),
                    ),)+
                }
            }
        }
    };
}

scripts!(
    open, submit, claim, claims, report, ask, answers, answer, finish, cancel, requeue, resume, expire, note,
    enlist, attribute, withdraw, renew, dismiss, workers, due, list,
);
