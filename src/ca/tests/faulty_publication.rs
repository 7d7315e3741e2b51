//! A publisher that notes each step and fails where it is told to.
use super::faulty::Script;
use crate::repository::{AuthorityFiles, HomeDirectory, PublishError, Publisher, WaitingAuthority};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, CrlListing, CrlOutline, SerialNumber};
use std::path::PathBuf;
use std::sync::Arc;

pub(super) struct Publication {
    pub(super) directory: HomeDirectory,
    pub(super) script: Script,
}

impl Publisher for Publication {
    fn is_published(
        &self,
        name: &str,
        certificate: &Certificate,
        ancestors: &[Certificate],
        crossed: &[Certificate],
    ) -> bool {
        self.directory.is_published(name, certificate, ancestors, crossed)
    }

    fn sweep(&self, issued_by: &[&str]) {
        self.directory.sweep(issued_by);
    }

    fn is_kept(&self, authority: &str, serial_number: &SerialNumber) -> bool {
        self.directory.is_kept(authority, serial_number)
    }

    fn authority(
        &self,
        name: &str,
        certificate: &Certificate,
        ancestors: &[Certificate],
        crossed: &[Certificate],
    ) -> Result<AuthorityFiles, PublishError> {
        self.script.publish("authority")?;
        self.directory.authority(name, certificate, ancestors, crossed)
    }

    fn crl(&self, name: &str, crl: &CertificateList) -> Result<Vec<PathBuf>, PublishError> {
        self.script.publish("crl")?;
        self.directory.crl(name, crl)
    }

    fn published_crl(&self, name: &str) -> Result<Option<CertificateList>, PublishError> {
        self.directory.published_crl(name)
    }

    fn signed_list(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<Option<Arc<CrlListing>>, PublishError> {
        self.directory.signed_list(name, certificate)
    }

    fn crl_files(&self, name: &str) -> Result<Vec<PathBuf>, PublishError> {
        self.directory.crl_files(name)
    }

    fn crl_in_place(&self, name: &str) -> Result<Option<CrlOutline>, PublishError> {
        self.directory.crl_in_place(name)
    }

    fn repeat_crl_text(&self, name: &str) -> Result<(), PublishError> {
        self.directory.repeat_crl_text(name)
    }

    fn crl_number_floor(&self, name: &str) -> Result<CrlNumber, PublishError> {
        self.directory.crl_number_floor(name)
    }

    fn issued(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, PublishError> {
        self.script.publish("issued")?;
        self.directory.issued(authority, certificates)
    }

    fn responder(&self, name: &str, certificate: &Certificate, key: &str) -> Result<PathBuf, PublishError> {
        self.script.publish("responder")?;
        self.directory.responder(name, certificate, key)
    }

    fn responder_certificate(&self, authority: &str) -> Option<Certificate> {
        self.directory.responder_certificate(authority)
    }

    fn waiting(&self) -> Result<Vec<WaitingAuthority>, PublishError> {
        self.directory.waiting()
    }

    fn wait_for_certificate(&self, authority: &WaitingAuthority) -> Result<(), PublishError> {
        self.script.publish("wait")?;
        self.directory.wait_for_certificate(authority)
    }

    fn place(&self, name: &str) -> Result<(), PublishError> {
        self.directory.place(name)
    }

    fn waits_no_longer(&self, name: &str) -> Result<(), PublishError> {
        self.script.publish("wait no longer")?;
        self.directory.waits_no_longer(name)
    }
}
