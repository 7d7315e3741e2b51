//! Ceremonies years later: a medium that lay in its safe meanwhile, and the next key of the root.
use crate::ceremony::{offline, refused, request, sign};
use std::fs;

#[test]
fn a_medium_that_lay_in_its_safe_for_a_year_takes_over_what_the_other_one_signed() {
    // G6, K3, C1
    let home = offline();
    let year_ago = home.copied();
    let on_day = |day: u32, words: &str| home.shell(&format!("faketime -f +{day}d genfic-ca {words}"));
    let held = |day: u32, number: u32, medium: &str, more: &str| {
        let file = format!("{number}.toml");
        on_day(day, "clock accept --yes").ok();
        on_day(day, &format!("ceremony request genfic -o {file} {more}")).ok();
        sign(&home, &file, medium).ok();
        on_day(day, &format!("ceremony import {file}.{medium}.answer")).ok();
    };
    held(90, 1, "a", "--renew genfic-system");
    on_day(100, "revoke-ca genfic-user --yes");
    held(180, 2, "a", "");
    held(365, 3, "a", "--renew genfic");
    let of = |medium: &str, ending: &str| {
        fs::read_to_string(home.path(&format!("media/{medium}/genfic.{ending}"))).unwrap_or_default()
    };
    let mark = |medium: &str| of(medium, "mark").trim().parse::<u64>().unwrap();
    assert!(mark("a") > mark("b") && of("b", "history").is_empty());
    // the other one was never used
    held(366, 4, "b", "--renew genfic-system");
    let (longer, shorter) = (of("b", "history"), of("a", "history"));
    let entries = |text: &str| text.matches("sha256 = ").count();
    assert!(entries(&longer) > entries(&shorter) && entries(&shorter) > 3, "{longer}");
    assert!(mark("b") > mark("a"));
    let user = home.result(&["show", "genfic-user"])["serial"].as_str().unwrap().to_uppercase();
    let list = ["openssl", "crl", "-inform", "DER", "-in", "media/b/genfic.crl", "-noout", "-text"];
    assert!(home.run(&list).ok().out.contains(&user), "it lists what was revoked while it lay there");
    // neither signs for a home that knows less than itself, however new its request is
    request(&year_ago, "old.toml", &["--renew", "genfic-system"]);
    fs::copy(year_ago.path("old.toml"), home.path("old.toml")).unwrap();
    for medium in ["a", "b"] {
        refused(&sign(&home, "old.toml", medium), 13, "ceremony.behind");
    }
    // nor does one that has signed more than the request knows, as with --keys
    let copy = format!("{}/home", home.directory().display());
    home.shell(&format!("cp -a {copy} before")).ok();
    on_day(367, "clock accept --yes").ok();
    on_day(367, "crl publish genfic --keys media/b").ok();
    home.shell("GENFIC_CA_HOME=$PWD/before faketime -f +368d genfic-ca clock accept --yes").ok();
    let behind = "GENFIC_CA_HOME=$PWD/before faketime -f +368d genfic-ca ceremony request genfic -o 5.toml";
    home.shell(behind).ok();
    refused(&sign(&home, "5.toml", "b"), 13, "ceremony.behind");
    // the one that lay there goes on by a request of the home that knows it
    held(369, 6, "a", "");
    assert!(mark("a") > mark("b"));
    held(370, 7, "b", "");
}

#[test]
fn an_offline_root_certifies_another_root_and_its_own_next_generation_in_a_ceremony() {
    // G6, X2
    let home = offline();
    let partner = "openssl req -x509 -newkey ed25519 -nodes -keyout partner.key -out partner.pem -days 3000 \
        -subj /C=BE/O=Partner/CN=Partner -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
        -addext keyUsage=critical,keyCertSign,cRLSign";
    home.shell(partner).ok();
    // a new key of the root is made here without the old one
    home.ca(&["renew-ca", "genfic", "--rekey", "--no-links"]).ok();
    let words = ["--cross", "partner.pem", "--cross", "genfic-g2", "--why", "a new key, and a partner"];
    let asked = request(&home, "r.toml", &words);
    assert_eq!(asked["items"].as_array().unwrap().len(), 3, "{asked}");
    sign(&home, "r.toml", "a").ok();
    home.ca(&["ceremony", "import", "r.toml.a.answer"]).ok();
    // who trusts the old root alone
    let verified = |root: &str, file: &str| {
        home.run(&["openssl", "verify", "-x509_strict", "-CAfile", root, file]).ok();
    };
    verified("home/public/genfic.pem", "home/public/genfic-g2.crossed.pem");
    let serial = asked["items"][0]["name"].as_str().unwrap();
    let crossed = home.shell(&format!("ls home/issued/genfic/*{serial}*")).ok().out.trim().to_owned();
    verified("home/public/genfic.pem", &crossed);
    let text = home.run(&["openssl", "x509", "-in", &crossed, "-noout", "-text"]).ok().out;
    assert!(text.contains("O=Partner") || text.contains("O = Partner"), "{text}");
    // and who trusts the new one: its key is here, and the old one is needed for nothing
    let linked = home.result(&["cross-sign", "genfic-g2", "-p", "genfic"]);
    assert!(linked["links"]["old_with_new"]["serial"].is_string(), "{linked}");
    assert!(linked["links"].get("new_with_old").is_none(), "{linked}");
    verified("home/public/genfic-g2.pem", "home/public/genfic.crossed.pem");
    // the other medium goes on; nothing is lacking
    request(&home, "s.toml", &["--renew", "genfic-user"]);
    sign(&home, "s.toml", "b").ok();
    home.ca(&["ceremony", "import", "s.toml.b.answer"]).ok();
    let doctor = home.ca(&["doctor"]);
    assert!(!doctor.out.contains("  error ") && !doctor.out.contains("link"), "{}", doctor.all());
    assert_eq!(home.ca(&["audit", "verify"]).status, 0);
    // what may not be asked for
    let said = home.ca(&["ceremony", "request", "genfic", "-o", "x.toml", "--cross", "genfic"]);
    refused(&said, 7, "authority.itself");
    home.shell("openssl req -x509 -newkey ed25519 -nodes -keyout leaf.key -out leaf.pem -subj /CN=leaf -addext basicConstraints=CA:FALSE").ok();
    let said = home.ca(&["ceremony", "request", "genfic", "-o", "x.toml", "--cross", "leaf.pem"]);
    refused(&said, 7, "authority.not-a-ca");
}
