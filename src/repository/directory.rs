//! Publication into the directories of a home.
use super::crl::CrlForms;
use super::hold::Hold;
use super::moving;
use super::signed::SignedLists;
use super::{AuthorityFiles, CeremonyFile, PendingRequest, PublishError, Publisher};
use crate::home::{
    AuthorityName, Home, InvalidAuthorityName, Mode, PublicFile, ReadError, Replacement, WriteError,
    read_file, replace, replace_all, replace_soon, sync_directory,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, CrlListing, CrlSummary, Fingerprint, SerialNumber, pem};
use rustix::io::Errno;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// Time to wait for another publisher.
const WAIT: Duration = Duration::from_secs(30);
/// Bound of the octets that are read of one file, 1 GiB: a CRL of twenty million entries.
pub(super) const LARGEST: u64 = 1 << 30;

/// The directories `public/`, `issued/` and `ocsp/` of a home.
#[derive(Clone, Debug)]
pub struct HomeDirectory {
    home: Home,
    lists: Arc<SignedLists>,
}

impl HomeDirectory {
    /// Returns a publisher of this home.
    #[must_use]
    pub fn new(home: Home) -> Self {
        Self { home, lists: Arc::default() }
    }

    fn name(&self, name: &str) -> Result<AuthorityName, PublishError> {
        name.parse().map_err(|error: InvalidAuthorityName| unreadable(Path::new(name), error))
    }

    fn public(&self, name: &str, file: PublicFile) -> Result<PathBuf, PublishError> {
        Ok(self.home.public_file(&self.name(name)?, file))
    }

    /// Takes the lock that keeps every other process from replacing published files until it is dropped.
    fn hold(&self) -> Result<Hold, PublishError> {
        Hold::take(&self.home.lock_file(), WAIT)
    }

    fn crl_forms(&self, name: &str) -> Result<CrlForms, PublishError> {
        Ok(CrlForms::new(self.public(name, PublicFile::Crl)?, self.public(name, PublicFile::CrlPem)?))
    }

    fn delta_forms(&self, name: &str) -> Result<CrlForms, PublishError> {
        let text = self.public(name, PublicFile::DeltaCrlPem)?;
        Ok(CrlForms::new(self.public(name, PublicFile::DeltaCrl)?, text))
    }

    fn read_crl(&self, name: &str, file: PublicFile) -> Result<Option<CertificateList>, PublishError> {
        let path = self.public(name, file)?;
        read_if_there(&path)?
            .map(|octets| CertificateList::from_der(&octets).map_err(|error| unreadable(&path, error)))
            .transpose()
    }
}

pub(super) fn unreadable(path: &Path, reason: impl ToString) -> PublishError {
    PublishError::Unreadable { path: path.to_owned(), reason: reason.to_string() }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, PublishError> {
    match read_file(path, LARGEST) {
        Ok(octets) => Ok(Some(octets)),
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(not_read(path, error)),
    }
}

pub(super) fn not_read(path: &Path, error: ReadError) -> PublishError {
    match error {
        // These errors say nothing about the file.
        ReadError::Io(source)
            if [Errno::MFILE, Errno::NFILE, Errno::NOMEM].iter().any(|one| is(&source, *one)) =>
        {
            PublishError::NotRead { path: path.to_owned(), source }
        }
        error => unreadable(path, error),
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    error.raw_os_error() == Some(errno.raw_os_error())
}

fn chain_text(certificate: &Certificate, ancestors: &[Certificate]) -> String {
    std::iter::once(certificate).chain(ancestors).map(Certificate::to_pem).collect()
}

fn text(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}

/// Returns whether the octets are what [`text`] makes of these certificates.
fn is_text(found: &[u8], certificates: &[Fingerprint]) -> bool {
    let Ok(found) = std::str::from_utf8(found) else { return false };
    let Ok(blocks) = pem::decode_all(found) else { return false };
    blocks.iter().map(|block| Fingerprint::of(&block.der)).eq(certificates.iter().copied())
        && blocks.iter().map(|block| pem::encode("CERTIFICATE", &block.der)).collect::<String>() == found
}

fn remove_if_there(path: &Path) -> Result<(), PublishError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(WriteError { path: path.to_owned(), source }.into())
        }
        _ => Ok(()),
    }
}

impl HomeDirectory {
    fn ceremony_path(&self, authority: &str, file: CeremonyFile) -> Result<PathBuf, PublishError> {
        let name = self.name(authority)?;
        Ok(match file {
            CeremonyFile::Request => self.home.ceremony_file(&name),
            CeremonyFile::History => self.home.ceremony_history_file(&name),
        })
    }
}

impl HomeDirectory {
    /// Writes a file in `requests/`, or removes it.
    fn keep_request_file(&self, path: PathBuf, contents: Option<&[u8]>) -> Result<(), PublishError> {
        if let Some(contents) = contents {
            self.home.create_requests()?;
            return Ok(replace(&path, contents, Mode::Private)?);
        }
        match fs::remove_file(&path) {
            Ok(()) => Ok(sync_directory(path.parent().unwrap_or(&path))?),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(source) => Err(WriteError { path, source }.into()),
        }
    }
}

impl Publisher for HomeDirectory {
    fn is_published(
        &self,
        name: &str,
        certificate: &Fingerprint,
        ancestors: &[Fingerprint],
        cross_certificates: &[Fingerprint],
    ) -> bool {
        let Ok(name) = self.name(name) else { return false };
        let read = |file| read_file(&self.home.public_file(&name, file), LARGEST).ok();
        let is =
            |file, certificates: &[Fingerprint]| read(file).is_some_and(|text| is_text(&text, certificates));
        let cross_file = match cross_certificates {
            [] => !self.home.public_file(&name, PublicFile::CrossCertificates).exists(),
            cross_certificates => is(PublicFile::CrossCertificates, cross_certificates),
        };
        cross_file
            && is(PublicFile::Chain, &[&[*certificate], ancestors].concat())
            && read(PublicFile::CertificateDer).is_some_and(|der| Fingerprint::of(&der) == *certificate)
            && is(PublicFile::Certificate, &[*certificate])
            && self.home.issued_directory(&name).is_dir()
            && self.home.ocsp_directory(&name).is_dir()
    }

    fn is_stored(&self, authority: &str, serial_number: &SerialNumber) -> bool {
        let Ok(name) = self.name(authority) else { return false };
        let file = self.home.issued_file(&name, serial_number);
        let contents = read_file(&file, LARGEST).ok().and_then(|octets| String::from_utf8(octets).ok());
        contents.is_some_and(|text| pem::decode_all(&text).is_ok_and(|blocks| blocks.len() == 1))
    }

    fn authority(
        &self,
        name: &str,
        certificate: &Certificate,
        ancestors: &[Certificate],
        cross_certificates: &[Certificate],
    ) -> Result<AuthorityFiles, PublishError> {
        self.home.create_authority(&self.name(name)?)?;
        let path = |file| self.public(name, file);
        let chain = path(PublicFile::Chain)?;
        replace(&chain, chain_text(certificate, ancestors).as_bytes(), Mode::Public)?;
        replace(&path(PublicFile::CertificateDer)?, certificate.as_der(), Mode::Public)?;
        let certificate_pem = path(PublicFile::Certificate)?;
        replace(&certificate_pem, certificate.to_pem().as_bytes(), Mode::Public)?;
        let cross_file = path(PublicFile::CrossCertificates)?;
        if cross_certificates.is_empty() {
            remove_if_there(&cross_file)?;
            return Ok(AuthorityFiles { certificate: certificate_pem, chain, cross_certificates: None });
        }
        replace(&cross_file, text(cross_certificates).as_bytes(), Mode::Public)?;
        Ok(AuthorityFiles { certificate: certificate_pem, chain, cross_certificates: Some(cross_file) })
    }

    fn crl(&self, name: &str, crl: &CertificateList) -> Result<Vec<PathBuf>, PublishError> {
        self.crl_forms(name)?.publish(crl, || self.hold())
    }

    fn crl_files(&self, name: &str) -> Result<Vec<PathBuf>, PublishError> {
        Ok(self.crl_forms(name)?.into_files())
    }

    fn published_crl(&self, name: &str) -> Result<Option<CertificateList>, PublishError> {
        self.read_crl(name, PublicFile::Crl)
    }

    fn delta_crl(&self, name: &str, crl: &CertificateList) -> Result<Vec<PathBuf>, PublishError> {
        self.delta_forms(name)?.publish(crl, || self.hold())
    }

    fn published_delta_crl(&self, name: &str) -> Result<Option<CertificateList>, PublishError> {
        self.read_crl(name, PublicFile::DeltaCrl)
    }

    fn delta_crl_in_place(&self, name: &str) -> Result<Option<CrlSummary>, PublishError> {
        self.delta_forms(name)?.in_place(|| self.hold())
    }

    fn signed_list(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<Option<Arc<CrlListing>>, PublishError> {
        self.lists.read(&self.public(name, PublicFile::Crl)?, certificate.tbs().public_key())
    }

    fn crl_in_place(&self, name: &str) -> Result<Option<CrlSummary>, PublishError> {
        self.crl_forms(name)?.in_place(|| self.hold())
    }

    fn repeat_crl_text(&self, name: &str) -> Result<(), PublishError> {
        let _alone = self.hold()?;
        match self.published_crl(name)? {
            Some(crl) => self.crl_forms(name)?.repeat_text(&crl),
            None => Ok(()),
        }
    }

    fn crl_number_floor(&self, name: &str) -> Result<CrlNumber, PublishError> {
        Ok(self.crl_forms(name)?.outline()?.and_then(|crl| crl.crl_number()).unwrap_or(0))
    }

    fn move_authority(&self, from: &str, to: &str) -> Result<bool, PublishError> {
        moving::move_authority(&self.home, &self.name(from)?, &self.name(to)?)
    }

    fn remove_responder(&self, name: &str) -> Result<bool, PublishError> {
        moving::remove_responder(&self.home, &self.name(name)?)
    }

    fn sweep(&self, issued_by: &[&str]) {
        let names: Vec<AuthorityName> = issued_by.iter().filter_map(|name| name.parse().ok()).collect();
        self.home.sweep(&names);
    }

    fn issued(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, PublishError> {
        let name = self.name(authority)?;
        let path =
            |certificate: &Certificate| self.home.issued_file(&name, certificate.tbs().serial_number());
        let mut rising = certificates.to_vec();
        rising.sort_by_key(|certificate| certificate.tbs().serial_number());
        let files: Vec<Replacement> = rising
            .into_iter()
            .map(|certificate| Replacement {
                path: path(certificate),
                contents: certificate.to_pem().into_bytes(),
                mode: Mode::Private,
            })
            .collect();
        // the index has it, and the next command looks whether the file is whole; of several it looks at the last
        match files.as_slice() {
            [file] => replace_soon(file)?,
            files => replace_all(files)?,
        }
        Ok(certificates.iter().map(|certificate| path(certificate)).collect())
    }

    fn responder(
        &self,
        authority: &str,
        certificate: &Certificate,
        private_key: &str,
    ) -> Result<PathBuf, PublishError> {
        let name = self.name(authority)?;
        let (key, certificate_file) =
            (self.home.responder_key_file(&name), self.home.responder_certificate_file(&name));
        self.home.create_authority(&name)?;
        let _alone = self.hold()?;
        // The key file holds both keys until the certificate is replaced too. Therefore one of them belongs to
        // the certificate beside it at every moment.
        let old = read_if_there(&key)?.unwrap_or_default();
        replace(&key, &[private_key.as_bytes(), &old].concat(), Mode::Group)?;
        replace(&certificate_file, certificate.to_pem().as_bytes(), Mode::Group)?;
        replace(&key, private_key.as_bytes(), Mode::Group)?;
        Ok(certificate_file)
    }

    fn keep_responder_keys(&self, authority: &str, private_keys: &[&str]) -> Result<(), PublishError> {
        let name = self.name(authority)?;
        self.home.create_authority(&name)?;
        let _alone = self.hold()?;
        let keys = Zeroizing::new(private_keys.concat());
        Ok(replace(&self.home.responder_key_file(&name), keys.as_bytes(), Mode::Group)?)
    }

    fn responder_key(&self, authority: &str) -> Option<Zeroizing<Vec<u8>>> {
        let file = self.home.responder_key_file(&self.name(authority).ok()?);
        Some(Zeroizing::new(read_file(&file, LARGEST).ok()?))
    }

    fn responder_token(&self, authority: &str) -> Option<String> {
        let octets = self.responder_key(authority)?;
        let first = std::str::from_utf8(&octets).ok()?.lines().next()?;
        first.starts_with("pkcs11:").then(|| first.to_owned())
    }

    fn responder_certificate(&self, authority: &str) -> Option<Certificate> {
        let file = self.home.responder_certificate_file(&self.name(authority).ok()?);
        let octets = read_file(&file, LARGEST).ok()?;
        Certificate::from_pem_or_der(&octets).ok()
    }

    fn pending_requests(&self) -> Result<Vec<PendingRequest>, PublishError> {
        let mut pending_requests = Vec::new();
        for name in self.home.pending_requests()? {
            let path = self.home.pending_request_file_found(&name);
            let Some(octets) = read_if_there(&path)? else { continue };
            let read = PendingRequest::parse(name.as_str(), &String::from_utf8_lossy(&octets));
            pending_requests.push(read.map_err(|error| unreadable(&path, error))?);
        }
        Ok(pending_requests)
    }

    fn store_pending_request(&self, authority: &PendingRequest) -> Result<(), PublishError> {
        let path = self.home.pending_request_file(&self.name(&authority.name)?);
        self.home.create_requests()?;
        Ok(replace(&path, authority.to_string().as_bytes(), Mode::Private)?)
    }

    fn ceremony(&self, authority: &str, file: CeremonyFile) -> Result<Option<Vec<u8>>, PublishError> {
        read_if_there(&self.ceremony_path(authority, file)?)
    }

    fn keep_ceremony(
        &self,
        authority: &str,
        file: CeremonyFile,
        contents: Option<&[u8]>,
    ) -> Result<(), PublishError> {
        self.keep_request_file(self.ceremony_path(authority, file)?, contents)
    }

    fn key_move(&self, authority: &str) -> Result<Option<Vec<u8>>, PublishError> {
        read_if_there(&self.home.key_move_file(&self.name(authority)?))
    }

    fn keep_key_move(&self, authority: &str, contents: Option<&[u8]>) -> Result<(), PublishError> {
        self.keep_request_file(self.home.key_move_file(&self.name(authority)?), contents)
    }

    fn place(&self, name: &str) -> Result<(), PublishError> {
        Ok(self.home.create_authority(&self.name(name)?)?)
    }

    fn remove_pending_request(&self, name: &str) -> Result<(), PublishError> {
        for path in self.home.pending_request_files(&self.name(name)?) {
            match fs::remove_file(&path) {
                Ok(()) => sync_directory(path.parent().unwrap_or(&path))?,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => return Err(WriteError { path, source }.into()),
            }
        }
        Ok(())
    }
}
