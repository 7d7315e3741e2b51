//! Certificates of one holder.
use super::Hierarchy;
use crate::error::Problem;
use crate::index::CertificateRecord;
use crate::x509::GeneralName;

/// Whether two lists have the same names, in any order.
fn same_names(one: &[GeneralName], other: &[GeneralName]) -> bool {
    one.len() == other.len() && one.iter().all(|name| other.contains(name))
}

impl Hierarchy<'_> {
    /// Whether one certificate can take the place of the other: both have one subject and the same names, and
    /// are from generations of one CA under one profile. An imported certificate, which has no profile, agrees
    /// with any. What has neither subject nor names is nobody's.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn is_one_holder(&self, one: &CertificateRecord, other: &CertificateRecord) -> Result<bool, Problem> {
        // those of which the serial number alone is known may be anybody's
        let is_somebody = !one.subject.is_empty() || !one.subject_alt_names.is_empty();
        let is_alike = is_somebody
            && one.subject.is_same_as(&other.subject)
            && (one.profile.is_empty() || other.profile.is_empty() || one.profile == other.profile)
            && same_names(&one.subject_alt_names, &other.subject_alt_names);
        if !is_alike || one.authority == other.authority {
            return Ok(is_alike);
        }
        let generations = self.generations(&one.authority)?;
        Ok(generations.iter().any(|generation| generation.name == other.authority))
    }

    /// Whether all of these are certificates of one holder, as [`Hierarchy::is_one_holder`].
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn are_one_holder(&self, records: &[CertificateRecord]) -> Result<bool, Problem> {
        // one that has no profile agrees with any two, which need not agree with each other
        let Some(first) = records.iter().find(|one| !one.profile.is_empty()).or(records.first()) else {
            return Ok(true);
        };
        for other in records {
            if !self.is_one_holder(first, other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
