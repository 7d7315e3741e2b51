//! The CRL of an external CA. Its key is elsewhere, so that the file in `public/` is brought here from there.
use super::Maintenance;
use crate::error::{Problem, Shown as _};
use crate::index::Authority;
use crate::repository::{PublishError, Publisher};
use crate::signing::KeyRef;
use crate::x509::extension::{CRL_DISTRIBUTION_POINTS, CrlNumber, distribution_point_urls};
use crate::x509::{Certificate, UnixTime};
use std::path::PathBuf;

/// The state of the CRL of an external CA in this home.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ExternalCrl {
    /// There is none, and no certificate names a URL below the one that this home serves.
    NotServedHere,
    /// There is none. Certificates of the CA name no URL, so that those who need it have to find it here.
    Unnamed,
    /// There is none, and certificates of the CA name this URL, which this home serves.
    Missing(String),
    /// The file is not a CRL, for this reason.
    Unreadable(String),
    /// Another key than the CA's signed it, or it has another issuer.
    OfAnother,
    /// It is in place, with this CRL number, this thisUpdate and this nextUpdate.
    InPlace(Option<CrlNumber>, UnixTime, Option<UnixTime>),
}

impl ExternalCrl {
    /// Returns the state of the CRL of an external CA. `below` are CA certificates that it issued, and `base` is the
    /// URL that this home serves.
    ///
    /// # Errors
    /// When the file cannot be read for want of resources.
    pub(crate) fn of<'c>(
        publisher: &dyn Publisher,
        authority: &Authority,
        below: impl Iterator<Item = &'c Certificate>,
        base: Option<&str>,
    ) -> Result<Self, PublishError> {
        let tbs = authority.certificate.tbs();
        match publisher.published_crl(&authority.name) {
            Ok(Some(crl))
                if crl.tbs().issuer().is_same_as(tbs.subject()) && crl.is_signed_by(tbs.public_key()) =>
            {
                let tbs = crl.tbs();
                Ok(Self::InPlace(tbs.crl_number(), tbs.this_update(), tbs.next_update()))
            }
            Ok(Some(_)) => Ok(Self::OfAnother),
            Ok(None) => Ok(Self::absent(below, base)),
            Err(PublishError::Unreadable { reason, .. }) => Ok(Self::Unreadable(reason)),
            Err(error) => Err(error),
        }
    }

    fn absent<'c>(below: impl Iterator<Item = &'c Certificate>, base: Option<&str>) -> Self {
        let urls: Vec<String> = below.flat_map(urls_of).collect();
        let is_ours = |url: &&String| {
            base.and_then(|base| url.strip_prefix(base)).is_some_and(|rest| rest.starts_with('/'))
        };
        match urls.iter().find(is_ours) {
            Some(url) => Self::Missing(url.clone()),
            None if urls.is_empty() => Self::Unnamed,
            None => Self::NotServedHere,
        }
    }
}

fn urls_of(certificate: &Certificate) -> Vec<String> {
    let points = certificate.tbs().extension(CRL_DISTRIBUTION_POINTS);
    points.and_then(|points| distribution_point_urls(&points.value).ok()).unwrap_or_default()
}

/// What has to be done about the CRL of an external CA that issued a certificate of this home.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::ca) struct CrlToBring {
    /// Name of the external CA.
    pub(in crate::ca) authority: String,
    /// The URL that the certificate names, if it names one.
    url: Option<String>,
    /// Where the CRL belongs in this home, DER.
    pub(in crate::ca) file: PathBuf,
}

impl Maintenance<'_> {
    /// Returns the state of the CRL of an external CA.
    ///
    /// # Errors
    /// When the index or the file cannot be read.
    pub fn external_crl(&self, authority: &Authority) -> Result<ExternalCrl, Problem> {
        let all = self.engine.index().authorities()?;
        let below = all.iter().filter(|one| one.parent.as_ref() == Some(&authority.name));
        let base = self.engine.settings().config.publication.url.as_deref();
        let below = below.map(|one| &one.certificate);
        Ok(ExternalCrl::of(self.engine.publisher(), authority, below, base)?)
    }

    /// Returns what has to be brought here for a CA whose issuer is external; `None` when its issuer is a CA of this
    /// home, or the CRL is in place.
    pub(in crate::ca) fn crl_to_bring(&self, authority: &Authority) -> Result<Option<CrlToBring>, Problem> {
        let Some(parent) = &authority.parent else { return Ok(None) };
        let parent = self.engine.hierarchy().authority(parent)?;
        if !parent.is_external() || matches!(self.external_crl(&parent)?, ExternalCrl::InPlace(..)) {
            return Ok(None);
        }
        let file = self.engine.publisher().crl_files(&parent.name)?.into_iter().next().unwrap_or_default();
        let url = urls_of(&authority.certificate).into_iter().next();
        Ok(Some(CrlToBring { authority: parent.name, url, file }))
    }

    /// Returns whether the key of a CA is in this home, as far as that can be seen without its secret.
    #[must_use]
    pub fn has_key(&self, authority: &Authority) -> bool {
        let keys = self.engine.keys();
        let is_gone = |key: &KeyRef| {
            keys.inspecting().is_some_and(|keys| keys.inspect(key).is_err_and(|error| error.is_elsewhere()))
        };
        !authority.is_external() && !is_gone(&KeyRef::of(authority))
    }
}

impl CrlToBring {
    /// Returns the notice about it, a sentence without a full stop.
    pub(in crate::ca) fn message(&self, child: &str) -> String {
        let Self { authority, url, file } = self;
        let at = match url {
            Some(url) => format!(", which {child} names at {url},"),
            None => String::new(),
        };
        format!(
            "the CRL of {authority}{at} is signed where its key is: bring each new one here, in DER, as {}",
            file.shown()
        )
    }
}
