//! CAs whose keys the signer that listens has, and that signer killed, or without what it remembered.
use crate::service_keys::{prepare, run, with_hierarchy};
use crate::standing_signer::Service;
use crate::support::{is_root, skipped};
use std::fs;

fn unlock(service: &Service, name: &str) -> String {
    service.admin(&format!("key unlock {name} --scope ca --scope crl --passphrase-from fd:0"))
}

#[test]
fn a_signer_that_is_killed_while_a_ca_is_made_leaves_one_that_is_made_after_all() {
    // K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = Service::new();
    service.done(&[service.own_home(), prepare(&service, "example")]);
    let places = [
        "signer: making noted",
        "signer: key made",
        "signer: what came along noted",
        "signer: certificate kept",
        "signer: envelope kept",
    ];
    for (number, place) in places.iter().enumerate() {
        let name = format!("root{number}");
        let new = prepare(&service, "example").replace("key unlock example", &format!("key unlock {name}"));
        let create = service.ca(&format!("create-root {name} --key ed25519 --ocsp=false"));
        service.restart(Some(place));
        let said = service.in_one_login(&[new.clone(), format!("{create} && exit 99 || true")]);
        assert_eq!(said.status, 0, "not killed at {place}: {}", said.all());
        let directory = service.home.path("signer");
        let is_there = |ending: &str| directory.join(format!("{name}.{ending}")).exists();
        let journal = fs::read(service.home.path("signer/journal")).unwrap();
        let has = |said: String| journal.windows(said.len()).any(|octets| octets == said.as_bytes());
        // what is kept is in the journal
        for (ending, said) in [("pem", "certificate "), ("envelope.toml", "made for a CA")] {
            assert!(!is_there(ending) || has(format!("age:{name}.age: {said}")), "{place}: {ending}");
        }
        assert_eq!(
            is_there("pem"),
            *place == "signer: certificate kept" || *place == "signer: envelope kept"
        );
        assert_eq!(is_there("envelope.toml"), *place == "signer: envelope kept");
        service.restart(None);
        let is_on_record = run(&service, &format!("show {name}")).status == 0;
        if is_on_record {
            service.done(&[unlock(&service, &name), service.ca(&format!("crl publish {name}"))]);
        } else {
            if is_there("age") {
                // without a word of an administrator it is told what to do
                let told = format!("'key unlock {name} --for 15m --new'");
                service.done(&[service.refused(&told, &create)]);
            }
            let said = service.done(&[new, create]);
            let left = "is there and has no certificate";
            assert_eq!(said.out.contains(left), *place != "signer: making noted", "{place}: {}", said.out);
        }
        assert!(is_there("pem") && is_there("envelope.toml"), "{place}");
    }
    run(&service, "audit verify").ok();
}

#[test]
fn a_signer_that_is_killed_while_a_key_gets_another_name_leaves_the_old_one_or_the_new_one() {
    // K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = Service::new();
    service.done(&[
        service.own_home(),
        prepare(&service, "example"),
        service.ca("create-root example --key ed25519"),
    ]);
    let places = [
        "signer: renaming noted",
        "signer: envelope has its new name",
        "signer: certificates have their new name",
        "signer: former envelope removed",
        "key: moved",
    ];
    for (number, place) in places.iter().enumerate() {
        let name = "short-system";
        let create = format!("create-child {name} -p example --key ed25519 --ocsp=false");
        service.done(&[prepare(&service, name), unlock(&service, "example"), service.ca(&create)]);
        let (unlocking, retire) = (unlock(&service, name), service.ca(&format!("retire {name}")));
        service.restart(Some(place));
        let said = service.in_one_login(&[unlocking.clone(), format!("{retire} >/dev/null 2>&1 || true")]);
        assert_eq!(said.status, 0, "{place}: {}", said.all());
        assert!(service.process.0.try_wait().unwrap().is_some(), "not killed at {place}");
        service.restart(None);
        // its new name is the one of the record; the old one still opens it where that is its name
        let old = service.home.path(&format!("signer/{name}.age")).exists();
        let retired =
            if number == 0 { format!("{name}-retired") } else { format!("{name}-retired-{}", number + 1) };
        let unlocking = if old { unlocking } else { unlock(&service, &retired) };
        service.done(&[unlocking, service.ca("crl publish --due")]);
        let left: Vec<String> = fs::read_dir(service.home.path("signer"))
            .unwrap()
            .map(|one| one.unwrap().file_name().into_string().unwrap())
            .filter(|file| file.starts_with(&format!("{name}.")))
            .collect();
        assert_eq!(left, [""; 0], "{place}");
        for ending in ["age", "pem", "envelope.toml", "mark"] {
            assert!(service.home.path(&format!("signer/{retired}.{ending}")).exists(), "{place}: {ending}");
        }
    }
}

#[test]
fn a_record_that_was_lost_is_shown_the_last_crl_before_a_certificate_is_signed() {
    // X4, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_hierarchy();
    service.end();
    for file in ["record.db", "record.db-wal", "record.db-shm"] {
        let _ = fs::remove_file(service.home.path("signer").join(file));
    }
    service.restart(None);
    let unlock = service.admin("key unlock example-system --scope leaf --passphrase-from fd:0");
    let sign = service.ca("create-request b.example --sign -p example-system");
    // where nobody has it, nothing is signed
    let list = service.home.path("own/home/public/example-system.crl");
    let aside = service.home.path("own/aside.crl");
    fs::rename(&list, &aside).unwrap();
    service.done(&[unlock.clone(), service.refused("journal.list-unknown", &sign)]);
    fs::rename(&aside, &list).unwrap();
    service.done(&[unlock, service.ca("create-request c.example --sign -p example-system")]);
    run(&service, "audit verify").ok();
}
