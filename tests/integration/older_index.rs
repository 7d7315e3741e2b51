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
