//! `metrics`: what is so in the home, as a text file for Prometheus' node exporter.
use super::output::Output;
use crate::cli::Metrics;
use crate::report::{Report, path_value};
use crate::session::Session;
use genfic_ca::ca::{ClockStatus, Engine};
use genfic_ca::doctor::{Due, Severity};
use genfic_ca::error::{Problem, Shown as _};
use genfic_ca::index::{Authority, CertificateState};
use genfic_ca::x509::{IssuerId, UnixTime};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::{Display, Write};

/// Audit records that are read in one go, from the newest on, to find the last backup.
const WINDOW: u64 = 10_000;

/// The audit event of a backup.
const BACKUP: &str = "backup.created";

/// States in which certificates are counted.
const STATES: [&str; 5] = ["valid", "expired", "revoked", "held", "pending"];

/// Writes the numbers.
pub(crate) fn metrics(session: &Session, args: &Metrics) -> Result<Report, Problem> {
    let output = Output::chosen(args.output.as_deref())?;
    let engine = session.engine();
    let mut page = Page::default();
    let authorities = engine.record().authorities()?;
    let living: Vec<&Authority> = authorities.iter().filter(|one| one.retired.is_none()).collect();
    put_authorities(&mut page, engine, &living)?;
    put_certificates(&mut page, engine, &authorities)?;
    put_home(&mut page, engine, &session.assembly.due()?)?;
    let text = page.0;
    let lines = text.lines().filter(|line| !line.starts_with('#')).count();
    let file = output.put(text.as_bytes())?;
    let result = json!({ "file": file.as_deref().map(path_value), "metrics": lines, "text": text });
    Ok(match file {
        None => Report::seen(result, text.trim_end().to_owned()),
        Some(file) => Report::done(result, format!("{lines} metrics written: {}", file.shown())),
    })
}

/// Puts when CAs, their CRLs and their responders end.
fn put_authorities(page: &mut Page, engine: &Engine, authorities: &[&Authority]) -> Result<(), Problem> {
    let (mut numbers, mut ends, mut due, mut responders) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    page.head("authority_not_after_timestamp_seconds", "Time of the end of the certificate of a CA.");
    for authority in authorities {
        let end = authority.certificate.tbs().validity().not_after;
        page.line("authority_not_after_timestamp_seconds", &[("ca", &authority.name)], end.0);
        if authority.is_external() {
            continue;
        }
        if let Some(crl) = engine.record().last_crl(&authority.issuer)? {
            numbers.push((&authority.name, crl.number.to_string()));
            ends.push((&authority.name, crl.next_update.0));
            let is_due = engine.maintenance().crl_is_due(&authority.name).unwrap_or(true);
            due.push((&authority.name, i64::from(is_due || engine.record().crl_is_owed(&authority.issuer)?)));
        }
        let responder = engine.publication().responder_certificate(&authority.name);
        if let Some(certificate) = responder.filter(|_| authority.serves_ocsp) {
            responders.push((&authority.name, certificate.tbs().validity().not_after.0));
        }
    }
    page.each("crl_number", "Number of the last CRL of a CA.", &numbers);
    page.each("crl_next_update_timestamp_seconds", "Time of nextUpdate of the last CRL of a CA.", &ends);
    page.each("crl_due", "Whether a CRL is to be published for a CA.", &due);
    let help = "Time of the end of the certificate of the responder of a CA.";
    page.each("responder_not_after_timestamp_seconds", help, &responders);
    Ok(())
}

/// Puts how many certificates there are of each CA in each state.
fn put_certificates(page: &mut Page, engine: &Engine, authorities: &[Authority]) -> Result<(), Problem> {
    let now = engine.now();
    let mut counts: BTreeMap<IssuerId, [u64; STATES.len()]> = BTreeMap::new();
    engine.record().status_rows(0, &mut |row| {
        let state = match &row.state {
            CertificateState::Pending => "pending",
            CertificateState::Revoked(revocation) if revocation.is_hold() => "held",
            CertificateState::Revoked(_) => "revoked",
            CertificateState::Issued if row.not_after < now => "expired",
            CertificateState::Issued => "valid",
        };
        let counted = counts.entry(row.id.issuer).or_default();
        let place = STATES.iter().position(|name| *name == state).unwrap_or_default();
        if let Some(count) = counted.get_mut(place) {
            *count = count.saturating_add(1);
        }
    })?;
    page.head("certificates", "Certificates on record that a CA issued, by their state.");
    for authority in authorities.iter().filter(|one| !one.is_external()) {
        let counted = counts.remove(&authority.issuer).unwrap_or_default();
        for (state, count) in STATES.iter().zip(counted) {
            page.line("certificates", &[("ca", &authority.name), ("status", state)], count);
        }
    }
    Ok(())
}

/// Puts what is so of the home as a whole.
fn put_home(page: &mut Page, engine: &Engine, due: &Due) -> Result<(), Problem> {
    let record = engine.record();
    page.single("change", "Number of the latest change of the index.", record.change_number()?);
    let help = "Time at which the published status was last confirmed.";
    if let Some(time) = engine.publication().status_time()? {
        page.single("status_timestamp_seconds", help, time.0);
    }
    let help = "Time of the last backup on record.";
    if let Some(time) = last_backup(engine)? {
        page.single("backup_timestamp_seconds", help, time.0);
    }
    page.head("findings", "What is due or has lapsed, by how grave it is.");
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let count = due.findings.iter().filter(|finding| finding.severity == severity).count();
        page.line("findings", &[("severity", &severity.to_string())], count);
    }
    page.single("ready", "Whether responders can answer for every CA.", u8::from(due.is_ready));
    let is_trusted = engine.clock_state()?.status() == ClockStatus::Trusted;
    page.single("clock_trusted", "Whether something is signed with this clock.", u8::from(is_trusted));
    let restored = u8::from(record.restored()?.is_some());
    page.single("restored", "Whether a restored home waits to be accepted.", restored);
    let waiting = engine.lifecycle().pending_requests()?.len();
    page.single("requests_waiting", "CAs that wait for their certificates.", waiting);
    page.single("metrics_timestamp_seconds", "Time at which these numbers were taken.", engine.now().0);
    Ok(())
}

/// Returns the time of the last backup on record.
fn last_backup(engine: &Engine) -> Result<Option<UnixTime>, Problem> {
    let mut end = engine.record().audit_head()?.sequence;
    while end > 0 {
        let begin = end.saturating_sub(WINDOW).saturating_add(1);
        let mut found = None;
        engine.record().audit_records(begin, &mut |entry| {
            if entry.event.action == BACKUP {
                found = Some(entry.event.at);
            }
            entry.sequence < end
        })?;
        if found.is_some() {
            return Ok(found);
        }
        end = begin.saturating_sub(1);
    }
    Ok(None)
}

/// The text format 0.0.4 of Prometheus. Every number is a gauge.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, help: &str) {
        // writing into memory does not fail
        let _ = writeln!(self.0, "# HELP genfic_ca_{name} {help}\n# TYPE genfic_ca_{name} gauge");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(name, text)| format!("{name}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "genfic_ca_{name}{labels} {value}");
    }

    fn single(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, help);
        self.line(name, &[], value);
    }

    /// Puts a number for each CA; nothing without any.
    fn each(&mut self, name: &str, help: &str, values: &[(&String, impl Display)]) {
        if !values.is_empty() {
            self.head(name, help);
        }
        for (authority, value) in values {
            self.line(name, &[("ca", authority)], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_head_for_each_metric_and_escapes_labels() {
        let mut page = Page::default();
        let none: [(&String, u8); 0] = [];
        page.each("none", "Nothing.", &none);
        page.each("ends", "Ends.", &[(&"a\"b\\".to_owned(), 7)]);
        page.single("ready", "Ready.", 1);
        let expected = "# HELP genfic_ca_ends Ends.\n# TYPE genfic_ca_ends gauge\n\
                        genfic_ca_ends{ca=\"a\\\"b\\\\\"} 7\n\
                        # HELP genfic_ca_ready Ready.\n# TYPE genfic_ca_ready gauge\ngenfic_ca_ready 1\n";
        assert_eq!(page.0, expected);
    }
}
