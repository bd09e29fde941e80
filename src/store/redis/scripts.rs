//! The Lua files, each between the prelude and the epilogue that all of them share.

use redis::Script;

macro_rules! scripts {
    ($($name:ident),+ $(,)?) => {
        /// One script for each verb. Redis keeps them by their hash; a lost cache is filled again.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)+
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                Self {
                    $($name: whole(include_str!(concat!("lua/", stringify!($name), ".lua"))),)+
                }
            }
        }
    };
}

scripts!(
    open, migrate, submit, claim, wake, park, report, ask, answer, finish, cancel, requeue, resume, expire,
    scrub, note, enlist, attribute, withdraw, strand, renew, dismiss, due, sweep,
);

/// The body of a script as Redis runs it.
fn whole(body: &str) -> Script {
    const PRELUDE: &str = include_str!("lua/prelude.lua");
    const EPILOGUE: &str = include_str!("lua/epilogue.lua");
    Script::new(&[PRELUDE, "local function body()\n", body, "end\n", EPILOGUE].concat())
}
