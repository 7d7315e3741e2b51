//! Removes files of CAs that are no longer trusted from a hashed directory.
use super::super::output::not_written;
use super::super::values::read;
use crate::session::Session;
use genfic_ca::ca::{Engine, Published};
use genfic_ca::error::Problem;
use genfic_ca::home::{WriteError, sync_directory};
use genfic_ca::index::{Authority, Selector, StatusValue};
use genfic_ca::x509::{Certificate, CertificateList, UnixTime, pem};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A file that was removed.
pub(super) struct Removed {
    pub(super) file: PathBuf,
    /// Name of the CA, and why its file was removed.
    pub(super) why: String,
}

/// What is about to be written, and the state of each CA.
struct Present<'a> {
    engine: &'a Engine,
    now: UnixTime,
    /// The CAs of this home that are not external, each with the reason why nothing of it is trusted any more, if
    /// any.
    authorities: Vec<(Authority, Option<&'static str>)>,
    anchors: &'a [Published<Authority>],
    with_lists: &'a [Authority],
}

/// Removes certificates and CRLs of this home's CAs that are permanently revoked, retired or expired, except for those
/// that are about to be written. Files of external CAs stay, because such a CA may have a certificate that this home
/// does not know. The contents of a file decide; files of other CAs stay. The last file of the same hash takes the
/// place of a removed one, because OpenSSL stops at the first missing number.
pub(super) fn remove(
    session: &Session,
    directory: &Path,
    anchors: &[Published<Authority>],
    with_lists: &[Authority],
) -> Result<Vec<Removed>, Problem> {
    let engine = session.engine();
    let mut authorities = Vec::new();
    for authority in engine.record().authorities()?.into_iter().filter(|one| !one.is_external()) {
        let fate = match engine.hierarchy().chain_is_revoked(&authority)? {
            false if authority.retired.is_some() => Some("retired"),
            false => None,
            true if engine.hierarchy().is_revoked(&authority)? => Some("revoked"),
            true => Some("issuer-revoked"),
        };
        authorities.push((authority, fate));
    }
    let now = engine.now();
    let present = Present { engine, now, authorities, anchors, with_lists };
    let mut removed = Vec::new();
    for (stem, mut numbers) in families(directory) {
        let path = |number: usize| directory.join(format!("{stem}{number}"));
        for number in numbers.clone().into_iter().rev() {
            let file = path(number);
            let Some(why) = present.departed(&file)? else { continue };
            let last = (number..).take_while(|one| numbers.contains(one)).last().unwrap_or(number);
            let gone = if last == number { fs::remove_file(&file) } else { fs::rename(path(last), &file) };
            gone.map_err(|source| not_written(WriteError { path: file.clone(), source }))?;
            numbers.remove(&last);
            removed.push(Removed { file, why });
        }
    }
    if !removed.is_empty() {
        sync_directory(directory).map_err(not_written)?;
    }
    Ok(removed)
}

/// Returns the numbers after each `HASH.` and `HASH.r`.
fn families(directory: &Path) -> BTreeMap<String, BTreeSet<usize>> {
    let mut families: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((hash, rest)) = name.to_str().and_then(|name| name.split_once('.')) else { continue };
        let digits = rest.strip_prefix('r').unwrap_or(rest);
        let is_hash = hash.len() == 8 && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = digits.parse::<usize>().ok().filter(|number| number.to_string() == digits);
        if let Some(number) = number.filter(|_| is_hash) {
            let mark = if rest.len() > digits.len() { "r" } else { "" };
            families.entry(format!("{hash}.{mark}")).or_default().insert(number);
        }
    }
    families
}

impl Present<'_> {
    /// Returns why a file is to be removed; `None` when it stays.
    fn departed(&self, file: &Path) -> Result<Option<String>, Problem> {
        let Ok(octets) = read(file) else { return Ok(None) };
        // files written by this program have one block
        let blocks = pem::decode_file(&octets, "").unwrap_or_default();
        let [block] = blocks.as_slice() else { return Ok(None) };
        match block.label.as_str() {
            "CERTIFICATE" => match Certificate::from_der(&block.der) {
                Ok(certificate) => self.departed_certificate(&certificate),
                Err(_) => Ok(None),
            },
            "X509 CRL" => {
                Ok(CertificateList::from_der(&block.der).ok().and_then(|list| self.departed_list(&list)))
            }
            _ => Ok(None),
        }
    }

    fn departed_certificate(&self, certificate: &Certificate) -> Result<Option<String>, Problem> {
        let issuer = certificate.tbs().as_issuer();
        let Some((authority, fate)) = self.authorities.iter().find(|(one, _)| one.issuer == issuer) else {
            return Ok(None);
        };
        if self.anchors.iter().any(|anchor| anchor.certificate == *certificate) {
            return Ok(None);
        }
        if let Some(fate) = fate {
            return Ok(Some(format!("{} is {fate}", authority.name)));
        }
        let recorded = self.engine.record().select(&Selector::Exact(certificate.fingerprint()), 1)?;
        let own = match recorded.first().map(|record| record.status(self.now)) {
            // another certificate of the CA, by any issuer, may be valid when the recorded one has expired
            None if certificate.tbs().validity().not_after < self.now => StatusValue::Expired,
            None => StatusValue::Valid,
            Some(own) => own,
        };
        let has_ended = matches!(own, StatusValue::Expired | StatusValue::Revoked);
        Ok(has_ended.then(|| format!("this certificate of {} is {own}", authority.name)))
    }

    fn departed_list(&self, list: &CertificateList) -> Option<String> {
        let is_theirs = |authority: &Authority| {
            let tbs = authority.certificate.tbs();
            tbs.subject().is_same_as(list.tbs().issuer()) && list.is_signed_by(tbs.public_key())
        };
        let is_written = |authority: &Authority| self.with_lists.iter().any(|one| one.name == authority.name);
        let ended = |authority: &Authority| {
            (authority.certificate.tbs().validity().not_after < self.now).then_some("expired")
        };
        self.authorities
            .iter()
            .filter(|(one, _)| !is_written(one))
            .filter_map(|(one, fate)| Some((one, fate.or_else(|| ended(one))?)))
            .find(|(one, _)| is_theirs(one))
            .map(|(one, fate)| format!("{} is {fate}", one.name))
    }
}
