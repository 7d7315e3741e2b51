//! Entries of CRLs.
use super::*;

#[test]
fn no_entry_leaves_a_crl_but_a_lifted_hold_and_what_had_ended() {
    // K3, C3
    let signer = Signer::new();
    signer.made(5, &[(10, 0), (11, 1), (12, 6), (13, 4)], false);
    let all = [
        revoked(10, None),
        revoked(11, Some(CrlReason::KeyCompromise)),
        revoked(12, Some(CrlReason::CertificateHold)),
        revoked(13, Some(CrlReason::Superseded)),
    ];
    let crl = |entries: &[CrlEntry]| signer.crl(6, entries, Vec::new());
    assert_eq!(signer.decide_crl(crl(&all)), "admitted");
    let without = |at: usize| [&all[..at], &all[at + 1..]].concat();
    assert_eq!(signer.decide_crl(crl(&without(2))), "admitted", "the hold was lifted");
    // nobody knows when it ends
    let refusal = signer.admission().crl(&signer.in_use(), crl(&without(1))).unwrap_err();
    assert_eq!((refusal.code.code(), refusal.unknown), ("signer.crl-entry-unknown", vec![serial(11)]));
    // it ends later, and then it has ended, but after the last list was made
    for (end, expected) in [
        (NOW.plus_days(9), "signer.crl-entry-missing"),
        (NOW.plus(-1800), "signer.crl-entry-missing"),
        (NOW.plus(-3601), "admitted"),
    ] {
        signer.knows(11, end);
        assert_eq!(signer.decide_crl(crl(&without(1))), expected, "{end}");
    }
    // a revocation does not become a hold, which could be lifted; a hold becomes a revocation, and reasons change
    let mut held = all.to_vec();
    held[3].reason = Some(CrlReason::CertificateHold);
    assert_eq!(signer.decide_crl(crl(&held)), "signer.crl-entry-missing");
    let mut revoked_now = all.to_vec();
    revoked_now[2].reason = None;
    revoked_now[3].reason = Some(CrlReason::KeyCompromise);
    assert_eq!(signer.decide_crl(crl(&revoked_now)), "admitted");
    assert_eq!(signer.decide_crl(crl(&[])), "signer.crl-entry-unknown");
}

#[test]
fn a_revocation_that_stays_says_no_later_date_and_nothing_else_in_the_place_of_a_compromise() {
    // K3, C3: what the key signed before that date is believed
    let signer = Signer::new();
    signer.made(5, &[(10, 0), (11, 1), (12, 6), (13, 2)], false);
    let reasons = [
        None,
        Some(CrlReason::KeyCompromise),
        Some(CrlReason::CertificateHold),
        Some(CrlReason::CaCompromise),
    ];
    let all: Vec<CrlEntry> = (10..).zip(reasons).map(|(number, reason)| revoked(number, reason)).collect();
    let decide = |at: usize, seconds: i64, reason: Option<CrlReason>| {
        let mut changed = all.clone();
        changed[at].revocation_date = changed[at].revocation_date.plus(seconds);
        changed[at].reason = reason;
        signer.decide_crl(signer.crl(6, &changed, Vec::new()))
    };
    let (kept, weaker) = ("admitted", "signer.crl-entry-missing");
    assert_eq!([-5, 0, 1].map(|seconds| decide(0, seconds, None)), [kept, kept, weaker]);
    // it may be known later that the key was compromised, and since when
    assert_eq!(decide(0, -5, Some(CrlReason::KeyCompromise)), kept);
    assert_eq!(decide(0, 1, Some(CrlReason::KeyCompromise)), weaker);
    for at in [1, 3] {
        for reason in [None, Some(CrlReason::Superseded), Some(CrlReason::CertificateHold)] {
            assert_eq!(decide(at, 0, reason), weaker, "{at} {reason:?}");
        }
        assert_eq!(decide(at, 0, Some(CrlReason::KeyCompromise)), kept);
        assert_eq!(decide(at, 0, Some(CrlReason::CaCompromise)), kept);
    }
    // a hold could be lifted, so it may begin anew, or end in a revocation
    assert_eq!(decide(2, 50, Some(CrlReason::CertificateHold)), kept);
    assert_eq!(decide(2, 50, Some(CrlReason::Superseded)), kept);
    // a delta says the same as its complete list
    let delta = |seconds: i64| {
        let mut changed = [revoked(13, Some(CrlReason::CaCompromise))];
        changed[0].revocation_date = changed[0].revocation_date.plus(seconds);
        signer.decide_crl(signer.crl(6, &changed, vec![delta_crl_indicator(5)]))
    };
    signer.made(6, &[(10, 0), (11, 1), (12, 6), (13, 2)], false);
    assert_eq!([-1, 0, 1].map(delta), ["signer.delta", kept, "signer.delta"]);
}

#[test]
fn entries_that_nobody_knows_stay_until_the_end_of_the_ca() {
    // K3
    let mut signer = Signer::new();
    signer.made(5, &[(10, 0)], false);
    assert_eq!(signer.decide_crl(signer.crl(6, &[], Vec::new())), "signer.crl-entry-unknown");
    // the CA ended two hours ago: an hour before its last list
    let mut fields = Fields::of(signer.own().tbs());
    fields.validity.not_after = NOW.plus(-7200);
    let ended = TbsCertificate::from_der(&fields.encode()).unwrap();
    signer.own = vec![signed(&ended, &signer.root_key)];
    assert_eq!(signer.decide_crl(signer.crl(6, &[], Vec::new())), "admitted");
}

#[test]
fn entries_are_in_order_and_each_once() {
    // C2
    let signer = Signer::new();
    signer.made(5, &[(10, 0), (12, 0)], false);
    let [a, b, c] = [10, 11, 12].map(|number| revoked(number, None));
    for (entries, expected) in [
        (vec![a.clone(), b.clone(), c.clone()], "admitted"),
        (vec![b.clone(), a.clone(), c.clone()], "signer.crl-order"),
        (vec![a.clone(), c.clone(), b.clone()], "signer.crl-order"),
    ] {
        assert_eq!(signer.decide_crl(signer.crl(6, &entries, Vec::new())), expected);
    }
}

#[test]
fn a_million_entries_are_compared_within_a_few_seconds() {
    // K3
    let signer = Signer::new();
    let number = |at: u32| {
        let mut octets = [0x41; 17];
        octets[13..].copy_from_slice(&at.to_be_bytes());
        SerialNumber::from_random(octets)
    };
    let count: u32 = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
    let date = NOW.plus(-100);
    let entries: Vec<(SerialNumber, Revoked)> =
        (0..count).map(|at| (number(at), Revoked { reason: 0, date })).collect();
    let last = LastCrl { number: 5, this_update: NOW.plus(-3600) };
    signer.record.crl(&signer.key.public_key().digest(), last, false, &entries);
    let list: Vec<CrlEntry> = entries
        .iter()
        .map(|(serial, _)| CrlEntry { serial_number: serial.clone(), ..revoked(0, None) })
        .collect();
    let octets = signer.crl(6, &list, Vec::new());
    let started = std::time::Instant::now();
    assert_eq!(signer.decide_crl(octets), "admitted");
    let took = started.elapsed();
    assert!(took.as_secs() < 20, "{took:?}");
    assert_eq!(signer.decide_crl(signer.crl(6, &list[1..], Vec::new())), "signer.crl-entry-unknown");
}
