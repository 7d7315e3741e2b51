//! CRLs: number, entries, lint, record, sign, publish.
use super::Maintenance;
use super::delta::PublishedDelta;
use super::next_list::{NextList, in_order};
use crate::ca::CrlAuthority;
use crate::ca::authority::CrlSigned;
use crate::config::Lifetime;
use crate::error::{Code, Problem};
use crate::index::{Authority, CrlRecord, IndexError};
use crate::repository::PublishError;
use crate::signing::KeyRef;
use crate::status::last_signed;
use crate::x509::extension::CrlNumber;
use crate::x509::{CertificateList, CrlEntry, SerialNumber, UnixTime};
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
    /// The delta CRL that was made beside it.
    pub delta: Option<PublishedDelta>,
    /// Why the delta CRL that was to be beside it is not.
    pub delta_failure: Option<Problem>,
}

fn unknown_ends(name: &str) -> Problem {
    let message = format!("the CRL of {name} leaves out entries whose ends the signer does not know");
    Problem::new(Code::SignerCrlEntryUnknown, message)
        .hint("run the command again: it keeps more of them each time")
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
        self.make_crl(name, signer, OVERTAKEN, None, Vec::new())
    }

    /// Makes and publishes the last CRL of a CA, as [`Maintenance::publish_crl`], which lasts until this time if
    /// that is later than its usual end.
    pub(in crate::ca) fn publish_last_crl(
        &self,
        name: &str,
        signer: &CrlAuthority,
        until: UnixTime,
    ) -> Result<PublishedCrl, Problem> {
        self.make_crl(name, signer, OVERTAKEN, Some(until), Vec::new())
    }

    fn make_crl(
        &self,
        name: &str,
        signer: &CrlAuthority,
        again: usize,
        until: Option<UnixTime>,
        kept: Vec<CrlEntry>,
    ) -> Result<PublishedCrl, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        // after the last CRL of a CA there are no others
        let delta_life = self.delta_life(&authority).filter(|_| until.is_none());
        let next = self.next_list(&authority, signer.certificate(), until, &kept, delta_life)?;
        let NextList { tbs, number, entries, next_update, confirmed, before, delta } = next;
        if let Some(before) = &before {
            self.engine.show_signer(&authority, before)?;
        }
        self.engine.keys().raise_mark(&KeyRef::of(&authority), number)?;
        let mut event = self.engine.event(self.engine.now(), "crl.issued", name);
        event.details.push(("number".into(), number.to_string()));
        event.details.push(("entries".into(), entries.to_string()));
        let tbs = match self.engine.index().record_crl(&authority.issuer, tbs, event) {
            // another process recorded a CRL with a lower number and a later time: this one is made again
            Err(IndexError::ClockBehind { newest, .. }) if again > 0 && self.engine.now() >= newest => {
                return self.make_crl(name, signer, again.saturating_sub(1), until, kept);
            }
            recorded => recorded?,
        };
        let crl = match signer.sign_or_again(tbs)? {
            CrlSigned::Signed(crl) => crl,
            CrlSigned::Unknown(unknown) if again > 0 => {
                let kept = self.keep(&authority, &unknown, kept)?;
                return self.make_crl(name, signer, again.saturating_sub(1), until, kept);
            }
            CrlSigned::Unknown(_) | CrlSigned::NoDelta => return Err(unknown_ends(name)),
            CrlSigned::Overtaken(refusal) => {
                // another process took the higher number, unless this index is an older copy
                let is_own = self.engine.index().highest_crl_number(&authority.issuer)? > number;
                if let Some(newer) = self.newer_crl(authority, signer, number)? {
                    return Ok(newer);
                }
                return if is_own && again > 0 {
                    self.make_crl(name, signer, again.saturating_sub(1), until, kept)
                } else {
                    Err(refusal)
                };
            }
        };
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
        // the complete CRL is published, whatever becomes of its delta
        let delta = delta.map(|next| self.publish_delta(&authority, signer, (number, next)));
        let (delta, delta_failure) = match delta.transpose() {
            Ok(delta) => (delta.flatten(), None),
            Err(problem) => (None, Some(problem)),
        };
        let authority = authority.name;
        Ok(PublishedCrl { authority, number, next_update, entries, files, crl, delta, delta_failure })
    }

    /// Returns the entries to be kept on the CRL: those that the signer knows no end of, and whose certificates are not on
    /// record to be shown, after those that were kept before.
    fn keep(
        &self,
        authority: &Authority,
        unknown: &[SerialNumber],
        mut kept: Vec<CrlEntry>,
    ) -> Result<Vec<CrlEntry>, Problem> {
        let last = last_signed(self.engine.index(), self.engine.publisher(), authority)?;
        kept.extend(unknown.iter().filter_map(|serial_number| last.as_ref()?.find(serial_number)));
        kept.sort_by(in_order);
        kept.dedup_by(|one, other| one.serial_number == other.serial_number);
        Ok(kept)
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
        let authority = authority.name;
        let (delta, delta_failure) = (None, None);
        Ok(Some(PublishedCrl { authority, number, next_update, entries, files, crl, delta, delta_failure }))
    }

    /// Whether a new CRL is due for a CA. That is so when there is none; when the configured share of its life (by
    /// default half) is over, or, for a CA kept offline, when it lapses within weeks ([`crate::config::Lifetime`]);
    /// when the published CRL is not the one on record, is another CA's, or exists in only one of its two forms; when
    /// its delta CRL is due, where deltas are made; or when a certificate was revoked or released since. It is never
    /// due for an external CA or a retired one ([`crate::ca::Hierarchy::is_retired`]).
    ///
    /// # Errors
    /// When the index or the published file cannot be read.
    pub fn crl_is_due(&self, name: &str) -> Result<bool, Problem> {
        self.crl_is_due_from(name, |life| life.due)
    }

    /// Whether a new CRL is made while the CA's key is open anyway: it is due, or renewable.
    pub(super) fn crl_is_renewable(&self, name: &str) -> Result<bool, Problem> {
        self.crl_is_due_from(name, |life| life.renewable)
    }

    fn crl_is_due_from(&self, name: &str, from: fn(Lifetime) -> UnixTime) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if !self.engine.hierarchy().publishes_crls(&authority, self.engine.now())? {
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
        let config = &self.engine.settings().config;
        let life =
            config.crl_lifetime(name, authority.is_offline_unless_configured(), this_update, next_update);
        Ok(self.engine.now() >= from(life)
            || published.is_none_or(|published| published < number)
            || self.engine.index().crl_is_owed(&authority.issuer)?
            || self.delta_is_due(&authority, number)?)
    }
}
