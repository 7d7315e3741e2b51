//! `export hashed-dir`, again into the same directory.
use crate::refused;
use crate::support::{Home, Said};
use std::fs;
use std::os::unix::fs::symlink;

fn home() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "www.genfic.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    home
}

/// What OpenSSL says of the server's certificate.
fn verified(home: &Home, file: &str, issuer: &str) -> Said {
    let words = ["openssl", "verify", "-CApath", "anchors", "-no-CAfile", "-no-CAstore", "-crl_check_all"];
    home.run(&[&words[..], &["-untrusted", &format!("home/public/{issuer}.pem"), file]].concat())
}

fn names(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path("anchors")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_compromised_root_is_an_anchor_no_more() {
    // G18
    let home = home();
    verified(&home, "www.genfic.example.crt", "genfic-system").ok();
    let before = names(&home);
    let own = before.iter().find(|name| name.ends_with(".0")).unwrap().clone();
    // another program's file, a link to the same, one of an unrelated CA after it
    let other = Home::new();
    other.ca(&["create-root", "genfic"]).ok();
    let theirs = own.replace(".0", ".1");
    fs::copy(other.path("home/public/genfic.pem"), home.path("anchors").join(&theirs)).unwrap();
    symlink("../home/public/genfic.pem", home.path("anchors").join(own.replace(".0", ".2"))).unwrap();
    fs::copy(home.path("home/public/genfic.pem"), home.path("anchors/kept.pem")).unwrap();
    home.ca(&["revoke-ca", "genfic", "--reason", "ca-compromise", "--yes"]);
    let said = home.ca(&["export", "hashed-dir", "anchors", "--json"]);
    assert_eq!(said.status, 5, "{}", said.all());
    let object = said.json();
    assert_eq!(object["error"]["code"], "authority.not-found");
    assert_eq!((&object["changed"], &object["ok"]), (&true.into(), &false.into()), "{object}");
    let removed = object["result"]["removed"].as_array().unwrap();
    assert_eq!(removed.len(), before.len() + 1, "{object}");
    assert_eq!(names(&home), [own.clone(), "kept.pem".into()], "what is somebody else's stays, and is found");
    let left = fs::read(home.path("anchors").join(&own)).unwrap();
    assert_eq!(left, fs::read(other.path("home/public/genfic.pem")).unwrap());
    assert_ne!(verified(&home, "www.genfic.example.crt", "genfic-system").status, 0);
    assert!(home.path("home/public/genfic.pem").is_file(), "the file behind the link");
    refused(&home.ca(&["export", "hashed-dir", "anchors"]), 5, "authority.not-found");
    refused(&home.ca(&["export", "hashed-dir", "none"]), 5, "authority.not-found");
    assert!(!home.path("none").exists());
}

#[test]
fn after_a_rekey_the_new_root_is_found_in_the_place_of_the_revoked_one() {
    // G18
    let home = home();
    let own = names(&home).into_iter().find(|name| name.ends_with(".0")).unwrap();
    home.ca(&["revoke-ca", "genfic", "--reason", "ca-compromise", "--yes"]);
    home.ca(&["renew-ca", "genfic", "--rekey", "--no-links"]).ok();
    let said = home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert!(said.err.contains(&own) && said.err.contains("genfic is revoked"), "{}", said.all());
    assert_eq!(
        fs::read(home.path("anchors").join(&own)).unwrap(),
        fs::read(home.path("home/public/genfic-g2.pem")).unwrap()
    );
    assert_eq!(names(&home).len(), 2, "the new root and its list: {:?}", names(&home));
    assert_ne!(verified(&home, "www.genfic.example.crt", "genfic-system").status, 0);
    home.ca(&["create-child", "new-system", "-p", "genfic-g2"]).ok();
    home.ca(&["create-request", "new.genfic.example", "--sign", "-p", "new-system"]).ok();
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    verified(&home, "new.genfic.example.crt", "new-system").ok();
    assert_eq!(home.result(&["export", "hashed-dir", "anchors"])["removed"], serde_json::json!([]));
}

#[test]
fn what_is_valid_or_named_stays() {
    // G18
    let home = home();
    home.ca(&["export", "hashed-dir", "anchors", "genfic-user"]).ok();
    let both = names(&home);
    assert_eq!(both.iter().filter(|name| name.ends_with(".0")).count(), 2, "{both:?}");
    home.ca(&["revoke-ca", "genfic-user", "--reason", "superseded", "--yes"]);
    let said = home.ca(&["export", "hashed-dir", "anchors", "genfic-user"]).ok();
    assert!(said.err.contains("genfic-user is revoked") && !said.err.contains("removed"), "{}", said.err);
    assert_eq!(names(&home), both);
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert_eq!(names(&home).len(), both.len() - 1, "its certificate goes, its list is still below the root");
    refused(&home.ca(&["export", "hashed-dir", "anchors", "nobody"]), 5, "authority.not-found");
}

#[test]
fn a_ca_on_hold_stays() {
    // G18
    let home = home();
    home.ca(&["export", "hashed-dir", "anchors", "genfic-user"]).ok();
    let both = names(&home);
    let held = home.result(&["show", "genfic-user"])["serial"].as_str().unwrap().to_owned();
    home.ca(&["hold", &format!("genfic/{held}")]).ok();
    let said = home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert!(!said.err.contains("removed"), "{}", said.err);
    assert_eq!(names(&home), both);
    home.ca(&["release", &format!("genfic/{held}")]).ok();
    assert_eq!(home.result(&["export", "hashed-dir", "anchors"])["removed"], serde_json::json!([]));
    home.ca(&["revoke", &format!("genfic/{held}"), "--yes"]).ok();
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert_eq!(names(&home).len(), both.len() - 1, "{:?}", names(&home));
}

/// A root of `openssl ca` that has ended, and what its operators certify it with since: the same name and key.
const ENDED: &str = "mkdir old old/new; cd old; touch index.txt; echo 01 >serial; echo 07 >crlnumber
    printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nnew_certs_dir=new\\nserial=serial\\ndefault_md=sha256\\n\
    policy=p\\n[p]\\ncommonName=supplied\\n[x]\\nbasicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign,cRLSign\\n\
    subjectKeyIdentifier=hash\\n' >ca.cnf
    openssl req -new -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=exp -out ca.req
    openssl ca -batch -config ca.cnf -selfsign -extensions x -keyfile ca.key -in ca.req -out ca.crt -notext \
        -startdate 200101000000Z -enddate 210101000000Z
    openssl x509 -req -in ca.req -signkey ca.key -days 30 -extfile ca.cnf -extensions x -out ../new.crt
    hash=$(openssl x509 -in ca.crt -noout -hash)
    cp ca.crt ../anchors/$hash.1; cp ../new.crt ../anchors/$hash.0";

#[test]
fn whether_a_certificate_has_ended_is_read_in_it_and_what_others_run_stays() {
    // G18
    let home = home();
    home.shell(ENDED).ok();
    home.ca(&["import", "openssl", "old", "--as", "exp", "--profile", "system-ca"]).ok();
    let all = names(&home);
    let run_by_others = |external: u8| {
        home.shell(&format!(
            "sqlite3 home/index.db \"update authority set external = {external} where name = 'exp'\""
        ))
        .ok()
    };
    run_by_others(1);
    home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert_eq!(names(&home), all, "others run it");
    run_by_others(0);
    let said = home.ca(&["export", "hashed-dir", "anchors"]).ok();
    assert!(said.err.contains("this certificate of exp is expired"), "{}", said.all());
    let left: Vec<String> = all.into_iter().filter(|name| !name.ends_with(".1")).collect();
    assert_eq!(names(&home), left, "the one that is valid stays");
}
