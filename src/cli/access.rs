//! Who is let in to `serve`, and over what: tokens and TLS, both read again on SIGHUP.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueHint};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::context::Context;
use super::failure::{Failure, Kind};
use super::ui::{Ui, text};
use super::{signals, token_file};
use crate::server::{Identity, IdentityError, Tokens};

/// Where tokens and certificate come from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Access")]
pub(crate) struct AccessArgs {
    /// Let in only clients with a bearer token of this file: on each line a name and a token
    ///
    /// Each name is a scope of its own: its clients see only its tasks. Several tokens may have one name. SIGHUP
    /// reads the file again; a token that is gone stops working at once, on open streams too.
    #[arg(long, value_name = "FILE", conflicts_with = "stdio", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// Speak TLS with this certificate, in PEM format, the chain after it. SIGHUP reads it again
    #[arg(long, value_name = "FILE", conflicts_with = "stdio", requires = "tls_key")]
    #[arg(value_hint = ValueHint::FilePath)]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM format
    #[arg(long, value_name = "FILE", conflicts_with = "stdio", requires = "tls_cert")]
    #[arg(value_hint = ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
    /// Listen on an address that others reach even though everybody is let in
    #[arg(long, conflicts_with = "stdio")]
    insecure: bool,
}

/// What the files said last.
#[derive(Default)]
pub(crate) struct Access {
    tokens: Option<(PathBuf, Tokens)>,
    identity: Option<(Files, Identity)>,
}

/// A certificate's files.
#[derive(Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl AccessArgs {
    /// Reads the files; refuses to let the whole network run tools by mistake.
    pub(crate) fn open(&self, context: &Context, listen: SocketAddr) -> Result<Access, Failure> {
        if !listen.ip().is_loopback() && self.token_file.is_none() && !self.insecure {
            let problem = format!("everybody who reaches {listen} could run tools: there are no tokens");
            return Err(Failure::usage(problem).hint(
                "--token-file FILE lets in only who has a token; --insecure lets in everybody all the same",
            ));
        }
        let mut access = Access::default();
        if let Some(path) = &self.token_file {
            if is_open_to_others(path) {
                let path = text::line(&path.display().to_string());
                context.ui.warn(&format!("other users of this machine can read {path}: chmod 600 {path}"));
            }
            let read = token_file::read(path)?;
            read.warnings.iter().for_each(|warning| context.ui.warn(warning));
            access.tokens = Some((path.clone(), Tokens::new(&read.tokens)));
        }
        if let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) {
            let files = Files { certificate: certificate.clone(), key: key.clone() };
            let (certificate, key) = files.read()?;
            let identity = Identity::from_pem(&certificate, &key).map_err(|error| files.failure(error))?;
            access.identity = Some((files, identity));
        }
        Ok(access)
    }

    /// Whether only those are let in who have a token.
    pub(crate) fn has_tokens(&self) -> bool {
        self.token_file.is_some()
    }

    /// The scheme of the server's address.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }

    /// What is dangerous about serving there.
    pub(crate) fn warning(&self, at: SocketAddr) -> Option<&'static str> {
        if at.ip().is_loopback() {
            return None;
        }
        match (&self.token_file, &self.tls_cert) {
            (None, _) => Some("everybody who reaches this address can run tools"),
            (Some(_), None) => {
                Some("tokens travel in the clear: use --tls-cert and --tls-key, or a proxy that speaks TLS")
            }
            (Some(_), Some(_)) => None,
        }
    }
}

impl Access {
    /// Who is let in.
    pub(crate) fn tokens(&self) -> Tokens {
        self.tokens.as_ref().map(|(_, tokens)| tokens.clone()).unwrap_or_default()
    }

    /// The certificate.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.identity.as_ref().map(|(_, identity)| identity.clone())
    }

    /// Reads the files again whenever SIGHUP comes. A broken file changes nothing of what it is about.
    pub(crate) fn reload(
        self,
        context: &Context,
        parts: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let (access, ui) = (Arc::new(self), context.ui.clone());
        signals::on_hangup(parts, stop, move || {
            let (access, ui) = (access.clone(), ui.clone());
            async move { access.take_up(&ui) }
        })
    }

    fn take_up(&self, ui: &Ui) {
        if let Some((path, tokens)) = &self.tokens {
            match token_file::read(path) {
                Ok(read) => {
                    tokens.replace(&read.tokens);
                    read.warnings.iter().for_each(|warning| ui.warn(warning));
                    ui.talk(&format!("read the tokens again: {} of them", read.tokens.len()));
                }
                Err(failure) => signals::tell_kept(ui, &failure, "the tokens are"),
            }
        }
        if let Some((files, identity)) = &self.identity {
            let replaced = files.read().and_then(|(certificate, key)| {
                identity.replace(&certificate, &key).map_err(|error| files.failure(error))
            });
            match replaced {
                Ok(()) => ui.talk("read the certificate again"),
                Err(failure) => signals::tell_kept(ui, &failure, "the certificate is"),
            }
        }
    }
}

impl Files {
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| token_file::unreadable(path, error));
        Ok((read(&self.certificate)?, read(&self.key)?))
    }

    fn failure(&self, error: IdentityError) -> Failure {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        let place = match &error {
            IdentityError::Certificate(_) => format!("{certificate}"),
            IdentityError::Key(_) => format!("{key}"),
            IdentityError::Mismatch | IdentityError::Unusable(_) => format!("{certificate} with {key}"),
        };
        Failure::caused(Kind::Usage, format!("cannot use {place}: {error}"), error)
    }
}

fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o077 != 0)
}
