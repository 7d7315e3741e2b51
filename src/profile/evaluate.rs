//! Decision on a request: all rules are applied, and the extensions of the certificate are granted.
use super::applicant::{Applicant, IssuerView, RequestedValues};
use super::bearer::check_bearer;
use super::key::check_history;
use super::subject::Writing;
use super::violation::Verdict;
use super::{CertificateTemplate, Kind, Profile, RevocationPointers, Violation, alt_name, constraints};
use crate::error::{Code, remedy};
use crate::x509::extension::{
    self, AccessDescription, Extension, authority_info_access, authority_key_identifier,
    crl_distribution_points, no_rev_avail, ocsp_no_check, subject_alt_name, subject_key_identifier_of,
};
use crate::x509::{Certificate, GeneralName, Name, UnixTime};

impl Profile {
    /// Applies the profile to one request. `issuer` is `None` for a self-signed root; `now` is the current time, not
    /// backdated.
    ///
    /// # Errors
    /// Every broken rule, in the order profile, subject, names, key, validity, usage.
    pub(crate) fn evaluate(
        &self,
        applicant: &Applicant,
        issuer: Option<&IssuerView<'_>>,
        values: &RequestedValues,
        now: UnixTime,
    ) -> Result<CertificateTemplate, Vec<Violation>> {
        let mut verdict = Verdict::default();
        for flaw in self.flaws() {
            verdict
                .notice(format!("policy/{}.toml: {flaw}; the next version refuses this profile", self.name));
        }
        self.check_issuer(issuer, &mut verdict);
        let contact = values.contact.as_deref().and_then(|text| check_contact(text, &mut verdict));
        let (wanted, writing) = self.wanted(applicant, values);
        let granted = self.subject.grant(wanted, writing, contact.as_deref(), &mut verdict);
        let subject = values.of.as_ref().map_or(granted, |one| one.tbs().subject().clone());
        let alt_names = self.names.grant(applicant, values, &subject, &mut verdict);
        self.check_subject(wanted, &alt_names, &mut verdict);
        if let Some(issuer) = issuer {
            constraints::check_names(&subject, &alt_names, issuer, &mut verdict);
        }
        self.key.check(&applicant.public_key, &mut verdict);
        check_history(applicant, &subject, self.kind, &mut verdict);
        if values.of.is_none() {
            check_bearer(applicant, &subject, issuer, &mut verdict);
        }
        let validity = self.validity.grant(values, issuer, now, &mut verdict);
        let extensions = self.extensions(applicant, issuer, values, &subject, &alt_names, &mut verdict);
        self.left_out(applicant, &extensions, &mut verdict);
        if !verdict.violations.is_empty() {
            return Err(verdict.violations);
        }
        let contact = contact.or_else(|| contained_address(&subject, &alt_names));
        Ok(CertificateTemplate {
            profile: self.name.clone(),
            subject,
            public_key: applicant.public_key.clone(),
            validity,
            extensions,
            alt_names,
            contact,
            notices: verdict.notices,
        })
    }

    /// Returns the subject to decide on, and how its octets are to be written. The subject of a CA that was created
    /// by another program keeps its octets. A typed subject that is the same name counts as that subject.
    fn wanted<'a>(&self, applicant: &'a Applicant, values: &'a RequestedValues) -> (&'a Name, Writing) {
        let own = &applicant.subject;
        if values.of.is_some() {
            return (values.subject.as_ref().unwrap_or(own), Writing::Established);
        }
        match &values.subject {
            Some(typed) if !(self.kind.is_ca() && typed.is_same_as(own)) => (typed, Writing::Anew),
            _ if self.kind.is_ca() => (own, Writing::Kept),
            _ => (own, Writing::Anew),
        }
    }

    pub(super) fn check_issuer(&self, issuer: Option<&IssuerView<'_>>, verdict: &mut Verdict) {
        let Some(issuer) = issuer else {
            if self.kind != Kind::RootCa {
                verdict.refuse(
                    Code::PolicyIssuer,
                    "issuers of the profile",
                    format!("the profile `{}` makes no self-signed certificates", self.name),
                    format!("name a CA made under {}", self.issuers.join(" or ")),
                );
            }
            return;
        };
        let subject = issuer.certificate.tbs().subject();
        if self.kind == Kind::RootCa {
            verdict.refuse(
                Code::PolicyIssuer,
                "kind of the profile",
                format!("the profile `{}` makes roots, which no CA issues", self.name),
                "use create-root, or a profile of kind \"ca\"",
            );
        } else if !self.may_be_issued_by(issuer.profile) {
            verdict.refuse(
                Code::PolicyWrongCa,
                "issuers of the profile",
                format!(
                    "the profile `{}` is for CAs made under {}; `{subject}` was made under {}",
                    self.name,
                    self.issuers.join(" or "),
                    issuer.profile
                ),
                remedy::Request::OtherCaOrProfile,
            );
        }
        if !issuer.certificate.is_ca() {
            verdict.refuse(
                Code::PolicyIssuer,
                "RFC 5280 §4.2.1.9",
                format!("`{subject}` is not a CA"),
                "name a CA as the issuer",
            );
        }
    }

    pub(super) fn check_subject(&self, wanted: &Name, alt_names: &[GeneralName], verdict: &mut Verdict) {
        if !wanted.is_empty() {
            return;
        }
        if self.kind != Kind::EndEntity {
            verdict.refuse(
                Code::PolicySubjectEmpty,
                "RFC 5280 §4.1.2.6",
                "a CA or a responder needs a subject, and there is none",
                remedy::Request::Subject,
            );
        } else if alt_names.is_empty() {
            verdict.refuse(
                Code::PolicySubjectEmpty,
                "RFC 5280 §4.1.2.6",
                "there is neither a subject nor an alternative name",
                remedy::Request::SubjectOrName,
            );
        }
    }

    /// Returns the extensions in this order: basicConstraints, keyUsage, extKeyUsage, the two key identifiers,
    /// nameConstraints, subjectAltName, then those on revocation status.
    pub(super) fn extensions(
        &self,
        applicant: &Applicant,
        issuer: Option<&IssuerView<'_>>,
        values: &RequestedValues,
        subject: &Name,
        alt_names: &[GeneralName],
        verdict: &mut Verdict,
    ) -> Vec<Extension> {
        let key = &applicant.public_key;
        let mut list = Vec::new();
        if self.kind.is_ca() {
            list.push(self.authority.path_length.grant(values, issuer, verdict).to_extension());
        }
        list.push(self.usage.key_usage(key.algorithm()).to_extension());
        let limits = values.limits.as_ref();
        let purposes = self.usage.purposes(self.kind, issuer, limits, verdict);
        list.extend(purposes.map(|purposes| purposes.to_extension()));
        let own = values.of.as_ref().map_or_else(|| key.key_identifier(), Certificate::key_identifier);
        list.push(subject_key_identifier_of(&own));
        let authority = issuer.map_or(own, |one| one.certificate.key_identifier());
        list.push(authority_key_identifier(&authority));
        if self.kind.is_ca() {
            let granted = self.authority.constraints.grant(&values.name_constraints, issuer, verdict);
            list.extend(granted.map(|constraints| constraints.to_extension()));
            list.extend(limits.into_iter().flat_map(|limits| limits.policies.clone()));
        } else if !values.name_constraints.is_empty() || values.path_length.is_some() {
            verdict.refuse(
                Code::PolicyNameConstraints,
                "RFC 5280 §4.2.1.10",
                "name constraints and path lengths belong to CA certificates only",
                remedy::Request::NoNameConstraints,
            );
        }
        if !alt_names.is_empty() {
            list.push(subject_alt_name(alt_names, subject));
        }
        if let Some(issuer) = issuer {
            list.extend(self.pointers(issuer, verdict));
        }
        list
    }

    /// Returns the extensions that say where to check for revocation, or that it cannot be checked (X10).
    fn pointers(&self, issuer: &IssuerView<'_>, verdict: &mut Verdict) -> Vec<Extension> {
        let mut list = Vec::new();
        let mut access = Vec::new();
        match (self.kind, self.revocation) {
            (Kind::RootCa, _) => return list,
            (Kind::OcspResponder, _) => return vec![ocsp_no_check()],
            (_, RevocationPointers::NotAvailable) => list.push(no_rev_avail()),
            (_, revocation) => {
                if issuer.crl_urls.is_empty() {
                    verdict.notice(
                        "the certificate does not say where its CRL is; set publication.url in the configuration",
                    );
                } else {
                    list.push(crl_distribution_points(&issuer.crl_urls));
                }
                if revocation == RevocationPointers::CrlAndOcsp {
                    access.extend(issuer.ocsp_url.as_deref().map(AccessDescription::ocsp));
                }
            }
        }
        access.extend(issuer.ca_issuers_url.as_deref().map(AccessDescription::ca_issuers));
        if !access.is_empty() {
            list.push(authority_info_access(&access));
        }
        list
    }

    /// Adds a notice for each requested item that is not granted (X12, G20).
    fn left_out(&self, applicant: &Applicant, granted: &[Extension], verdict: &mut Verdict) {
        if applicant.has_challenge_password {
            verdict.notice("the challenge password in the request is neither used nor stored");
        }
        if applicant.asks_for_ca() && !self.kind.is_ca() {
            verdict.notice("the request asks for a CA certificate (CA:TRUE), which is not granted");
        }
        let asks_for_ca = applicant.asks_for_ca();
        for extension in &applicant.extensions {
            let says_so_already = asks_for_ca && extension.oid == extension::BASIC_CONSTRAINTS;
            let same = granted.iter().any(|one| one.oid == extension.oid && one.value == extension.value);
            if !same && !says_so_already {
                verdict.notice(format!("{} of the request is not copied", label(extension)));
            }
        }
    }
}

pub(super) fn label(extension: &Extension) -> String {
    let name = const_oid::db::DB.by_oid(&extension.oid);
    name.map_or_else(
        || format!("the extension {}", extension.oid),
        |name| format!("the extension {}", name.trim_start_matches("id-ce-").trim_start_matches("id-pe-")),
    )
}

fn check_contact(text: &str, verdict: &mut Verdict) -> Option<String> {
    match alt_name::mailbox(text) {
        Ok(mailbox) => Some(mailbox.value()),
        Err(reason) => {
            verdict.refuse(
                Code::PolicyContact,
                "RFC 5321 §4.1.2",
                format!("the contact `{}` {reason}", alt_name::printable(text)),
                remedy::Request::Contact,
            );
            None
        }
    }
}

/// Returns the first mail address in a certificate: that of the subject, otherwise that of an alternative name.
fn contained_address(subject: &Name, alt_names: &[GeneralName]) -> Option<String> {
    subject.texts("emailAddress").into_iter().next().or_else(|| {
        alt_names
            .iter()
            .find(|name| matches!(name, GeneralName::Email(_) | GeneralName::SmtpUtf8Mailbox(_)))
            .map(GeneralName::value)
    })
}
