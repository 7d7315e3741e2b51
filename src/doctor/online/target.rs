//! The URLs that certificates name, each once.
use super::super::{Examination, Unseen};
use crate::index::{Authority, CertificateState, Filter, StatusValue};
use crate::x509::extension::{
    AUTHORITY_INFO_ACCESS, AccessDescription, CRL_DISTRIBUTION_POINTS, distribution_point_urls,
};
use crate::x509::{Certificate, GeneralName};

/// Number of the latest changes whose certificates are looked into for their URLs.
const LATEST: usize = 64;

/// What a URL is to have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    /// The CRL of the CA.
    Crl,
    /// The certificate of the CA.
    Certificate,
    /// An answer about this certificate, which the CA issued.
    Answer(Box<Certificate>),
}

/// A URL that certificates of a CA name.
#[derive(Clone, Debug)]
pub(super) struct Target<'a> {
    pub(super) url: String,
    pub(super) authority: &'a Authority,
    pub(super) wanted: Wanted,
}

impl Wanted {
    fn is_same_as(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// Returns the URLs that certificates name from now on, and those in the certificates of CAs and in the newest
/// others; of all valid certificates in a deep examination. Each URL comes once for each CA and kind.
pub(super) fn all<'a>(
    examination: &Examination<'_>,
    authorities: &'a [Authority],
) -> Result<Vec<Target<'a>>, Unseen> {
    let mut targets: Vec<Target<'a>> = Vec::new();
    let mut enter = |found: Vec<Target<'a>>| {
        for target in found {
            let is_known = targets.iter().any(|known| {
                known.url == target.url
                    && known.authority.issuer == target.authority.issuer
                    && known.wanted.is_same_as(&target.wanted)
            });
            if !is_known {
                targets.push(target);
            }
        }
    };
    for (certificate, issuer) in issued(examination, authorities)? {
        enter(named(&certificate, issuer));
    }
    let (hierarchy, publication) = (examination.hierarchy()?, examination.settings().publication);
    for authority in authorities {
        if !hierarchy.publishes_crls(authority, examination.now)?
            || !hierarchy.still_current(authority, examination.now)?
        {
            continue;
        }
        let name = &authority.name;
        let responder = examination
            .publisher
            .responder_certificate(name)
            .filter(|_| authority.serves_ocsp)
            .map(|certificate| Wanted::Answer(Box::new(certificate)));
        let configured = [
            publication.crl_url(name).map(|url| (url, Wanted::Crl)),
            publication.certificate_url(name).map(|url| (url, Wanted::Certificate)),
            publication.ocsp_url().zip(responder),
        ];
        let of = |(url, wanted)| Target { url, authority, wanted };
        enter(configured.into_iter().flatten().map(of).collect());
    }
    Ok(targets)
}

/// Returns the certificates of CAs and the newest others, each with the CA that issued it.
fn issued<'a>(
    examination: &Examination<'_>,
    authorities: &'a [Authority],
) -> Result<Vec<(Certificate, &'a Authority)>, Unseen> {
    let (index, hierarchy, now) = (examination.index()?, examination.hierarchy()?, examination.now);
    let named = |name: &str| authorities.iter().find(|one| one.name == name);
    let mut found = Vec::new();
    for authority in authorities {
        let parent = authority.parent.as_deref().and_then(named);
        let Some(parent) = parent else { continue };
        if hierarchy.still_current(authority, now)? && !hierarchy.is_retired(authority, now)? {
            found.push((authority.certificate.clone(), parent));
        }
    }
    let mut newest = Vec::new();
    let mut changes = 0;
    index.last_of_changes(&mut |row| {
        changes += 1;
        // a responder that has an older status is found by what was revoked since
        if row.state != CertificateState::Pending {
            newest.push(row.id);
        }
        changes < LATEST
    })?;
    for id in newest {
        let record = index.certificate(&id)?.filter(|record| record.validity.not_after >= now);
        let issuer = authorities.iter().find(|one| one.issuer == id.issuer);
        found.extend(record.and_then(|record| record.certificate).zip(issuer));
    }
    if examination.deep {
        let filter = Filter { status: Some((StatusValue::Valid, now)), ..Filter::default() };
        let mut urls = std::collections::HashSet::new();
        index.list(&filter, &mut |record| {
            if let Some((certificate, issuer)) = record.certificate.zip(named(&record.authority)) {
                let all = self::named(&certificate, issuer);
                if all.into_iter().any(|one| urls.insert((issuer.issuer, one.url))) {
                    found.push((certificate, issuer));
                }
            }
            true
        })?;
    }
    Ok(found)
}

/// Returns the URLs in a certificate of this CA. A retired CA has no responder, and nobody is to answer for it.
pub(super) fn named<'a>(certificate: &Certificate, authority: &'a Authority) -> Vec<Target<'a>> {
    let tbs = certificate.tbs();
    let points = tbs.extension(CRL_DISTRIBUTION_POINTS);
    let lists = points.and_then(|one| distribution_point_urls(&one.value).ok()).unwrap_or_default();
    let access = tbs.extension(AUTHORITY_INFO_ACCESS);
    let access =
        access.and_then(|one| AccessDescription::list_from_value(&one.value).ok()).unwrap_or_default();
    let accessed = access.into_iter().filter_map(|one| {
        let wanted = match one.method {
            AccessDescription::OCSP if authority.retired.is_none() => {
                Wanted::Answer(Box::new(certificate.clone()))
            }
            AccessDescription::CA_ISSUERS => Wanted::Certificate,
            _ => return None,
        };
        match one.location {
            GeneralName::Uri(url) => Some((url, wanted)),
            _ => None,
        }
    });
    let lists = lists.into_iter().map(|url| (url, Wanted::Crl));
    lists.chain(accessed).map(|(url, wanted)| Target { url, authority, wanted }).collect()
}
