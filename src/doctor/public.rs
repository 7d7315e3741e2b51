//! Comparison of `public/NAME.{pem,crt,chain.pem,crossed.pem}` with the records.
use super::finding::{Finding, Mending};
use super::{Examination, FindingCode, Looked, certificates, counted, only_files};
use crate::x509::{Certificate, Fingerprint};

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let (all, hierarchy) = (examination.authorities()?, examination.hierarchy()?);
    only_files(&examination.home.public_directory())?;
    for authority in &all {
        let issuer_path = digests(&certificates(&hierarchy.issuer_path(authority)?));
        let cross_certificates = digests(&hierarchy.cross_certificates(authority)?);
        let certificate = authority.certificate.fingerprint();
        if !examination.publisher.is_published(
            &authority.name,
            &certificate,
            &issuer_path,
            &cross_certificates,
        ) {
            findings.push(
                Finding::error(
                    FindingCode::PublicDiffers,
                    &authority.name,
                    "has not the certificate and chain in public/ that are on record",
                )
                .mending(Mending::Authority(authority.name.clone())),
            );
        }
    }
    Ok(counted(all.len(), "certificate").into())
}

fn digests(certificates: &[Certificate]) -> Vec<Fingerprint> {
    certificates.iter().map(Certificate::fingerprint).collect()
}
