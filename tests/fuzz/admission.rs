//! What the signer is told to sign, by the rules of its admission.
use genfic_ca::assembly::any_octets::Admitting;
use genfic_ca::x509::{Certificate, SerialNumber, UnixTime};
use std::sync::OnceLock;

/// What the signer is told to sign.
pub fn admission(octets: &[u8]) {
    for admitted in admitted(octets).into_iter().flatten() {
        assert_eq!(admitted, octets, "what is signed is what was looked at");
    }
}

/// What the rules of four keys decide on octets, each as a certificate, a CRL and a request: of a root, with its
/// certificate and without, and of a CA below it, before and after its fifth CRL.
pub fn admitted(octets: &[u8]) -> Vec<Result<Vec<u8>, &'static str>> {
    static KEYS: OnceLock<[Admitting; 4]> = OnceLock::new();
    let keys = KEYS.get_or_init(|| {
        let [ca, root] = [&include_bytes!("corpus/certificate/ca.der")[..], ROOT]
            .map(|der| Certificate::from_der(der).expect("a certificate"));
        let of_root = || Admitting::of(root.clone(), Vec::new(), "root-ca");
        let of_ca = || Admitting::of(ca.clone(), vec![root.clone()], "system-ca");
        let serial = |last| {
            let octets = [&[0x5a; 16][..], &[last]].concat();
            SerialNumber::from_be_octets(&octets).expect("a number")
        };
        let entries = vec![(serial(1), 1), (serial(3), 6)];
        let made = ADMITTED_AT.plus(-2000);
        [of_root(), of_root().without_certificate(), of_ca(), of_ca().after(5, made, entries)]
    });
    keys.iter().flat_map(|key| key.decide(octets, ADMITTED_AT)).collect()
}

const ROOT: &[u8] = include_bytes!("corpus/certificate/root.der");
/// After the root, its CA and their CRLs in the corpus were made.
const ADMITTED_AT: UnixTime = UnixTime(1_795_260_600);
