//! What can be seen of a home from outside at a moment, and what must hold once it was put right.
use genfic_ca::audit::Verifier;
use genfic_ca::home::{AuthorityName, Home};
use genfic_ca::index::prelude::*;
use genfic_ca::index::sqlite::SqliteIndex;
use genfic_ca::index::{CertificateState, Filter};
use genfic_ca::signing::OpenedKey;
use genfic_ca::status::{StatusDirectory, StatusPublisher, StatusReader, StatusSnapshot, StatusSource};
use genfic_ca::x509::{Certificate, CertificateId, CertificateList, pem};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Everything that was seen under a number, at any moment.
#[derive(Clone, Default)]
pub(crate) struct Seen {
    /// By CA and number: the list, and where it was.
    lists: HashMap<(String, u64), (Vec<u8>, PathBuf)>,
    /// By issuer and serial number.
    certificates: HashMap<(String, String), (Certificate, PathBuf)>,
    /// By CA, the number of the list that its CRL URL gave last.
    newest: HashMap<String, u64>,
    /// By CA, the number in the high-water file.
    reserved: HashMap<String, u64>,
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// Files that are left aside, anywhere below.
pub(crate) fn left_aside(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in files(directory) {
        if name_of(&path).starts_with(".new-") {
            found.push(path);
        } else if path.is_dir() {
            found.extend(left_aside(&path));
        }
    }
    found
}

fn certificates(path: &Path) -> Vec<Certificate> {
    let octets = fs::read(path).unwrap();
    let blocks = pem::decode_file(&octets, "CERTIFICATE")
        .unwrap_or_else(|error| panic!("{}: half a file? {error}", path.display()));
    blocks.iter().map(|block| Certificate::from_der(&block.der).unwrap()).collect()
}

impl Seen {
    /// Looks at everything that anyone may fetch, that the daemon reads, and that was handed out beside the
    /// home: all of it is whole, and nothing contradicts what was seen before.
    pub(crate) fn look(&mut self, directory: &Path) {
        let home = Home::at(directory.join("home"));
        self.look_at_public_files(&home);
        let status = home.status_directory();
        let published = status.join("manifest.json").exists();
        let snapshot = published.then(|| StatusDirectory::new(&status).open(None).unwrap());
        for responder in files(&home.responders_directory()) {
            self.look_at_responder(&responder);
        }
        let handed_out = files(directory).into_iter().filter(|path| name_of(path).ends_with(".crt"));
        let kept = files(&home.directory().join("issued")).into_iter().flat_map(|ca| files(&ca));
        for path in handed_out.chain(kept).filter(|path| !name_of(path).starts_with('.')) {
            for certificate in certificates(&path) {
                self.note_certificate(certificate, &path);
            }
        }
        for (certificate, path) in self.certificates.values() {
            let state = snapshot.as_ref().and_then(|snapshot| state_of(snapshot, certificate));
            assert!(state.is_some(), "{} is out and no responder knows it", path.display());
        }
        for path in files(&home.keys_directory()) {
            if let Some(name) = name_of(&path).strip_suffix(".mark") {
                let number: u64 = fs::read_to_string(&path).unwrap().trim().parse().unwrap();
                let before = self.reserved.insert(name.to_owned(), number);
                assert!(before.is_none_or(|before| before <= number), "{name} went back to {number}");
            }
        }
    }

    /// The same when the power has come back, before any command: what is in the public places is whole, but may be
    /// what was there before, and the status may be one that no responder takes.
    pub(crate) fn look_after_power_loss(&mut self, directory: &Path) {
        let home = Home::at(directory.join("home"));
        self.newest.clear();
        self.reserved.clear();
        self.look_at_public_files(&home);
        self.newest.clear();
    }

    /// Whoever fetched a list finds none with a lower number in its place.
    pub(crate) fn check_no_list_went_back(&self, directory: &Path) {
        let home = Home::at(directory.join("home"));
        for (ca, number) in self.lists.keys() {
            let der = fs::read(home.public_directory().join(format!("{ca}.crl"))).unwrap();
            let now = CertificateList::from_der(&der).unwrap().tbs().crl_number().unwrap();
            assert!(now >= *number, "{ca}: {number} was out, and now it is {now}");
        }
    }

    fn look_at_public_files(&mut self, home: &Home) {
        for path in files(&home.public_directory()) {
            let name = name_of(&path);
            if name.starts_with('.') {
                continue;
            }
            let octets = fs::read(&path).unwrap();
            if let Some(ca) = name.strip_suffix(".crl") {
                let number = self.note_list(ca, &octets, &path);
                let before = self.newest.insert(ca.to_owned(), number);
                assert!(before.is_none_or(|before| before <= number), "{ca} went back to {number}");
            } else if let Some(ca) = name.strip_suffix(".crl.pem") {
                let blocks = pem::decode_file(&octets, "X509 CRL").unwrap();
                self.note_list(ca, &blocks[0].der, &path);
            } else if name.ends_with(".crt") {
                self.note_certificate(Certificate::from_der(&octets).unwrap(), &path);
            } else {
                certificates(&path).into_iter().for_each(|one| self.note_certificate(one, &path));
            }
        }
    }

    /// A whole list; under one number there is one list only (C1).
    fn note_list(&mut self, ca: &str, der: &[u8], path: &Path) -> u64 {
        let list = CertificateList::from_der(der)
            .unwrap_or_else(|error| panic!("{}: half a file? {error}", path.display()));
        let number = list.tbs().crl_number().unwrap();
        let place = self.lists.entry((ca.to_owned(), number));
        let (before, where_before) = place.or_insert_with(|| (der.to_vec(), path.to_owned()));
        assert!(before == der, "{} and {} differ", where_before.display(), path.display());
        number
    }

    fn note_certificate(&mut self, certificate: Certificate, path: &Path) {
        let tbs = certificate.tbs();
        let number = (tbs.issuer().to_string(), tbs.serial_number().to_string());
        let place = self.certificates.entry(number);
        let (before, where_before) = place.or_insert_with(|| (certificate.clone(), path.to_owned()));
        let same = before.fingerprint() == certificate.fingerprint();
        assert!(same, "{} and {} share a serial number", where_before.display(), path.display());
    }

    /// The certificate that the daemon finds has its key beside it.
    fn look_at_responder(&mut self, directory: &Path) {
        let file = directory.join("responder.pem");
        if name_of(directory).starts_with('.') || !file.exists() {
            return;
        }
        let certificate = certificates(&file).remove(0);
        let octets = fs::read(directory.join("responder.key")).unwrap();
        let mut keys = pem::decode_file(&octets, "PRIVATE KEY").unwrap().into_iter();
        let fits = keys.any(|block| {
            OpenedKey::from_pkcs8_der(&block.der).unwrap().public_key() == certificate.tbs().public_key()
        });
        assert!(fits, "{} has a key that is not beside it", file.display());
        self.note_certificate(certificate, &file);
    }

    /// Everything is on record, published and counted once.
    pub(crate) fn check_put_right(&mut self, directory: &Path) {
        self.look(directory);
        let home = Home::at(directory.join("home"));
        let index = SqliteIndex::open(&home.index_file()).unwrap();
        assert_eq!(left_aside(home.directory()), [] as [PathBuf; 0]);
        assert_eq!(index.pending().unwrap(), []);
        assert!(StatusDirectory::new(&home.status_directory()).is_current(&index).unwrap());
        let mut verifier = Verifier::new(None);
        index
            .audit_records(1, &mut |record| {
                verifier.check(&record).unwrap();
                true
            })
            .unwrap();
        assert_eq!(verifier.finish().unwrap(), index.audit_head().unwrap());
        let mut recorded = HashMap::new();
        index
            .list(&Filter::default(), &mut |record| {
                let number = (record.authority.clone(), record.id.serial_number.to_string());
                assert!(recorded.insert(number, record).is_none(), "a serial number twice");
                true
            })
            .unwrap();
        for (certificate, path) in self.certificates.values() {
            let same = |other: &Certificate| other.fingerprint() == certificate.fingerprint();
            let found = recorded.values().any(|record| record.certificate.as_ref().is_some_and(same));
            assert!(found, "{} is out and not on record", path.display());
        }
        for record in recorded.values() {
            let own = record.certificate.as_ref().map(|one| one.tbs().as_issuer() == record.id.issuer);
            let name: Option<AuthorityName> = record.authority.parse().ok();
            if record.state == CertificateState::Issued
                && own == Some(false)
                && record.profile != "ocsp-responder"
            {
                let file = home.issued_file(&name.unwrap(), &record.id.serial_number);
                assert_eq!(certificates(&file), [record.certificate.clone().unwrap()]);
            }
        }
        for authority in index.authorities().unwrap() {
            self.check_list(&home, &index, &authority);
        }
    }

    fn check_list(&self, home: &Home, index: &SqliteIndex, authority: &genfic_ca::index::Authority) {
        let name = &authority.name;
        assert!(!index.crl_is_owed(&authority.issuer).unwrap(), "{name}");
        let der = fs::read(home.public_directory().join(format!("{name}.crl"))).unwrap();
        let list = CertificateList::from_der(&der).unwrap();
        assert!(list.is_signed_by(authority.certificate.tbs().public_key()));
        let mut expected = Vec::new();
        index.revoked(&authority.issuer, &mut |entry| expected.push(entry.serial_number)).unwrap();
        let mut listed: Vec<_> = list.tbs().entries().map(|entry| entry.unwrap().serial_number).collect();
        expected.sort();
        listed.sort();
        assert_eq!(listed, expected, "{name}");
        let seen = self.lists.keys().filter(|(ca, _)| ca == name).map(|(_, number)| *number);
        let number = list.tbs().crl_number().unwrap();
        assert!(self.reserved[name] >= number);
        assert!(number <= self.reserved[name] && seen.max() <= Some(self.reserved[name]), "{name}");
        let taken = index.highest_crl_number(&authority.issuer).unwrap();
        assert!(taken >= self.reserved[name], "{name}: the number after {taken} was taken before");
    }
}

fn state_of(snapshot: &StatusSnapshot, certificate: &Certificate) -> Option<CertificateState> {
    let tbs = certificate.tbs();
    let issuer = snapshot
        .authorities()
        .iter()
        .find(|authority| certificate.is_signed_by(authority.certificate.tbs().public_key()))?;
    let id = CertificateId { issuer: issuer.issuer, serial_number: tbs.serial_number().clone() };
    snapshot.status(&id).unwrap()
}
