//! CRLs.
use super::*;
use crate::signer::limits::{TIMER_CRL_EVERY, TIMER_CRLS_AT_ONCE};

#[test]
fn a_crl_has_a_number_above_each_before() {
    // C1, K3
    let signer = Signer::new();
    let admitted = signer.admission().crl(&signer.in_use(), signer.crl(1, &[], Vec::new())).unwrap();
    assert_eq!((admitted.scope(), admitted.entry().crl_number), (Scope::Crl, Some(1)));
    assert_eq!(admitted.entry().until, Some(NOW.plus_days(7)));
    assert_eq!(admitted.octets(), signer.crl(1, &[], Vec::new()));
    assert_eq!(admitted.entry().digest, sha256(admitted.octets()));
    signer.made(5, &[], false);
    for (number, expected) in [(4, "signer.crl-number"), (5, "signer.crl-number"), (6, "admitted")] {
        assert_eq!(signer.decide_crl(signer.crl(number, &[], Vec::new())), expected, "{number}");
    }
}

#[test]
fn no_crl_after_a_restore_has_a_number_below_the_mark() {
    // C1, K3: those between were used, and the record has lost them
    let signer = Signer::new();
    let decide = |number, more: Vec<Extension>| {
        let in_use = KeyInUse { mark: Some(9), ..signer.in_use() };
        code(signer.admission().crl(&in_use, signer.crl(number, &[], more)))
    };
    let complete = |number| decide(number, Vec::new());
    assert_eq!(
        [1, 8, 9, 10].map(complete),
        ["signer.crl-number", "signer.crl-number", "admitted", "admitted"]
    );
    signer.made(4, &[], false);
    signer.made(5, &[], false);
    // others raise it while they make theirs, and what was signed is known
    assert_eq!([5, 6, 9].map(complete), ["signer.crl-number", "admitted", "admitted"]);
    assert_eq!(decide(5, vec![delta_crl_indicator(4)]), "admitted");
    signer.record.gap();
    assert_eq!([6, 8, 9].map(complete), ["signer.crl-number", "signer.crl-number", "admitted"]);
    assert_eq!(decide(5, vec![delta_crl_indicator(4)]), "signer.crl-number");
    signer.made(9, &[], false);
    assert_eq!(complete(10), "admitted");
}

#[test]
fn no_crl_uses_up_the_numbers() {
    // C1, K3
    let signer = Signer::new();
    let highest = i64::MAX.cast_unsigned();
    signer.made(5, &[(10, 0)], false);
    let takes = |signer: &Signer, octets| scope(signer.admission().crl(&signer.in_use(), octets));
    let decided =
        |signer: &Signer, number| signer.decide_crl(signer.crl(number, &[revoked(10, None)], Vec::new()));
    // what is far above takes the scope of CA certificates
    assert_eq!(
        [5 + (1 << 20), 6 + (1 << 20), highest, highest + 1, u64::MAX]
            .map(|number| takes(&signer, signer.crl(number, &[revoked(10, None)], Vec::new()))),
        ["crl", "ca", "ca", "signer.crl-number", "signer.crl-number"]
    );
    // at the end of the numbers what was revoked stays
    signer.made(highest, &[(10, 0)], false);
    assert_eq!(decided(&signer, highest), "signer.crl-number");
    signer.made(highest - 1, &[(10, 0)], false);
    assert_eq!(signer.decide_crl(signer.crl(highest, &[], Vec::new())), "signer.crl-entry-unknown");
    let first = Signer::new();
    let decide = |number| takes(&first, first.crl(number, &[], Vec::new()));
    assert_eq!([1, 1 << 20, (1 << 20) + 1].map(decide), ["crl", "crl", "ca"]);
}

#[test]
fn no_crl_is_of_a_part_or_of_a_place_of_its_own() {
    // K3, C5: such a one would leave out what the complete one has
    let signer = Signer::new();
    signer.made(5, &[(10, 0)], false);
    let everywhere = IssuingDistributionPoint::default();
    let url = Some("http://pki.example/b.crl".to_owned());
    let octets = |octets: &[u8]| Extension::new(extension::ISSUING_DISTRIBUTION_POINT, true, octets.to_vec());
    for point in [
        IssuingDistributionPoint { only_ca_certificates: true, ..everywhere.clone() }.to_extension(),
        IssuingDistributionPoint { only_user_certificates: true, ..everywhere.clone() }.to_extension(),
        IssuingDistributionPoint { url, ..everywhere }.to_extension(),
        octets(&[0x30, 0]),
        // onlySomeReasons, indirectCRL
        octets(&[0x30, 4, 0x83, 2, 6, 0x40]),
        octets(&[0x30, 3, 0x84, 1, 0xff]),
    ] {
        assert_eq!(signer.decide_crl(signer.crl(1, &[], vec![point.clone()])), "signer.crl-scope");
        let all = [revoked(10, None)];
        assert_eq!(signer.decide_crl(signer.crl(6, &all, vec![point])), "signer.crl-scope");
    }
}

#[test]
fn a_delta_and_its_complete_list_share_one_number_once() {
    // C1
    let signer = Signer::new();
    let delta = |number, entries: &[CrlEntry]| signer.crl(number, entries, vec![delta_crl_indicator(3)]);
    assert_eq!(signer.decide_crl(delta(5, &[])), "signer.delta");
    // based on CRL 3, since which both were revoked
    signer.made(3, &[(9, 0)], false);
    signer.made(5, &[(9, 0), (10, 0), (11, 6)], false);
    let same = [revoked(10, None), revoked(11, Some(CrlReason::CertificateHold))];
    assert_eq!(signer.decide_crl(delta(5, &same)), "admitted");
    assert_eq!(signer.decide_crl(delta(6, &same)), "signer.delta");
    assert_eq!(signer.decide_crl(delta(4, &same)), "signer.crl-number");
    signer.made(5, &[(10, 0)], true);
    assert_eq!(signer.decide_crl(delta(5, &same)), "signer.crl-number");
}

#[test]
fn a_delta_has_all_that_was_revoked_since_its_base_and_says_what_the_complete_list_says() {
    // K3, C5
    let signer = Signer::new();
    let hold = Some(CrlReason::CertificateHold);
    let compromised = Some(CrlReason::KeyCompromise);
    signer.made(3, &[(9, 0), (12, 6), (13, 6)], false);
    signer.made(4, &[(9, 0), (10, 0), (12, 6), (13, 6)], false);
    signer.made(5, &[(9, 0), (10, 0), (11, 6), (12, 1)], false);
    let delta = |base, entries: &[CrlEntry]| {
        signer.decide_crl(signer.crl(5, entries, vec![delta_crl_indicator(base)]))
    };
    let all = [revoked(10, None), revoked(11, hold), revoked(12, compromised)];
    assert_eq!(delta(3, &all), "admitted");
    for lacking in 0..3 {
        let mut some = all.to_vec();
        some.remove(lacking);
        assert_eq!(delta(3, &some), "signer.delta", "without the entry {lacking}");
    }
    // that of before the base may be there, and need not
    assert_eq!(delta(4, &all[1..]), "admitted");
    assert_eq!(delta(4, &all), "admitted");
    assert_eq!(delta(4, &all[2..]), "signer.delta");
    let beside = |entry: CrlEntry| {
        let mut entries = all.to_vec();
        entries.push(entry);
        entries.sort_by(|one, other| one.serial_number.cmp(&other.serial_number));
        delta(3, &entries)
    };
    assert_eq!(beside(revoked(13, Some(CrlReason::RemoveFromCrl))), "admitted");
    assert_eq!(beside(revoked(9, None)), "admitted");
    assert_eq!(beside(revoked(9, Some(CrlReason::RemoveFromCrl))), "signer.delta", "it is still revoked");
    assert_eq!(beside(revoked(13, hold)), "signer.delta", "it is not on hold any more");
    assert_eq!(beside(revoked(14, None)), "signer.delta", "it is not revoked");
    let otherwise = [revoked(10, compromised), revoked(11, hold), revoked(12, compromised)];
    assert_eq!(delta(3, &otherwise), "signer.delta", "for another reason");
    let taken_back = [all[0].clone(), all[1].clone(), revoked(12, Some(CrlReason::RemoveFromCrl))];
    assert_eq!(delta(3, &taken_back), "signer.delta");
    assert_eq!(delta(2, &all), "signer.delta", "what was revoked since then is not known");
}

#[test]
fn a_crl_sends_nobody_to_another_place_for_deltas_than_the_key_was_made_for() {
    // C5
    let mut signer = Signer::new();
    let crl = |signer: &Signer, url: &str| {
        signer.decide_crl(signer.crl(1, &[], vec![extension::freshest_crl(&[url.into()])]))
    };
    assert_eq!(crl(&signer, "http://elsewhere.example/a.delta.crl"), "admitted");
    signer.envelope.urls = Some(vec!["http://pki.example/".into()]);
    assert_eq!(crl(&signer, "http://pki.example/a.delta.crl"), "admitted");
    assert_eq!(crl(&signer, "http://elsewhere.example/a.delta.crl"), "signer.envelope-url");
    assert_eq!(signer.decide_crl(signer.crl(1, &[], Vec::new())), "admitted");
}

#[test]
fn a_crl_is_dated_by_a_clock_near_the_signers_and_does_not_last_too_long() {
    // C1, X2, C8
    let signer = Signer::new();
    let at =
        |this: i64, days: i64| signer.list((NOW.plus(this), NOW.plus_days(days)), &[], vec![crl_number(1)]);
    for (octets, expected) in [
        (at(200, 7), "admitted"),
        (at(400, 7), "signer.clock"),
        (at(-3500, 7), "admitted"),
        (at(-3700, 7), "signer.clock"),
        (at(0, 801), "admitted"),
        (at(0, 4000), "signer.crl-length"),
    ] {
        assert_eq!(signer.decide_crl(octets), expected);
    }
    let older = at(-3590, 7);
    let lasting = [35, 36, 801].map(|days| at(0, days));
    assert_eq!(
        lasting.map(|octets| scope(signer.admission().crl(&signer.in_use(), octets))),
        ["crl", "ca", "ca"],
        "five times the usual period"
    );
    signer.record.crl(
        &signer.key.public_key().digest(),
        LastCrl { number: 0, this_update: NOW.plus(-10) },
        false,
        &[],
    );
    assert_eq!(signer.decide_crl(older), "signer.clock");
}

#[test]
fn a_crl_names_its_own_ca_and_algorithm() {
    // K3
    let signer = Signer::new();
    let list = |issuer: &Name, algorithm, identifier: &[u8]| {
        let list = TbsCertListBuilder::new(algorithm, issuer.clone(), NOW, NOW.plus_days(7));
        list.encode(vec![authority_key_identifier(identifier), crl_number(1)]).as_der().to_vec()
    };
    let (own, identifier) = (signer.own().tbs().subject(), signer.own().key_identifier());
    let algorithm = SignatureAlgorithm::ECDSA_SHA256;
    assert_eq!(signer.decide_crl(list(own, algorithm, &identifier)), "admitted");
    assert_eq!(signer.decide_crl(list(&name("CN=Other"), algorithm, &identifier)), "signer.issuer");
    assert_eq!(signer.decide_crl(list(own, algorithm, &[1; 20])), "signer.issuer");
    assert_eq!(signer.decide_crl(list(own, SignatureAlgorithm::ED25519, &identifier)), "signer.algorithm");
    let number = signer.list((NOW, NOW.plus_days(7)), &[], Vec::new());
    assert_eq!(signer.decide_crl(number), "signer.lint", "without a number");
}

#[test]
fn a_timer_has_no_crl_signed_that_freezes_the_list_for_years() {
    // K3, C8
    let signer = Signer::new();
    let envelope = KeyEnvelope { longest_crl_days: 800, ..signer.envelope.clone() };
    let decide = |by_timer, envelope: &KeyEnvelope, days| {
        let in_use = KeyInUse { envelope: Some(envelope), by_timer, ..signer.in_use() };
        scope(
            signer
                .admission()
                .crl(&in_use, signer.list((NOW, NOW.plus_days(days)), &[], vec![crl_number(1)])),
        )
    };
    assert_eq!([7, 35, 36, 800].map(|days| decide(false, &envelope, days)), ["crl"; 4]);
    let refused = "signer.crl-length";
    assert_eq!([7, 35, 36, 800].map(|days| decide(true, &envelope, days)), ["crl", "crl", refused, refused]);
    let widened = KeyEnvelope { timer_crl_days: 400, ..envelope };
    assert_eq!([400, 401].map(|days| decide(true, &widened, days)), ["crl", refused]);
}

#[test]
fn a_timer_has_some_crls_at_once_then_one_after_the_other_and_an_administrator_any_number() {
    // C1, K3
    let signer = Signer::new();
    let decide = |by_timer| {
        let in_use = KeyInUse { by_timer, ..signer.in_use() };
        code(signer.admission().crl(&in_use, signer.crl(1, &[], Vec::new())))
    };
    let own = signer.key.public_key().digest();
    let timers = |key: &[u8; 32], count: u64, at: i64| {
        (0..count).for_each(|_| signer.record.timer_crl(key, NOW.plus(at)));
    };
    timers(&own, 500, -DAY - 1);
    timers(&[7; 32], 500, -10);
    // whoever used all of them up for a day has left one after a quarter of an hour
    for number in 2..96 {
        timers(&own, 1, -number * TIMER_CRL_EVERY - 1);
    }
    timers(&own, TIMER_CRLS_AT_ONCE, -TIMER_CRL_EVERY - 1);
    assert_eq!([true, false].map(decide), ["admitted"; 2]);
    timers(&own, 1, -TIMER_CRL_EVERY + 1);
    assert_eq!([true, false].map(decide), ["signer.crl-day", "admitted"]);
    // each hour, three times when it fails, with a delta
    const { assert!(TIMER_CRLS_AT_ONCE > 3 * 2 && TIMER_CRL_EVERY * 4 <= 3600) };
}

#[test]
fn a_timer_has_no_crl_signed_that_ends_at_once() {
    // K3, C8
    let signer = Signer::new();
    let decide = |by_timer, seconds| {
        let in_use = KeyInUse { by_timer, ..signer.in_use() };
        let list = signer.list((NOW, NOW.plus(seconds)), &[], vec![crl_number(1)]);
        scope(signer.admission().crl(&in_use, list))
    };
    assert_eq!([60, 3599, 3600].map(|seconds| decide(false, seconds)), ["crl"; 3]);
    let refused = "signer.crl-length";
    assert_eq!([60, 3599, 3600].map(|seconds| decide(true, seconds)), [refused, refused, "crl"]);
}
