//! Reading files that a person names: never more of them than is wanted, whatever they turn out to be.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// The file's text without a byte order mark, or what is wrong with the file, in words that follow its name.
pub(super) fn text(path: &Path, most: u64) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
    let file = File::open(path).map_err(unreadable)?;
    // A device or a pipe says no size, and may never end.
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(format!("has more than {most} bytes"));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("is UTF-16: save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        format!("is no text: the byte at {} is not UTF-8", error.utf8_error().valid_up_to())
    })?;
    // Some editors begin a file with one.
    Ok(text.strip_prefix('\u{feff}').map_or(text.clone(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_wanted() {
        let problem = text(Path::new("/dev/zero"), 100).expect_err("has no end");
        assert_eq!(problem, "has more than 100 bytes");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        std::fs::write(&path, "\u{feff}a = 1").expect("writes");
        assert_eq!(text(&path, 100), Ok("a = 1".to_owned()));
        for words in [[0xff, 0xfe, b'a', 0], [0xfe, 0xff, 0, b'a']] {
            std::fs::write(&path, words).expect("writes");
            assert_eq!(text(&path, 100), Err("is UTF-16: save it as UTF-8".to_owned()));
        }
        std::fs::write(&path, [b'a', 0xff]).expect("writes");
        assert!(text(&path, 100).is_err_and(|problem| problem.contains("byte at 1")));
    }
}
