//! What an offline key signs of a request, and when. Pure: a date, a request, and what the medium knows.
use super::generation::check_named;
use super::{DAYS, History, Request, ToBeSigned, is_checkpoint_of, sha256};
use crate::error::{Code, Problem, remedy};
use crate::index::{Recorded, recorded_on_medium};
use crate::lint;
use crate::signing::UsedSerials;
use crate::x509::extension::CrlNumber;
use crate::x509::{
    Certificate, CertificateList, CrlEntry, Fingerprint, TbsCertList, TbsCertificate, UnixTime,
};

/// What a medium knows of the signatures of its key.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The CA's certificate.
    pub(crate) issuer: Certificate,
    /// The highest CRL number.
    pub(crate) mark: CrlNumber,
    /// The last CRL.
    pub(crate) crl: Option<CertificateList>,
    /// What was signed in ceremonies.
    pub(crate) history: History,
    /// The serial numbers that the key had used when it came to the medium.
    pub(crate) used: UsedSerials,
    /// Certificates of CAs with other keys that lie on the medium.
    pub(crate) others: Vec<Certificate>,
    /// The fingerprints of those of other generations that people have named.
    pub(crate) named: Vec<Fingerprint>,
}

/// Something that is linted, and on record on the medium.
pub(crate) enum ToSign {
    /// A certificate by the CA, or by itself.
    Certificate(Recorded<TbsCertificate>, bool),
    /// A CRL.
    Crl(Recorded<TbsCertList>),
}

fn refuse(code: Code, message: impl Into<String>, hint: &'static str) -> Problem {
    Problem::new(code, message).hint(hint)
}

/// Returns the dates between which a ceremony for a request can be: not before the request or anything that was signed
/// before, and not after the request ends.
#[must_use]
pub(crate) fn bounds(request: &Request, known: &Known) -> (UnixTime, UnixTime) {
    let crls = [&request.crl, &known.crl].into_iter().flatten().map(|crl| crl.tbs().this_update());
    let signed = [&request.history, &known.history].into_iter().filter_map(|history| history.last_date());
    let until = request.until.min(request.made.plus_days(DAYS));
    (crls.chain(signed).fold(request.made, UnixTime::max), until)
}

/// Checks that a request is for this key, that what it knows extends what the medium knows, and that it was not answered
/// before.
///
/// # Errors
/// `ceremony.other`, `ceremony.behind`, `ceremony.answered`.
pub(crate) fn check_request(request: &Request, digest: &str, known: &Known) -> Result<(), Problem> {
    let own = known.issuer.tbs().public_key();
    if request.key != base16ct::lower::encode_string(&own.digest()) {
        return Err(refuse(
            Code::CeremonyOther,
            format!("the request is for another key than that of {}", known.issuer.tbs().subject()),
            "bring the medium of the CA that the request names, or its request",
        ));
    }
    if known.history.has_request(digest) || request.history.has_request(digest) {
        return Err(refuse(Code::CeremonyAnswered, "the request was answered before", "make a new request"));
    }
    let behind =
        |message: String| Problem::new(Code::CeremonyBehind, message).hint(remedy::Authority::TakeAnswerIn);
    if !known.history.is_beginning_of(&request.history) {
        let last = known
            .history
            .0
            .last()
            .map_or_else(String::new, |last| format!(", {} {} last", last.kind, last.name));
        return Err(behind(format!(
            "this medium signed {} things in ceremonies{last}, and the request does not know all of them",
            known.history.0.len()
        )));
    }
    let is_vouched_for = request.history.0.is_empty()
        || request.checkpoint.as_ref().is_some_and(|one| is_checkpoint_of(one, &request.history, own));
    if !is_vouched_for {
        return Err(refuse(
            Code::CeremonyOther,
            "this key never vouched for the history in the request",
            "have the home checked from which the request comes",
        ));
    }
    if let Some(crl) = &request.crl
        && !crl.is_signed_by(own)
    {
        return Err(refuse(
            Code::CeremonyOther,
            "the last CRL in the request is not this key's",
            "have the home checked from which it comes",
        ));
    }
    let own_number = known.crl.as_ref().and_then(|crl| crl.tbs().crl_number()).unwrap_or(0).max(known.mark);
    if request.crl_number < own_number {
        return Err(behind(format!(
            "this medium knows CRL number {own_number}, and the request only {}",
            request.crl_number
        )));
    }
    if let Some((number, digest)) = request.history.last_list() {
        // else a home that is not what it was asks an older medium for a list without what another medium revoked
        let is_no_older = |crl: &CertificateList| match crl.tbs().crl_number() {
            Some(own) if own == number => sha256(crl.tbs().as_der()) == digest,
            own => own > Some(number),
        };
        let lists = [&request.crl, &known.crl];
        if request.crl_number < number || !lists.into_iter().flatten().any(is_no_older) {
            return Err(behind(format!(
                "CRL number {number} was signed in a ceremony, and neither the request nor this medium has it or a later one"
            )));
        }
    }
    Ok(())
}

/// Returns the certificate of the CA by which a request is judged: that of the medium, or of a root the later one that its
/// key signed for itself meanwhile, which the request shows.
#[must_use]
pub(crate) fn newest(own: Certificate, shown: Option<&Certificate>) -> Certificate {
    let is_newer = |shown: &&Certificate| {
        let (own, shown_tbs) = (own.tbs(), shown.tbs());
        shown_tbs.is_self_issued()
            && shown_tbs.subject().is_same_as(own.subject())
            && shown_tbs.public_key() == own.public_key()
            && shown_tbs.validity().not_after > own.validity().not_after
            && shown.is_signed_by(own.public_key())
    };
    shown.filter(is_newer).cloned().unwrap_or(own)
}

/// Checks the date of a ceremony.
///
/// # Errors
/// `ceremony.date`.
pub(crate) fn check_date(request: &Request, known: &Known, date: UnixTime) -> Result<(), Problem> {
    let (first, last) = bounds(request, known);
    if date < first || date > last {
        let message = format!(
            "{date} is not between {first}, before which the request was not there, and {last}, when it ends"
        );
        return Err(refuse(
            Code::CeremonyDate,
            message,
            "look at a calendar; a clock that lay in a safe is wrong. After its end, make a new request",
        ));
    }
    Ok(())
}

/// Checks what is to be signed, and returns it as linted and recorded by `record`.
///
/// # Errors
/// `lint`, `ceremony.refused`; that of `record`.
pub(crate) fn admit(
    request: &Request,
    known: &Known,
    date: UnixTime,
    record: &dyn Fn(&[u8]) -> Result<(), Problem>,
) -> Result<Vec<ToSign>, Problem> {
    let issuer = &known.issuer;
    let refused = |message: String| {
        refuse(
            Code::CeremonyRefused,
            message,
            "nothing was signed; have the request made anew, and find out why it asks for this",
        )
    };
    let broken = |findings: Vec<lint::LintFinding>| {
        let said: Vec<String> = findings.into_iter().map(|finding| finding.message).collect();
        Problem::new(Code::LintRefused, format!("what is to be signed breaks a rule: {}", said.join("; ")))
    };
    check_named(request, known)?;
    let mut admitted = Vec::new();
    let mut lists = 0;
    for item in &request.items {
        match &item.tbs {
            ToBeSigned::Certificate(tbs) => {
                let is_own = tbs.is_self_issued() && tbs.public_key() == issuer.tbs().public_key();
                let (validity, end) = (tbs.validity(), issuer.tbs().validity().not_after);
                if is_own && !tbs.subject().is_same_as(issuer.tbs().subject()) {
                    return Err(refused(format!("the key would call itself {}", tbs.subject())));
                }
                if !is_own && tbs.issuer() != issuer.tbs().subject() {
                    return Err(refused(format!("a certificate names {} as its issuer", tbs.issuer())));
                }
                if !is_own && validity.not_after > end {
                    return Err(refused(format!("a certificate outlives its issuer, which ends at {end}")));
                }
                if validity.not_after <= date {
                    return Err(refused(format!("a certificate has ended by {date}")));
                }
                let serial = tbs.serial_number().to_string();
                let mut signed = request.history.0.iter();
                if known.used.not_after(tbs.serial_number()).is_some()
                    || signed.any(|entry| entry.kind == "certificate" && entry.name == serial)
                {
                    return Err(refused(format!("the serial number {serial} was signed before")));
                }
                let above = (!is_own).then_some(issuer);
                // an authority keeps how its name is written
                let beside = item.beside.as_ref().filter(|one| is_of_same(one, tbs));
                let linted = match (is_own, beside) {
                    (true, _) => lint::check_certificate_beside(tbs.clone(), above, issuer),
                    (false, Some(other)) => lint::check_certificate_beside(tbs.clone(), above, other),
                    (false, None) => lint::check_certificate_named(tbs.clone(), above, tbs.subject()),
                };
                let tbs = recorded_on_medium(linted.map_err(broken)?, TbsCertificate::as_der, record)?;
                admitted.push(ToSign::Certificate(tbs, is_own));
            }
            ToBeSigned::Crl(tbs) => {
                lists += 1;
                check_crl(request, known, tbs).map_err(refused)?;
                let linted = lint::check_crl(tbs.clone(), issuer).map_err(broken)?;
                admitted.push(ToSign::Crl(recorded_on_medium(linted, TbsCertList::as_der, record)?));
            }
        }
    }
    if lists > 1 {
        return Err(refused("more than one CRL is to be signed".into()));
    }
    Ok(admitted)
}

/// Returns whether a certificate is of the same name and key as one that is to be signed.
pub(super) fn is_of_same(certificate: &Certificate, tbs: &TbsCertificate) -> bool {
    let shown = certificate.tbs();
    shown.subject().is_same_as(tbs.subject()) && shown.public_key() == tbs.public_key()
}

/// Checks that a CRL does not go back, neither in number nor by dropping a revocation of a certificate that had not ended.
fn check_crl(request: &Request, known: &Known, tbs: &TbsCertList) -> Result<(), String> {
    let number = tbs.crl_number().unwrap_or(0);
    if number <= known.mark.max(request.crl_number) {
        return Err(format!(
            "the CRL has number {number}, and {} was taken before",
            known.mark.max(request.crl_number)
        ));
    }
    for last in [&request.crl, &known.crl].into_iter().flatten() {
        if tbs.this_update() < last.tbs().this_update() {
            return Err(format!("the CRL is of {}, before the last one", tbs.this_update()));
        }
        for entry in last.tbs().entries().flatten().filter(CrlEntry::is_final) {
            let is_kept = tbs.find(&entry.serial_number).is_some_and(|kept| kept.is_final());
            let had_ended =
                || request.ended.iter().any(|one| has_ended(one, &entry, known, last.tbs().this_update()));
            if !is_kept && !had_ended() {
                return Err(format!(
                    "the CRL lacks {}, which the one before it revokes for good",
                    entry.serial_number
                ));
            }
        }
    }
    Ok(())
}

/// Whether this is the certificate of an entry, signed by the key, and had ended when the list was made that has the entry.
fn has_ended(certificate: &Certificate, entry: &CrlEntry, known: &Known, listed: UnixTime) -> bool {
    *certificate.tbs().serial_number() == entry.serial_number
        && certificate.is_signed_by(known.issuer.tbs().public_key())
        && certificate.tbs().validity().not_after < listed
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
