//! What a file holds that a certificate is to be written into.
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::read_file;
use genfic_ca::profile::Applicant;
use genfic_ca::x509::{Certificate, PemKind};
use std::path::Path;

/// Limit of a file that is looked into, in octets; 1 MiB has room for a hundred certificates.
const LARGEST: u64 = 1 << 20;

/// Returns the first certificate in a file, if there is one.
pub(crate) fn certificate(path: &Path) -> Option<Certificate> {
    Certificate::from_pem_or_der(&read_file(path, LARGEST).ok()?).ok()
}

/// What a file holds that is not to be replaced.
enum Held {
    /// A private key, or what may be one; there may be no other copy.
    PrivateKey(&'static str),
    /// The certificate of somebody else.
    Certificate(Box<Certificate>),
    /// Something else, a request for example.
    Other,
}

/// What may be replaced.
#[derive(Clone, Copy)]
pub(crate) struct Replaceable {
    /// Whether what is no private key may be, whatever it is.
    pub(crate) by_force: bool,
    /// Whether a link is replaced itself, and what it points to stays.
    pub(crate) links: bool,
}

impl Replaceable {
    /// Refuses to replace a private key, and without `by_force` anything but a certificate for the same subject or the
    /// same key. What is no regular file is not replaced but written to.
    pub(crate) fn check(self, path: &Path, applicant: &Applicant) -> Result<(), Problem> {
        if !path.is_file() {
            return Ok(());
        }
        let (held, hint) = match held(path, applicant) {
            None => return Ok(()),
            Some(Held::PrivateKey(_) | Held::Other) if self.links && path.is_symlink() => return Ok(()),
            Some(Held::PrivateKey(held)) => (
                held.to_owned(),
                "choose another with -o; a private key is never replaced, and nothing was done",
            ),
            Some(_) if self.by_force => return Ok(()),
            Some(Held::Certificate(held)) => (format!("the certificate of {}", held.tbs().subject()), FORCE),
            Some(Held::Other) => ("something other than a certificate".to_owned(), FORCE),
        };
        Err(Problem::new(Code::FileExists, format!("{} holds {held}", path.shown())).hint(hint))
    }
}

const FORCE: &str = "choose another with -o, or add --force to replace it; nothing was done";

fn held(path: &Path, applicant: &Applicant) -> Option<Held> {
    let Ok(octets) = read_file(path, LARGEST) else {
        return Some(Held::PrivateKey("what cannot be read and may be a private key"));
    };
    if is_private_key(&octets) {
        return Some(Held::PrivateKey("a private key"));
    }
    match Certificate::from_pem_or_der(&octets) {
        Ok(held) if held.tbs().subject().is_same_as(&applicant.subject) => None,
        Ok(held) if *held.tbs().public_key() == applicant.public_key => None,
        Ok(held) => Some(Held::Certificate(Box::new(held))),
        Err(_) if octets.is_empty() => None,
        Err(_) => Some(Held::Other),
    }
}

/// Whether these octets have a private key, alone or beside certificates; in a PKCS#12 file it is encrypted.
fn is_private_key(octets: &[u8]) -> bool {
    let label = b"PRIVATE KEY-----";
    matches!(PemKind::of(octets), Some(PemKind::PrivateKey | PemKind::Pkcs12))
        || octets.windows(label.len()).any(|part| part == label)
}
