//! What `doctor` says of a home that nobody watched: the same home, looked at later.
use crate::support::{Home, PASSPHRASE};
use genfic_ca::config::Config;
use genfic_ca::doctor::{Examination, Severity, Space, diagnose};
use genfic_ca::index::sqlite::SqliteIndex;
use genfic_ca::ocsp::responder_files::ResponderFiles;
use genfic_ca::profile::Profiles;
use genfic_ca::repository::HomeDirectory;
use genfic_ca::signing::{AgeFileStore, KeyError, Secret, SecretPurpose, SecretSource};
use genfic_ca::status::StatusDirectory;
use genfic_ca::x509::UnixTime;
use std::fs;
use std::sync::Arc;

/// Severity, code and object of each finding at this time.
fn found(home: &Home, now: UnixTime) -> Vec<(Severity, &'static str, String)> {
    let place = genfic_ca::home::Home::at(home.path("home"));
    let config = Config::parse(&fs::read_to_string(place.configuration_file()).unwrap()).unwrap();
    let mut texts: Vec<(String, String)> = Vec::new();
    for entry in fs::read_dir(place.policy_directory()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            texts.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    let profiles = Profiles::parse(texts.iter().map(|(name, text)| (&**name, &**text))).unwrap();
    let index = SqliteIndex::open(&place.index_file()).unwrap();
    let checks = diagnose(&Examination {
        index_file: &place.index_file(),
        home: &place,
        space: &Space::of(&place),
        owner: Ok(()),
        config: Ok(&config),
        profiles: Ok(&profiles),
        index: Ok(&index),
        keys: &AgeFileStore::new(place.keys_directory(), 10, Arc::new(Known)).unwrap(),
        publisher: &HomeDirectory::new(place.clone()),
        status: &StatusDirectory::new(&place.status_directory()),
        responders: &ResponderFiles::new(place.responders_directory()),
        compromised_keys: &std::collections::HashSet::new(),
        now,
        deep: false,
    });
    let findings = checks.into_iter().flat_map(|check| check.findings);
    findings.map(|finding| (finding.severity, finding.code.code(), finding.object)).collect()
}

#[test]
fn what_lapses_is_first_a_warning_and_then_an_error() {
    // C5, O7
    use Severity::{Error, Note, Warning};
    let home = Home::with_hierarchy("http://pki.genfic.example");
    // a list of the user CA has to have it until after its end; the system CA issued nothing
    let amber = ["create-request", "amber", "--subject", "C=BE,CN=amber", "--san", "email:a@b.example"];
    home.ca(&[&amber[..], &["--sign", "-p", "genfic-user"]].concat()).ok();
    home.ca(&["revoke", "amber"]).ok();
    let begin = genfic_ca::assembly::now();
    assert_eq!(found(&home, begin), []);
    let user = "genfic-user";
    for (days, severity, code, object) in [
        (4, Warning, "crl.due", user),
        (8, Error, "crl.lapsed", user),
        (4, Warning, "status.old", "status/"),
        (8, Error, "status.old", "status/"),
        (16, Warning, "responder.due", user),
        (31, Error, "responder.lapsed", user),
        (31, Warning, "clock.unconfirmed", "the clock"),
        (100, Note, "clock.ahead", "the clock"),
        (366, Warning, "crl.due", "genfic"),
        (401, Error, "crl.lapsed", "genfic"),
        (3650, Warning, "authority.ended", user),
        (3650 - 100, Warning, "authority.ends-soon", user),
        (3650 - 370, Warning, "authority.short-leaves", user),
        (3650 + 200, Note, "authority.ended", user),
        (3650 + 200, Note, "crl.lapsed", user),
        (-1, Error, "clock.behind", "the clock"),
        (-1, Error, "crl.future", user),
        (-1, Error, "responder.future", user),
        (-1, Error, "status.future", "status/"),
        (-1, Warning, "clock.files", ""),
    ] {
        let all = found(&home, begin.plus_days(days));
        let told = all.iter().any(|one| one.0 == severity && one.1 == code && one.2.contains(object));
        assert!(told, "{severity} {code} {object} after {days} days: {all:#?}");
    }
    let after = found(&home, begin.plus_days(3650 + 200));
    assert!(!after.iter().any(|one| one.1.starts_with("crl.") && one.2 == "genfic-system"), "{after:#?}");
    let yearly = found(&home, begin.plus_days(364));
    assert!(
        !yearly.iter().any(|one| one.1 == "crl.due" && one.2 == "genfic"),
        "once a year is enough: {yearly:#?}"
    );
    let early = found(&home, begin.plus_days(3));
    assert_eq!(early, [], "before half their lives");
}

struct Known;

impl SecretSource for Known {
    fn secret(&self, _: &SecretPurpose) -> Result<Secret, KeyError> {
        Ok(Secret::new(PASSPHRASE.into()))
    }
}

/// Publishes a CA's CRL as it would have been made so many days ago. Neither the index nor the signer knows of a newer one:
/// both would refuse.
fn publish_crl_of_before(home: &Home, name: &str, days: u32) {
    home.shell(&format!(
        "rm -f home/public/*.crl home/public/*.crl.pem home/keys/journal home/keys/record.db*
        sqlite3 home/index.db 'update head set newest = 0; update crl set this_update = 0'
        faketime -f -{days}d genfic-ca crl publish {name}"
    ))
    .ok();
}

#[test]
fn what_is_about_to_lapse_shows_in_status_doctor_and_exit_codes() {
    // C5, O7
    let home = Home::new();
    // a responder certificate of three days, two of which are over
    let settings = "s/^# backdate = .*/backdate = '2d'/; s/^# responder_days = .*/responder_days = 3/";
    home.shell(&format!("sed -i \"{settings}\" home/genfic-ca.toml")).ok();
    home.ca(&["create-root", "genfic"]).ok();
    home.ca(&["create-child", "genfic-user", "-p", "genfic"]).ok();
    let crl = |home: &Home, code: &str, to_do: &str| {
        let status = home.ca(&["status"]);
        assert!(status.status == 12 && status.out.contains(to_do), "{}", status.all());
        let result = home.ca(&["status", "--json"]).json()["result"].clone();
        assert_eq!((&result["authorities"][1]["crl"]["due"], &result["ready"]), (&true.into(), &true.into()));
        let due = result["due"].as_array().unwrap();
        let is_told = due.iter().any(|one| {
            one["code"] == code
                && one["object"] == "genfic-user"
                && one["remedy"] == "genfic-ca crl publish genfic-user"
        });
        assert!(is_told, "{result}");
        let doctor = home.ca(&["doctor"]);
        assert!(doctor.status == 12 && doctor.out.contains(&format!("({code})")), "{}", doctor.all());
        assert!(doctor.out.contains("genfic-ca crl publish genfic-user"), "{}", doctor.out);
        assert_eq!(home.ca(&["crl", "check", "genfic-user"]).status, 12);
    };
    publish_crl_of_before(&home, "genfic-user", 4);
    crl(&home, "crl.due", "genfic-user has a CRL that is due to be renewed; it lapses at ");
    publish_crl_of_before(&home, "genfic-user", 8);
    crl(&home, "crl.lapsed", "genfic-user has a CRL that lapsed at ");

    let status = home.ca(&["status"]);
    let to_do = [
        "genfic-user has a responder certificate past half its life",
        "genfic-ca ocsp responder genfic-user",
    ];
    let lines = |part: &str| status.out.lines().any(|line| line.contains(part) && line.contains(to_do[1]));
    assert!(status.status == 12 && lines(to_do[0]), "{}", status.all());
    let doctor = home.ca(&["doctor"]);
    assert!(doctor.status == 12 && doctor.out.contains("(responder.due)"), "{}", doctor.all());

    home.shell("sed -i 's/^responder_days = .*/responder_days = 30/' home/genfic-ca.toml").ok();
    let mended = home.ca(&["doctor", "--fix"]).ok().out;
    for code in ["crl.lapsed", "responder.due"] {
        assert!(mended.lines().any(|line| line.contains("mended") && line.contains(code)), "{mended}");
    }
    assert!(!home.ca(&["status"]).ok().out.contains("to do"));
    home.ca(&["crl", "check", "genfic-user"]).ok();
}

/// A CA of `openssl ca` that has ended, with a certificate and a revoked one that ended before it.
const ENDED: &str = "mkdir old old/new; cd old; touch index.txt; echo 01 >serial; echo 07 >crlnumber
    printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nnew_certs_dir=new\\nserial=serial\\ndefault_md=sha256\\n\
    policy=p\\n[p]\\ncommonName=supplied\\n[x]\\nbasicConstraints=critical,CA:TRUE\\nkeyUsage=keyCertSign,cRLSign\\n\
    subjectKeyIdentifier=hash\\n' >ca.cnf
    openssl req -new -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=exp -out ca.req
    openssl ca -batch -config ca.cnf -selfsign -extensions x -keyfile ca.key -in ca.req -out ca.crt -notext \
        -startdate 200101000000Z -enddate 210101000000Z
    for leaf in a b; do
        openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj /CN=$leaf -out $leaf.req
        openssl ca -batch -config ca.cnf -keyfile ca.key -cert ca.crt -in $leaf.req -out $leaf.pem -notext \
            -startdate 200201000000Z -enddate 200901000000Z
    done
    openssl ca -config ca.cnf -keyfile ca.key -cert ca.crt -revoke b.pem";

#[test]
fn of_a_ca_that_has_ended_nothing_is_due_for_ever() {
    // C3, O7
    let home = Home::new();
    home.shell(ENDED).ok();
    home.ca(&["import", "openssl", "old", "--as", "exp", "--profile", "system-ca", "--ocsp"]).ok();
    for words in [&["crl", "publish", "--due"][..], &["ocsp", "responder", "--due"]] {
        home.ca(words).ok();
    }
    let status = home.ca(&["status"]).ok().out;
    assert!(status.contains("exp is expired") && !status.contains(" is due"), "{status}");
    let later = genfic_ca::assembly::now().plus_days(400);
    let due: Vec<_> = found(&home, later).into_iter().filter(|one| one.2 == "exp").collect();
    assert_eq!(due, [(Severity::Note, "authority.ended", "exp".to_owned())]);
    let calendar = home.result(&["calendar"]);
    let entries = calendar["entries"].as_array().unwrap();
    assert!(entries.iter().all(|one| one["name"] != "exp" || one["what"] == "authority"), "{calendar}");
}
