//! Tests of the shipped profiles as files, and of mistakes in other profiles.
use super::*;

#[test]
fn every_shipped_profile_is_read_without_mistake() {
    let texts: Vec<(&str, &str)> = SHIPPED
        .iter()
        .filter_map(|(file, text)| {
            let name = file.strip_suffix(".toml").or_else(|| file.strip_suffix(".toml.example"))?;
            Some((name, *text))
        })
        .collect();
    assert_eq!(texts.len(), 11);
    let all = Profiles::parse(texts).unwrap();
    assert!(all.iter().all(|profile| !profile.description().is_empty()));
    assert_eq!(all.get("user-ca").unwrap().default_leaf_profile(), Some("user"));
    assert_eq!(all.get("system-ca").unwrap().default_leaf_profile(), Some("system"));
    let enabled = SHIPPED.iter().filter_map(|(file, text)| Some((file.strip_suffix(".toml")?, *text)));
    assert_eq!(Profiles::parse(enabled).unwrap().iter().count(), 7);
}

#[test]
fn every_file_in_the_policy_directory_is_shipped() {
    let mut files: Vec<String> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/policy"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".toml"))
        .collect();
    files.sort();
    let mut known: Vec<&str> =
        SHIPPED.iter().map(|row| row.0).filter(|name| name.contains(".toml")).collect();
    known.sort_unstable();
    assert_eq!(files, known);
}

#[test]
fn every_key_of_the_shipped_profiles_is_documented() {
    let readme = SHIPPED[0].1;
    for (file, text) in SHIPPED.iter().skip(1) {
        for line in text.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')) {
            let key = line.split(" = ").next().unwrap();
            assert!(readme.contains(&format!("`{key}`")), "{file}: {key}");
        }
    }
}

#[test]
fn mistakes_in_a_profile_are_told_with_line_and_key() {
    let text = shipped_text("user").replace("days = 396", "days = 0").replace("kinds =", "kind =");
    let errors = Profile::parse("user", &text).unwrap_err();
    let messages: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("names.kind: is not known here"), "{messages:?}");
    assert!(messages[1].contains("validity.days: must be from 1"), "{messages:?}");
}

#[test]
fn each_kind_takes_its_own_keys_only() {
    for (base, addition) in [
        ("root-ca", "issuers = ['root-ca']"),
        ("root-ca", "revocation = 'crl'"),
        ("user-ca", "revocation = 'none'"),
        ("user-ca", "revocation = 'sometimes'"),
        ("user-ca", "key_usage = ['digitalSignature']"),
        ("user-ca", "issuers = ['*']"),
        ("user-ca", "issuers = []"),
        ("user-ca", "issuers = ['a b']"),
        ("user", "issuers = ['*']"),
        ("ocsp-responder", "revocation = 'crl'"),
        ("ocsp-responder", "extended_key_usage = ['clientAuth']"),
    ] {
        let key = addition.split(' ').next().unwrap();
        let text = shipped_text(base);
        let without: String =
            text.lines().filter(|line| !line.starts_with(key)).map(|l| format!("{l}\n")).collect();
        let text = format!("{addition}\n{without}");
        let errors = Profile::parse(base, &text).unwrap_err();
        assert_eq!(errors.len(), 1, "{base}: {addition}: {errors:?}");
        assert_eq!(errors[0].mistake.key, key);
    }
    let leaf_with_ca = format!("{}[ca]\npath_length = 0\n", shipped_text("user"));
    assert_eq!(Profile::parse("user", &leaf_with_ca).unwrap_err()[0].mistake.key, "ca");
    assert!(Profile::parse("x", "kind = 'end-entity'").is_err());
}
