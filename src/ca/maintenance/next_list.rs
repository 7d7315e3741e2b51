//! The next complete CRL of a CA: its number taken, encoded and checked. Whoever has the key signs it, here or at a
//! ceremony.
use super::Maintenance;
use super::delta::{DeltaPlan, NextDelta};
use super::difference::Difference;
use super::signer_memory::{Before, LeftOut};
use crate::ca::problems::lint_problem;
use crate::error::Problem;
use crate::index::{Authority, Comparison, contradicting};
use crate::lint::{self, Linted};
use crate::signing::KeyRef;
use crate::status::{check_contradicting, last_signed};
use crate::x509::extension::{CrlNumber, authority_key_identifier, crl_number, freshest_crl};
use crate::x509::{
    Certificate, CrlEntry, CrlReason, TbsCertList, TbsCertListBuilder, UnixTime, compare_serials,
};
use std::cmp::Ordering;

/// A CRL that is not on record yet, and its number, which was taken.
pub(in crate::ca) struct NextList {
    pub(in crate::ca) tbs: Linted<TbsCertList>,
    pub(in crate::ca) number: CrlNumber,
    pub(in crate::ca) entries: usize,
    pub(super) next_update: UnixTime,
    /// The last confirmed time before it.
    pub(super) confirmed: UnixTime,
    /// What was signed last, and what the new CRL leaves out of it.
    pub(super) before: Option<Before>,
    /// The delta CRL to be made beside it.
    pub(super) delta: Option<NextDelta>,
}

/// The order of entries: that of their serial numbers as numbers.
pub(super) fn in_order(one: &CrlEntry, other: &CrlEntry) -> Ordering {
    compare_serials(one.serial_number.as_be_octets(), other.serial_number.as_be_octets())
}

/// Returns an entry that takes nothing back of what the last CRL says for good, where this one would: an index that was
/// restored may have the revocation with a later date or another reason, and a clock that was ahead a date that is still
/// to come.
fn no_weaker(entry: &CrlEntry, last: &CrlEntry) -> Option<CrlEntry> {
    if !(entry.is_final() && last.is_final()) {
        return None;
    }
    let is_of_the_key = |entry: &CrlEntry| entry.reason.is_some_and(CrlReason::is_of_the_key);
    let reason = if is_of_the_key(last) && !is_of_the_key(entry) { last.reason } else { entry.reason };
    let kept = CrlEntry {
        reason,
        revocation_date: entry.revocation_date.min(last.revocation_date),
        ..entry.clone()
    };
    (kept != *entry).then_some(kept)
}

impl Maintenance<'_> {
    /// Refuses what would keep the next list of a CA from being made, and takes no number for one.
    ///
    /// # Errors
    /// When the index contradicts what was published or signed.
    pub(in crate::ca) fn check_next_list(&self, authority: &Authority) -> Result<(), Problem> {
        let (index, publisher) = (self.engine.index(), self.engine.publisher());
        self.engine.status().check_continued(index, self.engine.signed())?;
        if let Some(last) = &last_signed(index, publisher, authority)? {
            let lacking = contradicting(index, authority, last)?;
            check_contradicting(index, publisher, authority, last, lacking)?;
        }
        Ok(())
    }

    /// Takes the number of the next complete CRL of a CA, and returns what is to be recorded and signed. The CRL
    /// lasts until `until` if that is later than its usual end, and lists these entries, in order, beside those of
    /// the index. With the seconds that delta CRLs last it says where they are, and one is made beside it when there
    /// was a CRL before.
    pub(in crate::ca) fn next_list(
        &self,
        authority: &Authority,
        certificate: &Certificate,
        until: Option<UnixTime>,
        kept: &[CrlEntry],
        delta_life: Option<i64>,
    ) -> Result<NextList, Problem> {
        let name = authority.name.as_str();
        let algorithm = certificate.tbs().public_key().algorithm().signature_algorithm();
        let usual =
            self.engine.settings().config.crl_next_update(name, authority.is_offline_unless_configured());
        let until = until.max(self.earliest_crl_end(authority, self.engine.now())?);
        let life = until.map_or(usual, |until| usual.max(until.0.saturating_sub(self.engine.now().0)));
        self.engine.status().check_continued(self.engine.index(), self.engine.signed())?;
        let last = last_signed(self.engine.index(), self.engine.publisher(), authority)?;
        if let Some(last) = &last
            && last.number() > self.engine.index().highest_crl_number(&authority.issuer)?
        {
            // taking a number first would hide that the index is an older copy
            let lacking = contradicting(self.engine.index(), authority, last)?;
            check_contradicting(self.engine.index(), self.engine.publisher(), authority, last, lacking)?;
        }
        let confirmed = self.engine.confirmed_time()?;
        let key = KeyRef::of(authority);
        let published = self.engine.publisher().crl_number_floor(name)?;
        let floor = self.engine.keys().mark(&key)?.number.unwrap_or(0).max(published);
        let (number, this_update, list, entries, comparison, left_out, difference) =
            self.engine.in_time(|now| {
                let issuer = certificate.tbs().subject().clone();
                let mut list = TbsCertListBuilder::new(algorithm, issuer, now, now.plus(life));
                let (mut entries, mut kept) = (0, kept.iter().peekable());
                let mut comparison = last.as_deref().map(Comparison::with);
                let mut left_out = last.as_deref().map(LeftOut::of);
                let mut difference = last.as_deref().map(|last| Difference::from(last, delta_life.is_some()));
                let mut push = |entry: &CrlEntry| {
                    entries += 1;
                    let der = list.put(entry);
                    let Some(difference) = &mut difference else { return None };
                    match difference.otherwise(entry, der).and_then(|last| no_weaker(entry, &last)) {
                        None => difference.meet(entry, der),
                        Some(entry) => {
                            let length = der.len();
                            difference.meet(&entry, list.put_instead(&entry, length))
                        }
                    }
                };
                let number =
                    self.engine.index().next_crl_number(&authority.issuer, floor, now, &mut |entry| {
                        let is_before = |kept: &&CrlEntry| in_order(kept, &entry).is_lt();
                        while let Some(kept) = kept.next_if(is_before) {
                            let _ = push(kept);
                        }
                        // the index has it again
                        kept.next_if(|kept| in_order(kept, &entry).is_eq());
                        // a revocation dated by a clock that was ahead is listed all the same
                        let revocation_date = entry.revocation_date.min(now);
                        let entry = CrlEntry { revocation_date, ..entry };
                        // nearly every entry is as on the last CRL, and is compared once
                        let found = push(&entry);
                        if let Some(comparison) = &mut comparison
                            && !comparison.passes(found)
                        {
                            comparison.meet(&entry);
                        }
                        if let Some(left_out) = &mut left_out
                            && !left_out.passes(found)
                        {
                            left_out.meet(&entry.serial_number);
                        }
                    })?;
                for kept in kept {
                    let _ = push(kept);
                }
                let (left_out, difference) =
                    (left_out.map(LeftOut::finish), difference.map(Difference::finish));
                Ok((number, now, list, entries, comparison, left_out, difference.flatten()))
            })?;
        if let (Some(last), Some(comparison)) = (&last, comparison) {
            let lacking = comparison.finish(self.engine.index(), authority)?;
            check_contradicting(self.engine.index(), self.engine.publisher(), authority, last, lacking)?;
        }
        let delta = match (&last, difference, delta_life) {
            (Some(last), Some(found), Some(life)) => {
                let plan = DeltaPlan { last: last.number(), found, life };
                Some(self.next_delta(authority, certificate, (number, this_update), plan)?)
            }
            _ => None,
        };
        let before =
            last.map(|last| Before { number: last.number(), left_out: left_out.unwrap_or_default() });

        let mut extensions =
            vec![authority_key_identifier(&certificate.key_identifier()), crl_number(number)];
        let deltas = self.engine.settings().config.publication.delta_crl_url(name);
        extensions.extend(deltas.filter(|_| delta_life.is_some()).map(|url| freshest_crl(&[url])));
        let tbs = lint::check_crl(list.encode(extensions), certificate)
            .map_err(|findings| lint_problem(&findings))?;
        Ok(NextList { tbs, number, entries, next_update: this_update.plus(life), confirmed, before, delta })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entry;

    #[test]
    fn what_was_revoked_for_good_keeps_its_date_and_the_compromise_of_its_key() {
        // C3: an index that was restored has it from a second time
        let (none, hold) = (None, Some(CrlReason::CertificateHold));
        let (compromise, other) = (Some(CrlReason::KeyCompromise), Some(CrlReason::Superseded));
        let one = |reason, date| CrlEntry { revocation_date: UnixTime(date), ..entry(&[7], reason) };
        for (index, last, expected) in [
            (one(none, 500), one(none, 500), None),
            (one(none, 400), one(none, 500), None),
            (one(none, 600), one(none, 500), Some(one(none, 500))),
            (one(other, 500), one(compromise, 500), Some(one(compromise, 500))),
            (one(compromise, 600), one(other, 500), Some(one(compromise, 500))),
            (one(none, 600), one(hold, 500), None),
            (one(hold, 600), one(none, 500), None),
        ] {
            assert_eq!(no_weaker(&index, &last), expected, "{index:?} {last:?}");
        }
    }
}
