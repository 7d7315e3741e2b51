//! `key move`: a key goes into the signer that listens and comes back, with what it signed; an administrator allows both.
use crate::standing_signer::{AMBER, OWNER, Service, login};
use crate::support::{PASSPHRASE, is_root, skipped};
use serde_json::Value;
use std::fs;

/// The line by which the administrator unlocks the key with the passphrase that it has in the home.
fn unlock(service: &Service, options: &str) -> String {
    service.admin_with(PASSPHRASE, &format!("key unlock example {options} --passphrase-from fd:0"))
}

/// Lines that make a home with a CA whose key is in it, two certificates of which one is revoked, and then a signer.
pub(crate) fn home_with_key(service: &Service) -> Vec<String> {
    let ca = |words: &str| service.ca(words);
    let config = service.home.path("own/home/genfic-ca.toml");
    let (config, socket) = (config.display(), service.home.path("sockets/ca.socket"));
    vec![
        ca("init --org Example --country BE --url http://pki.example"),
        format!("sed -i 's|^#* *scrypt_log_n.*|scrypt_log_n = 10|' {config}"),
        ca("create-root example --key ed25519 --ocsp=false"),
        ca("create-request a.example"),
        ca("create-request b.example"),
        ca("create-child example-system -p example --key ed25519 --ocsp=false"),
        ca("create-child example-user -p example --profile user-ca --key ed25519 --ocsp=false"),
        ca("revoke-ca example-user --yes"),
        format!("sed -i 's|^\\[keys\\]|[keys]\\nsigner_socket = \"{}\"|' {config}", socket.display()),
    ]
}

/// The lines of moving a key to the signer, or back, with the administrator's leave.
pub(crate) fn moving(service: &Service, to: &str) -> [String; 2] {
    let line = service.ca(&format!("key move example --to {to} --yes"));
    // what it asks for is refused, and shown to the administrator
    let asking = if to == "signer" { format!("({line} >/dev/null 2>&1 || true)\n") } else { String::new() };
    [format!("{asking}{}", unlock(service, "--scope move --confirm example")), line]
}

pub(crate) fn unlock_for_all(service: &Service) -> String {
    unlock(service, "--scope leaf --scope ca --scope crl")
}

/// Where the record says that the key is.
pub(crate) fn uri(service: &Service) -> String {
    let index = rusqlite::Connection::open(service.home.path("own/home/index.db")).unwrap();
    let find =
        "SELECT uri FROM key_place k JOIN authority a ON a.issuer = k.authority WHERE a.name = 'example'";
    index.query_row(find, [], |row| row.get(0)).unwrap()
}

fn files(service: &Service, directory: &str) -> Vec<String> {
    let entries = fs::read_dir(service.home.path(directory)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("example.")).collect();
    names.sort();
    names
}

#[test]
fn all_keys_of_a_home_go_to_the_signer_as_far_as_an_administrator_has_allowed_it() {
    // K2, K3, G6
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&home_with_key(&service));
    let all = service.ca("key move --to signer --yes --json");
    let allow = |name: &str| {
        let line = format!("key unlock {name} --scope move --confirm {name} --passphrase-from fd:0");
        service.admin_with(PASSPHRASE, &line)
    };
    let names = |result: &Value, field: &str| -> Vec<String> {
        let each = result[field].as_array().unwrap().iter();
        each.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    // one by one, by the same command: each is told to the administrator at once
    let asking = format!("({all} >/dev/null 2>&1 || true)");
    let steps = [asking, allow("example"), allow("example-user"), format!("({all} || [ $? = 8 ])")];
    let some = service.done(&steps);
    let some: Value = serde_json::from_str(some.out.lines().last().unwrap()).unwrap();
    assert_eq!(names(&some["result"], "moved"), ["example", "example-user"], "{some}");
    assert_eq!(names(&some["result"], "refused"), ["example-system"], "{some}");
    assert_eq!(
        (&some["ok"], &some["result"]["refused"][0]["code"]),
        (&false.into(), &"signer.locked".into())
    );
    let rest = service.done(&[allow("example-system"), all.clone(), all]);
    assert!(rest.out.contains("example-system") && rest.out.contains("\"moved\":[]"), "{}", rest.out);
    assert!(!service.home.path("own/home/keys/example.age").exists());
}

#[test]
fn a_key_goes_to_the_signer_and_comes_back_with_what_it_signed() {
    // K2, K3, C1, G6
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let ca = |words: &str| service.ca(words);
    service.done(&home_with_key(&service));
    let to_signer = moving(&service, "signer");
    // nobody has allowed it; then the question is answered by nobody; then it goes
    let steps = [
        service.refused("signer.locked", &to_signer[1]),
        to_signer[0].clone(),
        service.refused("'answer yes'", &ca("key move example --to signer")),
        format!("{} || [ $? = 9 ]", ca("key move example --to signer")),
        to_signer[1].clone(),
    ];
    let said = service.done(&steps).out;
    assert!(said.contains("signer:example.age now"), "{said}");
    assert_eq!(uri(&service), "signer:example.age");
    assert_eq!(
        files(&service, "signer"),
        ["example.age", "example.envelope.toml", "example.mark", "example.pem"]
    );
    assert_eq!(files(&service, "own/home/keys"), ["example.mark", "example.pem"]);
    assert_eq!(files(&service, "own/home/requests"), [""; 0]);
    // it signs there: the next CRL has the entry, and a number that is above
    let number = || -> Value {
        let said = service.home.shell(&ca("crl show example --json")).ok().json();
        assert_eq!(said["result"]["entries"].as_array().unwrap().len(), 1, "{said}");
        said["result"]["number"].clone()
    };
    let before = number();
    let steps = [
        service.refused("signer.locked", &ca("crl publish example")),
        unlock_for_all(&service),
        ca("crl publish example"),
        ca("renew-ca example-system"),
        // once more is no change
        ca("key move example --to signer"),
    ];
    service.done(&steps);
    assert!(number().as_u64() > before.as_u64());
    let before = number();
    let [unlocking, to_home] = moving(&service, "home");
    let said = service.done(&[unlocking, to_home.replace("--yes", "--yes --json")]);
    let moved: Value = serde_json::from_str(said.out.lines().last().unwrap()).unwrap();
    let shown = service.home.shell(&ca("key envelope example --json")).ok().json();
    assert_eq!(moved["result"]["envelope"], shown["result"]["envelope"], "{moved}");
    assert_eq!(moved["result"]["envelope"]["profile"], "root-ca", "{moved}");
    assert_eq!(uri(&service), "age:example.age");
    assert_eq!(files(&service, "signer"), ["example.mark", "example.pem"]);
    let here = files(&service, "own/home/keys");
    assert_eq!(here, ["example.age", "example.envelope.toml", "example.mark", "example.pem"]);
    service.done(&[ca("crl publish example"), ca("renew-ca example-system"), ca("audit verify")]);
    assert!(number().as_u64() > before.as_u64());
}

#[test]
fn a_stolen_account_of_the_ca_takes_no_key_out_of_the_signer_and_brings_none() {
    // K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&home_with_key(&service));
    let [unlocking, to_signer] = moving(&service, "signer");
    // the passphrase of another key, and another login
    let wrong = unlocking.replace(PASSPHRASE, "another passphrase than that one");
    let steps = [wrong, service.refused("key.passphrase-wrong", &to_signer), unlocking.clone()];
    service.done(&steps);
    let alone = service.home.shell(&format!("echo {AMBER} >/proc/self/loginuid\n{to_signer}"));
    assert!(alone.status == 8 && alone.err.contains("signer.locked"), "{}", alone.all());
    assert_eq!(uri(&service), "age:example.age");
    service.done(&moving(&service, "signer"));
    // unlocked for signatures alone, nothing goes
    let to_home = service.ca("key move example --to home --yes");
    let steps = [unlock_for_all(&service), service.refused("signer.locked", &to_home)];
    service.done(&steps);
    // nor by the protocol: what it hands out, it hands out to nobody else
    let script = r#"
import json, socket, struct, sys
def frame(message, parts=()):
    head = json.dumps({"parts": [len(part) for part in parts], "message": message}).encode()
    return struct.pack(">II", len(head), sum(map(len, parts))) + head + b"".join(parts)
def answer(s):
    octets, fds, _, _ = socket.recv_fds(s, 8, 4)
    assert not fds, "a descriptor"
    head, body = struct.unpack(">II", octets)
    said = json.loads(s.recv(head, socket.MSG_WAITALL))["message"]
    s.recv(body, socket.MSG_WAITALL) if body else None
    return said
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(frame({"ask": "hello", "version": 1, "program": sys.argv[2]}))
assert answer(s)["say"] == "welcome"
key = {"uri": "age:example.age", "identity": [7] * 32}
for ask, parts in (({"ask": "leave", "key": key}, ()),
            ({"ask": "depart", "key": key}, ()),
            ({"ask": "sealed", "key": key}, ()),
            ({"ask": "come", "key": key, "profile": "root-ca", "mark": 2**63}, (b"", b"")),
            ({"ask": "claim", "key": key, "until": 0, "mark": 2**63, "last": True}, (b"",))):
    s.sendall(frame(ask, parts))
    said = answer(s)
    assert said["say"] == "failed", said
    print(ask["ask"], said["failure"]["what"])
"#;
    fs::write(service.home.path("lying.py"), script).unwrap();
    let (file, socket) = (service.home.path("lying.py"), service.home.path("sockets/ca.socket"));
    let version = env!("CARGO_PKG_VERSION");
    let line = format!("/usr/bin/python3 {} {} {version}", file.display(), socket.display());
    let said = service.home.shell(&login(OWNER, OWNER, &line)).ok();
    assert_eq!(said.out, "leave locked\ndepart locked\nsealed signer\ncome signer\nclaim signer\n");
    assert_eq!(
        files(&service, "signer"),
        ["example.age", "example.envelope.toml", "example.mark", "example.pem"]
    );
}

#[test]
fn an_envelope_that_allows_more_than_the_profiles_of_the_signer_is_not_taken_over() {
    // K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&home_with_key(&service));
    let envelope = service.home.path("own/home/keys/example.envelope.toml");
    let own = fs::read_to_string(&envelope).unwrap();
    let wide = own.replace("certificates_a_day = 100000", "certificates_a_day = 4000000");
    assert_ne!(own, wide, "{own}");
    fs::write(&envelope, &wide).unwrap();
    service.done(&moving(&service, "signer"));
    let there = fs::read_to_string(service.home.path("signer/example.envelope.toml")).unwrap();
    assert!(there.contains("certificates_a_day = 100000"), "{there}");
    assert!(there.contains("urls = [\"http://pki.example/\"]"), "as the configuration says: {there}");
    // a narrower one goes with the key, both ways
    let narrow = there.replace("certificates_a_day = 100000", "certificates_a_day = 5");
    fs::write(service.home.path("signer/example.envelope.toml"), &narrow).unwrap();
    service.done(&moving(&service, "home"));
    assert!(fs::read_to_string(&envelope).unwrap().contains("certificates_a_day = 5"));
    service.done(&moving(&service, "signer"));
    let there = fs::read_to_string(service.home.path("signer/example.envelope.toml")).unwrap();
    assert!(there.contains("certificates_a_day = 5"), "{there}");
}

#[test]
fn a_key_of_another_program_comes_into_the_home_and_goes_on_to_the_signer() {
    // G6, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    let ca = |words: &str| service.ca(words);
    let own = service.home.path("own");
    let foreign = format!(
        "(cd {} && openssl req -x509 -newkey ed25519 -nodes -keyout ca.key -subj /CN=old -days 99 -out ca.crt \
         -addext keyUsage=keyCertSign,cRLSign 2>/dev/null && chown {OWNER} ca.key ca.crt)",
        own.display()
    );
    let old = ca("adopt old ca.crt --profile root-ca --ocsp=false");
    let steps = [
        service.own_home(),
        foreign,
        ca("key import old ca.key"),
        old,
        service.admin("key status"),
        service.refused("signer.locked", &ca("key move old --to signer --yes")),
        unlock(&service, "--scope move --confirm old").replace("unlock example", "unlock old"),
        ca("key move old --to signer --yes"),
        unlock(&service, "--scope crl").replace("unlock example", "unlock old"),
        ca("crl publish old"),
    ];
    service.done(&steps);
    let is_there = |name: &str| service.home.path(name).exists();
    assert!(is_there("signer/old.age") && !is_there("own/home/keys/old.age"));
}
