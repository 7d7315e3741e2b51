//! What the signer remembers beside signatures: acts, what was shown to it, what was given up.
use super::answers::{Answer, Signer, certificate, signer};
use crate::signer::protocol::{Failure, Frame, Reply, put_serial, serials};
use crate::signer::{
    Act, ActKind, Admission, Asker, ClientClass, Journal, Peer, RecordError, Right, SignatureRecord, Verified,
};
use crate::signing::KeyRef;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateList, SerialNumber, UnixTime};
use std::collections::HashSet;

/// Octets of the journal in one answer.
const JOURNAL_PART: usize = 1 << 20;

impl Signer {
    pub(super) fn remembers(&self, peer: &Peer) -> Result<(Asker, UnixTime, &Journal), RecordError> {
        let (by, at) = (Asker::from(peer), (self.parts.now)());
        Ok((by, at, self.parts.journal.journal(by, at)?))
    }

    /// Enters an act into the journal.
    pub(super) fn act(&self, peer: &Peer, kind: ActKind, key: Option<[u8; 32]>, details: String) -> Answer {
        let (by, at, journal) = self.remembers(peer)?;
        journal.turn()?.act(by, at, vec![Act { kind, key, details }])?;
        Ok(Reply::Done.into())
    }

    /// Returns the identity of the key about which a client says something. Who is not the user of the keys is heard about a
    /// key that is open for it, or that an administrator has had come, and about no other.
    pub(super) fn meant(&self, peer: &Peer, key: &KeyRef) -> Result<[u8; 32], Failure> {
        let said = identity(key)?;
        let is_heard = peer.class == ClientClass::Child || self.is_coming(peer, key, &said);
        if !is_heard && self.opened(peer, key)?.public_key().digest() != said {
            return Err(signer("the key is another one"));
        }
        Ok(said)
    }

    /// Returns the identity of the key that is here under this name, whatever the client says that it is: of the open key,
    /// else by the certificates that are kept of it. `None` where neither says.
    fn identity_here(&self, peer: &Peer, key: &KeyRef) -> Result<Option<[u8; 32]>, Failure> {
        let of_name = KeyRef { identity: None, uri: key.uri.clone() };
        match self.opened(peer, &of_name) {
            Ok(opened) => Ok(Some(opened.public_key().digest())),
            Err(_) => self.parts.rules.identity_named(&of_name),
        }
    }

    /// Accepts what a restore could not know, where there was one. Whoever uses keys does not approve that.
    pub(super) fn accept(&self, peer: &Peer) -> Answer {
        let (by, at, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        if !turn.has_gap()? {
            return Ok(Reply::Done.into());
        }
        if !peer.class.may(Right::Approve) {
            return Err(signer("it was restored, and an administrator accepts that"));
        }
        turn.act(by, at, vec![Act { kind: ActKind::Accepted, key: None, details: String::new() }])?;
        Ok(Reply::Done.into())
    }

    /// Says what it has to be shown before it signs a CRL after the one of this number.
    pub(super) fn unknown(&self, peer: &Peer, key: &KeyRef, last: CrlNumber, parts: &[Vec<u8>]) -> Answer {
        let key = identity(key)?;
        let (_, _, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        let mut unknown = Vec::new();
        for serial in serials(parts.first().map(Vec::as_slice).unwrap_or_default())? {
            if turn.record().not_after(&key, &serial)?.is_none() {
                put_serial(&mut unknown, &serial);
            }
        }
        let crl = last > 0 && does_not_know(turn.record(), &key)?;
        Ok(Frame::with(Reply::Unknown { crl }, vec![unknown]))
    }

    /// Takes what the key signed.
    pub(super) fn show(&self, peer: &Peer, key: &KeyRef, is_crl: bool, parts: &[Vec<u8>]) -> Answer {
        let (issuer, shown) = parts.split_first().ok_or_else(|| signer("nothing was shown to it"))?;
        let issuer = certificate(issuer)?;
        let public_key = issuer.tbs().public_key();
        if public_key.digest() != self.meant(peer, key)? {
            return Err(signer("the certificate that was shown is of another key"));
        }
        let mut verified = Vec::new();
        for octets in shown {
            let one = if is_crl {
                let crl = CertificateList::from_der(octets).map_err(|error| refused(&error.to_string()))?;
                Verified::crl(public_key, &crl)
            } else {
                Verified::certificate(public_key, &certificate(octets)?)
            };
            verified.push(one.ok_or_else(|| refused("its key did not sign what was shown to it"))?);
        }
        let (by, at, journal) = self.remembers(peer)?;
        journal.turn()?.show(by, at, &verified)?;
        Ok(Reply::Done.into())
    }

    /// Refuses a mark by which a client that is not the user of the keys would use up CRL numbers: one further above the last
    /// CRL than a CRL may be.
    pub(super) fn check_mark(&self, peer: &Peer, key: &KeyRef, number: CrlNumber) -> Result<(), Failure> {
        if peer.class == ClientClass::Child {
            return Ok(());
        }
        if self.vault(key)?.keys().mark(key)?.number.is_some_and(|mark| mark >= number) {
            return Ok(());
        }
        let identity = self.identity_here(peer, key)?;
        let (_, _, journal) = self.remembers(peer)?;
        let turn = journal.turn()?;
        let last = match identity {
            Some(identity) => turn.record().last_crl(&identity)?.map_or(0, |last| last.number),
            None => 0,
        };
        // half of how far the number of a CRL may be: the next one is above the mark
        match number.saturating_sub(last) > Admission::FAR / 2 {
            true => Err(signer("a CRL number so far above the last one is not noted")),
            false => Ok(()),
        }
    }

    /// Enters what its client gave up.
    pub(super) fn abandon(&self, peer: &Peer, key: &KeyRef, parts: &[Vec<u8>]) -> Answer {
        let given_up = serials(parts.first().map(Vec::as_slice).unwrap_or_default())?;
        let (by, at, journal) = self.remembers(peer)?;
        let key = self.meant(peer, key)?;
        let given_up = HashSet::<SerialNumber>::from_iter(given_up).into_iter().collect();
        journal.turn()?.abandon(by, at, key, given_up)?;
        Ok(Reply::Done.into())
    }

    /// Returns a part of the journal.
    pub(super) fn journal_from(&self, peer: &Peer, from: u64) -> Answer {
        let (_, _, journal) = self.remembers(peer)?;
        Ok(Frame::with(Reply::Done, vec![journal.octets_from(from, JOURNAL_PART)?]))
    }
}

pub(super) fn identity(key: &KeyRef) -> Result<[u8; 32], Failure> {
    key.identity.ok_or_else(|| signer("it was not told which key is meant"))
}

fn refused(reason: &str) -> Failure {
    Failure::Refused { reason: reason.to_owned() }
}

/// Returns whether the entries of the last complete CRL are not known, or no CRL at all.
fn does_not_know(record: &dyn SignatureRecord, key: &[u8; 32]) -> Result<bool, RecordError> {
    match record.each_last_entry(key, &mut |_, _| false) {
        Err(RecordError::ListUnknown(_)) => Ok(true),
        Err(error) => Err(error),
        Ok(()) => Ok(record.last_crl(key)?.is_none()),
    }
}
