//! Text that is edited in a program of the person's own.

use std::io::{self, Write as _};
use std::process::Stdio;

/// Where `VISUAL` and `EDITOR` say nothing.
pub(crate) const USUAL: &str = "vi";

/// The most bytes that are taken back.
const MOST: u64 = 1024 * 1024;

/// Edits the text with `editor`, a command line as shells take it; `None` where the editor ended with a failure, or did not
/// save.
pub(super) async fn edit(editor: &str, text: &str) -> io::Result<Option<String>> {
    let mut file = File::new(text)?;
    let program = tokio::process::Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(&file.path)
        // What is drawn on stdout would be the command's result.
        .stdout(Stdio::from(rustix::io::dup(io::stderr())?))
        .status();
    if !program.await?.success() {
        return Ok(None);
    }
    file.read()
}

/// A file that nobody else may read, gone when dropped.
struct File {
    path: std::path::PathBuf,
}

impl File {
    fn new(text: &str) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let name = format!("mcptask-answer-{}.txt", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        let made = Self { path };
        file.write_all(text.as_bytes())?;
        Ok(made)
    }

    fn read(&mut self) -> io::Result<Option<String>> {
        if std::fs::metadata(&self.path)?.len() > MOST {
            return Err(io::Error::other("what was saved is too long for an answer"));
        }
        match String::from_utf8(std::fs::read(&self.path)?) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(io::Error::other("what was saved is not UTF-8")),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // It is in the directory for temporary files.
        let _ = std::fs::remove_file(&self.path);
    }
}
