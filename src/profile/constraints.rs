//! Name constraints of the issuer and of every CA above it (X8).
use super::alt_name::{self, UriHost, uri_host};
use super::applicant::IssuerView;
use super::names::{common_host_names, permits_nothing, subtrees};
use super::presence::Presence;
use super::violation::Verdict;
use crate::document::{Mistake, Section};
use crate::error::{Code, remedy};
use crate::x509::extension::{NameConstraints, Subtree};
use crate::x509::{Certificate, GeneralName, Name};

const CITATION: &str = "RFC 5280 §4.2.1.10";

/// Name constraints that CAs of a profile get or may request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ConstraintRules {
    presence: Presence,
    own: NameConstraints,
    pub(super) flaws: Vec<Mistake>,
}

impl ConstraintRules {
    /// Reads `name_constraints`, `permit` and `exclude` of `[ca]`.
    pub(super) fn read(section: &mut Section) -> Self {
        let flaws = permits_nothing(section, "permit").into_iter().collect();
        let presence = section.get_as("name_constraints", |word: String| Presence::parse(&word));
        let own = NameConstraints {
            permitted: subtrees(section, "permit"),
            excluded: subtrees(section, "exclude"),
        };
        let presence = presence.unwrap_or_default();
        if presence == Presence::Forbidden && !own.is_empty() {
            section.mistake("name_constraints", "forbids what `permit` and `exclude` ask for");
        }
        Self { presence, own, flaws }
    }

    /// Returns the name constraints of a new CA: those of the profile, narrowed by the requested ones. They must be
    /// within those of the CAs above.
    pub(super) fn grant(
        &self,
        asked: &NameConstraints,
        issuer: Option<&IssuerView<'_>>,
        verdict: &mut Verdict,
    ) -> Option<NameConstraints> {
        if self.presence == Presence::Forbidden && !asked.is_empty() {
            verdict.refuse(
                Code::PolicyNameConstraints,
                "ca.name_constraints of the profile",
                "the profile allows no name constraints",
                remedy::Request::NoNameConstraints,
            );
        }
        if self.presence == Presence::Required && asked.is_empty() && self.own.is_empty() {
            verdict.refuse(
                Code::PolicyNameConstraints,
                "ca.name_constraints of the profile",
                "the profile requires name constraints and none are given",
                remedy::Request::NameConstraints,
            );
        }
        outside(asked, &self.own, "the profile", verdict);
        let granted = self.merged(asked);
        let above = issuer.map(|issuer| constraints_of(issuer, verdict)).unwrap_or_default();
        for (above, name) in above {
            outside(&granted, &above, &name, verdict);
        }
        let granted = granted.closed_for_addresses().closed_for_hosts();
        (!granted.is_empty()).then_some(granted)
    }

    /// Returns the requested name constraints with those that the profile adds.
    pub(super) fn merged(&self, asked: &NameConstraints) -> NameConstraints {
        let mut merged = asked.clone();
        for tree in &self.own.permitted {
            if !asked.permitted.iter().any(|one| same_form(one, tree)) {
                merged.permitted.push(tree.clone());
            }
        }
        for tree in &self.own.excluded {
            if !merged.excluded.contains(tree) {
                merged.excluded.push(tree.clone());
            }
        }
        merged
    }
}

fn title(certificate: &Certificate) -> String {
    format!("the CA `{}`", certificate.tbs().subject())
}

fn constraints_of(issuer: &IssuerView<'_>, verdict: &mut Verdict) -> Vec<(NameConstraints, String)> {
    let mut all = Vec::new();
    for certificate in issuer.chain() {
        match NameConstraints::of(certificate.tbs()) {
            Ok(Some(constraints)) => all.push((constraints, title(certificate))),
            Ok(None) => {}
            Err(error) => verdict.refuse(
                Code::PolicyNameConstraints,
                CITATION,
                format!("the name constraints of {} cannot be read: {error}", title(certificate)),
                "use another CA; what this one may certify is not known",
            ),
        }
    }
    all
}

pub(super) fn same_form(one: &Subtree, other: &Subtree) -> bool {
    match (one, other) {
        (Subtree::Ip { network: one, .. }, Subtree::Ip { network: other, .. }) => {
            one.is_ipv4() == other.is_ipv4()
        }
        (Subtree::Other(one), Subtree::Other(other)) => one.first() == other.first(),
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

/// Tells whether every name in `inner` is also in `outer`.
pub(crate) fn lies_within(inner: &Subtree, outer: &Subtree) -> bool {
    match (inner, outer) {
        (Subtree::Dns(base), _) => outer.contains(&GeneralName::Dns(base.clone())),
        (Subtree::Directory(base), _) => outer.contains(&GeneralName::Directory(base.clone())),
        (Subtree::Ip { network, prefix }, Subtree::Ip { prefix: wider, .. }) => {
            prefix >= wider && outer.contains(&GeneralName::Ip(*network))
        }
        (Subtree::Email(inner), Subtree::Email(outer)) => match inner.rsplit_once('@') {
            Some(_) => Subtree::Email(outer.clone()).contains(&GeneralName::Email(inner.clone())),
            None => !outer.contains('@') && host_within(inner, outer),
        },
        (Subtree::Uri(inner), Subtree::Uri(outer)) => host_within(inner, outer),
        (Subtree::Other(inner), Subtree::Other(outer)) => inner == outer,
        _ => false,
    }
}

/// Tells the same for hosts of mailboxes and URIs, where a leading dot means every host below.
fn host_within(inner: &str, outer: &str) -> bool {
    let (inner, outer) = (inner.to_ascii_lowercase(), outer.to_ascii_lowercase());
    inner == outer || (outer.starts_with('.') && inner.ends_with(&outer))
}

/// Refuses permitted subtrees that the CA above does not permit or that it excludes.
fn outside(child: &NameConstraints, above: &NameConstraints, whose: &str, verdict: &mut Verdict) {
    for tree in &child.permitted {
        let rivals: Vec<&Subtree> = above.permitted.iter().filter(|one| same_form(one, tree)).collect();
        let permitted = rivals.is_empty() || rivals.iter().any(|one| lies_within(tree, one));
        let in_ipv4 = tree.in_ipv4();
        let excluded = above
            .excluded
            .iter()
            .any(|one| lies_within(tree, one) || in_ipv4.as_ref().is_some_and(|tree| lies_within(tree, one)));
        if !permitted || excluded {
            verdict.refuse(
                Code::PolicyNameConstraints,
                CITATION,
                format!(
                    "{tree} is permitted to the new CA, but lies outside the name constraints of {whose}"
                ),
                format!("permit only what {whose} permits"),
            );
        }
    }
}

/// Checks every name of a new certificate against the name constraints of the issuer and of every CA above it.
pub(super) fn check_names(
    subject: &Name,
    alt_names: &[GeneralName],
    issuer: &IssuerView<'_>,
    verdict: &mut Verdict,
) {
    let mut names = alt_names.to_vec();
    if !subject.is_empty() {
        names.push(GeneralName::Directory(subject.clone()));
    }
    for text in subject.texts("emailAddress") {
        names.extend(alt_name::mailbox(&text));
    }
    names.extend(common_host_names(subject));
    names.extend(subject.texts("CN").iter().flat_map(|text| alt_name::mailbox(text)));
    let mut seen: Vec<&GeneralName> = Vec::new();
    for (constraints, whose) in constraints_of(issuer, verdict) {
        seen.clear();
        for name in &names {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let reason = constraints.refuses(name).or_else(|| uri_without_name(name, &constraints));
            if let Some(reason) = reason {
                verdict.refuse(
                    Code::PolicyNameConstraints,
                    CITATION,
                    format!("{reason}: name constraints of {whose}"),
                    "use a name within the constraints, or another CA",
                );
            }
        }
    }
}

/// Returns the fault of a URI without a domain name, when URIs are constrained. Such a URI satisfies no constraint on
/// URIs, not even an excluding one.
fn uri_without_name(name: &GeneralName, constraints: &NameConstraints) -> Option<String> {
    let GeneralName::Uri(text) = name else { return None };
    let constrained =
        constraints.permitted.iter().chain(&constraints.excluded).any(|tree| tree.concerns(name));
    let has_name =
        text.split_once("://").is_some_and(|(_, rest)| matches!(uri_host(rest), Some(UriHost::Name(_))));
    (constrained && !has_name).then(|| format!("{name} has no domain name that could be constrained"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::profile::parse_alt_name;
    use crate::profile::testing::{authority_with, view};

    fn constraints(permit: &[&str], exclude: &[&str]) -> NameConstraints {
        let parse = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        NameConstraints { permitted: parse(permit), excluded: parse(exclude) }
    }

    fn constrained(permit: &[&str], exclude: &[&str]) -> Certificate {
        authority_with("CN=CA", vec![constraints(permit, exclude).to_extension()])
    }

    fn refused(subject: &str, names: &[&str], chain: &[Certificate]) -> Vec<String> {
        let names: Vec<GeneralName> = names.iter().map(|text| parse_alt_name(text).unwrap()).collect();
        let mut verdict = Verdict::default();
        let (issuer, ancestors) = chain.split_first().unwrap();
        check_names(&Name::parse(subject).unwrap(), &names, &view(issuer, ancestors), &mut verdict);
        assert!(
            verdict.violations.iter().all(|violation| violation.rule.code() == "policy.name-constraints")
        );
        verdict.violations.into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn names_are_checked_against_the_issuer_and_all_above_it() {
        // X8
        let free = || authority_with("CN=Free", Vec::new());
        let chain = [free(), constrained(&["ok.example"], &["no.ok.example"]), free()];
        assert_eq!(refused("CN=a", &["a.ok.example"], &chain), [""; 0]);
        assert_eq!(refused("CN=a", &["a.example", "x.no.ok.example"], &chain).len(), 2);
        assert_eq!(refused("CN=a", &["a.example"], &[free()]), [""; 0]);
    }

    #[test]
    fn the_subject_its_mail_address_and_its_common_name_are_checked_too() {
        // X8
        let chain = [constrained(&["ok.example", "email:ok.example", "dir:C=BE"], &[])];
        assert_eq!(refused("C=BE,CN=a.ok.example,emailAddress=a@ok.example", &[], &chain), [""; 0]);
        let three = refused("C=NL,CN=a.example,emailAddress=a@b.example", &[], &chain);
        assert_eq!(three.len(), 3, "{three:?}");
        assert_eq!(refused("C=BE,CN=Amber McStone", &[], &chain), [""; 0]);
    }

    #[test]
    fn a_uri_without_a_domain_name_satisfies_no_constraint() {
        // X8
        let chain = [constrained(&[], &["uri:.bad.example"])];
        assert_eq!(refused("CN=a", &["http://a.example/"], &chain), [""; 0]);
        assert_eq!(refused("CN=a", &["http://192.0.2.1/"], &chain).len(), 1);
        assert_eq!(refused("CN=a", &["http://x.bad.example/"], &chain).len(), 1);
    }

    #[test]
    fn constraints_that_cannot_be_read_let_nothing_through() {
        // X8
        let broken = crate::x509::Extension::new(crate::x509::extension::NAME_CONSTRAINTS, true, vec![5, 0]);
        assert_eq!(refused("CN=a", &[], &[authority_with("CN=CA", vec![broken])]).len(), 1);
    }

    fn child(rules: &str, asked: &NameConstraints, above: &[Certificate]) -> Result<NameConstraints, usize> {
        let rules = document::read(rules, ConstraintRules::read).unwrap();
        let mut verdict = Verdict::default();
        let view = above.split_first().map(|(issuer, ancestors)| view(issuer, ancestors));
        let granted = rules.grant(asked, view.as_ref(), &mut verdict);
        match verdict.violations.len() {
            0 => Ok(granted.unwrap_or_default()),
            count => Err(count),
        }
    }

    #[test]
    fn a_childs_constraints_lie_within_those_above() {
        // X8
        let above = [
            constrained(
                &["ok.example", "192.0.2.0/24", "email:.ok.example", "uri:.ok.example"],
                &["no.ok.example"],
            ),
            constrained(&["example"], &[]),
        ];
        for inside in [
            "a.ok.example",
            "192.0.2.128/25",
            "email:a@b.ok.example",
            "email:x.ok.example",
            "uri:.x.ok.example",
        ] {
            assert!(child("", &constraints(&[inside], &[]), &above).is_ok(), "{inside}");
        }
        for outside in [
            "b.example",
            "192.0.0.0/16",
            "email:a@b.example",
            "email:ok.example",
            "uri:b.example",
            "x.no.ok.example",
        ] {
            assert!(child("", &constraints(&[outside], &[]), &above).is_err(), "{outside}");
        }
        assert!(child("", &constraints(&["dir:C=BE"], &[]), &above).is_ok(), "a form that is free above");
    }

    #[test]
    fn a_child_is_permitted_no_excluded_address_in_another_dress() {
        // X8
        let above = [constrained(&[], &["192.0.2.0/24"])];
        assert_eq!(child("", &constraints(&["::ffff:192.0.2.0/120"], &[]), &above), Err(1));
        assert!(child("", &constraints(&["::ffff:192.0.3.0/120"], &[]), &above).is_ok());
    }

    #[test]
    fn permitting_only_dns_names_closes_the_addresses() {
        // X8
        let granted = child("", &constraints(&["ok.example"], &[]), &[]).unwrap();
        assert!(
            granted.excluded.contains(&Subtree::ALL_IPV4) && granted.excluded.contains(&Subtree::ALL_IPV6)
        );
        assert!(granted.permitted.contains(&Subtree::Email(".ok.example".into())), "and mail elsewhere");
    }

    #[test]
    fn what_is_asked_for_narrows_what_the_profile_gives() {
        let rules = "permit = ['dns:ok.example', 'email:ok.example']\nexclude = ['dns:no.ok.example']";
        let granted =
            child(rules, &constraints(&["a.ok.example", "192.0.2.0/24"], &["dns:b.a.ok.example"]), &[]);
        assert_eq!(
            granted.unwrap(),
            constraints(
                &[
                    "a.ok.example",
                    "192.0.2.0/24",
                    "email:ok.example",
                    "uri:a.ok.example",
                    "uri:.a.ok.example"
                ],
                &["dns:b.a.ok.example", "dns:no.ok.example"]
            )
        );
        assert_eq!(child(rules, &constraints(&["b.example"], &[]), &[]), Err(1));
    }

    #[test]
    fn a_profile_can_require_or_forbid_them() {
        let some = constraints(&["ok.example"], &[]);
        assert_eq!(child("name_constraints = 'required'", &NameConstraints::default(), &[]), Err(1));
        assert!(child("name_constraints = 'required'", &some, &[]).is_ok());
        assert_eq!(child("name_constraints = 'forbidden'", &some, &[]), Err(1));
        assert!(child("name_constraints = 'forbidden'", &NameConstraints::default(), &[]).is_ok());
        let contradiction = "name_constraints = 'forbidden'\npermit = ['a.example']";
        assert!(document::read(contradiction, ConstraintRules::read).is_err());
        assert!(document::read("name_constraints = 'maybe'", ConstraintRules::read).is_err());
    }
}
