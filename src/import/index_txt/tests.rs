use super::*;
use proptest::prelude::*;

fn one(line: &str) -> IndexLine {
    let mut lines = parse_index_txt(line).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert_eq!(lines.len(), 1);
    lines.remove(0)
}

fn at(text: &str) -> UnixTime {
    UnixTime::parse(text).unwrap()
}

#[test]
fn the_three_kinds_of_lines_are_read() {
    let valid = one("V\t360101120000Z\t\t0A\tunknown\t/C=BE/CN=a\n");
    assert_eq!(valid.serial_number.unwrap().to_string(), "0a");
    assert_eq!((valid.not_after, valid.revocation, valid.file), (at("2036-01-01T12:00:00Z"), None, None));
    assert_eq!(valid.subject.to_string(), "C=BE, CN=a");
    let ended = one("E\t200101120000Z\t\t1000\tnewcerts/1000.pem\t/CN=b\r\n");
    assert_eq!((ended.revocation, ended.file.as_deref()), (None, Some("newcerts/1000.pem")));
    let revoked = one("R\t20510101120000Z\t260102030405Z\tFF\tunknown\t/CN=c");
    assert_eq!(revoked.not_after, at("2051-01-01T12:00:00Z"));
    let expected = Revocation { revoked_at: at("2026-01-02T03:04:05Z"), reason: None, invalidity_date: None };
    assert_eq!(revoked.revocation, Some(expected));
}

#[test]
fn every_reason_that_openssl_writes_is_read() {
    // C2
    let since = Some(at("2025-12-31T23:59:59Z"));
    for (text, reason, date) in [
        ("", None, None),
        (",unspecified", None, None),
        (",keyCompromise", Some(CrlReason::KeyCompromise), None),
        (",CACompromise", Some(CrlReason::CaCompromise), None),
        (",affiliationChanged", Some(CrlReason::AffiliationChanged), None),
        (",superseded", Some(CrlReason::Superseded), None),
        (",cessationOfOperation", Some(CrlReason::CessationOfOperation), None),
        (",certificateHold", Some(CrlReason::CertificateHold), None),
        (",holdInstruction,holdInstructionReject", Some(CrlReason::CertificateHold), None),
        (",holdInstruction,1.2.840.10040.2.3", Some(CrlReason::CertificateHold), None),
        (",keyTime,20251231235959Z", Some(CrlReason::KeyCompromise), since),
        (",CAkeyTime,20251231235959Z", Some(CrlReason::CaCompromise), since),
        (",privilegeWithdrawn", Some(CrlReason::PrivilegeWithdrawn), None),
        (",AACompromise", Some(CrlReason::AaCompromise), None),
    ] {
        let line = one(&format!("R\t360101000000Z\t260102030405Z{text}\t01\tunknown\t/CN=a"));
        let revocation = line.revocation.unwrap();
        assert_eq!((revocation.reason, revocation.invalidity_date), (reason, date), "{text}");
    }
}

#[test]
fn numbers_that_no_certificate_may_have_are_kept_as_written() {
    for (text, is_usable) in
        [("00", false), ("-0A", false), (&"7F".repeat(20), true), (&"7F".repeat(21), false)]
    {
        let line = one(&format!("V\t360101000000Z\t\t{text}\tunknown\t/CN=a"));
        assert_eq!((line.serial_number.is_some(), line.serial_text), (is_usable, shown(text)));
    }
}

#[test]
fn a_line_that_cannot_be_read_is_never_passed_over() {
    for (line, told) in [
        ("V\t360101000000Z\t01\tunknown\t/CN=a", "5 fields"),
        ("X\t360101000000Z\t\t01\tunknown\t/CN=a", "none of V, R and E"),
        ("V\tnever\t\t01\tunknown\t/CN=a", "`never` is not a time"),
        ("V\t361301000000Z\t\t01\tunknown\t/CN=a", "is not a time"),
        ("V\t360101000000Z\t260101000000Z\t01\tunknown\t/CN=a", "has a revocation"),
        ("R\t360101000000Z\t\t01\tunknown\t/CN=a", "not the time of a revocation"),
        ("R\t360101000000Z\t260101000000Z,boredom\t01\tunknown\t/CN=a", "`boredom` is not a reason"),
        ("R\t360101000000Z\t260101000000Z,removeFromCRL\t01\tunknown\t/CN=a", "is not a reason"),
        ("R\t360101000000Z\t260101000000Z,keyTime\t01\tunknown\t/CN=a", "`` is not a time"),
        ("V\t360101000000Z\t\txyz\tunknown\t/CN=a", "not a serial number"),
        ("V\t360101000000Z\t\t\tunknown\t/CN=a", "not a serial number"),
    ] {
        let text = format!("V\t360101000000Z\t\t09\tunknown\t/CN=ok\n# comment\n\n{line}\n");
        let wrong = parse_index_txt(&text).unwrap_err();
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].line, 4);
        assert!(wrong[0].reason.contains(told), "{line}: {}", wrong[0].reason);
    }
    let many = parse_index_txt(&"nonsense\n".repeat(1000)).unwrap_err();
    assert_eq!(many.len(), TOLD);
    let long = format!("V\t360101000000Z\t\t01\tunknown\t/CN={}", "a".repeat(LONGEST_LINE));
    assert!(parse_index_txt(&long).unwrap_err()[0].reason.contains("64 KiB"));
}

#[test]
fn a_tab_may_be_in_a_field() {
    assert_eq!(fields("a\\\tb\tc\t\t"), ["a\tb", "c", "", ""]);
    assert_eq!(fields(""), [""]);
}

fn time_text() -> impl Strategy<Value = (UnixTime, String)> {
    (0_i64..4_102_444_800).prop_map(|seconds| {
        let der = UnixTime(seconds).to_der();
        let text = String::from_utf8(der[2..].to_vec()).unwrap();
        // UTCTime begins with 1950
        (UnixTime(seconds), text)
    })
}

proptest! {
    #[test]
    fn what_openssl_would_write_is_read_as_it_was_meant(
        (end, end_text) in time_text(),
        (revoked_at, revoked_text) in time_text(),
        serial in proptest::collection::vec(any::<u8>(), 1..19),
        reason in 0_usize..7,
        is_revoked: bool,
    ) {
        const WORDS: [&str; 7] = ["", ",keyCompromise", ",CACompromise", ",affiliationChanged", ",superseded",
            ",cessationOfOperation", ",certificateHold"];
        let hex = base16ct::upper::encode_string(&serial);
        let (letter, field) =
            if is_revoked { ('R', format!("{revoked_text}{}", WORDS[reason])) } else { ('V', String::new()) };
        let line = one(&format!("{letter}\t{end_text}\t{field}\t{hex}\tunknown\t/CN=a"));
        prop_assert_eq!(line.not_after, end);
        prop_assert_eq!(line.serial_number, SerialNumber::from_be_octets(&serial).ok());
        let expected = is_revoked.then_some(revoked_at);
        prop_assert_eq!(line.revocation.as_ref().map(|one| one.revoked_at), expected);
        let number = line.revocation.and_then(|one| one.reason).map(CrlReason::number);
        prop_assert_eq!(number, (is_revoked && reason > 0).then(|| u8::try_from(reason).unwrap()));
    }

    #[test]
    fn no_text_brings_it_down(text: String) {
        let _ = parse_index_txt(&text);
    }

    #[test]
    fn nothing_is_lost_among_tabs(parts in proptest::collection::vec("[VRE0-9Z,\\\\/=a-z]{0,16}", 0..9)) {
        let text = parts.join("\t");
        if let Ok(lines) = parse_index_txt(&text) {
            prop_assert_eq!(lines.len(), usize::from(!text.trim().is_empty()));
        }
    }
}
