//! Generations of a root, and what a root says of itself.
use super::*;

/// What the signer says of the other generation, and whether that is admitted.
type Word = (Vouching, &'static str);
/// The code of a refusal, and the change that is refused.
type Told<'a> = (&'static str, &'a dyn Fn(&mut Fields));

/// A link of this root with another one, and the certificate of that.
fn link_with(root: &Certificate, other: &Certificate) -> Fields {
    let mut link = Fields::of(other.tbs());
    link.serial = serial(51);
    link.issuer = root.tbs().subject().clone();
    link.put(authority_key_identifier(&root.key_identifier()));
    link.validity.not_after = link.validity.not_after.min(root.tbs().validity().not_after);
    link
}

/// A root of this name, with a key of its own, which may be changed before it is signed.
fn other_root(subject: &Name, change: impl FnOnce(&mut Fields)) -> Certificate {
    let key = key();
    let applicant = Applicant::new(subject.clone(), key.public_key().clone());
    let mut fields =
        Fields::of(&granted("root-ca", None, &applicant, RequestedValues::default(), serial(50)));
    change(&mut fields);
    signed(&TbsCertificate::from_der(&fields.encode()).unwrap(), &key)
}

fn path_length(path_length: Option<u8>) -> Extension {
    BasicConstraints { ca: true, path_length }.to_extension()
}

fn for_servers() -> Extension {
    ExtendedKeyUsage(vec![Purpose::SERVER_AUTH]).to_extension()
}

#[test]
fn a_ca_below_another_links_itself_with_no_other_generation() {
    // K3: its issuer gives it its next key, and its envelope bounds what it signs
    let signer = Signer::new();
    assert!(!signer.envelope.issues_cas);
    let newer = key();
    let applicant = Applicant::new(signer.own().tbs().subject().clone(), newer.public_key().clone());
    let values = RequestedValues { validity: RequestedValidity::Days(3700), ..RequestedValues::default() };
    let by_root = granted("system-ca", Some((&signer.root, &[], "root-ca")), &applicant, values, serial(50));
    let by_root = signed(&by_root, &signer.root_key);
    for other in [by_root, other_root(signer.own().tbs().subject(), |_| ())] {
        let link = link_with(signer.own(), &other);
        let own = Signer { others: vec![other.clone()], ..Signer::new() };
        let in_use = KeyInUse { others: &own.others, ..signer.in_use() };
        let decision = signer.admission().certificate(&in_use, link.encode());
        assert_eq!(code(decision), "signer.envelope-ca");
    }
}

#[test]
fn a_client_of_the_service_links_a_root_with_a_generation_that_is_bound_no_wider_or_was_accepted() {
    // RFC 9810 §4.4, K3
    let mut signer = Signer::new();
    let mut fields = Fields::of(signer.root.tbs());
    fields.put(for_servers());
    signer.root = signed(&TbsCertificate::from_der(&fields.encode()).unwrap(), &signer.root_key);
    let envelope = signer.root_envelope();
    let decide = |other: &Certificate, envelope: &KeyEnvelope, word: Vouching| {
        let (own, others) = ([signer.root.clone()], [other.clone()]);
        let generations = |_: &Certificate| word;
        let in_use = KeyInUse {
            key: signer.root_key.public_key(),
            envelope: Some(envelope),
            own: &own,
            above: &[],
            others: &others,
            generations: &generations,
            ..signer.in_use()
        };
        code(signer.admission().certificate(&in_use, link_with(&signer.root, other).encode()))
    };
    let name_of_root = signer.root.tbs().subject();
    let same = other_root(name_of_root, |it| it.put(for_servers()));
    let wider = other_root(name_of_root, |_| ());
    let (unknown, wanted) = ("signer.certificate-unknown", "admitted");
    let words: [Word; 3] =
        [(Vouching::Accepted, wanted), (Vouching::Bound, wanted), (Vouching::Unknown, unknown)];
    for (word, expected) in words {
        assert_eq!(decide(&same, &envelope, word), expected, "{word:?}");
    }
    let words: [Word; 3] =
        [(Vouching::Accepted, wanted), (Vouching::Bound, unknown), (Vouching::Unknown, unknown)];
    for (word, expected) in words {
        assert_eq!(decide(&wider, &envelope, word), expected, "{word:?}");
    }
    // an envelope that was narrowed since takes nothing from what those who trust the root believe already
    let narrowed = KeyEnvelope { extended_key_usages: Some(vec![Purpose::CLIENT_AUTH]), ..envelope };
    assert_eq!(decide(&same, &narrowed, Vouching::Bound), wanted);
    assert_eq!(decide(&wider, &narrowed, Vouching::Bound), unknown);
    // one of another name is certified as any other CA is
    let renamed = other_root(&name("C=BE,CN=Second root"), |it| it.put(for_servers()));
    assert_eq!(decide(&renamed, &signer.root_envelope(), Vouching::Bound), wanted);
    assert_eq!(decide(&renamed, &signer.root_envelope(), Vouching::Unknown), "signer.profile");
}

#[test]
fn a_root_says_of_itself_no_more_than_its_key_was_made_for() {
    // K3
    let mut signer = Signer::new();
    let mut fields = Fields::of(signer.root.tbs());
    fields.put(path_length(Some(1)));
    fields.put(for_servers());
    signer.root = signed(&TbsCertificate::from_der(&fields.encode()).unwrap(), &signer.root_key);
    let envelope = signer.root_envelope();
    let renew = |envelope: &KeyEnvelope, change: &dyn Fn(&mut Fields)| {
        let mut renewed = Fields { serial: serial(30), ..Fields::of(signer.root.tbs()) };
        change(&mut renewed);
        let own = [signer.root.clone()];
        let in_use = KeyInUse {
            key: signer.root_key.public_key(),
            envelope: Some(envelope),
            own: &own,
            above: &[],
            ..signer.in_use()
        };
        code(signer.admission().certificate(&in_use, renewed.encode()))
    };
    let as_before = renew(&envelope, &|_| ());
    assert_eq!(as_before, "admitted");
    let lies: [Told<'_>; 3] = [
        ("signer.envelope-path", &|it| it.put(path_length(Some(2)))),
        ("signer.envelope-path", &|it| it.put(path_length(None))),
        ("signer.envelope-purpose", &|it| it.remove(extension::EXTENDED_KEY_USAGE)),
    ];
    for (expected, lie) in lies {
        assert_eq!(renew(&envelope, lie), expected);
    }
    // one that was narrowed since keeps the root from no renewal of what it says already
    let narrowed = KeyEnvelope { path_length: None, issues_cas: false, ..envelope.clone() };
    assert_eq!(renew(&narrowed, &|_| ()), as_before);
    let named =
        KeyEnvelope { permitted: Some(vec!["dns:genfic.example".parse().unwrap()]), ..envelope.clone() };
    assert_eq!(renew(&named, &|_| ()), as_before);
    assert_eq!(renew(&named, &|it| it.put(path_length(Some(2)))), "signer.envelope-path");
    let short = KeyEnvelope { longest_days: 100, ..envelope };
    assert_eq!(renew(&short, &|_| ()), "signer.envelope-validity");
}

#[test]
fn generations_of_one_root_certify_each_other_if_the_signer_has_both_keys() {
    // RFC 9810 §4.4
    let signer = Signer::new();
    let newer_key = key();
    let applicant = Applicant::new(signer.root.tbs().subject().clone(), newer_key.public_key().clone());
    let newer =
        signed(&granted("root-ca", None, &applicant, RequestedValues::default(), serial(50)), &newer_key);
    let mut link = Fields::of(newer.tbs());
    link.serial = serial(51);
    link.put(authority_key_identifier(&signer.root.key_identifier()));
    link.validity.not_after = link.validity.not_after.min(signer.root.tbs().validity().not_after);
    link.put(extension::crl_distribution_points(&["http://pki.example/root.crl".into()]));
    let others = [newer];
    assert_eq!(code(signer.decide_by_root(link.clone().encode(), &others)), "admitted");
    assert_eq!(code(signer.decide_by_root(link.clone().encode(), &[])), "signer.profile");
    link.put(BasicConstraints { ca: true, path_length: Some(7) }.to_extension());
    assert_eq!(code(signer.decide_by_root(link.encode(), &others)), "signer.profile");
}

#[test]
fn a_root_that_got_another_name_with_its_new_key_is_certified_if_it_may_do_no_more() {
    // RFC 9810 §4.4, K3
    let signer = Signer::new();
    let newer_key = key();
    let applicant = Applicant::new(name("C=BE,CN=Second root"), newer_key.public_key().clone());
    let newer =
        signed(&granted("root-ca", None, &applicant, RequestedValues::default(), serial(50)), &newer_key);
    let mut link = Fields::of(newer.tbs());
    link.serial = serial(51);
    link.issuer = signer.root.tbs().subject().clone();
    link.put(authority_key_identifier(&signer.root.key_identifier()));
    link.validity.not_after = link.validity.not_after.min(signer.root.tbs().validity().not_after);
    let others = [newer];
    assert_eq!(code(signer.decide_by_root(link.clone().encode(), &others)), "admitted");
    assert_ne!(code(signer.decide_by_root(link.clone().encode(), &[])), "admitted");
    let narrow = KeyEnvelope { path_length: Some(0), ..signer.root_envelope() };
    let own = [signer.root.clone()];
    let in_use = KeyInUse {
        key: signer.root_key.public_key(),
        envelope: Some(&narrow),
        own: &own,
        above: &[],
        others: &others,
        generations: &|_| Vouching::Accepted,
        bound: None,
        named: None,
        mark: None,
        by_timer: false,
    };
    assert_eq!(code(signer.admission().certificate(&in_use, link.encode())), "signer.envelope-path");
}
