//! Limits that one certificate of a CA sets, for another certificate with the same name and key.
use super::Violation;
use super::constraints::{lies_within, same_form};
use crate::error::{Code, Reason, remedy};
use crate::x509::extension::{
    self, BasicConstraints, EXTENDED_KEY_USAGE, ExtendedKeyUsage, Extension, KEY_USAGE, KeyUsage,
    NameConstraints, Purpose, Subtree,
};
use crate::x509::{Certificate, TbsCertificate};
use std::fmt;

const CITATION: &str = "RFC 5280 §4.2.1";

/// Limits that a CA's certificate sets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// `nameConstraints`
    pub name_constraints: NameConstraints,
    /// `extKeyUsage` without OCSPSigning; `None` when every purpose is allowed.
    pub purposes: Option<Vec<Purpose>>,
    /// `pathLenConstraint`
    pub path_length: Option<u8>,
    /// The extensions on certificate policies, their mappings and constraints, unchanged.
    pub policies: Vec<Extension>,
}

impl Limits {
    /// Returns the limits that this certificate sets.
    ///
    /// # Errors
    /// Each limit that is not understood or cannot be repeated in a certificate of ours.
    pub fn of(certificate: &Certificate) -> Result<Self, Vec<Violation>> {
        let tbs = certificate.tbs();
        let mut refused = Vec::new();
        let mut refuse = |message: String| {
            refused.push(Violation {
                rule: Code::PolicyLimits,
                citation: CITATION,
                message,
                remedy: remedy::Request::RepeatableLimits.into(),
            });
        };
        for one in tbs.extensions().iter().filter(|one| one.critical && !extension::is_known(one.oid)) {
            refuse(format!(
                "its certificate has the critical extension {}, which is not known here",
                one.oid
            ));
        }
        let name_constraints = NameConstraints::of(tbs).unwrap_or_else(|error| {
            refuse(format!("the name constraints of its certificate cannot be read: {error}"));
            None
        });
        let uses = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
        if tbs.extension(KEY_USAGE).is_some() && !KeyUsage::of(tbs).is_some_and(|usage| usage.has(uses)) {
            refuse("by its keyUsage its key does not sign both certificates and CRLs".into());
        }
        let purposes = purposes(tbs).unwrap_or_else(|message| {
            refuse(message.into());
            None
        });
        let policies = tbs.extensions().iter().filter(|one| extension::is_of_policies(one.oid)).cloned();
        let limits = Self {
            name_constraints: name_constraints.unwrap_or_default(),
            purposes,
            path_length: BasicConstraints::of(tbs).and_then(|constraints| constraints.path_length),
            policies: policies.collect(),
        };
        if refused.is_empty() { Ok(limits) } else { Err(refused) }
    }

    /// Returns the purposes only, as far as they can be read.
    #[must_use]
    pub(crate) fn of_purposes(certificate: &Certificate) -> Self {
        Self { purposes: purposes(certificate.tbs()).unwrap_or_default(), ..Self::default() }
    }

    /// Tells whether nothing is limited.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the name constraints, narrowed by the requested ones.
    ///
    /// # Errors
    /// Each requested subtree that does not overlap the permitted ones, and each permitted one that cannot be
    /// repeated.
    pub(crate) fn narrowed(&self, asked: &NameConstraints) -> Result<NameConstraints, Vec<Violation>> {
        let own = &self.name_constraints;
        let mut refused = Vec::new();
        let mut refuse = |message: String, remedy: remedy::Request| {
            let citation = "RFC 5280 §4.2.1.10";
            refused.push(Violation {
                rule: Code::PolicyNameConstraints,
                citation,
                message,
                remedy: remedy.into(),
            });
        };
        let mut permitted: Vec<Subtree> = Vec::new();
        let mut add = |tree: &Subtree| {
            if !permitted.contains(tree) {
                permitted.push(tree.clone());
            }
        };
        for tree in &asked.permitted {
            let rivals: Vec<&Subtree> = own.permitted.iter().filter(|one| same_form(one, tree)).collect();
            if rivals.is_empty() || rivals.iter().any(|one| lies_within(tree, one)) {
                add(tree);
                continue;
            }
            let narrower: Vec<&&Subtree> = rivals.iter().filter(|one| lies_within(one, tree)).collect();
            if narrower.is_empty() {
                refuse(
                    format!("{tree} is asked for, and its own certificate does not permit it"),
                    remedy::Request::PermitWhatIsPermitted,
                );
            }
            narrower.into_iter().for_each(|one| add(one));
        }
        for tree in &own.permitted {
            if !asked.permitted.iter().any(|one| same_form(one, tree)) {
                add(tree);
            }
        }
        for tree in &permitted {
            if matches!(tree, Subtree::Dns(name) if name.starts_with('.')) {
                refuse(
                    format!(
                        "{tree} is permitted by its certificate; a DNS name with a leading dot is not repeated"
                    ),
                    remedy::Request::PermitBelow,
                );
            }
        }
        let mut excluded = asked.excluded.clone();
        for tree in &own.excluded {
            // without its leading dot, a DNS subtree excludes the domain itself too
            let tree = match tree {
                Subtree::Dns(name) => Subtree::Dns(name.trim_start_matches('.').to_owned()),
                other => other.clone(),
            };
            if !excluded.contains(&tree) {
                excluded.push(tree);
            }
        }
        if refused.is_empty() { Ok(NameConstraints { permitted, excluded }) } else { Err(refused) }
    }
}

/// Writes the limits in words, for a question or a notice. Writes nothing when nothing is limited.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |trees: &[Subtree]| trees.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut parts = Vec::new();
        if !self.name_constraints.permitted.is_empty() {
            parts.push(format!("permitted {}", list(&self.name_constraints.permitted)));
        }
        if !self.name_constraints.excluded.is_empty() {
            parts.push(format!("excluded {}", list(&self.name_constraints.excluded)));
        }
        if let Some(purposes) = &self.purposes {
            let purposes: Vec<String> = purposes.iter().map(ToString::to_string).collect();
            parts.push(format!("only for {}", purposes.join(", ")));
        }
        parts.extend(self.path_length.map(|length| format!("path length {length}")));
        if !self.policies.is_empty() {
            parts.push("its certificate policies".into());
        }
        f.write_str(&parts.join("; "))
    }
}

fn purposes(tbs: &TbsCertificate) -> Result<Option<Vec<Purpose>>, Reason> {
    let Some(extension) = tbs.extension(EXTENDED_KEY_USAGE) else { return Ok(None) };
    let all = ExtendedKeyUsage::from_value(&extension.value)
        .map_err(|error| format!("the extended key usage of its certificate cannot be read: {error}"))?;
    if all.0.contains(&Purpose::ANY) {
        return Ok(None);
    }
    let mut purposes: Vec<Purpose> = Vec::new();
    for purpose in all.0 {
        // a CA with this purpose could sign OCSP responses for its issuer
        if purpose != Purpose::OCSP_SIGNING && !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    if purposes.is_empty() {
        return Err("its certificate is for OCSP signing alone".into());
    }
    Ok(Some(purposes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::testing::authority_with;
    use der::asn1::ObjectIdentifier;

    fn constraints(permit: &[&str], exclude: &[&str]) -> NameConstraints {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        NameConstraints { permitted: parse(permit), excluded: parse(exclude) }
    }

    fn limits(permit: &[&str], exclude: &[&str]) -> Limits {
        Limits { name_constraints: constraints(permit, exclude), ..Limits::default() }
    }

    fn narrowed(own: &Limits, permit: &[&str], exclude: &[&str]) -> Result<NameConstraints, usize> {
        own.narrowed(&constraints(permit, exclude)).map_err(|refused| refused.len())
    }

    #[test]
    fn what_is_asked_for_and_what_limits_it_are_met_together() {
        // X8
        let own = limits(&["partner.example", "dir:C=NL", "192.0.2.0/24"], &["dns:secret.partner.example"]);
        assert_eq!(narrowed(&own, &[], &[]), Ok(own.name_constraints.clone()), "carried over");
        assert_eq!(
            narrowed(&own, &["a.partner.example", "email:partner.example"], &["dns:b.a.partner.example"]),
            Ok(constraints(
                &["a.partner.example", "email:partner.example", "dir:C=NL", "192.0.2.0/24"],
                &["dns:b.a.partner.example", "dns:secret.partner.example"]
            )),
            "narrower where both say something, else what either says"
        );
        assert_eq!(
            narrowed(&own, &["example", "192.0.0.0/16"], &[]).unwrap().permitted,
            constraints(&["partner.example", "192.0.2.0/24", "dir:C=NL"], &[]).permitted,
            "what is asked for does not widen"
        );
        assert_eq!(narrowed(&own, &["other.example"], &[]), Err(1));
        assert_eq!(
            narrowed(&limits(&[], &[]), &["other.example"], &[]),
            Ok(constraints(&["other.example"], &[]))
        );
    }

    #[test]
    fn a_leading_dot_is_never_dropped_to_permit_more() {
        // X8
        let dotted = Limits {
            name_constraints: NameConstraints {
                permitted: vec![Subtree::Dns(".partner.example".into())],
                excluded: vec![Subtree::Dns(".secret.partner.example".into())],
            },
            ..Limits::default()
        };
        assert_eq!(narrowed(&dotted, &[], &[]), Err(1));
        assert_eq!(
            narrowed(&dotted, &["www.partner.example"], &[]),
            Ok(constraints(&["www.partner.example"], &["dns:secret.partner.example"]))
        );
    }

    #[test]
    fn every_limit_of_a_certificate_is_known_or_refused() {
        // X5, X8, X9, X12
        let of = |extensions: Vec<Extension>| Limits::of(&authority_with("CN=Partner", extensions));
        assert_eq!(of(Vec::new()), Ok(Limits::default()));
        let purposes = |all: &[Purpose]| ExtendedKeyUsage(all.to_vec()).to_extension();
        let email = of(vec![purposes(&[Purpose::EMAIL_PROTECTION, Purpose::OCSP_SIGNING])]).unwrap();
        assert_eq!(email.purposes, Some(vec![Purpose::EMAIL_PROTECTION]));
        assert_eq!(of(vec![purposes(&[Purpose::ANY, Purpose::CLIENT_AUTH])]).unwrap().purposes, None);
        assert!(of(vec![purposes(&[Purpose::OCSP_SIGNING])]).is_err());
        let shallow = BasicConstraints { ca: true, path_length: Some(1) }.to_extension();
        assert_eq!(of(vec![shallow]).unwrap().path_length, Some(1));
        let oid = |text| ObjectIdentifier::new_unwrap(text);
        let require_policy = Extension::new(oid("2.5.29.36"), true, vec![0x30, 3, 0x80, 1, 0]);
        assert_eq!(of(vec![require_policy.clone()]).unwrap().policies, [require_policy]);
        for unreadable in [
            Extension::new(extension::NAME_CONSTRAINTS, true, vec![5, 0]),
            Extension::new(EXTENDED_KEY_USAGE, false, vec![5, 0]),
            Extension::new(oid("1.2.3.4"), true, vec![5, 0]),
            KeyUsage::KEY_CERT_SIGN.to_extension(),
        ] {
            let refused = of(vec![unreadable.clone()]).unwrap_err();
            assert_eq!(refused.len(), 1, "{unreadable:?}");
        }
        assert!(of(vec![Extension::new(oid("1.2.3.4"), false, vec![5, 0])]).is_ok(), "it limits nothing");
    }
}
