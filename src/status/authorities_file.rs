//! `authorities-N.json`, which describes the CAs. It is written anew when one of them has changed.
use super::authority::WrittenAuthority;
use super::base::another;
use super::manifest::FilePart;
use super::{PublishedAuthority, StatusError, failed};
use crate::home::{Aside, Mode};
use crate::index::StoreError;
use crate::x509::{Certificate, IssuerId, Name, UnixTime, sha256};
use base16ct::lower::encode_string as hex;
use base16ct::mixed::decode_vec;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::Path;

/// Schema of the file. The manifest names the file, so that a new schema of this one is also one of the manifest.
const SCHEMA: &str = "genfic-ca-status-authorities/1";

/// Bound of the octets of the file: 64 MiB, some ten thousand CAs.
const LARGEST: u64 = 64 << 20;

#[derive(Deserialize, Serialize)]
struct Contents {
    schema: String,
    authorities: Vec<Row>,
}

/// One CA. Octets are hexadecimal, and so are DER encodings.
#[derive(Deserialize, Serialize)]
struct Row {
    name: String,
    issuer: String,
    names: Vec<String>,
    certificate: String,
    serves_ocsp: bool,
    /// RFC 3339
    retires: Option<String>,
}

/// Reads the CAs of the file that a manifest names.
pub(super) fn read(directory: &Path, part: &FilePart) -> Result<Vec<WrittenAuthority>, StatusError> {
    let path = directory.join(&part.file);
    let file = part.open(directory)?;
    let mut octets = Vec::new();
    file.take(LARGEST).read_to_end(&mut octets).map_err(|error| failed(&path, &error))?;
    if hex(&sha256(&octets)) != part.sha256 {
        return Err(another(&path));
    }
    parse(&octets).ok_or_else(|| another(&path))
}

/// Returns the octets of such a file for these CAs, which are in a file of another kind.
///
/// # Errors
/// Never for CAs that were published.
pub(crate) fn encode_authorities(authorities: &[PublishedAuthority]) -> Result<Vec<u8>, StatusError> {
    let written: Vec<WrittenAuthority> = authorities.iter().cloned().map(Into::into).collect();
    encode(&written)
}

/// Returns the CAs in the octets of such a file; `None` when they are none.
pub(crate) fn read_authorities(octets: &[u8]) -> Option<Vec<PublishedAuthority>> {
    parse(octets)?.into_iter().map(|written| PublishedAuthority::parse(written).ok()).collect()
}

/// Returns the CAs in the octets of such a file; `None` when they are none.
pub(super) fn parse(octets: &[u8]) -> Option<Vec<WrittenAuthority>> {
    let contents: Contents = serde_json::from_slice(octets).ok()?;
    if contents.schema != SCHEMA {
        return None;
    }
    contents.authorities.into_iter().map(Row::read).collect()
}

/// Returns the octets of the file for these CAs.
pub(super) fn encode(authorities: &[WrittenAuthority]) -> Result<Vec<u8>, StatusError> {
    let contents =
        Contents { schema: SCHEMA.to_owned(), authorities: authorities.iter().map(Row::of).collect() };
    let failed = |error: serde_json::Error| StoreError::Backend(format!("authorities: {error}"));
    let mut octets = serde_json::to_vec_pretty(&contents).map_err(failed)?;
    octets.push(b'\n');
    Ok(octets)
}

/// Writes such a file under a temporary name.
pub(super) fn write(path: &Path, octets: &[u8]) -> Result<(FilePart, Aside), StatusError> {
    let aside = Aside::fill(path, Mode::Public, |file| file.write_all(octets))?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let length = u64::try_from(octets.len()).unwrap_or(u64::MAX);
    Ok((FilePart { file, length, sha256: hex(&sha256(octets)) }, aside))
}

impl Row {
    fn of(authority: &WrittenAuthority) -> Self {
        Self {
            name: authority.name.clone(),
            issuer: hex(&authority.issuer.0),
            names: authority.names.iter().map(|name| hex(name)).collect(),
            certificate: hex(&authority.certificate),
            serves_ocsp: authority.serves_ocsp,
            retires: authority.retires.map(|at| at.to_string()),
        }
    }

    fn read(self) -> Option<WrittenAuthority> {
        Some(WrittenAuthority {
            name: self.name,
            issuer: IssuerId(decode_vec(&self.issuer).ok()?.try_into().ok()?),
            names: self.names.iter().map(decode_vec).collect::<Result<_, _>>().ok()?,
            certificate: decode_vec(&self.certificate).ok()?,
            serves_ocsp: self.serves_ocsp,
            retires: match self.retires {
                Some(text) => Some(UnixTime::parse(&text)?),
                None => None,
            },
        })
    }
}

impl PublishedAuthority {
    /// Parses the certificate and the names of a CA as they were written.
    pub(super) fn parse(written: WrittenAuthority) -> Result<Self, StatusError> {
        let damaged = |reason: String| StatusError::Store(StoreError::Damaged(reason));
        let name = |octets: &Vec<u8>| Name::from_der(octets).map_err(|error| damaged(error.to_string()));
        Ok(Self {
            name: written.name,
            issuer: written.issuer,
            names: written.names.iter().map(name).collect::<Result<_, _>>()?,
            certificate: Certificate::from_der(&written.certificate)
                .map_err(|error| damaged(error.to_string()))?,
            serves_ocsp: written.serves_ocsp,
            retires: written.retires,
        })
    }
}
