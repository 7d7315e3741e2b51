//! map to come
pub mod audit;
pub mod ca;
pub mod clock;
pub mod config;
pub mod document;
pub mod home;
pub mod index;
pub mod key;
pub mod lint;
pub mod ocsp;
pub mod problem;
pub mod profile;
pub mod publish;
pub mod x509;
