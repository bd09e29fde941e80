//! Bearer tokens and whose they are.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use tokio::sync::watch;

use crate::task::Scope;

type Digest = [u8; 32];

/// What a token opens: a scope, or nothing.
type Known = Vec<(Digest, Option<Scope>)>;

/// The bearer tokens that are accepted, each with the name of the scope that it opens; several may open one.
/// Without any, everybody is anonymous. Clones share one list, which can be replaced while servers use it.
/// Only digests are kept. A token with a [reserved](is_reserved) name opens nothing.
#[derive(Clone)]
pub struct Tokens {
    known: Arc<watch::Sender<Known>>,
}

/// Who was let in, and by which token.
#[derive(Debug, Clone)]
pub(super) struct Admitted {
    pub(super) scope: Scope,
    digest: Option<Digest>,
}

impl Tokens {
    /// These tokens, each with the name of its scope.
    pub fn new(tokens: &[(String, String)]) -> Self {
        Self { known: Arc::new(watch::Sender::new(digests(tokens))) }
    }

    /// From now on these tokens count. Whatever was let in by one that is gone, or that opens another scope
    /// now, is over at once: its open streams end.
    pub fn replace(&self, tokens: &[(String, String)]) {
        self.known.send_replace(digests(tokens));
    }

    /// Whose request this is; `None` when it must be refused.
    pub(super) fn admit(&self, headers: &HeaderMap) -> Option<Admitted> {
        let digest = bearer(headers).map(|token| Sha256::digest(token.as_bytes()).into());
        let scope = scope_of(&self.known.borrow(), digest.as_ref())?;
        Some(Admitted { scope, digest })
    }

    /// Whom that token lets in.
    pub(super) fn admit_token(&self, token: &str) -> Option<Admitted> {
        let digest = Some(Sha256::digest(token.as_bytes()).into());
        let scope = scope_of(&self.known.borrow(), digest.as_ref())?;
        Some(Admitted { scope, digest })
    }

    /// Whether what was admitted would be admitted still.
    pub(super) fn stands(&self, admitted: &Admitted) -> bool {
        stands(&self.known.borrow(), admitted)
    }

    /// Waits until what was admitted would be admitted no longer.
    pub(super) fn revoked(&self, admitted: Admitted) -> impl Future<Output = ()> + Send + 'static {
        let mut known = self.known.subscribe();
        async move {
            if known.wait_for(|known| !stands(known, &admitted)).await.is_err() {
                // Nobody is left who could replace them.
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl fmt::Debug for Tokens {
    /// Shows whose tokens there are, never the tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.known.borrow().iter().filter_map(|(_, scope)| scope.as_ref())).finish()
    }
}

/// Whether no token may have this name: whoever comes without a token has that scope, and the command line's tasks
/// are in it.
pub fn is_reserved(name: &str) -> bool {
    Scope::named(name.to_ascii_lowercase()).is_anonymous()
}

fn digests(tokens: &[(String, String)]) -> Known {
    let digest = |secret: &str| Sha256::digest(secret.as_bytes()).into();
    let scope = |name: &str| (!is_reserved(name)).then(|| Scope::named(name));
    tokens.iter().map(|(secret, name)| (digest(secret), scope(name))).collect()
}

/// The scope that a token opens. Takes the same time whichever token matches.
fn scope_of(known: &[(Digest, Option<Scope>)], given: Option<&Digest>) -> Option<Scope> {
    if known.is_empty() {
        return Some(Scope::anonymous());
    }
    let given = given?;
    let (mut found, mut at) = (Choice::from(0), 0_u64);
    for (position, (digest, _)) in (0_u64..).zip(known) {
        let same = digest.ct_eq(given);
        at.conditional_assign(&position, same);
        found |= same;
    }
    let (_, scope) = known.get(usize::try_from(at).ok()?)?;
    bool::from(found).then(|| scope.clone()).flatten()
}

fn stands(known: &Known, admitted: &Admitted) -> bool {
    scope_of(known, admitted.digest.as_ref()).is_some_and(|scope| scope == admitted.scope)
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
    use futures::FutureExt as _;

    fn asking(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().expect("a header"))])
    }

    fn tokens(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(token, name)| ((*token).to_owned(), (*name).to_owned())).collect()
    }

    fn scope(tokens: &Tokens, value: &str) -> Option<Scope> {
        tokens.admit(&asking(value)).map(|admitted| admitted.scope)
    }

    #[test]
    fn a_token_opens_its_scope_and_nothing_else() {
        let tokens = Tokens::new(&tokens(&[("one", "anna"), ("two", "ben"), ("three", "anna")]));
        assert_eq!(scope(&tokens, "Bearer one"), Some(Scope::named("anna")));
        assert_eq!(scope(&tokens, "bearer two"), Some(Scope::named("ben")));
        assert_eq!(scope(&tokens, "Bearer three"), Some(Scope::named("anna")), "a scope's second token");
        for refused in ["Bearer four", "Bearer", "Basic one", "one", "Bearer "] {
            assert_eq!(scope(&tokens, refused), None, "{refused:?}");
        }
        assert!(tokens.admit(&HeaderMap::new()).is_none());
        let mut twice = asking("Bearer one");
        twice.append(AUTHORIZATION, "Bearer one".parse().expect("a header"));
        assert!(tokens.admit(&twice).is_none(), "two tokens at once");
    }

    #[test]
    fn a_token_named_like_everybody_opens_nothing_and_lets_nobody_else_in() {
        for name in ["anonymous", "Anonymous", "ANONYMOUS"] {
            let tokens = Tokens::new(&tokens(&[("one", name)]));
            assert_eq!(scope(&tokens, "Bearer one"), None, "{name}");
            assert!(tokens.admit(&HeaderMap::new()).is_none(), "{name}");
        }
    }

    #[test]
    fn without_tokens_everybody_is_anonymous() {
        assert_eq!(scope(&Tokens::default(), "Bearer x"), Some(Scope::anonymous()));
        assert!(Tokens::default().admit(&HeaderMap::new()).is_some());
    }

    #[tokio::test]
    async fn what_a_removed_token_opened_is_over_and_all_else_is_not() {
        let known = Tokens::new(&tokens(&[("one", "anna"), ("two", "ben"), ("three", "carl")]));
        let admitted = |token| known.admit(&asking(token)).expect("admitted");
        let mut waits = ["Bearer one", "Bearer two", "Bearer three"]
            .map(|token| Box::pin(known.revoked(admitted(token))));
        assert!(waits.iter_mut().all(|wait| wait.now_or_never().is_none()));
        known.replace(&tokens(&[("two", "ben"), ("three", "dora")]));
        let over = waits.each_mut().map(|wait| wait.now_or_never().is_some());
        assert_eq!(over, [true, false, true], "gone, kept, and for another scope now");
    }

    #[test]
    fn no_token_is_shown() {
        let shown = format!("{:?}", Tokens::new(&tokens(&[("s3cret", "anna")])));
        assert!(shown.contains("anna") && !shown.contains("s3cret"), "{shown}");
    }
}
