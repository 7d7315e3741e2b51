//! Rules on what a key may be used for: keyUsage, extKeyUsage, basicConstraints (X5, X9).
use super::applicant::{Ask, IssuerView};
use super::bounds::within;
use super::violation::Verdict;
use super::{Kind, Limits};
use crate::document::Section;
use crate::error::{Code, Reason, remedy};
use crate::x509::extension::{BasicConstraints, EXTENDED_KEY_USAGE, ExtendedKeyUsage, KeyUsage, Purpose};
use crate::x509::{Certificate, KeyAlgorithm};

/// `key_usage…` and `extended_key_usage` of a profile.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct UsageRules {
    every_key: KeyUsage,
    rsa: KeyUsage,
    ec: KeyUsage,
    purposes: Vec<Purpose>,
}

/// Reads a key usage that must be among `allowed`. The others fit another key type only, or no end entity at all.
fn use_among(name: &str, allowed: KeyUsage) -> Result<KeyUsage, Reason> {
    match KeyUsage::by_name(name) {
        Some(usage) if allowed.has(usage) => Ok(usage),
        Some(_) => Err(format!("`{name}` does not belong here; allowed are {allowed}").into()),
        None => Err(format!("`{name}` is not a key usage; allowed are {allowed}").into()),
    }
}

fn together(uses: Vec<KeyUsage>) -> KeyUsage {
    uses.into_iter().fold(KeyUsage::default(), KeyUsage::with)
}

impl UsageRules {
    pub(super) fn read(section: &mut Section, kind: Kind) -> Self {
        let mut rules = Self::default();
        match kind {
            Kind::RootCa | Kind::Ca => {
                rules.every_key = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
                let list = section.list_as("extended_key_usage", purpose).unwrap_or_default();
                rules.purposes = once(list, section);
            }
            Kind::OcspResponder => {
                rules.every_key = KeyUsage::DIGITAL_SIGNATURE;
                rules.purposes = vec![Purpose::OCSP_SIGNING];
            }
            Kind::EndEntity => {
                let any = KeyUsage::DIGITAL_SIGNATURE.with(KeyUsage::NON_REPUDIATION);
                let rsa = KeyUsage::KEY_ENCIPHERMENT.with(KeyUsage::DATA_ENCIPHERMENT);
                let ec = KeyUsage::KEY_AGREEMENT;
                let every_key = section.require_list_as("key_usage", "use", |name| use_among(name, any));
                let rsa = section.list_as("key_usage_rsa", |name| use_among(name, rsa));
                let ec = section.list_as("key_usage_ec", |name| use_among(name, ec));
                rules.every_key = together(every_key);
                rules.rsa = together(rsa.unwrap_or_default());
                rules.ec = together(ec.unwrap_or_default());
                let list = section.require_list_as("extended_key_usage", "purpose", purpose);
                rules.purposes = once(list, section);
            }
        }
        rules
    }

    pub(super) fn key_usage(&self, algorithm: KeyAlgorithm) -> KeyUsage {
        let of_some_keys = self.rsa.with(self.ec);
        let impossible = of_some_keys.without(algorithm.possible_uses());
        self.every_key.with(of_some_keys.without(impossible))
    }

    /// Tells whether certificates are limited to certain purposes.
    pub(super) fn has_purposes(&self) -> bool {
        !self.purposes.is_empty()
    }

    /// Returns the purposes of the certificate: those of the profile that `limits` allow. Each must be allowed by
    /// every CA above, except in responder certificates.
    pub(super) fn purposes(
        &self,
        kind: Kind,
        issuer: Option<&IssuerView<'_>>,
        limits: Option<&Limits>,
        verdict: &mut Verdict,
    ) -> Option<ExtendedKeyUsage> {
        let purposes = match limits.and_then(|limits| limits.purposes.as_ref()) {
            None => self.purposes.clone(),
            Some(limit) if self.purposes.is_empty() => limit.clone(),
            Some(limit) => {
                let both: Vec<Purpose> =
                    self.purposes.iter().filter(|purpose| limit.contains(purpose)).copied().collect();
                if both.is_empty() {
                    let list: Vec<String> = limit.iter().map(ToString::to_string).collect();
                    verdict.refuse(
                        Code::PolicyExtendedKeyUsage,
                        "RFC 5280 §4.2.1.12",
                        format!(
                            "its own certificate is for {} alone, which the profile does not allow",
                            list.join(", ")
                        ),
                        remedy::Request::OtherProfileOrUnconstrained,
                    );
                }
                both
            }
        };
        if kind != Kind::OcspResponder {
            for certificate in issuer.into_iter().flat_map(IssuerView::chain) {
                check_nesting(&purposes, certificate, verdict);
            }
        }
        (!purposes.is_empty()).then_some(ExtendedKeyUsage(purposes))
    }
}

fn check_nesting(purposes: &[Purpose], above: &Certificate, verdict: &mut Verdict) {
    let Some(extension) = above.tbs().extension(EXTENDED_KEY_USAGE) else { return };
    let allowed = ExtendedKeyUsage::from_value(&extension.value).unwrap_or_default().0;
    if allowed.contains(&Purpose::ANY) {
        return;
    }
    for purpose in purposes.iter().filter(|purpose| !allowed.contains(purpose)) {
        let list: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        verdict.refuse(
            Code::PolicyExtendedKeyUsage,
            "CA/Browser Forum BR §7.1.2.10.6",
            format!("the CA `{}` is limited to {}, not {purpose}", above.tbs().subject(), list.join(", ")),
            "use a CA for this purpose",
        );
    }
}

fn purpose(name: &str) -> Result<Purpose, Reason> {
    match name.parse::<Purpose>()? {
        Purpose::ANY => Err("anyExtendedKeyUsage is never issued".into()),
        Purpose::OCSP_SIGNING => Err("OCSPSigning belongs to kind = \"ocsp-responder\" only".into()),
        purpose => Ok(purpose),
    }
}

fn once(list: Vec<Purpose>, section: &mut Section) -> Vec<Purpose> {
    let mut once: Vec<Purpose> = Vec::new();
    for purpose in list {
        if once.contains(&purpose) {
            section.mistake("extended_key_usage", format!("{purpose} is named twice"));
        } else {
            once.push(purpose);
        }
    }
    once
}

/// `path_length` and `max_path_length` of `[ca]`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct PathLengthRules {
    default: Option<u8>,
    most: Option<u8>,
}

impl PathLengthRules {
    pub(super) fn read(section: &mut Section) -> Self {
        let small = |number| {
            within(0, 20)(number)
                .and_then(|n| u8::try_from(n).map_err(|e| e.to_string()).map_err(Reason::from))
        };
        let default = section.get_as("path_length", small);
        let most = section.get_as("max_path_length", small).or(default);
        if most < default {
            section.mistake("max_path_length", "is less than `path_length`");
        }
        Self { default: default.or(most), most }
    }

    /// Returns the basicConstraints of a new CA, with the path length that every CA above leaves.
    pub(super) fn grant(
        self,
        ask: &Ask,
        issuer: Option<&IssuerView<'_>>,
        verdict: &mut Verdict,
    ) -> BasicConstraints {
        let left = issuer.and_then(|issuer| room_below(issuer, verdict));
        if let (Some(asked), Some(most)) = (ask.path_length, self.most)
            && asked > most
        {
            verdict.refuse(
                Code::PolicyPathLength,
                "ca.max_path_length of the profile",
                format!("a path length of {asked} is asked for; the profile allows {most}"),
                "ask for less",
            );
        }
        let path_length = match (ask.path_length.or(self.default), left) {
            (Some(wanted), Some(left)) if wanted > left => {
                if ask.path_length.is_some() {
                    verdict.refuse(
                        Code::PolicyPathLength,
                        "RFC 5280 §4.2.1.9",
                        format!("a path length of {wanted} is asked for; the CAs above leave {left}"),
                        "ask for less, or put the CA higher",
                    );
                } else {
                    verdict.notice(format!("the path length is {left}, as the CAs above leave no more"));
                }
                Some(left)
            }
            (wanted, left) => wanted.or(left),
        };
        BasicConstraints { ca: true, path_length }
    }
}

/// Returns the maximum path length of a new CA of this issuer; `None` when no CA sets a limit. A limit that allows no
/// CA at all is a violation.
fn room_below(issuer: &IssuerView<'_>, verdict: &mut Verdict) -> Option<u8> {
    let mut room = None;
    let mut between = 0_u8;
    for certificate in issuer.chain() {
        let tbs = certificate.tbs();
        if let Some(limit) = BasicConstraints::of(tbs).and_then(|constraints| constraints.path_length) {
            match limit.checked_sub(between).and_then(|left| left.checked_sub(1)) {
                Some(left) => room = Some(room.map_or(left, |least: u8| least.min(left))),
                None => {
                    room = Some(0);
                    verdict.refuse(
                        Code::PolicyPathLength,
                        "RFC 5280 §4.2.1.9",
                        format!(
                            "the path length {limit} of the CA `{}` leaves no room for a CA here",
                            tbs.subject()
                        ),
                        "put the CA below one that may have CAs below it",
                    );
                }
            }
        }
        if !tbs.is_self_issued() {
            between = between.saturating_add(1);
        }
    }
    room
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use crate::profile::testing::{authority_with, view};

    fn usage(text: &str, kind: Kind) -> Result<UsageRules, Reason> {
        document::read(text, |section| UsageRules::read(section, kind))
            .map_err(|all| all[0].to_string())
            .map_err(Reason::from)
    }

    const LEAF: &str = "key_usage = ['digitalSignature']\nkey_usage_rsa = ['keyEncipherment']\n\
                        key_usage_ec = ['keyAgreement']\nextended_key_usage = ['serverAuth']";

    #[test]
    fn key_usage_follows_the_type_of_the_key() {
        // X5
        let rules = usage(LEAF, Kind::EndEntity).unwrap();
        assert_eq!(rules.key_usage(KeyAlgorithm::rsa(2048)).to_string(), "digitalSignature, keyEncipherment");
        assert_eq!(rules.key_usage(KeyAlgorithm::P256).to_string(), "digitalSignature, keyAgreement");
        assert_eq!(rules.key_usage(KeyAlgorithm::ED25519), KeyUsage::DIGITAL_SIGNATURE);
        assert_eq!(rules.key_usage(KeyAlgorithm::ML_DSA_65), KeyUsage::DIGITAL_SIGNATURE);
        let ca = usage("", Kind::Ca).unwrap();
        assert_eq!(ca.key_usage(KeyAlgorithm::rsa(2048)).to_string(), "keyCertSign, cRLSign");
    }

    #[test]
    fn purposes_that_are_never_issued_are_refused_in_the_profile() {
        // X9
        for (list, reason) in [
            ("['anyExtendedKeyUsage']", "never issued"),
            ("['OCSPSigning']", "ocsp-responder"),
            ("['serverAuth', 'serverAuth']", "twice"),
            ("['server']", "not a key purpose"),
            ("[]", "at least one"),
        ] {
            let text = format!("key_usage = ['digitalSignature']\nextended_key_usage = {list}");
            let error = usage(&text, Kind::EndEntity).unwrap_err();
            assert!(error.to_string().contains(reason), "{list}: {error}");
        }
        assert!(usage("extended_key_usage = ['OCSPSigning']", Kind::Ca).is_err());
    }

    #[test]
    fn key_usage_that_does_not_fit_is_refused_in_the_profile() {
        // X5
        for line in [
            "key_usage = ['keyCertSign']",
            "key_usage = ['keyEncipherment']",
            "key_usage = []",
            "key_usage = ['digitalSignature']\nkey_usage_ec = ['keyEncipherment']",
            "key_usage = ['digitalSignature']\nkey_usage_rsa = ['signing']",
        ] {
            let text = format!("{line}\nextended_key_usage = ['serverAuth']");
            assert!(usage(&text, Kind::EndEntity).is_err(), "{line}");
        }
        assert!(usage("key_usage = ['digitalSignature']", Kind::Ca).is_err(), "fixed for CAs");
        assert!(usage("extended_key_usage = ['serverAuth']", Kind::OcspResponder).is_err());
    }

    fn refused(rules: &UsageRules, kind: Kind, chain: &[Certificate]) -> usize {
        let mut verdict = Verdict::default();
        let (issuer, ancestors) = chain.split_first().unwrap();
        rules.purposes(kind, Some(&view(issuer, ancestors)), None, &mut verdict);
        verdict.violations.len()
    }

    #[test]
    fn purposes_lie_within_those_of_every_ca_above() {
        // X9
        let limited =
            |purpose: Purpose| authority_with("CN=CA", vec![ExtendedKeyUsage(vec![purpose]).to_extension()]);
        let free = || authority_with("CN=CA", Vec::new());
        let rules = usage(LEAF, Kind::EndEntity).unwrap();
        assert_eq!(refused(&rules, Kind::EndEntity, &[free(), limited(Purpose::SERVER_AUTH)]), 0);
        assert_eq!(refused(&rules, Kind::EndEntity, &[free(), limited(Purpose::CLIENT_AUTH)]), 1);
        assert_eq!(refused(&rules, Kind::EndEntity, &[limited(Purpose::ANY)]), 0);
        let responder = usage("", Kind::OcspResponder).unwrap();
        assert_eq!(refused(&responder, Kind::OcspResponder, &[limited(Purpose::CLIENT_AUTH)]), 0);
        let child = usage("extended_key_usage = ['serverAuth', 'clientAuth']", Kind::Ca).unwrap();
        assert_eq!(refused(&child, Kind::Ca, &[limited(Purpose::SERVER_AUTH)]), 1);
    }

    fn ca(path_length: Option<u8>, subject: &str) -> Certificate {
        authority_with(subject, vec![BasicConstraints { ca: true, path_length }.to_extension()])
    }

    fn path(rules: &str, asked: Option<u8>, chain: &[Certificate]) -> Result<(Option<u8>, usize), usize> {
        let rules = document::read(rules, PathLengthRules::read).unwrap();
        let mut verdict = Verdict::default();
        let view = chain.split_first().map(|(issuer, ancestors)| view(issuer, ancestors));
        let ask = Ask { path_length: asked, ..Ask::default() };
        let granted = rules.grant(&ask, view.as_ref(), &mut verdict);
        assert!(granted.ca);
        match verdict.violations.len() {
            0 => Ok((granted.path_length, verdict.notices.len())),
            count => Err(count),
        }
    }

    #[test]
    fn a_path_length_is_the_profiles_unless_asked_for() {
        // X5
        assert_eq!(path("", None, &[]), Ok((None, 0)), "none in a root unless asked");
        assert_eq!(path("", Some(2), &[]), Ok((Some(2), 0)));
        assert_eq!(path("path_length = 0", None, &[ca(None, "CN=Root")]), Ok((Some(0), 0)));
        assert_eq!(path("path_length = 0", Some(1), &[ca(None, "CN=Root")]), Err(1));
        assert_eq!(path("path_length = 1\nmax_path_length = 3", Some(3), &[]), Ok((Some(3), 0)));
    }

    #[test]
    fn a_path_length_stays_within_that_of_every_ca_above() {
        // G3, X5
        let chain = [ca(Some(1), "CN=Sub"), ca(None, "CN=Root")];
        assert_eq!(path("path_length = 0", None, &chain), Ok((Some(0), 0)));
        assert_eq!(path("path_length = 1", None, &chain), Ok((Some(0), 1)), "cut with a notice");
        assert_eq!(path("", None, &chain), Ok((Some(0), 0)));
        assert_eq!(path("path_length = 1", Some(1), &chain), Err(1));
        assert_eq!(path("path_length = 0", None, &[ca(Some(0), "CN=Leaf CA")]), Err(1));
        let deep = [ca(None, "CN=Sub Sub"), ca(Some(1), "CN=Sub"), ca(None, "CN=Root")];
        assert_eq!(path("path_length = 0", None, &deep), Err(1));
        assert!(document::read("path_length = 2\nmax_path_length = 1", PathLengthRules::read).is_err());
    }
}
