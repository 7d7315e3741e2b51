//! Rules on the public key and its earlier use (X13, P1).
use super::Kind;
use super::applicant::Applicant;
use super::violation::Verdict;
use crate::document::Section;
use crate::error::{Code, remedy};
use crate::x509::{KeyAlgorithm, KeyScheme, Name, SubjectPublicKeyInfo, key_weaknesses};

/// `[key]` of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct KeyRules {
    schemes: Vec<&'static KeyScheme>,
    rsa_min_bits: u32,
}

impl KeyRules {
    pub(super) fn read(section: &mut Section) -> Self {
        let schemes = section.has("algorithms").then(|| {
            section.require_list_as("algorithms", "key type", |name| {
                let found = KeyScheme::all().iter().copied().find(|known| known.name() == name);
                found.ok_or_else(|| format!("`{name}` is not a key type; one of {}", names(KeyScheme::all())))
            })
        });
        let bits = section.get_as("rsa_min_bits", |bits: i64| match u32::try_from(bits) {
            Ok(bits) if (2048..=8192).contains(&bits) => Ok(bits),
            _ => Err("must be from 2048 to 8192".to_owned()),
        });
        let usual = || KeyScheme::all().iter().copied().filter(|scheme| scheme.is_usual()).collect();
        Self { schemes: schemes.unwrap_or_else(usual), rsa_min_bits: bits.unwrap_or(2048) }
    }

    pub(super) fn check(&self, key: &SubjectPublicKeyInfo, verdict: &mut Verdict) {
        let algorithm = key.algorithm();
        if !self.schemes.contains(&algorithm.scheme()) {
            verdict.refuse(
                Code::PolicyKeyType,
                "key rules of the profile",
                format!("the key is of type {algorithm}; the profile allows {}", names(&self.schemes)),
                remedy::Request::NewKeyLike(self.example()),
            );
        }
        if let Some(bits) = algorithm.length()
            && bits < self.rsa_min_bits
            && algorithm.has_accepted_length()
        {
            verdict.refuse(
                Code::PolicyWeakKey,
                "key rules of the profile",
                format!("the RSA key has {bits} bits; the profile wants at least {}", self.rsa_min_bits),
                remedy::Request::NewKeyLike(self.example()),
            );
        }
        for weakness in key_weaknesses(key) {
            verdict.refuse(
                Code::PolicyWeakKey,
                "BR §6.1.6",
                format!("the key is weak: {weakness}"),
                remedy::Request::NewKeyLike(self.example()),
            );
        }
        if let Some(caution) = algorithm.scheme().caution() {
            verdict.notice(caution);
        }
    }

    fn example(&self) -> String {
        let scheme = self.schemes.first().copied().unwrap_or(KeyAlgorithm::P256.scheme());
        scheme.example(self.rsa_min_bits)
    }
}

fn names(schemes: &[&KeyScheme]) -> String {
    let names: Vec<&str> = schemes.iter().map(|scheme| scheme.name()).collect();
    names.join(", ")
}

/// Refuses a key that is on record for another subject, that belongs to another CA, or that was compromised.
pub(super) fn check_history(applicant: &Applicant, subject: &Name, kind: Kind, verdict: &mut Verdict) {
    const REMEDY: &str = "make a request with a new key";
    if applicant.is_known_compromised || applicant.prior_uses.iter().any(|prior| prior.compromised) {
        let why = if applicant.is_known_compromised {
            "is on the list of compromised keys"
        } else {
            "was compromised: a certificate for it was revoked for that reason"
        };
        verdict.refuse(
            Code::PolicyCompromisedKey,
            "CA/Browser Forum BR §6.1.1.3",
            format!("the key {why}"),
            REMEDY,
        );
    }
    for prior in &applicant.prior_uses {
        let same_subject = prior.subject.is_same_as(subject);
        if let Some(authority) = prior.authority.as_ref().filter(|_| !(kind.is_ca() && same_subject)) {
            verdict.refuse(
                Code::PolicyKeyOfACa,
                "key rules",
                format!("the key belongs to the CA {authority}"),
                REMEDY,
            );
        } else if !same_subject && !prior.is_one_subscriber {
            verdict.refuse(
                Code::PolicyKeyReused,
                "key rules",
                format!(
                    "the key was certified before for another subject, {}",
                    prior.subject.beside(subject).0
                ),
                remedy::Request::NewKeyOrSameHolder,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::profile::PriorUse;
    use crate::profile::testing::{ec_key, ed25519_key, ml_dsa_key, rsa_key};

    fn rules_broken(rules: &str, key: &SubjectPublicKeyInfo) -> Vec<&'static str> {
        let mut verdict = Verdict::default();
        document::read(rules, KeyRules::read).unwrap().check(key, &mut verdict);
        verdict.violations.iter().map(|violation| violation.rule.code()).collect()
    }

    #[test]
    fn only_the_key_types_of_the_profile_are_accepted() {
        // X13
        assert_eq!(rules_broken("algorithms = ['p256']", &ec_key()), [""; 0]);
        assert_eq!(rules_broken("algorithms = ['rsa', 'p384']", &ec_key()), ["policy.key-type"]);
        assert_eq!(rules_broken("", &ec_key()), [""; 0]);
        assert_eq!(rules_broken("", &ed25519_key()), [""; 0]);
    }

    #[test]
    fn rsa_keys_shorter_than_the_profile_wants_are_refused() {
        // X13
        let short = rules_broken("rsa_min_bits = 4096", &rsa_key());
        assert_eq!(short, ["policy.weak-key"]);
        assert!(!rules_broken("rsa_min_bits = 2048", &rsa_key()).contains(&"policy.key-type"));
    }

    #[test]
    fn ml_dsa_is_refused_unless_the_profile_names_it() {
        // X13
        assert_eq!(rules_broken("", &ml_dsa_key()), ["policy.key-type"]);
        assert_eq!(rules_broken("algorithms = ['p256', 'ml-dsa-87']", &ml_dsa_key()), ["policy.key-type"]);
        assert_eq!(rules_broken("algorithms = ['p256', 'ml-dsa-65']", &ml_dsa_key()), [""; 0]);
        let mut verdict = Verdict::default();
        document::read("", KeyRules::read).unwrap().check(&ml_dsa_key(), &mut verdict);
        let told = &verdict.violations[0].message;
        assert!(told.ends_with("ml-dsa-65; the profile allows p256, p384, p521, ed25519, rsa"), "{told}");
    }

    #[test]
    fn ed25519_is_certified_with_a_notice() {
        // X13
        let mut verdict = Verdict::default();
        document::read("", KeyRules::read).unwrap().check(&ed25519_key(), &mut verdict);
        assert!(verdict.notices[0].contains("browsers"));
    }

    #[test]
    fn mistakes_in_the_rules_are_told() {
        for text in ["algorithms = []", "algorithms = ['dsa']", "rsa_min_bits = 1024", "algorithm = ['rsa']"]
        {
            assert!(document::read(text, KeyRules::read).is_err(), "{text}");
        }
    }

    fn history(kind: Kind, prior: Option<(&str, Option<&str>, bool)>, listed: bool) -> Vec<&'static str> {
        let subject = Name::parse("CN=a").unwrap();
        let mut applicant = Applicant::new(subject.clone(), ec_key());
        applicant.is_known_compromised = listed;
        applicant.prior_uses = prior
            .into_iter()
            .map(|(subject, authority, compromised)| PriorUse {
                subject: Name::parse(subject).unwrap(),
                authority: authority.map(str::to_owned),
                compromised,
                is_one_subscriber: false,
            })
            .collect();
        let mut verdict = Verdict::default();
        check_history(&applicant, &subject, kind, &mut verdict);
        verdict.violations.iter().map(|violation| violation.rule.code()).collect()
    }

    #[test]
    fn a_key_seen_before_under_another_subject_is_refused() {
        // P1
        assert_eq!(history(Kind::EndEntity, Some(("CN=b", None, false)), false), ["policy.key-reused"]);
        assert_eq!(history(Kind::EndEntity, Some(("CN=a", None, false)), false), [""; 0], "a renewal");
        assert_eq!(history(Kind::EndEntity, None, false), [""; 0]);
    }

    #[test]
    fn the_key_of_a_ca_is_refused_unless_that_ca_is_renewed() {
        // X13
        let own = Some(("CN=a", Some("genfic"), false));
        assert_eq!(history(Kind::EndEntity, own, false), ["policy.key-of-a-ca"]);
        assert_eq!(history(Kind::Ca, own, false), [""; 0]);
        assert_eq!(history(Kind::Ca, Some(("CN=b", Some("other"), false)), false), ["policy.key-of-a-ca"]);
    }

    #[test]
    fn a_compromised_key_is_refused_even_for_its_own_subject() {
        // X13
        let prior = Some(("CN=a", None, true));
        assert_eq!(history(Kind::EndEntity, prior, false), ["policy.compromised-key"]);
        assert_eq!(history(Kind::EndEntity, None, true), ["policy.compromised-key"]);
    }
}
