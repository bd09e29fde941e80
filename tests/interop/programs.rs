//! The programs of peers: a script, and what runs it as `tests/run` installs it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::python::{cache, python};

/// A command that is ready for its arguments.
pub(crate) struct Program {
    pub(crate) command: Command,
    /// Where a script of Node's stands, beside the packages that it imports.
    _folder: Option<TempDir>,
}

/// A script of `tests/interop/FOLDER`, run by Python or Node with an environment that `tests/run` installs.
pub(crate) fn program(environment: &str, folder: &str, name: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(folder);
    if name.ends_with(".mjs") {
        return node_program(environment, &folder, name);
    }
    let mut command = Command::new(python(environment));
    command.arg(folder.join(name));
    Program { command, _folder: None }
}

/// Node looks for packages in the folder of a script and above, so scripts stand beside a link to theirs.
fn node_program(environment: &str, folder: &Path, name: &str) -> Program {
    let beside = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(packages(environment), beside.path().join("node_modules")).expect("a link");
    for entry in std::fs::read_dir(folder).expect("the scripts").flatten() {
        std::fs::copy(entry.path(), beside.path().join(entry.file_name())).expect("a copy");
    }
    let mut command = Command::new(node());
    command.arg(beside.path().join(name));
    Program { command, _folder: Some(beside) }
}

/// The packages that `tests/run` installs for one `package.json`.
pub(crate) fn packages(environment: &str) -> PathBuf {
    let packages = cache(environment).join("node_modules");
    assert!(packages.exists(), "{} is missing: run tests/run, which installs it", packages.display());
    packages
}

/// The Node that comes with the conformance suite.
pub(crate) fn node() -> PathBuf {
    packages("conformance").join("node/bin/node")
}
