//! `key move`, with the command or the service killed at each of its steps: the key is used in one place, and the same
//! command goes on.
use crate::key_move::{home_with_key, moving, unlock_for_all, uri};
use crate::standing_signer::Service;
use crate::support::{is_root, skipped};
use std::collections::BTreeSet;
use std::fs;

const PLACES: [(&str, &str); 2] = [("signer", "signer:example.age"), ("home", "age:example.age")];

fn service() -> Service {
    let service = Service::new();
    service.done(&home_with_key(&service));
    service
}

/// Moves the key once, and returns the points that the command passes.
fn places(service: &Service, to: &str) -> Vec<String> {
    let trace = service.home.path("own/trace");
    let _ = fs::remove_file(&trace);
    let [unlock, line] = moving(service, to);
    service.done(&[unlock, format!("export GENFIC_CA_FAILPOINT_TRACE={}\n{line}", trace.display())]);
    fs::read_to_string(&trace).unwrap().lines().map(str::to_owned).collect()
}

/// Looks at what is left, goes on with the same command, and has the key sign where it is then.
fn goes_on(service: &Service, to: &str, target: &str, at: &str) {
    let said = uri(service);
    let both = PLACES.map(|(_, uri)| uri);
    assert!(both.iter().any(|one| said == *one), "{at}: {said}");
    let [unlock, line] = moving(service, to);
    // the next command may have completed it, and a key that has left is not unlocked any more
    let refused = service.home.path("own/refused");
    let refused = refused.display();
    let unlock = format!("({unlock}) >/dev/null 2>{refused} || grep signer.locked {refused}");
    let said = service.in_one_login(&[unlock, line]);
    assert_eq!(said.status, 0, "{at}: {}", said.all());
    assert_eq!(uri(service), target, "{at}");
    let is_there = |name: &str| service.home.path(name).exists();
    let is_in_service = to == "signer";
    assert_eq!(is_there("signer/example.age"), is_in_service, "{at}");
    assert_eq!(is_there("own/home/keys/example.age"), !is_in_service, "{at}");
    let asides = ["signer/example.coming", "signer/example.ready"];
    let own =
        ["own/home/keys/example.coming", "own/home/keys/example.ready", "own/home/requests/example.moving"];
    for left in asides.into_iter().chain(own) {
        assert!(!is_there(left), "{at}: {left}");
    }
    let said = service.in_one_login(&[unlock_for_all(service), service.ca("crl publish example")]);
    let said = if is_in_service { said } else { service.home.shell(&service.ca("crl publish example")) };
    assert_eq!(said.status, 0, "{at}: {}", said.all());
}

fn killed(service: &Service, to: &str, variable: &str, value: &str) {
    let [unlock, line] = moving(service, to);
    let steps = [unlock, format!("export {variable}='{value}'\n{line} 2>/dev/null && exit 99 || true")];
    let said = service.in_one_login(&steps);
    assert_eq!(said.status, 0, "not killed at {value}: {}", said.all());
}

#[test]
fn a_move_whose_command_is_killed_at_any_step_goes_on() {
    // X1, C1, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = service();
    let found = PLACES.map(|(to, _)| places(&service, to));
    for ((to, target), found) in PLACES.iter().zip(found) {
        let own: BTreeSet<String> = found.into_iter().filter(|place| place.starts_with("key: ")).collect();
        assert!(own.len() >= 8, "{own:?}");
        for place in own {
            killed(&service, to, "GENFIC_CA_FAILPOINT", &place);
            goes_on(&service, to, target, &place);
            // back, for the next point
            let other = PLACES.iter().find(|(other, _)| other != to).unwrap();
            goes_on(&service, other.0, other.1, &place);
        }
        // now the other way
        service.done(&moving(&service, to));
    }
}

/// Moves the key once, and returns the points that only the move passes: of the service, and of the child of the command.
fn signer_places(service: &mut Service, to: &str) -> [Vec<String>; 2] {
    let own = |place: &String| place.starts_with("signer: ") || place.starts_with("key: ");
    let read = |path: &std::path::Path| -> Vec<String> {
        let text = fs::read_to_string(path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let each: BTreeSet<String> = text.lines().map(str::to_owned).filter(own).collect();
        each.into_iter().collect()
    };
    let (of_service, of_child) = (service.home.path("signer/trace"), service.home.path("own/home/trace"));
    service.restart_with(&[("GENFIC_CA_FAILPOINT_TRACE", of_service.to_str().unwrap())]);
    let [unlock, line] = moving(service, to);
    service.done(&[
        unlock,
        format!("rm -f {0}\nexport GENFIC_SIGNER_FAILPOINT_TRACE={0}\n{line}", of_child.display()),
    ]);
    [read(&of_service), read(&of_child)]
}

#[test]
fn a_move_whose_signer_is_killed_at_any_step_goes_on() {
    // X1, C1, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let mut service = service();
    let known = PLACES.map(|(to, _)| signer_places(&mut service, to));
    for place in
        ["signer: coming noted", "key: in its place", "signer: leaving noted", "key: removed where it was"]
    {
        assert!(
            known.iter().flatten().any(|known| known.iter().any(|one| one == place)),
            "{place}: {known:?}"
        );
    }
    service.restart(None);
    for ((to, target), [of_service, of_child]) in PLACES.iter().zip(known) {
        let other = PLACES.iter().find(|(other, _)| other != to).unwrap();
        for place in of_child {
            killed(&service, to, "GENFIC_SIGNER_FAILPOINT", &place);
            goes_on(&service, to, target, &place);
            goes_on(&service, other.0, other.1, &place);
        }
        for place in of_service {
            service.restart(Some(&place));
            killed(&service, to, "NOTHING", &place);
            service.restart(None);
            goes_on(&service, to, target, &place);
            goes_on(&service, other.0, other.1, &place);
        }
        service.done(&moving(&service, to));
    }
}
