//! The limits of a key as people are shown them, by the signer and by whoever has read an envelope.
use super::KeyEnvelope;
use crate::signing::KeyLimits;

/// Most complete and delta CRLs of one CA that the signer signs for timers at once. The timer of the package asks once
/// an hour, and most hours for none; two of them, and both three times, are fewer. What an administrator has unlocked a
/// key for is not counted and not bounded by it, and so no revocation.
pub(crate) const TIMER_CRLS_AT_ONCE: u64 = 8;
/// Seconds after which there is one more: whoever used all of them up leaves none for so long, and not for a day.
pub(crate) const TIMER_CRL_EVERY: i64 = 900;
/// Seconds that a CRL for a timer lasts at least: no configuration says less, and one that has ended at once would leave
/// relying parties without a list.
pub(crate) const TIMER_CRL_SHORTEST: i64 = 3600;

impl From<&KeyEnvelope> for KeyLimits {
    fn from(envelope: &KeyEnvelope) -> Self {
        fn texts<T: ToString>(all: &[T]) -> Vec<String> {
            all.iter().map(ToString::to_string).collect()
        }
        Self {
            profile: envelope.profile.clone(),
            certifies_cas: envelope.issues_cas,
            path_length: envelope.path_length.filter(|_| envelope.issues_cas),
            extended_key_usage: envelope.extended_key_usages.as_deref().map(texts),
            longest_days: envelope.longest_days,
            longest_crl_days: envelope.longest_crl_days,
            timer_crl_days: envelope.timer_crl_days,
            urls: envelope.urls.clone(),
            permitted: envelope.permitted.as_deref().map(texts),
            certificates_a_day: envelope.a_day,
        }
    }
}
