//! Certificates that are still valid although their key is compromised: another certificate for the key was revoked
//! for that reason, or the key is in the list of compromised keys.
use super::finding::Finding;
use super::{Examination, FindingCode, Unseen, counted};
use crate::error::remedy;
use crate::index::{Authority, CertificateRecord};
use crate::x509::Certificate;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Result<String, Unseen> {
    let index = examination.index()?;
    let authorities = examination.authorities().unwrap_or_default();
    let mut found = Vec::new();
    let known = index.on_compromised_keys(examination.now, &mut |record| {
        found.push((record, "although another certificate for its key was revoked because others have it"));
    });
    known?;
    for key in examination.compromised_keys {
        for past in index.key_uses(key)? {
            if past.is_live(examination.now) && !found.iter().any(|(one, _)| one.id == past.id) {
                let record = index.certificate(&past.id)?;
                found.extend(
                    record.map(|record| (record, "although its key is on the list of compromised keys")),
                );
            }
        }
    }
    for (record, why) in found {
        let object = format!("{}/{}", record.authority, record.id.serial_number);
        let message = format!("for `{}` is valid {why}", record.subject);
        findings.push(Finding::error(FindingCode::KeyCompromised, &object, message).remedy(remedy(
            &record,
            &object,
            &authorities,
        )));
    }
    Ok(counted(examination.compromised_keys.len(), "listed key"))
}

fn remedy(record: &CertificateRecord, object: &str, authorities: &[Authority]) -> remedy::Repair {
    let certificate = record.certificate.as_ref();
    let identity = certificate.filter(|one| one.is_ca()).map(|one| one.tbs().as_issuer());
    let own = authorities.iter().find(|one| Some(one.issuer) == identity && !one.is_external());
    match own {
        Some(own) => remedy::Repair::RevokeAuthority(own.name.clone()),
        None if certificate.is_some_and(Certificate::is_ca) => remedy::Repair::RevokeCa(object.to_owned()),
        None => remedy::Repair::RevokeSubscriber(object.to_owned()),
    }
}
