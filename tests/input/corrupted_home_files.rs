//! Files of the home that are where they belong, and have something else in them.
use crate::ca;
use crate::support::Home;
use std::fs;
use std::path::PathBuf;

/// Below `home/`; `*` stands for what is counted.
const FILES: [&str; 17] = [
    "public/genfic-system.crl",
    "public/genfic-system.crl.pem",
    "public/genfic-system.pem",
    "public/genfic-system.crt",
    "public/genfic-system.chain.pem",
    "keys/genfic-system.mark",
    "ocsp/genfic-system/responder.pem",
    "ocsp/genfic-system/responder.key",
    "status/manifest.json",
    "status/authorities-*.json",
    "status/base-*.status",
    "status/delta-*.status",
    "status/.lock",
    "home.lock",
    "index.db-signing",
    "reserve",
    "issued/genfic-system/*.pem",
];

fn find(home: &Home, pattern: &str) -> Option<PathBuf> {
    let path = home.path("home").join(pattern);
    let name = path.file_name()?.to_str()?;
    let Some((start, end)) = name.split_once('*') else { return path.exists().then_some(path) };
    let entries = fs::read_dir(path.parent()?).ok()?.flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
            && path.to_string_lossy().ends_with(end)
    })
}

fn instead(whole: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut changed = whole.to_vec();
    let middle = changed.len() / 2;
    if let Some(octet) = changed.get_mut(middle) {
        *octet ^= 1;
    }
    vec![
        ("nothing", Vec::new()),
        ("a NUL", vec![0]),
        ("five megabytes of NULs", vec![0; 5 << 20]),
        ("text", b"nothing of the kind\n".to_vec()),
        ("a huge number", vec![b'9'; 5000]),
        ("a negative number", b"-1\n".to_vec()),
        ("its first half", whole[..whole.len() / 2].to_vec()),
        ("itself twice", whole.repeat(2)),
        ("one octet changed", changed),
    ]
}

fn crl_number(home: &Home) -> u64 {
    let shown = home.result(&["crl", "show", "genfic-system"]);
    shown["number"].as_u64().unwrap_or_else(|| panic!("{shown}"))
}

#[test]
fn whatever_is_in_a_file_of_the_home_a_revocation_is_recorded_and_no_crl_number_is_used_twice() {
    // C1, C3
    let good = Home::with_hierarchy("http://pki.genfic.example");
    for name in ["one.example", "two.example"] {
        good.ca(&["create-request", name, "--sign", "-p", "genfic-system"]).ok();
    }
    good.ca(&["revoke", "two.example"]).ok();
    let before = crl_number(&good);
    let mut tried = 0;
    for pattern in FILES {
        let whole = fs::read(find(&good, pattern).unwrap_or_else(|| panic!("no {pattern}"))).unwrap();
        for (what, octets) in instead(&whole) {
            let home = good.copied();
            let path = find(&home, pattern).unwrap();
            fs::write(&path, &octets).unwrap();
            let what = format!("{what} in {pattern}");
            let mut said = vec![ca(&home, &["revoke", "one.example"])];
            said.push(ca(&home, &["status"]));
            said.push(ca(&home, &["crl", "publish", "genfic-system"]));
            for said in &said {
                let told = match said.status {
                    0 => true,
                    12 => said.out.contains("\nto do\n"),
                    _ => said.err.trim_end().ends_with(')'),
                };
                assert!(told && [0, 1, 12, 13].contains(&said.status), "{what}: {}", said.all());
                for never in ["panicked", "os error"] {
                    assert!(!said.all().contains(never), "{what}: {}", said.all());
                }
            }
            let revoked = home.result(&["list", "--status", "revoked"]);
            assert_eq!(revoked["certificates"].as_array().unwrap().len(), 2, "{what}: {revoked}");
            home.ca(&["audit", "verify"]).ok();
            if said.last().unwrap().status != 0 {
                let err = &said.last().unwrap().err;
                assert!(
                    err.contains(path.to_str().unwrap()) && err.contains("move the file away"),
                    "{what}: {err}"
                );
                fs::rename(&path, home.path("aside")).unwrap();
                home.ca(&["crl", "publish", "genfic-system"]).ok();
            }
            let after = crl_number(&home);
            // a higher number that is noted may have been used
            let is_noted = pattern.ends_with(".mark") && octets.iter().all(u8::is_ascii_digit);
            assert!(after > before && (after < before + 10 || is_noted), "{what}: {before}, {after}");
            home.ca(&["crl", "check", "genfic-system"]).ok();
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}
