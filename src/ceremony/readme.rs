//! The text on a medium for a stranger, `README.txt`.
use crate::signing::{KeyProtection, Protection, unarmored};
use crate::x509::{Certificate, UnixTime};

/// What the text is about.
pub(super) struct Readme<'a> {
    /// Name of the CA.
    pub(super) authority: &'a str,
    /// Its certificate.
    pub(super) certificate: &'a Certificate,
    /// When the medium is written.
    pub(super) at: UnixTime,
    /// How the key is used, in the caller's words.
    pub(super) usage: &'a str,
    /// How many media have the key.
    pub(super) copies: usize,
}

/// What opens a key, in words.
struct Opener {
    /// What somebody has who uses it.
    has: String,
    /// How the key was encrypted.
    is: String,
    /// The options by which age is told.
    options: &'static str,
}

impl Opener {
    fn of(authority: &str, sealed: &[u8], shares: Option<&[u8]>) -> Self {
        let octets = unarmored(sealed.to_vec());
        let by_shares = shares.and_then(|record| KeyProtection::by_shares(record, &octets));
        match (by_shares, Protection::of(&octets)) {
            (Some(KeyProtection::Shares { threshold, shares }), _) => Self {
                has: format!("{threshold} of the {shares} shares of its passphrase"),
                is: format!(
                    "with a passphrase that nobody knows: custodians have\n{shares} shares of it, on pages that say what to do, and \
                     any {threshold} of them restore it. What each\nshare has to be is in {authority}.shares.toml"
                ),
                options: "",
            },
            (_, Some(Protection::Recipients(all))) => Self {
                has: "the identity of one of its recipients".to_owned(),
                is: format!(
                    "to {}.\nThe identity of any of them opens it. None is on this medium",
                    Protection::Recipients(all)
                ),
                options: "-i IDENTITY ",
            },
            _ => Self {
                has: "the passphrase".to_owned(),
                is: "with a passphrase, which is not on this medium".to_owned(),
                options: "",
            },
        }
    }
}

impl Readme<'_> {
    /// Returns the text, for this key file and the record of its shares.
    pub(super) fn text(&self, sealed: &[u8], shares: Option<&[u8]>) -> String {
        let Self { authority, certificate, at, usage, .. } = *self;
        let tbs = certificate.tbs();
        let Opener { has, is, options } = Opener::of(authority, sealed, shares);
        let copies = match self.copies {
            0 | 1 => {
                "No other medium had this key when this one was written. A copy belongs in another safe: a medium\n\
                 that fails takes the authority with it.\n"
            }
            _ => {
                "There is another medium like this one in another safe. Each knows what it signed itself; a request\n\
                 brings what the other one signed since.\n"
            }
        };
        format!(
            "THE KEY OF A CERTIFICATE AUTHORITY\n\n\
             This medium has the private key of the certificate authority\n\n    {subject}\n\n\
             called {authority}, in {authority}.age. It was written at {at}. Whoever has this medium and\n\
             {has} can make certificates that everybody who trusts this authority accepts.\n\
             Keep it locked up. If it was lost or seen by others, tell those who run the authority.\n\n\
             The key was encrypted then {is}.\n\
             It is in the format age (age-encryption.org/v1), and inside that in PKCS#8:\n\n    \
             age -d {options}{authority}.age | openssl pkey -noout -text\n\n\
             Its certificate, and those above it, are in {authority}.pem. It ends at {end}.\n\
             SHA-256 of the certificate:\n\n    {fingerprint}\n\n\
             {authority}.mark     the highest number of a CRL that was signed with this key: never sign a lower one\n\
             {authority}.history  what was signed in ceremonies so far, a chain\n\
             {authority}.crl      the last CRL that was signed when this was written\n\
             {authority}.used     the serial numbers that were used when this was written: never use one again\n\
             policy/           the profiles: what this authority certifies\n\
             bundle.toml       digests of these files: sha256sum *.age *.pem policy/*\n\n\
             HOW IT IS USED\n\n\
             {usage}\n\n\
             {copies}",
            subject = tbs.subject(),
            end = tbs.validity().not_after,
            fingerprint = certificate.fingerprint(),
        )
    }
}
