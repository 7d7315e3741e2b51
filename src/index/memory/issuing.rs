//! Intents, issued certificates and abandoned certificates. Each group is one transaction.
use super::MemoryIndex;
use super::state::{Ca, Entry, State, is_ca, is_only_a_responders};
use crate::audit::AuditEvent;
use crate::index::prelude::*;
use crate::index::{
    CertificateState, Guard, IndexError, IntendedAuthority, Intent, Issued, Revocation, check_key,
};
use crate::x509::{CertificateId, IssuerId, Name, TbsCertificate, UnixTime};

impl IssuanceIndex for MemoryIndex {
    fn signing(&self) -> Result<Guard, IndexError> {
        Ok(self.store.interlock.share())
    }

    fn nobody_is_signing(&self) -> Result<Option<Guard>, IndexError> {
        Ok(self.store.interlock.exclude())
    }

    fn store_intents(&self, intents: &[Intent]) -> Result<(), IndexError> {
        self.write("store_intents", |state| {
            let Some(earliest) = intents.iter().map(|intent| intent.event.at).min() else { return Ok(()) };
            state.check_clock(earliest)?;
            let change = state.next_change();
            for intent in intents {
                intent.check_decided(|key| Ok(state.key_uses(key)))?;
            }
            intents.iter().try_for_each(|intent| store_intent(state, intent, change))
        })
    }

    fn record_issued(&self, certificates: &[Issued]) -> Result<(), IndexError> {
        self.write("record_issued", |state| {
            if certificates.is_empty() {
                return Ok(());
            }
            let change = state.next_change();
            for issued in certificates {
                let id = issued.id();
                let number = state.place(&id)?;
                let entry = &mut state.entries[number];
                let is_intended =
                    entry.tbs.as_ref().is_some_and(|tbs| tbs.as_der() == issued.certificate.tbs().as_der());
                if entry.state != CertificateState::Pending || !is_intended {
                    return Err(IndexError::Conflict(id));
                }
                entry.certificate = Some(issued.certificate.clone());
                state.store_state(number, CertificateState::Issued, change);
                state.install(number);
                state.append(issued.event.clone());
            }
            Ok(())
        })
    }

    fn abandon(&self, pending: &[(CertificateId, AuditEvent)]) -> Result<usize, IndexError> {
        self.write("abandon", |state| {
            let (mut abandoned, mut change) = (0, None);
            for (id, event) in pending {
                let number = state.place(id)?;
                if state.entries[number].state != CertificateState::Pending {
                    continue;
                }
                let change = *change.get_or_insert_with(|| state.next_change());
                let signed = state.newest.as_ref().map_or(event.at, |newest| newest.at);
                let revocation =
                    Revocation { revoked_at: event.at.min(signed), reason: None, invalidity_date: None };
                state.store_state(number, CertificateState::Revoked(revocation), change);
                state.revise(&id.issuer, change);
                state.leave(number);
                state.append(event.clone());
                abandoned += 1;
            }
            Ok(abandoned)
        })
    }
}

fn store_intent(state: &mut State, intent: &Intent, change: u64) -> Result<(), IndexError> {
    let tbs = intent.tbs.get();
    // Without a responder certificate, OCSP could not report revocations.
    if intent.requested || !is_only_a_responders(tbs) {
        state.check_accepted()?;
    }
    let makes_itself = intent.authority.is_some() && tbs.as_issuer() == intent.issuer;
    let name = if makes_itself {
        tbs.subject().clone()
    } else {
        usable_issuer(state, &intent.issuer, intent.event.at)?
    };
    if name != *tbs.issuer() {
        let (named, is) = tbs.issuer().beside(&name);
        let message = format!("the certificate names {named} as its issuer, which is called {is}");
        return Err(IndexError::IssuerUnfit(message));
    }
    let id = CertificateId { issuer: intent.issuer, serial_number: tbs.serial_number().clone() };
    check_use(state, &id, tbs, intent.same_holder_as.as_ref())?;
    let number = state.insert(Entry {
        id,
        tbs: Some(tbs.clone()),
        certificate: None,
        described: (Name::empty(), UnixTime::NO_END),
        profile: intent.profile.clone(),
        contact: intent.contact.clone(),
        requested: intent.requested,
        state: CertificateState::Pending,
        is_closed: false,
        change,
    })?;
    if let Some(new) = &intent.authority {
        state.enter(tbs.as_issuer(), new, number)?;
        state.note_name(tbs.as_issuer(), tbs.subject());
    }
    state.sign(intent.event.at, format!("certificate {}", intent.event.object));
    let new = intent.authority.as_ref().filter(|new| !new.renews);
    check_name(state, tbs, number, new, intent.event.at)?;
    state.append(intent.event.clone());
    Ok(())
}

fn check_use(
    state: &mut State,
    id: &CertificateId,
    tbs: &TbsCertificate,
    same_holder_as: Option<&Name>,
) -> Result<(), IndexError> {
    let (key, subject) = (tbs.public_key().digest(), tbs.subject());
    let uses = state.key_uses(&key);
    if uses.is_empty() {
        return Ok(());
    }
    if let Some(former) = same_holder_as.filter(|former| uses.iter().any(|past| past.is_of(former))) {
        for name in [former, subject] {
            if !state.same_holder.contains(&(key, name.clone())) {
                state.same_holder.push((key, name.clone()));
            }
        }
    }
    check_key(&uses, subject, is_ca(tbs), &state.one_subscriber(&key))
        .map_err(|conflict| IndexError::KeyRefused { id: id.clone(), conflict })
}

/// Returns the name of an issuer that may issue at this time.
fn usable_issuer(state: &State, issuer: &IssuerId, at: UnixTime) -> Result<Name, IndexError> {
    let first = state.ca(issuer)?;
    let mut next = Some(first);
    while let Some(ca) = next {
        let entry = &state.entries[ca.certificate];
        let crate::x509::Validity { not_before, not_after } = entry.validity();
        let why = match &entry.state {
            CertificateState::Revoked(revocation) if revocation.is_hold() => {
                Some(format!("has been on hold since {}", revocation.revoked_at))
            }
            CertificateState::Revoked(revocation) => {
                Some(format!("was revoked at {}", revocation.revoked_at))
            }
            _ if ca.retired.is_some() => Some("was retired".to_owned()),
            CertificateState::Pending => Some("has no certificate yet".to_owned()),
            CertificateState::Issued if at > not_after => Some(format!("expired at {not_after}")),
            CertificateState::Issued if at < not_before => Some(format!("is not valid before {not_before}")),
            CertificateState::Issued => None,
        };
        if let Some(why) = why {
            let (name, first) = (&ca.name, &first.name);
            let which = if name == first { name.clone() } else { format!("{name}, above {first},") };
            return Err(IndexError::IssuerUnfit(format!("{which} {why}")));
        }
        next = (entry.id.issuer != ca.issuer).then(|| state.entered(&entry.id.issuer)).flatten();
    }
    Ok(state.entries[first.certificate].subject().clone())
}

/// Checks that no subscriber and no CA of another key has a CA's name, except the generations of that CA.
fn check_name(
    state: &State,
    tbs: &TbsCertificate,
    number: usize,
    new: Option<&IntendedAuthority>,
    at: UnixTime,
) -> Result<(), IndexError> {
    if tbs.subject().is_empty() || is_ca(tbs) && new.is_none() {
        return Ok(());
    }
    let key = tbs.public_key().digest();
    let taken = |bearer: String| IndexError::NameTaken { subject: tbs.subject().to_string(), bearer };
    let is_named = |entry: &Entry| entry.subject().is_same_as(tbs.subject());
    let bears = |number: usize, own: bool| {
        let entry = &state.entries[number];
        is_named(entry) && (entry.key() == Some(key)) == own
    };
    let is_meant = |ca: &&Ca| new.is_none() || ca.retired.is_none();
    let mut bearers = state.cas.iter().filter(is_meant).filter(|ca| bears(ca.certificate, false));
    let Some(new) = new else {
        return bearers.next().map_or(Ok(()), |ca| Err(taken(format!("the CA {}", ca.name))));
    };
    let is_generation = state.cas.iter().any(|ca| ca.certificate != number && bears(ca.certificate, true));
    let mut family: Vec<String> = Vec::new();
    let mut next = new.succeeds.clone();
    while let Some(name) = next.filter(|name| !family.contains(name)) {
        next = state.named(&name).and_then(|ca| ca.succeeds.clone());
        family.push(name);
    }
    if let Some(other) = bearers.find(|ca| !is_generation && !family.contains(&ca.name)) {
        return Err(taken(format!("the CA {}", other.name)));
    }
    let is_a_cas =
        |key: Option<[u8; 32]>| state.cas.iter().any(|ca| state.entries[ca.certificate].key() == key);
    let subscriber = state.entries.iter().find(|entry| {
        let still_current = match &entry.state {
            CertificateState::Revoked(revocation) => revocation.is_hold(),
            CertificateState::Pending | CertificateState::Issued => true,
        };
        let is_other = entry.key().is_some_and(|other| other != key);
        is_other
            && is_named(entry)
            && still_current
            && entry.validity().not_after >= at
            && !is_a_cas(entry.key())
    });
    subscriber.map_or(Ok(()), |entry| {
        let issuer = state.entered(&entry.id.issuer).map(|ca| ca.name.clone()).unwrap_or_default();
        Err(taken(format!("the certificate {issuer}/{}", entry.id.serial_number)))
    })
}
