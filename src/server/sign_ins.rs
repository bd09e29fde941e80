//! People who signed in with a token in a browser: what is kept of them, and for how long.
//!
//! A browser is given a random id, never the token. Of the id only the digest is kept, in memory: a sign-in ends with the
//! server, after its time, when the person signs out, and when the token counts no more.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::COOKIE;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::auth::{Admitted, Tokens};
use crate::task::Scope;

/// How long a sign-in lasts: a working day.
const LASTS: Duration = Duration::from_secs(12 * 60 * 60);

/// Sign-ins of one scope at once; with one more, the oldest ends.
const MOST: usize = 200;

/// Wrong tokens that are looked at in quick succession; after that, one in each gap.
const WRONG_AT_ONCE: u32 = 10;

/// The time that makes up for a wrong token.
const GAP: Duration = Duration::from_secs(2);

/// The random bytes of an id.
const ID_BYTES: usize = 32;

/// What the token of a form is a digest of, before the secret.
const PURPOSE: &[u8] = b"mcptask, the form of a sign-in\0";

type Digest = [u8; 32];

/// Who is signed in to the pages of a server. Clones share one list.
#[derive(Clone)]
pub struct SignIns {
    inner: Arc<Inner>,
}

struct Inner {
    tokens: Tokens,
    cookie: Cookie,
    /// Whoever does not know it makes no form that is taken.
    secret: Digest,
    kept: Mutex<Kept>,
}

/// What a cookie has beside its value.
struct Cookie {
    path: String,
    is_secure: bool,
}

#[derive(Default)]
struct Kept {
    by_digest: HashMap<Digest, SignIn>,
    /// When all wrong tokens would have come, had they come evenly.
    even: Option<Instant>,
}

#[derive(Clone)]
struct SignIn {
    admitted: Admitted,
    ends: Instant,
    over: CancellationToken,
}

/// Whose request it is.
#[derive(Clone)]
pub struct SignedIn {
    admitted: Admitted,
    form_token: String,
    /// Nothing where nobody has to sign in.
    by: Option<(Digest, SignIn)>,
}

/// Why nobody was signed in.
#[derive(Debug, PartialEq, Eq)]
pub enum NotSignedIn {
    /// That token opens nothing.
    Wrong,
    /// There were too many wrong ones; none is looked at for so long.
    TooMany(Duration),
}

impl SignIns {
    /// Sign-ins by these tokens, for pages below that path; their cookies travel over TLS alone where that is said.
    pub fn new(tokens: Tokens, path: String, is_secure: bool) -> Self {
        let (cookie, secret, kept) = (Cookie { path, is_secure }, rand::random(), Mutex::default());
        Self { inner: Arc::new(Inner { tokens, cookie, secret, kept }) }
    }

    /// Signs somebody in by a token; the `Set-Cookie` of the response says so to the browser.
    pub fn begin(&self, token: &str) -> Result<String, NotSignedIn> {
        self.begin_at(token, Instant::now())
    }

    fn begin_at(&self, token: &str, now: Instant) -> Result<String, NotSignedIn> {
        let mut kept = self.kept();
        kept.looks_at_one_more(now)?;
        let Some(admitted) = self.inner.tokens.admit_token(token.trim()) else {
            kept.even = Some(kept.even.map_or(now, |even| even.max(now)) + GAP);
            return Err(NotSignedIn::Wrong);
        };
        let id = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; ID_BYTES]>());
        let sign_in = SignIn { admitted, ends: now + LASTS, over: CancellationToken::new() };
        kept.make_place(&self.inner.tokens, &sign_in.admitted.scope, now);
        kept.by_digest.insert(Sha256::digest(&id).into(), sign_in);
        Ok(self.inner.cookie.set(&id, LASTS))
    }

    /// Whose request it is; everybody's where nobody has to sign in.
    pub fn find(&self, headers: &HeaderMap) -> Option<SignedIn> {
        self.find_at(headers, Instant::now())
    }

    fn find_at(&self, headers: &HeaderMap, now: Instant) -> Option<SignedIn> {
        if let Some(admitted) = self.inner.tokens.admit(&HeaderMap::new()) {
            return Some(SignedIn { admitted, form_token: self.form_token(&[]), by: None });
        }
        let digest: Digest = Sha256::digest(self.inner.cookie.read(headers)?).into();
        let found = self.kept().by_digest.get(&digest).cloned()?;
        let stands = found.ends > now && self.inner.tokens.stands(&found.admitted);
        let (admitted, form_token) = (found.admitted.clone(), self.form_token(&digest));
        stands.then_some(SignedIn { admitted, form_token, by: Some((digest, found)) })
    }

    /// Signs out; the `Set-Cookie` of the response says so to the browser.
    pub fn end(&self, signed_in: &SignedIn) -> String {
        if let Some((digest, _)) = &signed_in.by
            && let Some(gone) = self.kept().by_digest.remove(digest)
        {
            gone.over.cancel();
        }
        self.inner.cookie.set("", Duration::ZERO)
    }

    /// Waits until that sign-in counts no more.
    pub(super) fn over(&self, signed_in: &SignedIn) -> impl Future<Output = ()> + Send + 'static {
        let revoked = self.inner.tokens.revoked(signed_in.admitted.clone());
        let by = signed_in.by.as_ref().map(|(_, found)| (found.over.clone(), found.ends));
        async move {
            let Some((over, ends)) = by else { return revoked.await };
            tokio::select! {
                biased;
                () = revoked => {}
                () = over.cancelled() => {}
                () = tokio::time::sleep_until(ends) => {}
            }
        }
    }

    /// The token of the form by which somebody signs in.
    pub fn form_token_of_nobody(&self) -> String {
        self.form_token(&[])
    }

    /// Whether that is it.
    pub fn is_form_token_of_nobody(&self, given: &str) -> bool {
        self.form_token(&[]).as_bytes().ct_eq(given.as_bytes()).into()
    }

    fn form_token(&self, digest: &[u8]) -> String {
        let mut of = Sha256::new();
        of.update(PURPOSE);
        of.update(self.inner.secret);
        of.update(digest);
        BASE64_URL_SAFE_NO_PAD.encode(of.finalize())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.inner.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SignIns {
    /// Nothing of it may be shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIns").finish_non_exhaustive()
    }
}

impl Kept {
    /// An error where the wrong tokens of late are too many. What is right then is not looked at either, since that would
    /// tell it from what is wrong.
    fn looks_at_one_more(&self, now: Instant) -> Result<(), NotSignedIn> {
        let ahead = self.even.map_or(Duration::ZERO, |even| even.saturating_duration_since(now));
        match ahead.checked_sub(GAP * (WRONG_AT_ONCE - 1)) {
            Some(wait) if !wait.is_zero() => Err(NotSignedIn::TooMany(wait)),
            _ => Ok(()),
        }
    }

    /// Drops what is over, and the oldest of that scope where it has as many as it may.
    fn make_place(&mut self, tokens: &Tokens, scope: &Scope, now: Instant) {
        self.by_digest.retain(|_, one| {
            let stands = one.ends > now && tokens.stands(&one.admitted);
            if !stands {
                one.over.cancel();
            }
            stands
        });
        let of_scope = self.by_digest.iter().filter(|(_, one)| one.admitted.scope == *scope);
        let (count, oldest) = (of_scope.clone().count(), of_scope.min_by_key(|(_, one)| one.ends));
        if let Some(oldest) = oldest.filter(|_| count >= MOST).map(|(digest, _)| *digest)
            && let Some(gone) = self.by_digest.remove(&oldest)
        {
            gone.over.cancel();
        }
    }
}

impl Cookie {
    fn name(&self) -> &'static str {
        if self.is_secure { "__Secure-mcptask" } else { "mcptask" }
    }

    fn set(&self, value: &str, lasts: Duration) -> String {
        let (name, path, seconds) = (self.name(), &self.path, lasts.as_secs());
        let secure = if self.is_secure { "; Secure" } else { "" };
        format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
    }

    fn read<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| name.trim() == self.name()).map(|(_, value)| value.trim())
    }
}

impl SignedIn {
    /// Whose tasks it sees.
    pub fn scope(&self) -> &Scope {
        &self.admitted.scope
    }

    /// The name of the token, where one was needed.
    pub fn name(&self) -> Option<&str> {
        self.by.as_ref().map(|_| self.admitted.scope.as_str())
    }

    /// The token that its forms bring along.
    pub fn form_token(&self) -> &str {
        &self.form_token
    }

    /// Whether that is the token of its forms.
    pub fn is_form_token(&self, given: &str) -> bool {
        self.form_token.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("scope", &self.admitted.scope).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn sign_ins() -> (SignIns, Tokens) {
        let tokens = Tokens::new(&[("one".into(), "anna".into()), ("two".into(), "ben".into())]);
        (SignIns::new(tokens.clone(), "/a/inbox".to_owned(), true), tokens)
    }

    fn showing(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().expect("a pair");
        HeaderMap::from_iter([(COOKIE, format!("x=y; {pair}").parse().expect("a header"))])
    }

    #[tokio::test]
    async fn a_sign_in_ends_by_itself_by_signing_out_and_with_its_token() {
        let (sign_ins, tokens) = sign_ins();
        let begin = || sign_ins.begin("one").expect("counts");
        let (first, second, third) = (begin(), begin(), begin());
        let found = |cookie: &str| sign_ins.find(&showing(cookie));
        assert_eq!(found(&first).map(|one| one.scope().clone()), Some(Scope::named("anna")));
        assert!(first != second && sign_ins.find(&HeaderMap::new()).is_none());
        let mut over = Box::pin(sign_ins.over(&found(&first).expect("counts")));
        assert!(over.as_mut().now_or_never().is_none());
        let gone = sign_ins.end(&found(&first).expect("counts"));
        assert!(gone.contains("Max-Age=0") && found(&first).is_none() && found(&second).is_some());
        over.await;
        let over = sign_ins.over(&found(&second).expect("counts"));
        tokens.replace(&[("two".into(), "ben".into())]);
        over.await;
        assert!(found(&second).is_none());
        tokens.replace(&[("one".into(), "anna".into())]);
        let at = |after| sign_ins.find_at(&showing(&third), Instant::now() + after);
        assert!(at(LASTS / 2).is_some(), "the token counts again");
        assert!(at(LASTS).is_none(), "12 hours are over");
    }

    #[tokio::test]
    async fn sign_ins_of_a_scope_are_bounded_and_others_stay() {
        let (sign_ins, _tokens) = sign_ins();
        let other = sign_ins.begin("two").expect("counts");
        let first = sign_ins.begin("one").expect("counts");
        for _ in 0..MOST {
            sign_ins.begin("one").expect("counts");
        }
        assert!(sign_ins.find(&showing(&first)).is_none() && sign_ins.find(&showing(&other)).is_some());
        assert_eq!(sign_ins.kept().by_digest.len(), MOST + 1);
    }

    #[tokio::test]
    async fn wrong_tokens_have_to_wait() {
        let (sign_ins, _tokens) = sign_ins();
        let now = Instant::now();
        for _ in 0..WRONG_AT_ONCE {
            assert_eq!(sign_ins.begin_at("wrong", now), Err(NotSignedIn::Wrong));
        }
        let held = Err(NotSignedIn::TooMany(GAP));
        assert_eq!(sign_ins.begin_at("one", now), held, "nobody learns that it is right");
        assert!(sign_ins.begin_at("one", now + GAP).is_ok());
    }

    #[test]
    fn a_form_is_of_one_sign_in() {
        let (sign_ins, _tokens) = sign_ins();
        let find = |cookie: &str| sign_ins.find(&showing(cookie)).expect("counts");
        let both = ["one", "one"].map(|token| find(&sign_ins.begin(token).expect("counts")));
        assert!(both[0].is_form_token(both[0].form_token()) && !both[0].is_form_token(both[1].form_token()));
        assert!(!both[0].is_form_token(&sign_ins.form_token_of_nobody()) && !both[0].is_form_token(""));
        let open = SignIns::new(Tokens::default(), "/inbox".to_owned(), false);
        let anybody = open.find(&HeaderMap::new()).expect("everybody");
        assert!(anybody.name().is_none() && anybody.scope().is_anonymous());
        assert!(!anybody.is_form_token(&sign_ins.form_token_of_nobody()), "another server's");
    }
}
