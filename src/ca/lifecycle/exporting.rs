//! Moves the key of a CA to media outside of the home, and back (G6).
//!
//! First the media get everything and are read back, then the record says that the key is there, then it is removed
//! here. A command that is killed leaves the key in one place at least, and does the rest when it is run again.
use super::Lifecycle;
use super::keys::must_be_a_file_outside_the_service;
use crate::ca::IssuingAuthority;
use crate::ca::authority::mismatched;
use crate::ca::maintenance::WithoutCrl;
use crate::ceremony::{
    Bundle, Medium, MediumFile, key_file, must_have_no_other_key, opened_otherwise, raise_mark_on_medium,
    sha256, verify_on_medium, write_to_media,
};
use crate::error::{Code, Notice, Problem, Shown as _, remedy};
use crate::failpoint;
use crate::home::{Mode, read_file, remove_overwritten, write_new};
use crate::index::{Authority, CertificateState, Filter};
use crate::signing::{CaSigner, KeyError, KeyFile, KeyRef, OfflineKeys, UsedSerials, unarmored};
use crate::x509::SerialNumber;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A key that is to be moved to media.
#[derive(Clone, Debug)]
pub struct KeyExport {
    /// The CA.
    pub authority: String,
    /// The media.
    pub media: Vec<Medium>,
    /// The profiles, by their file names.
    pub profiles: Vec<(String, Vec<u8>)>,
    /// How the key is used from the media, in the caller's words.
    pub usage: String,
    /// Whether it is copied from another medium, which keeps it.
    pub is_copy: bool,
    /// Whether nobody has what opens the key.
    pub sealed: bool,
}

/// A key that is on media, verified there.
#[derive(Clone)]
pub struct KeyOnMedia {
    /// The CA.
    pub authority: Authority,
    /// SHA-256 of the key file, in hexadecimal digits.
    pub digest: String,
    /// The path of the key file in this home, if it is there.
    pub here: Option<PathBuf>,
    /// The files of each medium.
    pub files: Vec<String>,
    /// Sentences about media that had the key encrypted otherwise.
    pub notices: Vec<String>,
    /// The key, where it was opened before it was copied.
    pub opened: Option<Arc<dyn CaSigner>>,
}

impl Lifecycle<'_> {
    /// Writes the key of a CA, still encrypted, with all that is needed to sign, to each medium, and reads it back. The
    /// key comes from this home, or, when it is on media already, from the medium in use. A medium that has the key encrypted
    /// otherwise is overwritten only when `may_overwrite` says so, and the file that comes was opened before.
    ///
    /// # Errors
    /// When there is no such CA, its key is not at hand, the configuration denies that it is kept offline, a medium has
    /// another key of this name, is full, or does not return what was written to it; as `may_overwrite` says. Nothing is
    /// removed.
    pub fn copy_key_to_media(
        &self,
        export: &KeyExport,
        may_overwrite: &dyn Fn(&[Medium]) -> Result<(), Problem>,
    ) -> Result<KeyOnMedia, Problem> {
        let authority = self.own_authority(&export.authority)?;
        let name = &authority.name;
        must_be_a_file_outside_the_service(name, &KeyRef::of(&authority))?;
        self.must_not_be_denied(name)?;
        let (sealed, source) = self.sealed(&authority, &export.media)?;
        let here = self.key_file_here(&authority).filter(|path| *path == source);
        let files = self.files_for_media(&authority, (sealed.clone(), &source), export)?;
        let digest = sha256(&sealed);
        let stale = must_have_no_other_key((name, &authority.certificate), &digest, &export.media)?;
        let mut opened = None;
        if !stale.is_empty() {
            may_overwrite(&stale)?;
            opened = Some(self.must_open(&authority, here.is_some(), export.sealed)?);
        }
        write_to_media(&files, &export.media)?;
        for medium in &export.media {
            self.keep_mark(&authority, medium)?;
            verify_on_medium(&files, medium)?;
        }
        let files = files.into_iter().map(|file| file.name).collect();
        let notices = stale.iter().map(opened_otherwise).collect();
        Ok(KeyOnMedia { authority, digest, here, files, notices, opened })
    }

    /// Opens the key that is to take the place of other files of the same key: what does not open takes the last one that does
    /// away.
    fn must_open(
        &self,
        authority: &Authority,
        is_here: bool,
        sealed: bool,
    ) -> Result<Arc<dyn CaSigner>, Problem> {
        let name = &authority.name;
        if sealed {
            let message = format!(
                "a medium has the key of {name} encrypted otherwise, and nobody sees whether this file opens"
            );
            return Err(Problem::new(Code::MediumOther, message)
                .hint("have the key opened before it is copied; nothing was written"));
        }
        let key = KeyRef::of(authority);
        let within = OfflineKeys::within_store(&key).filter(|_| is_here);
        let signer = self.engine.keys().signer(&within.unwrap_or(key))?;
        let is_its_own = signer.public_key() == authority.certificate.tbs().public_key();
        if is_its_own { Ok(signer) } else { Err(mismatched(name)) }
    }

    /// Refuses a CA of which the configuration denies that its key is kept offline.
    pub(super) fn must_not_be_denied(&self, name: &str) -> Result<(), Problem> {
        if self.engine.settings().config.offline_setting(name) != Some(false) {
            return Ok(());
        }
        let message = format!("the configuration says that the key of {name} is not kept offline");
        Err(Problem::new(Code::KeyNotOffline, message)
            .hint(format!("remove offline = false below [authority.{name}], then do this again")))
    }

    /// Returns a CA whose key can be moved: one of this home's own.
    pub(super) fn own_authority(&self, name: &str) -> Result<Authority, Problem> {
        let authority = self.engine.hierarchy().authority(name)?;
        if authority.is_external() {
            let message = format!("{name} is run by others; it is here for the CAs below it");
            return Err(Problem::new(Code::KeyElsewhere, message).hint(remedy::Authority::AskItsOwners));
        }
        Ok(authority)
    }

    /// Returns the octets of a CA's key file, and its path: in this home, or else on the medium in use, or on one of those
    /// that are to have it.
    fn sealed(&self, authority: &Authority, media: &[Medium]) -> Result<(Vec<u8>, PathBuf), Problem> {
        let key = KeyRef::of(authority);
        let here = self.key_file_here(authority).filter(|path| path.exists());
        let on_medium = || {
            let keys = self.engine.keys().inspecting()?;
            let in_use = keys.inspect(&key).ok().and_then(|()| keys.files(&key).into_iter().next());
            let there = media.iter().map(|medium| medium.file(&key_file(&authority.name)));
            in_use.or_else(|| there.into_iter().find(|path| path.exists()))
        };
        let path = here.or_else(on_medium).ok_or_else(|| KeyError::Offline(authority.name.clone()))?;
        let octets = read_file(&path, KeyFile::LARGEST).map_err(|error| {
            Problem::new(Code::KeyNotRead, format!("{} cannot be read: {error}", path.shown()))
                .hint("nothing was changed")
        })?;
        if !KeyFile::has_key(&octets) {
            let message = format!("{} is no encrypted key", path.shown());
            return Err(Problem::new(Code::KeyUnusable, message).hint("restore the key from its backup"));
        }
        Ok((unarmored(octets), path))
    }

    /// Returns the path that the key file of a CA has in this home, whether or not it is there; `None` for a key that is
    /// in no file.
    fn key_file_here(&self, authority: &Authority) -> Option<PathBuf> {
        let key = KeyRef::of(authority);
        let within = OfflineKeys::within_store(&key).unwrap_or(key);
        match self.engine.keys().place(&within) {
            crate::signing::KeyPlace::File(path) => Some(path),
            crate::signing::KeyPlace::Uri(_) => None,
        }
    }

    fn files_for_media(
        &self,
        authority: &Authority,
        (sealed, source): (Vec<u8>, &Path),
        export: &KeyExport,
    ) -> Result<Vec<MediumFile>, Problem> {
        let name = &authority.name;
        let crl = self.engine.publisher().published_crl(name)?;
        // the limits of the key and the record of its shares, where they are beside it
        let key = self.key_file_here(authority);
        let beside = |key: &Path, ending: &str| {
            read_file(&key.with_file_name(format!("{name}.{ending}")), KeyFile::LARGEST).ok()
        };
        let of_home = || key.and_then(|key| beside(&key, "envelope.toml"));
        let bundle = Bundle {
            authority: name,
            profile: &authority.profile,
            certificate: &authority.certificate,
            above: &self.engine.hierarchy().ancestors(authority)?,
            sealed,
            crl: crl.map(|crl| crl.as_der().to_vec()),
            envelope: beside(source, "envelope.toml").or_else(of_home),
            shares: beside(source, "shares.toml"),
            used: &self.used(authority)?,
            profiles: &export.profiles,
            usage: &export.usage,
            copies: export.media.len() + usize::from(export.is_copy),
            at: self.engine.now(),
        };
        Ok(bundle.files())
    }

    /// Returns the serial numbers that the key of a CA has used, as the signer of a medium reads them: those of the index,
    /// and those that the signer alone knows, with the end of the CA. Those that an open request for a ceremony asks for
    /// are not used yet.
    fn used(&self, authority: &Authority) -> Result<UsedSerials, Problem> {
        let filter = Filter { authority: Some(authority.name.clone()), ..Filter::default() };
        let open = self.engine.open_ceremony(&authority.name)?;
        let asked_for: HashSet<SerialNumber> =
            open.iter().flat_map(|(request, _)| request.serial_numbers()).cloned().collect();
        let mut used = UsedSerials::default();
        self.engine.index().list(&filter, &mut |record| {
            let serial = record.id.serial_number;
            if record.state != CertificateState::Pending || !asked_for.contains(&serial) {
                used.add(serial, record.validity.not_after);
            }
            true
        })?;
        if let Some(signer) = self.engine.keys().remembering() {
            let end = authority.certificate.tbs().validity().not_after;
            let key = KeyRef::of(authority).of_key(authority.certificate.tbs().public_key());
            let alone = signer.used_serials(&key)?.into_iter();
            let alone: Vec<SerialNumber> = alone.filter(|serial| used.not_after(serial).is_none()).collect();
            alone.into_iter().for_each(|serial| used.add(serial, end));
        }
        Ok(used)
    }

    /// Raises the mark on a medium to the highest CRL number that is known here.
    ///
    /// # Errors
    /// When a mark cannot be read, or that of the medium cannot be written.
    pub fn keep_mark(&self, authority: &Authority, medium: &Medium) -> Result<(), Problem> {
        let key = KeyRef::of(authority);
        let known = self.engine.keys().mark(&key)?.number.unwrap_or(0);
        let number = known.max(self.engine.index().highest_crl_number(&authority.issuer)?);
        raise_mark_on_medium(&authority.name, number, medium)
    }

    /// Opens the key on the medium in use and compares it with the CA's certificate.
    ///
    /// # Errors
    /// When it does not open, or is another key.
    pub fn open_on_medium(&self, copied: &KeyOnMedia) -> Result<Arc<dyn CaSigner>, Problem> {
        let key = KeyRef::of(&copied.authority);
        let there = OfflineKeys::on_media(&key).unwrap_or(key);
        let signer = self.engine.keys().signer(&there)?;
        failpoint::passed("key: opened on the medium");
        let is_its_own = signer.public_key() == copied.authority.certificate.tbs().public_key();
        if is_its_own { Ok(signer) } else { Err(mismatched(&copied.authority.name)) }
    }

    /// Records that the key of a CA is on media. From then on its CRLs and the certificates of its responder, if it was
    /// given one, last as long as those of a CA that is kept offline (C8, O7). Returns whether this was a change.
    ///
    /// # Errors
    /// When the index fails.
    pub fn record_key_on_media(&self, copied: &KeyOnMedia, media: &[Medium]) -> Result<bool, Problem> {
        let authority = &copied.authority;
        let mut event = self.engine.event(self.engine.now(), "key.exported", &*authority.name);
        event.details.push(("key_file_sha256".into(), copied.digest.clone()));
        for medium in media {
            event.details.push(("medium".into(), medium.directory().shown().to_string()));
        }
        let Some(there) = OfflineKeys::on_media(&KeyRef::of(authority)) else {
            // one more medium
            self.engine.index().record_event(event)?;
            return Ok(false);
        };
        self.engine.index().set_key(&authority.issuer, &there.uri, event)?;
        failpoint::passed("key: recorded as offline");
        self.engine.publication().publish_status()?;
        Ok(true)
    }

    /// Makes the CRL, and the certificate of a responder, last as long as those of a CA that is kept offline, with the
    /// key on the medium in use.
    ///
    /// # Errors
    /// When the CA may not issue. What fails is told as a notice.
    pub fn sign_ahead(&self, name: &str, signer: Arc<dyn CaSigner>) -> Result<Vec<Notice>, Problem> {
        let (engine, maintenance) = (self.engine, self.engine.maintenance());
        let authority = engine.hierarchy().authority(name)?;
        let issuer = IssuingAuthority::new(&engine.hierarchy(), authority.clone(), signer, engine.now())?;
        let lists = issuer.crl_authority();
        let (config, now) = (&engine.settings().config, engine.now());
        // half of what one lasts is left, at least
        let list = config.crl_next_update(name, true);
        let last = engine.index().last_crl(&authority.issuer)?;
        let lists = last.is_none_or(|last| last.next_update < now.plus(list / 2)).then_some(&lists);
        let days = config.ocsp.responder_days_offline;
        let responder = engine.publisher().responder_certificate(name);
        let is_long = responder.is_some_and(|one| one.tbs().validity().not_after >= now.plus_days(days / 2));
        let answers = (authority.serves_ocsp && !is_long).then_some(&issuer);
        let signed = maintenance.sign_own(name, Ok(lists), Ok(answers), WithoutCrl::ResponderAllTheSame);
        let mut notices = Vec::new();
        match signed.crl {
            Ok(None) => {}
            Ok(Some(crl)) => notices.push(
                format!("a CRL of {name} was signed ahead, number {}, until {}", crl.number, crl.next_update)
                    .into(),
            ),
            Err(problem) => notices.push(format!("no CRL of {name} was signed ahead: {problem}").into()),
        }
        match signed.responder {
            Ok(None) => {}
            Ok(Some(issued)) => {
                let end = issued.certificate.tbs().validity().not_after;
                notices.push(format!("the responder of {name} has a certificate until {end}").into());
            }
            Err(problem) => notices
                .push(format!("the responder of {name} has no certificate that lasts: {problem}").into()),
        }
        Ok(notices)
    }

    /// Removes the key of a CA here, once the record says that it is on media. The file is overwritten after that, which
    /// reaches the device only where it overwrites in place. Returns whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove_exported_key(&self, copied: &KeyOnMedia) -> Result<bool, Problem> {
        let authority = self.engine.hierarchy().authority(&copied.authority.name)?;
        let Some(path) = self.key_file_here(&authority).filter(|_| authority.has_key_on_media()) else {
            return Ok(false);
        };
        match remove_overwritten(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => {
                let message = format!("{} cannot be removed: {error}", path.shown());
                return Err(Problem::new(Code::KeyNotWritten, message)
                    .hint(remedy::Repair::ExportKeyAgain(authority.name.clone())));
            }
        }
        failpoint::passed("key: removed here");
        let event = self.engine.event(self.engine.now(), "key.removed", &*authority.name);
        self.engine.index().record_event(event)?;
        Ok(true)
    }

    /// Brings the key of a CA back from a medium, still encrypted. The media keep theirs.
    ///
    /// # Errors
    /// When the key is not on media, this medium has none, or another one is here.
    pub fn bring_key_back(&self, name: &str, medium: &Medium) -> Result<PathBuf, Problem> {
        let authority = self.own_authority(name)?;
        let key = KeyRef::of(&authority);
        let Some(within) = OfflineKeys::within_store(&key) else {
            let message = format!("the key of {name} is not kept offline");
            return Err(Problem::new(Code::KeyExists, message).hint("nothing is to be brought back"));
        };
        let sealed = medium.read(&key_file(name))?.filter(|octets| KeyFile::has_key(octets));
        let sealed = sealed.ok_or_else(|| {
            let message = format!("{} has no key of {name}", medium.directory().shown());
            Problem::new(Code::KeyNotFound, message).hint(remedy::Access::BringMedium(name.to_owned()))
        })?;
        let path = self.key_file_here(&authority).unwrap_or_default();
        // before the key is there, so that what it signed elsewhere is older than its coming
        if let Some(signer) = self.engine.keys().remembering() {
            signer.note_return(&within.clone().of_key(authority.certificate.tbs().public_key()))?;
        }
        match write_new(&path, &sealed, Mode::Private) {
            Ok(()) => {}
            Err(error) if error.source.kind() == std::io::ErrorKind::AlreadyExists => {
                if read_file(&path, KeyFile::LARGEST).ok().as_ref() != Some(&sealed) {
                    return Err(KeyError::Exists(crate::signing::KeyPlace::File(path)).into());
                }
            }
            Err(error) => return Err(KeyError::NotWritten(error).into()),
        }
        failpoint::passed("key: brought back");
        // the medium in use has the higher mark, if it is this one
        if let Some(number) = self.engine.keys().mark(&key)?.number {
            self.engine.keys().raise_mark(&within, number)?;
        }
        let mut event = self.engine.event(self.engine.now(), "key.brought-back", name);
        event.details.push(("key_file_sha256".into(), sha256(&sealed)));
        self.engine.index().set_key(&authority.issuer, &within.uri, event)?;
        self.engine.publication().publish_status()?;
        Ok(path)
    }
}
