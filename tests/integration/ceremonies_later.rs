//! Ceremonies years later: a medium that lay in its safe meanwhile, and the next key of the root.
use crate::ceremony::{offline, on_media, refused, request, sign, sign_with};
use crate::support::Home;
use std::collections::BTreeMap;
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
    let generation = asked["items"][1]["generation"].as_str().unwrap();
    assert_eq!(Some(generation), home.result(&["show", "genfic-g2"])["fingerprint"].as_str());
    assert!(asked["items"][0]["generation"].is_null(), "{asked}");
    sign_with(&home, "r.toml", "a", &["--generation", generation]).ok();
    let transcript = fs::read_to_string(home.path("r.toml.a.txt")).unwrap();
    assert!(transcript.contains("KEY ROLLOVER LINK") && transcript.contains(generation), "{transcript}");
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

#[test]
fn the_responder_of_an_offline_root_has_its_next_certificate_from_a_ceremony() {
    // G6, O7
    let home = Home::with_hierarchy("http://pki.genfic.example").copied();
    home.ca(&["ocsp", "enable", "genfic"]).ok();
    let home = on_media(home);
    let keys = || {
        let file = fs::read_to_string(home.path("home/ocsp/genfic/responder.key")).unwrap();
        file.matches("BEGIN PRIVATE KEY").count()
    };
    let certificate = || fs::read(home.path("home/ocsp/genfic/responder.pem")).unwrap();
    let whole = |what: &str| {
        let said = home.ca(&["doctor"]);
        assert!(
            !said.out.contains("  error ") && !said.out.contains("responder.unusable"),
            "{what}: {}",
            said.all()
        );
    };
    let before = certificate();
    // one that is replaced leaves no key behind
    for number in 0..2 {
        home.ca(&["ceremony", "request", "genfic", "-o", &format!("r{number}.toml"), "--responder", "--yes"])
            .ok();
        assert_eq!(keys(), 2, "{number}");
        assert_eq!(certificate(), before, "the old one is in use until the new one is here");
        if number == 0 {
            whole("while it waits");
        }
    }
    sign(&home, "r1.toml", "a").ok();
    let import = ["ceremony", "import", "r1.toml.a.answer"];
    let taken = home.result(&import);
    let serial = taken["responder"].as_str().unwrap().to_owned();
    assert_eq!(keys(), 1, "{taken}");
    whole("afterwards");
    let shown =
        "openssl x509 -in home/ocsp/genfic/responder.pem -noout -serial -ext extendedKeyUsage -pubkey";
    let shown = home.shell(shown).ok().out;
    assert!(
        shown.to_lowercase().contains(&serial.to_lowercase()) && shown.contains("OCSP Signing"),
        "{shown}"
    );
    let own = home.shell("openssl pkey -in home/ocsp/genfic/responder.key -pubout").ok().out;
    assert!(shown.contains(own.trim()), "it is for the key that waited: {shown}");
    home.run(&["openssl", "verify", "-CAfile", "home/public/genfic.pem", "home/ocsp/genfic/responder.pem"])
        .ok();
    refused(&home.ca(&import), 4, "ceremony.answered");
    // without one, nothing is told of it
    request(&home, "s.toml", &[]);
    sign(&home, "s.toml", "a").ok();
    assert!(home.result(&["ceremony", "import", "s.toml.a.answer"])["responder"].is_null());
    // a root without one has one from then on, as by `ocsp responder`
    let home = offline();
    request(&home, "t.toml", &["--responder"]);
    sign(&home, "t.toml", "a").ok();
    let said = home.ca(&["ceremony", "import", "t.toml.a.answer"]).ok();
    assert!(said.err.contains("name its OCSP responder from now on"), "{}", said.all());
    assert!(!home.ca(&["doctor"]).out.contains("  error "));
}

#[test]
fn a_request_that_people_carry_is_replaced_when_the_next_can_be_made_and_somebody_says_yes() {
    // G6
    let home = offline();
    request(&home, "r.toml", &["--renew", "genfic-system"]);
    let again = |more: &[&str]| home.ca(&[&["ceremony", "request", "genfic", "-o", "s.toml"], more].concat());
    refused(&again(&["--renew", "genfic-sytem", "--yes"]), 5, "authority.not-found");
    refused(&again(&["--child", "nobody", "--yes"]), 5, "authority.not-waiting");
    refused(&again(&["--cross", "genfic", "--yes"]), 7, "authority.itself");
    refused(&again(&["--no-crl", "--yes"]), 2, "usage");
    let said = again(&["--renew", "genfic-user"]);
    refused(&said, 9, "input.confirmation");
    assert!(said.err.contains("can be answered until") && said.err.contains("1 certificate"), "{}", said.err);
    assert!(!home.path("s.toml").exists());
    sign(&home, "r.toml", "a").ok();
    home.ca(&["ceremony", "import", "r.toml.a.answer"]).ok();
    // the certificate of one that is replaced is on the list that the next asks for
    let asked = request(&home, "r.toml", &["--renew", "genfic-system"]);
    let serial = asked["items"][0]["name"].as_str().unwrap();
    let said = again(&["--yes"]).ok();
    assert!(said.out.contains("replaces a request"), "{}", said.out);
    let text = fs::read_to_string(home.path("s.toml")).unwrap();
    assert!(text.contains(&format!("revokes {serial}")), "{text}");
    // one that is past its time is replaced without a question
    home.shell("faketime -f +70d genfic-ca clock accept --yes").ok();
    home.shell("faketime -f +70d genfic-ca ceremony request genfic -o t.toml").ok();
}

/// The files of a medium.
fn files(home: &Home, medium: &str) -> BTreeMap<String, Vec<u8>> {
    let all = fs::read_dir(home.path(&format!("media/{medium}"))).unwrap().map(Result::unwrap);
    let files = all.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|one| (one.file_name().into_string().unwrap(), fs::read(one.path()).unwrap())).collect()
}

#[test]
fn a_forged_request_has_the_root_certify_no_key_and_leaves_nothing_on_the_medium() {
    // G6, K3
    let home = offline();
    // who has the account of the CA makes a key in its name, and a request in which all is as it should be
    let thief = home.copied();
    for one in [&thief, &home] {
        one.ca(&["renew-ca", "genfic", "--rekey", "--no-links"]).ok();
    }
    let words = ["--renew", "genfic-user", "--cross", "genfic-g2"];
    let forged = request(&thief, "forged.toml", &words);
    let forged = forged["items"][1]["generation"].as_str().unwrap();
    fs::copy(thief.path("forged.toml"), home.path("forged.toml")).unwrap();
    let asked = home.ca(&[&["ceremony", "request", "genfic", "-o", "r.toml"][..], &words].concat()).ok();
    let own = home.result(&["show", "genfic-g2"])["fingerprint"].as_str().unwrap().to_owned();
    assert!(own != forged && asked.out.contains(&format!("--generation {own}")), "{}", asked.all());

    let before = files(&home, "a");
    for named in [&[][..], &["--generation", &own]] {
        let said = sign_with(&home, "forged.toml", "a", named);
        refused(&said, 7, "ceremony.refused");
        for told in ["no profile and no envelope", &format!("--generation {forged}"), "compare"] {
            assert!(said.err.contains(told), "{told}: {}", said.all());
        }
        assert_eq!(files(&home, "a"), before);
    }
    refused(&sign_with(&home, "r.toml", "a", &["--generation", "sha256:12"]), 2, "64 hexadecimal digits");
    // nobody confirms it
    let words = "ceremony sign r.toml --keys media/a -o x --no-input --date $(date -u +%FT%TZ) --generation";
    let said = home.shell(&format!("genfic-ca {words} {own}"));
    refused(&said, 9, "input.confirmation");
    assert!(said.err.contains("KEY ROLLOVER LINK") && said.err.contains(&own), "{}", said.all());
    assert_eq!(files(&home, "a"), before);
    // the signer refuses something of the same request
    let envelope = home.path("media/a/genfic.envelope.toml");
    let text = fs::read_to_string(&envelope).unwrap();
    let narrow = text.lines().map(|line| match line.starts_with("longest_days = ") {
        true => "longest_days = 1\n".to_owned(),
        false => format!("{line}\n"),
    });
    fs::write(&envelope, narrow.collect::<String>()).unwrap();
    refused(&sign_with(&home, "r.toml", "a", &["--generation", &own]), 7, "signer.envelope");
    let is_link = |name: &String| name.starts_with("key-");
    assert!(!files(&home, "a").keys().any(is_link));
    // the other medium signs it, keeps the certificate, and then wants it named no more
    sign_with(&home, "r.toml", "b", &["--generation", &own]).ok();
    assert!(files(&home, "b").keys().any(is_link));
    home.ca(&["ceremony", "import", "r.toml.b.answer"]).ok();
    request(&home, "s.toml", &["--cross", "genfic-g2"]);
    sign(&home, "s.toml", "b").ok();
}
