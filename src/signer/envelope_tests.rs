use super::*;
use crate::testing::{CertificateBuilder, NOW, TestKey};
use crate::x509::Name;
use proptest::prelude::*;

fn certificate(path_length: Option<u8>, constraints: Option<NameConstraints>) -> Certificate {
    let mut extensions = vec![BasicConstraints { ca: true, path_length }.to_extension()];
    extensions.extend(constraints.map(|constraints| constraints.to_extension()));
    let key = TestKey::p256();
    CertificateBuilder::new(&Name::parse("CN=CA").unwrap(), key.public_key())
        .named_by(&Name::parse("CN=Above").unwrap())
        .valid(NOW, NOW.plus_days(100).plus(-1))
        .with(extensions)
        .unsigned()
}

fn subtree() -> impl Strategy<Value = Subtree> {
    prop_oneof![
        "[a-z]{1,9}\\.example".prop_map(|name| format!("dns:{name}")),
        "[a-z]{1,9}\\.example".prop_map(|name| format!("email:{name}")),
        (0u8..=255).prop_map(|octet| format!("ip:10.{octet}.0.0/16")),
        "[A-Za-z\" ,=\\\\]{1,9}x".prop_map(|_| "dir:C=BE,O=Genfic".to_owned()),
    ]
    .prop_map(|text| text.parse().unwrap())
}

fn envelope() -> impl Strategy<Value = KeyEnvelope> {
    let purposes = prop::collection::vec(
        prop_oneof![Just(Purpose::SERVER_AUTH), Just(Purpose::CLIENT_AUTH), Just("1.2.3.4".parse().unwrap())],
        1..4,
    );
    (
        "[a-z\"\\\\ é\u{1}-]{1,12}",
        prop::option::of(prop::option::of(any::<u8>())),
        prop::option::of(purposes),
        (1..=KeyEnvelope::MOST_DAYS, 1..=KeyEnvelope::MOST_DAYS, 1..=KeyEnvelope::MOST_DAYS),
        prop::option::of(prop::collection::vec(subtree(), 1..4)),
        prop::option::of(prop::collection::vec("http://[a-z]{1,9}\\.example/".prop_map(String::from), 1..4)),
        0..=i64::MAX,
    )
        .prop_map(|(profile, cas, extended_key_usages, days, permitted, urls, a_day)| {
            let (longest_days, longest_crl_days, timer_crl_days) = days;
            KeyEnvelope {
                profile,
                issues_cas: cas.is_some(),
                path_length: cas.flatten(),
                extended_key_usages,
                longest_days,
                longest_crl_days,
                timer_crl_days,
                permitted,
                urls,
                a_day: u64::try_from(a_day).unwrap(),
            }
        })
}

proptest! {
    #[test]
    fn an_envelope_is_read_as_it_was_written(envelope in envelope()) {
        prop_assert_eq!(KeyEnvelope::parse(&envelope.to_toml("genfic")).unwrap(), envelope.clone());
        prop_assert_eq!(envelope.with(&[]).unwrap(), envelope.clone());
        prop_assert!(envelope.is_within(&envelope));
    }

    #[test]
    fn garbled_text_does_no_harm(text in "\\PC{0,200}") {
        let _ = KeyEnvelope::parse(&text);
    }

    #[test]
    fn a_key_that_is_not_known_is_refused(envelope in envelope(), key in "[a-z_]{1,12}") {
        let known = ["profile", "certifies_cas", "path_length", "extended_key_usage", "longest_days",
            "longest_crl_days", "timer_crl_days", "permitted", "urls", "certificates_a_day"];
        prop_assume!(!known.contains(&key.as_str()));
        let text = format!("{}{key} = 1\n", envelope.to_toml("genfic"));
        prop_assert!(KeyEnvelope::parse(&text).is_err());
        prop_assert!(envelope.with(&[(key, "1".into())]).is_err());
    }
}

#[test]
fn an_envelope_is_made_of_the_certificate_and_the_profile_of_its_ca() {
    // K3
    let profile = Profile::parse("system-ca", include_str!("../../policy/system-ca.toml")).unwrap();
    let leaf_ca = KeyEnvelope::made_for(&certificate(Some(0), None), "system-ca", Some(&profile));
    assert_eq!((leaf_ca.issues_cas, leaf_ca.path_length), (false, None));
    assert_eq!((leaf_ca.profile.as_str(), leaf_ca.longest_days), ("system-ca", 7305));
    assert_eq!((leaf_ca.extended_key_usages, leaf_ca.permitted), (None, None));
    let above = KeyEnvelope::made_for(&certificate(Some(2), None), "root-ca", None);
    assert_eq!((above.issues_cas, above.path_length, above.longest_days), (true, Some(1), 100));
    let root = KeyEnvelope::made_for(&certificate(None, None), "root-ca", None);
    assert_eq!((root.issues_cas, root.path_length), (true, None));
    let permitted: Vec<Subtree> = vec!["dns:genfic.example".parse().unwrap()];
    let constraints = NameConstraints { permitted: permitted.clone(), excluded: Vec::new() };
    let constrained = KeyEnvelope::made_for(&certificate(Some(0), Some(constraints)), "system-ca", None);
    assert_eq!(constrained.permitted, Some(permitted));
    assert!(constrained.is_within(&KeyEnvelope { permitted: None, ..constrained.clone() }));
}

#[test]
fn what_is_set_is_written_as_in_the_file_and_narrower_is_told_from_wider() {
    // K3
    let made = KeyEnvelope::made_for(&certificate(None, None), "root-ca", None);
    let set = |key: &str, value: &str| made.with(&[(key.to_owned(), value.to_owned())]);
    let narrower = set("longest_days", "10").unwrap();
    assert!(narrower.longest_days == 10 && narrower.is_within(&made) && !made.is_within(&narrower));
    for (key, value) in [
        ("path_length", "0"),
        ("certifies_cas", "false"),
        ("extended_key_usage", "[\"serverAuth\"]"),
        ("permitted", "[\"dns:genfic.example\"]"),
        ("certificates_a_day", "1"),
        ("longest_crl_days", "1"),
        ("timer_crl_days", "1"),
        ("urls", "http://pki.genfic.example/, http://b.example/"),
    ] {
        let narrower = set(key, value).unwrap();
        assert!(narrower.is_within(&made) && !made.is_within(&narrower), "{key}");
        let again = narrower.with(&[(key.to_owned(), "any".into())]);
        assert!(again.is_err() || again.unwrap() == made || key == "timer_crl_days", "{key}");
    }
    for (key, value) in [
        ("longest_days", "0"),
        ("longest_days", "\"x\""),
        ("path_length", "256"),
        ("extended_key_usage", "[]"),
        ("permitted", "[\"nonsense:\"]"),
        ("certificates_a_day", "-1"),
        ("profile", "\"\""),
        ("timer_crl_days", "0"),
        ("urls", "http://pki.genfic.example"),
        ("longest_days", "any"),
        ("a\nb", "1"),
    ] {
        assert!(set(key, value).is_err(), "{key} = {value}");
    }
}

#[test]
fn an_envelope_from_before_there_were_bounds_for_timers_and_urls_has_the_usual_one_and_none() {
    // K3
    let text = |days: i64| {
        format!(
            "profile = 'root-ca'\ncertifies_cas = true\nlongest_days = 9\nlongest_crl_days = {days}\ncertificates_a_day = 9\n"
        )
    };
    let read = |days| KeyEnvelope::parse(&text(days)).unwrap();
    assert_eq!([read(800), read(7)].map(|one| (one.timer_crl_days, one.urls)), [(35, None), (7, None)]);
    let urls = ["http://pki.example/".to_owned()];
    let pinned = read(7).pinned_to(&urls);
    assert!(pinned.is_within(&read(7)) && !read(7).is_within(&pinned) && read(7).pinned_to(&[]) == read(7));
    assert_eq!(pinned.clone().pinned_to(&["http://other.example/".into()]), pinned);
}
