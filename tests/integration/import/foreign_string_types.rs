//! Names that other programs write in other string types (RFC 5280 §7.1): the same names here.
use super::foreign_ca_directories::sh;
use crate::support::{Home, free_address};
use std::fs;

const CONFIG: &str = "
[req]
distinguished_name = dn
string_mask = nombstr
prompt = no
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
subjectAltName = DNS:a.genfic.example
extendedKeyUsage = serverAuth
authorityKeyIdentifier = none
";

/// A root that others run, a CA below it and two of its certificates, all with PrintableString names.
fn printable_tree(home: &Home) {
    fs::write(home.path("p.cnf"), CONFIG).unwrap();
    sh(
        home,
        "mkdir -p old/newcerts old/private; echo 02 >old/crlnumber
         new() { openssl req -config p.cnf -new -newkey rsa:2048 -nodes -keyout $1.key -subj \"$2\" -out $1.req; }
         new root '/C=BE/O=Corp/CN=Corp Root'
         openssl x509 -req -in root.req -signkey root.key -days 4000 -extfile p.cnf -extensions ca -out root.pem
         new old/private/cakey '/C=BE/O=Genfic/CN=Issuing CA 1'
         openssl x509 -req -in old/private/cakey.req -CA root.pem -CAkey root.key -set_serial 7 -days 3000 \
           -extfile p.cnf -extensions ca -out old/cacert.pem
         mv old/private/cakey.key old/private/cakey.pem
         new a '/C=BE/O=Genfic/CN=a.genfic.example'
         openssl x509 -req -in a.req -CA old/cacert.pem -CAkey old/private/cakey.pem -set_serial 4097 -days 300 \
           -extfile p.cnf -extensions leaf -out old/newcerts/1001.pem
         end=$(date -u -d \"$(openssl x509 -in old/newcerts/1001.pem -noout -enddate | cut -d= -f2)\" +%y%m%d%H%M%SZ)
         printf 'V\\t%s\\t\\t1001\\tunknown\\t/C=BE/O=Genfic/CN=a.genfic.example\\n' $end >old/index.txt",
    );
}

fn types(home: &Home, kind: &str, file: &str, what: &str) -> String {
    let words = ["openssl", kind, "-in", file, "-noout", what, "-nameopt", "show_type,sep_comma_plus"];
    home.run(&words).ok().out.trim().to_owned()
}

const PRINTABLE: &str = "C=PRINTABLESTRING:BE,O=PRINTABLESTRING:Genfic,CN=PRINTABLESTRING:Issuing CA 1";

fn moved_in(home: &Home) {
    printable_tree(home);
    assert_eq!(types(home, "x509", "old/cacert.pem", "-subject"), format!("subject={PRINTABLE}"));
    home.ca(&["import", "openssl", "old", "--as", "sub", "--profile", "system-ca", "--chain", "root.pem"])
        .ok();
}

#[test]
fn a_holder_whose_name_another_program_wrote_is_renewed_rekeyed_and_signed_again() {
    // X3, P1
    let home = Home::new();
    moved_in(&home);
    home.ca(&["renew", "a.genfic.example", "--profile", "system", "-o", "renewed.pem"]).ok();
    let renewed = types(&home, "x509", "renewed.pem", "-subject");
    assert!(
        renewed.contains("CN=UTF8STRING:a.genfic.example"),
        "a holder's is written by our rules: {renewed}"
    );
    assert_eq!(types(&home, "x509", "renewed.pem", "-issuer"), format!("issuer={PRINTABLE}"));
    home.ca(&["sign", "a.req", "-p", "sub", "--san", "a.genfic.example", "-o", "again.pem"]).ok();
    home.ca(&["rekey", "sub/1001", "--profile", "system"]).ok();
    let other = "openssl req -new -key a.key -subj '/C=BE/O=Genfic/CN=b.genfic.example' -out b.req";
    sh(&home, other);
    let refused = home.ca(&["sign", "b.req", "-p", "sub"]);
    assert!(refused.status == 7 && refused.err.contains("policy.key-reused"), "{}", refused.all());
}

#[test]
fn the_next_certificate_of_a_ca_is_taken_in_with_its_name_as_it_was_or_written_anew() {
    // X3, O3, G6
    let address = free_address();
    let home = Home::at_url(&format!("http://{address}"));
    moved_in(&home);
    home.ca(&["renew-ca", "sub", "--csr-only", "-o", "sub.req"]).ok();
    assert_eq!(types(&home, "req", "sub.req", "-subject"), format!("subject={PRINTABLE}"));
    let signed = |request: &str, serial: &str| {
        sh(
            &home,
            &format!(
                "openssl x509 -req -in {request} -CA root.pem -CAkey root.key -set_serial {serial} -days 3000 \
                 -extfile p.cnf -extensions ca -out {serial}.pem"
            ),
        )
    };
    signed("sub.req", "8");
    let same = home.ca(&["adopt", "sub", "8.pem"]).ok();
    assert!(!same.err.contains("other octets"), "{}", same.err);
    home.ca(&["create-request", "new.genfic.example", "--sign", "-p", "sub"]).ok();

    // a parent that writes names anew
    sh(
        &home,
        "openssl req -new -key old/private/cakey.pem -subj '/C=BE/O=Genfic/CN=Issuing CA 1' -out utf8.req",
    );
    signed("utf8.req", "9");
    let anew = home.ca(&["adopt", "sub", "9.pem"]).ok();
    assert!(
        anew.err.contains("with O as UTF8String, and the same with O as PrintableString before"),
        "{}",
        anew.err
    );
    home.ca(&["create-request", "newer.genfic.example", "--sign", "-p", "sub"]).ok();
    let issuer = types(&home, "x509", "newer.genfic.example.crt", "-issuer");
    assert!(issuer.contains("CN=UTF8STRING:Issuing CA 1"), "the octets of the subject: {issuer}");
    home.ca(&["renew", "a.genfic.example", "--profile", "system"]).ok();
    home.ca(&["crl", "publish", "sub"]).ok();
    home.ca(&["doctor", "--json"]).ok();

    // each way in which certificates name the issuer is answered (RFC 6960 §4.1.1)
    let _daemon = home.daemon(&address);
    let url = format!("http://{address}/ocsp");
    for (issuer, file) in [
        ("8.pem", "old/newcerts/1001.pem"),
        ("9.pem", "newer.genfic.example.crt"),
        ("8.pem", "new.genfic.example.crt"),
    ] {
        let words =
            ["openssl", "ocsp", "-issuer", issuer, "-cert", file, "-url", &url, "-CAfile", "root.pem"];
        let said = home.run(&words).ok();
        assert!(said.out.contains(": good"), "{issuer} {file}: {}", said.all());
        home.ca(&["ocsp", "query", file, "--url", &url]).ok();
    }
}

#[test]
fn a_ca_whose_request_comes_from_elsewhere_keeps_the_octets_of_its_name() {
    // X3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    printable_tree(&home);
    home.ca(&["sign", "old/private/cakey.req", "-p", "genfic", "--profile", "sub-ca", "-o", "signed.pem"])
        .ok();
    assert_eq!(types(&home, "x509", "signed.pem", "-subject"), format!("subject={PRINTABLE}"));
    // clients that compare octets find it: what it issued names it so
    let octets = |file: &str, field: &str| {
        let words = ["openssl", "x509", "-in", file, "-noout", field];
        home.run(&words).ok().out
    };
    assert_eq!(
        octets("signed.pem", "-subject_hash_old"),
        octets("old/newcerts/1001.pem", "-issuer_hash_old")
    );
    let words = ["openssl", "verify", "-CAfile", "home/public/genfic.pem", "-untrusted", "signed.pem"];
    home.run(&[&words[..], &["old/newcerts/1001.pem"][..]].concat()).ok();
}

#[test]
fn a_ca_with_a_name_in_other_string_types_is_certified_once_more() {
    // X3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    printable_tree(&home);
    home.ca(&["cross-sign", "root.pem", "-p", "genfic", "--permit", "corp.example", "-o", "crossed.pem"])
        .ok();
    assert_eq!(types(&home, "x509", "crossed.pem", "-subject"), types(&home, "x509", "root.pem", "-subject"));
}

#[test]
fn nobody_else_bears_the_name_of_a_ca_however_it_is_written() {
    // X3
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-root", "other", "--subject", "C=BE,O=Elsewhere,CN=Other Root"]).ok();
    printable_tree(&home);
    let request = |subject: &str| {
        sh(
            &home,
            &format!(
                "openssl req -config p.cnf -new -newkey rsa:2048 -nodes -keyout x.key -subj '{subject}' -out x.req"
            ),
        );
    };
    // the issuer's, that of a CA above it, and that of any CA of the home; another string type, case and blanks
    for subject in [
        "/C=BE/O=Gentoo Fictional, Inc./CN=genfic-system",
        "/C=BE/O=GENTOO FICTIONAL, INC./CN=Genfic",
        "/C=BE/O=elsewhere/CN=Other  Root",
    ] {
        request(subject);
        let words = ["sign", "x.req", "-p", "genfic-system", "--san", "x.genfic.example"];
        let said = home.ca(&words);
        assert!(said.status == 7 && said.err.contains("policy.name-of-a-ca"), "{subject}: {}", said.all());
        let said = home.ca(&["sign", "x.req", "-p", "genfic", "--profile", "sub-ca"]);
        assert!(said.status == 7 && said.err.contains("policy.name-of-a-ca"), "{subject}: {}", said.all());
    }
    for words in [
        &["create-child", "third", "-p", "genfic"][..],
        &["create-child", "third", "--csr-only"],
        &["create-root", "third"],
    ] {
        let subject = ["--subject", "C=BE,O=ELSEWHERE,CN=other root"];
        let said = home.ca(&[words, &subject[..]].concat());
        assert!(said.status == 7 && said.err.contains("policy.name-of-a-ca"), "{words:?}: {}", said.all());
        assert!(!home.path("home/keys/third.age").exists(), "{words:?}");
    }
    // a holder has the name first
    home.ca(&["create-request", "w", "--subject", "C=BE,CN=w.genfic.example", "--san", "w.genfic.example"])
        .ok();
    home.ca(&["sign", "w.req", "-p", "genfic-system"]).ok();
    let said = home.ca(&["create-child", "third", "-p", "genfic", "--subject", "C=BE,CN=W.genfic.example"]);
    assert!(said.status == 7 && said.err.contains("policy.name-of-a-ca"), "{}", said.all());
    // what is the CA's own stays possible
    home.ca(&["renew-ca", "genfic"]).ok();
    home.ca(&["renew-ca", "genfic", "--rekey"]).ok();
    home.ca(&["renew-ca", "genfic-system", "--rekey"]).ok();
    home.ca(&["cross-sign", "genfic-system", "-p", "other"]).ok();
    home.ca(&["renew-ca", "genfic-g2"]).ok();
    home.ca(&["renew-ca", "genfic-g2", "--rekey"]).ok();
}

#[test]
fn a_certificate_that_bears_its_issuers_name_is_found_by_lint() {
    // X3
    let home = Home::new();
    printable_tree(&home);
    sh(
        &home,
        "openssl req -new -newkey rsa:2048 -nodes -keyout x.key -subj '/C=BE/O=genfic/CN=issuing ca 1' -out x.req
         openssl x509 -req -in x.req -CA old/cacert.pem -CAkey old/private/cakey.pem -set_serial 99 -days 300 \
           -extfile p.cnf -extensions leaf -out x.pem",
    );
    let said = home.ca(&["lint", "x.pem", "--issuer", "old/cacert.pem"]);
    assert!(said.all().contains("issuer_is_not_subject_of_leaf"), "{}", said.all());
    let said = home.ca(&["lint", "old/newcerts/1001.pem", "--issuer", "old/cacert.pem"]);
    assert!(!said.all().contains("issuer_is_not_subject_of_leaf"), "{}", said.all());
}
