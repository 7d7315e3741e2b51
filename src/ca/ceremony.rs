//! Requests for ceremonies that are not answered yet.
use super::Engine;
use crate::ceremony::{Request, malformed};
use crate::error::Problem;
use crate::repository::{CeremonyFile, Publisher};
use crate::x509::SerialNumber;
use crate::x509::extension::{ExtendedKeyUsage, Purpose};

/// Returns the request for a ceremony of this CA that waits for its answer, and its text.
fn open_request(publisher: &dyn Publisher, name: &str) -> Result<Option<(Request, String)>, Problem> {
    let Some(octets) = publisher.ceremony(name, CeremonyFile::Request)? else { return Ok(None) };
    let text = String::from_utf8_lossy(&octets).into_owned();
    let request = Request::parse(&text)
        .map_err(|mistakes| malformed(&format!("the request kept for {name}"), &mistakes))?;
    Ok(Some((request, text)))
}

/// Returns whether a request for a ceremony of this CA has a certificate with this serial number. It is pending on
/// record until the answer comes, or another request replaces this one.
///
/// # Errors
/// When the request cannot be read, or is damaged.
pub(crate) fn waits_for_ceremony(
    publisher: &dyn Publisher,
    name: &str,
    serial: &SerialNumber,
) -> Result<bool, Problem> {
    let open = open_request(publisher, name)?;
    Ok(open.is_some_and(|(request, _)| request.serial_numbers().any(|one| one == serial)))
}

/// Returns whether a request for a ceremony of this CA asks for the certificate of its responder.
pub(crate) fn responder_is_asked_for(publisher: &dyn Publisher, name: &str) -> bool {
    let open = open_request(publisher, name).ok().flatten();
    let asked = open.iter().flat_map(|(request, _)| &request.items);
    asked
        .filter_map(|item| item.tbs.certificate())
        .any(|tbs| ExtendedKeyUsage::of(tbs).is_some_and(|usage| usage.0.contains(&Purpose::OCSP_SIGNING)))
}

impl Engine {
    /// Returns the request for a ceremony of this CA that waits for its answer, and its text.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub(in crate::ca) fn open_ceremony(&self, name: &str) -> Result<Option<(Request, String)>, Problem> {
        open_request(self.publisher(), name)
    }

    /// Returns whether a request for a ceremony of this CA has a certificate with this serial number.
    ///
    /// # Errors
    /// As [`waits_for_ceremony`].
    pub(in crate::ca) fn waits_for_ceremony(
        &self,
        name: &str,
        serial: &SerialNumber,
    ) -> Result<bool, Problem> {
        waits_for_ceremony(self.publisher(), name, serial)
    }
}
