//! Whether a profile grants a certificate that somebody else encoded. The signer decides so, which sees no request.
use super::applicant::{Applicant, IssuerView, RequestedValidity, RequestedValues};
use super::subject::Writing;
use super::violation::Verdict;
use super::{Kind, Limits, Profile, Violation, constraints};
use crate::error::{Code, remedy};
use crate::x509::extension::{
    self, AUTHORITY_INFO_ACCESS, AUTHORITY_KEY_IDENTIFIER, AccessDescription, BasicConstraints,
    CRL_DISTRIBUTION_POINTS, ExtendedKeyUsage, NameConstraints, Purpose, SUBJECT_KEY_IDENTIFIER,
    distribution_point_urls,
};
use crate::x509::{GeneralName, Name, TbsCertificate};
use der::oid::ObjectIdentifier;

impl Kind {
    /// Returns the kind of a certificate, by its basicConstraints and extKeyUsage. `None` as the issuer means that it is
    /// self-signed.
    #[must_use]
    pub(crate) fn of(tbs: &TbsCertificate, issuer: Option<&IssuerView<'_>>) -> Self {
        let is_ca = BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca);
        let purposes = ExtendedKeyUsage::of(tbs).unwrap_or_default().0;
        match (is_ca, issuer) {
            (true, None) => Self::RootCa,
            (true, Some(_)) => Self::Ca,
            (false, _) if purposes.contains(&Purpose::OCSP_SIGNING) => Self::OcspResponder,
            (false, _) => Self::EndEntity,
        }
    }
}

impl Profile {
    /// Checks that the profile grants this certificate to somebody who asks for exactly its subject, names, validity
    /// and constraints. `issuer` is `None` for a self-signed one. Its URLs are taken from the certificate. Whether
    /// notBefore is near the present is for the caller to check.
    ///
    /// # Errors
    /// Every broken rule, and every extension that would be another.
    pub(crate) fn regrant(
        &self,
        tbs: &TbsCertificate,
        issuer: Option<&IssuerView<'_>>,
    ) -> Result<(), Vec<Violation>> {
        let issuer = issuer.map(|issuer| with_urls(issuer, tbs));
        let mut first = None;
        for ask in self.ways_to_ask(tbs) {
            match self.regrant_as(tbs, issuer.as_ref(), &ask) {
                Ok(()) => return Ok(()),
                Err(violations) => drop(first.get_or_insert(violations)),
            }
        }
        Err(first.unwrap_or_default())
    }

    /// Returns the requests that could lead to this certificate; the most likely first.
    fn ways_to_ask(&self, tbs: &TbsCertificate) -> Vec<Ask> {
        let (names, subject) = (tbs.subject_alt_names(), tbs.subject());
        // an address in the subject is repeated among the names, whatever kinds of names the profile takes
        let mails = subject.texts("emailAddress");
        let is_repeated =
            |name: &GeneralName| mails.iter().any(|mail| name.value().eq_ignore_ascii_case(mail));
        let others: Vec<GeneralName> = names.iter().filter(|name| !is_repeated(name)).cloned().collect();
        if self.kind.is_ca() {
            let both = if others == names { vec![names] } else { vec![names, others] };
            let ask = |(names, writing)| Ask { names, subject: subject.clone(), contact: None, writing };
            let written = |names: Vec<GeneralName>| {
                [(names.clone(), Writing::Kept), (names, Writing::Established)].map(ask)
            };
            return both.into_iter().flat_map(written).collect();
        }
        let ask = |names, subject, contact| Ask { names, subject, contact, writing: Writing::Anew };
        let mut asks = vec![ask(names.clone(), subject.clone(), None)];
        if mails.is_empty() {
            return asks;
        }
        asks.push(ask(others.clone(), subject.clone(), None));
        // the contact's address may have been added to the subject, at its end
        let mut rdns = subject.rdns();
        if rdns.pop().is_some_and(|last| last.iter().all(|one| one.label() == "emailAddress")) {
            let without = Name::from_rdns(&rdns);
            asks.push(ask(names, without.clone(), mails.last().cloned()));
            asks.push(ask(others, without, mails.last().cloned()));
        }
        asks
    }

    fn regrant_as(
        &self,
        tbs: &TbsCertificate,
        issuer: Option<&IssuerView<'_>>,
        ask: &Ask,
    ) -> Result<(), Vec<Violation>> {
        let mut verdict = Verdict::default();
        let values = self.values(tbs, ask);
        let mut applicant = Applicant::new(ask.subject.clone(), tbs.public_key().clone());
        applicant.alt_names.clone_from(&ask.names);
        self.check_issuer(issuer, &mut verdict);
        let subject = self.subject.grant(&ask.subject, ask.writing, ask.contact.as_deref(), &mut verdict);
        let alt_names = self.names.grant(&applicant, &values, &subject, &mut verdict);
        self.check_subject(&ask.subject, &alt_names, &mut verdict);
        if let Some(issuer) = issuer {
            constraints::check_names(&subject, &alt_names, issuer, &mut verdict);
        }
        self.key.check(tbs.public_key(), &mut verdict);
        let validity = self.validity.grant(&values, issuer, tbs.validity().not_before, &mut verdict);
        let granted = self.extensions(&applicant, issuer, &values, &subject, &alt_names, &mut verdict);
        let mut other = |what: &str| {
            verdict.refuse(
                Code::PolicyRefused,
                "what the profile grants",
                format!("the profile `{}` grants another {what}", self.name),
                remedy::Request::OtherCaOrProfile,
            );
        };
        if subject != *tbs.subject() {
            other("subject");
        }
        if validity != tbs.validity() {
            other("validity");
        }
        let is_compared = |oid: ObjectIdentifier| {
            // identifiers of CAs that were made by another program are what they are; lint looks at the rest
            let is_free =
                oid == SUBJECT_KEY_IDENTIFIER || (issuer.is_none() && oid == AUTHORITY_KEY_IDENTIFIER);
            !(self.kind.is_ca() && is_free)
        };
        for one in tbs.extensions().iter().filter(|one| is_compared(one.oid)) {
            if !granted.contains(one) && !same_names(one, &granted) {
                other(&super::evaluate::label(one));
            }
        }
        for one in granted.iter().filter(|one| is_compared(one.oid)) {
            if tbs.extension(one.oid).is_none() {
                other(&super::evaluate::label(one));
            }
        }
        if verdict.violations.is_empty() { Ok(()) } else { Err(verdict.violations) }
    }

    fn values(&self, tbs: &TbsCertificate, ask: &Ask) -> RequestedValues {
        let policies = tbs.extensions().iter().filter(|one| extension::is_of_policies(one.oid));
        let limits = self.kind.is_ca().then(|| Limits {
            purposes: ExtendedKeyUsage::of(tbs).map(|purposes| purposes.0),
            policies: policies.cloned().collect(),
            ..Limits::default()
        });
        RequestedValues {
            alt_names: Some(ask.names.clone()),
            validity: RequestedValidity::Until(tbs.validity().not_after),
            name_constraints: NameConstraints::of(tbs).ok().flatten().unwrap_or_default(),
            path_length: BasicConstraints::of(tbs).and_then(|constraints| constraints.path_length),
            contact: ask.contact.clone(),
            limits,
            ..RequestedValues::default()
        }
    }
}

/// What somebody may have asked for.
struct Ask {
    names: Vec<GeneralName>,
    subject: Name,
    contact: Option<String>,
    writing: Writing,
}

/// Tells whether the profile grants the same names or name constraints in another order.
fn same_names(one: &extension::Extension, granted: &[extension::Extension]) -> bool {
    let Some(other) = granted.iter().find(|other| other.oid == one.oid && other.critical == one.critical)
    else {
        return false;
    };
    let same = |a: &[_], b: &[_]| a.len() == b.len() && a.iter().all(|name| b.contains(name));
    match one.oid {
        extension::SUBJECT_ALT_NAME => {
            let names = |value: &[u8]| GeneralName::list_from_der(value).ok();
            names(&one.value).zip(names(&other.value)).is_some_and(|(a, b)| same(&a, &b))
        }
        extension::NAME_CONSTRAINTS => {
            let read = |value: &[u8]| NameConstraints::from_value(value).ok();
            let same = |a: &[_], b: &[_]| a.len() == b.len() && a.iter().all(|tree| b.contains(tree));
            read(&one.value)
                .zip(read(&other.value))
                .is_some_and(|(a, b)| same(&a.permitted, &b.permitted) && same(&a.excluded, &b.excluded))
        }
        _ => false,
    }
}

fn with_urls<'a>(issuer: &IssuerView<'a>, tbs: &TbsCertificate) -> IssuerView<'a> {
    let points = tbs.extension(CRL_DISTRIBUTION_POINTS);
    let access = tbs.extension(AUTHORITY_INFO_ACCESS);
    let access =
        access.and_then(|one| AccessDescription::list_from_value(&one.value).ok()).unwrap_or_default();
    let url = |method| {
        access.iter().find_map(|one| match &one.location {
            GeneralName::Uri(url) if one.method == method => Some(url.clone()),
            _ => None,
        })
    };
    IssuerView {
        crl_urls: points.and_then(|one| distribution_point_urls(&one.value).ok()).unwrap_or_default(),
        ca_issuers_url: url(AccessDescription::CA_ISSUERS),
        ocsp_url: url(AccessDescription::OCSP),
        ..issuer.clone()
    }
}
