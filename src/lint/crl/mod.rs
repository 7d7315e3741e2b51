//! Rules on CRLs (rows C, and the rows X that apply to CRLs too).
#[cfg(test)]
pub(in crate::lint) mod draft;
mod entries;
mod extensions;
mod fields;
mod header;
mod scope;

pub(super) use fields::CertList;

use super::rule::RuleOver;

/// A rule on CRLs.
pub(super) type CrlRule = RuleOver<fn(&CertList<'_>) -> Vec<String>>;

const RULES: [&[CrlRule]; 4] = [header::RULES, entries::RULES, extensions::RULES, scope::RULES];

/// Returns every rule on CRLs, in the order of their fields.
pub(super) fn crl_rules() -> impl Iterator<Item = &'static CrlRule> {
    RULES.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::draft::Draft;
    use super::*;
    use crate::lint::certificate::draft::Draft as Issuer;

    #[test]
    fn what_is_as_we_make_it_breaks_no_rule() {
        // C1, C2, C4, C5
        for draft in [Draft::complete(), Draft::empty(), Draft::delta(), Draft::shard()] {
            assert_eq!(draft.findings(Some(&Issuer::parent())), []);
            assert_eq!(draft.findings(None), []);
        }
    }

    #[test]
    fn every_rule_is_broken_by_something_and_only_that_rule_is_found() {
        // C1, C2, C4, C5, X2, X3, X14
        let groups = [header::broken(), entries::broken(), extensions::broken(), scope::broken()];
        for case in groups.iter().flatten() {
            let mut found: Vec<&str> = case.findings().iter().map(|finding| finding.rule).collect();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, case.expected(), "{:?}", case.findings());
        }
        for rule in crl_rules() {
            assert!(
                groups.iter().flatten().any(|case| case.rule == rule.name),
                "nothing breaks {}",
                rule.name
            );
        }
    }

    #[test]
    fn a_hundred_thousand_entries_are_examined_in_one_pass() {
        // C2: sorted and unsorted, with and without a repeated serial number
        let entry = |number: u32| {
            let serial = crate::x509::octets::tlv(2, &[&[0x40][..], &number.to_be_bytes()].concat());
            crate::x509::octets::sequence(&[&serial, &draft::THIS_UPDATE.to_der()])
        };
        let mut list = Draft::complete();
        list.entries = Some((0..100_000).rev().map(entry).collect::<Vec<_>>().concat());
        assert_eq!(list.findings(None), []);
        list.entries = list.entries.map(|entries| [entries, entry(5)].concat());
        assert_eq!(
            list.findings(None)[0].message,
            "entries that stand there again: 1, the first is 4000000005"
        );
    }
}
