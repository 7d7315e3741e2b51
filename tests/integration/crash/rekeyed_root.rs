//! `renew-ca ROOT --rekey`, killed at each of its steps: the links come all the same, and nothing else does.
use super::killed_at_each_step::{Scenario, hierarchy, places};
use crate::support::Home;
use crate::support::killing::chosen;
use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;

/// How many links are on record as issued, and whether there is a second generation with a CRL on record.
fn links(home: &Home) -> (usize, bool) {
    let status = home.ca(&["status", "--json"]).json()["result"].clone();
    let next = status["authorities"].as_array().unwrap().iter().find(|one| one["name"] == "genfic-g2");
    let is_there = next.is_some_and(|one| !one["crl"].is_null());
    let is_link = |authority: &str, other: &str| {
        let file = home.path(&format!("home/public/{authority}.crossed.pem"));
        let issuer = home.path(&format!("home/public/{other}.pem"));
        let (file, issuer) = (file.to_str().unwrap(), issuer.to_str().unwrap());
        std::path::Path::new(file).exists()
            && home.run(&["openssl", "verify", "-partial_chain", "-trusted", issuer, file]).status == 0
    };
    let made = [("genfic", "genfic-g2"), ("genfic-g2", "genfic")];
    (made.iter().filter(|(one, other)| is_link(one, other)).count(), is_there)
}

fn unlinked(home: &Home) -> Option<String> {
    let found = home.ca(&["doctor", "--json"]).json()["result"]["findings"].clone();
    let finding = found.as_array().unwrap().iter().find(|one| one["code"] == "authority.unlinked").cloned();
    finding.map(|one| one["remedy"].as_str().unwrap().to_owned())
}

#[test]
fn links_that_a_kill_kept_from_being_made_are_told_of_and_made_by_the_same_command() {
    // X1, X11
    let scenario = Scenario::new(hierarchy(), "renew-ca genfic --rekey", &[]);
    let mut told = BTreeSet::new();
    for (number, place) in chosen(&places(&scenario)) {
        let home = scenario.home.copied();
        let mut command = home.command(&scenario.words);
        let killed = command.env("GENFIC_CA_FAILPOINT", number.to_string()).output().unwrap();
        assert_eq!(killed.status.signal(), Some(9), "{}", String::from_utf8_lossy(&killed.stderr));
        let (made, is_there) = links(&home);
        let remedy = unlinked(&home);
        if !is_there {
            continue;
        }
        assert_eq!(remedy.is_some(), made < 2, "{number} {place}: {made} links, {remedy:?}");
        if let Some(remedy) = remedy {
            told.insert(made);
            assert!(home.ca(&["status"]).out.contains("cross-sign genfic-g2 -p genfic"), "{number} {place}");
            let other = home.copied();
            other.shell(&remedy).ok();
            assert_eq!((links(&other).0, unlinked(&other)), (2, None), "{number} {place}: {remedy}");
            home.ca(&scenario.words).ok();
            assert_eq!((links(&home).0, unlinked(&home)), (2, None), "{number} {place}");
            let names = home.result(&["authorities"])["authorities"].to_string();
            assert!(!names.contains("genfic-g3"), "{number} {place}: {names}");
        }
    }
    assert_eq!(told.into_iter().collect::<Vec<usize>>(), [0, 1], "without both, and without the second");
}
