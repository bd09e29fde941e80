//! The Lua files, each between the parts that it shares with others.

use redis::Script;

const PRELUDE: &str = include_str!("lua/prelude.lua");
const ENDING: &str = include_str!("lua/ending.lua");
const EPILOGUE: &str = include_str!("lua/epilogue.lua");

macro_rules! scripts {
    (plain: $($plain:ident),+; ending: $($ending:ident),+ $(;)?) => {
        /// One script for each verb. Redis keeps them by their hash; a lost cache is filled again.
        pub(super) struct Scripts {
            $(pub(super) $plain: Script,)+
            $(pub(super) $ending: Script,)+
        }

        impl Scripts {
            pub(super) fn new() -> Self {
                Self {
                    $($plain: whole("", include_str!(concat!("lua/", stringify!($plain), ".lua"))),)+
                    $($ending: whole(ENDING, include_str!(concat!("lua/", stringify!($ending), ".lua"))),)+
                }
            }
        }
    };
}

scripts!(
    plain: open, claim, wake, park, report, ask, answer, resume, scrub, note, enlist, attribute, withdraw, renew, dismiss,
        due, mend, mended, drop;
    ending: sweep, migrate, reindex, submit, finish, cancel, requeue, expire, strand;
);

/// The body of a script as Redis runs it.
fn whole(shared: &str, body: &str) -> Script {
    Script::new(&[PRELUDE, shared, "local function body()\n", body, "end\n", EPILOGUE].concat())
}
