//! What is wrong with the certificate of a server or of a Redis, read from the TLS library's own error, wherever others
//! have packed it; and with the file of those that are trusted.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::{env, fs, io};

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why a certificate was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// Nobody whom this machine trusts has signed it.
    #[error("its certificate signs itself, or is signed by nobody whom this machine trusts")]
    NotTrusted,
    /// It is one for signing others.
    #[error("its certificate is one for signing others (CA:TRUE), which no server may show")]
    Authority,
    /// Its time is over.
    #[error("its certificate has expired")]
    Expired,
    /// Its time has not begun.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// It is for another name.
    #[error("its certificate is for another name")]
    OtherName,
    /// Anything else, in the library's words; it says by itself which names a certificate is for.
    #[error("its certificate is not taken: {0}")]
    Other(String),
}

impl CertificateFault {
    /// The fault that an error tells of, or one that is packed into it.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut all = std::iter::successors(Some(error), |error| inner(*error));
        all.find_map(|error| match error.downcast_ref::<rustls::Error>()? {
            rustls::Error::InvalidCertificate(error) => Some(Self::from(error)),
            _ => None,
        })
    }
}

impl From<&CertificateError> for CertificateFault {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::UnknownIssuer => Self::NotTrusted,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::Other(other)
                if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity) =>
            {
                Self::Authority
            }
            CertificateError::NotValidForName => Self::OtherName,
            other => Self::Other(other.to_string()),
        }
    }
}

/// The variable that names the file of certificates to trust.
const TRUSTED: &str = "SSL_CERT_FILE";

/// Why the file of certificates to trust that [`TRUSTED`] names is of no use; `None` where it is, or none is named. The TLS
/// libraries pass over such a file, so whoever is about to use TLS looks here before.
pub(crate) fn trusted_file_fault() -> Option<String> {
    let file = env::var_os(TRUSTED).filter(|file| !file.is_empty())?;
    file_fault(Path::new(&file)).map(|fault| format!("{TRUSTED} names {}, which {fault}", file.display()))
}

fn file_fault(file: &Path) -> Option<String> {
    match fs::read(file) {
        Err(error) => Some(format!("cannot be read: {error}")),
        // Nobody is trusted then, which is told where somebody would have to be.
        Ok(bytes) if bytes.is_empty() => None,
        Ok(bytes) => {
            let has_one = CertificateDer::pem_slice_iter(&bytes).any(|one| one.is_ok());
            (!has_one).then(|| "has no certificate in PEM form, as -----BEGIN CERTIFICATE-----".to_owned())
        }
    }
}

/// What is inside an error; of one that is shared, or of input and output, that is what it was made of.
pub(crate) fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return Some(&**shared);
    }
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::OtherError;

    use super::*;

    fn packed(error: CertificateError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error))
    }

    #[test]
    fn a_fault_is_found_wherever_it_is_packed() {
        assert_eq!(CertificateFault::of(&packed(CertificateError::Expired)), Some(CertificateFault::Expired));
        // As the errors of a Redis have it.
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(packed(CertificateError::UnknownIssuer));
        assert_eq!(CertificateFault::of(&shared), Some(CertificateFault::NotTrusted));
        let authority = OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity));
        let authority = packed(CertificateError::Other(authority));
        assert_eq!(CertificateFault::of(&authority), Some(CertificateFault::Authority));
        let revoked = CertificateFault::of(&packed(CertificateError::Revoked)).map(|fault| fault.to_string());
        assert_eq!(revoked.as_deref(), Some("its certificate is not taken: Revoked"));
    }

    #[test]
    fn a_file_of_no_certificates_is_told() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (gone, other) = (folder.path().join("gone"), folder.path().join("other"));
        fs::write(&other, "no certificate").expect("written");
        assert!(file_fault(&gone).is_some_and(|fault| fault.starts_with("cannot be read: No such file")));
        assert!(file_fault(folder.path()).is_some_and(|fault| fault.starts_with("cannot be read: ")));
        assert!(file_fault(&other).is_some_and(|fault| fault.starts_with("has no certificate in PEM form")));
    }

    #[test]
    fn words_alone_are_no_fault() {
        let said = io::Error::other("invalid peer certificate: UnknownIssuer");
        assert_eq!(CertificateFault::of(&said), None);
        let other = io::Error::other(rustls::Error::DecryptError);
        assert_eq!(CertificateFault::of(&other), None);
    }
}
