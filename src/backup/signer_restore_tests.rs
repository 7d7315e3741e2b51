use super::*;
use crate::backup::manifest::{FileEntry, Record};
use crate::backup::signer_manifest::SignerKeyEntry;
use crate::signer::{JournalHead, JournalReader};
use crate::signing::{AgeFileStore, Nobody, SoftKey};
use crate::testing::{CertificateBuilder, NOW, crl, tbs_cert_list};
use crate::x509::extension::{crl_number, delta_crl_indicator};
use crate::x509::{KeyAlgorithm, Name, SerialNumber, SignatureAlgorithm};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

struct Ca {
    key: SoftKey,
    own: Certificate,
}

impl Ca {
    fn new(name: &str) -> Self {
        let key = SoftKey::generate(KeyAlgorithm::P256).unwrap();
        let name = Name::parse(name).unwrap();
        let own = CertificateBuilder::new(&name, key.public_key()).into_ca(None).signed(|tbs| key.forge(tbs));
        Self { key, own }
    }

    fn identity(&self) -> [u8; 32] {
        self.key.public_key().digest()
    }

    fn token_mark(&self) -> String {
        format!("pkcs11-{}", hex(&self.identity()[..16]))
    }

    fn issue(&self, number: u64) -> Certificate {
        let serial = SerialNumber::from_be_octets(&number.to_be_bytes()).unwrap();
        let leaf = CertificateBuilder::new(&Name::parse("CN=leaf").unwrap(), self.key.public_key());
        leaf.number(&serial).issued_by(&self.own).signed(|tbs| self.key.forge(tbs))
    }
}

/// A directory that a signer's backup was unpacked into, and what was found besides.
struct Case {
    directory: tempfile::TempDir,
    manifest: SignerManifest,
    found: Found,
}

impl Case {
    /// With these keys, CAs under the names of their files, and files.
    fn new(keys: &[&str], own: &[(&str, &Ca)], files: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let keys = keys.iter().map(|name| SignerKeyEntry { name: (*name).into(), highest_crl: None });
        let entry = |path: &&str| FileEntry { path: (*path).into(), size: 2, sha256: String::new() };
        let record = Record { sequence: 1, digest: String::new() };
        let manifest = SignerManifest::new(NOW, record, keys.collect(), files.iter().map(entry).collect());
        let own = own.iter().map(|(stem, ca)| ((*stem).to_owned(), vec![ca.own.clone()])).collect();
        let (newest_crl, highest) = (BTreeMap::new(), BTreeMap::new());
        let found = Found { own, newest_crl, highest, issued: Vec::new(), notices: Vec::new() };
        Self { directory, manifest, found }
    }

    fn marks(&self, named: &Named) -> Vec<(String, Option<CrlNumber>, CrlNumber)> {
        let store = AgeFileStore::usual(self.directory.path(), Arc::new(Nobody));
        let restored = raise_marks(&store, &self.manifest, &self.found, named).unwrap();
        for key in &restored {
            let text = fs::read_to_string(self.directory.path().join(format!("{}.mark", key.name))).unwrap();
            assert_eq!(text, format!("{}\n", key.mark));
        }
        restored.into_iter().map(|key| (key.name, key.found_crl, key.mark)).collect()
    }
}

#[test]
fn the_marks_of_keys_in_tokens_and_of_renamed_keys_are_above_what_was_published() {
    // C1, K3
    let [file, renamed, token, new] = ["CN=file", "CN=renamed", "CN=token", "CN=new"].map(Ca::new);
    let mark = format!("{}.mark", token.token_mark());
    // one that was renamed left its name to a new one
    let other = format!("first-{}", hex(&new.identity()[..8]));
    let own = [("file", &file), ("first", &renamed), ("key-0123456789abcdef", &token), (&*other, &new)];
    let mut case = Case::new(&["file", "second", "first"], &own, &[&mark]);
    fs::write(case.directory.path().join(&mark), "7\n").unwrap();
    for (stem, number) in [("file", 10), ("first", 20), ("key-0123456789abcdef", 30), (&other, 40)] {
        case.found.highest.insert(stem.to_owned(), number);
    }
    let journal = Journal::open(case.directory.path(), Asker::this_process(), NOW).unwrap();
    for (kind, ca, details) in [
        (ActKind::KeyGenerated, &renamed, "age:first.age"),
        (ActKind::KeyRenamed, &renamed, "age:first.age to age:second.age"),
        (ActKind::KeyGenerated, &new, "age:first.age, for a CA of the profile root-ca"),
    ] {
        let act = Act { kind, key: Some(ca.identity()), details: details.into() };
        journal.turn().unwrap().act(Asker::this_process(), NOW, vec![act]).unwrap();
    }
    let told = case.marks(&named(case.directory.path()).unwrap());
    let expected = [
        ("file".to_owned(), Some(10), 100_010),
        ("second".to_owned(), Some(20), 100_020),
        ("first".to_owned(), Some(40), 100_040),
        (token.token_mark(), Some(30), 100_030),
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_journal_is_shown_many_certificates_with_one_wait_for_the_disk() {
    let ca = Ca::new("CN=file");
    let mut case = Case::new(&["file"], &[("file", &ca)], &[]);
    case.found.issued = (2..40).map(|number| ("file".to_owned(), ca.issue(number))).collect();
    let stranger = Ca::new("CN=file");
    case.found.issued.push(("file".to_owned(), stranger.issue(50)));
    assert_eq!(remember(case.directory.path(), &case.manifest, &case.found, NOW).unwrap(), 38);
    let octets = fs::read(case.directory.path().join(JOURNAL)).unwrap();
    let mut reader = JournalReader::after(JournalHead::default(), octets.as_slice());
    let groups = std::iter::from_fn(|| reader.next_group().unwrap());
    let lengths: Vec<usize> = groups.map(|group| group.entries.len()).collect();
    assert_eq!(
        lengths,
        [1, 2, 38],
        "begun, the gap with the key of which no CRL was found, and the certificates"
    );
}

#[test]
fn a_delta_is_not_taken_for_the_last_crl() {
    // C3
    let ca = Ca::new("CN=Genfic CA");
    let mut case = Case::new(&["file"], &[("file", &ca)], &[]);
    let complete = crl(7, std::iter::empty());
    let sign = |list: &CertificateList| {
        let signature = ca.key.forge(list.tbs().as_der());
        CertificateList::encode_signed(list.tbs().clone(), &signature)
    };
    let subject = complete.tbs().issuer().clone();
    let own = CertificateBuilder::new(&subject, ca.key.public_key()).into_ca(None);
    case.found.own.insert("file".into(), vec![own.signed(|tbs| ca.key.forge(tbs))]);
    let extensions = vec![crl_number(8), delta_crl_indicator(7)];
    let times = (UnixTime(1000), UnixTime(2000));
    let delta = tbs_cert_list(SignatureAlgorithm::ECDSA_SHA256, &subject, times, [], extensions);
    let delta = CertificateList::encode_signed(delta, &[1; 64]);
    case.found.crl(Path::new("delta"), sign(&delta)).unwrap();
    case.found.crl(Path::new("complete"), sign(&complete)).unwrap();
    assert_eq!(case.found.newest_crl["file"].tbs().crl_number(), Some(7));
    assert_eq!(case.found.highest["file"], 8);
}
