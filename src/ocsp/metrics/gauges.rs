//! What is so at one moment, for those who watch the daemon from outside.
use crate::ocsp::public_files::PublicKind;
use crate::ocsp::readiness::unreadiness;
use crate::ocsp::rules::Rules;
use crate::ocsp::snapshot::Snapshot;
use crate::x509::UnixTime;

/// What is so at one moment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Gauges {
    /// Whether the daemon answers for every CA that is to be answered for.
    pub(crate) is_ready: bool,
    /// When the status in use was known to be true; `None` without one.
    pub(crate) status_time: Option<UnixTime>,
    /// Octets of the answers that are kept, and the bound of them.
    pub(crate) cache: (u64, u64),
    /// Answers that are kept.
    pub(crate) answers: u64,
    /// Answers that are being signed on a thread or wait for one, and the bound of them.
    pub(crate) queue: (u64, u64),
    /// Certificates that there are answers about in a file of answers; `None` without one.
    pub(crate) stored: Option<u64>,
    /// The CAs that are answered for or have a CRL.
    pub(crate) authorities: Vec<AuthorityGauges>,
}

/// When the files of a CA end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct AuthorityGauges {
    /// Name of the CA.
    pub(crate) name: String,
    /// The latest end of its responder certificates; `None` when it has none.
    pub(crate) responder_ends: Option<UnixTime>,
    /// nextUpdate of its CRL; `None` when it has none.
    pub(crate) crl_ends: Option<UnixTime>,
    /// The earliest nextUpdate of its answers that were signed beforehand; `None` when there are none.
    pub(crate) answers_end: Option<UnixTime>,
}

/// Returns what is so at `now`. `queue` has the answers that wait for a thread, and the bound of them.
#[must_use]
pub(crate) fn gauges(snapshot: &Snapshot, rules: &Rules, queue: (u64, u64), now: UnixTime) -> Gauges {
    let (octets, answers) = rules.cache.size();
    let authorities = snapshot.authority_states(now).filter(|(_, state)| !state.has_ended());
    let authorities = authorities.map(|(issuer, _)| {
        let file = snapshot.file(&PublicKind::Crl.file_name(&issuer.authority));
        let ends = issuer.responders.iter().map(|one| one.certificate().tbs().validity().not_after);
        let stored = snapshot.answers().and_then(|answers| answers.responders_end(&issuer.authority.issuer));
        AuthorityGauges {
            name: issuer.authority.name.clone(),
            responder_ends: ends.max().or(stored).filter(|_| issuer.authority.serves_ocsp),
            crl_ends: file.and_then(|file| file.next_update),
            answers_end: issuer.stored_until.filter(|end| *end < UnixTime::NO_END),
        }
    });
    Gauges {
        is_ready: unreadiness(snapshot, &rules.settings, now).is_empty(),
        status_time: snapshot.status().map(|status| status.time()),
        cache: (octets, rules.settings.cache_octets),
        answers,
        queue,
        stored: snapshot.answers().map(|answers| answers.certificates()),
        authorities: authorities.collect(),
    }
}
