//! Writer of `index.txt`, the database that `openssl ca` writes and `openssl ocsp -index` reads.
use super::StoreError;
use super::{CertificateRecord, CertificateState, Filter, IndexError, IndexReader, Revocation};
use crate::x509::{Attribute, CrlReason, Name, UnixTime};
use std::fmt::Write as _;
use std::io;

/// Contents of `FILE.attr`, which must be beside the file. Without it OpenSSL refuses two valid certificates
/// with the same subject.
pub const INDEX_TXT_ATTRIBUTES: &str = "unique_subject = no\n";

/// Writes a line for every certificate of a CA, oldest first: `V`, `R` or `E`, expiry, revocation, serial
/// number, file (`unknown`) and subject, separated by tabs. Pending certificates are left out, and abandoned
/// certificates are written as revoked. Reasons that OpenSSL's file does not know are left out.
///
/// # Errors
/// When there is no such CA, the index cannot be read, or `out` cannot be written.
pub fn index_txt(
    reader: &dyn IndexReader,
    authority: &str,
    now: UnixTime,
    out: &mut dyn io::Write,
) -> Result<(), IndexError> {
    if reader.authority(authority)?.is_none() {
        return Err(IndexError::IssuerUnfit(format!("there is no CA named {authority}")));
    }
    let filter = Filter { authority: Some(authority.to_owned()), ..Filter::default() };
    let mut written = Ok(());
    reader.list(&filter, &mut |record| {
        if let Some(line) = line(&record, now) {
            written = out.write_all(line.as_bytes());
        }
        written.is_ok()
    })?;
    written.map_err(|error| {
        IndexError::Store(StoreError::Backend(format!("index.txt cannot be written: {error}")))
    })
}

fn line(record: &CertificateRecord, now: UnixTime) -> Option<String> {
    let end = record.validity.not_after;
    let (letter, revocation) = match &record.state {
        CertificateState::Pending => return None,
        CertificateState::Revoked(revocation) => ('R', revoked(revocation)),
        CertificateState::Issued if now > end => ('E', String::new()),
        CertificateState::Issued => ('V', String::new()),
    };
    let serial = record.id.serial_number.to_string().to_uppercase();
    Some(format!("{letter}\t{}\t{revocation}\t{serial}\tunknown\t{}\n", time(end), oneline(&record.subject)))
}

/// Returns the time without its DER header: `YYMMDDHHMMSSZ` through 2049, `YYYYMMDDHHMMSSZ` after.
fn time(at: UnixTime) -> String {
    text_of(&at.to_der())
}

fn text_of(der: &[u8]) -> String {
    String::from_utf8_lossy(der.get(2..).unwrap_or_default()).into_owned()
}

fn revoked(revocation: &Revocation) -> String {
    let at = time(revocation.revoked_at);
    let reason = match (revocation.reason, revocation.invalidity_date) {
        (Some(CrlReason::KeyCompromise), Some(since)) => {
            format!(",keyTime,{}", text_of(&since.to_generalized_der()))
        }
        (Some(CrlReason::CaCompromise), Some(since)) => {
            format!(",CAkeyTime,{}", text_of(&since.to_generalized_der()))
        }
        (Some(CrlReason::KeyCompromise), None) => ",keyCompromise".to_owned(),
        (Some(CrlReason::CaCompromise), None) => ",CACompromise".to_owned(),
        (Some(CrlReason::AffiliationChanged), _) => ",affiliationChanged".to_owned(),
        (Some(CrlReason::Superseded), _) => ",superseded".to_owned(),
        (Some(CrlReason::CessationOfOperation), _) => ",cessationOfOperation".to_owned(),
        (Some(CrlReason::CertificateHold), _) => ",certificateHold".to_owned(),
        (
            None
            | Some(
                CrlReason::Unspecified
                | CrlReason::RemoveFromCrl
                | CrlReason::PrivilegeWithdrawn
                | CrlReason::AaCompromise,
            ),
            _,
        ) => String::new(),
    };
    at + &reason
}

/// Returns `/C=BE/CN=name` as `X509_NAME_oneline` writes it. Octets outside printable ASCII are written as
/// `\xHH`. So is the backslash, which could escape the end of the line.
fn oneline(name: &Name) -> String {
    let mut out = String::new();
    for rdn in name.rdns() {
        for (place, attribute) in rdn.iter().enumerate() {
            out.push(if place == 0 { '/' } else { '+' });
            put_attribute(&mut out, attribute);
        }
    }
    out
}

fn put_attribute(out: &mut String, attribute: &Attribute) {
    out.push_str(&attribute.label());
    out.push('=');
    for &octet in attribute.value.contents() {
        if (b' '..=b'~').contains(&octet) && octet != b'\\' {
            out.push(char::from(octet));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "\\x{octet:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::contract::{CertificateAuthority, NOW, event, serial};
    use crate::index::prelude::*;
    use crate::index::sqlite::SqliteIndex;
    use crate::x509::CertificateId;
    use std::fs;
    use std::process::Command;

    fn revoke(index: &dyn Index, id: &CertificateId, reason: Option<CrlReason>, since: Option<UnixTime>) {
        let to = Revocation { revoked_at: NOW, reason, invalidity_date: since };
        let to = CertificateState::Issued.revoke(to).unwrap();
        index.transition(id, &CertificateState::Issued, &to, event(NOW, "revoke")).unwrap();
    }

    #[test]
    fn a_line_has_what_openssl_writes() {
        let directory = tempfile::tempdir().unwrap();
        let index = SqliteIndex::create(&directory.path().join("index.db")).unwrap();
        let root = CertificateAuthority::root(&index, "genfic");
        root.issue_leaf(&index, "a.example", 10, 9);
        let id = root.issue_leaf(&index, "b.example", 9000, 10);
        revoke(&index, &id, Some(CrlReason::CertificateHold), None);
        index.record_intent(vec![root.intent(root.leaf("c.example", 10, serial(11)))]).unwrap();
        let mut text = Vec::new();
        index_txt(&index, "genfic", NOW.plus_days(11), &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "the pending one is left out: {text}");
        assert!(lines[0].starts_with("V\t20570107080000Z\t\t41010101"), "{text}");
        let nine = "49".to_owned() + &"09".repeat(16);
        assert_eq!(lines[1], format!("E\t270125080000Z\t\t{nine}\tunknown\t/C=BE/O=Example/CN=a.example"));
        let ten = "4A".to_owned() + &"0A".repeat(16);
        let revoked = format!(
            "R\t20510906080000Z\t270115080000Z,certificateHold\t{ten}\tunknown\t/C=BE/O=Example/CN=b.example"
        );
        assert_eq!(lines[2], revoked);
        assert!(index_txt(&index, "nobody", NOW, &mut Vec::new()).is_err());
    }

    #[test]
    fn a_subject_cannot_end_its_line_or_field() {
        let name = Name::parse("C=BE,O=é\\\\,CN=a").unwrap();
        assert_eq!(oneline(&name), "/C=BE/O=\\xC3\\xA9\\x5C/CN=a");
    }

    #[test]
    fn openssl_ocsp_answers_from_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        let openssl = |arguments: &str| {
            let output = Command::new("openssl")
                .args(arguments.split_whitespace())
                .current_dir(directory.path())
                .output()
                .expect("openssl is installed");
            let text = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{arguments}: {text}");
            text
        };
        openssl("req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=a");
        let index = SqliteIndex::create(&file("index.db")).unwrap();
        let root = CertificateAuthority::root(&index, "genfic");
        let valid = root.issue_leaf(&index, "same.example", 10, 9);
        root.issue_leaf(&index, "same.example", 10, 10);
        let cases = [
            (None, None, ""),
            (Some(CrlReason::KeyCompromise), None, "Reason: keyCompromise"),
            (Some(CrlReason::KeyCompromise), Some(NOW.plus(-60)), "Reason: keyCompromise"),
            (Some(CrlReason::CaCompromise), Some(NOW.plus(-60)), "Reason: cACompromise"),
            (Some(CrlReason::CaCompromise), None, "Reason: cACompromise"),
            (Some(CrlReason::AffiliationChanged), None, "Reason: affiliationChanged"),
            (Some(CrlReason::Superseded), Some(NOW), "Reason: superseded"),
            (Some(CrlReason::CessationOfOperation), None, "Reason: cessationOfOperation"),
            (Some(CrlReason::CertificateHold), None, "Reason: certificateHold"),
            (Some(CrlReason::PrivilegeWithdrawn), None, ""),
            (Some(CrlReason::AaCompromise), None, ""),
        ];
        let mut asked = vec![(valid, "Status: good", "")];
        for (octet, (reason, since, expected)) in (20u8..).zip(cases) {
            let id = root.issue_leaf(&index, "revoked.example", 10, octet);
            revoke(&index, &id, reason, since);
            asked.push((id, "Status: revoked", expected));
        }
        let mut text = Vec::new();
        index_txt(&index, "genfic", NOW, &mut text).unwrap();
        fs::write(file("index.txt"), text).unwrap();
        fs::write(file("index.txt.attr"), INDEX_TXT_ATTRIBUTES).unwrap();
        for (id, status, reason) in asked {
            let serial = id.serial_number;
            let answer = openssl(&format!(
                "ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem \
                 -serial 0x{serial} -no_nonce -noverify -ndays 1 -resp_text"
            ));
            assert!(answer.contains(status) && answer.contains(reason), "{serial} {reason}: {answer}");
            assert_eq!(reason.is_empty(), !answer.contains("Reason"), "{answer}");
        }
    }
}
