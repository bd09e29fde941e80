//! Bearer tokens and whose they are.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::task::Scope;

/// The tokens that are accepted. Only digests are kept.
pub(super) struct Tokens {
    known: Vec<([u8; 32], Scope)>,
}

impl Tokens {
    pub(super) fn new(tokens: &[(String, String)]) -> Self {
        let digest = |secret: &str| Sha256::digest(secret.as_bytes()).into();
        Self { known: tokens.iter().map(|(secret, name)| (digest(secret), Scope::named(name))).collect() }
    }

    /// Whose request this is; `None` when it must be refused. Without any token everybody is anonymous.
    /// Takes the same time whichever token matches.
    pub(super) fn scope(&self, headers: &HeaderMap) -> Option<Scope> {
        if self.known.is_empty() {
            return Some(Scope::anonymous());
        }
        let given: [u8; 32] = Sha256::digest(bearer(headers)?.as_bytes()).into();
        let (mut found, mut at) = (Choice::from(0), 0_u64);
        for (position, (digest, _)) in (0_u64..).zip(&self.known) {
            let same = digest.ct_eq(&given);
            at.conditional_assign(&position, same);
            found |= same;
        }
        let (_, scope) = self.known.get(usize::try_from(at).ok()?)?;
        bool::from(found).then(|| scope.clone())
    }
}

/// The one bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next()?.to_str().ok()?, values.next()) else { return None };
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().expect("a header"))])
    }

    #[test]
    fn a_token_opens_its_scope_and_nothing_else() {
        let tokens = Tokens::new(&[("one".into(), "anna".into()), ("two".into(), "ben".into())]);
        assert_eq!(tokens.scope(&asking("Bearer one")), Some(Scope::named("anna")));
        assert_eq!(tokens.scope(&asking("bearer two")), Some(Scope::named("ben")));
        for refused in ["Bearer three", "Bearer", "Basic one", "one", "Bearer "] {
            assert_eq!(tokens.scope(&asking(refused)), None, "{refused:?}");
        }
        assert_eq!(tokens.scope(&HeaderMap::new()), None);
    }

    #[test]
    fn without_tokens_everybody_is_anonymous() {
        assert_eq!(Tokens::new(&[]).scope(&HeaderMap::new()), Some(Scope::anonymous()));
    }
}
