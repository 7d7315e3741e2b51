//! Comparison of a CA that is asked for with the one that is there (G22).
use super::Lifecycle;
use crate::ca::NewAuthority;
use crate::ca::difference::{Difference, days, of_constraints};
use crate::error::Problem;
use crate::index::Authority;
use crate::profile::RequestedValidity;
use crate::repository::PendingRequest;
use crate::x509::extension::NameConstraints;
use crate::x509::{Certificate, CertificationRequest, Validity};

/// A CA that is to be there. Only what was asked for expressly is compared: defaults change with the configuration
/// and with time, and the CA stays the same.
#[derive(Clone, Copy, Debug)]
pub struct ExpectedAuthority<'a> {
    /// The CA as it would be created.
    pub new: &'a NewAuthority,
    /// Name of the CA that issues its certificate, any generation of it; `None` for a root, or for an issuer that
    /// does not matter.
    pub parent: Option<&'a str>,
    /// Whether the CA is to be a root.
    pub root: bool,
    /// Whether the profile was asked for expressly.
    pub profile: bool,
}

/// The differences of a CA that waits for its certificate, and its pending request while it waits.
type ComparedRequest = (Vec<Difference>, Option<PendingRequest>);

impl Lifecycle<'_> {
    /// Compares a CA that is asked for with the one of its name; `None` when there is none. Of a CA with several
    /// generations, or with several certificates, each point has to be as asked in one of them, and the newest
    /// generation has to be valid. The validity that is asked for is compared as a number of days.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn compare(&self, expected: &ExpectedAuthority<'_>) -> Result<Option<Vec<Difference>>, Problem> {
        let name = &expected.new.name;
        if self.engine.index().authority(name)?.is_none() {
            let Some(pending) = self.pending_request(name)? else { return Ok(None) };
            return Ok(Some(waits(&pending)));
        }
        let generations = self.engine.hierarchy().generations(name)?;
        let mut differences = Vec::new();
        differences.extend(self.standing(&generations)?);
        differences.extend(self.position(expected, &generations)?);
        let new = expected.new;
        let mut one_of = |what, asked: String, found: &dyn Fn(&Authority) -> (bool, String)| {
            let all: Vec<(bool, String)> = generations.iter().map(found).collect();
            if let (false, Some((_, last))) = (all.iter().any(|(is_so, _)| *is_so), all.last()) {
                differences.push(Difference::new(what, asked, last));
            }
        };
        if expected.profile {
            let asked = &new.profile;
            one_of("profile", asked.clone(), &|one| (one.profile == *asked, one.profile.clone()));
        }
        if let Some(asked) = &new.subject {
            one_of("subject", asked.to_string(), &|one| {
                let subject = one.certificate.tbs().subject();
                (subject.is_same_as(asked), subject.to_string())
            });
        }
        if let Some(asked) = new.key {
            one_of("key", asked.to_string(), &|one| {
                let found = one.certificate.tbs().public_key().algorithm();
                (found == asked, found.to_string())
            });
        }
        if let Some(asked) = new.ocsp {
            one_of("ocsp", asked.to_string(), &|one| (one.serves_ocsp == asked, one.serves_ocsp.to_string()));
        }
        differences.extend(self.lifetime(new.validity, &generations)?);
        differences.extend(self.constraints(new, &generations)?);
        Ok(Some(differences))
    }

    /// Compares a CA that is to wait for its certificate with the one of its name: it waits, or has got its
    /// certificate meanwhile. `None` when there is none.
    ///
    /// # Errors
    /// When the index or the pending requests cannot be read.
    pub fn compare_request(
        &self,
        expected: &ExpectedAuthority<'_>,
    ) -> Result<Option<ComparedRequest>, Problem> {
        let new = expected.new;
        let Some(pending) = self.pending_request(&new.name)? else {
            return Ok(self.compare(expected)?.map(|differences| (differences, None)));
        };
        let mut differences = Vec::new();
        let request = pending.request.as_deref().and_then(|der| CertificationRequest::from_der(der).ok());
        let Some(request) = request else {
            differences.push(Difference::new("request", "a request", "an imported key without one"));
            return Ok(Some((differences, None)));
        };
        if let (true, Some(found)) = (expected.profile, &pending.profile) {
            differences.extend(Difference::between("profile", &new.profile, found));
        }
        if let Some(asked) = new.subject.as_ref().filter(|asked| !asked.is_same_as(request.subject())) {
            differences.push(Difference::new("subject", asked, request.subject()));
        }
        if let Some(asked) = new.key {
            differences.extend(Difference::between("key", &asked, &pending.public_key.algorithm()));
        }
        if let (Some(asked), Some(found)) = (new.ocsp, pending.ocsp) {
            differences.extend(Difference::between("ocsp", &asked, &found));
        }
        Ok(Some((differences, Some(pending))))
    }

    /// The newest generation is in use: valid and not retired, neither it nor a CA above it revoked, and its key in this
    /// home.
    fn standing(&self, generations: &[Authority]) -> Result<Option<Difference>, Problem> {
        let Some(newest) = generations.last() else { return Ok(None) };
        if newest.is_external() {
            return Ok(Some(Difference::new("key", "in this home", "with others")));
        }
        let path = self.engine.hierarchy().path_of(newest)?;
        let end = newest.certificate.tbs().validity().not_after;
        let found = if path.is_revoked() {
            "revoked".to_owned()
        } else if path.chain_is_revoked() {
            "issuer-revoked".to_owned()
        } else if end < self.engine.now() {
            format!("expired on {end}")
        } else if let Some(retired) = &newest.retired {
            format!("retired since {}", retired.at)
        } else {
            return Ok(None);
        };
        Ok(Some(Difference::new("status", "valid", found)))
    }

    fn position(
        &self,
        expected: &ExpectedAuthority<'_>,
        generations: &[Authority],
    ) -> Result<Option<Difference>, Problem> {
        let found = generations.last().and_then(|newest| newest.parent.as_deref());
        let differs = |asked: &str| Some(Difference::new("parent", asked, found.unwrap_or("none")));
        Ok(match (expected.parent, found) {
            (None, Some(_)) if expected.root => differs("none"),
            (Some(asked), None) => differs(asked),
            (Some(asked), Some(_)) if self.engine.index().authority(asked)?.is_none() => differs(asked),
            (Some(asked), Some(found)) if asked != found => {
                let family = self.engine.hierarchy().generations(asked)?;
                if family.iter().any(|one| one.name == found) { None } else { differs(asked) }
            }
            _ => None,
        })
    }

    /// One certificate that the CA has or had is valid for as many days.
    fn lifetime(
        &self,
        asked: RequestedValidity,
        generations: &[Authority],
    ) -> Result<Option<Difference>, Problem> {
        let RequestedValidity::Days(asked) = asked else { return Ok(None) };
        let mut found = None;
        for one in generations {
            let issuer = match one.parent.as_deref() {
                Some(parent) => self.engine.hierarchy().authority(parent)?,
                None => one.clone(),
            };
            let before = self.engine.hierarchy().certified(&issuer, &one.certificate)?;
            let current = one.certificate.tbs().validity();
            let mut all: Vec<Validity> = before.iter().map(|record| record.validity).collect();
            all.push(current);
            if all.iter().any(|validity| days(*validity) == asked) {
                return Ok(None);
            }
            found = Some(days(current));
        }
        let told = |days: i64| format!("{days} days");
        Ok(found.map(|found| Difference::new("valid", told(asked), told(found))))
    }

    fn constraints(&self, new: &NewAuthority, generations: &[Authority]) -> Result<Vec<Difference>, Problem> {
        let asked = &new.name_constraints;
        let mut differences = Vec::new();
        for one in generations {
            let profile = self.engine.settings().profiles.get(&one.profile);
            let with_profile = profile.map_or_else(|| asked.clone(), |own| own.with_own_constraints(asked));
            differences = of_constraints(asked, &with_profile, &of(&one.certificate));
            if differences.is_empty() {
                break;
            }
        }
        Ok(differences)
    }
}

/// Name constraints that cannot be read count as none.
fn of(certificate: &Certificate) -> NameConstraints {
    NameConstraints::of(certificate.tbs()).ok().flatten().unwrap_or_default()
}

fn waits(pending: &PendingRequest) -> Vec<Difference> {
    vec![Difference::new("certificate", "one issued here", format!("a request, since {}", pending.since))]
}
