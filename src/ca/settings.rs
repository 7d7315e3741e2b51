//! The settings of a CA home: configuration and profiles, and what follows from them.
use crate::config::Config;
use crate::error::{Code, Problem};
use crate::profile::{Kind, Profile, Profiles};
use std::collections::HashSet;

/// Configuration and profiles.
#[derive(Clone, Debug)]
pub struct CaSettings {
    /// The configuration.
    pub config: Config,
    /// The certificate profiles.
    pub profiles: Profiles,
    /// SHA-256 digests of the SubjectPublicKeyInfo of compromised keys, which are not certified.
    pub compromised_keys: HashSet<[u8; 32]>,
    /// Whether incomplete profiles may be used, with a notice. That is so in homes made before such profiles
    /// were refused.
    pub takes_flawed_profiles: bool,
}

impl CaSettings {
    /// Returns the profile of this name.
    ///
    /// # Errors
    /// Exit status 5, with the names of all profiles; or the settings that the profile lacks and must have.
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

    /// Whether certificates of this profile are stored in `issued/`; a responder's is stored beside its key.
    #[must_use]
    pub(in crate::ca) fn keeps(&self, profile: &str) -> bool {
        self.profiles.get(profile).is_none_or(|profile| profile.kind() != Kind::OcspResponder)
    }

    /// Returns the URL of a CA's CRL; `None` when no URL is configured.
    #[must_use]
    pub fn crl_url(&self, authority: &str) -> Option<String> {
        self.config.publication.crl_url(authority)
    }

    /// Returns the URL of a CA's certificate.
    #[must_use]
    pub(in crate::ca) fn certificate_url(&self, authority: &str) -> Option<String> {
        self.config.publication.certificate_url(authority)
    }

    /// Returns the URL of the OCSP responder.
    #[must_use]
    pub(in crate::ca) fn ocsp_url(&self) -> Option<String> {
        self.config.publication.ocsp_url()
    }
}
