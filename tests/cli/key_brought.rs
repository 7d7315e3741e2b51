//! `key import --service`: an administrator brings the key of another program to the signer that listens, and the CA is taken
//! over without its key ever being in the account of the CA.
use crate::key_move::unlock_for_all;
use crate::standing_signer::{AMBER, OWNER, Service};
use crate::support::{is_root, skipped};
use serde_json::Value;
use std::fs;

/// What opens the key of the other program.
const OLD: &str = "the old words of another program";

/// Makes `old`, a directory of `openssl ca` with two certificates of which one is revoked, and a CRL. Only the administrator
/// can read the key.
fn other_program(service: &Service, more: &str) {
    let configuration = "[ca]\ndefault_ca = c\n[c]\ndatabase = index.txt\nnew_certs_dir = newcerts\n\
        certificate = cacert.pem\nserial = serial\nprivate_key = private/cakey.pem\ndefault_md = sha256\npolicy = p\n\
        default_days = 30\ndefault_crl_days = 30\ncrlnumber = crlnumber\nunique_subject = no\n[p]\ncommonName = supplied\n";
    let own = service.home.path("own");
    fs::write(service.home.path("ca.cnf"), configuration).unwrap();
    fs::write(service.home.path("oldpass"), OLD).unwrap();
    let pass = service.home.path("oldpass");
    let (own, cnf, pass) = (own.display(), service.home.path("ca.cnf"), pass.display());
    let cnf = cnf.display();
    let issue = |name: &str| {
        format!(
            "openssl req -newkey ed25519 -nodes -keyout {name}.key -subj /CN={name} -out {name}.csr 2>/dev/null\n\
             openssl ca -config {cnf} -batch -notext -passin file:{pass} -in {name}.csr -out {name}.crt 2>/dev/null"
        )
    };
    let lines = format!(
        "set -e\nmkdir -p {own}/old/private {own}/old/newcerts\ncd {own}/old\n: >index.txt\necho 1000 >serial\necho 07 >crlnumber\n\
         openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout private/cakey.pem -passout file:{pass} \
         -subj /CN=Old -days 900 -out cacert.pem -addext keyUsage=keyCertSign,cRLSign 2>/dev/null\n{}\n{}\n\
         openssl ca -config {cnf} -passin file:{pass} -revoke b.crt -crl_reason keyCompromise 2>/dev/null\n{more}\n\
         mv private/cakey.pem {pass}.key\nrm -rf private *.key\nchown -R {OWNER} .\nchmod -R u+rwX .\n\
         chown {AMBER} {pass} {pass}.key\nchmod 600 {pass} {pass}.key\n",
        issue("a"),
        issue("b"),
    );
    let crl = format!("openssl ca -config {cnf} -passin file:{pass} -gencrl -out crl.pem 2>/dev/null\n");
    service.home.shell(&lines.replace("mv private", &format!("{crl}mv private"))).ok();
}

/// The line by which the administrator brings the key.
fn bring(service: &Service, options: &str) -> String {
    let (pass, certificate) = (service.home.path("oldpass"), service.home.path("own/old/cacert.pem"));
    let (pass, certificate) = (pass.display(), certificate.display());
    service.admin(&format!(
        "key import example {pass}.key --service --cert {certificate} --profile root-ca --confirm example \
         --key-passphrase-from file:{pass} --passphrase-from fd:0 {options}"
    ))
}

fn import(service: &Service) -> String {
    service.ca("import openssl old --as example --ocsp=false --json")
}

fn shown(service: &Service) -> Value {
    service.home.shell(&service.ca("crl show example --json")).ok().json()["result"].clone()
}

fn is_there(service: &Service, name: &str) -> bool {
    service.home.path(name).exists()
}

/// The key signs in the service, goes on above the old CRL, and has its entry.
fn signs(service: &Service, at: &str) {
    let unlock = unlock_for_all(service).replace(crate::support::PASSPHRASE, crate::standing_signer::WORDS);
    service.done(&[unlock, service.ca("crl publish example")]);
    let crl = shown(service);
    assert!(crl["number"].as_u64().unwrap() > 7, "{at}: {crl}");
    assert_eq!(crl["entries"].as_array().unwrap().len(), 1, "{at}: {crl}");
    assert!(
        is_there(service, "signer/example.age") && !is_there(service, "own/home/keys/example.age"),
        "{at}"
    );
    for left in ["signer/example.coming", "signer/example.ready"] {
        assert!(!is_there(service, left), "{at}: {left}");
    }
}

#[test]
fn a_ca_of_another_program_is_taken_over_with_a_key_that_its_account_never_has() {
    // G6, K1, K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&[service.own_home()]);
    other_program(&service, "");
    let ca = |words: &str| service.ca(words);
    // who is the CA's user cannot read it, and brings nothing
    let pass = service.home.path("oldpass");
    let direct = format!("import openssl old --as example --key {}.key", pass.display());
    service.done(&[service.refused("file.read", &ca(&direct))]);
    let steps = [
        bring(&service, "--crl $PWD/own/old/crl.pem --json"),
        service.admin("key status"),
        // a wrong name, and another profile than was confirmed
        service.refused(
            "signer.not-bound",
            &ca("import openssl old --as example --profile system-ca --ocsp=false"),
        ),
        import(&service),
    ];
    let said = service.done(&steps);
    let told: Vec<Value> = said
        .out
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(told[0]["result"]["crl_number"], 7, "{}", said.out);
    assert!(said.out.contains("once its CA is taken over"), "{}", said.out);
    let result = told[1]["result"].clone();
    assert_eq!(
        (&result["found"]["key"], &result["found"]["key_in_signer"]),
        (&Value::Null, &true.into()),
        "{result}"
    );
    assert_eq!(result["profile"], "root-ca", "as the administrator said: {result}");
    assert_eq!(result["crl_details"]["number"], 8, "{result}");
    signs(&service, "imported");
    assert!(service.home.shell(&ca("authorities --json")).ok().out.contains("signer:example.age"));
    // the record and the journal of the service say the same
    service.home.shell(&ca("audit verify")).ok();
    let said = service.home.shell(&ca("revoke serial:1000 --json"));
    assert!(said.status == 0 || said.status == 8, "{}", said.all());
    // the signer has neither passphrase any more
    service.done(&[service.admin("key lock")]);
    for secret in [OLD, crate::standing_signer::WORDS] {
        assert_eq!(service.in_memory(secret.as_bytes()), 0);
    }
    // one that is there is not brought again
    service.done(&[service.refused("key.exists", &bring(&service, ""))]);
}

#[test]
fn a_key_that_was_brought_is_that_of_a_ca_that_is_adopted_or_whose_key_was_away() {
    // G6, K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    for away in [false, true] {
        let service = Service::new();
        service.done(&[service.own_home()]);
        other_program(&service, "");
        let ca = |words: &str| service.ca(words);
        let take = match away {
            false => vec![bring(&service, ""), ca("adopt example old/cacert.pem --ocsp=false")],
            true => vec![
                ca("import openssl old --as example --without-key --profile root-ca --ocsp=false"),
                service.refused("key.not-found", &ca("key import example")),
                bring(&service, ""),
                ca("key import example"),
                service.refused("key.exists", &ca("key import example")),
                ca("crl publish example"),
            ],
        };
        service.done(&take);
        assert!(is_there(&service, "signer/example.age") && !is_there(&service, "own/home/keys/example.age"));
        if away {
            signs(&service, "taken");
        }
        service.home.shell(&ca("audit verify")).ok();
    }
}

#[test]
fn a_ca_whose_record_says_less_than_its_last_crl_is_taken_over_with_the_word_of_the_crl() {
    // C3, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&[service.own_home()]);
    other_program(&service, "");
    let without_reason = "sed -i s/,keyCompromise// own/old/index.txt";
    let steps = [bring(&service, "--crl $PWD/own/old/crl.pem"), without_reason.into(), import(&service)];
    let said = service.done(&steps);
    assert!(said.out.contains("for a compromise, taken over as in the CRL: 1001"), "{}", said.all());
    signs(&service, "imported");
    let crl = shown(&service);
    assert_eq!(crl["entries"][0]["reason"], "key-compromise", "{crl}");
}

#[test]
fn what_is_revoked_on_the_crl_that_came_with_the_key_is_not_left_out_by_the_account_of_the_ca() {
    // C1, K2, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    for crl in ["", "--crl $PWD/own/old/crl.pem"] {
        let service = Service::new();
        service.done(&[service.own_home()]);
        other_program(&service, "");
        let forgotten = "sed -i /^R/d own/old/index.txt\nrm own/old/crl.pem";
        let import = format!("({}) || true", import(&service));
        let publish = service.ca("crl publish example --json");
        let unlock =
            unlock_for_all(&service).replace(crate::support::PASSPHRASE, crate::standing_signer::WORDS);
        let said = service.in_one_login(&[bring(&service, crl), forgotten.into(), import, unlock, publish]);
        let is_left_out = said.status == 0;
        assert_eq!(is_left_out, crl.is_empty(), "{}", said.all());
        assert_eq!(said.all().contains("\"signer.crl-entry-missing\""), !crl.is_empty(), "{}", said.all());
    }
}

#[test]
fn a_key_is_brought_for_the_login_that_brought_it_and_nothing_is_left_of_one_that_is_refused() {
    // K2
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let service = Service::new();
    service.done(&[service.own_home()]);
    other_program(&service, "");
    let directory = || {
        let names = fs::read_dir(service.home.path("signer")).unwrap();
        let names = names.map(|one| one.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("example")).count()
    };
    let other = service.home.path("other");
    let (other, pass) = (other.display(), service.home.path("oldpass"));
    let pass = pass.display();
    let steps = [
        format!("openssl genpkey -algorithm ed25519 -out {other} && chown {AMBER} {other}"),
        service.refused(
            "certificate.other-key",
            &bring(&service, "").replace(&format!("{pass}.key"), &other.to_string()),
        ),
        service.refused(
            "key.passphrase-wrong",
            &bring(&service, "")
                .replace(&format!("--key-passphrase-from file:{pass}"), "--key-passphrase-from fd:0")
                .replace(" --passphrase-from fd:0", &format!(" --passphrase-from file:{pass}")),
        ),
        service.refused(
            "input.confirmation",
            &format!("{} --no-input", bring(&service, "").replace("--confirm example", "")),
        ),
        service.refused("file.read", &bring(&service, "").replace(".key --service", ".keys --service")),
    ];
    service.done(&steps);
    assert_eq!(directory(), 0);
    // brought in one login, and taken over in another: it is not there
    service.done(&[bring(&service, "")]);
    let alone = service.home.shell(&format!("echo {AMBER} >/proc/self/loginuid\n{}", import(&service)));
    assert_ne!(alone.status, 0, "{}", alone.all());
    assert!(!is_there(&service, "signer/example.age") && !is_there(&service, "own/home/keys/example.age"));
}

#[test]
fn a_key_is_brought_again_after_the_signer_was_killed_at_any_step_and_taken_over_again_after_the_command_was()
{
    // X1, K1, K3
    if !is_root() {
        return skipped("becoming two other users needs root");
    }
    let of_bringing = [
        "signer: brought key encrypted",
        "signer: coming noted",
        "signer: envelope of the coming key kept",
        "key: beside its place",
        "signer: brought key beside its place",
    ];
    let of_use = [
        "signer: what was signed elsewhere is remembered",
        "key: completed",
        "key: in its place",
        "signer: settling noted",
    ];
    let of_command = ["key: told what it signed", "key: settled"];
    let mut service = Service::new();
    service.done(&[service.own_home()]);
    other_program(&service, "");
    for place in of_bringing {
        service.restart(Some(place));
        let said = service.in_one_login(&[format!("{} 2>/dev/null && exit 99 || true", bring(&service, ""))]);
        assert_eq!(said.status, 0, "not killed at {place}: {}", said.all());
        service.restart(None);
        assert!(!is_there(&service, "signer/example.age"), "{place}");
    }
    let mut number = 0;
    for (places, is_of_service) in [(&of_use[..], true), (&of_command[..], false)] {
        for place in places {
            number += 1;
            let mut service = Service::new();
            service.done(&[service.own_home()]);
            other_program(&service, "");
            service.restart(Some(place).filter(|_| is_of_service).copied());
            let variable = if is_of_service { "NOTHING" } else { "GENFIC_CA_FAILPOINT" };
            let line =
                format!("export {variable}='{place}'\n{} 2>/dev/null && exit 99 || true", import(&service));
            let said = service.in_one_login(&[bring(&service, ""), line]);
            assert_eq!(said.status, 0, "not killed at {place}: {}", said.all());
            service.restart(None);
            let is_used = is_there(&service, "signer/example.age");
            // nobody has it on record that does not sign, and the same commands go on
            let again = if is_used {
                unlock_for_all(&service).replace(crate::support::PASSPHRASE, crate::standing_signer::WORDS)
            } else {
                bring(&service, "")
            };
            service.done(&[again, import(&service)]);
            signs(&service, place);
        }
    }
    assert_eq!(number, 6);
}
