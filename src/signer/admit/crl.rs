//! CRLs: number, times and length. Their entries are compared in `crl_entries.rs`.
use super::certificate::without_certificate;
use super::{Admission, AdmittedContents, AdmittedTbs, KeyInUse, Refusal};
use crate::error::Code;
use crate::lint::crl_findings;
use crate::signer::limits::{TIMER_CRL_EVERY, TIMER_CRL_SHORTEST, TIMER_CRLS_AT_ONCE};
use crate::signer::{LastCrl, Scope, Signed, pinned_urls};
use crate::x509::extension::{
    AUTHORITY_KEY_IDENTIFIER, CrlNumber, DELTA_CRL_INDICATOR, ISSUING_DISTRIBUTION_POINT,
    authority_key_identifier_of, read_number,
};
use crate::x509::{Certificate, Extension, TbsCertList, UnixTime};

/// Seconds that thisUpdate may be after the signer's clock.
const AHEAD: i64 = 300;
/// Seconds that thisUpdate may be before it: a list of a million entries is encoded, linted and recorded in between.
const BEHIND: i64 = 3600;
/// The highest CRL number: that of the index and of the record.
const HIGHEST: CrlNumber = CrlNumber::MAX >> 1;

/// Seconds that a CRL lasts at most by the configuration (`crl_next_update`).
const CONFIGURED: i64 = 1100 * UnixTime::DAY;

impl Admission<'_> {
    /// How far a CRL number may be above the last one without the scope of CA certificates. A CRL a second takes twelve days
    /// for that; beyond, numbers could be used up.
    pub(crate) const FAR: CrlNumber = 1 << 20;

    /// Decides on a TBSCertList.
    ///
    /// # Errors
    /// The first broken rule. With [`Code::SignerCrlEntryUnknown`] the refusal has the entries whose end is not known.
    pub(crate) fn crl(&self, key: &KeyInUse<'_>, octets: Vec<u8>) -> Result<AdmittedTbs, Refusal> {
        let list = TbsCertList::from_octets(octets)
            .map_err(|error| Refusal::malformed("TBSCertList of version 2", error))?;
        if list.signature() != key.key.algorithm().signature_algorithm() {
            return Err(Refusal::new(
                Code::SignerAlgorithm,
                "RFC 5280 §5.1.2.2",
                "the field signature names another algorithm than that of the key",
                "make the CRL anew, with the algorithm of the CA's key",
            ));
        }
        let value =
            |oid| list.extensions().iter().find(|one: &&Extension| one.oid == oid).map(|one| &one.value);
        if value(ISSUING_DISTRIBUTION_POINT).is_some() {
            return Err(of_a_part());
        }
        let Some(envelope) = key.envelope else { return Err(without_certificate()) };
        let issuer = issuer_of(key, &list)?;
        let findings = crl_findings(&list, Some(issuer));
        if !findings.is_empty() {
            return Err(Refusal::linted(&findings));
        }
        pinned_urls::check_crl(&list, envelope.urls.as_deref())?;
        let number =
            list.crl_number().ok_or_else(|| Refusal::malformed("TBSCertList", "it has no cRLNumber"))?;
        if number > HIGHEST {
            let message = format!("the CRL has the number {number}, and the highest is {HIGHEST}");
            let hint = "this program never asks for it: see who used the account of the CA, and when";
            return Err(Refusal::new(Code::SignerCrlNumber, "RFC 5280 §5.2.3", message, hint));
        }
        let digest = key.key.digest();
        let complete = self.record.last_crl(&digest)?;
        let delta = self.record.last_delta(&digest)?;
        let times = [complete.as_ref(), delta.as_ref()];
        let mut changes = None;
        // the number before the times: whoever was overtaken is told so, and makes the CRL again
        if let Some(base) = value(DELTA_CRL_INDICATOR) {
            let base = read_number(base).map_err(|error| Refusal::malformed("TBSCertList", error))?;
            let last = check_delta_number(number, base, complete.as_ref(), delta.as_ref())?;
            self.check_mark(key, number)?;
            self.check_times(&list, times)?;
            self.check_delta_entries(&digest, &list, last, base)?;
        } else {
            check_number(number, complete.as_ref(), delta.as_ref())?;
            self.check_mark(key, number)?;
            self.check_times(&list, times)?;
            if let Some(last) = &complete {
                let end = key.newest().map(|own| own.tbs().validity().not_after);
                changes = Some(self.check_entries(&digest, &list, last, end)?);
            }
        }
        let mut kind = check_length(key, &list, envelope.longest_crl_days)?;
        if key.by_timer {
            let end = key.newest().map(|own| own.tbs().validity().not_after);
            check_length_for_timer(&list, envelope.timer_crl_days, end.unwrap_or_default())?;
            self.check_pace_of_timer(&digest)?;
        }
        let highest = times.into_iter().flatten().map(|last| last.number).max().unwrap_or(0);
        if number.saturating_sub(highest) > Self::FAR {
            kind = Scope::Ca;
        }
        let (entry, contents) = (Signed::crl(digest, &list), AdmittedContents::Crl { list });
        let by_timer = key.by_timer;
        let (octets, enrolled_by) = (Vec::new(), None);
        Ok(AdmittedTbs { octets, entry, scope: kind, contents, enrolled_by, by_timer, changes })
    }

    /// Where the record may lack CRLs, as after a restore, the mark beside the key says which numbers are used: the client
    /// raises it to that of a CRL before it asks. Otherwise the record knows it better, and others may have raised the mark
    /// since for CRLs of their own.
    fn check_mark(&self, key: &KeyInUse<'_>, number: CrlNumber) -> Result<(), Refusal> {
        match key.mark.filter(|mark| number < *mark) {
            Some(mark) if !self.record.is_continued(&key.key.digest())? => Err(used_before(number, mark)),
            _ => Ok(()),
        }
    }

    /// A timer has so many CRLs signed at once, and then one after so many seconds: whoever has taken over the account
    /// that timers have could else use numbers up, and have relying parties load lists without end.
    fn check_pace_of_timer(&self, key: &[u8; 32]) -> Result<(), Refusal> {
        for more in 0..UnixTime::DAY / TIMER_CRL_EVERY {
            let since = more.saturating_add(1).saturating_mul(-TIMER_CRL_EVERY);
            let count = self.record.timer_crls_since(key, self.now.plus(since))?;
            let allowed = TIMER_CRLS_AT_ONCE.saturating_add(more.unsigned_abs());
            if count >= allowed {
                let message = format!(
                    "timers have had {count} CRLs of this key signed in the last {} minutes, as many as may be",
                    since.unsigned_abs() / 60
                );
                let hint = "see what asks for so many; there is one more in 15 minutes; an administrator unlocks the key for \
                            crl, and crl publish signs one at once";
                return Err(Refusal::new(Code::SignerCrlDay, "limits of timers", message, hint));
            }
        }
        Ok(())
    }

    fn check_times(&self, list: &TbsCertList, last: [Option<&LastCrl>; 2]) -> Result<(), Refusal> {
        let at = list.this_update();
        let since = self.now.0.saturating_sub(at.0);
        let refuse = |message: String| {
            Err(Refusal::new(
                Code::SignerClock,
                "RFC 5280 §5.1.2.4",
                message,
                "set both clocks right, then try again",
            ))
        };
        if !(-AHEAD..=BEHIND).contains(&since) {
            return refuse(format!("thisUpdate is {at}, and the signer's clock says {}", self.now));
        }
        match last.into_iter().flatten().find(|last| at < last.this_update) {
            Some(last) => refuse(format!(
                "thisUpdate is {at}, and CRL {} was already made at {}",
                last.number, last.this_update
            )),
            None => Ok(()),
        }
    }
}

/// This program makes no CRL of a part of what a CA issued, or of a place of its own. Beside the complete one such a CRL
/// would have numbers and entries of its own, and whoever is shown it would miss revocations.
fn of_a_part() -> Refusal {
    let message = "the CRL has an issuingDistributionPoint, and so is about a part of what the CA issued";
    let hint = "this program never asks for it: see who used the account of the CA, and when";
    Refusal::new(Code::SignerCrlScope, "RFC 5280 §5.2.5", message, hint)
}

/// Returns the CA's own certificate that the CRL names as its issuer.
fn issuer_of<'k>(key: &'k KeyInUse<'_>, list: &TbsCertList) -> Result<&'k Certificate, Refusal> {
    let identifier = list
        .extensions()
        .iter()
        .find(|one| one.oid == AUTHORITY_KEY_IDENTIFIER)
        .and_then(|one| authority_key_identifier_of(&one.value));
    let Some(newest) = key.newest() else { return Err(without_certificate()) };
    let is_named = |one: &&Certificate| {
        one.tbs().subject().as_der() == list.issuer().as_der()
            && Some(one.key_identifier()) == identifier
            && one.tbs().public_key() == key.key
    };
    let named = key.own.iter().filter(is_named).max_by_key(|one| one.tbs().validity().not_after);
    named.ok_or_else(|| {
        let message = format!(
            "the CRL names `{}` as its issuer, with another name or key identifier than `{}` has, whose key this is",
            list.issuer(),
            newest.tbs().subject()
        );
        let hint = "this program never asks for it: see who used the account of the CA, and when";
        Refusal::new(Code::SignerIssuer, "RFC 5280 §5.1.2.3, §5.2.1", message, hint)
    })
}

/// A complete list has a number above each before; only a delta that was made with it may have the same.
fn check_number(
    number: CrlNumber,
    complete: Option<&LastCrl>,
    delta: Option<&LastCrl>,
) -> Result<(), Refusal> {
    let used = complete.map(|last| last.number).max(delta.map(|last| last.number));
    let is_above =
        complete.is_none_or(|last| number > last.number) && delta.is_none_or(|last| number >= last.number);
    match used {
        Some(used) if !is_above => Err(used_before(number, used)),
        _ => Ok(()),
    }
}

/// A delta has the number of its complete list (RFC 5280 §5.2.3), once. Returns that list.
fn check_delta_number<'l>(
    number: CrlNumber,
    base: CrlNumber,
    complete: Option<&'l LastCrl>,
    delta: Option<&LastCrl>,
) -> Result<&'l LastCrl, Refusal> {
    if let Some(last) = delta.filter(|last| number <= last.number) {
        return Err(used_before(number, last.number));
    }
    let refuse = |message: String| {
        let hint = "sign the complete CRL first, and the delta with the same number after it";
        Err(Refusal::new(Code::SignerDelta, "RFC 5280 §5.2.3, §5.2.4", message, hint))
    };
    match complete {
        Some(complete) if complete.number == number && base < number => Ok(complete),
        Some(complete) if complete.number > number => Err(used_before(number, complete.number)),
        Some(complete) => refuse(format!(
            "the delta has the number {number} and the base {base}, and the last complete CRL is {}",
            complete.number
        )),
        None => refuse(format!("there is no complete CRL with the number {number} of the delta")),
    }
}

fn used_before(number: CrlNumber, used: CrlNumber) -> Refusal {
    let message = format!("the CRL has the number {number}, and {used} was used before");
    let hint = "the index may be an older copy: restore the newest one, and accept what was signed since";
    Refusal::new(Code::SignerCrlNumber, "RFC 5280 §5.2.3", message, hint)
}

/// A timer's CRL lasts no longer than is usual: whoever has taken over the account that timers have could else freeze the
/// list of a root for years.
fn check_length_for_timer(list: &TbsCertList, longest: i64, end: UnixTime) -> Result<(), Refusal> {
    let lasts = list.next_update().map(|next| next.0.saturating_sub(list.this_update().0));
    // the last one of a CA ends with it
    if lasts.is_some_and(|lasts| lasts < TIMER_CRL_SHORTEST)
        && list.next_update().is_none_or(|next| next < end)
    {
        let message = format!(
            "the CRL would last until {}, and a timer has none signed that lasts less than an hour",
            list.next_update().unwrap_or_default()
        );
        let hint = "this program never asks for it: see who used the account of the timers, and when";
        return Err(Refusal::new(Code::SignerCrlLength, "limits of timers", message, hint));
    }
    if lasts.is_some_and(|lasts| lasts <= longest.saturating_mul(UnixTime::DAY)) {
        return Ok(());
    }
    let message = format!(
        "the CRL would last until {}, and a timer has CRLs of this key signed for {longest} days at most",
        list.next_update().unwrap_or_default()
    );
    let hint = "unlock the key for crl and run crl publish; or an administrator widens timer_crl_days in its envelope";
    Err(Refusal::new(Code::SignerCrlLength, "envelope of the key", message, hint))
}

/// A CRL that lasts longer than the envelope says takes the scope of CA certificates, which is returned then: one of a
/// key that is kept offline, and the last one of a CA, which lasts until the CA ends.
fn check_length(key: &KeyInUse<'_>, list: &TbsCertList, longest: i64) -> Result<Scope, Refusal> {
    let Some(next) = list.next_update() else { return Ok(Scope::Crl) };
    let lasts = next.0.saturating_sub(list.this_update().0);
    if lasts <= longest.saturating_mul(UnixTime::DAY) {
        return Ok(Scope::Crl);
    }
    let end = key.newest().map(|own| own.tbs().validity().not_after).unwrap_or_default();
    if next <= end || lasts <= CONFIGURED {
        return Ok(Scope::Ca);
    }
    let message = format!(
        "nextUpdate is {next}, longer after thisUpdate than any configuration says, and the CA ends on {end}"
    );
    let hint = "ask for less; only the last CRL of a CA lasts until its end";
    Err(Refusal::new(Code::SignerCrlLength, "envelope of the key", message, hint))
}
