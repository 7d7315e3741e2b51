//! Cross-certificates that a key which is offline is asked for, and the key rollover certificate of the generation after an
//! offline root.
use super::Lifecycle;
use super::ceremony::{CeremonyPlan, Prepared};
use super::cross_certification::CrossCertification;
use crate::error::{Notice, Problem};
use crate::index::{Authority, Intent};
use crate::x509::UnixTime;

impl Lifecycle<'_> {
    /// Prepares a certificate for the name and key of another CA. For another generation of this root it is a key rollover
    /// certificate (RFC 9810 §4.4), which no profile grants.
    pub(super) fn prepare_cross(
        &self,
        issuer: &Authority,
        asked: &CrossCertification,
        (plan, now): (&CeremonyPlan, UnixTime),
        notices: &mut Vec<Notice>,
    ) -> Result<Prepared, Problem> {
        notices.extend(self.certified_before(issuer, &asked.certificate)?.map(Notice::from));
        let why = |usual: String| plan.why.clone().unwrap_or(usual);
        if let Some(other) = self.generation_beside(issuer, asked)? {
            return self.prepare_link(
                issuer,
                &other,
                now,
                why(format!("{} is linked with {}", other.name, issuer.name)),
            );
        }
        let (engine, why) = (self.engine, why(format!("{} is cross-certified", asked.label)));
        let (request, carried) = self.cross_request(issuer, asked)?;
        notices.extend(carried.map(Notice::from));
        engine.hierarchy().check_usable(issuer, now)?;
        let rules = engine.settings().profile(&asked.profile)?;
        let ancestors = engine.hierarchy().ancestors(issuer)?;
        let (intent, said) = engine.issuance().intent_of(issuer, &ancestors, rules, &request)?;
        notices.extend(said);
        notices.extend(self.unconstrained(intent.tbs.get(), issuer)?);
        Ok(Prepared { intent, why, beside: Some(asked.certificate.clone()) })
    }

    /// Returns the other generation of a root whose certificate is shown.
    fn generation_beside(
        &self,
        issuer: &Authority,
        asked: &CrossCertification,
    ) -> Result<Option<Authority>, Problem> {
        let mut generations = self.engine.hierarchy().generations(&issuer.name)?;
        generations.retain(|one| {
            let is_root = one.parent.is_none() && issuer.parent.is_none();
            is_root && one.name != issuer.name && one.certificate == asked.certificate
        });
        Ok(generations.pop())
    }

    fn prepare_link(
        &self,
        issuer: &Authority,
        other: &Authority,
        now: UnixTime,
        why: String,
    ) -> Result<Prepared, Problem> {
        for one in [issuer, other] {
            self.may_come_back(&one.name, &one.certificate)?;
        }
        self.engine.hierarchy().check_usable(issuer, now)?;
        let tbs = self.link_asked(issuer, other)?;
        let object = format!("{}/{}", issuer.name, tbs.get().serial_number());
        let mut event = self.engine.event(now, "certificate.intended", object);
        event.details.push(("subject".into(), tbs.get().subject().to_string()));
        event.details.push(("profile".into(), other.profile.clone()));
        let intent = Intent {
            issuer: issuer.issuer,
            profile: other.profile.clone(),
            contact: None,
            same_holder_as: None,
            decided_beside: None,
            authority: None,
            requested: false,
            event,
            tbs,
        };
        Ok(Prepared { intent, why, beside: Some(other.certificate.clone()) })
    }
}
