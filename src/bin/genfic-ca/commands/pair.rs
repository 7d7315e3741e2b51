//! A new key and its request in memory. They are written when the CA's key is open and nothing can be refused for want of
//! a passphrase any more.
use super::output::not_written;
use super::request::{Made, not_signed};
use super::sign::applicant_of;
use genfic_ca::error::Problem;
use genfic_ca::home::{Mode, write_new};
use genfic_ca::profile::Applicant;
use genfic_ca::x509::pem;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroizing;

pub(crate) struct Pair {
    key: PathBuf,
    request: PathBuf,
    private: Zeroizing<String>,
    der: Vec<u8>,
    is_written: AtomicBool,
}

impl Pair {
    /// Returns the key in PEM and the request in DER, to be written into these files.
    pub(crate) fn new(made: &Made, private: Zeroizing<String>, der: Vec<u8>) -> Self {
        let (key, request) = (made.key.clone(), made.request.clone());
        Self { key, request, private, der, is_written: AtomicBool::new(false) }
    }

    /// Returns the applicant of the request.
    pub(crate) fn applicant(&self) -> Result<Applicant, Problem> {
        applicant_of(&self.der, &self.request)
    }

    /// Writes both files, which must not exist.
    pub(crate) fn write(&self) -> Result<(), Problem> {
        let request = pem::encode("CERTIFICATE REQUEST", &self.der);
        write_new(&self.key, self.private.as_bytes(), Mode::Private).map_err(not_written)?;
        write_new(&self.request, request.as_bytes(), Mode::Public).map_err(not_written)?;
        self.is_written.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Removes the files after a refusal, as [`not_signed`], when they are written.
    pub(crate) fn given_up(&self, problem: Problem, made: &Made) -> Problem {
        if self.is_written.load(Ordering::Relaxed) { not_signed(problem, made) } else { problem }
    }
}

/// Writes the files' names, never the key.
impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").field("key", &self.key).field("request", &self.request).finish_non_exhaustive()
    }
}
