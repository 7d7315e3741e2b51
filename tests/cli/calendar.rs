//! `calendar` as text, SVG and iCalendar.
use crate::refused;
use crate::support::{Home, python};

const CHECK: &str = r"
import sys, datetime, icalendar
octets = open(sys.argv[1], 'rb').read()
assert b'\n' not in octets.replace(b'\r\n', b''), 'a bare line feed'
assert all(len(line) <= 75 for line in octets.split(b'\r\n')), 'a line is not folded'
calendar = icalendar.Calendar.from_ical(octets)
assert not calendar.errors, calendar.errors
assert calendar['VERSION'] == '2.0' and calendar['PRODID']
for event in calendar.walk('VEVENT'):
    assert not event.errors, event.errors
    assert event['DTSTART'].dt.tzinfo is not None and event['DTSTAMP'].dt.tzinfo is not None
    alarms = event.walk('VALARM')
    assert alarms and all(alarm['ACTION'] == 'DISPLAY' and alarm['TRIGGER'].dt <= datetime.timedelta(0) for alarm in alarms)
    print(event['UID'], event['DTSTART'].dt.strftime('%Y-%m-%dT%H:%M:%SZ'), event['SUMMARY'], sep='\t')
";

#[test]
fn the_calendar_tells_ends_last_days_crls_and_responders_in_80_columns() {
    // G4, G22
    let home = Home::with_hierarchy("http://pki.genfic.example");
    let text = home.ca(&["calendar"]).ok().out;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    for part in [
        "CA genfic ends",
        "genfic-system: last full-length certificate (system)",
        "CRL of genfic due",
        "responder of genfic-user due",
        "CRL of genfic due, ceremony by ",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let result = home.result(&["calendar"]);
    let entries = result["entries"].as_array().unwrap();
    let crl = |name: &str| {
        entries.iter().find(|entry| entry["what"] == "crl-due" && entry["name"] == name).unwrap()
    };
    let lapses = |name: &str| {
        let all = result["authorities"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["crl"]["ends"].clone()
    };
    assert_eq!(crl("genfic")["ceremony_by"], lapses("genfic"), "its key is kept offline");
    assert!(crl("genfic-user")["ceremony_by"].is_null());
    let times: Vec<&str> = entries.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let ends =
        entries.iter().find(|entry| entry["what"] == "ca-end" && entry["name"] == "genfic-user").unwrap();
    let listed = home.result(&["authorities"]);
    let user =
        listed["authorities"].as_array().unwrap().iter().find(|one| one["name"] == "genfic-user").unwrap();
    assert_eq!(ends["at"], user["not_after"]);
}

#[test]
fn after_the_last_full_day_certificates_end_with_their_issuer() {
    // G4: on one side of it nothing is cut, on the other the end is the issuer's
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-child", "short-system", "-p", "genfic", "-v", "400"]).ok();
    let result = home.result(&["calendar"]);
    let of = |name: &str| {
        let all = result["authorities"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["full_length"]["until"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let now = result["now"].as_str().unwrap().to_owned();
    for (name, is_cut) in
        [("short-system", of("short-system") < now), ("genfic-system", of("genfic-system") < now)]
    {
        let said = home.ca(&["create-request", &format!("{name}.example"), "--sign", "-p", name]).ok();
        assert_eq!(said.err.contains("ends with its issuer"), is_cut, "{name} {}", said.all());
    }
    assert!(of("short-system") < now && of("genfic-system") > now, "{result}");
}

#[test]
fn the_files_are_read_by_other_programs_and_an_event_keeps_its_identifier() {
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["calendar", "--svg", "c.svg", "--ics", "c.ics"]).ok();
    let read = |home: &Home| home.run(&[&python(), "-c", CHECK, "c.ics"]).ok().out;
    let first = read(&home);
    let entries = home.result(&["calendar"])["entries"].as_array().unwrap().len();
    assert_eq!(first.lines().count(), entries, "{first}");
    home.ca(&["crl", "publish", "genfic-user"]).ok();
    home.ca(&["renew-ca", "genfic-user"]).ok();
    home.ca(&["calendar", "--ics", "c.ics"]).ok();
    let identifiers = |text: &str| {
        let mut all: Vec<String> =
            text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    assert_eq!(identifiers(&first), identifiers(&read(&home)));
    let parsed = home.run(&[
        "python3",
        "-c",
        "import xml.dom.minidom; d = xml.dom.minidom.parse('c.svg'); print(d.documentElement.tagName)",
    ]);
    assert_eq!(parsed.ok().out, "svg\n");
    assert!(home.ca(&["calendar", "--svg", "-"]).ok().out.starts_with("<svg "));
    refused(&home.ca(&["calendar", "--ics", "none/c.ics"]), 5, "file.directory");
}

#[test]
fn a_generation_that_has_a_successor_is_waited_for_and_issues_no_more() {
    // G4
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["renew-ca", "genfic-user", "--rekey"]).ok();
    let result = home.result(&["calendar"]);
    let all = result["authorities"].as_array().unwrap();
    let of = |name: &str| all.iter().find(|one| one["name"] == name).unwrap();
    assert!(of("genfic-user")["full_length"].is_null() && !of("genfic-user")["crl"].is_null(), "{result}");
    assert!(!of("genfic-user-g2")["full_length"].is_null(), "{result}");
}

#[test]
fn a_calendar_without_cas_says_how_to_begin() {
    let home = Home::new();
    assert!(home.ca(&["calendar"]).ok().out.contains("create-root"));
}

#[test]
fn each_ca_hangs_below_its_own_root() {
    // G4
    let home = Home::new();
    for root in ["alpha", "beta"] {
        home.ca(&["create-root", root]).ok();
    }
    for (child, root) in [("alpha-user", "alpha"), ("beta-user", "beta"), ("alpha-system", "alpha")] {
        home.ca(&["create-child", child, "-p", root]).ok();
    }
    let text = home.ca(&["calendar"]).ok().out;
    let names = ["alpha", "  alpha-", "  alpha-", "beta", "  beta-user"];
    for (line, name) in text.lines().skip(1).zip(names) {
        assert!(line.starts_with(name), "{line}\n{text}");
    }
    let svg = home.ca(&["calendar", "--svg", "-"]).ok().out;
    let place = |name: &str| svg.find(&format!(">{name}</text>")).unwrap_or_else(|| panic!("{name}"));
    assert!(place("alpha") < place("alpha-user") && place("alpha-system") < place("beta"), "{svg}");
    assert!(place("beta") < place("beta-user"));
}

#[test]
fn ends_of_the_usual_validity_are_months_and_what_fell_with_a_ca_is_told_apart() {
    // G4
    let home = Home::with_hierarchy("http://pki.genfic.example");
    home.ca(&["create-request", "usual.example", "--sign", "-p", "genfic-system"]).ok();
    let (subject, san) = ("C=BE,CN=amber", "email:amber@genfic.example");
    home.ca(&["create-request", "amber", "--subject", subject, "--san", san, "--sign", "-p", "genfic-user"])
        .ok();
    let end = home.result(&["show", "usual.example"])["not_after"].as_str().unwrap().to_owned();
    home.ca(&["revoke-ca", "genfic-user", "--yes"]).ok();
    let leaves = home.result(&["calendar", "--leaves"])["leaves"].clone();
    assert_eq!(
        (&leaves["total"], &leaves["later"], &leaves["below_revoked"]),
        (&1.into(), &0.into(), &1.into())
    );
    assert_eq!(leaves["authorities"], serde_json::json!({ "genfic-system": 1 }));
    let text = home.ca(&["calendar", "--leaves"]).ok().out;
    let (_, table) = text.split_once("certificates of holders: 1\n").unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "below revoked CAs, and not counted: 1");
    assert!(lines[1].starts_with("MONTH") && lines[2].starts_with(&end[..7]), "{text}");
    assert_eq!(lines.len(), 3, "months in which nothing ends are left out: {text}");
}

#[test]
fn with_leaves_it_tells_by_week_and_month_what_holders_have() {
    // G4
    let home = Home::with_hierarchy("http://pki.genfic.example");
    for (name, days) in
        [("a.example", "20"), ("b.example", "20"), ("c.example", "300"), ("d.example", "3000")]
    {
        home.ca(&["create-request", name, "--sign", "-p", "genfic-system", "-v", days]).ok();
    }
    home.ca(&["revoke", "b.example"]).ok();
    let result = home.result(&["calendar", "--leaves"]);
    let leaves = &result["leaves"];
    assert_eq!((&leaves["total"], &leaves["later"]), (&3.into(), &1.into()), "{leaves}");
    assert_eq!(leaves["authorities"]["genfic-system"], 3);
    let months = leaves["months"].as_array().unwrap();
    let sum =
        |list: &[serde_json::Value]| -> u64 { list.iter().map(|one| one["count"].as_u64().unwrap()).sum() };
    assert_eq!(sum(months), 2);
    assert!(
        months
            .iter()
            .all(|month| sum(month["weeks"].as_array().unwrap()) == month["count"].as_u64().unwrap())
    );
    let text = home.ca(&["calendar", "--leaves", "--svg", "c.svg"]).ok().out;
    let last = months.iter().rfind(|month| month["count"] == 1).unwrap();
    let row = text.lines().find(|line| line.starts_with(last["month"].as_str().unwrap())).unwrap();
    assert_eq!(row.split_whitespace().nth(1), Some("1"), "{text}");
    assert!(text.contains("certificates of holders: 3") && text.contains("later       1"), "{text}");
    let svg = std::fs::read_to_string(home.path("c.svg")).unwrap();
    assert!(
        svg.contains("What holders have")
            && svg.contains(&format!(">{}</text>", last["month"].as_str().unwrap()))
    );
    assert!(home.result(&["calendar"])["leaves"].is_null());
}
