//! What other commands have renewed: an earlier one that was cut short, or one at the same time. Its files are written here.
use super::super::renewal::{Former, meanwhile};
use super::files::Place;
use super::{Prepared, Renewals};
use crate::commands::chain::pem;
use crate::report::path_value;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::index::CertificateRecord;
use genfic_ca::x509::CertificateId;
use serde_json::{Value, json};

impl Renewals<'_> {
    /// Writes the files that a command which was cut short has not written.
    pub(super) fn place_missing(&mut self, renewed: &[CertificateId]) -> Result<(), Problem> {
        for id in renewed {
            let Some(record) = self.session.engine().record().certificate(id)? else { continue };
            let Some(files) = &mut self.files else { return Ok(()) };
            let Ok(former) = Former::of(self.session, self.args, record) else { continue };
            if let Some(place) = files.there(self.session, &former)? {
                if self.args.hook.is_some() {
                    self.owed.push(handed_out(&former, &place));
                }
                continue;
            }
            let Some(place) = files.missing(self.session, &former)? else { continue };
            self.put(&former, &place)?;
        }
        Ok(())
    }

    /// Writes the file of a certificate that another command has issued.
    fn put(&mut self, newest: &Former, place: &Place) -> Result<(), Problem> {
        let published = self.session.engine().publication().check_published(&newest.record.id)?;
        let Some(certificate) = published.certificate() else { return Ok(()) };
        let chain = self.chain(&newest.record.authority)?;
        place.put(pem(std::iter::once(&certificate).chain(&chain)).as_bytes())?;
        self.rows.push(vec![newest.id(), "written now".into(), place.certificate().shown().to_string()]);
        self.placed.push(handed_out(newest, place));
        Ok(())
    }

    /// Writes the file of a certificate that another command has renewed meanwhile; returns whether that is so.
    pub(super) fn taken_over(
        &mut self,
        prepared: Option<&Prepared>,
        problem: &Problem,
    ) -> Result<bool, Problem> {
        let Some(prepared) = prepared.filter(|_| problem.code == Code::RenewalMeanwhile) else {
            return Ok(false);
        };
        let Some(renewal) = &prepared.request.renewal else { return Ok(false) };
        let Some(newer) = meanwhile::newer(self.session, &prepared.former, renewal)? else {
            return Ok(false);
        };
        self.overtaken = self.overtaken.saturating_add(1);
        if let Some(place) = &prepared.place {
            self.put(&Former::of(self.session, self.args, newer)?, place)?;
        }
        Ok(true)
    }

    /// Whether another command has renewed a certificate since all that are due were listed.
    pub(super) fn is_replaced(&mut self, record: &CertificateRecord) -> Result<bool, Problem> {
        if !self.args.certificates.is_empty() {
            return Ok(false);
        }
        let revocation = self.session.engine().revocation();
        let is_replaced = revocation.replacement(record, &revocation.chain_statuses()?)?.is_some();
        self.overtaken = self.overtaken.saturating_add(usize::from(is_replaced));
        Ok(is_replaced)
    }
}

/// Returns the fields of a certificate that an earlier command has issued.
fn handed_out(former: &Former, place: &Place) -> Value {
    json!({
        "name": place.name(),
        "serial": former.record.id.serial_number.to_string(),
        "issuer": former.record.authority,
        "subject": former.record.subject.to_string(),
        "file": path_value(place.certificate()),
    })
}
