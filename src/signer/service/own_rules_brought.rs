//! What a group brings along that is kept, and what the journal has of it.
use super::seams::Asked;
use crate::signer::copies::Copies;
use crate::signer::{
    Act, ActKind, AdmittedContents, AdmittedTbs, Bound, ClientClass, KeyEnvelope, Vouching, bound,
};
use crate::x509::{Certificate, sha256};
use std::path::Path;

/// Returns what the journal says of a certificate for which no key of this signer vouches.
pub(super) fn of_unknown_issuer(certificate: &Certificate) -> String {
    format!("{}, of an issuer that the signer does not know", of_issuer(certificate))
}

fn of_issuer(certificate: &Certificate) -> String {
    let tbs = certificate.tbs();
    let (serial, issuer, end) = (tbs.serial_number(), tbs.issuer(), tbs.validity().not_after);
    format!("certificate {serial} by {issuer} until {end}")
}

/// Returns what the signer with this directory knows of the certificate of another CA, as that of another generation of
/// the CA whose key is asked for.
pub(super) fn vouching(
    directory: &Path,
    asked: &Asked<'_>,
    copies: &Copies,
    other: &Certificate,
) -> Vouching {
    if asked.peer.class == ClientClass::Child || bound::is_accepted(directory, &sha256(other.as_der())) {
        return Vouching::Accepted;
    }
    match copies.envelope(asked.key, other.tbs().public_key()) {
        Ok(Some(_)) => Vouching::Bound,
        Ok(None) | Err(_) => Vouching::Unknown,
    }
}

/// Returns what a new key is bound to with the name that it signs in the certificate of itself.
pub(super) fn named(bound: Bound, admitted: &[AdmittedTbs]) -> Option<Bound> {
    let subject = admitted.iter().find_map(|one| match one.contents() {
        AdmittedContents::Certificate { tbs } => Some(tbs.subject().clone()),
        AdmittedContents::Crl { .. } | AdmittedContents::Request => None,
    });
    Some(Bound { subject: Some(subject?), ..bound })
}

/// Returns what the journal has of an envelope that was made, and of the certificate that was shown, with whether the
/// signer does not know its issuer.
pub(super) fn acts(
    asked: &Asked<'_>,
    made: Option<&KeyEnvelope>,
    shown: Option<(&Certificate, bool)>,
) -> Vec<Act> {
    let uri = &asked.key.uri;
    let made = made.map(|envelope| format!("{uri}: made for a CA of the profile {}", envelope.profile));
    let shown = shown.map(|(shown, is_strange)| match is_strange {
        true => format!("{uri}: {}", of_unknown_issuer(shown)),
        false => format!("{uri}: {}", of_issuer(shown)),
    });
    let act = |details| Act { kind: ActKind::Envelope, key: Some(asked.public_key.digest()), details };
    made.into_iter().chain(shown).map(act).collect()
}
