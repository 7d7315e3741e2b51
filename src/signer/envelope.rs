//! The envelope of a CA key: what the key was made for, and so the most that it ever signs (K3).
use super::envelope_text::{self, Mistakes};
use crate::error::Code;
use crate::profile::{Kind, Profile, lies_within};
use crate::signer::admit::Refusal;
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, NameConstraints, Purpose, Subtree};
use crate::x509::{Certificate, GeneralName, TbsCertificate, UnixTime, apparent_host};

/// The limits of one CA key. A profile can grant less, never more. It is made with the key's first certificate, or when
/// the key is taken over, and widened only by an act of its own that is in the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct KeyEnvelope {
    /// Name of the profile of the CA, by which other profiles name the CAs that may use them.
    pub(crate) profile: String,
    /// Whether it signs certificates of CAs.
    pub(crate) issues_cas: bool,
    /// Greatest pathLenConstraint of such a certificate; `None` for no bound.
    pub(crate) path_length: Option<u8>,
    /// The extended key usages that it grants; `None` for any, and for certificates without the extension. OCSPSigning
    /// is always granted, to responders of this CA.
    pub(crate) extended_key_usages: Option<Vec<Purpose>>,
    /// Longest validity of a certificate that it signs, in days.
    pub(crate) longest_days: i64,
    /// Longest time from thisUpdate to nextUpdate of a CRL, in days. A longer one takes the scope of CA certificates.
    pub(crate) longest_crl_days: i64,
    /// The same for a CRL that a timer asks for, without anybody who has unlocked the key.
    pub(crate) timer_crl_days: i64,
    /// Subtrees (RFC 5280 §4.2.1.10) that the names of an end entity are below; `None` for any name.
    pub(crate) permitted: Option<Vec<Subtree>>,
    /// Beginnings of the URLs of CRLs, OCSP responders and issuers that its certificates name; `None` for any.
    pub(crate) urls: Option<Vec<String>>,
    /// Number of certificates that it signs in 24 hours at most.
    pub(crate) a_day: u64,
}

impl KeyEnvelope {
    /// What stands for the profile of a CA where nobody has said which it is.
    pub(crate) const UNKNOWN: &str = "unknown";
    /// Extension of the file, after the name of the key.
    pub(crate) const ENDING: &str = "envelope.toml";
    /// Bound of the file, in octets.
    pub(crate) const LARGEST: u64 = 64 * 1024;
    /// Most days that a certificate is ever valid for: the bound of profiles.
    pub(super) const MOST_DAYS: i64 = 365_000;
    /// The longest CRL of a root, whose key is kept offline unless the configuration says otherwise: twice the usual (C8).
    const OFFLINE_CRL_DAYS: i64 = 800;
    /// The longest CRL of another CA: five times the usual. What the configuration has for longer takes the scope of CA
    /// certificates, or a wider envelope.
    pub(super) const CRL_DAYS: i64 = 35;
    /// Far above the needs of a day of one CA, and far below what a thief would need to flood a log or a directory.
    const A_DAY: u64 = 100_000;

    /// Returns the envelope of a key with this certificate, which was made under this profile: what the certificate
    /// and the profile of the CA limit. `profile` is `None` for one that is not known.
    pub(crate) fn made_for(certificate: &Certificate, name: &str, profile: Option<&Profile>) -> Self {
        Self::made_with(certificate.tbs(), name, profile)
    }

    /// Returns the envelope that a key gets with this certificate, which nobody has signed yet.
    pub(crate) fn made_with(tbs: &TbsCertificate, name: &str, profile: Option<&Profile>) -> Self {
        let constraints = BasicConstraints::of(tbs).filter(|constraints| constraints.ca);
        let path_length = constraints.as_ref().and_then(|constraints| constraints.path_length);
        let permitted = NameConstraints::of(tbs).ok().flatten().map(|constraints| constraints.permitted);
        let validity = tbs.validity();
        let own_days = validity.not_after.0.saturating_sub(validity.not_before.0) / UnixTime::DAY + 1;
        let longest = profile.map_or(own_days, |profile| profile.most_days().unwrap_or(Self::MOST_DAYS));
        Self {
            profile: name.to_owned(),
            issues_cas: constraints.is_some() && path_length != Some(0),
            path_length: path_length.and_then(|length| length.checked_sub(1)),
            extended_key_usages: ExtendedKeyUsage::of(tbs)
                .map(|purposes| purposes.0)
                .filter(|purposes| !purposes.contains(&Purpose::ANY)),
            longest_days: longest.max(own_days).clamp(1, Self::MOST_DAYS),
            longest_crl_days: if tbs.is_self_issued() { Self::OFFLINE_CRL_DAYS } else { Self::CRL_DAYS },
            timer_crl_days: Self::CRL_DAYS,
            permitted: permitted.filter(|trees| !trees.is_empty()),
            urls: None,
            a_day: Self::A_DAY,
        }
    }

    /// Returns what this certificate lets its CA certify, with the other limits of this envelope.
    pub(super) fn bounding(&self, tbs: &TbsCertificate) -> Self {
        let made = Self::made_with(tbs, &self.profile, None);
        Self {
            issues_cas: made.issues_cas,
            path_length: made.path_length,
            extended_key_usages: made.extended_key_usages,
            permitted: made.permitted,
            ..self.clone()
        }
    }

    /// Returns the same envelope with these URLs, unless it has some; none are no limit.
    #[must_use]
    pub(crate) fn pinned_to(self, urls: &[String]) -> Self {
        let urls = self.urls.clone().or_else(|| (!urls.is_empty()).then(|| urls.to_vec()));
        Self { urls, ..self }
    }

    /// Reads the text of the file. Unknown keys are refused.
    ///
    /// # Errors
    /// Every mistake.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistakes> {
        envelope_text::parse(text)
    }

    /// Returns the text of the file, for the key of this name.
    pub(crate) fn to_toml(&self, name: &str) -> String {
        envelope_text::write(self, name)
    }

    /// Returns the envelope with these keys set to these values, which are written as in the file.
    ///
    /// # Errors
    /// Every mistake; an unknown key among them.
    pub(crate) fn with(&self, settings: &[(String, String)]) -> Result<Self, Mistakes> {
        envelope_text::with(self, settings)
    }

    /// Tells whether everything within this envelope is within the other one too: whether the other is no narrower.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        let paths = match (self.path_length, other.path_length) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own <= other,
        };
        let purposes = match (&self.extended_key_usages, &other.extended_key_usages) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own.iter().all(|one| other.contains(one)),
        };
        let names = match (&self.permitted, &other.permitted) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => is_below(own, other),
        };
        let urls = match (&self.urls, &other.urls) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own.iter().all(|one| other.iter().any(|base| one.starts_with(base))),
        };
        let cas = !self.issues_cas || (other.issues_cas && paths);
        self.profile == other.profile
            && cas
            && purposes
            && names
            && urls
            && self.longest_days <= other.longest_days
            && self.longest_crl_days <= other.longest_crl_days
            && self.timer_crl_days <= other.timer_crl_days
            && self.a_day <= other.a_day
    }

    /// Checks a certificate that another than the CA itself gets. What `issuer`, the CA's own certificate, limits is
    /// limited for the CAs below it too, whatever their certificates say.
    pub(super) fn check(
        &self,
        tbs: &TbsCertificate,
        kind: Kind,
        issuer: &Certificate,
    ) -> Result<(), Refusal> {
        if kind.is_ca() {
            self.check_ca(tbs, issuer)?;
        } else {
            self.check_names(tbs)?;
        }
        self.check_purposes(tbs, kind, issuer)?;
        self.check_validity(tbs)
    }

    /// Checks that a certificate of the CA itself lets it certify no more than this envelope does.
    pub(super) fn check_own(&self, tbs: &TbsCertificate) -> Result<(), Refusal> {
        let asked = self.bounding(tbs);
        // one limit after the other, so that the refusal says which it is
        let limits = [
            (
                Code::SignerEnvelopeCa,
                "RFC 5280 §4.2.1.9",
                Self { issues_cas: asked.issues_cas, ..self.clone() },
            ),
            (
                Code::SignerEnvelopePath,
                "RFC 5280 §4.2.1.9",
                Self { path_length: asked.path_length, ..self.clone() },
            ),
            (
                Code::SignerEnvelopePurpose,
                "RFC 5280 §4.2.1.12",
                Self { extended_key_usages: asked.extended_key_usages.clone(), ..self.clone() },
            ),
            (
                Code::SignerEnvelopeName,
                "RFC 5280 §4.2.1.10",
                Self { permitted: asked.permitted, ..self.clone() },
            ),
        ];
        match limits.into_iter().find(|(_, _, asked)| !asked.is_within(self)) {
            Some((code, citation, _)) => {
                let message =
                    "the CA could certify more by this certificate of itself than its key was made for";
                Err(Refusal::beyond(code, citation, message))
            }
            None => Ok(()),
        }
    }

    fn check_ca(&self, tbs: &TbsCertificate, issuer: &Certificate) -> Result<(), Refusal> {
        if !self.issues_cas {
            let message = "this key was not made to certify CAs, and the certificate has CA:TRUE";
            return Err(Refusal::beyond(Code::SignerEnvelopeCa, "RFC 5280 §4.2.1.9", message));
        }
        let asked = BasicConstraints::of(tbs).and_then(|constraints| constraints.path_length);
        if let Some(most) = self.path_length
            && asked.is_none_or(|asked| asked > most)
        {
            let asked = asked.map_or("none".to_owned(), |asked| asked.to_string());
            let message = format!("the path length is {asked}, and the key was made for at most {most}");
            return Err(Refusal::beyond(Code::SignerEnvelopePath, "RFC 5280 §4.2.1.9", message));
        }
        let of = |tbs| NameConstraints::of(tbs).ok().flatten().unwrap_or_default().permitted;
        let is_limited = |trees: &[Subtree], by: &[Subtree]| !trees.is_empty() && is_below(trees, by);
        match &self.permitted {
            Some(permitted)
                if !is_limited(&of(tbs), permitted) && !is_limited(&of(issuer.tbs()), permitted) =>
            {
                let message = format!("the CA may certify more than {}", list(permitted));
                Err(Refusal::beyond(Code::SignerEnvelopeName, "RFC 5280 §4.2.1.10", message))
            }
            _ => Ok(()),
        }
    }

    fn check_purposes(&self, tbs: &TbsCertificate, kind: Kind, issuer: &Certificate) -> Result<(), Refusal> {
        let Some(granted) = self.extended_key_usages.as_ref().filter(|_| kind != Kind::OcspResponder) else {
            return Ok(());
        };
        let mut asked = ExtendedKeyUsage::of(tbs).unwrap_or_default().0;
        if asked.is_empty() && kind.is_ca() {
            asked = ExtendedKeyUsage::of(issuer.tbs()).unwrap_or_default().0;
        }
        if !asked.is_empty() && asked.iter().all(|one| granted.contains(one)) {
            return Ok(());
        }
        let named = if asked.is_empty() { "every purpose".to_owned() } else { list(&asked) };
        let message = format!("the certificate is for {named}, and the key was made for {}", list(granted));
        Err(Refusal::beyond(Code::SignerEnvelopePurpose, "RFC 5280 §4.2.1.12", message))
    }

    /// Checks that a certificate lasts no longer than this envelope says.
    pub(super) fn check_validity(&self, tbs: &TbsCertificate) -> Result<(), Refusal> {
        let validity = tbs.validity();
        // both ends are included (RFC 5280 §4.1.2.5)
        let seconds = validity.not_after.0.saturating_sub(validity.not_before.0).saturating_add(1);
        if seconds <= self.longest_days.saturating_mul(UnixTime::DAY) {
            return Ok(());
        }
        let days = self.longest_days;
        let message = format!(
            "the certificate would be valid from {} to {}, and the key was made for at most {days} days",
            validity.not_before, validity.not_after
        );
        Err(Refusal::beyond(Code::SignerEnvelopeValidity, "RFC 5280 §4.1.2.5", message))
    }

    fn check_names(&self, tbs: &TbsCertificate) -> Result<(), Refusal> {
        let Some(permitted) = &self.permitted else { return Ok(()) };
        let constraints = NameConstraints { permitted: permitted.clone(), excluded: Vec::new() };
        let constraints = constraints.closed_for_addresses().closed_for_hosts();
        let subject = tbs.subject();
        let mut names = tbs.subject_alt_names();
        names.extend(subject.texts("emailAddress").into_iter().map(GeneralName::Email));
        names.extend(subject.texts("CN").iter().filter_map(|text| apparent_host(text)).map(GeneralName::Dns));
        if !subject.is_empty() {
            names.push(GeneralName::Directory(subject.clone()));
        }
        match names.iter().find_map(|name| constraints.refuses(name)) {
            Some(reason) => Err(Refusal::beyond(Code::SignerEnvelopeName, "RFC 5280 §4.2.1.10", reason)),
            None => Ok(()),
        }
    }
}

/// Tells whether each subtree lies within one of the outer ones.
fn is_below(inner: &[Subtree], outer: &[Subtree]) -> bool {
    // a form of names that the outer ones do not mention is not limited by them
    let concerns =
        |one: &&Subtree, tree: &Subtree| std::mem::discriminant(*one) == std::mem::discriminant(tree);
    inner.iter().all(|tree| {
        let mut rivals = outer.iter().filter(|one| concerns(one, tree)).peekable();
        rivals.peek().is_none() || rivals.any(|one| lies_within(tree, one))
    }) && outer.iter().all(|one| inner.iter().any(|tree| concerns(&tree, one)))
}

fn list<T: ToString>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
