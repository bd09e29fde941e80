//! The server's certificate.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A certificate with its key. Clones share it, and it can be replaced while servers use it: connections that
/// are open keep the one that they began with.
#[derive(Clone)]
pub struct Identity {
    config: Arc<RwLock<Arc<ServerConfig>>>,
}

/// Why a certificate cannot be used. Never shows a key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate's file has none, or something else in its place.
    #[error("there is no certificate in PEM format in it ({0})")]
    Certificate(String),
    /// The key's file has none, or something else in its place.
    #[error("there is no private key in PEM format in it ({0})")]
    Key(String),
    /// The two do not belong together.
    #[error("the key is not the certificate's")]
    Mismatch,
    /// rustls cannot use them.
    #[error("the certificate or the key cannot be used: {0}")]
    Unusable(String),
}

impl Identity {
    /// A chain of certificates, the server's own first, and its private key, both in PEM format.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        Ok(Self { config: Arc::new(RwLock::new(config(certificates, key)?)) })
    }

    /// From now on new connections get this one. An error changes nothing.
    pub fn replace(&self, certificates: &[u8], key: &[u8]) -> Result<(), IdentityError> {
        let config = config(certificates, key)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Speaks TLS on a new connection.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        TlsAcceptor::from(config).accept(stream).await
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, IdentityError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
    let chain = chain.map_err(|error| IdentityError::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(IdentityError::Certificate(pem::Error::NoItemsFound.to_string()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| IdentityError::Key(error.to_string()))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let unusable = |error: rustls::Error| match error {
        rustls::Error::InconsistentKeys(_) => IdentityError::Mismatch,
        other => IdentityError::Unusable(other.to_string()),
    };
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
