//! A published CRL in its two forms, DER and PEM.
use super::PublishError;
use super::directory::not_read;
use super::hold::Hold;
use crate::home::{Aside, Mode, ReadError, open_file, sync_directory};
use crate::x509::{CertificateList, CrlSummary, pem};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const LABEL: &str = "X509 CRL";

/// `NAME.crl` (DER) and `NAME.crl.pem`. The DER form is authoritative, and the PEM form is made from it.
pub(super) struct CrlForms {
    der: PathBuf,
    text: PathBuf,
}

impl CrlForms {
    pub(super) fn new(der: PathBuf, text: PathBuf) -> Self {
        Self { der, text }
    }

    pub(super) fn into_files(self) -> Vec<PathBuf> {
        vec![self.der, self.text]
    }

    /// Publishes both forms of a CRL unless the published one is newer. The slow work is done before `hold` is
    /// called. The published CRL is compared again under the lock, when no other process replaces it.
    pub(super) fn publish(
        self,
        crl: &CertificateList,
        hold: impl FnOnce() -> Result<Hold, PublishError>,
    ) -> Result<Vec<PathBuf>, PublishError> {
        self.refuse_older(crl)?;
        let der = Aside::write(&self.der, Mode::Public, |file| file.write_all(crl.as_der()))?;
        let text = self.write_text(crl)?;
        let _alone = hold()?;
        self.refuse_older(crl)?;
        der.replace()?;
        text.replace()?;
        for file in [&self.der, &self.text] {
            sync_directory(file.parent().unwrap_or(Path::new(".")))?;
        }
        Ok(self.into_files())
    }

    fn write_text(&self, crl: &CertificateList) -> Result<Aside, PublishError> {
        Ok(Aside::write(&self.text, Mode::Public, |file| {
            file.write_all(pem::begin(LABEL).as_bytes())?;
            pem::body(crl.as_der()).try_for_each(|piece| file.write_all(piece.as_bytes()))?;
            file.write_all(pem::end(LABEL).as_bytes())
        })?)
    }

    /// Writes the PEM form only. The caller holds the lock, so that no other process replaces the DER form.
    pub(super) fn repeat_text(&self, crl: &CertificateList) -> Result<(), PublishError> {
        self.write_text(crl)?.replace()?;
        Ok(sync_directory(self.text.parent().unwrap_or(Path::new(".")))?)
    }

    fn refuse_older(&self, crl: &CertificateList) -> Result<(), PublishError> {
        let published = self.outline()?.and_then(|published| published.crl_number());
        match (published, crl.tbs().crl_number()) {
            (Some(published), Some(offered)) if offered <= published => {
                Err(PublishError::Older { published, offered })
            }
            _ => Ok(()),
        }
    }

    /// Returns the outline of the published CRL.
    pub(super) fn outline(&self) -> Result<Option<CrlSummary>, PublishError> {
        match open_file(&self.der).and_then(|mut file| CrlSummary::read(&mut file)) {
            Ok(outline) => Ok(Some(outline)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(not_read(&self.der, ReadError::Io(error))),
        }
    }

    /// Returns the outline of the published CRL, or `None` when only one of the forms is of that CRL, because a
    /// process was killed between the two. It waits for a process that is replacing them.
    pub(super) fn in_place(
        &self,
        hold: impl FnOnce() -> Result<Hold, PublishError>,
    ) -> Result<Option<CrlSummary>, PublishError> {
        let outline = self.outline()?;
        if outline.as_ref().is_none_or(|outline| self.agree(outline)) {
            return Ok(outline);
        }
        let _alone = hold()?;
        let outline = self.outline()?;
        Ok(outline.filter(|outline| self.agree(outline)))
    }

    /// Returns whether the PEM form is of this DER form. It compares the length and everything after the
    /// entries, which includes the whole signature.
    fn agree(&self, outline: &CrlSummary) -> bool {
        let compare = || -> io::Result<bool> {
            let (mut der, mut text) = (open_file(&self.der)?, open_file(&self.text)?);
            let (length, line) = (der.metadata()?.len(), u64::try_from(pem::LINE).unwrap_or(1));
            let start = length.saturating_sub(outline.after_entries()) / line * line;
            let last = read_from(&mut der, start)?;
            let expected: String = pem::body(&last).chain([pem::end(LABEL)]).collect();
            let whole = pem::encoded_length(LABEL, length);
            let tail = u64::try_from(expected.len()).unwrap_or(u64::MAX);
            Ok(text.metadata()?.len() == whole
                && read_from(&mut text, whole.saturating_sub(tail))? == expected.as_bytes())
        };
        compare().unwrap_or(false)
    }
}

fn read_from(file: &mut File, start: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut octets = Vec::new();
    file.read_to_end(&mut octets)?;
    Ok(octets)
}
