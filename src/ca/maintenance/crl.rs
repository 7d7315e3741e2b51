//! CRLs: number, list, lint, record, sign, publish.
use super::Maintenance;
use crate::ca::CrlAuthority;
use crate::ca::problems::lint_problem;
use crate::error::Problem;
use crate::index::{Authority, Comparison, CrlRecord, IndexError, contradicting};
use crate::lint;
use crate::repository::PublishError;
use crate::signing::KeyRef;
use crate::status::{check_contradicting, last_signed};
use crate::x509::extension::{CrlNumber, authority_key_identifier, crl_number};
use crate::x509::{CertificateList, CrlEntry, TbsCertListBuilder, UnixTime};
use std::path::PathBuf;

/// How often a list is made anew because another process was faster.
const OVERTAKEN: usize = 10;

/// A CRL that was made and published, or the newer one of another process that was published before it.
#[derive(Clone, Debug)]
pub struct PublishedCrl {
    /// The CA.
    pub authority: String,
    /// `cRLNumber`
    pub number: CrlNumber,
    /// `nextUpdate`
    pub next_update: UnixTime,
    /// How many certificates it lists.
    pub entries: usize,
    /// Where it was published, DER then PEM.
    pub files: Vec<PathBuf>,
    /// The list itself.
    pub crl: CertificateList,
}

impl Maintenance<'_> {
    /// Unlocks a CA for its CRLs.
    ///
    /// # Errors
    /// When the clock is not trusted, its key is not here, or the passphrase cannot be had or is wrong.
    pub fn unlock_for_crl(&self, name: &str) -> Result<CrlAuthority, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        self.engine.signing_time()?;
        let signer = self.engine.open(&authority)?;
        CrlAuthority::new(name, authority.certificate, signer)
    }

    /// Opens a CA's key and publishes its CRL.
    pub(in crate::ca) fn crl_of(&self, authority: &str) -> Result<PublishedCrl, Problem> {
        let signer = self.unlock_for_crl(authority)?;
        self.publish_crl(authority, &signer)
    }

    /// Makes a complete CRL and publishes it. The number is above every one that is known anywhere (C1), and
    /// is noted before anything is signed.
    ///
    /// Any number of processes may be at it. Nobody waits while entries are collected, encoded, checked and
    /// signed, and what a list says is of the moment at which its number was taken. So the list with the
    /// highest number has all that is to be listed, and a process that finds a higher number published than
    /// its own has nothing left to do: the result is that list then.
    ///
    /// What the last signed list revokes for good is on the next, unless it had ended by then: whoever changes the
    /// index does not take a revocation back by that.
    ///
    /// # Errors
    /// `index.restored` (exit 13) when what was published before was made from a later state of the index, which
    /// this list could take revocations back of; `index.contradicts-crl` (exit 13) when the last signed list has
    /// revoked what is not revoked in the index; or when the index, the key or the disk fails. A number that was
    /// taken is not used again.
    pub fn publish_crl(&self, name: &str, signer: &CrlAuthority) -> Result<PublishedCrl, Problem> {
        self.make_crl(name, signer, OVERTAKEN)
    }

    fn make_crl(&self, name: &str, signer: &CrlAuthority, again: usize) -> Result<PublishedCrl, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let certificate = signer.certificate();
        let life = self.engine.practices().config.crl_next_update(name, authority.parent.is_none());
        self.engine.status().check_continued(self.engine.index(), self.engine.signed())?;
        let last = last_signed(self.engine.index(), self.engine.publisher(), &authority)?;
        if let Some(last) = &last
            && last.number() > self.engine.index().highest_crl_number(&authority.issuer)?
        {
            // a number that is taken would hide that the index is an older copy
            let lacking = contradicting(self.engine.index(), &authority, last)?;
            check_contradicting(self.engine.index(), self.engine.publisher(), &authority, last, lacking)?;
        }
        let confirmed = self.engine.confirmed_time()?;
        let key = KeyRef::of(&authority);
        let published = self.engine.publisher().crl_number_floor(name)?;
        let floor = self.engine.keys().mark(&key)?.number.unwrap_or(0).max(published);
        let (number, this_update, list, entries, comparison) = self.engine.in_time(|now| {
            let issuer = certificate.tbs().subject().clone();
            let mut list = TbsCertListBuilder::new(signer.algorithm(), issuer, now, now.plus(life));
            let mut entries = 0;
            let mut comparison = last.as_deref().map(Comparison::with);
            let number =
                self.engine.index().next_crl_number(&authority.issuer, floor, now, &mut |entry| {
                    if let Some(comparison) = &mut comparison {
                        comparison.meet(&entry);
                    }
                    // what was revoked by a clock that was ahead is listed all the same
                    let revocation_date = entry.revocation_date.min(now);
                    list.push(&CrlEntry { revocation_date, ..entry });
                    entries += 1;
                })?;
            Ok((number, now, list, entries, comparison))
        })?;
        if let (Some(last), Some(comparison)) = (&last, comparison) {
            let lacking = comparison.finish(self.engine.index(), &authority)?;
            check_contradicting(self.engine.index(), self.engine.publisher(), &authority, last, lacking)?;
        }
        drop(last);
        self.engine.keys().raise_mark(&key, number)?;

        let extensions = vec![authority_key_identifier(&certificate.key_identifier()), crl_number(number)];
        let tbs = lint::check_crl(list.encode(extensions), certificate)
            .map_err(|findings| lint_problem(&findings))?;
        let mut event = self.engine.event(self.engine.now(), "crl.issued", name);
        event.details.push(("number".into(), number.to_string()));
        event.details.push(("entries".into(), entries.to_string()));
        let tbs = match self.engine.index().record_crl(&authority.issuer, tbs, event) {
            // another process has a list of a lower number and a later time: this one is made anew
            Err(IndexError::ClockBehind { newest, .. }) if again > 0 && self.engine.now() >= newest => {
                return self.make_crl(name, signer, again.saturating_sub(1));
            }
            recorded => recorded?,
        };
        let crl = signer.sign(tbs)?;
        let files = match self.engine.publisher().crl(name, &crl) {
            Ok(files) => files,
            Err(PublishError::Older { published, offered }) if published > offered => {
                drop(crl);
                let newer = self.newer_crl(authority, signer, offered)?;
                return newer.ok_or_else(|| PublishError::Older { published, offered }.into());
            }
            Err(error) => return Err(error.into()),
        };
        let mut event = self.engine.event(self.engine.now(), "crl.published", name);
        event.details.push(("number".into(), number.to_string()));
        self.engine.index().record_crl_published(&authority.issuer, number, confirmed, event)?;
        let next_update = this_update.plus(life);
        Ok(PublishedCrl { authority: authority.name, number, next_update, entries, files, crl })
    }

    /// The published list, when its number is higher than this one and it is on record here: then it was taken
    /// later, and lists what was to be listed.
    fn newer_crl(
        &self,
        authority: Authority,
        signer: &CrlAuthority,
        number: CrlNumber,
    ) -> Result<Option<PublishedCrl>, Problem> {
        let Some(crl) = self.engine.publisher().published_crl(&authority.name)? else { return Ok(None) };
        let newer = crl.tbs().crl_number().filter(|newer| *newer > number);
        let (Some(number), Some(next_update)) = (newer, crl.tbs().next_update()) else { return Ok(None) };
        let is_own = self.engine.index().is_recorded(&authority.issuer, crl.tbs())?
            && crl.is_signed_by(signer.certificate().tbs().public_key());
        if !is_own {
            return Ok(None);
        }
        let (entries, files) =
            (crl.tbs().entries().count(), self.engine.publisher().crl_files(&authority.name)?);
        Ok(Some(PublishedCrl { authority: authority.name, number, next_update, entries, files, crl }))
    }

    /// Whether a CA's CRL is to be made anew: there is none, it is past the share of its life that the
    /// configuration says (half), what is published is not the one on record or another CA's or only in one
    /// of its two forms, or something was revoked or released since. Never that of a CA that others run, or of
    /// one that has gone quiet ([`crate::ca::Hierarchy::is_quiet`]).
    ///
    /// # Errors
    /// When the index or the published file cannot be read.
    pub fn crl_is_due(&self, name: &str) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if authority.is_elsewhere() || self.engine.hierarchy().is_quiet(&authority, self.engine.now())? {
            return Ok(false);
        }
        let Some(CrlRecord { number, this_update, next_update, .. }) =
            self.engine.index().last_crl(&authority.issuer)?
        else {
            return Ok(true);
        };
        let own = authority.certificate.tbs().subject();
        let published = self
            .engine
            .publisher()
            .crl_in_place(name)?
            .filter(|crl| crl.issuer().is_same_as(own))
            .and_then(|crl| crl.crl_number());
        let due = self.engine.practices().config.crl.renewal(this_update, next_update);
        Ok(self.engine.now() >= due
            || published.is_none_or(|published| published < number)
            || self.engine.index().crl_is_owed(&authority.issuer)?)
    }
}
