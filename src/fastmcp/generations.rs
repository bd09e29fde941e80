//! Which generation of FastMCP wrote a task's key.

use super::identity::Identity;
use super::{v3_0, v3_4, v4};

impl Identity {
    /// Reads a Docket key; `None` for what is no FastMCP task, such as a plain Docket task.
    pub(super) fn parse(key: &str) -> Option<Self> {
        v4::identity(key).or_else(|| v3_4::identity(key)).or_else(|| v3_0::identity(key))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Generation;
    use super::super::identity::Owner;
    use super::*;

    const SESSION: &str = "9ebc6552aa444ab9b130d5b1dc406b61";
    const UUID: &str = "3f4d4108-205e-4640-ae64-bcd84f74d563";
    const TOKEN: &str = "m8ls1plEUM4VklwTObitK2vTEqtpwgtD1ISpzDa7g7c";

    #[test]
    fn each_generation_is_told_by_its_keys() {
        let parse = |key: String| Identity::parse(&key).expect("a task's key");
        let old = parse(format!("{SESSION}:{UUID}:tool:tool%3Aplan_dinner%40"));
        assert_eq!((old.generation, old.id.as_str()), (Generation::V3_0, UUID));
        assert_eq!(old.owner, Owner::Session(SESSION.to_owned()));
        assert_eq!(old.component.function(), "tool:plan_dinner@");
        let scoped = parse(format!("auth:me%7Cyou:{UUID}:tool:tool%3Aplan%401.2"));
        assert_eq!((scoped.generation, scoped.owner), (Generation::V3_4, Owner::Scope("me|you".to_owned())));
        assert_eq!(scoped.component.version.as_deref(), Some("1.2"));
        let leg = parse(format!("anon:{TOKEN}:tool:tool%3Aplan%40#leg2"));
        assert_eq!((leg.generation, leg.id.as_str()), (Generation::V4, TOKEN));
        assert_eq!(leg.key, format!("anon:{TOKEN}:tool:tool%3Aplan%40"));
    }

    #[test]
    fn keys_that_only_look_alike_are_none_of_fastmcps() {
        for odd in
            ["", "anon", "anon:x:tool:tool%3Aa%40", "a:b:c:d", "anon::tool:tool%3Aa%40", "mail:%zz:tool:x"]
        {
            assert_eq!(Identity::parse(odd), None, "{odd}");
        }
    }
}
