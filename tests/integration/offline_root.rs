//! A CA's key on media that are locked up: moved there, used from there, brought back.
use crate::support::{Home, Said, killing};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Homes with a root and two CAs, and a directory in which media are mounted.
fn hierarchy() -> Home {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    fs::create_dir(home.path("media")).unwrap();
    home
}

fn exported() -> Home {
    let home = hierarchy();
    home.ca(&["key", "export-bundle", "genfic", "--to", "media/a", "--to", "media/b"]).ok();
    home
}

fn is_here(home: &Home, name: &str) -> bool {
    home.path(&format!("home/keys/{name}.age")).exists()
}

fn days_of_crl(home: &Home, name: &str) -> i64 {
    let file = format!("home/public/{name}.crl.pem");
    let times = home.run(&["openssl", "crl", "-in", &file, "-noout", "-lastupdate", "-nextupdate"]).ok().out;
    let seconds = |row: &str| {
        let date = row.split_once('=').unwrap().1;
        home.run(&["date", "+%s", "-d", date]).ok().out.trim().parse::<i64>().unwrap()
    };
    let times: Vec<i64> = times.lines().map(seconds).collect();
    (times[1] - times[0]) / 86_400
}

#[test]
fn the_key_of_a_root_goes_to_two_media_and_what_does_not_need_it_goes_on() {
    // G6
    let home = hierarchy();
    let result = home.result(&["key", "export-bundle", "genfic", "--to", "media/a", "--to", "media/b"]);
    assert_eq!((&result["removed"], &result["opened"]), (&Value::Bool(true), &Value::Bool(true)));
    assert!(!is_here(&home, "genfic") && is_here(&home, "genfic-system"));
    for medium in ["media/a", "media/b"] {
        for file in
            ["genfic.age", "genfic.mark", "genfic.pem", "genfic.crl", "README.txt", "policy/root-ca.toml"]
        {
            let path = home.path(medium).join(file);
            let mode =
                fs::metadata(&path).unwrap_or_else(|error| panic!("{file}: {error}")).permissions().mode();
            assert_eq!(mode & 0o077, 0, "{file}");
        }
        // what a stranger does with it
        home.run(&[
            "sh",
            "-ec",
            &format!(
                "cd {medium}; sed -n '/^.files/,$s/\"\\(.*\\)\" = \"\\(.*\\)\"/\\2  \\1/p' \
            bundle.toml | sha256sum --check --strict"
            ),
        ])
        .ok();
    }
    let chain =
        home.run(&["openssl", "crl", "-in", "media/a/genfic.crl", "-CAfile", "media/a/genfic.pem", "-noout"]);
    assert!(chain.ok().all().contains("verify OK"));

    // the other CAs issue and revoke, the root cannot
    home.ca(&["create-request", "w.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["revoke", "w.example"]).ok();
    let refused = home.ca(&["crl", "publish", "genfic"]);
    assert_eq!(refused.status, 8, "{}", refused.all());
    assert!(refused.err.contains("kept offline") && refused.err.contains("--keys DIR"), "{}", refused.err);
    assert!(refused.err.contains("key.offline"), "{}", refused.err);

    // the record, doctor and the lists know
    assert_eq!(home.result(&["show", "genfic"])["key_offline"], Value::Bool(true));
    let listed = home.result(&["authorities"]);
    let row = |name: &str| {
        listed["authorities"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone()
    };
    assert_eq!(
        (&row("genfic")["key_offline"], &row("genfic-system")["key_offline"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
    let status = home.ca(&["status"]);
    assert!(status.out.contains("key of genfic is offline"), "{}", status.all());
    let doctor = home.ca(&["doctor"]);
    assert!(doctor.out.contains("on media outside of this home"), "{}", doctor.all());
}

#[test]
fn a_key_on_a_medium_signs_for_one_command_and_its_mark_goes_with_it() {
    // G6, C1
    let home = exported();
    let before = fs::read_to_string(home.path("media/a/genfic.mark")).unwrap();
    home.ca(&["crl", "publish", "genfic", "--keys", "media/a"]).ok();
    let mark = |place: &str| fs::read_to_string(home.path(place)).unwrap().trim().parse::<u64>().unwrap();
    assert_eq!(mark("media/a/genfic.mark"), before.trim().parse::<u64>().unwrap() + 1);
    assert_eq!(mark("home/keys/genfic.mark"), mark("media/a/genfic.mark"));
    // the other one is a number behind, and the record makes up for it
    let second = home.result(&["crl", "publish", "genfic", "--keys", "media/b"]);
    assert_eq!(second["crls"][0]["number"].as_u64().unwrap(), mark("media/a/genfic.mark") + 1);
    home.ca(&["create-child", "genfic-more", "-p", "genfic", "--profile", "user-ca", "--keys", "media/b"])
        .ok();
    home.ca(&["renew-ca", "genfic-system", "--keys", "media/a"]).ok();
    assert!(!is_here(&home, "genfic"));
    let verified = ["openssl", "verify", "-CAfile", "home/public/genfic.pem", "home/public/genfic-more.pem"];
    home.run(&verified).ok();
    let nothing = home.ca(&["crl", "publish", "genfic", "--keys", "media/none"]);
    assert_eq!(nothing.status, 5, "{}", nothing.all());
    fs::create_dir(home.path("empty")).unwrap();
    fs::set_permissions(home.path("empty"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(home.ca(&["crl", "publish", "genfic", "--keys", "empty"]).status, 8);
}

#[test]
fn a_ca_whose_key_leaves_has_lists_and_a_responder_that_last() {
    // X10, C8, O7
    let home = hierarchy();
    assert_eq!(days_of_crl(&home, "genfic-system"), 7);
    home.ca(&["key", "export-bundle", "genfic-system", "--to", "media/a"]).ok();
    assert_eq!(days_of_crl(&home, "genfic-system"), 400);
    let responder = "home/ocsp/genfic-system/responder.pem";
    let year = 365 * 86_400;
    home.run(&["openssl", "x509", "-in", responder, "-noout", "-checkend", &year.to_string()]).ok();
    // the root's certificates name its CRL and its certificate only
    let text =
        home.run(&["openssl", "x509", "-in", "home/public/genfic-system.pem", "-noout", "-text"]).ok().out;
    assert!(text.contains("CA Issuers - URI:") && !text.contains("OCSP - URI:"), "{text}");
    let setting = fs::read_to_string(home.path("home/genfic-ca.toml")).unwrap();
    fs::write(home.path("home/genfic-ca.toml"), setting + "\n[authority.genfic-user]\noffline = false\n")
        .unwrap();
    let denied = home.ca(&["key", "export-bundle", "genfic-user", "--to", "media/b"]);
    assert_eq!(denied.status, 7, "{}", denied.all());
    assert!(is_here(&home, "genfic-user") && !home.path("media/b").exists());
}

#[test]
fn a_key_comes_back_from_its_medium() {
    // G6
    let home = exported();
    home.ca(&["crl", "publish", "genfic", "--keys", "media/a"]).ok();
    home.ca(&["key", "import-bundle", "genfic", "--from", "media/b"]).ok();
    home.ca(&["crl", "publish", "genfic"]).ok();
    assert!(is_here(&home, "genfic"));
    assert_eq!(home.result(&["show", "genfic"])["key_offline"], Value::Bool(false));
    assert_ne!(home.ca(&["key", "import-bundle", "genfic", "--from", "media/b"]).status, 0);
    // and goes once more; a medium that has it already is no obstacle
    home.ca(&["key", "export-bundle", "genfic", "--to", "media/a"]).ok();
    assert!(!is_here(&home, "genfic"));
    // one more copy is made from a medium
    home.ca(&["key", "export-bundle", "genfic", "--to", "media/c", "--keys", "media/a"]).ok();
    home.ca(&["crl", "publish", "genfic", "--keys", "media/c"]).ok();
}

#[test]
fn a_medium_with_another_key_or_none_that_opens_removes_nothing() {
    let home = hierarchy();
    let other = Home::with_hierarchy("http://pki.genfic.example");
    other.ca(&["key", "export-bundle", "genfic", "--to", home.path("media/a").to_str().unwrap()]).ok();
    let refused = home.ca(&["key", "export-bundle", "genfic", "--to", "media/a"]);
    assert_eq!(refused.status, 4, "{}", refused.all());
    let words = ["key", "export-bundle", "genfic", "--to", "media/b", "--passphrase-from", "env:WRONG"];
    let refused = Said::of(home.command(&words).env("WRONG", "not it").output().unwrap());
    assert_eq!(refused.status, 8, "{}", refused.all());
    assert!(is_here(&home, "genfic"));
    assert_eq!(home.result(&["show", "genfic"])["key_offline"], Value::Bool(false));
    // sealed, nobody is asked
    let words =
        ["key", "export-bundle", "genfic", "--to", "media/b", "--sealed", "--passphrase-from", "env:WRONG"];
    let sealed = Said::of(home.command(&words).output().unwrap()).ok();
    assert!(
        sealed.out.contains("read back and compared:") && sealed.all().contains("file system"),
        "{}",
        sealed.all()
    );
    assert!(!is_here(&home, "genfic"));
}

#[cfg(debug_assertions)]
#[test]
fn killed_at_each_step_the_key_is_in_one_place_at_least_and_the_command_does_the_rest() {
    // G6
    let home = hierarchy().copied();
    let words = ["key", "export-bundle", "genfic", "--to", "media/a", "--to", "media/b"];
    let points = killing::killed_at_each(
        &home,
        |home| home.command(&words),
        |copy, _, (_, step)| {
            let opens = |file: &Path| {
                fs::read(file)
                    .is_ok_and(|octets| octets == fs::read(home.path("home/keys/genfic.age")).unwrap())
            };
            let places = ["home/keys/genfic.age", "media/a/genfic.age", "media/b/genfic.age"];
            let whole = places.iter().filter(|place| opens(&copy.path(place))).count();
            assert!(whole >= 1, "{step}");
            // the old state or the new one
            let offline = copy.result(&["show", "genfic"])["key_offline"] == Value::Bool(true);
            match offline {
                false => drop(copy.ca(&["crl", "publish", "genfic"]).ok()),
                true => drop(copy.ca(&["crl", "publish", "genfic", "--keys", "media/b"]).ok()),
            }
            copy.ca(&words).ok();
            assert!(!is_here(copy, "genfic"), "{step}");
            copy.ca(&["crl", "publish", "genfic", "--keys", "media/a"]).ok();
        },
    );
    assert!(points[0] > 20 && points[1] >= 2, "{points:?}");
}

#[cfg(debug_assertions)]
#[test]
fn a_full_medium_leaves_the_key_here() {
    // G6
    use crate::crash::mounts::{Disk, are_our_own};
    if !are_our_own("offline_root::a_full_medium_leaves_the_key_here") {
        return;
    }
    let home = hierarchy();
    fs::create_dir(home.path("media/full")).unwrap();
    let disk = Disk::over(&home.path("media/full"), 16);
    let place = disk.path().join("genfic");
    let refused = home.ca(&["key", "export-bundle", "genfic", "--to", place.to_str().unwrap()]);
    assert_eq!(refused.status, 1, "{}", refused.all());
    assert!(refused.err.contains("medium.full") && is_here(&home, "genfic"), "{}", refused.all());
    home.ca(&["crl", "publish", "genfic"]).ok();
}

/// A CRL of the root that OpenSSL signs with a copy of its key: of this number, with these serial numbers.
fn signed_elsewhere(home: &Home, number: u64, serials: &[&str], more: &str) -> String {
    let rows: String = serials
        .iter()
        .map(|serial| format!("R\t401231235959Z\t260101000000Z\t{}\tunknown\t/CN=x\n", serial.to_uppercase()))
        .collect();
    fs::write(home.path("index.txt"), rows).unwrap();
    fs::write(home.path("index.txt.attr"), "unique_subject = no\n").unwrap();
    let config = "[ca]\ndefault_ca = a\n[a]\ndatabase = index.txt\ncrlnumber = number\ndefault_md = sha256\n\
        default_crl_days = 90\ncrl_extensions = e\n[e]\nauthorityKeyIdentifier = keyid\n";
    fs::write(home.path("ca.cnf"), config).unwrap();
    let number = format!("{number:x}");
    let padded = if number.len() % 2 == 1 { format!("0{number}") } else { number };
    fs::write(home.path("number"), padded + "\n").unwrap();
    let make = format!(
        "openssl ca -config ca.cnf -gencrl -keyfile elsewhere.key -cert home/public/genfic.pem -out elsewhere.crl {more}"
    );
    home.run(&["sh", "-ec", &make]).ok();
    "elsewhere.crl".into()
}

#[test]
fn a_crl_that_was_signed_elsewhere_is_taken_in_and_never_an_older_one() {
    // G6, C1, K3
    let home = hierarchy();
    fs::write(home.path("elsewhere.key"), home.ca_key_pem("genfic")).unwrap();
    let early = signed_elsewhere(&home, 90, &[], "");
    let refused = home.ca(&["crl", "import", "genfic", &early]);
    assert_eq!((refused.status, refused.err.contains("crl.signed-here")), (7, true), "{}", refused.all());
    home.ca(&["key", "export-bundle", "genfic", "--to", "media/a"]).ok();
    let number = home.result(&["status"])["authorities"][0]["crl"]["number"].as_u64().unwrap();
    let user = home.result(&["show", "genfic-user"])["serial"].as_str().unwrap().to_owned();

    // one that revokes a CA, and a certificate that nobody knows here
    let list = signed_elsewhere(&home, number + 5, &[&user, "0a77"], "");
    let taken = home.result(&["crl", "import", "genfic", &list]);
    assert_eq!((taken["number"].as_u64(), &taken["entries"]), (Some(number + 5), &Value::from(2)));
    assert_eq!(taken["recorded"], serde_json::json!({ "revoked": 1, "serial_only": 1 }));
    assert_eq!(
        home.result(&["list", "-p", "genfic", "--status", "revoked"])["certificates"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let der = fs::read(home.path("home/public/genfic.crl")).unwrap();
    home.run(&["openssl", "crl", "-in", "elsewhere.crl", "-outform", "DER", "-out", "given.der"]).ok();
    assert_eq!(der, fs::read(home.path("given.der")).unwrap());
    let daemon = home.daemon("127.0.0.1:0");
    let url = format!("{}/genfic.crl", daemon.url);
    home.run(&["curl", "-sSf", &url, "-o", "served.der"]).ok();
    assert_eq!(der, fs::read(home.path("served.der")).unwrap());
    // the same again changes nothing; an older one, and the same number for another one, are refused
    assert_eq!(
        home.ca(&["crl", "import", "genfic", &list, "--json"]).ok().json()["changed"],
        Value::Bool(false)
    );
    let refused = |number, serials: &[&str], more: &str, status, code: &str| {
        let list = signed_elsewhere(&home, number, serials, more);
        let said = home.ca(&["crl", "import", "genfic", &list]);
        assert_eq!((said.status, said.err.contains(code)), (status, true), "{code}: {}", said.all());
        assert_eq!(der, fs::read(home.path("home/public/genfic.crl")).unwrap());
    };
    refused(number + 1, &[&user, "0a77"], "", 13, "crl.older");
    refused(number + 5, &[&user, "0a77", "0a78"], "", 13, "crl.older");
    refused(number + 6, &["0a77"], "", 13, "crl.drops-entries");
    refused(
        number + 6,
        &[&user, "0a77"],
        "-crl_lastupdate 20200101000000Z -crl_nextupdate 20200301000000Z",
        7,
        "crl.dates",
    );
    refused(
        number + 6,
        &[&user, "0a77"],
        "-crl_lastupdate 20990101000000Z -crl_nextupdate 20990301000000Z",
        7,
        "crl.dates",
    );
    let said = home.ca(&["crl", "import", "genfic-system", "elsewhere.crl"]);
    assert_eq!((said.status, said.err.contains("crl.signed-here")), (7, true), "{}", said.all());

    // what is revoked here afterwards is owed, and one that lacks it stays so
    home.ca(&["revoke-ca", "genfic-system", "--yes"]);
    let list = signed_elsewhere(&home, number + 7, &[&user, "0a77"], "");
    let taken = home.ca(&["crl", "import", "genfic", &list]).ok();
    assert!(taken.all().contains("it lacks what is revoked here"), "{}", taken.all());
    let system = home.result(&["show", "genfic-system"])["serial"].as_str().unwrap().to_owned();
    let owed = home.ca(&["doctor"]);
    assert!(owed.out.contains("lacks 1 revoked certificate"), "{}", owed.all());
    let list = signed_elsewhere(&home, number + 8, &[&user, "0a77", &system], "");
    home.ca(&["crl", "import", "genfic", &list]).ok();
    let found = home.ca(&["doctor"]);
    assert!(
        !found.out.contains("revoked certificate,") && !found.out.contains("unknown-file"),
        "{}",
        found.all()
    );
    // the medium signs above all of that
    let next = home.result(&["crl", "publish", "genfic", "--keys", "media/a"]);
    assert_eq!(next["crls"][0]["number"].as_u64(), Some(number + 9));
}
