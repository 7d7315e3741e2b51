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
        service.must_be_killed(place);
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

/// Has the signer of this service killed at each point that it passes while this is done after an unlocking; `then` looks at
/// what is left, with the number of the point.
fn killed_at_each(service: &mut Service, act: &dyn Fn(&Service) -> String, then: &dyn Fn(&Service, usize)) {
    let unlocking = |service: &Service| unlock(service, "example-system");
    let trace = service.home.path("signer/trace");
    let begun = service.home.path("begun");
    let (shown, before) = (trace.display().to_string(), begun.display().to_string());
    service.restart_with(&[("GENFIC_CA_FAILPOINT_TRACE", &shown)]);
    let line = act(service);
    service.done(&[unlocking(service), format!("cp {shown} {before}"), line]);
    let points = |path| fs::read_to_string(path).unwrap().lines().count();
    let (first, last) = (points(begun), points(trace.clone()));
    service.end();
    fs::remove_file(&trace).unwrap();
    service.restart(None);
    then(service, 0);
    assert!(last >= first + 4, "{first} to {last}");
    for point in first + 1..=last {
        service.restart(Some(&point.to_string()));
        let line = act(service);
        let said = service.in_one_login(&[unlocking(service), format!("{line} >/dev/null 2>&1 || true")]);
        assert_eq!(said.status, 0, "{point}: {}", said.all());
        service.must_be_killed(&format!("{point} of {last}"));
        service.restart(None);
        then(service, point);
    }
}

/// The number of the CRL of `example-system` and its entries, after the next one is published.
fn next_list(service: &Service) -> (u64, usize) {
    let said = service.done(&[unlock(service, "example-system"), service.ca("crl publish example-system")]);
    drop(said);
    let crl = run(service, "crl show example-system --json").ok().json()["result"].clone();
    (crl["number"].as_u64().unwrap(), crl["entries"].as_array().unwrap().len())
}

#[test]
fn a_signer_that_is_killed_at_any_step_of_a_revocation_or_of_a_crl_takes_nothing_back_and_goes_on() {
    // X1, C1, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = with_hierarchy();
    // enough holders for each step
    let names: Vec<String> = (0..40).map(|number| format!("n{number}.example")).collect();
    let requests = names.iter().map(|name| service.ca(&format!("create-request {name} --key ed25519")));
    let requests: Vec<String> = requests.collect();
    let files = names.iter().map(|name| format!("{name}.req")).collect::<Vec<_>>().join(" ");
    let leaf = service.admin("key unlock example-system --scope leaf --passphrase-from fd:0");
    let sign = service.ca(&format!("sign {files} -p example-system"));
    service.done(&[requests, vec![leaf, sign]].concat());
    let last = std::cell::Cell::new((0, 0));
    let used = std::cell::Cell::new(0);
    let goes_on = |service: &Service, point: usize| {
        let (number, entries) = next_list(service);
        assert!(number > last.get().0, "{point}: a higher number");
        assert_eq!(entries, used.get(), "{point}: what was revoked is listed");
        last.set((number, entries));
    };
    let publish = |service: &Service| service.ca("crl publish example-system");
    killed_at_each(&mut service, &publish, &goes_on);
    let revoke = |service: &Service| {
        let name = &names[used.get()];
        used.set(used.get() + 1);
        service.ca(&format!("revoke {name} --reason superseded --yes"))
    };
    killed_at_each(&mut service, &revoke, &goes_on);
    run(&service, "audit verify").ok();
}
