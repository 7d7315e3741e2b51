//! Certificates and requests.
use super::*;

#[test]
fn what_the_profiles_grant_is_admitted_in_its_scope() {
    // K3
    let signer = Signer::new();
    let leaf = signer.leaf();
    let admitted = signer.decide(leaf.clone().encode()).unwrap();
    assert_eq!(admitted.scope(), Scope::Leaf);
    let entry = admitted.entry();
    assert_eq!((entry.kind, entry.key), (SignedKind::Certificate, signer.key.public_key().digest()));
    assert_eq!((entry.serial.as_ref(), entry.until), (Some(&leaf.serial), Some(leaf.validity.not_after)));
    assert_eq!(entry.digest, sha256(admitted.octets()));
    assert_eq!(admitted.octets(), leaf.encode());
    assert_eq!(signer.decide(signer.responder().encode()).unwrap().scope(), Scope::Ca);
    assert_eq!(signer.decide_by_root(signer.child().encode(), &[]).unwrap().scope(), Scope::Ca);
}

#[test]
fn the_profile_that_grants_the_first_of_a_group_is_asked_first_for_the_others() {
    // with the examples: `short-lived` comes before `system`
    let name = |file: &'static str| file.strip_suffix(".example").unwrap_or(file).strip_suffix(".toml");
    let texts = SHIPPED.iter().filter_map(|(file, text)| Some((name(file)?, *text)));
    let signer = Signer { profiles: Profiles::parse(texts).unwrap(), ..Signer::new() };
    let leaf = signer.leaf();
    let group = (0..40).map(|number| Fields { serial: serial(number), ..leaf.clone() }.encode()).collect();
    let mut admission = signer.admission();
    assert_eq!(admission.certificates(&signer.in_use(), group).unwrap().len(), 40);
    // both for the first
    assert_eq!(admission.tried.into_inner(), 41);
}

#[test]
fn every_lie_about_a_certificate_is_refused_with_its_own_code() {
    // K3
    let signer = Signer::new();
    let other = key();
    let lies: Vec<Lie> = vec![
        ("another CA's name", "signer.issuer", Box::new(|it| it.issuer = name("CN=Somebody"))),
        (
            "another key's identifier",
            "signer.issuer",
            Box::new(|it| it.put(authority_key_identifier(&[7; 20]))),
        ),
        ("no key identifier", "signer.issuer", Box::new(|it| it.remove(extension::AUTHORITY_KEY_IDENTIFIER))),
        (
            "another algorithm",
            "signer.algorithm",
            Box::new(|it| it.signature = SignatureAlgorithm::ECDSA_SHA384),
        ),
        (
            "CA:TRUE",
            "signer.envelope-ca",
            Box::new(|it| {
                it.put(BasicConstraints { ca: true, path_length: None }.to_extension());
                it.put(extension::KeyUsage::KEY_CERT_SIGN.with(extension::KeyUsage::CRL_SIGN).to_extension());
                it.remove(extension::EXTENDED_KEY_USAGE);
            }),
        ),
        (
            "a purpose that the profile does not grant",
            "signer.profile",
            Box::new(|it| it.put(ExtendedKeyUsage(vec![Purpose::CODE_SIGNING]).to_extension())),
        ),
        (
            "OCSPSigning beside another purpose",
            "signer.lint",
            Box::new(|it| {
                it.put(ExtendedKeyUsage(vec![Purpose::SERVER_AUTH, Purpose::OCSP_SIGNING]).to_extension());
            }),
        ),
        (
            "longer than the profile",
            "signer.profile",
            Box::new(|it| it.validity.not_after = it.validity.not_before.plus(3700 * DAY - 1)),
        ),
        (
            "longer than the issuer",
            "signer.outlives-issuer",
            Box::new(|it| it.validity.not_after = NOW.plus_days(3801)),
        ),
        ("dated back", "signer.clock", Box::new(|it| it.validity.not_before = NOW.plus_days(-5))),
        ("dated ahead", "signer.clock", Box::new(|it| it.validity.not_before = NOW.plus_days(1))),
        (
            "an extension that nobody knows",
            "signer.profile",
            Box::new(|it| {
                let oid = der::oid::ObjectIdentifier::new_unwrap("1.2.3.4");
                it.extensions.push(Extension::new(oid, false, vec![5, 0]));
            }),
        ),
        (
            "no CRL and no OCSP",
            "signer.profile",
            Box::new(|it| {
                it.remove(extension::CRL_DISTRIBUTION_POINTS);
                it.remove(extension::AUTHORITY_INFO_ACCESS);
                it.put(extension::no_rev_avail());
            }),
        ),
        ("a broken rule", "signer.lint", Box::new(|it| it.remove(extension::SUBJECT_KEY_IDENTIFIER))),
        (
            "a name that is none",
            "signer.lint",
            Box::new(|it| {
                let names = [GeneralName::Dns("a b".into())];
                it.put(extension::subject_alt_name(&names, &it.subject.clone()));
            }),
        ),
        (
            "a subject that the profile does not take",
            "signer.profile",
            Box::new(|it| {
                it.subject = name("CN=w1.genfic.example,title=root");
            }),
        ),
        (
            "the key of the CA itself",
            "signer.issuer",
            Box::new(|it| it.key = Signer::new().key.public_key().clone()),
        ),
    ];
    for (lie, expected, tell) in &lies {
        let mut fields = signer.leaf();
        tell(&mut fields);
        if *lie == "the key of the CA itself" {
            fields.key = signer.key.public_key().clone();
        }
        let decision = signer.decide(fields.encode());
        let told = decision.as_ref().err().map(ToString::to_string).unwrap_or_default();
        assert_eq!(code(decision), *expected, "{lie}: {told}");
    }
    // another key than the one that is to sign has nothing to say here
    let strange = KeyInUse { key: other.public_key(), ..signer.in_use() };
    let decision = signer.admission().certificate(&strange, signer.leaf().encode());
    assert_eq!(code(decision), "signer.issuer");
}

#[test]
fn what_trails_or_is_something_else_is_refused() {
    // K3
    let signer = Signer::new();
    let leaf = signer.leaf().encode();
    let request = encode_request(&name("CN=a"), signer.key.public_key(), &[]);
    for octets in
        [[&leaf[..], &[0]].concat(), leaf[..leaf.len() - 1].to_vec(), Vec::new(), request, b"text".to_vec()]
    {
        assert_eq!(code(signer.decide(octets)), "signer.malformed");
    }
    let crl = signer.crl(1, &[], Vec::new());
    assert_eq!(code(signer.decide(crl.clone())), "signer.malformed");
    let admission = signer.admission();
    assert_eq!(code(admission.crl(&signer.in_use(), [&crl[..], &[0]].concat())), "signer.malformed");
    assert_eq!(code(admission.crl(&signer.in_use(), leaf.clone())), "signer.malformed");
    assert_eq!(code(admission.request(&signer.in_use(), leaf)), "signer.malformed");
    assert_eq!(code(admission.request(&signer.in_use(), crl)), "signer.malformed");
}

#[test]
fn a_serial_number_is_signed_once_on_record_and_in_one_group() {
    // X1
    let signer = Signer::new();
    let leaf = signer.leaf();
    let mut group = signer.admission();
    assert_eq!(code(group.certificate(&signer.in_use(), leaf.clone().encode())), "admitted");
    assert_eq!(code(group.certificate(&signer.in_use(), leaf.clone().encode())), "signer.serial");
    let digest = signer.key.public_key().digest();
    signer.record.certificate(&digest, &leaf.serial, leaf.validity.not_after, NOW);
    assert_eq!(code(signer.decide(leaf.encode())), "signer.serial");
}

#[test]
fn a_serial_number_on_the_last_crl_is_not_signed_though_nothing_else_is_known_of_it() {
    // K3, X1
    let signer = Signer::new();
    let leaf = signer.leaf();
    signer.made(3, &[(8, 0), (10, 0)], false);
    assert_eq!(code(signer.decide(leaf.clone().encode())), "admitted");
    signer.made(4, &[(8, 0), (9, 0), (10, 0)], false);
    assert_eq!(code(signer.decide(leaf.encode())), "signer.serial");
}

#[test]
fn the_envelope_bounds_what_the_profiles_grant() {
    // K3
    let mut signer = Signer::new();
    let as_made = signer.envelope.clone();
    let narrowed: Vec<(KeyEnvelope, &str)> = vec![
        (KeyEnvelope { longest_days: 100, ..as_made.clone() }, "signer.envelope-validity"),
        (
            KeyEnvelope { extended_key_usages: Some(vec![Purpose::CLIENT_AUTH]), ..as_made.clone() },
            "signer.envelope-purpose",
        ),
        (
            KeyEnvelope { permitted: Some(vec!["dns:other.example".parse().unwrap()]), ..as_made.clone() },
            "signer.envelope-name",
        ),
        (KeyEnvelope { a_day: 0, ..as_made.clone() }, "signer.envelope-day"),
        (
            KeyEnvelope { permitted: Some(vec!["dns:genfic.example".parse().unwrap()]), ..as_made.clone() },
            "admitted",
        ),
        (as_made, "admitted"),
    ];
    for (envelope, expected) in narrowed {
        signer.envelope = envelope;
        assert_eq!(code(signer.decide(signer.leaf().encode())), expected);
    }
    // responders keep working whatever purposes are left
    signer.envelope.extended_key_usages = Some(vec![Purpose::CLIENT_AUTH]);
    assert_eq!(code(signer.decide(signer.responder().encode())), "admitted");
}

#[test]
fn so_many_certificates_a_day_are_counted_from_the_record_and_the_group() {
    // K3
    let mut signer = Signer::new();
    signer.envelope.a_day = 3;
    let digest = signer.key.public_key().digest();
    signer.record.certificate(&digest, &serial(100), NOW, NOW.plus(-2 * DAY));
    signer.record.certificate(&digest, &serial(101), NOW, NOW.plus(-DAY / 2));
    let mut group = signer.admission();
    let mut codes = Vec::new();
    for number in 20..23 {
        let fields = Fields { serial: serial(number), ..signer.leaf() };
        codes.push(code(group.certificate(&signer.in_use(), fields.encode())));
    }
    assert_eq!(codes, ["admitted", "admitted", "signer.envelope-day"]);
}

#[test]
fn the_path_length_of_a_ca_stays_within_the_envelope() {
    // K3, X5
    let signer = Signer::new();
    let child = signer.child();
    let envelope = KeyEnvelope { path_length: Some(0), ..signer.root_envelope() };
    let own = [signer.root.clone()];
    let in_use = KeyInUse {
        key: signer.root_key.public_key(),
        envelope: Some(&envelope),
        own: &own,
        above: &[],
        ..signer.in_use()
    };
    assert_eq!(code(signer.admission().certificate(&in_use, child.clone().encode())), "admitted");
    let mut deeper = child;
    deeper.put(BasicConstraints { ca: true, path_length: Some(1) }.to_extension());
    assert_eq!(
        code(signer.admission().certificate(&in_use, deeper.clone().encode())),
        "signer.envelope-path"
    );
    deeper.put(BasicConstraints { ca: true, path_length: None }.to_extension());
    assert_eq!(code(signer.admission().certificate(&in_use, deeper.encode())), "signer.envelope-path");
}

#[test]
fn ca_certificates_and_responders_take_the_scope_of_cas() {
    // K3
    let signer = Signer::new();
    assert_eq!(scope(signer.decide(signer.leaf().encode())), "leaf");
    assert_eq!(scope(signer.decide(signer.responder().encode())), "ca");
    assert_eq!(scope(signer.decide_by_root(signer.child().encode(), &[])), "ca");
    let request = encode_request(signer.own().tbs().subject(), signer.key.public_key(), &[]);
    assert_eq!(scope(signer.admission().request(&signer.in_use(), request)), "ca");
    assert_eq!(scope(signer.admission().crl(&signer.in_use(), signer.crl(1, &[], Vec::new()))), "crl");
}

#[test]
fn a_root_renews_itself_under_its_own_name_and_a_ca_below_it_does_not() {
    // K3
    let signer = Signer::new();
    let applicant = |of: &Certificate, key: &SoftKey| {
        Applicant::new(of.tbs().subject().clone(), key.public_key().clone())
    };
    let values = RequestedValues { of: Some(signer.root.clone()), ..RequestedValues::default() };
    let renewed = granted("root-ca", None, &applicant(&signer.root, &signer.root_key), values, serial(30));
    let admitted = signer.decide_by_root(renewed.as_der().to_vec(), &[]).unwrap();
    assert_eq!(admitted.scope(), Scope::Ca);
    let renamed = Fields { subject: name("CN=Other"), issuer: name("CN=Other"), ..Fields::of(&renewed) };
    assert_eq!(code(signer.decide_by_root(renamed.encode(), &[])), "signer.issuer");
    let itself = granted(
        "root-ca",
        None,
        &applicant(signer.own(), &signer.key),
        RequestedValues::default(),
        serial(31),
    );
    assert_eq!(code(signer.decide(itself.as_der().to_vec())), "signer.issuer");
}

#[test]
fn a_key_without_a_certificate_signs_one_of_itself_or_a_request_and_nothing_else() {
    // K3
    let signer = Signer::new();
    let fresh = key();
    let in_use =
        KeyInUse { key: fresh.public_key(), envelope: None, own: &[], above: &[], ..signer.in_use() };
    let applicant = Applicant::new(name("C=BE,CN=New root"), fresh.public_key().clone());
    let root = granted("root-ca", None, &applicant, RequestedValues::default(), serial(40));
    assert_eq!(code(signer.admission().certificate(&in_use, root.as_der().to_vec())), "admitted");
    assert_eq!(
        code(signer.admission().certificate(&in_use, signer.leaf().encode())),
        "signer.no-certificate"
    );
    assert_eq!(
        code(signer.admission().crl(&in_use, signer.crl(1, &[], Vec::new()))),
        "signer.no-certificate"
    );
    let request = encode_request(&name("CN=Anything"), fresh.public_key(), &[]);
    assert_eq!(code(signer.admission().request(&in_use, request)), "admitted");
}

#[test]
fn a_request_is_for_the_key_itself_and_its_name() {
    // K3
    let signer = Signer::new();
    let subject = signer.own().tbs().subject();
    let decide = |octets| code(signer.admission().request(&signer.in_use(), octets));
    assert_eq!(decide(encode_request(subject, signer.key.public_key(), &[])), "admitted");
    assert_eq!(decide(encode_request(subject, key().public_key(), &[])), "signer.request");
    assert_eq!(decide(encode_request(&name("CN=Other"), signer.key.public_key(), &[])), "signer.request");
    let ca = [BasicConstraints { ca: true, path_length: None }.to_extension()];
    assert_eq!(decide(encode_request(subject, signer.key.public_key(), &ca)), "signer.request");
    let mut trailing = encode_request(subject, signer.key.public_key(), &[]);
    trailing.push(0);
    assert_eq!(decide(trailing), "signer.malformed");
}
