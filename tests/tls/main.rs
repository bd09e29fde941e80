//! TLS, with certificates that openssl made.

mod certificate;
#[path = "../support/place.rs"]
mod place;
mod redis;
mod serve;
