//! What is wrong with the certificate of a server or a Redis, in words. Where an error of TLS comes to be told, the TLS
//! library's type is gone, and its words are a part of what others say.

/// What stands before the library's words.
const BEFORE: &str = "invalid peer certificate: ";

/// How the library's words begin, and what they mean. Those on names are for people as they are.
const MEANINGS: [(&str, &str); 4] = [
    ("UnknownIssuer", "its certificate signs itself, or is signed by nobody whom this machine trusts"),
    (
        "Other(OtherError(CaUsedAsEndEntity))",
        "its certificate is one for signing others (CA:TRUE), which no server may show",
    ),
    ("certificate expired", "its certificate has expired"),
    ("certificate not valid yet", "its certificate is not valid yet"),
];

/// What helps where [`in_words`] found something.
pub(super) const HELP: &str = "it has to be valid for the server's name, made without CA:TRUE, and trusted on this \
                               machine: SSL_CERT_FILE=FILE names a file of certificates to trust";

/// The message in words, and whether a certificate is why.
pub(super) fn in_words(message: String) -> (String, bool) {
    let Some((before, words)) = message.split_once(BEFORE) else { return (message, false) };
    let meaning = MEANINGS.iter().find(|(begin, _)| words.starts_with(begin));
    (format!("{before}{}", meaning.map_or(words, |(_, meaning)| meaning)), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_says_is_said_in_words() {
        let said = |words: &str| in_words(format!("cannot reach h: {BEFORE}{words}"));
        assert_eq!(
            said("UnknownIssuer").0,
            "cannot reach h: its certificate signs itself, or is signed by nobody whom this machine trusts"
        );
        assert_eq!(said("certificate expired: 4 s ago").0, "cannot reach h: its certificate has expired");
        assert_eq!(said("another").0, "cannot reach h: another");
        assert_eq!(in_words("no certificate".to_owned()), ("no certificate".to_owned(), false));
    }
}
