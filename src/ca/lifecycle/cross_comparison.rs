//! Comparison of a cross-certificate that is asked for with those that are there (G22).
use super::{CrossCertification, Lifecycle};
use crate::ca::difference::{Difference, days, of_constraints};
use crate::error::Problem;
use crate::index::{Authority, CertificateRecord, StatusValue};
use crate::profile::RequestedValidity;
use crate::x509::Certificate;
use crate::x509::extension::{BasicConstraints, NameConstraints};

impl Lifecycle<'_> {
    /// Compares a cross-certificate that is asked for with the valid ones that any generation of `issuer` has
    /// issued for this name and key: the one that is as asked, else the newest with its differences. `None` when
    /// there is none. `is_named` says whether the profile was asked for expressly.
    ///
    /// # Errors
    /// Exit status 5 when there is no such issuer; when the index cannot be read.
    pub fn compare_cross(
        &self,
        issuer: &str,
        asked: &CrossCertification,
        is_named: bool,
    ) -> Result<Option<(CertificateRecord, Vec<Difference>)>, Problem> {
        let mut newest = None;
        for generation in self.engine.hierarchy().generations(issuer)?.iter().rev() {
            for record in self.valid_between(generation, &asked.certificate)?.into_iter().rev() {
                let differences = differences(asked, is_named, &record);
                if differences.is_empty() {
                    return Ok(Some((record, differences)));
                }
                newest.get_or_insert((record, differences));
            }
        }
        Ok(newest)
    }

    /// Returns the valid key rollover certificates between two generations of a root, the new key certified with the
    /// old one first; `None` when one is missing.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn links(&self, old: &Authority, new: &Authority) -> Result<Option<[CertificateRecord; 2]>, Problem> {
        let new_with_old = self.valid_between(old, &new.certificate)?.pop();
        let old_with_new = self.valid_between(new, &old.certificate)?.pop();
        Ok(new_with_old.zip(old_with_new).map(<[CertificateRecord; 2]>::from))
    }

    fn valid_between(
        &self,
        issuer: &Authority,
        other: &Certificate,
    ) -> Result<Vec<CertificateRecord>, Problem> {
        let mut made = self.engine.hierarchy().certified(issuer, other)?;
        made.retain(|record| record.status(self.engine.now()) == StatusValue::Valid);
        Ok(made)
    }
}

/// Compares what was asked for expressly. Names that the limits of the CA's own certificate add are no difference.
fn differences(asked: &CrossCertification, is_named: bool, record: &CertificateRecord) -> Vec<Difference> {
    let mut differences = Vec::new();
    if is_named {
        differences.extend(Difference::between("profile", &asked.profile, &record.profile));
    }
    if let RequestedValidity::Days(asked) = asked.validity
        && asked != days(record.validity)
    {
        let found = format!("{} days", days(record.validity));
        differences.push(Difference::new("valid", format!("{asked} days"), found));
    }
    let Some(certificate) = &record.certificate else { return differences };
    let of = |one: &Certificate| NameConstraints::of(one.tbs()).ok().flatten().unwrap_or_default();
    let (found, mut most) = (of(certificate), of(&asked.certificate));
    most.permitted.extend(asked.name_constraints.permitted.iter().cloned());
    most.excluded.extend(asked.name_constraints.excluded.iter().cloned());
    differences.extend(of_constraints(&asked.name_constraints, &most, &found));
    if let Some(asked) = asked.path_length {
        let found = BasicConstraints::of(certificate.tbs()).and_then(|found| found.path_length);
        if found != Some(asked) {
            let found = found.map_or_else(|| "none".to_owned(), |found| found.to_string());
            differences.push(Difference::new("path_length", asked, found));
        }
    }
    differences
}
