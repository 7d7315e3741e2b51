//! `list` with its filters, and `export`.
use crate::refused;
use crate::support::Home;
use std::fs;

fn subjects(home: &Home, words: &[&str]) -> Vec<String> {
    let said = home.ca(&[&["list", "--json"], words].concat());
    assert!([0, 12].contains(&said.status), "{}", said.all());
    let list = said.json()["result"]["certificates"].as_array().unwrap().clone();
    list.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn list_filters_by_ca_status_end_subject_and_profile() {
    // G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (name, days) in [("a.example", "20"), ("b.example", "300"), ("c.example", "20")] {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system", "-v", days]).ok();
    }
    home.ca(&["revoke", "c.example"]).ok();
    home.ca(&["hold", "b.example"]).ok();
    assert_eq!(subjects(&home, &["--status", "revoked"]), ["CN=c.example"]);
    assert_eq!(subjects(&home, &["--status", "held"]), ["CN=b.example"]);
    assert_eq!(subjects(&home, &["--status", "expired"]), Vec::<String>::new());
    assert_eq!(subjects(&home, &["--subject", "?.example", "--status", "valid"]), ["CN=a.example"]);
    assert_eq!(subjects(&home, &["-p", "genfic-system", "--profile", "system"]).len(), 3);
    assert_eq!(subjects(&home, &["-p", "genfic"]).len(), 3, "the root and two CAs");
    assert_eq!(subjects(&home, &["--profile", "ocsp-responder", "--expiring", "60d"]).len(), 2);
    refused(&home.ca(&["list", "-p", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["list", "--expiring", "soon"]), 2, "usage");
    refused(&home.ca(&["list", "--status", "revokd"]), 2, "usage");
}

#[test]
fn list_expiring_is_exit_12_only_for_what_somebody_has_to_renew() {
    // G10: responders renew themselves
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let none = home.ca(&["list", "--expiring", "60d"]);
    assert_eq!(none.status, 0, "{}", none.all());
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system", "-v", "20"]).ok();
    let some = home.ca(&["list", "--expiring", "30d"]);
    assert_eq!((some.status, some.err.as_str()), (12, ""), "{}", some.all());
    assert!(some.out.contains("a.example") && !some.out.contains("ocsp-responder"), "{}", some.out);
    assert_eq!(home.ca(&["list", "--expiring", "10d"]).status, 0);
}

#[test]
fn what_ends_is_listed_soonest_first_without_what_is_replaced_or_is_no_leaf() {
    // G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (name, ca, days) in [
        ("c.example", "genfic-system", "20"),
        ("b.example", "genfic-user", "25"),
        ("a.example", "genfic-system", "10"),
    ] {
        home.ca(&["create-request", name, "--sign", "-p", ca, "-v", days]).ok();
    }
    let ending = ["list", "--expiring", "30d"];
    let said = home.ca(&[&ending[..], &["--json"]].concat());
    assert_eq!(said.status, 12, "{}", said.all());
    let result = said.json()["result"].clone();
    let subjects: Vec<&str> = result["certificates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["subject"].as_str().unwrap())
        .collect();
    assert_eq!(subjects, ["CN=a.example", "CN=c.example", "CN=b.example"]);
    let first = &result["certificates"][0];
    assert!(first["days_left"] == 9 || first["days_left"] == 10, "{first}");
    assert_eq!(first["type"], "leaf");
    let responders = ", 2 of responders, which renew themselves (--type responder)";
    assert_eq!(result["left_out"].to_string(), r#"{"replaced":0,"ca":0,"responder":2}"#);
    home.ca(&["renew", "a.example"]).ok();
    let table = home.ca(&ending);
    assert_eq!(table.status, 12);
    assert!(!table.out.contains("a.example") && table.out.contains("CN=c.example"), "{}", table.out);
    let heading = table.out.lines().next().unwrap();
    assert_eq!(heading.split_whitespace().nth(3), Some("DAYS"), "{heading}");
    let last = table.out.lines().last().unwrap();
    assert_eq!(last, format!("left out: 1 replaced by newer ones{responders}"));
    home.ca(&["renew", "c.example"]).ok();
    home.ca(&["revoke", "b.example"]).ok();
    let done = home.ca(&ending);
    assert_eq!(done.status, 0, "nothing needs doing: {}", done.all());
    let far = home.ca(&["list", "--expiring", "9000d"]).out;
    assert!(far.ends_with(&format!("3 of CAs (--type ca){responders}\n")), "{far}");
    let lines = home.ca(&["list", "--expiring", "30d", "--csv"]).ok().out;
    assert!(lines.lines().count() == 1 && lines.ends_with("issuer_revoked,type,days_left\r\n"), "{lines}");
}

#[test]
fn list_tells_leaves_from_cas_and_responders() {
    // G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system"]).ok();
    assert_eq!(subjects(&home, &["--type", "leaf"]), ["CN=a.example"]);
    assert_eq!(subjects(&home, &["--type", "ca"]).len(), 3);
    assert_eq!(subjects(&home, &["--type", "responder"]).len(), 2);
    assert_eq!(subjects(&home, &["--type", "responder", "--expiring", "60d"]).len(), 2);
    refused(&home.ca(&["list", "--type", "leaves"]), 2, "usage");
    for (period, meant) in [("1m", "`1mo` for months, `1min` for minutes"), ("soon", "`soon` is not")] {
        let said = home.ca(&["list", "--expiring", period]);
        refused(&said, 2, "usage");
        assert!(said.err.contains(meant), "{}", said.err);
    }
    assert_eq!(home.ca(&["list", "--expiring", "1mo"]).status, 0);
    refused(&home.ca(&["renew", "a.example", "--expiring", "1m"]), 2, "usage");
}

#[test]
fn a_subject_is_compared_as_a_whole_and_the_wide_list_has_fingerprints() {
    // G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let made = home.result(&["create-request", "Bea Smith", "--sign", "-p", "genfic-user"]);
    let fingerprint = made["certificates"][0]["fingerprint"].as_str().unwrap();
    let none = home.ca(&["list", "--subject", "bea"]).ok();
    assert_eq!(none.out, "no certificate matches\n");
    assert_eq!(
        none.err,
        "warning: `bea` is compared with whole names: --subject '*bea*' finds what contains it, as bea smith\n"
    );
    let none = home.ca(&["list", "--subject", "smith", "--json"]).ok().json();
    assert_eq!(none["result"]["certificates"].to_string(), "[]", "nothing else is found: {none}");
    assert_eq!(none["warnings"].as_array().unwrap().len(), 1, "{none}");
    assert_eq!(subjects(&home, &["--subject", "BEA SMITH"]), ["CN=Bea Smith"]);
    assert_eq!(home.ca(&["list", "--subject", "*none*"]).ok().err, "");
    let wide = home.ca(&["list", "--wide", "--subject", "*bea*"]).ok().out;
    assert!(wide.contains("FINGERPRINT") && wide.contains(fingerprint), "{wide}");
    assert!(!home.ca(&["list"]).ok().out.contains("sha256:"));
    assert!(home.ca(&["show", "Bea Smith"]).ok().out.contains(&fingerprint["sha256:".len()..]));
}

#[test]
fn index_txt_is_what_openssl_reads() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "a.example", "--sign", "-p", "genfic-system"]).ok();
    home.ca(&["revoke", "a.example", "--reason", "superseded"]).ok();
    let printed = home.ca(&["export", "index-txt", "genfic-system"]).ok().out;
    assert!(
        printed.lines().any(|line| line.starts_with("R\t") && line.contains(",superseded\t")),
        "{printed}"
    );
    home.ca(&["export", "index-txt", "genfic-system", "-o", "index.txt"]).ok();
    assert_eq!(std::fs::read_to_string(home.path("index.txt")).unwrap(), printed);
    refused(&home.ca(&["export", "index-txt", "none"]), 5, "authority.not-found");
    refused(&home.ca(&["export", "index-txt", "genfic", "-o", "none/index.txt"]), 5, "file.directory");
}

/// More than the table measures its columns by.
const MANY: usize = 1100;

#[test]
fn long_lists_are_whole_and_in_order_in_every_form() {
    // G10: rows in the order of issuing, first to last
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let names: Vec<String> = (0..MANY).map(|at| format!("n{at:04}.example")).collect();
    fs::create_dir(home.path("requests")).unwrap();
    for name in &names {
        let key = genfic_ca::signing::SubscriberKey::generate(genfic_ca::x509::KeyAlgorithm::P256).unwrap();
        let subject = genfic_ca::x509::Name::parse(&format!("CN={name}")).unwrap();
        let alternative = [genfic_ca::x509::GeneralName::Dns(name.clone())];
        let der = key.request(&subject, &alternative).unwrap();
        let text = genfic_ca::x509::pem::encode("CERTIFICATE REQUEST", &der);
        fs::write(home.path("requests").join(format!("{name}.req")), text).unwrap();
    }
    let files: Vec<String> = names.iter().map(|name| format!("requests/{name}.req")).collect();
    let words: Vec<&str> =
        ["sign", "-p", "genfic-system"].into_iter().chain(files.iter().map(String::as_str)).collect();
    home.ca(&words).ok();
    let expected: Vec<String> = names.iter().map(|name| format!("CN={name}")).collect();
    let only = ["-p", "genfic-system", "--profile", "system"];
    assert_eq!(subjects(&home, &only), expected);
    let lines = home.ca(&[&["list", "--jsonl"], &only[..]].concat()).ok().out;
    let of_lines: Vec<String> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["subject"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(of_lines, expected);
    let table = home.ca(&[&["list"], &only[..]].concat()).ok().out;
    let of_table: Vec<&str> =
        table.lines().skip(1).map(|line| line.split_whitespace().nth(4).unwrap()).collect();
    assert_eq!(of_table, expected);
    home.shell("genfic-ca list --csv -p genfic-system --profile system > list.csv").ok();
    let read = "import csv; print('\\n'.join(row['subject'] for row in csv.DictReader(open('list.csv', newline=''))))";
    let of_csv = home.run(&["python3", "-c", read]).ok().out;
    assert_eq!(of_csv.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn csv_has_the_fields_of_json_and_keeps_commas_and_formulas_in_their_cells() {
    // G10
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&[
        "create-request",
        "a.example",
        "--san",
        "DNS:a.example",
        "--san",
        "IP:192.0.2.1",
        "--sign",
        "-p",
        "genfic-system",
        "--contact",
        "=cmd@b.example",
    ])
    .ok();
    home.ca(&["revoke", "a.example", "--reason", "superseded"]).ok();
    home.shell("genfic-ca list --csv --subject 'CN=a.example' > one.csv; genfic-ca list --csv > all.csv; genfic-ca list --csv --subject none > none.csv").ok();
    let text = fs::read_to_string(home.path("one.csv")).unwrap();
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    let read = "import csv, json; print(json.dumps(list(csv.DictReader(open('one.csv', newline='')))[0]))";
    let row: serde_json::Value = serde_json::from_str(&home.run(&["python3", "-c", read]).ok().out).unwrap();
    let value = &home.result(&["list", "--subject", "CN=a.example"])["certificates"][0];
    for field in [
        "issuer",
        "serial",
        "status",
        "subject",
        "not_before",
        "not_after",
        "profile",
        "revoked_at",
        "reason",
        "fingerprint",
        "file",
    ] {
        assert_eq!(row[field], value[field], "{field}");
    }
    assert_eq!(row["san"], "DNS:a.example; IP:192.0.2.1");
    assert_eq!(row["contact"], "'=cmd@b.example");
    assert!(
        fs::read_to_string(home.path("all.csv"))
            .unwrap()
            .contains("\"C=BE, O=Gentoo Fictional\\, Inc., CN=genfic\"")
    );
    assert!(fs::read_to_string(home.path("none.csv")).unwrap().starts_with("issuer,serial,"));
    assert_eq!(home.ca(&["list", "--jsonl", "--subject", "none"]).ok().out, "");
    refused(&home.ca(&["list", "--csv", "--jsonl"]), 2, "usage");
    assert_eq!(home.ca(&["list", "--csv", "--expiring", "9000d", "--type", "ca"]).status, 12);
}
