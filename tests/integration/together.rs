//! Several processes at once on one home.
use crate::support::{Home, Said};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const WORKERS: usize = 4;
const ROUNDS: usize = 8;

/// Busy is for the caller to try again; everything else is a failure.
fn until_free(mut run: impl FnMut() -> Said) -> Said {
    loop {
        let said = run();
        if said.status != 3 {
            return said.ok();
        }
    }
}

#[test]
fn processes_that_sign_and_revoke_at_once_share_no_number_and_break_nothing() {
    // X1, C1, C7, G15
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let serials = Mutex::new(Vec::new());
    let numbers = Mutex::new(Vec::new());
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (home, serials, numbers, done) = (&home, &serials, &numbers, &done);
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let host = format!("h{worker}-{round}.example");
                    home.ca(&["create-request", &host]).ok();
                    let request = format!("{host}.req");
                    let sign = ["sign", &request, "-p", "genfic-system", "--json"];
                    let signed = until_free(|| home.ca(&sign)).json();
                    let serial = signed["result"]["certificates"][0]["serial"].as_str().unwrap().to_owned();
                    serials.lock().unwrap().push(serial.clone());
                    let word = format!("genfic-system/{serial}");
                    let revoked = until_free(|| home.ca(&["revoke", &word, "--json"])).json();
                    let number = revoked["result"]["crl"]["number"].clone();
                    assert!(!number.is_null(), "{revoked}");
                    numbers.lock().unwrap().push(number.to_string());
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let all = WORKERS * ROUNDS;
    assert_eq!(done.into_inner(), all);
    let (serials, numbers) = (serials.into_inner().unwrap(), numbers.into_inner().unwrap());
    assert_eq!(serials.iter().collect::<HashSet<_>>().len(), all, "no serial number twice");
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), all, "no CRL number twice");
    let list = home.result(&["crl", "show", "genfic-system"]);
    let text = list.to_string();
    for serial in &serials {
        assert!(text.contains(serial.as_str()), "{serial} is on the newest list");
    }
    let revoked = home.result(&["list", "--status", "revoked", "-p", "genfic-system"]);
    assert_eq!(revoked["certificates"].as_array().map(Vec::len), Some(all));
    for status in ["pending", "abandoned"] {
        let said = home.ca(&["list", "--status", status, "--json"]);
        let none = said.status != 0 || said.json()["result"]["certificates"] == Value::Array(Vec::new());
        assert!(none, "{}", said.all());
    }
    home.ca(&["crl", "check", "genfic-system"]).ok();
    home.ca(&["audit", "verify"]).ok();
}

#[test]
fn a_revocation_while_another_process_publishes_stays_on_every_later_list() {
    // K3, C7: no list is published that lacks what an earlier one had
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system"]).ok();
    let lists = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..6 {
                    let said = until_free(|| home.ca(&["crl", "publish", "genfic-system", "--json"])).json();
                    let list = &said["result"]["crls"][0];
                    let fields = (list["number"].as_u64().unwrap(), list["entries"].as_u64().unwrap());
                    lists.lock().unwrap().push(fields);
                }
            });
        }
        scope.spawn(|| until_free(|| home.ca(&["revoke", "a.example"])));
    });
    let mut lists = lists.into_inner().unwrap();
    lists.sort_unstable();
    assert!(lists.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1), "{lists:?}");
    let newest = home.result(&["crl", "show", "genfic-system"]);
    assert_eq!(newest["entry_count"], 1);
}
