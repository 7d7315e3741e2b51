//! CRLs: number, entries, lint, record, sign, publish.
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

/// Number of attempts to make a CRL again after another process recorded a later one first; ten in a row mean
/// that something else is wrong.
const OVERTAKEN: usize = 10;

/// A CRL that was made and published, or the newer one that another process published before it.
#[derive(Clone, Debug)]
pub struct PublishedCrl {
    /// Name of the CA.
    pub authority: String,
    /// `cRLNumber`
    pub number: CrlNumber,
    /// `nextUpdate`
    pub next_update: UnixTime,
    /// Number of certificates that the CRL lists.
    pub entries: usize,
    /// Files in which the CRL was published, DER then PEM.
    pub files: Vec<PathBuf>,
    /// The CRL itself.
    pub crl: CertificateList,
}

impl Maintenance<'_> {
    /// Unlocks a CA for its CRLs.
    ///
    /// # Errors
    /// When the clock is not trusted, the key is not in this home, or the passphrase is not available or
    /// wrong.
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

    /// Makes a complete CRL and publishes it. Its number is above every number known anywhere (C1), and is
    /// recorded before anything is signed.
    ///
    /// Any number of processes may do this at the same time. None waits while entries are collected, encoded,
    /// checked and signed. The contents of a CRL are those of the moment at which its number was taken, so
    /// the CRL with the highest number lists everything. A process that finds a higher number published than
    /// its own returns that CRL.
    ///
    /// The next CRL repeats every final revocation of the last signed one, unless the certificate had expired
    /// by then: a revocation cannot be taken back by changing the index.
    ///
    /// # Errors
    /// `index.restored` (exit 13) when the last publication was made from a later state of the index, so that
    /// this CRL could take back its revocations; `index.contradicts-crl` (exit 13) when the last signed CRL
    /// revokes what is not revoked in the index; or when the index, the key or the disk fails. A number that
    /// was taken is not used again.
    pub fn publish_crl(&self, name: &str, signer: &CrlAuthority) -> Result<PublishedCrl, Problem> {
        self.make_crl(name, signer, OVERTAKEN)
    }

    fn make_crl(&self, name: &str, signer: &CrlAuthority, again: usize) -> Result<PublishedCrl, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        let certificate = signer.certificate();
        let life = self.engine.settings().config.crl_next_update(name, authority.parent.is_none());
        self.engine.status().check_continued(self.engine.index(), self.engine.signed())?;
        let last = last_signed(self.engine.index(), self.engine.publisher(), &authority)?;
        if let Some(last) = &last
            && last.number() > self.engine.index().highest_crl_number(&authority.issuer)?
        {
            // taking a number first would hide that the index is an older copy
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
                    // a revocation dated by a clock that was ahead is listed all the same
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
            // another process recorded a CRL with a lower number and a later time: this one is made again
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

    /// Returns the published CRL when its number is higher than `number` and it is on record here. It was
    /// made later, and lists everything that this one would have.
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

    /// Whether a new CRL is due for a CA. That is so when there is none; when the configured share of its
    /// life (by default half) is over; when the published CRL is not the one on record, is another CA's, or
    /// exists in only one of its two forms; or when a certificate was revoked or released since. It is never
    /// due for an external CA or a retired one ([`crate::ca::Hierarchy::is_retired`]).
    ///
    /// # Errors
    /// When the index or the published file cannot be read.
    pub fn crl_is_due(&self, name: &str) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if authority.is_external() || self.engine.hierarchy().is_retired(&authority, self.engine.now())? {
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
        let due = self.engine.settings().config.crl.renewal(this_update, next_update);
        Ok(self.engine.now() >= due
            || published.is_none_or(|published| published < number)
            || self.engine.index().crl_is_owed(&authority.issuer)?)
    }
}
