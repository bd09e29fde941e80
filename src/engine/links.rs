//! Links to questions: whoever has the token of one may answer that question, and nothing else.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::{Engine, EngineResult};
use crate::store::links::{Link, LinkDigest};
use crate::task::{QuestionId, TaskId};

/// The random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// The token of a link: 256 random bits. It is a secret, so its debug form has nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

impl LinkToken {
    fn generate() -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>()))
    }

    /// Reads a token; `None` where nobody can have made it.
    pub fn read(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == TOKEN_BYTES).then(|| Self(text.to_owned()))
    }

    /// The token itself, for whoever is given the link.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> LinkDigest {
        LinkDigest::new(&Sha256::digest(&self.0).into())
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken")
    }
}

impl Engine {
    /// Makes a link to an open question; the errors are those of answering it.
    pub async fn make_link(
        &self,
        (task, question): (&TaskId, &QuestionId),
        holder: Option<&str>,
        made_by: &str,
    ) -> EngineResult<LinkToken> {
        let link = Link {
            task: task.clone(),
            question: question.clone(),
            holder: holder.map(str::to_owned),
            made_by: made_by.to_owned(),
            made_at: Timestamp::now(),
        };
        let token = LinkToken::generate();
        self.store().links().keep_link(&token.digest(), &link).await?;
        Ok(token)
    }

    /// What the link of that token is about; `None` where there is none, or none any more.
    pub async fn find_link(&self, token: &LinkToken) -> EngineResult<Option<Link>> {
        Ok(self.store().links().find_link(&token.digest()).await?)
    }

    /// Withdraws the links of a task, or of one of its questions; how many there were.
    pub async fn withdraw_links(&self, task: &TaskId, question: Option<&QuestionId>) -> EngineResult<u64> {
        Ok(self.store().links().withdraw_links(task, question).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_shown_to_nobody() {
        let token = LinkToken::generate();
        assert_eq!(token.reveal().len(), 43);
        assert_eq!(LinkToken::read(token.reveal()), Some(token.clone()));
        assert_ne!(LinkToken::generate(), token);
        assert_eq!(format!("{token:?}"), "LinkToken");
        for text in
            ["", "a", &"a".repeat(42), &"a".repeat(44), &"/".repeat(43), &format!("{}é", "a".repeat(42))]
        {
            assert_eq!(LinkToken::read(text), None, "{text:?}");
        }
    }
}
