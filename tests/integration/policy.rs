//! `policy/README.md` documents every key of a profile and no others.
use genfic_ca::profile::{Profile, SHIPPED};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Section and key of every row of the README's tables of keys; rows may have several keys.
fn documented() -> Vec<(String, String)> {
    let readme = fs::read_to_string(Path::new(ROOT).join("policy/README.md")).unwrap();
    let mut section = String::new();
    let mut keys = Vec::new();
    for line in readme.split_once("## Keys").unwrap().1.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            section = heading.split('`').nth(1).unwrap_or("").trim_matches(['[', ']']).to_owned();
        } else if line.starts_with("`[subject.attributes]`") {
            section = "subject.attributes.CN".into();
        } else if line.starts_with("| `") {
            let cell = line.split('|').nth(1).unwrap();
            keys.extend(cell.split('`').skip(1).step_by(2).map(|key| (section.clone(), key.to_owned())));
        }
    }
    keys
}

/// Whether a profile of some kind knows the key; its value here is of no type that any key takes.
fn is_known(section: &str, key: &str) -> bool {
    ["root-ca", "ca", "end-entity", "ocsp-responder"].iter().any(|kind| {
        let (top, table) = if section.is_empty() {
            (format!("{key} = 1979-05-27\n"), String::new())
        } else {
            (String::new(), format!("[{section}]\n{key} = 1979-05-27\n"))
        };
        let kind = if key == "kind" { String::new() } else { format!("kind = '{kind}'\n") };
        let mistakes = Profile::parse("p", &format!("{kind}{top}{table}")).unwrap_err();
        let full = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
        let about: Vec<String> = mistakes
            .iter()
            .map(|error| &error.mistake)
            .filter(|mistake| mistake.key == full || mistake.key == section)
            .map(|mistake| mistake.message.clone())
            .collect();
        !about.is_empty() && !about.iter().any(|message| message.contains("not known"))
    })
}

#[test]
fn every_key_that_the_policy_readme_documents_exists() {
    let keys = documented();
    assert!(keys.len() > 30, "{keys:?}");
    let unknown: Vec<_> = keys.iter().filter(|(section, key)| !is_known(section, key)).collect();
    assert!(unknown.is_empty(), "documented and not there: {unknown:?}");
    assert!(!is_known("names", "kind") && !is_known("", "kinds") && !is_known("ca", "days"));
}

#[test]
fn every_key_that_profiles_are_read_for_is_documented() {
    let documented: BTreeSet<String> = documented().into_iter().map(|row| row.1).collect();
    let reads = ["get", "get_as", "require_as", "list_as", "require_list_as"];
    let mut asked = BTreeSet::new();
    for entry in fs::read_dir(Path::new(ROOT).join("src/profile")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() || path.ends_with("testing.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code: String =
            text.split("#[cfg(test)]\nmod tests {").next().unwrap().split_whitespace().collect();
        for call in reads.iter().map(|name| format!(".{name}(\"")).chain(["subtrees(section,\"".into()]) {
            asked.extend(code.split(&call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
        }
    }
    assert!(asked.len() > 30, "{asked:?}");
    let silent: Vec<&String> = asked.difference(&documented).collect();
    assert!(silent.is_empty(), "read and not documented: {silent:?}");
}

#[test]
fn the_policy_readme_lists_every_shipped_profile() {
    let readme = SHIPPED[0].1;
    for (file, _) in &SHIPPED[1..] {
        assert!(readme.contains(&format!("| `{file}` |")), "{file}");
    }
}

#[test]
fn the_certificate_policy_says_what_the_shipped_profiles_do() {
    let policy = fs::read_to_string(Path::new(ROOT).join("policy/certificate-policy.md")).unwrap();
    for (file, text) in &SHIPPED[1..] {
        let Some(name) = file.strip_suffix(".toml") else { continue };
        let row = policy
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")))
            .unwrap_or_else(|| panic!("no row for {name}"));
        for key in ["days", "max_days"] {
            let line = text.lines().find_map(|line| line.strip_prefix(&format!("{key} = ")));
            let Some(value) = line.map(|line| line.split('#').next().unwrap().trim()) else { continue };
            assert!(row.contains(value), "{name}: {key} = {value}: {row}");
        }
    }
}
