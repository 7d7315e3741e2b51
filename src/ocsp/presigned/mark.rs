//! The mark that a daemon keeps of the newest file of answers that it has served, so that it takes no older one after a
//! restart.
use crate::error::Shown as _;
use crate::home::read_most;
use crate::ocsp::file_version::open_file;
use crate::x509::IssuerId;
use base16ct::lower::encode_string as hex;
use base16ct::mixed::decode_vec;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const SCHEMA: &str = "genfic-ocspd-responses/1";
/// Name of the file in the directory of the daemon's state.
const FILE: &str = "responses.mark";
/// Bound of its octets, 4 MiB: some ten thousand CAs.
const LARGEST: u64 = 4 << 20;

/// Name of the file while it is written. One daemon writes it.
const ASIDE: &str = ".responses.mark";

/// The newest file of answers that was served.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    pub(super) number: u64,
    /// The CAs in it. One of them has to vouch for the next file.
    pub(super) authorities: Vec<IssuerId>,
}

#[derive(Deserialize, Serialize)]
struct Contents {
    schema: String,
    number: u64,
    authorities: Vec<String>,
}

impl Mark {
    /// Returns the mark in this directory; `None` when nothing was served yet.
    ///
    /// # Errors
    /// When there is one that cannot be read: then nobody knows what was served.
    pub(super) fn read(state: &Path) -> Result<Option<Self>, String> {
        let path = state.join(FILE);
        let octets = match open_file(&path) {
            Ok(file) => read_most(file, LARGEST).map_err(|error| format!("{} {error}", path.shown()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{} cannot be read: {error}", path.shown())),
        };
        let damaged = || format!("{} is damaged: what was served last is not known", path.shown());
        let contents: Contents = serde_json::from_slice(&octets).map_err(|_| damaged())?;
        let authorities = contents.authorities.iter();
        let authorities = authorities.map(|text| Some(IssuerId(decode_vec(text).ok()?.try_into().ok()?)));
        match authorities.collect() {
            Some(authorities) if contents.schema == SCHEMA => {
                Ok(Some(Self { number: contents.number, authorities }))
            }
            _ => Err(damaged()),
        }
    }

    /// Writes the mark, durably.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write(&self, state: &Path) -> Result<(), String> {
        let contents = Contents {
            schema: SCHEMA.to_owned(),
            number: self.number,
            authorities: self.authorities.iter().map(|issuer| hex(&issuer.0)).collect(),
        };
        let mut octets = serde_json::to_vec_pretty(&contents).map_err(|error| error.to_string())?;
        octets.push(b'\n');
        put(state, &octets)
            .map_err(|error| format!("{} cannot be written: {error}", state.join(FILE).shown()))
    }
}

/// Replaces the file whole, durably. It is all that the daemon ever writes but logs, so it has none of the writers of the CA.
fn put(state: &Path, octets: &[u8]) -> io::Result<()> {
    let aside = state.join(ASIDE);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&aside, state.join(FILE))?;
    File::open(state)?.sync_all()
}
