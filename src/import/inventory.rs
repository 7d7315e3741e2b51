//! Certificates and revocations of a CA, merged from its record, its certificates and its newest CRL.
use super::index_txt::IndexLine;
use super::stricter;
use super::tree::Tree;
use crate::error::Shown as _;
use crate::index::{CertificateState, ImportedContents, Revocation};
use crate::x509::{
    Certificate, CertificateList, CrlEntry, CrlReason, Name, SerialNumber, UnixTime, can_verify_old,
};
use std::collections::{BTreeMap, HashMap};

/// Bound of the number of single certificates that a notice names.
const NAMED: usize = 10;

/// A certificate issued by another program's CA.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForeignCertificate {
    /// The certificate, or the parts that are known.
    pub contents: ImportedContents,
    /// Time and reason of the revocation; `None` when it is not revoked.
    pub revocation: Option<Revocation>,
}

impl ForeignCertificate {
    /// Returns the state of the certificate.
    #[must_use]
    pub fn state(&self) -> CertificateState {
        self.revocation.clone().map_or(CertificateState::Issued, CertificateState::Revoked)
    }

    /// Returns its notAfter.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        match &self.contents {
            ImportedContents::Certificate(certificate) => certificate.tbs().validity().not_after,
            ImportedContents::Number { not_after, .. } => *not_after,
        }
    }
}

/// Everything that a CA issued, by serial number.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inventory {
    /// The certificates to be imported.
    pub certificates: BTreeMap<SerialNumber, ForeignCertificate>,
    /// Serial numbers, as written, that RFC 5280 no longer allows. Their certificates are left out.
    pub left_out: Vec<String>,
}

impl Inventory {
    /// Merges the record, the certificates and the newest CRL of a CA.
    pub(super) fn of(
        lines: &[IndexLine],
        tree: &Tree,
        authority: &Certificate,
        notices: &mut Vec<String>,
    ) -> Self {
        let mut signed = signed_by(tree, authority, notices);
        notices.extend(unverifiable(tree, authority));
        let mut inventory = Self::default();
        let mut revoked_left_out = Vec::new();
        for line in lines {
            let Some(serial_number) = &line.serial_number else {
                inventory.left_out.push(line.serial_text.clone());
                if line.revocation.is_some() {
                    revoked_left_out.push(line.serial_text.clone());
                }
                continue;
            };
            let contents = match signed.remove(serial_number) {
                Some(certificate) => ImportedContents::Certificate(certificate),
                None => ImportedContents::Number { subject: line.subject.clone(), not_after: line.not_after },
            };
            inventory.put(serial_number, contents, line.revocation.clone());
        }
        said(
            notices,
            "left out, under numbers that no certificate may have (RFC 5280 §4.1.2.2)",
            &inventory.left_out,
        );
        said(
            notices,
            "revoked and left out, so that no CRL from here lists them: replace what trusts them",
            &revoked_left_out,
        );
        let own = authority.tbs().serial_number().clone();
        if signed.get(&own) == Some(authority) {
            signed.remove(&own);
        }
        let unrecorded: Vec<String> = signed.keys().map(ToString::to_string).collect();
        said(notices, "signed by the CA and not in its record, taken over as issued", &unrecorded);
        for (serial_number, certificate) in signed {
            inventory.put(&serial_number, ImportedContents::Certificate(certificate), None);
        }
        if let Some(crl) = newest_crl(tree, authority) {
            inventory.compare(crl, notices);
        }
        let missing: Vec<String> = inventory.missing().map(ToString::to_string).collect();
        said(notices, "known by number only, without a file that can be read", &missing);
        inventory
    }

    fn put(
        &mut self,
        serial_number: &SerialNumber,
        contents: ImportedContents,
        revocation: Option<Revocation>,
    ) {
        match self.certificates.get_mut(serial_number) {
            // two lines have one serial number: merge them
            Some(known) => {
                if matches!(known.contents, ImportedContents::Number { .. }) {
                    known.contents = contents;
                }
                known.revocation = match (known.revocation.take(), revocation) {
                    (Some(one), Some(other)) => Some(stricter(one, other)),
                    (one, other) => one.or(other),
                };
            }
            None => {
                let certificate = ForeignCertificate { contents, revocation };
                self.certificates.insert(serial_number.clone(), certificate);
            }
        }
    }

    /// Adds the revocations that only the CRL has, and where it says more of one than the record, takes its word: clients have
    /// it, and what it says is not taken back.
    fn compare(&mut self, crl: &CertificateList, notices: &mut Vec<String>) {
        let (mut more, mut graver) = (Vec::new(), Vec::new());
        let mut unread = 0_usize;
        for entry in crl.tbs().entries() {
            let Ok(entry) = entry else {
                unread += 1;
                continue;
            };
            if entry.reason == Some(CrlReason::RemoveFromCrl) {
                continue;
            }
            let known =
                self.certificates.get(&entry.serial_number).and_then(|known| known.revocation.as_ref());
            match known {
                Some(one) if one.is_hold() && entry.reason == one.reason => continue,
                Some(one) if !one.is_hold() && !says_more(&entry, one) => continue,
                Some(one) if !one.is_hold() => graver.push(entry.serial_number.to_string()),
                _ => more.push(entry.serial_number.to_string()),
            }
            let nothing = ImportedContents::Number { subject: Name::empty(), not_after: UnixTime::NO_END };
            let reason = entry.reason.filter(|reason| *reason != CrlReason::Unspecified);
            let revocation = Revocation {
                revoked_at: entry.revocation_date,
                reason,
                invalidity_date: entry.invalidity_date,
            };
            self.put(&entry.serial_number, nothing, Some(revocation));
        }
        said(notices, "revoked by the CRL and not by the record, taken over as revoked", &more);
        let what =
            "revoked by the CRL earlier than by the record, or for a compromise, taken over as in the CRL";
        said(notices, what, &graver);
        if unread > 0 {
            notices.push(format!(
                "{unread} entries of the CRL cannot be read; the record alone counts for them"
            ));
        }
    }

    /// Returns the serial numbers of certificates of which nothing else is known.
    pub fn missing(&self) -> impl Iterator<Item = &SerialNumber> {
        self.certificates.iter().filter_map(|(serial_number, certificate)| {
            matches!(certificate.contents, ImportedContents::Number { .. }).then_some(serial_number)
        })
    }
}

/// Whether an entry of a CRL says that a certificate, which is revoked for good, was revoked earlier, or for a compromise of the
/// key where the record has another reason.
fn says_more(entry: &CrlEntry, known: &Revocation) -> bool {
    let is_of_the_key = |reason: Option<CrlReason>| reason.is_some_and(CrlReason::is_of_the_key);
    entry.is_final()
        && (entry.revocation_date < known.revoked_at
            || (is_of_the_key(entry.reason) && !is_of_the_key(known.reason)))
}

/// Adds a notice about these certificates, if there are any.
fn said(notices: &mut Vec<String>, what: &str, serial_numbers: &[String]) {
    if serial_numbers.is_empty() {
        return;
    }
    let count = serial_numbers.len();
    let named: Vec<&str> = serial_numbers.iter().take(NAMED).map(String::as_str).collect();
    let more = if count > NAMED { ", ..." } else { "" };
    let certificates = if count == 1 { "certificate" } else { "certificates" };
    notices.push(format!("{count} {certificates} {what}: {}{more}", named.join(", ")));
}

/// Returns the certificates that this CA signed, its own included; of two with the same serial number the first
/// found.
fn signed_by(
    tree: &Tree,
    authority: &Certificate,
    notices: &mut Vec<String>,
) -> HashMap<SerialNumber, Certificate> {
    let (name, key) = (authority.tbs().subject(), authority.tbs().public_key());
    let mut signed: HashMap<SerialNumber, Certificate> = HashMap::new();
    for found in &tree.certificates {
        let certificate = &found.certificate;
        if !certificate.tbs().issuer().is_same_as(name) || !certificate.was_signed_by(key) {
            continue;
        }
        let serial_number = certificate.tbs().serial_number().clone();
        if signed.contains_key(&serial_number) && certificate != authority {
            notices.push(format!(
                "{} has a serial number that another certificate of this CA has too, {serial_number}, and is left \
                 out: what is said of one holds for both",
                found.path.shown()
            ));
        } else {
            signed.insert(serial_number, certificate.clone());
        }
    }
    signed
}

/// Returns a notice about the certificates and CRLs in the CA's name whose signature algorithm is not supported, if
/// any.
fn unverifiable(tree: &Tree, authority: &Certificate) -> Option<String> {
    let (name, key) = (authority.tbs().subject(), authority.tbs().public_key());
    let certificates = tree.certificates.iter().map(|found| &found.certificate).filter(|certificate| {
        certificate.tbs().issuer().is_same_as(name) && !can_verify_old(key, certificate.signature_algorithm())
    });
    let crls = tree.crls.iter().filter(|(_, crl)| {
        let tbs = crl.tbs();
        tbs.issuer().is_same_as(name) && !can_verify_old(key, tbs.signature())
    });
    let (certificates, crls) = (certificates.count(), crls.count());
    (certificates + crls > 0).then(|| {
        format!(
            "signatures that a key of the type {} made cannot be verified here, so that {certificates} of its \
             certificates are known by number at most, and {crls} of its CRLs do not count: the record alone says \
             what is revoked",
            key.algorithm()
        )
    })
}

/// Returns the CRL of this CA with the highest number; without numbers the one with the latest thisUpdate.
pub(super) fn newest_crl<'t>(tree: &'t Tree, authority: &Certificate) -> Option<&'t CertificateList> {
    own_crls(tree, authority).max_by_key(|crl| (crl.tbs().crl_number(), crl.tbs().this_update()))
}

/// Returns every CRL of this CA.
pub(super) fn own_crls<'t>(
    tree: &'t Tree,
    authority: &Certificate,
) -> impl Iterator<Item = &'t CertificateList> {
    let (name, key) = (authority.tbs().subject().clone(), authority.tbs().public_key().clone());
    let crls = tree.crls.iter().map(|(_, crl)| crl);
    crls.filter(move |crl| crl.tbs().issuer().is_same_as(&name) && crl.was_signed_by(&key))
}
