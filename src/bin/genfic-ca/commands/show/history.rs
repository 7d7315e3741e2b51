//! What the audit log says of a certificate: when, by whom and from which request it was issued, and what became of it.
use crate::session::Session;
use genfic_ca::audit::{AuditEvent, AuditRecord};
use genfic_ca::error::Problem;
use genfic_ca::index::{CertificateRecord, first_audit_at};
use genfic_ca::x509::UnixTime;
use serde_json::{Map, Value, json};

/// Actions with which a certificate comes on record.
const BEGINNINGS: [&str; 3] = ["certificate.issued", "certificate.imported", "certificate.restored"];

/// The records of one certificate.
pub(super) struct History {
    /// Name of the certificate in records: `CA/SERIAL`.
    object: String,
    /// Records that are about it or name it.
    records: Vec<AuditRecord>,
    /// The newest certificate like it that replaces it.
    replaced_by: Option<String>,
}

impl History {
    /// Returns what is on record. The log is read from the beginning of the certificate on; from its own beginning, when
    /// a clock went back and the certificate is not found otherwise.
    pub(super) fn of(session: &Session, record: &CertificateRecord) -> Result<Self, Problem> {
        let engine = session.engine();
        let object = format!("{}/{}", record.authority, record.id.serial_number);
        let mut records: Vec<AuditRecord> = Vec::new();
        let first = first_audit_at(engine.record(), record.validity.not_before)?;
        for from in [first, 1] {
            records.clear();
            engine.record().audit_naming(&object, from, &mut |found| {
                records.push(found);
                true
            })?;
            let is_beginning =
                |one: &AuditRecord| one.event.object == object && BEGINNINGS.contains(&&*one.event.action);
            if from == 1 || records.iter().any(is_beginning) {
                break;
            }
        }
        let statuses = engine.revocation().chain_statuses()?;
        let replacement = engine.revocation().replacement(record, &statuses)?;
        let replaced_by = replacement.map(|one| format!("{}/{}", one.authority, one.id.serial_number));
        Ok(Self { object, records, replaced_by })
    }

    fn own(&self, action: &'static str) -> impl DoubleEndedIterator<Item = &AuditRecord> {
        self.records.iter().filter(move |one| one.event.object == self.object && one.event.action == action)
    }

    fn issued(&self) -> Option<&AuditRecord> {
        BEGINNINGS.into_iter().filter_map(|action| self.own(action).next()).next()
    }

    fn intended(&self) -> Option<&AuditEvent> {
        self.own("certificate.intended").next().map(|one| &one.event)
    }

    /// Returns the last change of its state after it was issued.
    fn changed(&self) -> Option<&AuditRecord> {
        let actions =
            ["certificate.revoked", "certificate.held", "certificate.released", "certificate.abandoned"];
        actions.into_iter().filter_map(|action| self.own(action).next_back()).max_by_key(|one| one.sequence)
    }

    /// Returns the certificate that was made in place of this one: the one that says so, else the newest like it.
    fn renewed_by(&self) -> Option<&str> {
        let says_so = |one: &&AuditRecord| one.event.detail("renews") == Some(&self.object);
        let newest = self.records.iter().rev().find(says_so).map(|one| one.event.object.as_str());
        newest.or(self.replaced_by.as_deref())
    }

    /// Returns lines for people.
    pub(super) fn rows(&self) -> Vec<(String, String)> {
        let at_by = |one: &AuditRecord| told(one.event.at, &one.event.actor.to_string(), one.sequence);
        let mut rows = Vec::new();
        if let Some(issued) = self.issued() {
            let word = if issued.event.action == "certificate.issued" { "Issued" } else { "Taken over" };
            rows.push((word.to_owned(), at_by(issued)));
        }
        if let Some(event) = self.intended() {
            match (event.detail("request"), event.detail("request_sha256")) {
                (Some(file), Some(digest)) => {
                    rows.push(("Request".into(), format!("{file}, sha256:{digest}")))
                }
                _ if event.detail("renews").is_none() => {
                    rows.push((
                        "Request".into(),
                        "none: its key was made here, or the request is not on record".into(),
                    ));
                }
                _ => {}
            }
            if let Some(former) = event.detail("renews") {
                rows.push(("Renews".into(), former.to_owned()));
            }
        }
        if let Some(changed) = self.changed() {
            let word = changed.event.action.trim_start_matches("certificate.").to_owned();
            let reason =
                changed.event.detail("reason").map(|reason| format!(", {reason}")).unwrap_or_default();
            rows.push(("What became of it".into(), format!("{word} {}{reason}", at_by(changed))));
        }
        if let Some(newer) = self.renewed_by() {
            rows.push(("Renewed by".into(), newer.to_owned()));
        }
        rows
    }

    /// Returns fields for programs.
    pub(super) fn fields(&self) -> Map<String, Value> {
        let actor = |one: &AuditRecord| one.event.actor.to_string();
        let (issued, changed) = (self.issued(), self.changed());
        let detail = |name: &str| self.intended().and_then(|event| event.detail(name));
        let revoked = changed.filter(|one| one.event.action != "certificate.released");
        let history: Vec<Value> = self.records.iter().map(AuditRecord::to_json).collect();
        let fields = json!({
            "issued_at": issued.map(|one| one.event.at.to_string()),
            "issued_by": issued.map(actor),
            "request": detail("request"),
            "request_sha256": detail("request_sha256"),
            "renews": detail("renews"),
            "revoked_by": revoked.map(actor),
            "renewed_by": self.renewed_by(),
            "history": history,
        });
        fields.as_object().cloned().unwrap_or_default()
    }
}

fn told(at: UnixTime, by: &str, sequence: u64) -> String {
    format!("{at} by {by} (audit record {sequence})")
}
