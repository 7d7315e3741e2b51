//! CRLs: number, list, lint, record, sign, publish.
use super::problems::lint_problem;
use super::{CrlAuthority, Pki};
use crate::index::CrlRecord;
use crate::lint;
use crate::problem::Problem;
use crate::x509::extension::{CrlNumber, authority_key_identifier, crl_number};
use crate::x509::{CertificateList, TbsCertListBuilder, UnixTime};
use std::path::PathBuf;

/// How often another process may publish between our taking a number and our publishing.
const OVERTAKEN: usize = 20;

/// A CRL that was made and published.
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

impl Pki<'_> {
    /// Makes a complete CRL and publishes it. The number is above every one that is known anywhere (C1), and
    /// is noted before anything is signed. When another process publishes a higher number meanwhile, a list
    /// with a still higher one is made.
    ///
    /// # Errors
    /// When the index, the key or the disk fails. A number that was taken is not used again.
    pub fn publish_crl(&self, name: &str, signer: &CrlAuthority) -> Result<PublishedCrl, Problem> {
        let mut outcome = self.publish_crl_once(name, signer);
        for _ in 0..OVERTAKEN {
            match &outcome {
                Err(problem) if matches!(problem.code, "crl.number" | "crl.older") => {
                    outcome = self.publish_crl_once(name, signer);
                }
                _ => break,
            }
        }
        outcome
    }

    fn publish_crl_once(&self, name: &str, signer: &CrlAuthority) -> Result<PublishedCrl, Problem> {
        let authority = self.authority(name)?;
        let now = self.signing_time()?;
        let life = self.practices.config.crl_next_update(name, authority.parent.is_none());
        let next_update = now.plus(life);
        let floor = self.publisher.crl_number_floor(name)?;
        let number = self.index.next_crl_number(&authority.issuer, floor)?;
        self.publisher.reserve_crl_number(name, number)?;

        let certificate = signer.certificate();
        let subject = certificate.tbs().subject().clone();
        let mut builder = TbsCertListBuilder::new(signer.algorithm(), subject, now, next_update);
        let mut entries = 0;
        self.index.revoked(&authority.issuer, &mut |entry| {
            builder.push(&entry);
            entries += 1;
        })?;
        let extensions = vec![authority_key_identifier(&certificate.key_identifier()), crl_number(number)];
        let tbs = lint::check_crl(builder.encode(extensions), certificate)
            .map_err(|findings| lint_problem(&findings))?;

        let mut event = self.event(now, "crl.issued", name);
        event.details.push(("number".into(), number.to_string()));
        event.details.push(("entries".into(), entries.to_string()));
        let tbs = self.index.record_crl(&authority.issuer, tbs, event)?;
        let crl = signer.sign(tbs)?;
        let files = self.publisher.crl(name, &crl)?;
        let mut event = self.event(now, "crl.published", name);
        event.details.push(("number".into(), number.to_string()));
        self.index.record_crl_published(&authority.issuer, number, event)?;
        Ok(PublishedCrl { authority: authority.name, number, next_update, entries, files, crl })
    }

    /// Whether a CA's CRL is to be made anew: there is none, it is past the share of its life that `[crl]
    /// renew_at` sets, what is published is not the one on record, or something was revoked or released since.
    ///
    /// # Errors
    /// When the index or the published file cannot be read.
    pub fn crl_is_due(&self, name: &str) -> Result<bool, Problem> {
        let authority = self.authority(name)?;
        let Some(CrlRecord { number, this_update, next_update, .. }) =
            self.index.last_crl(&authority.issuer)?
        else {
            return Ok(true);
        };
        let published = self.publisher.published_crl(name)?.and_then(|crl| crl.tbs().crl_number());
        Ok(self.clock.now() >= self.practices.config.crl.due(this_update, next_update)
            || published.is_none_or(|published| published < number)
            || self.index.crl_is_owed(&authority.issuer)?)
    }
}
