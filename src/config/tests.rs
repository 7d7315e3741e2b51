use super::*;
use crate::error::Exit;
use crate::signing::SecretSpec;
use crate::x509::KeyAlgorithm;

fn mistake(text: &str) -> String {
    let errors = Config::parse(text).unwrap_err();
    assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    errors[0].to_string()
}

/// Returns the template with every commented-out setting in force.
pub(crate) fn uncommented() -> String {
    template(None, None, None, None, None)
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n")
        .collect()
}

#[test]
fn the_template_is_the_default_configuration() {
    assert_eq!(Config::parse(&template(None, None, None, None, None)), Ok(Config::default()));
    assert_eq!(Config::parse(""), Ok(Config::default()));
}

#[test]
fn the_template_names_every_key_type_that_is_made() {
    let text = template(None, None, None, None, None);
    for algorithm in KeyAlgorithm::generated() {
        assert!(text.contains(&format!(" {algorithm}")), "{algorithm}");
    }
}

#[test]
fn the_settings_in_the_template_are_the_defaults() {
    let mut config = Config::parse(&uncommented()).unwrap();
    assert_eq!(config.organization.unit.as_deref(), Some("Infrastructure"));
    assert_eq!(config.publication.url.as_deref(), Some("http://pki.genfic.example"));
    assert_eq!(config.authorities.len(), 1);
    // a setting without a default has an example there
    config.organization = Organization::default();
    config.publication = PublicationConfig::default();
    config.keys.compromised_spki_sha256_file = None;
    config.keys.signer_socket = None;
    config.daemon.pin_from = None;
    config.ocsp.archive_cutoff = None;
    config.ocsp.metrics = None;
    config.authorities.clear();
    assert_eq!(config, Config::default());
}

/// Returns the settings of the template with the comments before them.
fn explained() -> Vec<(String, String)> {
    let text = template(None, None, None, None, None);
    let (mut explanation, mut settings, mut section) = (String::new(), Vec::new(), String::new());
    for line in text.lines() {
        let setting = line.strip_prefix("# ").unwrap_or(line);
        if let Some(comment) = line.strip_prefix("##") {
            explanation.push_str(comment);
        } else if let Some(name) = setting.strip_prefix('[') {
            section = name.trim_end_matches(']').split('.').next().unwrap().to_owned();
            assert!(!explanation.is_empty(), "[{section}]");
            explanation.clear();
        } else if let Some((key, _)) = setting.split_once(" = ") {
            settings.push((format!("{section}.{key}"), std::mem::take(&mut explanation)));
        } else {
            assert_eq!(line, "", "neither comment nor setting");
            explanation.clear();
        }
    }
    settings
}

#[test]
fn every_known_key_is_in_the_template_with_an_explanation_and_no_other() {
    let mut known: Vec<String> = Vec::new();
    let all = mistake("zzz = 1\n");
    let (_, sections) = all.split_once("one of ").unwrap();
    // `passphrase_from` is another spelling of `from` below [passphrase]
    for section in sections.split(", ").filter(|section| *section != "passphrase_from") {
        let table = if section == "authority" { "authority.genfic-user" } else { section };
        let unknown = mistake(&format!("[{table}]\nzzz = 1\n"));
        let (_, keys) = unknown.split_once("one of ").unwrap();
        known.extend(keys.split(", ").map(|key| format!("{section}.{key}")));
    }
    let settings = explained();
    let mut given: Vec<String> = settings.iter().map(|row| row.0.clone()).collect();
    for (key, explanation) in &settings {
        assert!(explanation.trim().ends_with(['.', ')']), "{key}: `{explanation}`");
    }
    known.sort();
    given.sort();
    assert_eq!(given, known);
}

#[test]
fn values_given_to_init_are_in_the_template_whatever_they_contain() {
    let name = "Gentoo \"Fictional\", Inc. \\ @url@";
    let config =
        Config::parse(&template(Some(name), Some("BE"), Some("http://pki.genfic.example"), None, None))
            .unwrap();
    assert_eq!(config.organization.organization.as_deref(), Some(name));
    assert_eq!(config.organization.country.as_deref(), Some("BE"));
    assert_eq!(config.publication.url.as_deref(), Some("http://pki.genfic.example"));
}

#[test]
fn every_value_can_be_set() {
    let config = Config::parse(
        "[keys]\nscrypt_log_n = 10\nroot = 'rsa4096'\n[issuance]\nbackdate = '0s'\nstagger_days = 7\n\
         [crl]\nnext_update = '1d'\nrenew_at = 0.25\n[ocsp]\nnot_issued = 'revoked'\nnonce = 'ignore'\n\
         archive_cutoff = '365d'\n[daemon]\nlisten = ['[::1]:0', '127.0.0.1:80']\nidle_timeout = '5m'\n\
         [passphrase]\nfrom = 'cred:ca'\n[authority.genfic]\nofline = true\n",
    );
    assert!(config.is_err(), "a misspelt key is not passed over");
    let config = Config::parse(
        "[keys]\nscrypt_log_n = 10\nroot = 'rsa4096'\n[issuance]\nbackdate = '0s'\nstagger_days = 7\n\
         [crl]\nnext_update = '1d'\nrenew_at = 0.25\n[ocsp]\nnot_issued = 'revoked'\nnonce = 'ignore'\n\
         archive_cutoff = '365d'\nmetrics = '127.0.0.1:9561'\n\
         [daemon]\nlisten = ['[::1]:0', '127.0.0.1:80']\nidle_timeout = '5m'\n\
         [passphrase]\nfrom = 'cred:ca'\n",
    )
    .unwrap();
    assert_eq!((config.keys.scrypt_log_n, config.keys.root), (10, KeyAlgorithm::rsa(4096)));
    assert_eq!((config.issuance.backdate, config.issuance.stagger_days), (0, 7));
    assert_eq!((config.crl.next_update, config.crl.renew_at), (86_400, 0.25));
    assert_eq!((config.ocsp.not_issued, config.ocsp.nonce), (NotIssued::Revoked, NonceHandling::Ignore));
    assert_eq!((config.daemon.listen.len(), config.daemon.idle_timeout), (2, 300));
    assert_eq!(config.ocsp.metrics, "127.0.0.1:9561".parse().ok());
    assert_eq!(config.passphrase_from, SecretSpec::Credential("ca".into()));
}

#[test]
fn the_source_of_passphrases_may_stand_at_the_top_and_is_said_once() {
    let config = Config::parse("passphrase_from = 'env:ALL'\n").unwrap();
    assert_eq!(config.passphrase_from("genfic"), &SecretSpec::Environment("ALL".into()));
    let twice = Config::parse("passphrase_from = 'env:ALL'\n[passphrase]\nfrom = 'fd:3'\n").unwrap_err();
    assert!(twice[0].to_string().starts_with("passphrase_from: says the same as"), "{twice:?}");
    let wrong = Config::parse("passphrase_from = 'pass:x'\n").unwrap_err();
    assert!(wrong[0].to_string().contains("never written out"), "{wrong:?}");
}

#[test]
fn what_is_said_of_one_ca_holds_for_that_ca_only() {
    // C8
    let config = Config::parse(
        "[passphrase]\nfrom = 'env:ALL'\n[authority.genfic]\noffline = false\npassphrase_from = 'fd:3'\n\
         [authority.genfic-user]\noffline = true\n[authority.genfic-system]\ncrl_next_update = '2d'\n",
    )
    .unwrap();
    assert_eq!(config.passphrase_from("genfic"), &SecretSpec::Descriptor(3));
    assert_eq!(config.passphrase_from("genfic-user"), &SecretSpec::Environment("ALL".into()));
    assert!(!config.is_offline("genfic", true) && config.is_offline("genfic-user", false));
    assert!(config.is_offline("another-root", true) && !config.is_offline("another", false));
    assert_eq!(config.crl_next_update("genfic", true), 7 * 86_400);
    assert_eq!(config.crl_next_update("genfic-user", false), 400 * 86_400);
    assert_eq!(config.crl_next_update("genfic-system", false), 2 * 86_400);
}

#[test]
fn a_ca_has_recipients_that_need_no_plugin_or_none() {
    // K1
    let recipient = "age14kxv6cdlkuulc025am9wzj2d0s6hq5zsjkqvgss2wmqur3u0fygs3xg4aw";
    let config =
        Config::parse(&format!("[authority.genfic]\nrecipients = ['{recipient}']\n[authority.other]\n"));
    let recipients = config.unwrap().recipients();
    assert_eq!(recipients.len(), 1);
    assert_eq!(recipients["genfic"][0].to_string(), recipient);
    for (wrong, told) in [
        ("[]", "must name at least one recipient"),
        ("['age1nobody']", "`age1nobody` is not an age recipient"),
        ("['age1fake1w3jhxaqrc5akr']", "no plugin is executed"),
    ] {
        let mistakes = Config::parse(&format!("[authority.genfic]\nrecipients = {wrong}\n")).unwrap_err();
        assert!(mistakes[0].to_string().contains(told), "{mistakes:?}");
    }
}

#[test]
fn the_organization_makes_subjects_in_the_usual_order() {
    // G1
    let text = "[organization]\ncountry = 'BE'\norganization = 'Gentoo Fictional, Inc.'\nunit = 'Ops'\n";
    let config = Config::parse(text).unwrap();
    let subject = config.organization.subject("GenFic Root CA").unwrap();
    assert_eq!(subject.to_string(), r"C=BE, O=Gentoo Fictional\, Inc., OU=Ops, CN=GenFic Root CA");
    assert!(config.organization.subject(&"x".repeat(65)).is_err());
}

#[test]
fn every_kind_of_mistake_is_told_with_line_and_key() {
    for (text, expected) in [
        ("[organisation]\n", "line 1: organisation: is not known here"),
        ("[keys]\nscrypt = 18\n", "line 2: keys.scrypt: is not known here; one of"),
        ("[keys]\nscrypt_log_n = 23\n", "line 2: keys.scrypt_log_n: must be from 10 to 22"),
        ("[keys]\nscrypt_log_n = 9\n", "must be from 10 to 22"),
        ("[keys]\nscrypt_log_n = '18'\n", "must be a whole number"),
        ("[keys]\nroot = 'rsa1024'\n", "is not a key type"),
        ("[keys]\ncompromised_spki_sha256_file = ''\n", "is empty"),
        ("keys = 3\n", "line 1: keys: must be a table"),
        ("[organization]\ncountry = 'Belgium'\n", "organization.country: `Belgium` has 7 characters"),
        ("[organization]\norganization = ''\n", "is empty"),
        ("[publication]\nurl = 'https://pki.example'\n", "plain http"),
        ("[publication]\nurl = 'pki.example'\n", "must be a URL"),
        ("[publication]\nformer_urls = ['https://pki.example']\n", "plain http"),
        ("[publication]\nurl = 'http://:80'\n", "host"),
        ("[publication]\nurl = 'http://a b/'\n", "blank"),
        ("[publication]\nurl = 'http://a.example/?x'\n", "must be a URL"),
        ("[issuance]\nbackdate = '1y'\n", "issuance.backdate: `1y` is not a length of time"),
        ("[issuance]\nbackdate = '3d'\n", "must be from 0s to 2d"),
        ("[issuance]\nstagger_days = -1\n", "must be from 0 to 365"),
        ("[crl]\nnext_update = '1m'\n", "must be from 1h to 366d"),
        ("[crl]\nrenew_at = 1.0\n", "must be from 0.1 to 0.9"),
        ("[crl]\nrenew_at = nan\n", "must be from 0.1 to 0.9"),
        ("[ocsp]\nnot_issued = 'good'\n", "must be \"unknown\" or \"revoked\""),
        ("[ocsp]\nnonce = 'no'\n", "must be \"echo\" or \"ignore\""),
        ("[ocsp]\nmax_certificates = 0\n", "must be from 1 to 1000"),
        ("[ocsp]\ncache = '64'\n", "is not an amount of memory such as \"64MiB\""),
        ("[ocsp]\ncache = '1KiB'\n", "must be from 1MiB to 1024GiB"),
        ("[ocsp]\nmetrics = '9561'\n", "is not ADDRESS:PORT"),
        ("[ocsp]\nmetrics = 'unix:here'\n", "must be an absolute path"),
        ("[daemon]\nlisten = ['localhost']\n", "is not ADDRESS:PORT"),
        ("[daemon]\nlisten = []\n", "at least one address"),
        ("[daemon]\nlisten = ['unix:here']\n", "must be an absolute path"),
        ("[daemon]\nshutdown_timeout = '1h'\n", "must be from 1s to 10m"),
        ("[daemon]\nmax_body = 10\n", "must be from 1024 to 1048576"),
        ("[passphrase]\nfrom = 'pass:x'\n", "never written out"),
        ("[authority.'a/b']\noffline = true\n", "is not the name of a CA"),
        ("[authority]\ngenfic = true\n", "authority.genfic: must be a table"),
        ("[authority.a]\noffline = 'yes'\n", "must be true or false"),
        ("[keys\n", "line 1: "),
    ] {
        let message = mistake(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn all_mistakes_become_one_problem() {
    let errors = Config::parse("[keys]\nscrypt_log_n = 1\nroot = 'x'\n").unwrap_err();
    let problem = Problem::from(errors);
    assert_eq!((problem.code.code(), problem.exit), ("config.invalid", Exit::Failure));
    assert_eq!(problem.message.lines().count(), 3);
}

#[test]
fn names_of_cas_are_fit_for_file_names() {
    for good in ["genfic", "genfic-user", "a.b_c-2"] {
        assert!(is_authority_name(good), "{good}");
    }
    for bad in ["", ".hidden", "-v", "a/b", "a b", "é", &"x".repeat(65)] {
        assert!(!is_authority_name(bad), "{bad}");
    }
}

#[test]
fn the_path_of_the_url_is_what_comes_after_its_host() {
    for (url, path) in [
        ("http://pki.genfic.example", ""),
        ("http://pki.genfic.example/", ""),
        ("http://h/pki", "/pki"),
        ("http://h:8080/a/b/", "/a/b"),
        ("http://[::1]:80/pki", "/pki"),
    ] {
        let config = Config::parse(&format!("[publication]\nurl = '{url}'\n")).unwrap();
        assert_eq!(config.publication.paths().concat(), path, "{url}");
    }
    assert!(Config::default().publication.paths().is_empty());
}

#[test]
fn the_paths_of_former_urls_count_too() {
    let text = "[publication]\nurl = 'http://h/new'\nformer_urls = ['http://h/old', 'http://other']\n";
    assert_eq!(Config::parse(text).unwrap().publication.paths(), ["/new", "/old"]);
}
