//! Certificate profiles: what a CA may certify and what it grants. Pure.
//!
//! A profile is a TOML text; `policy/README.md` documents every key. [`Profile::evaluate`] decides on an
//! [`Applicant`] and returns a [`CertificateTemplate`], or every [`Violation`] at once. The key is the only value
//! copied from a request as it is; its subject and alternative names are subject to rules.
mod alt_name;
mod applicant;
mod attribute_rule;
mod bearer;
mod bounds;
mod constraints;
mod evaluate;
mod key;
mod limits;
mod names;
mod presence;
mod profiles;
mod regrant;
mod shipped;
mod stagger;
mod subject;
mod template;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod usage;
mod validity;
mod violation;

pub use alt_name::{check_alt_name, parse_alt_name};
pub use applicant::{Applicant, RequestedValidity, RequestedValues};
pub(crate) use applicant::{IssuerView, KnownAuthority, PriorUse};
pub(crate) use constraints::lies_within;
pub use limits::Limits;
pub use profiles::{ProfileError, Profiles};
pub use shipped::SHIPPED;
pub(crate) use stagger::Sibling;
pub(crate) use template::CertificateTemplate;
pub(crate) use violation::Violation;

use crate::document::{self, Mistake, Section};
use crate::error::Reason;
use crate::x509::extension::NameConstraints;
use crate::x509::{Attribute, Name, UnixTime, Validity};
use constraints::ConstraintRules;
use key::KeyRules;
use names::NameRules;
use std::fmt;
use subject::{SubjectRules, Writing};
use usage::{PathLengthRules, UsageRules};
use validity::ValidityRules;
use violation::Verdict;

/// Kind of a certificate.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// Self-signed CA.
    RootCa,
    /// CA below another CA.
    Ca,
    /// Certificate of neither a CA nor a responder.
    EndEntity,
    /// Delegated OCSP responder (RFC 6960 §4.2.2.2).
    OcspResponder,
}

impl Kind {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::RootCa, "root-ca"),
        (Self::Ca, "ca"),
        (Self::EndEntity, "end-entity"),
        (Self::OcspResponder, "ocsp-responder"),
    ];

    /// Tells whether the certificate is of a CA, a root included.
    #[must_use]
    pub fn is_ca(self) -> bool {
        matches!(self, Self::RootCa | Self::Ca)
    }
}

/// Writes the kind as in a profile.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES.iter().find(|row| row.0 == *self).map_or("", |row| row.1))
    }
}

/// How relying parties learn that a certificate was revoked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum RevocationPointers {
    /// The certificate names a CRL, and an OCSP responder when its issuer has one.
    CrlAndOcsp,
    /// The certificate names a CRL only.
    Crl,
    /// Not at all: the certificate is too short-lived (noRevAvail, RFC 9608).
    NotAvailable,
}

/// `[ca]` of a profile.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct AuthorityRules {
    leaf_profile: Option<String>,
    ends_before: Vec<String>,
    path_length: PathLengthRules,
    constraints: ConstraintRules,
}

/// A checked profile, which cannot contradict itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    name: String,
    kind: Kind,
    description: String,
    issuers: Vec<String>,
    revocation: RevocationPointers,
    subject: SubjectRules,
    names: NameRules,
    key: KeyRules,
    validity: ValidityRules,
    usage: UsageRules,
    authority: AuthorityRules,
}

impl Profile {
    /// Reads the text of a profile. `name` is the name of its file without the extension.
    ///
    /// # Errors
    /// Every mistake in the text, with its line and key. An unknown key is a mistake.
    pub fn parse(name: &str, toml: &str) -> Result<Self, Vec<ProfileError>> {
        let built = document::read(toml, |section| Self::read(name, section));
        let errors = |mistakes: Vec<document::Mistake>| {
            mistakes.into_iter().map(|mistake| ProfileError { profile: name.to_owned(), mistake }).collect()
        };
        match built {
            Ok(Some(profile)) => Ok(profile),
            Ok(None) => Err(errors(vec![document::Mistake {
                line: None,
                key: "kind".into(),
                message: "is missing".into(),
            }])),
            Err(mistakes) => Err(errors(mistakes)),
        }
    }

    fn read(name: &str, section: &mut Section) -> Option<Self> {
        let names: Vec<&str> = Kind::NAMES.iter().map(|row| row.1).collect();
        let kind = section.require_as("kind", |word: String| {
            let found = Kind::NAMES.iter().find(|row| row.1 == word);
            found.map(|row| row.0).ok_or_else(|| format!("`{word}` is none of {}", names.join(", ")))
        });
        let Some(kind) = kind else {
            section.pass_over();
            return None;
        };
        Some(Self {
            name: name.to_owned(),
            kind,
            description: section.get("description").unwrap_or_default(),
            issuers: if kind == Kind::RootCa { Vec::new() } else { read_issuers(section, kind) },
            revocation: read_revocation(section, kind),
            usage: UsageRules::read(section, kind),
            subject: section.section("subject", SubjectRules::read),
            names: section.section("names", NameRules::read),
            key: section.section("key", KeyRules::read),
            validity: section.section("validity", ValidityRules::read),
            authority: if kind.is_ca() {
                section.section("ca", AuthorityRules::read)
            } else {
                AuthorityRules::default()
            },
        })
    }

    /// Returns the name, as given after `--profile`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells whether certificates are limited to certain purposes.
    #[must_use]
    pub(crate) fn has_purposes(&self) -> bool {
        self.usage.has_purposes()
    }

    /// Returns the weaknesses of the profile, each with its line. They were not mistakes in earlier versions, so
    /// homes with such profiles keep working with a notice.
    #[must_use]
    pub(crate) fn flaws(&self) -> Vec<&Mistake> {
        let constraints = &self.authority.constraints.flaws;
        self.names.flaws.iter().chain(&self.validity.flaws).chain(constraints).collect()
    }

    /// Returns the kind of certificate that the profile makes.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns one sentence for listings, which may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Returns the profiles of the CAs that may use this profile; `*` stands for every CA.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }

    /// Tells whether a CA created under `ca_profile` may use this profile (G21).
    #[must_use]
    pub fn may_be_issued_by(&self, ca_profile: &str) -> bool {
        self.issuers.iter().any(|issuer| issuer == ca_profile || issuer == "*")
    }

    /// Returns the days for which a certificate is valid unless other are asked for.
    #[must_use]
    pub fn days(&self) -> i64 {
        self.validity.days
    }

    /// Returns the most days that may be asked for; `None` for a profile without that limit.
    #[must_use]
    pub fn most_days(&self) -> Option<i64> {
        self.validity.max_days
    }

    /// Returns the profile that `sign` takes by default, for a profile of CAs.
    #[must_use]
    pub fn default_leaf_profile(&self) -> Option<&str> {
        self.authority.leaf_profile.as_deref()
    }

    /// Returns these name constraints with those that the profile adds to every CA's.
    #[must_use]
    pub(crate) fn with_own_constraints(&self, asked: &NameConstraints) -> NameConstraints {
        self.authority.constraints.merged(asked)
    }

    /// Tells whether certificates may have DNS names.
    #[must_use]
    pub fn takes_dns_names(&self) -> bool {
        self.names.take_dns()
    }

    /// Returns how revocation is announced.
    #[must_use]
    pub fn revocation(&self) -> RevocationPointers {
        self.revocation
    }

    /// Returns the profile's validity from now, not cut to the issuer's end. [`Profiles::stagger`] starts from it.
    #[must_use]
    pub fn full_length(&self, issuer: Option<&IssuerView<'_>>, backdate: i64, now: UnixTime) -> Validity {
        self.validity.full_length(issuer, backdate, now)
    }

    /// Returns the part of a subject that this profile would grant; attributes that it would refuse are left out.
    /// Meant for subjects modelled on another certificate's, which are ours to choose, never for those of requests.
    #[must_use]
    pub(crate) fn admissible_subject(&self, model: &Name) -> Name {
        let mut kept: Vec<Attribute> = Vec::new();
        for attribute in model.attributes() {
            let mut verdict = Verdict::default();
            let granted = self.subject.grant_attribute(&attribute, Writing::Anew, &mut verdict);
            let count = kept.iter().filter(|one| one.oid == granted.oid).count();
            if verdict.violations.is_empty() && count < self.subject.most(granted.oid) {
                kept.push(granted);
            }
        }
        Name::from_attributes(&kept)
    }
}

fn profile_name(name: &str) -> Result<String, Reason> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("`{name}` is not the name of a profile").into());
    }
    Ok(name.to_owned())
}

fn read_issuers(section: &mut Section, kind: Kind) -> Vec<String> {
    section.require_list_as("issuers", "CA profile that may issue it", |name| match name {
        "*" if kind == Kind::OcspResponder => Ok(name.to_owned()),
        "*" => Err("every CA is too much; name the profiles of the CAs that may issue it".into()),
        name => profile_name(name),
    })
}

fn read_revocation(section: &mut Section, kind: Kind) -> RevocationPointers {
    match kind {
        Kind::RootCa | Kind::OcspResponder => RevocationPointers::NotAvailable,
        Kind::Ca | Kind::EndEntity => section
            .get_as("revocation", |word: String| match word.as_str() {
                "crl+ocsp" => Ok(RevocationPointers::CrlAndOcsp),
                "crl" => Ok(RevocationPointers::Crl),
                "none" if kind == Kind::EndEntity => Ok(RevocationPointers::NotAvailable),
                "none" => Err("a CA certificate must be revocable (RFC 9608)".to_owned()),
                _ => Err("must be \"crl+ocsp\", \"crl\" or \"none\"".to_owned()),
            })
            .unwrap_or(RevocationPointers::CrlAndOcsp),
    }
}

impl AuthorityRules {
    fn read(section: &mut Section) -> Self {
        let name = |name: &str| profile_name(name);
        Self {
            leaf_profile: section.get_as("leaf_profile", |text: String| name(&text)),
            ends_before: section.list_as("ends_before", name).unwrap_or_default(),
            path_length: PathLengthRules::read(section),
            constraints: ConstraintRules::read(section),
        }
    }
}
