//! Delta CRLs (RFC 5280 §5.2.4): what changed since a complete CRL that relying parties may still have. One is made
//! beside each complete CRL, with its number, from the one before it and from what the complete one says otherwise
//! than the last.
use super::Maintenance;
use super::difference::{Found, serials};
use super::next_list::in_order;
use crate::ca::CrlAuthority;
use crate::ca::authority::CrlSigned;
use crate::ca::problems::lint_problem;
use crate::error::Problem;
use crate::index::Authority;
use crate::lint::{self, Linted};
use crate::repository::PublishError;
use crate::x509::extension::{CrlNumber, authority_key_identifier, crl_number, delta_crl_indicator};
use crate::x509::{Certificate, CrlEntry, CrlReason, TbsCertList, TbsCertListBuilder, UnixTime};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A delta CRL that was made and published.
#[derive(Clone, Debug)]
pub struct PublishedDelta {
    /// `BaseCRLNumber`
    pub base: CrlNumber,
    /// `nextUpdate`
    pub next_update: UnixTime,
    /// Number of its entries.
    pub entries: usize,
    /// Files in which it was published, DER then PEM.
    pub files: Vec<PathBuf>,
}

/// A delta CRL that is not on record yet.
pub(in crate::ca) struct NextDelta {
    tbs: Linted<TbsCertList>,
    base: CrlNumber,
    entries: usize,
    next_update: UnixTime,
}

/// What a delta CRL is made from.
pub(super) struct DeltaPlan {
    /// Number of the last complete CRL.
    pub(super) last: CrlNumber,
    /// What the next one says otherwise.
    pub(super) found: Found,
    /// Seconds that the delta lasts.
    pub(super) life: i64,
}

/// Returns the entries of the next delta CRL, in order: those of the one before as far as they are in `still`, as they
/// stand on the next complete CRL, and what that says otherwise than the last.
fn entries_of(before: Vec<CrlEntry>, found: Found, now: UnixTime) -> Vec<CrlEntry> {
    let is_lifted = |entry: &CrlEntry| !entry.is_final();
    let gone: BTreeSet<_> = serials(&found.left).into_iter().chain(serials(&found.entries)).collect();
    let mut entries: Vec<CrlEntry> =
        before.into_iter().filter(|entry| !gone.contains(&entry.serial_number)).collect();
    // what was revoked for good leaves when the certificate has ended, and nobody asks for it any more
    entries.extend(found.left.into_iter().filter(is_lifted).map(|entry| CrlEntry {
        reason: Some(CrlReason::RemoveFromCrl),
        revocation_date: now,
        invalidity_date: None,
        ..entry
    }));
    entries.extend(found.entries);
    entries.sort_by(in_order);
    entries
}

impl Maintenance<'_> {
    /// Seconds that delta CRLs of this CA last; `None` where none are made.
    pub(super) fn delta_life(&self, authority: &Authority) -> Option<i64> {
        let config = &self.engine.settings().config;
        config.delta_crl_next_update(&authority.name, authority.is_offline_unless_configured())
    }

    /// Makes the delta CRL beside the complete CRL with this number. Without a delta CRL of the last complete one it is
    /// based on that one. Otherwise its base is the oldest complete CRL that has not lapsed, and not before that of the
    /// delta before.
    pub(super) fn next_delta(
        &self,
        authority: &Authority,
        certificate: &Certificate,
        (number, this_update): (CrlNumber, UnixTime),
        plan: DeltaPlan,
    ) -> Result<NextDelta, Problem> {
        let index = self.engine.index();
        let published = self.engine.publisher().published_delta_crl(&authority.name).ok().flatten();
        let before = match published {
            Some(delta)
                if delta.tbs().crl_number() == Some(plan.last)
                    && delta.is_signed_by(certificate.tbs().public_key())
                    && index.is_recorded(&authority.issuer, delta.tbs())? =>
            {
                let entries: Result<Vec<CrlEntry>, _> = delta.tbs().entries().collect();
                entries.ok().zip(delta.tbs().base_crl_number())
            }
            _ => None,
        };
        let (before, from) = before.unwrap_or((Vec::new(), plan.last));
        let oldest = index.delta_base(&authority.issuer, number, this_update)?.unwrap_or(from);
        let base = from.max(oldest.min(plan.last));
        let before = if base > from {
            let still = index.changed_since(&authority.issuer, base, serials(&before))?;
            let still: BTreeSet<_> = still.into_iter().collect();
            before.into_iter().filter(|entry| still.contains(&entry.serial_number)).collect()
        } else {
            before
        };
        let entries = entries_of(before, plan.found, this_update);
        let algorithm = certificate.tbs().public_key().algorithm().signature_algorithm();
        let (issuer, next_update) = (certificate.tbs().subject().clone(), this_update.plus(plan.life));
        let mut list = TbsCertListBuilder::new(algorithm, issuer, this_update, next_update);
        for entry in &entries {
            list.push(entry);
        }
        let identifier = authority_key_identifier(&certificate.key_identifier());
        let tbs = list.encode(vec![identifier, crl_number(number), delta_crl_indicator(base)]);
        let tbs = lint::check_crl(tbs, certificate).map_err(|findings| lint_problem(&findings))?;
        Ok(NextDelta { tbs, base, entries: entries.len(), next_update })
    }

    /// Signs and publishes a delta CRL after its complete one. `None` when another process has published since, or when
    /// the signer does not know what changed since the base; the next delta is based on this complete CRL then.
    pub(super) fn publish_delta(
        &self,
        authority: &Authority,
        signer: &CrlAuthority,
        (number, next): (CrlNumber, NextDelta),
    ) -> Result<Option<PublishedDelta>, Problem> {
        let NextDelta { tbs, base, entries, next_update } = next;
        let name = &authority.name;
        let mut event = self.engine.event(self.engine.now(), "crl.issued", name);
        event.details.extend([
            ("number".to_owned(), number.to_string()),
            ("base".to_owned(), base.to_string()),
            ("entries".to_owned(), entries.to_string()),
        ]);
        let tbs = self.engine.index().record_crl(&authority.issuer, tbs, event)?;
        let crl = match signer.sign_or_again(tbs)? {
            CrlSigned::Signed(crl) => crl,
            CrlSigned::Unknown(_) | CrlSigned::Overtaken(_) | CrlSigned::NoDelta => return Ok(None),
        };
        let files = match self.engine.publisher().delta_crl(name, &crl) {
            Ok(files) => files,
            Err(PublishError::Older { published, offered }) if published > offered => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut event = self.engine.event(self.engine.now(), "crl.published", name);
        event
            .details
            .extend([("number".to_owned(), number.to_string()), ("base".to_owned(), base.to_string())]);
        self.engine.index().record_event(event)?;
        Ok(Some(PublishedDelta { base, next_update, entries, files }))
    }

    /// Whether a delta CRL is due beside the complete CRL with this number, which is the last: there is none of that
    /// number, or the configured share of its life is over.
    pub(super) fn delta_is_due(&self, authority: &Authority, number: CrlNumber) -> Result<bool, Problem> {
        if self.delta_life(authority).is_none() {
            return Ok(false);
        }
        let own = authority.certificate.tbs().subject();
        let published = self.engine.publisher().delta_crl_in_place(&authority.name)?;
        let Some(delta) = published.filter(|delta| {
            delta.issuer().is_same_as(own)
                && delta.crl_number() == Some(number)
                && delta.base_crl_number().is_some()
        }) else {
            return Ok(true);
        };
        let (this_update, next_update) = (delta.this_update(), delta.next_update().unwrap_or_default());
        let config = &self.engine.settings().config;
        Ok(self.engine.now()
            >= config.crl_lifetime(&authority.name, false, this_update, next_update).renewable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    const HOLD: Option<CrlReason> = Some(CrlReason::CertificateHold);
    const REMOVED: Option<CrlReason> = Some(CrlReason::RemoveFromCrl);

    #[test]
    fn a_delta_goes_on_from_the_one_before_and_says_what_the_complete_list_says() {
        // C2, C4, C5
        let one = |number: u8, reason| entry(&[number, 0], reason);
        let before = vec![one(1, None), one(2, HOLD), one(3, REMOVED), one(4, None), one(5, HOLD)];
        let found = Found {
            entries: vec![one(3, None), one(5, Some(CrlReason::KeyCompromise)), one(9, HOLD)],
            left: vec![one(2, HOLD), one(4, None), one(6, HOLD), one(7, None)],
        };
        let removed = |number: u8| CrlEntry { revocation_date: UnixTime(900), ..one(number, REMOVED) };
        let expected = [
            one(1, None),
            removed(2),
            one(3, None),
            one(5, Some(CrlReason::KeyCompromise)),
            removed(6),
            one(9, HOLD),
        ];
        assert_eq!(entries_of(before, found, UnixTime(900)), expected);
    }
}
