//! `genfic-key export-bundle --service`: an administrator takes the key of a root from the signer to media, and the root goes
//! on in ceremonies.
use crate::custody_in_service::{line, with_root};
use crate::key_move::uri;
use crate::standing_signer::{AMBER, OWNER, Service, WORDS};
use crate::support::{Said, is_root, skipped};
use serde_json::Value;
use std::fs;

/// A service with a root, a CA below it, and a CRL.
fn with_child() -> Service {
    let service = with_root();
    let new = "key unlock users --new --profile user-ca --scope ca --scope crl --passphrase-from fd:0";
    service.done(&[
        unlock(&service, "--scope ca --scope crl"),
        service.admin(new),
        service.ca("create-child users -p example --profile user-ca --key ed25519 --ocsp=false"),
        service.ca("crl publish example"),
        service.admin("key lock"),
    ]);
    service
}

fn unlock(service: &Service, options: &str) -> String {
    service.admin(&format!("key unlock example {options} --passphrase-from fd:0"))
}

/// The line by which the administrator takes the key to these media.
fn taking(service: &Service, media: &[&str], more: &str) -> String {
    let to: String = media.iter().map(|medium| format!(" --to {medium}")).collect();
    let (home, policy) = (service.home.path("own/home"), service.home.path("policy"));
    let words = format!(
        "--home {} export-bundle example --service{to} --policy {} --passphrase-from env:WORDS --yes {more}",
        home.display(),
        policy.display()
    );
    line(service, &words)
}

/// The line by which the CA's user has it recorded.
fn recording(service: &Service, medium: &str) -> String {
    service.ca(&format!("key export-bundle example --to {medium} --json"))
}

/// Hands a medium to the CA's user, as whoever mounts it does.
fn hand_over(service: &Service, medium: &str) {
    let (from, to) = (service.home.path(&format!("amber/{medium}")), service.home.path("own/medium"));
    let copy =
        format!("rm -rf {0} && cp -r {1} {0} && chown -R {OWNER}:{OWNER} {0}", to.display(), from.display());
    service.home.shell(&copy).ok();
}

fn files(service: &Service, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(service.home.path(directory)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn is_in_signer(service: &Service) -> bool {
    service.home.path("signer/example.age").exists()
}

/// Returns whether a medium has the key and a list of its files that is true.
fn is_whole(service: &Service, medium: &str) -> bool {
    let check = format!(
        "cd amber/{medium} && grep -q spki_sha256 bundle.toml && \
         sed -n 's/^\"\\(.*\\)\" = \"\\(.*\\)\"$/\\2  \\1/p' bundle.toml | sha256sum -c --strict --quiet && test -s example.age"
    );
    service.home.shell(&check).status == 0
}

/// Has a request signed on a machine without a home, with a copy of a medium.
fn signed(service: &Service, medium: &str) -> Said {
    let made = "$(sed -n 's/^made = \"\\(.*\\)\"/\\1/p' own/r.toml)";
    service.home.shell(&format!(
        "rm -rf safe answer.* && cp -r amber/{medium} safe && chown -R root:root safe && \
         WORDS='{WORDS}' genfic-ca ceremony sign own/r.toml --keys safe -o answer.toml --yes --date {made} \
         --passphrase-from env:WORDS && rm -rf amber/{medium} && cp -r safe amber/{medium} && \
         chown -R {AMBER}:{AMBER} amber/{medium} && cp answer.toml own/ && chmod 644 own/answer.toml"
    ))
}

#[test]
fn a_root_in_the_signer_goes_to_media_signs_in_ceremonies_and_comes_back() {
    // G6, K1, K2, K3, C1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_child();
    let sealed = fs::read(service.home.path("signer/example.age")).unwrap();
    // the CA's user cannot, and is told who does
    let said = service.in_one_login(&[recording(&service, "m")]);
    assert!(said.out.contains("key.in-service"), "{}", said.all());
    assert!(said.out.contains("genfic-key export-bundle example --service --to DIR"), "{}", said.all());
    let without_word = taking(&service, &["a", "b"], "").replace("--yes", "");
    let said = service.in_one_login(&[without_word]);
    assert!(said.err.contains("will be on these media alone") && is_in_signer(&service), "{}", said.all());
    assert!(said.err.contains(" of this machine: "), "before it is confirmed: {}", said.all());
    assert!(files(&service, "amber").is_empty(), "nothing was written");
    // the administrator does
    let said = service.done(&[taking(&service, &["a", "b"], "--json")]);
    let taken: Value = serde_json::from_str(said.out.trim()).unwrap();
    assert_eq!(taken["command"], "export-bundle");
    assert!(!is_in_signer(&service));
    let of_root = files(&service, "signer").into_iter().filter(|name| name.starts_with("example"));
    assert_eq!(of_root.collect::<Vec<_>>(), ["example.mark", "example.pem"]);
    for medium in ["a", "b"] {
        assert!(is_whole(&service, medium), "{medium}");
        assert_eq!(
            files(&service, &format!("amber/{medium}")),
            [
                "README.txt",
                "bundle.toml",
                "example.age",
                "example.crl",
                "example.envelope.toml",
                "example.mark",
                "example.pem",
                "example.used",
                "policy"
            ]
        );
        assert_eq!(fs::read(service.home.path(&format!("amber/{medium}/example.age"))).unwrap(), sealed);
    }
    let used = fs::read_to_string(service.home.path("amber/a/example.used")).unwrap();
    assert_eq!(used.lines().count(), 3, "the root and the CA below it: {used}");
    // once more is told what is left to do
    let said = service.in_one_login(&[taking(&service, &["a"], "")]);
    assert!(said.err.contains("key.not-found") && said.err.contains("as the CA's user"), "{}", said.all());
    // the record follows, also for who may not read the media, and once more is one more copy
    let said = service.done(&[recording(&service, "../amber/a")]);
    let recorded: Value = serde_json::from_str(said.out.trim()).unwrap();
    assert_eq!(recorded["result"]["key_file_sha256"], taken["result"]["key_file_sha256"]);
    assert!(recorded["warnings"].to_string().contains("may not read it"), "{recorded}");
    assert_eq!(uri(&service), "offline:example.age");
    service.done(&[service.ca("audit verify"), service.ca("status")]);
    // a ceremony
    service.done(&[service.ca("ceremony request example --renew users -o r.toml")]);
    signed(&service, "a").ok();
    let said = service.done(&[service.ca("ceremony import answer.toml --json")]);
    assert!(said.out.contains("[\"users\"]"), "{}", said.all());
    service
        .home
        .run(&[
            "openssl",
            "verify",
            "-x509_strict",
            "-CAfile",
            "own/home/public/example.pem",
            "own/home/public/users.pem",
        ])
        .ok();
    // the other medium learns of it by the next one
    service.done(&[service.ca("ceremony request example -o r.toml")]);
    signed(&service, "b").ok();
    service.done(&[service.ca("ceremony import answer.toml")]);
    // a CRL by the medium that the CA's user is handed, and one that another program signed
    hand_over(&service, "b");
    let publish = service.ca("crl publish example --keys medium --passphrase-from fd:0");
    service.done(&[format!("printf '{WORDS}' | {publish}")]);
    let number = || -> u64 {
        let said = service.home.shell(&service.ca("crl show example --json")).ok().json();
        said["result"]["number"].as_u64().unwrap()
    };
    let before = number();
    // and home, and into the signer again
    service.done(&[service.ca("key import-bundle example --from medium")]);
    assert_eq!(uri(&service), "age:example.age");
    let moving = service.ca("key move example --to signer --yes");
    service.done(&[
        format!("({moving} >/dev/null 2>&1 || true)"),
        unlock(&service, "--scope move --confirm example"),
        moving,
        unlock(&service, "--scope crl --scope ca"),
        service.ca("crl publish example"),
        service.ca("renew-ca users"),
        service.ca("audit verify"),
        service.admin("key lock"),
    ]);
    assert_eq!(uri(&service), "signer:example.age");
    assert!(number() > before);
    // one that the signer has is recorded as nowhere else
    let said = service.in_one_login(&[recording(&service, "medium")]);
    assert!(said.out.contains("key.in-service"), "{}", said.all());
    fs::remove_file(service.home.path("signer/example.age")).unwrap();
    let said = service.in_one_login(&[recording(&service, "../amber/a")]);
    assert!(said.out.contains("key.not-found"), "it was lost, and did not go to media: {}", said.all());
}

#[test]
fn a_crl_that_another_program_signed_with_a_root_on_media_is_taken_in() {
    // G6, C1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_child();
    service.done(&[taking(&service, &["a"], ""), recording(&service, "../amber/a")]);
    hand_over(&service, "a");
    fs::write(service.home.path("elsewhere.cnf"), ELSEWHERE).unwrap();
    fs::write(service.home.path("index.txt"), "").unwrap();
    fs::write(service.home.path("number"), "20\n").unwrap();
    fs::write(service.home.path("phrase"), WORDS).unwrap();
    // the medium is opened without this program
    let decrypted = service.home.path("elsewhere.key");
    let sealed = fs::File::open(service.home.path("amber/a/example.age")).unwrap();
    let identity = age::scrypt::Identity::new(age::secrecy::SecretString::from(WORDS));
    let identities: [&dyn age::Identity; 1] = [&identity];
    let mut pem = String::new();
    let mut reader = age::Decryptor::new(sealed).unwrap().decrypt(identities.into_iter()).unwrap();
    std::io::Read::read_to_string(&mut reader, &mut pem).unwrap();
    fs::write(decrypted, pem).unwrap();
    service
        .home
        .shell(
            "openssl ca -config elsewhere.cnf -gencrl -keyfile elsewhere.key -cert own/home/public/example.pem \
             -out own/elsewhere.crl && chmod 644 own/elsewhere.crl",
        )
        .ok();
    let said = service.done(&[service.ca("crl import example elsewhere.crl --json")]);
    assert!(said.out.contains("\"number\":32"), "{}", said.all());
}

const ELSEWHERE: &str = "[ca]\ndefault_ca = a\n[a]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\n\
    default_crl_days = 90\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid\n";

#[test]
fn a_medium_that_is_full_or_has_another_key_and_a_crl_that_is_not_at_hand_leave_the_key_in_the_signer() {
    // G6, C1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = with_child();
    let refused = |line: String, code: &str| {
        let said = service.in_one_login(&[line]);
        assert!(said.status != 0 && said.err.contains(code), "{code}: {}", said.all());
        assert!(is_in_signer(&service), "{code}");
    };
    let other = service.home.path("amber/other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("example.age"), "age-encryption.org/v1\nanother").unwrap();
    service
        .home
        .shell(&format!(
            "chown -R {AMBER}:{AMBER} amber/other && chmod 700 amber/other && chmod 600 amber/other/*"
        ))
        .ok();
    refused(taking(&service, &["a", "other"], ""), "medium.other-key");
    refused(taking(&service, &["a", "a"], ""), "named twice");
    refused(taking(&service, &["/proc/none"], ""), "medium.not-written");
    refused(taking(&service, &["a"], "--public /nowhere"), "crl.not-published");
    // an older CRL than the signer knows of
    let older = service.home.path("older");
    fs::create_dir(&older).unwrap();
    fs::copy(service.home.path("own/home/public/example.crl"), older.join("example.crl")).unwrap();
    service.done(&[unlock(&service, "--scope crl"), service.ca("crl publish example")]);
    refused(taking(&service, &["a"], &format!("--public {}", older.display())), "crl.older");
    fs::copy(service.home.path("own/home/public/users.crl"), older.join("example.crl")).unwrap();
    refused(taking(&service, &["a"], &format!("--public {}", older.display())), "crl.signature");
    let wrong = taking(&service, &["a"], "").replace("env:WORDS", "env:OTHER");
    refused(wrong, "key.passphrase-wrong");
    refused(taking(&service, &["a"], "").replace("--service", ""), "genfic-ca key export-bundle");
    service.done(&[taking(&service, &["a"], "")]);
    assert!(!is_in_signer(&service));
}

/// Brings the key back from this medium.
fn back(service: &Service, medium: &str) {
    hand_over(service, medium);
    let moving = service.ca("key move example --to signer --yes");
    service.done(&[
        service.ca("key import-bundle example --from medium"),
        format!("({moving} >/dev/null 2>&1 || true)"),
        unlock(service, "--scope move --confirm example"),
        moving,
        unlock(service, "--scope crl"),
        service.ca("crl publish example"),
        service.admin("key lock"),
    ]);
}

/// Takes the key to media and back once, and returns the points that only that passes: of the program, and of the signer.
fn places(service: &mut Service) -> [Vec<String>; 2] {
    let own = |place: &String| {
        ["signer: ", "key: ", "medium: ", "custody: "].iter().any(|one| place.starts_with(one))
    };
    let read = |path: &std::path::Path| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let each: std::collections::BTreeSet<String> = text.lines().map(str::to_owned).filter(own).collect();
        each.into_iter().collect()
    };
    let (of_signer, of_program) = (service.home.path("signer/trace"), service.home.path("amber/trace"));
    service.restart_with(&[("GENFIC_CA_FAILPOINT_TRACE", of_signer.to_str().unwrap())]);
    let media = ["once", "twice"];
    let export = format!("export GENFIC_CA_FAILPOINT_TRACE={}", of_program.display());
    service.done(&[format!("{export}\n{}", taking(service, &media, ""))]);
    let found = [read(&of_program), read(&of_signer)];
    service.restart(None);
    service.done(&[recording(service, "../amber/once")]);
    back(service, "twice");
    found
}

#[test]
fn a_root_on_its_way_to_media_is_in_the_signer_or_whole_on_them_wherever_somebody_is_killed() {
    // X1, G6, C1
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_child();
    let [of_program, of_signer] = places(&mut service);
    for place in ["custody: key taken to media", "signer: lending noted", "key: removed where it was"] {
        assert!(of_program.iter().chain(&of_signer).any(|one| one == place), "{place}");
    }
    let places = of_program.into_iter().map(|place| (place, true));
    let places = places.chain(of_signer.into_iter().map(|place| (place, false)));
    for (number, (place, is_program)) in places.enumerate() {
        let place = place.as_str();
        let media = [format!("a{number}"), format!("b{number}")];
        let media = media.each_ref().map(String::as_str);
        service.restart((!is_program).then_some(place));
        let variable =
            if is_program { format!("export GENFIC_CA_FAILPOINT='{place}'\n") } else { String::new() };
        let taken = taking(&service, &media, "");
        let said = service.in_one_login(&[format!("{variable}{taken}")]);
        assert_ne!(said.status, 0, "not killed at {place}: {}", said.all());
        service.restart(None);
        let is_on_media = media.iter().all(|medium| is_whole(&service, medium));
        assert!(is_in_signer(&service) || is_on_media, "{place}: nowhere");
        if is_in_signer(&service) {
            // it is used there still, and the same command goes on
            service.done(&[
                unlock(&service, "--scope crl"),
                service.ca("crl publish example"),
                service.admin("key lock"),
            ]);
            service.done(&[taken]);
        }
        assert!(!is_in_signer(&service), "{place}");
        for medium in media {
            assert!(is_whole(&service, medium), "{place}: {medium}");
        }
        service.done(&[recording(&service, &format!("../amber/{}", media[0]))]);
        assert_eq!(uri(&service), "offline:example.age", "{place}");
        back(&service, media[1]);
        assert_eq!(uri(&service), "signer:example.age", "{place}");
    }
    service.done(&[service.ca("audit verify")]);
}

#[test]
fn the_record_of_a_root_that_went_to_media_follows_wherever_the_command_is_killed() {
    // X1, G6
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    for place in ["key: mark of the service kept", "key: recorded as offline"] {
        let service = with_child();
        service.done(&[taking(&service, &["a"], "")]);
        let said = service.in_one_login(&[format!(
            "export GENFIC_CA_FAILPOINT='{place}'\n{}",
            recording(&service, "../amber/a")
        )]);
        assert_ne!(said.status, 0, "not killed at {place}: {}", said.all());
        if uri(&service) == "signer:example.age" {
            service.done(&[recording(&service, "../amber/a")]);
        }
        assert_eq!(uri(&service), "offline:example.age", "{place}");
        let mark = fs::read_to_string(service.home.path("own/home/keys/example.mark")).unwrap();
        let of_signer = fs::read_to_string(service.home.path("signer/example.mark")).unwrap();
        assert_eq!(mark, of_signer, "{place}");
        service.done(&[service.ca("ceremony request example -o r.toml")]);
    }
}
