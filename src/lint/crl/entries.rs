//! Rules on `revokedCertificates` (RFC 5280 §5.1.2.6, §5.3). A list may have a million entries, so they are read in
//! one pass. A finding names the number of entries that break the rule and the first of them.
use super::{CertList, CrlRule};
use crate::lint::moment::Moment;
use crate::lint::raw_extension::RawExtension;
use crate::lint::rule::{RuleOver, Scope, repeated, when};
use crate::lint::tlv::{Tlv, Tlvs, is_minimal_integer};
use crate::x509::extension::{INVALIDITY_DATE, REASON_CODE};
use crate::x509::octets::{INTEGER, SEQUENCE};
use crate::x509::{CrlReason, reason_alone};
use base16ct::lower::encode_string as hex;

pub(super) const RULES: &[CrlRule] = &[
    RuleOver {
        name: "crl_entries_not_empty",
        rows: &["C2"],
        citation: "RFC 5280 §5.1.2.6",
        says: "Where nothing is revoked, there is no revokedCertificates at all",
        scope: Scope::Everyone,
        check: not_empty,
    },
    RuleOver {
        name: "crl_entries_form",
        rows: &["C2"],
        citation: "RFC 5280 §5.1.2.6",
        says: "Entries are a positive serial number of at most 20 octets, a date, and extensions that can be read",
        scope: Scope::Everyone,
        check: |list| list.entries.form.messages("cannot be read"),
    },
    RuleOver {
        name: "crl_entries_unique",
        rows: &["C2"],
        citation: "RFC 5280 §5.1.2.6",
        says: "No serial number stands there twice",
        scope: Scope::Everyone,
        check: |list| list.entries.repeated.messages("stand there again"),
    },
    RuleOver {
        name: "crl_entry_dates",
        rows: &["C2", "X2"],
        citation: "RFC 5280 §5.1.2.6",
        says: "Revocation dates are written as thisUpdate is, and are not after it",
        scope: Scope::Everyone,
        check: |list| list.entries.date.messages("have a date that is wrongly written or after thisUpdate"),
    },
    RuleOver {
        name: "crl_entry_reason_form",
        rows: &["C2"],
        citation: "RFC 5280 §5.3.1",
        says: "Reasons are one of the ten, and not critical",
        scope: Scope::Everyone,
        check: |list| list.entries.reason.messages("have a reason that is critical or none of the ten"),
    },
    RuleOver {
        name: "crl_entry_reason_not_unspecified",
        rows: &["C2"],
        citation: "RFC 5280 §5.3.1",
        says: "The reason unspecified is left out",
        scope: Scope::Everyone,
        check: |list| list.entries.unspecified.messages("have the reason unspecified written out"),
    },
    RuleOver {
        name: "crl_entry_remove_only_in_delta",
        rows: &["C2"],
        citation: "RFC 5280 §5.3.1",
        says: "removeFromCRL stands in delta CRLs only",
        scope: Scope::Everyone,
        check: |list| list.entries.remove.messages("have removeFromCRL in a complete CRL"),
    },
    RuleOver {
        name: "crl_entry_invalidity_date",
        rows: &["C4"],
        citation: "RFC 5280 §5.3.2",
        says: "Invalidity dates are GeneralizedTime, and not critical",
        scope: Scope::Everyone,
        check: |list| {
            list.entries.invalidity.messages("have an invalidity date that is critical or wrongly written")
        },
    },
    RuleOver {
        name: "crl_entry_extensions_known",
        rows: &["C2"],
        citation: "RFC 5280 §5.3",
        says: "Extensions of entries are not repeated, and none is critical that is not known here",
        scope: Scope::Everyone,
        check: |list| {
            list.entries.extensions.messages("have an extension twice, or a critical one not known here")
        },
    },
];

fn not_empty(list: &CertList<'_>) -> Vec<String> {
    when(list.revoked.is_some_and(|list| list.contents.is_empty()), "revokedCertificates is there and empty")
}

/// Number of entries with a fault, and the serial number of the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Fault {
    count: usize,
    first: String,
}

impl Fault {
    fn note(&mut self, broken: bool, serial_number: &[u8]) {
        if broken {
            if self.count == 0 {
                self.first = hex(serial_number);
            }
            self.count += 1;
        }
    }

    fn messages(&self, what: &str) -> Vec<String> {
        when(self.count > 0, format!("entries that {what}: {}, the first is {}", self.count, self.first))
    }
}

/// Faults of the entries of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct EntryFaults {
    form: Fault,
    repeated: Fault,
    date: Fault,
    reason: Fault,
    unspecified: Fault,
    remove: Fault,
    invalidity: Fault,
    extensions: Fault,
}

/// Reads the entries once without keeping them. Serial numbers are collected only when the entries are not in
/// ascending order.
pub(super) fn examine(list: Tlv<'_>, is_delta: bool, this_update: Option<Moment>) -> EntryFaults {
    let mut faults = EntryFaults::default();
    let mut last = None;
    let mut ascending = true;
    let mut tlvs = list.tlvs();
    for tlv in tlvs.by_ref() {
        let mut fields = tlv.tlvs();
        let serial_number = take_serial_number(&mut fields);
        ascending &= last.replace(serial_number).is_none_or(|last| last < serial_number);
        let date = fields.next();
        let extensions = fields.next();
        let positive = is_minimal_integer(serial_number)
            && serial_number.len() <= 20
            && serial_number != [0]
            && serial_number.first().is_some_and(|first| *first < 0x80);
        // nearly every entry has no extension or reasonCode alone
        let alone = extensions.and_then(|list| reason_alone(list.whole));
        let listed = match extensions {
            Some(list) if alone.is_none() => RawExtension::list(list).filter(|list| !list.is_empty()),
            _ => Some(Vec::new()),
        };
        let whole = tlv.tag == SEQUENCE && date.is_some() && fields.is_empty();
        faults.form.note(!positive || !whole || listed.is_none(), serial_number);
        let moment = date.and_then(|date| Moment::read(date).ok());
        let early = moment.is_some_and(|moment| this_update.is_none_or(|this_update| moment <= this_update));
        faults.date.note(date.is_some() && !early, serial_number);
        if let Some(reason) = alone {
            examine_reason(CrlReason::from_number(reason), false, is_delta, serial_number, &mut faults);
        }
        examine_extensions(&listed.unwrap_or_default(), is_delta, serial_number, &mut faults);
    }
    faults.form.note(!tlvs.is_empty(), &[]);
    if !ascending {
        let serial_numbers = list.tlvs().map(|tlv| take_serial_number(&mut tlv.tlvs()));
        note_repeated(&mut faults.repeated, serial_numbers.collect());
    }
    faults
}

fn take_serial_number<'a>(fields: &mut Tlvs<'a>) -> &'a [u8] {
    fields.next_if(INTEGER).map_or(&[][..], |serial| serial.contents)
}

fn examine_extensions(
    list: &[RawExtension<'_>],
    is_delta: bool,
    serial_number: &[u8],
    faults: &mut EntryFaults,
) {
    // Most entries have one extension, which needs no comparison.
    let mut odd = list.len() > 1 && !repeated(list.iter().map(|one| one.oid)).is_empty();
    for extension in list {
        if extension.is(REASON_CODE) {
            let reason = match extension.value {
                [0x0a, 1, number] => CrlReason::from_number(*number),
                _ => None,
            };
            examine_reason(reason, extension.critical.is_some(), is_delta, serial_number, faults);
        } else if extension.is(INVALIDITY_DATE) {
            let date = Tlvs(extension.value).next_if(0x18).filter(|date| date.whole == extension.value);
            let written = date.is_some_and(|date| Moment::from_generalized_time(date.contents).is_ok());
            faults.invalidity.note(!written || extension.critical.is_some(), serial_number);
        } else {
            odd |= extension.is_critical();
        }
    }
    faults.extensions.note(odd, serial_number);
}

fn examine_reason(
    reason: Option<CrlReason>,
    has_critical: bool,
    is_delta: bool,
    serial_number: &[u8],
    faults: &mut EntryFaults,
) {
    faults.reason.note(reason.is_none() || has_critical, serial_number);
    faults.unspecified.note(reason == Some(CrlReason::Unspecified), serial_number);
    faults.remove.note(reason == Some(CrlReason::RemoveFromCrl) && !is_delta, serial_number);
}

fn note_repeated(fault: &mut Fault, mut serial_numbers: Vec<&[u8]>) {
    serial_numbers.sort_unstable();
    for pair in serial_numbers.windows(2) {
        if let [one, next] = pair {
            fault.note(one == next, next);
        }
    }
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCrl> {
    use super::draft::{BrokenCrl, THIS_UPDATE, entry, entry_with};
    use crate::x509::Extension;
    use crate::x509::extension::{invalidity_date, reason_code};
    use crate::x509::octets::{sequence, tlv};
    let entries = |name, entries: Vec<Vec<u8>>| {
        BrokenCrl::complete(name, move |list| list.entries = Some(entries.concat()))
    };
    let one = |name, extension: Extension| entries(name, vec![entry_with(&[extension])]);
    let reason = |value: &[u8]| Extension::new(REASON_CODE, false, value.to_vec());
    let known = reason_code(CrlReason::KeyCompromise).unwrap();
    let date = THIS_UPDATE.to_der();
    let late = sequence(&[&[2, 1, 5], &THIS_UPDATE.plus(1).to_der()]);
    let unknown = Extension::new("1.2.3".parse().unwrap(), true, vec![5, 0]);
    vec![
        entries("crl_entries_not_empty", vec![]),
        entries("crl_entries_form", vec![sequence(&[&[2, 1, 0x80], &date])]),
        entries("crl_entries_form", vec![sequence(&[&[2, 1, 5], &date, &[0x30, 0]])]),
        entries("crl_entries_form", vec![sequence(&[&tlv(2, &[0x55; 21]), &date])]),
        entries("crl_entries_form", vec![sequence(&[&[2, 1, 5]])]),
        entries("crl_entries_form", vec![entry(5), vec![0x30]]),
        entries("crl_entries_unique", vec![entry(5), entry(6), entry(5)]),
        entries("crl_entry_dates", vec![late]),
        entries("crl_entry_dates", vec![sequence(&[&[2, 1, 5], &THIS_UPDATE.to_generalized_der()])]),
        one("crl_entry_reason_form", reason(&[0x0a, 1, 7])),
        one("crl_entry_reason_form", reason(&[2, 1, 1])),
        one("crl_entry_reason_form", Extension { critical: true, ..known.clone() }),
        one("crl_entry_reason_not_unspecified", reason(&[0x0a, 1, 0])),
        one("crl_entry_remove_only_in_delta", reason_code(CrlReason::RemoveFromCrl).unwrap()),
        one("crl_entry_invalidity_date", Extension::new(INVALIDITY_DATE, false, date)),
        one("crl_entry_invalidity_date", Extension { critical: true, ..invalidity_date(THIS_UPDATE) }),
        one("crl_entry_extensions_known", unknown),
        entries("crl_entry_extensions_known", vec![entry_with(&[known.clone(), known])]),
    ]
}
