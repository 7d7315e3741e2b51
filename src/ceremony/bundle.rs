//! What a medium has besides the key: all that is needed to sign with it, and a text for a stranger.
use super::medium::{MediumFile, sha256};
use crate::signing::UsedSerials;
use crate::x509::{Certificate, UnixTime};
use std::fmt::Write as _;

/// The directory of the profiles on a medium.
pub(crate) const PROFILES: &str = "policy";
/// The file with the digests of those that do not change by use.
pub(crate) const MANIFEST: &str = UsedSerials::MANIFEST;

/// Returns the name of the file with the certificates of a CA and of those above it, its own first, PEM.
#[must_use]
pub(crate) fn certificates_file(authority: &str) -> String {
    format!("{authority}.pem")
}

/// Returns the name of the file with a CA's key.
#[must_use]
pub(crate) fn key_file(authority: &str) -> String {
    format!("{authority}.age")
}

/// How the line of the manifest begins that names the profile of the CA.
const PROFILE: &str = "profile = \"";

/// Returns the name of the profile of the CA in the manifest of a medium, if it has one.
#[must_use]
pub(crate) fn profile_of(manifest: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(manifest).ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix(PROFILE)?.strip_suffix('"'))?;
    Some(name.to_owned())
}

/// The manifest of a medium, `bundle.toml`, of a CA with this name and profile.
#[must_use]
pub(crate) fn manifest(
    (authority, profile): (&str, &str),
    certificate: &Certificate,
    at: UnixTime,
    files: &[MediumFile],
) -> String {
    let key = base16ct::lower::encode_string(&certificate.tbs().public_key().digest());
    let mut text = format!(
        "# The key of a CA and what belongs to it. The digests are SHA-256, as `sha256sum` prints them.\n\
         authority = \"{authority}\"\n{PROFILE}{profile}\"\nwritten = \"{at}\"\nspki_sha256 = \"{key}\"\n\n[files]\n"
    );
    for file in files {
        let _ = writeln!(text, "\"{}\" = \"{}\"", file.name, sha256(&file.contents));
    }
    text
}

/// The text for a stranger, `README.txt`; `usage` says how the key is used.
#[must_use]
pub(crate) fn readme(authority: &str, certificate: &Certificate, at: UnixTime, usage: &str) -> String {
    let tbs = certificate.tbs();
    format!(
        "THE KEY OF A CERTIFICATE AUTHORITY\n\n\
         This medium has the private key of the certificate authority\n\n    {subject}\n\n\
         called {authority}, in {authority}.age. It was written at {at}. Whoever has this medium and\n\
         the passphrase can make certificates that everybody who trusts this authority accepts.\n\
         Keep it locked up. If it was lost or seen by others, tell those who run the authority.\n\n\
         The key is encrypted with a passphrase, which is not on this medium. It is in the format\n\
         age (age-encryption.org/v1), and inside that in PKCS#8:\n\n    \
         age -d {authority}.age | openssl pkey -noout -text\n\n\
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
         There is another medium like this one in another safe. Each knows what it signed itself; a request\n\
         brings what the other one signed since.\n",
        subject = tbs.subject(),
        end = tbs.validity().not_after,
        fingerprint = certificate.fingerprint(),
    )
}
