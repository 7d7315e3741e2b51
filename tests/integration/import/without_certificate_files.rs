//! What has lost its file before it moved in: known by its number for good, and no damage.
use super::foreign_ca_directories::sh;
use crate::support::{Home, Said};

/// A CA of `openssl ca` with four certificates, 02 revoked; the files of 02, 03 and 04 are gone.
fn demo_ca(home: &Home) {
    sh(
        home,
        "mkdir -p demoCA/newcerts demoCA/private; touch demoCA/index.txt; echo 01 >demoCA/serial; echo 01 >demoCA/crlnumber
        openssl req -x509 -newkey rsa:2048 -nodes -keyout demoCA/private/cakey.pem -subj '/CN=Demo CA' -days 900 \\
          -out demoCA/cacert.pem
        printf '[ca]\\ndefault_ca=d\\n[d]\\ndir=demoCA\\ndatabase=$dir/index.txt\\nnew_certs_dir=$dir/newcerts\\n\\
        serial=$dir/serial\\ncrlnumber=$dir/crlnumber\\ncertificate=$dir/cacert.pem\\nprivate_key=$dir/private/cakey.pem\\n\\
        default_md=sha256\\ndefault_days=90\\ndefault_crl_days=9\\npolicy=p\\n[p]\\ncommonName=supplied\\n' >c.cnf
        for i in 1 2 3 4; do
          openssl req -newkey rsa:2048 -nodes -keyout l.key -subj /CN=leaf-$i -out l.csr
          openssl ca -config c.cnf -batch -in l.csr -out l-$i.pem
        done
        openssl ca -config c.cnf -revoke l-2.pem; rm demoCA/newcerts/0[234].pem",
    );
}

#[track_caller]
fn examined(said: Said) {
    let said = said.ok();
    assert!(said.out.contains("known by number alone") && !said.all().contains("index."), "{}", said.all());
}

#[test]
fn a_certificate_known_by_its_number_is_no_damage_to_doctor_and_backups() {
    let home = Home::new();
    demo_ca(&home);
    home.ca(&["import", "openssl", "demoCA", "--as", "old"]).ok();
    examined(home.ca(&["doctor"]));
    home.ca(&["revoke", "old/03"]).ok();
    examined(home.ca(&["doctor", "--deep"]));

    home.ca(&["backup", "create", "b.age"]).ok();
    home.ca(&["backup", "verify", "b.age"]).ok();
    sh(
        &home,
        "mkdir seen; cp -r home/public home/issued home/status seen; cp home/keys/old.age .; mv home lost",
    );
    home.ca(&["backup", "restore", "b.age", "--published", "seen"]).ok();
    sh(&home, "cp old.age home/keys/old.age");
    home.ca(&["crl", "publish", "--all"]).ok();
    home.ca(&["ocsp", "responder", "--due"]).ok();
    home.ca(&["backup", "accept", "--yes"]).ok();
    examined(home.ca(&["doctor", "--deep"]));
    let revoked = home.result(&["list", "-p", "old", "--status", "revoked"]);
    assert_eq!(revoked["certificates"].as_array().unwrap().len(), 2, "{revoked}");
}
