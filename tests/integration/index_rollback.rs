//! An index that is an older copy: nothing is published that takes a revocation back.
use crate::support::Home;

/// A home whose index forgot that p was revoked, and the lines that put the newer one back.
fn forgetful(more: &str) -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example").copied();
    home.shell(&format!(
        "for name in p q; do genfic-ca create-request $name.example --sign -p genfic-system; done
         sqlite3 home/index.db '.backup old.db'
         genfic-ca revoke p.example --reason key-compromise
         rm -f home/index.db-*; cp old.db home/index.db
         {more}"
    ))
    .ok();
    home
}

fn lists_p(home: &Home) -> bool {
    let serial = home.run(&["openssl", "x509", "-in", "p.example.crt", "-noout", "-serial"]).ok().out;
    let serial = serial.trim().trim_start_matches("serial=").to_owned();
    let list =
        home.run(&["openssl", "crl", "-in", "home/public/genfic-system.crl", "-noout", "-text"]).ok().out;
    list.contains(&serial)
}

#[test]
fn marks_and_requests_stay_where_programs_of_before_look_until_the_index_keeps_those_out() {
    // C1
    let home = Home::with_hierarchy("http://pki.genfic.example").copied();
    home.ca(&["create-child", "far", "--csr-only", "--profile", "user-ca"]).ok();
    let version = home.shell("sqlite3 home/index.db 'pragma user_version'").ok().out;
    home.shell(
        "cd home/keys; mv genfic.mark genfic.crlnumber; mv ../requests/far.waiting .
         sqlite3 ../index.db 'pragma user_version = 99'",
    )
    .ok();
    let before = |there: bool| {
        assert_eq!(home.path("home/keys/genfic.crlnumber").exists(), there);
        assert_eq!(home.path("home/keys/far.waiting").exists(), there);
    };
    assert_ne!(home.ca(&["crl", "publish", "genfic"]).status, 0);
    before(true);
    home.shell(&format!("sqlite3 home/index.db 'pragma user_version = {}'", version.trim())).ok();
    home.ca(&["crl", "publish", "genfic"]).ok();
    before(false);
    assert!(home.path("home/keys/genfic.mark").exists() && home.path("home/requests/far.waiting").exists());
}

#[test]
fn no_crl_is_published_from_an_index_that_is_an_older_copy() {
    // C1, C7
    for lost in ["", "rm home/status/*"] {
        let home = forgetful(lost);
        for words in [
            &["crl", "publish", "genfic-system"][..],
            &["crl", "publish", "--all"],
            &["revoke", "q.example"],
            &["hold", "q.example"],
        ] {
            let said = home.ca(words);
            assert_ne!(said.status, 0, "{lost} {words:?} {}", said.all());
            assert!(
                said.all().contains("older copy") || said.status != 13,
                "{lost} {words:?} {}",
                said.all()
            );
            assert!(lists_p(&home), "{lost} {words:?}");
        }
        assert_eq!(home.ca(&["crl", "publish", "genfic-system"]).status, 13);
    }
}
