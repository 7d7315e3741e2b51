//! The files of several certificates in one directory. A file is replaced only by the successor of the certificate in
//! it; two holders of one name get files of different names.
use super::super::held::certificate;
use super::super::output::{Output, not_written};
use super::super::renewal::Former;
use super::super::request::Made;
use super::super::sign::applicant;
use crate::session::Session;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{Mode, replace, write_new};
use genfic_ca::index::Selector;
use genfic_ca::signing::Nobody;
use genfic_ca::subscriber_key::read_subscriber_key_file;
use genfic_ca::x509::{Fingerprint, GeneralName, SubjectPublicKeyInfo, pem};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Name of the file that is there while certificates are issued and not all written, and until the hook has succeeded.
const UNFINISHED: &str = ".genfic-ca-unfinished";

/// The directory, and the names that this command has given already.
pub(super) struct Files {
    directory: PathBuf,
    has_chain: bool,
    has_keys: bool,
    given: HashSet<String>,
}

/// Where the files of one certificate go.
pub(super) struct Place {
    directory: PathBuf,
    name: String,
    certificate: PathBuf,
    /// A key and a request that a command which was cut short has made and not had signed.
    earlier: Option<Made>,
}

impl Place {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn certificate(&self) -> &Path {
        &self.certificate
    }

    pub(super) fn earlier(&self) -> Option<Made> {
        self.earlier.clone()
    }

    pub(super) fn put(&self, octets: &[u8]) -> Result<(), Problem> {
        Output::within(&self.certificate)?.put(octets).map(drop)
    }
}

/// What is at a place.
enum Found {
    Nothing,
    /// The certificate that is to be replaced, or an earlier one of its holder.
    Predecessor,
    /// Anything else.
    Another,
}

impl Files {
    pub(super) fn new(directory: PathBuf, has_chain: bool, has_keys: bool) -> Self {
        Self { directory, has_chain, has_keys, given: HashSet::new() }
    }

    /// Whether an earlier command was cut short before it had written every file.
    pub(super) fn was_cut_short(&self) -> bool {
        self.directory.join(UNFINISHED).exists()
    }

    /// Notes that not every file is written yet.
    pub(super) fn mark(&self) -> Result<(), Problem> {
        let text = b"Certificates were issued whose files are not all here, or whose hook has not succeeded: give the same command again.\n";
        replace(&self.directory.join(UNFINISHED), text, Mode::Public).map_err(not_written)
    }

    /// Notes that every file is written, and that no hook is owed.
    pub(super) fn unmark(&self) {
        let _ = fs::remove_file(self.directory.join(UNFINISHED));
    }

    fn place_of(&self, name: String) -> Place {
        let file = |ending: &str| self.directory.join(format!("{name}.{ending}"));
        let certificate = file(if self.has_chain { "chain.pem" } else { "crt" });
        Place { directory: self.directory.clone(), certificate, name, earlier: None }
    }

    /// Returns the names that the files of a certificate may have: its common name, and the same with digits that
    /// belong to its subject, names, profile and CA.
    fn names(session: &Session, former: &Former) -> Result<[String; 2], Problem> {
        let Former { record, .. } = former;
        let mut names: Vec<String> = record.subject_alt_names.iter().map(GeneralName::to_string).collect();
        names.sort();
        // generations of a CA are one CA
        let generations = session.engine().hierarchy().generations(&record.authority)?;
        let authority = generations.first().map_or("", |first| &*first.name);
        let holder = [&record.subject.to_string(), &*names.join(","), &record.profile, authority].join("\n");
        let digest = Fingerprint::of(holder.as_bytes()).to_string();
        let digits: String = digest.trim_start_matches("sha256:").chars().take(8).collect();
        let name = former.file_name();
        Ok([name.clone(), format!("{name}-{digits}")])
    }

    /// Returns where the files of the next certificate go.
    ///
    /// # Errors
    /// Exit status 4 when what is there is not to be replaced.
    pub(super) fn place(&mut self, session: &Session, former: &Former) -> Result<Place, Problem> {
        let mut taken = None;
        for name in Self::names(session, former)? {
            let mut place = self.place_of(name);
            if self.given.contains(&place.name) {
                continue;
            }
            match (found(session, &place, former)?, self.has_keys) {
                (Found::Another, _) => {
                    taken.get_or_insert(place.certificate);
                    continue;
                }
                (Found::Predecessor, true) => {
                    taken = Some(place.certificate);
                    break;
                }
                (Found::Predecessor, false) | (Found::Nothing, false) => {}
                (Found::Nothing, true) => match earlier(session, &place, former)? {
                    Ok(earlier) => place.earlier = earlier,
                    Err(file) => {
                        taken = Some(file);
                        break;
                    }
                },
            }
            self.given.insert(place.name.clone());
            return Ok(place);
        }
        if let Some(file) = taken {
            return Err(Problem::new(Code::FileExists, format!("{} is there already", file.shown()))
                .hint("move it away, or choose another --dir, and give the same command again"));
        }
        let file = self.place_of(former.file_name()).certificate;
        let message = format!("{} has another certificate of this command", file.shown());
        Err(Problem::new(Code::FileExists, message).hint("renew this one by itself, into another file"))
    }

    /// Returns where the newest certificate of a holder is, when its file has been written.
    pub(super) fn there(&mut self, session: &Session, newest: &Former) -> Result<Option<Place>, Problem> {
        for name in Self::names(session, newest)? {
            let place = self.place_of(name);
            if let Some(there) = certificate(&place.certificate)
                && there.fingerprint() == newest.certificate.fingerprint()
            {
                self.given.insert(place.name.clone());
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    /// Returns where the newest certificate of a holder is still to be written, when its file has not been.
    pub(super) fn missing(&mut self, session: &Session, newest: &Former) -> Result<Option<Place>, Problem> {
        for name in Self::names(session, newest)? {
            let place = self.place_of(name);
            if self.given.contains(&place.name) || matches!(found(session, &place, newest)?, Found::Another) {
                continue;
            }
            // a new key belongs to its own certificate only
            let request = place.directory.join(format!("{}.req", place.name));
            let is_own = |asked: &genfic_ca::profile::Applicant| {
                asked.public_key == *newest.certificate.tbs().public_key()
            };
            if self.has_keys && !applicant(&request).is_ok_and(|asked| is_own(&asked)) {
                continue;
            }
            self.given.insert(place.name.clone());
            return Ok(Some(place));
        }
        Ok(None)
    }
}

/// Looks at what is where a certificate is to be written.
fn found(session: &Session, place: &Place, former: &Former) -> Result<Found, Problem> {
    match place.certificate.symlink_metadata() {
        Err(_) => return Ok(Found::Nothing),
        Ok(metadata) if !metadata.is_file() => return Ok(Found::Another),
        Ok(_) => {}
    }
    let Some(there) = certificate(&place.certificate) else { return Ok(Found::Another) };
    let engine = session.engine();
    let known = engine.record().select(&Selector::Exact(there.fingerprint()), 1)?;
    let is_own = match known.first() {
        Some(record) => engine.hierarchy().is_one_holder(record, &former.record)?,
        None => false,
    };
    Ok(if is_own { Found::Predecessor } else { Found::Another })
}

/// Returns the key and request that are at a place already, when they were made for the same subject and never
/// certified; else the file that is in the way. A command that was cut short has made them.
fn earlier(
    session: &Session,
    place: &Place,
    former: &Former,
) -> Result<Result<Option<Made>, PathBuf>, Problem> {
    let file = |ending: &str| place.directory.join(format!("{}.{ending}", place.name));
    let (key_file, request_file) = (file("key"), file("req"));
    if !key_file.exists() {
        return Ok(if request_file.exists() { Err(request_file) } else { Ok(None) });
    }
    let is_new = |key: &SubjectPublicKeyInfo| {
        let uses = session.engine().record().key_uses(&key.digest());
        uses.map(|uses| uses.iter().all(|one| one.is_abandoned))
    };
    let made = |key: &SubjectPublicKeyInfo| Made {
        key: key_file.clone(),
        request: request_file.clone(),
        certificate: file("crt"),
        algorithm: key.algorithm(),
        subject: former.record.subject.clone(),
        names: former.record.subject_alt_names.clone(),
        notices: Vec::new(),
    };
    if !request_file.exists() {
        let Ok(key) = read_subscriber_key_file(&key_file, &Nobody) else { return Ok(Err(key_file)) };
        if !is_new(key.public_key())? {
            return Ok(Err(key_file));
        }
        let der = key.request(&former.record.subject, &former.record.subject_alt_names)?;
        let request = pem::encode("CERTIFICATE REQUEST", &der);
        write_new(&request_file, request.as_bytes(), Mode::Public).map_err(not_written)?;
        return Ok(Ok(Some(made(key.public_key()))));
    }
    let Ok(asked) = applicant(&request_file) else { return Ok(Err(key_file)) };
    if !asked.subject.is_same_as(&former.record.subject) || !is_new(&asked.public_key)? {
        return Ok(Err(key_file));
    }
    Ok(Ok(Some(made(&asked.public_key))))
}
