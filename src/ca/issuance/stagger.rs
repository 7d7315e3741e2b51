//! The expiry of a new CA certificate, kept apart from those of its siblings (G4).
use super::Issuance;
use crate::ca::{Engine, IssuanceRequest};
use crate::error::{Notice, Problem};
use crate::index::{Authority, Filter, StatusValue};
use crate::profile::{IssuerView, Kind, Profile, RequestedValidity, Sibling};
use crate::x509::{Certificate, UnixTime};

/// The issuer of a new CA.
pub(in crate::ca) struct Parent<'a> {
    pub(in crate::ca) authority: &'a Authority,
    pub(in crate::ca) ancestors: &'a [Certificate],
    siblings: Vec<Sibling>,
}

impl<'a> Parent<'a> {
    pub(in crate::ca) fn new(
        engine: &Engine,
        authority: &'a Authority,
        ancestors: &'a [Certificate],
        family: &[String],
        now: UnixTime,
    ) -> Result<Self, Problem> {
        let siblings = siblings(engine, authority, family, now)?;
        Ok(Self { authority, ancestors, siblings })
    }
}

/// Returns the CAs below this one: those of this home, and external CAs whose requests were signed here.
/// Generations of the same CA (`family`) and earlier certificates of a CA of this home are not siblings.
fn siblings(
    engine: &Engine,
    parent: &Authority,
    family: &[String],
    now: UnixTime,
) -> Result<Vec<Sibling>, Problem> {
    let end = |certificate: &Certificate| certificate.tbs().validity().not_after;
    let here = engine.index().authorities()?;
    let mut siblings: Vec<Sibling> = Vec::new();
    for profile in engine.settings().profiles.iter().filter(|profile| profile.kind() == Kind::Ca) {
        let filter = Filter {
            authority: Some(parent.name.clone()),
            profile: Some(profile.name().into()),
            status: Some((StatusValue::Valid, now)),
            ..Filter::default()
        };
        engine.index().list(&filter, &mut |record| {
            let Some(certificate) = &record.certificate else { return true };
            if !here.iter().any(|known| known.issuer == certificate.tbs().as_issuer()) {
                let (name, profile) = (record.subject.to_string(), profile.name().into());
                siblings.push(Sibling { name, profile, end: end(certificate) });
            }
            true
        })?;
    }
    let here = here.into_iter().filter(|one| one.parent.as_deref() == Some(&*parent.name));
    let here = here.filter(|one| one.retired.is_none());
    let here = here.filter(|one| !family.contains(&one.name)).map(|sibling| Sibling {
        end: end(&sibling.certificate),
        name: sibling.name,
        profile: sibling.profile,
    });
    siblings.extend(here);
    Ok(siblings)
}

impl Issuance<'_> {
    /// Returns the expiry that keeps siblings apart (G4), or warnings when an explicitly requested one does
    /// not.
    pub(in crate::ca) fn staggered(
        &self,
        parent: &Parent<'_>,
        profile: &Profile,
        validity: RequestedValidity,
        now: UnixTime,
    ) -> (RequestedValidity, Vec<Notice>) {
        let view = IssuerView {
            certificate: &parent.authority.certificate,
            ancestors: parent.ancestors,
            profile: &parent.authority.profile,
            crl_urls: Vec::new(),
            ca_issuers_url: None,
            ocsp_url: None,
        };
        let (profiles, siblings) = (&self.engine.settings().profiles, &parent.siblings);
        let issuance = &self.engine.settings().config.issuance;
        let gap = issuance.stagger_days;
        let full = profile.full_length(Some(&view), issuance.backdate, now);
        let end = match validity {
            RequestedValidity::Default => {
                let picked = profiles.stagger(profile.name(), full.not_after, view.end(), siblings, gap, now);
                return (RequestedValidity::Until(picked.end), Notice::each(picked.notices));
            }
            RequestedValidity::Days(days) => full.not_before.plus_days(days).plus(-1),
            RequestedValidity::Until(end) => end,
            RequestedValidity::Max => view.end(),
        };
        (validity, Notice::each(profiles.stagger_warnings(profile.name(), end, siblings, gap, now)))
    }

    /// Adjusts requests of external CAs so that each expires apart from its siblings and from the requests
    /// before it (G4, G6), and returns notices where that is not possible. Requests under profiles that are not
    /// for CAs stay as they are.
    ///
    /// # Errors
    /// When there is no such CA or profile, or the index fails.
    pub fn stagger(
        &self,
        authority: &str,
        profile: &str,
        requests: Vec<IssuanceRequest>,
    ) -> Result<(Vec<IssuanceRequest>, Vec<Notice>), Problem> {
        let profile = self.engine.settings().profile(profile)?;
        if profile.kind() != Kind::Ca {
            return Ok((requests, Vec::new()));
        }
        let authority = self.engine.hierarchy().authority(authority)?;
        let ancestors = self.engine.hierarchy().ancestors(&authority)?;
        let now = self.engine.now();
        let mut parent = Parent::new(self.engine, &authority, &ancestors, &[], now)?;
        let mut said = Vec::new();
        let staggered = requests.into_iter().map(|mut request| {
            let (validity, notices) = self.staggered(&parent, profile, request.values.validity, now);
            request.values.validity = validity;
            if let RequestedValidity::Until(end) = validity {
                let name = request.applicant.subject.to_string();
                parent.siblings.push(Sibling { name, profile: profile.name().into(), end });
            }
            said.extend(notices);
            request
        });
        Ok((staggered.collect(), said))
    }
}
