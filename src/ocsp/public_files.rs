//! `HOME/public/`: the CRLs and CA certificates at the URLs that certificates contain.
use super::file_version::{FileVersion, open_file};
use crate::error::Reason;
use crate::error::Shown as _;
use crate::status::PublishedAuthority;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, CrlListing, Fingerprint, UnixTime};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is served to everybody.
#[derive(Clone, Debug)]
pub struct ServedFile {
    /// Contents of the file.
    pub octets: Arc<[u8]>,
    /// `application/pkix-crl` or `application/pkix-cert`
    pub media_type: &'static str,
    /// Lower-case hexadecimal SHA-256 of the contents.
    pub tag: String,
    /// Time at which the file was written.
    pub modified: UnixTime,
    /// For CRLs: `nextUpdate`, by which a newer file is published.
    pub next_update: Option<UnixTime>,
    /// For delta CRLs: `cRLNumber`.
    pub delta_number: Option<CrlNumber>,
    /// For complete CRLs: the entries, parsed from the same octets.
    pub list: Option<Arc<CrlListing>>,
}

impl ServedFile {
    /// Checks that a delta CRL is not older than the one that was served before it.
    ///
    /// # Errors
    /// When that has a higher number.
    pub(super) fn follows(&self, before: Option<&Self>, authority: &str) -> Result<(), Reason> {
        match (self.delta_number, before.and_then(|before| before.delta_number)) {
            (Some(number), Some(newest)) if number < newest => Err(format!(
                "the published delta CRL of {authority} has number {number}, lower than {newest}, which stays in use"
            )
            .into()),
            _ => Ok(()),
        }
    }
}

/// The directory of the public files.
#[derive(Clone, Debug)]
pub struct PublicFiles {
    directory: PathBuf,
}

/// Kinds of public files.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum PublicKind {
    /// `NAME.crl`
    Crl,
    /// `NAME.crt`
    Certificate,
    /// `NAME.delta.crl`
    DeltaCrl,
}

impl PublicKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Crl, Self::Certificate, Self::DeltaCrl];

    fn extension(self) -> &'static str {
        match self {
            Self::Crl => "crl",
            Self::Certificate => "crt",
            Self::DeltaCrl => "delta.crl",
        }
    }

    /// Returns the file name for a CA.
    #[must_use]
    pub fn file_name(self, authority: &PublishedAuthority) -> String {
        format!("{}.{}", authority.name, self.extension())
    }
}

impl PublicFiles {
    /// Returns the public files of this directory, which is `HOME/public`.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The directory of the files.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns a value that changes with the file; `None` when there is no file.
    pub(super) fn file_version(
        &self,
        kind: PublicKind,
        authority: &PublishedAuthority,
    ) -> Option<FileVersion> {
        FileVersion::of(&self.path(kind, authority)?).ok().flatten()
    }

    /// Reads a CA's file. Only a CRL that the CA's key has signed, or the CA's own certificate, is served.
    ///
    /// # Errors
    /// When the file cannot be read or is not such a CRL or certificate.
    pub fn load(&self, kind: PublicKind, authority: &PublishedAuthority) -> Result<ServedFile, Reason> {
        let path = self
            .path(kind, authority)
            .ok_or_else(|| format!("`{}` cannot be part of a file name", authority.name))?;
        let failed = |reason: String| format!("{}: {reason}", path.shown());
        let (octets, modified) = read(&path).map_err(|error| failed(error.to_string()))?;
        let key = authority.certificate.tbs().public_key();
        match kind {
            PublicKind::Crl => {
                let list = CertificateList::from_der(&octets).map_err(|error| failed(error.to_string()))?;
                // at most two copies of a long CRL are in memory
                drop(octets);
                if !list.is_signed_by(key) {
                    return Err(failed(format!("not signed by the key of {}", authority.name)).into());
                }
                let next_update = list.tbs().next_update();
                let list = Arc::new(CrlListing::of(&list));
                let octets = Arc::clone(list.octets());
                let tag = Fingerprint::of(&octets).to_hex();
                let media_type = "application/pkix-crl";
                let (list, delta_number) = (Some(list), None);
                Ok(ServedFile { octets, media_type, tag, modified, next_update, delta_number, list })
            }
            PublicKind::DeltaCrl => {
                let list = CertificateList::from_der(&octets).map_err(|error| failed(error.to_string()))?;
                if list.tbs().base_crl_number().is_none() || !list.is_signed_by(key) {
                    return Err(
                        failed(format!("no delta CRL signed by the key of {}", authority.name)).into()
                    );
                }
                let (tag, next_update) = (Fingerprint::of(&octets).to_hex(), list.tbs().next_update());
                let (octets, media_type) = (octets.into(), "application/pkix-crl");
                let (delta_number, list) = (list.tbs().crl_number(), None);
                Ok(ServedFile { octets, media_type, tag, modified, next_update, delta_number, list })
            }
            PublicKind::Certificate => {
                let certificate =
                    Certificate::from_der(&octets).map_err(|error| failed(error.to_string()))?;
                if certificate.tbs().public_key() != key {
                    return Err(failed(format!("not the certificate of {}", authority.name)).into());
                }
                let tag = Fingerprint::of(&octets).to_hex();
                let (octets, media_type) = (octets.into(), "application/pkix-cert");
                let (next_update, delta_number, list) = (None, None, None);
                Ok(ServedFile { octets, media_type, tag, modified, next_update, delta_number, list })
            }
        }
    }

    /// Returns the path of the file. A CA's name comes from the status, so a name that could lead out of the
    /// directory gives `None`.
    fn path(&self, kind: PublicKind, authority: &PublishedAuthority) -> Option<PathBuf> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = &authority.name;
        let is_safe = !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain);
        is_safe.then(|| self.directory.join(kind.file_name(authority)))
    }
}

fn read(path: &Path) -> std::io::Result<(Vec<u8>, UnixTime)> {
    let mut file = open_file(path)?;
    let since = file.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut octets = Vec::new();
    file.read_to_end(&mut octets)?;
    Ok((octets, UnixTime::from_duration(since)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocsp::fixture::{Hierarchy, NOW};

    #[test]
    fn only_what_belongs_to_the_ca_is_handed_out() {
        // X10
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let files = PublicFiles::new(home.path().into());
        let authority = &hierarchy.authorities()[0];
        std::fs::write(home.path().join("ca.crt"), hierarchy.ca.as_der()).unwrap();
        let file = files.load(PublicKind::Certificate, authority).unwrap();
        assert_eq!((&*file.octets, file.media_type), (hierarchy.ca.as_der(), "application/pkix-cert"));
        std::fs::write(home.path().join("ca.crt"), hierarchy.other_ca.as_der()).unwrap();
        let fault = files.load(PublicKind::Certificate, authority).unwrap_err();
        assert!(fault.to_string().ends_with("not the certificate of ca"), "{fault}");
        std::fs::write(home.path().join("ca.crl"), hierarchy.ca.as_der()).unwrap();
        assert!(files.load(PublicKind::Crl, authority).is_err());
    }

    #[test]
    fn a_crl_is_handed_out_when_the_ca_has_signed_it() {
        // X10
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let files = PublicFiles::new(home.path().into());
        std::fs::write(home.path().join("ca.crl"), hierarchy.crl(1, &[])).unwrap();
        let file = files.load(PublicKind::Crl, &hierarchy.authorities()[0]).unwrap();
        assert_eq!((file.media_type, file.next_update), ("application/pkix-crl", Some(NOW.plus_days(7))));
        std::fs::rename(home.path().join("ca.crl"), home.path().join("other.crl")).unwrap();
        let fault = files.load(PublicKind::Crl, &hierarchy.authorities()[1]).unwrap_err();
        assert!(fault.to_string().ends_with("not signed by the key of other"), "{fault}");
    }

    #[test]
    fn a_name_that_leaves_the_directory_has_no_file() {
        let (hierarchy, home) = (Hierarchy::new(), tempfile::tempdir().unwrap());
        let mut authority = hierarchy.authorities().remove(0);
        std::fs::write(home.path().join("ca.crt"), hierarchy.ca.as_der()).unwrap();
        std::fs::create_dir(home.path().join("public")).unwrap();
        let files = PublicFiles::new(home.path().join("public"));
        for name in ["../ca", "..", "", ".ca", "a/b"] {
            authority.name = name.into();
            assert!(files.load(PublicKind::Certificate, &authority).is_err(), "{name}");
        }
    }

    #[test]
    fn an_older_delta_crl_does_not_follow_a_newer_one() {
        // C5, C7
        let file = |delta_number| ServedFile {
            octets: [][..].into(),
            media_type: "application/pkix-crl",
            tag: String::new(),
            modified: UnixTime(0),
            next_update: None,
            delta_number,
            list: None,
        };
        let follows = |number, before| file(number).follows(Some(&file(before)), "ca").is_ok();
        assert!(
            file(Some(7)).follows(None, "ca").is_ok() && follows(Some(7), None) && follows(None, Some(7))
        );
        assert!(follows(Some(7), Some(7)) && follows(Some(8), Some(7)) && !follows(Some(7), Some(8)));
    }
}
