//! How this CA is run: configuration and profiles, and what follows from them.
use crate::config::Config;
use crate::error::{Code, Problem};
use crate::profile::{Kind, Profile, Profiles};
use std::collections::HashSet;

/// Configuration and profiles.
#[derive(Clone, Debug)]
pub struct Practices {
    /// The configuration.
    pub config: Config,
    /// The certificate profiles.
    pub profiles: Profiles,
    /// SHA-256 digests of SubjectPublicKeyInfo that are not certified: keys known to be compromised.
    pub compromised_keys: HashSet<[u8; 32]>,
    /// Whether profiles that leave something open are used with a notice: those of a home that was made before they
    /// were refused.
    pub takes_flawed_profiles: bool,
}

impl Practices {
    /// The profile of this name.
    ///
    /// # Errors
    /// Exit status 5, naming those that there are; or what the profile leaves open and must not.
    pub fn profile(&self, name: &str) -> Result<&Profile, Problem> {
        let profile = self.profiles.find(name)?;
        let flaws = profile.flaws();
        if flaws.is_empty() || self.takes_flawed_profiles {
            return Ok(profile);
        }
        let lines: Vec<String> = flaws.iter().map(|flaw| format!("policy/{name}.toml: {flaw}")).collect();
        Err(Problem::new(Code::PolicyInvalidProfile, lines.join("\n"))
            .hint("correct the file below policy/; policy/README.md documents every key"))
    }

    /// Whether certificates of this profile are kept in `issued/`; a responder's is kept beside its key.
    #[must_use]
    pub(in crate::ca) fn keeps(&self, profile: &str) -> bool {
        self.profiles.get(profile).is_none_or(|profile| profile.kind() != Kind::OcspResponder)
    }

    fn url(&self, path: &str) -> Option<String> {
        let base = self.config.publication.url.as_deref()?;
        Some(format!("{}/{path}", base.trim_end_matches('/')))
    }

    /// Where the CRL of a CA is served; `None` when nothing is.
    #[must_use]
    pub fn crl_url(&self, authority: &str) -> Option<String> {
        self.url(&format!("{authority}.crl"))
    }

    /// Where the certificate of a CA is served.
    #[must_use]
    pub(in crate::ca) fn certificate_url(&self, authority: &str) -> Option<String> {
        self.url(&format!("{authority}.crt"))
    }

    /// Where OCSP is answered.
    #[must_use]
    pub(in crate::ca) fn ocsp_url(&self) -> Option<String> {
        self.url("ocsp")
    }
}
