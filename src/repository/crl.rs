//! A published CRL in its two forms.
use super::PublishError;
use super::directory::not_read;
use super::hold::Hold;
use crate::home::{Aside, Mode, ReadError, open_file, sync_directory};
use crate::x509::{CertificateList, CrlOutline, pem};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const LABEL: &str = "X509 CRL";

/// `NAME.crl` and `NAME.crl.pem`. The first counts; the second follows it.
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

    /// Puts both forms of a list in place unless what is there is newer. What takes long is done before
    /// `hold` is called, and looked at is what is there after it: nobody else replaces it then.
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

    /// The PEM form alone, while nobody replaces the other.
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

    /// What the published list says of itself.
    pub(super) fn outline(&self) -> Result<Option<CrlOutline>, PublishError> {
        match open_file(&self.der).and_then(|mut file| CrlOutline::read(&mut file)) {
            Ok(outline) => Ok(Some(outline)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(not_read(&self.der, ReadError::Io(error))),
        }
    }

    /// The same, `None` when only one of the forms is that list: somebody was killed between the two. While
    /// somebody is replacing them, that is waited for.
    pub(super) fn in_place(
        &self,
        hold: impl FnOnce() -> Result<Hold, PublishError>,
    ) -> Result<Option<CrlOutline>, PublishError> {
        let outline = self.outline()?;
        if outline.as_ref().is_none_or(|outline| self.agree(outline)) {
            return Ok(outline);
        }
        let _alone = hold()?;
        let outline = self.outline()?;
        Ok(outline.filter(|outline| self.agree(outline)))
    }

    /// Whether the PEM form is of this DER: by its length and whatever stands after the entries, the whole
    /// signature with it.
    fn agree(&self, outline: &CrlOutline) -> bool {
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
