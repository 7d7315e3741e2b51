//! Configuration and profiles with every kind of mistake: the message names file, line and key, and all mistakes
//! of a file at once.
use crate::support::Home;
use crate::{ca, on_record, refused};
use genfic_ca::config::{self, Config};
use genfic_ca::profile::{Profile, SHIPPED};
use std::collections::BTreeSet;
use std::fs;

/// Each key of the commented template, with its section and its default.
fn keys() -> Vec<(String, String, String)> {
    let (mut section, mut keys) = (String::new(), Vec::new());
    for line in config::template(None, None, None, None, None).lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, value)) = line.split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            keys.push((section.clone(), key.to_owned(), value.split(" #").next().unwrap().trim().to_owned()));
        }
    }
    keys
}

fn mistakes(text: &str) -> Vec<(Option<usize>, String)> {
    let mistakes = Config::parse(text).err().unwrap_or_default();
    mistakes.into_iter().map(|error| (error.0.line, error.0.key)).collect()
}

#[test]
fn each_key_of_the_configuration_refuses_each_wrong_type_with_its_line() {
    let keys = keys();
    assert!(keys.len() > 25, "{keys:?}");
    for (section, key, default) in &keys {
        let full = format!("{section}.{key}");
        let text = |value: &str| format!("\n[{section}]\n{key} = {value}\n");
        assert_eq!(mistakes(&text(default)), [], "{full}: the default {default}");
        for value in ["1979-05-27", "[[1]]", "{ a = 1 }", "[1, 2]"] {
            let found = mistakes(&text(value));
            assert!(!found.is_empty(), "{full} = {value} is taken");
            assert!(
                found.iter().all(|one| one.0 == Some(3) && one.1.starts_with(&full)),
                "{full} = {value}: {found:?}"
            );
        }
        let refuses = |value: &str| mistakes(&text(value)) == [(Some(3), full.clone())];
        let is_text = default.starts_with('"') || default.starts_with('[');
        let others: &[&str] = if is_text { &["7", "true", "1.5"] } else { &["\"x\"", "1979-05-27"] };
        for value in others {
            assert!(refuses(value), "{full} = {value}: {:?}", mistakes(&text(value)));
        }
        if default.parse::<i64>().is_ok() {
            for value in ["-1", "9223372036854775807", "1.5", "true", "9223372036854775808"] {
                assert!(refuses(value), "{full} = {value}: {:?}", mistakes(&text(value)));
            }
        }
        // misspelt, and twice
        assert_eq!(mistakes(&format!("[{section}]\n{key}x = 1\n")), [(Some(2), format!("{full}x"))]);
        let twice = mistakes(&format!("[{section}]\n{key} = {default}\n{key} = {default}\n"));
        assert!(twice.iter().any(|one| one.0 == Some(3)), "{full} twice: {twice:?}");
    }
}

#[test]
fn each_key_of_each_shipped_profile_refuses_each_wrong_type_with_its_line() {
    let mut seen = BTreeSet::new();
    for (file, text) in SHIPPED.iter().filter(|row| row.0.contains(".toml")) {
        Profile::parse("p", text).unwrap();
        for (at, line) in text.lines().enumerate() {
            let Some((key, _)) = line.split_once(" = ").filter(|(key, _)| !key.starts_with('#')) else {
                continue;
            };
            seen.insert(key.trim().to_owned());
            for value in ["1979-05-27", "[[1]]", "inf"] {
                let wrong: Vec<String> = text
                    .lines()
                    .enumerate()
                    .map(|(n, old)| if n == at { format!("{key} = {value}") } else { old.to_owned() })
                    .collect();
                let errors = Profile::parse("p", &wrong.join("\n")).unwrap_err();
                let there = errors.iter().any(|error| {
                    error.mistake.line == Some(at + 1) && error.mistake.key.ends_with(key.trim())
                });
                assert!(there, "{file}: {key} = {value}: {errors:?}");
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn texts_that_are_no_toml_or_too_deep_are_refused_and_not_choked_on() {
    let deep = |open: &str, close: &str, times: usize| {
        format!("a = {}1{}\n", open.repeat(times), close.repeat(times))
    };
    let dotted = format!("{} = 1\n", vec!["a"; 50_000].join("."));
    let header = format!("[{}]\n", vec!["a"; 50_000].join("."));
    for text in [
        deep("[", "]", 100_000),
        deep("{ a = ", " }", 50_000),
        "[".repeat(200_000),
        "a = [".repeat(100_000),
        dotted,
        header,
        "\0".into(),
        "a = \"\0\"\n".into(),
        "a = \"\\u0000\"\n".into(),
        "[keys]\r\nroot = 'x'\r\n[keys]\r\n".into(),
        "= 1\n".into(),
        "\u{feff}\u{feff}[keys]\n".into(),
    ] {
        assert!(Config::parse(&text).is_err(), "{:.40}", text);
        assert!(Profile::parse("p", &text).is_err(), "{:.40}", text);
    }
    assert_eq!(Config::parse("\u{feff}[keys]\r\nscrypt_log_n = 12\r\n").unwrap().keys.scrypt_log_n, 12);
    // as many mistakes as lines: each with its own
    let many: String = (0..20_000).map(|n| format!("k{n} = 1\n")).collect();
    let found = mistakes(&many);
    assert_eq!((found.len(), found[0].0, found[19_999].0), (20_000, Some(1), Some(20_000)));
}

#[test]
fn all_mistakes_of_a_file_are_said_at_once_with_file_line_and_key() {
    let home = Home::new();
    let config = home.path("home/genfic-ca.toml");
    let good = fs::read(&config).unwrap();
    let before = on_record(&home);
    fs::write(
        &config,
        "[keys]\nscrypt_log_n = 99\nroot = 'dsa'\n[crl]\nnext_updat = '1d'\n[ocsp]\nnonce = 3\n",
    )
    .unwrap();
    let said = ca(&home, &["status"]);
    refused(&said, 1, "config.invalid", "four mistakes");
    for part in [
        "home/genfic-ca.toml: ",
        "line 2: keys.scrypt_log_n: ",
        "line 3: keys.root: ",
        "line 5: crl.next_updat: ",
        "line 7: ocsp.nonce: ",
    ] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    for (what, octets, says) in [
        ("not UTF-8", &b"[keys]\n# caf\xe9\n"[..], "genfic-ca.toml: line 2: not UTF-8 text"),
        ("a NUL", b"[keys]\nroot = 'p2\x0056'\n", "line 2"),
        ("UTF-16", b"\xff\xfe[\0k\0", "line 1: not UTF-8 text"),
        ("cut in a value", b"[keys]\nroot = 'p2", "line 2"),
    ] {
        fs::write(&config, octets).unwrap();
        let said = ca(&home, &["status"]);
        refused(&said, 1, "config.invalid", what);
        assert!(said.err.contains(says), "{what}: {}", said.err);
    }
    for harmless in [&b""[..], b"\xef\xbb\xbf# BOM\r\n[keys]\r\n", b"\n\n\n"] {
        fs::write(&config, harmless).unwrap();
        ca(&home, &["status"]).ok();
    }
    fs::write(&config, good).unwrap();
    assert_eq!(on_record(&home), before);
}

/// What only those are told who are to be told by these commands: they need no profile.
const WITHOUT_PROFILES: [&[&str]; 13] = [
    &["status"],
    &["list"],
    &["authorities", "--tree"],
    &["show", "genfic-system"],
    &["hold", "a.example"],
    &["release", "a.example"],
    &["crl", "publish", "--all"],
    &["ocsp", "sync"],
    &["audit", "verify"],
    &["calendar"],
    &["export", "index-txt", "genfic-system"],
    &["ocsp", "responder", "genfic-user"],
    &["renew", "b.example"],
];

#[test]
fn mistakes_in_profiles_are_said_for_all_of_them_with_file_line_and_key_and_stop_what_is_issued_under_them() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "new.example"]).ok();
    let path = |name: &str| home.path(&format!("home/policy/{name}.toml"));
    let good = fs::read_to_string(path("system")).unwrap();
    let sign =
        |profile: &str| ca(&home, &["sign", "new.example.req", "-p", "genfic-system", "--profile", profile]);
    fs::write(path("system"), good.replacen("kind = \"end-entity\"", "kind = \"server\"", 1)).unwrap();
    fs::write(path("mine"), "kind = 'end-entity'\nissuer = ['x']\n[validity]\ndays = 'long'\n").unwrap();
    let said = ca(&home, &["status"]).ok();
    let line = 1 + good.lines().position(|line| line.starts_with("kind = ")).unwrap();
    let kind = format!("home/policy/system.toml: line {line}: kind: ");
    let days = "home/policy/mine.toml: line 4: validity.days: ";
    for part in [&kind, "home/policy/mine.toml: line 2: issuer: ", days] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    for (profile, part) in [("system", kind.as_str()), ("mine", days)] {
        let said = sign(profile);
        refused(&said, 1, "policy.invalid-profile", profile);
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    fs::write(path("system"), &good).unwrap();
    fs::write(path("mine"), good.replacen("issuers = [", "issuers = [\"nobody-ca\", ", 1)).unwrap();
    let said = sign("mine");
    refused(&said, 1, "policy.invalid-profile", "an issuer that is not there");
    let part = "home/policy/mine.toml: issuers: there is no CA profile `nobody-ca`";
    assert!(said.err.contains(part), "{}", said.err);
    fs::write(path("mine"), b"kind = 'end-entity'\n# \xff\n").unwrap();
    let said = sign("mine");
    refused(&said, 1, "config.invalid", "not UTF-8");
    assert!(said.err.contains("home/policy/mine.toml: line 2: not UTF-8"), "{}", said.err);
    let said = sign("system").ok();
    assert!(said.err.contains("home/policy/mine.toml: line 2: not UTF-8"), "{}", said.err);
    fs::remove_file(path("mine")).unwrap();
    fs::write(home.path("home/genfic-ca.toml"), "[keys]\ncompromised_spki_sha256_file = 'bad-keys'\n")
        .unwrap();
    let said = ca(&home, &["status"]);
    refused(&said, 5, "file.read", "no list of compromised keys");
    fs::write(home.path("home/bad-keys"), "# list\nabc\n").unwrap();
    let said = ca(&home, &["status"]);
    refused(&said, 1, "config.invalid", "a broken list of compromised keys");
    assert!(said.err.contains("bad-keys: line 2: "), "{}", said.err);
}

#[test]
fn whatever_a_profile_says_it_holds_up_nothing_but_what_is_issued_under_it() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["a.example", "b.example"] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    for (number, make) in [
        "echo 'kind = \"server\"' >$p",
        "printf '\\377\\376' >$p",
        "echo '= [' >$p",
        "dd if=/dev/zero of=$p bs=1M count=2 status=none",
        "sed 's/^issuers.*/issuers = [\"nobody\"]/' home/policy/system.toml >$p",
    ]
    .into_iter()
    .enumerate()
    {
        home.shell(&format!("p=home/policy/draft.toml; rm -rf $p; {make}")).ok();
        for words in WITHOUT_PROFILES {
            let said = ca(&home, words);
            assert_eq!(said.status, 0, "{make}: {words:?}: {}", said.all());
            let is_told = words[0] == "show" || said.err.contains("policy/draft.toml");
            assert!(is_told, "{make}: {words:?}: {}", said.all());
        }
        let backup = format!("backup-{number}.age");
        ca(&home, &["backup", "create", &backup]).ok();
        let said = ca(&home, &["sign", "a.example.req", "-p", "genfic-system", "--profile", "draft"]);
        let expected = ["policy.invalid-profile", "config.invalid", "file.read"];
        assert!(expected.iter().any(|code| said.err.contains(code)), "{make}: {}", said.all());
        assert!(said.err.contains("policy/draft.toml"), "{make}: {}", said.all());
    }
    home.shell("rm -rf home/policy/draft.toml; mv home/policy aside").ok();
    for words in WITHOUT_PROFILES.iter().take(11) {
        ca(&home, words).ok();
    }
    let said = ca(&home, &["sign", "a.example.req", "-p", "genfic-system", "--profile", "system"]);
    refused(&said, 5, "file.read", "no profiles");
}

#[test]
fn a_configuration_with_a_mistake_keeps_nobody_from_revoking() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["a", "b", "c", "d", "e"] {
        home.ca(&["create-request", &format!("{name}.example"), "--sign", "-p", "genfic-system"]).ok();
    }
    let config = home.path("home/genfic-ca.toml");
    let good = fs::read_to_string(&config).unwrap();
    for (name, text) in [
        ("a", format!("{good}\n[crl\n")),
        ("b", good.replacen("[crl]", "[crl]\nnext_update = 'soon'\nlasts = 3", 1)),
        ("c", good.replacen("[keys]", "[keys]\ncompromised_spki_sha256_file = 'nowhere'", 1)),
        ("d", "\u{0}".into()),
    ] {
        fs::write(&config, text).unwrap();
        let said = ca(&home, &["revoke", &format!("{name}.example"), "--reason", "key-compromise"]).ok();
        assert!(said.err.contains("warning: ") && said.out.contains("crl      number"), "{}", said.all());
        ca(&home, &["crl", "publish", "--all"]).ok();
        ca(&home, &["ocsp", "sync"]).ok();
        let said = ca(&home, &["sign", "e.example.req", "-p", "genfic-system"]);
        assert!([1, 5].contains(&said.status), "what issues needs it: {}", said.all());
    }
    fs::write(&config, good).unwrap();
    assert_eq!(home.result(&["list", "--status", "revoked"])["certificates"].as_array().unwrap().len(), 4);
}
