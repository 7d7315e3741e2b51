//! What the service goes by and a new configuration changes while it runs.
use super::cache::AnswerCache;
use super::http::AccessLog;
use super::settings::ResponderSettings;
use arc_swap::ArcSwap;
use std::cmp::Reverse;
use std::sync::Arc;

/// Settings of the service, replaced as a whole.
pub struct Rules {
    pub(crate) settings: ResponderSettings,
    pub(crate) cache: Arc<AnswerCache>,
    /// Paths of the URLs in certificates, such as `/pki`, the longest first.
    pub(crate) paths: Vec<String>,
    pub(crate) access: Option<AccessLog>,
}

impl Rules {
    /// Returns rules with an empty cache. The paths are those of the URLs in certificates.
    #[must_use]
    pub fn new(settings: ResponderSettings, paths: Vec<String>, access: Option<AccessLog>) -> Self {
        Self { cache: Arc::new(AnswerCache::new(&settings)), settings, paths: sorted(paths), access }
    }
}

/// Replaces the rules of a service that is running.
#[derive(Clone)]
pub struct Controls(pub(crate) Arc<ArcSwap<Rules>>);

impl Controls {
    /// Takes these settings, these paths of the URLs in certificates, and this access log from now on. Answers that were
    /// signed under other settings are not used any more.
    pub fn replace(&self, settings: ResponderSettings, paths: Vec<String>, access: Option<AccessLog>) {
        let before = self.0.load();
        let rules = match before.settings == settings {
            true => Rules { cache: Arc::clone(&before.cache), settings, paths: sorted(paths), access },
            false => Rules::new(settings, paths, access),
        };
        self.0.store(Arc::new(rules));
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> ResponderSettings {
        self.0.load().settings.clone()
    }
}

/// One path may be below another.
fn sorted(mut paths: Vec<String>) -> Vec<String> {
    paths.sort_by_key(|path| Reverse(path.len()));
    paths
}
