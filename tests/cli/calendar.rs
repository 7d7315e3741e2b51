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
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let result = home.result(&["calendar"]);
    let entries = result["entries"].as_array().unwrap();
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
fn a_calendar_without_cas_says_how_to_begin() {
    let home = Home::new();
    assert!(home.ca(&["calendar"]).ok().out.contains("create-root"));
}
