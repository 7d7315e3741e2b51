//! The records as plain values, and the steps of a transaction over them.
use crate::audit::{AuditEvent, AuditRecord, Chain, Head};
use crate::index::{
    Authority, CertificateRecord, CertificateState, CrlRecord, IndexError, IntendedAuthority, KeyUse,
    NewestSigned, Restored, Retirement, Revocation,
};
use crate::x509::extension::{BasicConstraints, CrlNumber, ExtendedKeyUsage, Purpose};
use crate::x509::{
    Certificate, CertificateId, GeneralName, IssuerId, Name, TbsCertificate, UnixTime, Validity,
    compare_serials, sha256,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A certificate. Its position in the list is its number, which grows with time.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) id: CertificateId,
    /// The TBSCertificate; `None` where only the serial number is known.
    pub(super) tbs: Option<TbsCertificate>,
    pub(super) certificate: Option<Certificate>,
    /// Subject and notAfter of a certificate of which only the serial number is known.
    pub(super) described: (Name, UnixTime),
    pub(super) profile: String,
    pub(super) contact: Option<String>,
    pub(super) requested: bool,
    pub(super) state: CertificateState,
    /// Whether no CRL needs to list the certificate any more.
    pub(super) is_closed: bool,
    pub(super) change: u64,
}

impl Entry {
    pub(super) fn subject(&self) -> &Name {
        self.tbs.as_ref().map_or(&self.described.0, TbsCertificate::subject)
    }

    pub(super) fn validity(&self) -> Validity {
        let unknown = Validity { not_before: UnixTime(0), not_after: self.described.1 };
        self.tbs.as_ref().map_or(unknown, TbsCertificate::validity)
    }

    pub(super) fn key(&self) -> Option<[u8; 32]> {
        self.tbs.as_ref().map(|tbs| tbs.public_key().digest())
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.tbs.is_some() && self.certificate.is_none() && matches!(self.state, CertificateState::Revoked(_))
    }

    /// Returns the names by which the certificate can be found, in lower case.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let mut names = self.subject().texts("CN");
        let others = self.tbs.as_ref().map(TbsCertificate::subject_alt_names).unwrap_or_default();
        names.extend(others.iter().map(GeneralName::value));
        names.into_iter().map(|name| name.to_lowercase()).collect()
    }
}

/// A CA, whose certificate may still be pending.
#[derive(Clone)]
pub(super) struct Ca {
    pub(super) issuer: IssuerId,
    pub(super) name: String,
    /// The number of the CA's certificate.
    pub(super) certificate: usize,
    /// The location of the CA's key; `None` for an external CA.
    pub(super) key: Option<String>,
    /// Whether this is an external CA.
    pub(super) external: bool,
    pub(super) serves_ocsp: bool,
    pub(super) succeeds: Option<String>,
    pub(super) last_end: Option<UnixTime>,
    pub(super) retired: Option<Retirement>,
    /// The latest change that the CA's next CRL must show.
    pub(super) revised: u64,
}

/// A CRL number that was taken.
#[derive(Clone, Default)]
pub(super) struct Crl {
    pub(super) this_update: Option<UnixTime>,
    pub(super) next_update: Option<UnixTime>,
    pub(super) digest: Option<[u8; 32]>,
    pub(super) delta_digest: Option<[u8; 32]>,
    pub(super) change: u64,
    pub(super) is_published: bool,
}

/// All records. A transaction works on a copy.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) entries: Vec<Entry>,
    pub(super) cas: Vec<Ca>,
    pub(super) crls: BTreeMap<(IssuerId, CrlNumber), Crl>,
    pub(super) issuer_names: BTreeMap<IssuerId, Vec<Name>>,
    /// Numbers of the certificates that are to replace a CA's certificate, with the CA.
    pub(super) renewals: BTreeMap<usize, IssuerId>,
    pub(super) same_holder: Vec<([u8; 32], Name)>,
    pub(super) audit: Vec<AuditRecord>,
    pub(super) chain: Chain,
    pub(super) newest: Option<NewestSigned>,
    pub(super) change: u64,
    pub(super) restored: Option<Restored>,
    pub(super) superseded: Vec<Head>,
}

impl State {
    pub(super) fn append(&mut self, event: AuditEvent) {
        let record = self.chain.append(event);
        self.audit.push(record);
    }

    /// Refuses a signature with a clock behind the newest signature.
    pub(super) fn check_clock(&self, now: UnixTime) -> Result<(), IndexError> {
        match &self.newest {
            Some(newest) if now < newest.at => Err(IndexError::ClockBehind { now, newest: newest.at }),
            _ => Ok(()),
        }
    }

    pub(super) fn sign(&mut self, at: UnixTime, what: String) {
        if self.newest.as_ref().is_none_or(|newest| at >= newest.at) {
            self.newest = Some(NewestSigned { at, what });
        }
    }

    pub(super) fn check_accepted(&self) -> Result<(), IndexError> {
        match self.restored {
            Some(Restored { backup, .. }) => Err(IndexError::NotAccepted { backup }),
            None => Ok(()),
        }
    }

    pub(super) fn next_change(&mut self) -> u64 {
        self.change += 1;
        self.change
    }

    pub(super) fn find(&self, id: &CertificateId) -> Option<usize> {
        self.entries.iter().position(|entry| entry.id == *id)
    }

    pub(super) fn place(&self, id: &CertificateId) -> Result<usize, IndexError> {
        self.find(id).ok_or_else(|| IndexError::NotFound(id.clone()))
    }

    /// Returns the CA of this identity, whether or not its certificate is issued.
    pub(super) fn entered(&self, issuer: &IssuerId) -> Option<&Ca> {
        self.cas.iter().find(|ca| ca.issuer == *issuer)
    }

    fn has_certificate(&self, ca: &Ca) -> bool {
        self.entries[ca.certificate].certificate.is_some()
    }

    /// Returns the CA of this identity, if its certificate is issued.
    pub(super) fn ca(&self, issuer: &IssuerId) -> Result<&Ca, IndexError> {
        self.entered(issuer)
            .filter(|ca| self.has_certificate(ca))
            .ok_or(IndexError::UnknownAuthority(*issuer))
    }

    pub(super) fn named(&self, name: &str) -> Option<&Ca> {
        self.cas.iter().find(|ca| ca.name == name && self.has_certificate(ca))
    }

    pub(super) fn authority(&self, ca: &Ca) -> Authority {
        let entry = &self.entries[ca.certificate];
        let parent = (entry.id.issuer != ca.issuer).then(|| self.entered(&entry.id.issuer)).flatten();
        Authority {
            name: ca.name.clone(),
            issuer: ca.issuer,
            parent: parent.map(|parent| parent.name.clone()),
            profile: entry.profile.clone(),
            certificate: entry.certificate.clone().unwrap(),
            key: ca.key.clone().unwrap_or_default(),
            external: ca.external,
            serves_ocsp: ca.serves_ocsp,
            succeeds: ca.succeeds.clone(),
            last_end: ca.last_end,
            retired: ca.retired.clone(),
        }
    }

    pub(super) fn authorities(&self) -> Vec<Authority> {
        let mut rest: Vec<Authority> =
            self.cas.iter().filter(|ca| self.has_certificate(ca)).map(|ca| self.authority(ca)).collect();
        rest.sort_by(|a, b| b.name.cmp(&a.name));
        let (mut sorted, mut parents) = (Vec::new(), vec![None]);
        while let Some(parent) = parents.pop() {
            let (children, others): (Vec<Authority>, Vec<Authority>) =
                rest.into_iter().partition(|one| one.parent == parent);
            rest = others;
            parents.extend(children.iter().map(|child| Some(child.name.clone())));
            sorted.extend(children.into_iter().rev());
        }
        sorted
    }

    pub(super) fn record(&self, entry: &Entry) -> CertificateRecord {
        CertificateRecord {
            id: entry.id.clone(),
            authority: self.entered(&entry.id.issuer).map(|ca| ca.name.clone()).unwrap_or_default(),
            subject: entry.subject().clone(),
            subject_alt_names: entry.tbs.as_ref().map(TbsCertificate::subject_alt_names).unwrap_or_default(),
            validity: entry.validity(),
            profile: entry.profile.clone(),
            contact: entry.contact.clone(),
            state: entry.state.clone(),
            key: entry.key(),
            certificate: entry.certificate.clone(),
            intended: entry
                .tbs
                .as_ref()
                .filter(|_| entry.certificate.is_none())
                .map(|tbs| sha256(tbs.as_der())),
            serial_only: entry.tbs.is_none(),
        }
    }

    pub(super) fn key_uses(&self, key: &[u8; 32]) -> Vec<KeyUse> {
        let of_key = self.entries.iter().enumerate().filter(|(_, entry)| entry.key().as_ref() == Some(key));
        of_key
            .map(|(number, entry)| KeyUse {
                id: entry.id.clone(),
                subject: entry.subject().clone(),
                authority: self.cas.iter().find(|ca| ca.certificate == number).map(|ca| ca.name.clone()),
                state: entry.state.clone(),
                is_ca: entry.tbs.as_ref().is_some_and(is_ca),
                not_after: entry.validity().not_after,
                is_abandoned: entry.is_abandoned(),
            })
            .collect()
    }

    pub(super) fn one_subscriber(&self, key: &[u8; 32]) -> Vec<Name> {
        self.same_holder.iter().filter(|(of, _)| of == key).map(|(_, name)| name.clone()).collect()
    }

    pub(super) fn note_name(&mut self, issuer: IssuerId, name: &Name) {
        let names = self.issuer_names.entry(issuer).or_default();
        if !names.contains(name) {
            names.push(name.clone());
        }
    }

    pub(super) fn note_end(&mut self, issuer: &IssuerId, end: UnixTime) {
        if let Some(ca) = self.cas.iter_mut().find(|ca| ca.issuer == *issuer) {
            ca.last_end = ca.last_end.max(Some(end));
        }
    }

    /// Notes that the next CRL of this issuer differs from the last.
    pub(super) fn revise(&mut self, issuer: &IssuerId, change: u64) {
        if let Some(ca) = self.cas.iter_mut().find(|ca| ca.issuer == *issuer) {
            ca.revised = change;
        }
    }

    pub(super) fn store_state(&mut self, number: usize, state: CertificateState, change: u64) {
        let entry = &mut self.entries[number];
        (entry.state, entry.is_closed, entry.change) = (state, false, change);
    }

    /// Frees name and identity of a CA whose certificate was abandoned.
    pub(super) fn leave(&mut self, number: usize) {
        self.renewals.remove(&number);
        self.cas.retain(|ca| ca.certificate != number);
    }

    /// Replaces the certificate of a CA by this one, if it was issued as a renewal.
    pub(super) fn install(&mut self, number: usize) {
        if let Some(issuer) = self.renewals.remove(&number)
            && let Some(ca) = self.cas.iter_mut().find(|ca| ca.issuer == issuer)
        {
            ca.certificate = number;
        }
    }

    /// Adds a certificate, and notes the spelling of its issuer's name and, for its issuer, its notAfter.
    pub(super) fn insert(&mut self, entry: Entry) -> Result<usize, IndexError> {
        if self.find(&entry.id).is_some() {
            return Err(IndexError::SerialInUse(entry.id));
        }
        let issuer = entry.id.issuer;
        match &entry.tbs {
            Some(tbs) => {
                if tbs.as_issuer() != issuer && !is_only_a_responders(tbs) {
                    self.note_end(&issuer, tbs.validity().not_after);
                }
                let name = tbs.issuer().clone();
                self.note_name(issuer, &name);
            }
            None => self.note_end(&issuer, entry.described.1),
        }
        self.entries.push(entry);
        Ok(self.entries.len() - 1)
    }

    /// Reserves name and identity for a new CA, or notes that the certificate is to replace that of a known CA.
    pub(super) fn enter(
        &mut self,
        issuer: IssuerId,
        new: &IntendedAuthority,
        number: usize,
    ) -> Result<(), IndexError> {
        if new.renews {
            return self.renew(issuer, &new.name, number);
        }
        if let Some(before) = new.succeeds.as_ref().filter(|before| self.named(before).is_none()) {
            return Err(IndexError::IssuerUnfit(format!("there is no CA named {before}")));
        }
        if let Some(taken) = self.cas.iter().find(|ca| ca.name == new.name || ca.issuer == issuer) {
            return Err(IndexError::AuthorityExists(taken.name.clone()));
        }
        self.cas.push(Ca {
            issuer,
            name: new.name.clone(),
            certificate: number,
            key: new.key.clone(),
            external: new.key.is_none(),
            serves_ocsp: new.serves_ocsp,
            succeeds: new.succeeds.clone(),
            last_end: None,
            retired: None,
            revised: 0,
        });
        Ok(())
    }

    fn renew(&mut self, issuer: IssuerId, name: &str, number: usize) -> Result<(), IndexError> {
        let ca = self.ca(&issuer)?;
        if ca.name != name {
            return Err(IndexError::UnknownAuthority(issuer));
        }
        if self.entries[ca.certificate].state != CertificateState::Issued {
            return Err(IndexError::IssuerUnfit(format!("{name} is revoked and cannot be renewed")));
        }
        if matches!(self.entries[number].state, CertificateState::Revoked(_)) {
            let message = format!("the certificate that {name} is to have is revoked");
            return Err(IndexError::IssuerUnfit(message));
        }
        self.renewals.insert(number, issuer);
        Ok(())
    }

    /// Returns the newest CRL that was published.
    pub(super) fn last_crl(&self, issuer: &IssuerId) -> Option<(CrlNumber, &Crl)> {
        let all = self.crls.iter().filter(|((of, _), crl)| of == issuer && crl.is_published);
        all.map(|((_, number), crl)| (*number, crl)).next_back()
    }

    pub(super) fn last_crl_record(&self, issuer: &IssuerId) -> Option<CrlRecord> {
        let (number, crl) = self.last_crl(issuer)?;
        Some(CrlRecord { number, this_update: crl.this_update?, next_update: crl.next_update? })
    }

    pub(super) fn highest_crl_number(&self, issuer: &IssuerId) -> Result<CrlNumber, IndexError> {
        self.ca(issuer)?;
        Ok(self.crls.keys().filter(|(of, _)| of == issuer).map(|(_, number)| *number).max().unwrap_or(0))
    }

    /// Returns the entries of an issuer's next CRL, in order of serial number.
    pub(super) fn listed(&self, issuer: &IssuerId) -> Vec<(&CertificateId, &Revocation)> {
        let mut listed: Vec<(&CertificateId, &Revocation)> = self
            .entries
            .iter()
            .filter(|entry| entry.id.issuer == *issuer && !entry.is_closed)
            .filter_map(|entry| match &entry.state {
                CertificateState::Revoked(revocation) => Some((&entry.id, revocation)),
                CertificateState::Pending | CertificateState::Issued => None,
            })
            .collect();
        listed.sort_by(|(a, _), (b, _)| by_serial(a, b));
        listed
    }
}

pub(super) fn by_serial(a: &CertificateId, b: &CertificateId) -> Ordering {
    compare_serials(a.serial_number.as_be_octets(), b.serial_number.as_be_octets())
}

pub(super) fn is_ca(tbs: &TbsCertificate) -> bool {
    BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca)
}

/// Returns whether the certificate is that of a delegated responder (RFC 6960 §4.2.2.2).
pub(super) fn is_responders(tbs: &TbsCertificate) -> bool {
    !is_ca(tbs) && ExtendedKeyUsage::of(tbs).is_some_and(|usage| usage.0.contains(&Purpose::OCSP_SIGNING))
}

/// Returns whether the certificate is that of a delegated responder and has no other purpose.
pub(super) fn is_only_a_responders(tbs: &TbsCertificate) -> bool {
    !is_ca(tbs) && ExtendedKeyUsage::of(tbs).is_some_and(|usage| usage.0 == [Purpose::OCSP_SIGNING])
}
