//! The next complete CRL of a CA: its number taken, encoded and checked. Whoever has the key signs it, here or at a
//! ceremony.
use super::Maintenance;
use super::signer_memory::{Before, LeftOut};
use crate::ca::problems::lint_problem;
use crate::error::Problem;
use crate::index::{Authority, Comparison, contradicting};
use crate::lint::{self, Linted};
use crate::signing::KeyRef;
use crate::status::{check_contradicting, last_signed};
use crate::x509::extension::{CrlNumber, authority_key_identifier, crl_number};
use crate::x509::{Certificate, CrlEntry, TbsCertList, TbsCertListBuilder, UnixTime, compare_serials};
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
}

/// The order of entries: that of their serial numbers as numbers.
pub(super) fn in_order(one: &CrlEntry, other: &CrlEntry) -> Ordering {
    compare_serials(one.serial_number.as_be_octets(), other.serial_number.as_be_octets())
}

impl Maintenance<'_> {
    /// Takes the number of the next complete CRL of a CA, and returns what is to be recorded and signed. The CRL lasts
    /// until `until` if that is later than its usual end, and lists these entries, in order, beside those of the index.
    pub(in crate::ca) fn next_list(
        &self,
        authority: &Authority,
        certificate: &Certificate,
        until: Option<UnixTime>,
        kept: &[CrlEntry],
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
        let (number, this_update, list, entries, comparison, left_out) = self.engine.in_time(|now| {
            let issuer = certificate.tbs().subject().clone();
            let mut list = TbsCertListBuilder::new(algorithm, issuer, now, now.plus(life));
            let (mut entries, mut kept) = (0, kept.iter().peekable());
            let mut comparison = last.as_deref().map(Comparison::with);
            let mut left_out = last.as_deref().map(LeftOut::of);
            let number =
                self.engine.index().next_crl_number(&authority.issuer, floor, now, &mut |entry| {
                    if let Some(comparison) = &mut comparison {
                        comparison.meet(&entry);
                    }
                    let is_before = |kept: &&CrlEntry| in_order(kept, &entry).is_lt();
                    while let Some(kept) = kept.next_if(is_before) {
                        list.push(kept);
                        entries += 1;
                    }
                    // the index has it again
                    kept.next_if(|kept| in_order(kept, &entry).is_eq());
                    if let Some(left_out) = &mut left_out {
                        left_out.meet(&entry.serial_number);
                    }
                    // a revocation dated by a clock that was ahead is listed all the same
                    let revocation_date = entry.revocation_date.min(now);
                    list.push(&CrlEntry { revocation_date, ..entry });
                    entries += 1;
                })?;
            for kept in kept {
                list.push(kept);
                entries += 1;
            }
            Ok((number, now, list, entries, comparison, left_out.map(LeftOut::finish)))
        })?;
        if let (Some(last), Some(comparison)) = (&last, comparison) {
            let lacking = comparison.finish(self.engine.index(), authority)?;
            check_contradicting(self.engine.index(), self.engine.publisher(), authority, last, lacking)?;
        }
        let before =
            last.map(|last| Before { number: last.number(), left_out: left_out.unwrap_or_default() });

        let extensions = vec![authority_key_identifier(&certificate.key_identifier()), crl_number(number)];
        let tbs = lint::check_crl(list.encode(extensions), certificate)
            .map_err(|findings| lint_problem(&findings))?;
        Ok(NextList { tbs, number, entries, next_update: this_update.plus(life), confirmed, before })
    }
}
