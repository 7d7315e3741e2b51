//! A key that an administrator takes from the signer that listens to media.
//!
//! First the media get everything and are read back; only then the signer removes the key. Whoever is killed leaves the key
//! there, whole on the media, or in both places, and the same command goes on.
use super::custody_service::CustodyService;
use crate::ca::partial_scope;
use crate::ceremony::{
    Bundle, Medium, must_have_no_other_key, opened_otherwise, profiles_in, raise_mark_on_medium, sha256,
    verify_on_medium, write_to_media,
};
use crate::error::{Code, Problem, Shown as _};
use crate::home::{AuthorityName, Home, PublicFile, ReadError, read_file};
use crate::signer::BundledKey;
use crate::signing::{SecretSource, UsedSerials};
use crate::x509::{Certificate, CertificateList, UnixTime, pem};
use std::io;
use std::path::{Path, PathBuf};

/// Bound of a file of certificates, in octets.
const LARGEST_CHAIN: u64 = 1 << 20;
/// Bound of a CRL, in octets.
const LARGEST_CRL: u64 = 256 << 20;

/// A key that is to go from the signer that listens to media.
pub struct ExportToMedia<'a> {
    /// Name of the CA.
    pub authority: AuthorityName,
    /// The directories on the media.
    pub media: Vec<PathBuf>,
    /// The directory of the public files of the CAs: the chain and the last CRL are taken from it, and verified.
    pub public: PathBuf,
    /// The directory of the profiles that the signer grants by.
    pub policy: PathBuf,
    /// How the key is used from the media, in the caller's words.
    pub usage: &'a str,
    /// When this is done.
    pub at: UnixTime,
}

/// A key that is on media, and in the signer no more.
pub struct ExportedToMedia {
    /// SHA-256 of the key file, in hexadecimal digits.
    pub digest: String,
    /// The files of each medium.
    pub files: Vec<String>,
    /// What a person has to know of what is on the media, beside [`ExportToMedia::notices`].
    pub notices: Vec<String>,
}

impl CustodyService {
    /// Moves a key from the signer to media: with its envelope, its certificates, its mark, its last CRL, the profiles, and
    /// every serial number that it used. Each medium is read back before the signer is told to remove the key.
    ///
    /// # Errors
    /// When the key does not open, its CRL is not at hand, or a medium has another key of this name, is full, or does not
    /// return what was written to it: the key stays in the signer then. When the signer's answer does not come, the
    /// key is still there, or is not; it is whole on the media.
    pub fn move_to_media(
        &self,
        export: &ExportToMedia<'_>,
        secrets: &dyn SecretSource,
    ) -> Result<ExportedToMedia, Problem> {
        let name = export.authority.as_str();
        let media: Vec<Medium> = export.media.iter().map(Medium::at).collect();
        let profiles = profiles_in(&export.policy)?;
        self.unlock_for_custody(name, secrets, 2)?;
        let key = self.0.lend_bundle(name)?;
        let digest = sha256(&key.sealed);
        let (certificate, above) = export.chain(&key)?;
        let stale = must_have_no_other_key((name, &certificate), &digest, &media)?;
        let crl = export.crl(&certificate, &key)?;
        let unknown = export.of_unknown_list(&key, crl.as_ref()).into_iter();
        let notices = unknown.chain(stale.iter().map(opened_otherwise)).collect();
        let number = crl.as_ref().and_then(|crl| crl.tbs().crl_number()).unwrap_or(0);
        let files = Bundle {
            authority: name,
            profile: &key.profile,
            certificate: &certificate,
            above: &above,
            sealed: key.sealed,
            crl: crl.map(|crl| crl.as_der().to_vec()),
            envelope: Some(key.envelope),
            shares: Some(key.record).filter(|record| !record.is_empty()),
            used: &used(key.used, &certificate),
            profiles: &profiles,
            usage: export.usage,
            copies: media.len(),
            at: export.at,
        }
        .files();
        write_to_media(&files, &media)?;
        for medium in &media {
            raise_mark_on_medium(name, key.mark.max(number), medium)?;
            verify_on_medium(&files, medium)?;
        }
        let places: Vec<String> = media.iter().map(|one| one.directory().shown().to_string()).collect();
        self.0.to_media(name, &digest, &places.join(", "))?;
        let files = files.into_iter().map(|file| file.name).collect();
        Ok(ExportedToMedia { digest, files, notices })
    }
}

/// Returns the serial numbers that a key has used. Where nobody knows the end of a certificate, it is that of the CA.
fn used(used: Vec<(crate::x509::SerialNumber, Option<UnixTime>)>, certificate: &Certificate) -> UsedSerials {
    let end = certificate.tbs().validity().not_after;
    let mut all = UsedSerials::default();
    used.into_iter().for_each(|(serial, until)| all.add(serial, until.unwrap_or(end)));
    all
}

impl ExportToMedia<'_> {
    fn public_file(&self, file: PublicFile) -> PathBuf {
        self.public.join(format!("{}{}", self.authority, file.ending()))
    }

    /// Returns the certificate of the CA, and those above it: as they are published, where the signer knows the first of
    /// them as one of this key; else the newest that the signer has.
    fn chain(&self, key: &BundledKey) -> Result<(Certificate, Vec<Certificate>), Problem> {
        let path = self.public_file(PublicFile::Chain);
        let malformed = |reason: String| {
            Problem::new(Code::FileMalformed, format!("{} is no chain: {reason}", path.shown()))
                .hint("name the directory of the public files of its home; nothing was changed")
        };
        let mut chain = Vec::new();
        if let Some(octets) = read_if_there(&path, LARGEST_CHAIN)? {
            let blocks =
                pem::decode_file(&octets, "CERTIFICATE").map_err(|error| malformed(error.to_string()))?;
            for block in blocks {
                chain.push(Certificate::from_der(&block.der).map_err(|error| malformed(error.to_string()))?);
            }
        }
        let is_own = |one: &Certificate| key.certificates.contains(one);
        let mut chain = chain.into_iter();
        match (
            chain.next().filter(is_own),
            key.certificates.iter().max_by_key(|one| one.tbs().validity().not_after),
        ) {
            (Some(first), _) => {
                let above: Vec<Certificate> = chain.collect();
                let mut below = &first;
                for one in &above {
                    if !below.was_signed_by(one.tbs().public_key()) {
                        return Err(malformed("a certificate in it is not signed by the next one".into()));
                    }
                    below = one;
                }
                Ok((first, above))
            }
            (None, Some(newest)) => Ok((newest.clone(), Vec::new())),
            (None, None) => Err(malformed("the signer has no certificate of this key".into())),
        }
    }

    /// Returns the last CRL of the CA as it is published. The signer knows the number of the last one, and its digest.
    fn crl(&self, certificate: &Certificate, key: &BundledKey) -> Result<Option<CertificateList>, Problem> {
        let (path, last) = (self.public_file(PublicFile::Crl), key.crl);
        let refused = |code: Code, message: String| {
            Problem::new(code, message).hint(
                "publish the CRL first, and name the directory of the public files of its home; nothing was changed",
            )
        };
        let Some(octets) = read_if_there(&path, LARGEST_CRL)? else {
            return match last {
                None => Ok(None),
                Some(last) => Err(refused(
                    Code::CrlNotPublished,
                    format!(
                        "{} is not there, and the key has signed a CRL with the number {last}",
                        path.shown()
                    ),
                )),
            };
        };
        let crl = CertificateList::from_der(&octets)
            .map_err(|error| refused(Code::FileMalformed, format!("{} is no CRL: {error}", path.shown())))?;
        if !crl.was_signed_by(certificate.tbs().public_key()) {
            return Err(refused(
                Code::CrlSignature,
                format!("{} is not signed by the key of {}", path.shown(), self.authority),
            ));
        }
        // a delta has the number of the complete one that was signed with it
        if let Some(what) = partial_scope(crl.tbs()) {
            return Err(refused(Code::CrlScope, format!("{} {what}", path.shown())));
        }
        let Some(last) = last else { return Ok(Some(crl)) };
        let number = crl.tbs().crl_number();
        if number.is_none_or(|number| number < last) {
            let message = format!(
                "{} is not the last CRL: the key has signed one with the number {last}",
                path.shown()
            );
            return Err(refused(Code::CrlOlder, message));
        }
        let is_other = |list: &String| *list != sha256(crl.tbs().as_der());
        if number == Some(last) && key.list.as_ref().is_some_and(is_other) {
            let message = format!(
                "{} is not the last CRL: the key has signed another one with the number {last}",
                path.shown()
            );
            return Err(refused(Code::CrlNumber, message));
        }
        Ok(Some(crl))
    }

    /// Says that nobody knows whether the CRL that goes along is the last one.
    fn of_unknown_list(&self, key: &BundledKey, crl: Option<&CertificateList>) -> Option<String> {
        (key.crl.is_none() && key.mark > 0).then(|| {
            let path = self.public_file(PublicFile::Crl);
            let taken = match crl.and_then(|crl| crl.tbs().crl_number()) {
                Some(number) => format!("the media have {}, with the number {number}", path.shown()),
                None => "the media have none with a number".to_owned(),
            };
            format!(
                "the signer does not know the last CRL of the key, and its mark is {}: {taken}; see that it is the last",
                key.mark
            )
        })
    }

    /// Returns what a person has to know of the media before the key is on them alone.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        let media: Vec<Medium> = self.media.iter().map(Medium::at).collect();
        let state = Home::system();
        let of_signer = Path::new("/var/lib/genfic-signer");
        let mut notices = Vec::new();
        for medium in &media {
            let place = medium.directory().shown();
            if medium.is_in_memory() {
                notices.push(format!(
                    "{place} is in the memory of this machine: the key is lost with it when the power goes"
                ));
            } else if medium.shares_file_system_with(state.directory())
                || medium.shares_file_system_with(of_signer)
            {
                notices.push(format!(
                    "{place} is on a disk of this machine: whoever takes that has the key as before"
                ));
            }
        }
        if let [one] = media.as_slice() {
            notices.push(format!(
                "{} is the only place of the key then: a medium that fails takes the CA with it; copy it to another one",
                one.directory().shown()
            ));
        }
        notices
    }
}

fn read_if_there(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Problem> {
    match read_file(path, most) {
        Ok(octets) => Ok(Some(octets)),
        Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::new(Code::FileNotRead, format!("{} {error}", path.shown()))
            .hint("name a directory that you may read; nothing was changed")),
    }
}

#[cfg(test)]
#[path = "custody_media_tests.rs"]
mod tests;
