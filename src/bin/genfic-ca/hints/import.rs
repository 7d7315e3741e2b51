//! Remedies for an import, as command-line options.
use genfic_ca::error::remedy::Import as R;
use std::borrow::Cow;

pub(super) fn text(remedy: &R) -> Cow<'static, str> {
    Cow::Borrowed(match remedy {
        R::Directory => {
            "name the directory that `dir` means in openssl.cnf, or the record itself with --index"
        }
        R::OneByOne => {
            "import them one after the other: name the directory of one, or its record with --index"
        }
        R::Certificate => "name it with --cert FILE",
        R::CertificateOr(advice) => {
            return format!("name it with --cert FILE; if it is that one: {advice}").into();
        }
        R::CaCertificate => {
            "name it with --cert FILE; it must be a certificate with CA:TRUE, signed with SHA-256 or better"
        }
        R::CertificateOfTheCa => {
            "name the CA's certificate with --cert; without CA:TRUE no client accepts what it issued"
        }
        R::Key => "name it with --key FILE",
        R::KeyOrLater => {
            "name it with --key FILE; or leave it where it is with --without-key, and bring it later by \
             `genfic-ca key import NAME FILE`"
        }
        R::WithoutKey => {
            "keys on P-256, P-384 and P-521, Ed25519 and RSA keys of 2048 to 8192 bits are supported. With \
             --without-key the CA's certificates and revocations are put on record all the same, but no CRL can \
             be signed: have the last ones made by the program it comes from, and issue anew under another CA"
        }
        R::MendedIndex => {
            "mend these lines in a copy and name it with --index: none is passed over, since it may be a \
             revocation"
        }
    })
}
