//! Actions, refusals and their audit records.
use super::fixture::*;
use crate::audit::{AuditRecord, Outcome, Verifier};
use crate::index::Index;
use crate::x509::UnixTime;

fn records(index: &dyn Index, from: u64) -> Vec<AuditRecord> {
    let mut records = Vec::new();
    index
        .audit_records(from, &mut |record| {
            records.push(record);
            true
        })
        .unwrap();
    records
}

pub(crate) fn every_act_is_one_record_of_a_whole_chain(index: &dyn Index) {
    // G15
    assert_eq!(index.audit_head().unwrap(), crate::audit::Head::default());
    assert_eq!(index.newest_signed().unwrap(), None);
    let root = CertificateAuthority::root(index, "genfic");
    root.publish_crl(index, NOW.plus(1));
    let mut refusal = event(NOW.plus(2), "sign");
    refusal.outcome = Outcome::Refused("policy.weak-key".into());
    refusal.details = vec![("bits".into(), "1024".into())];
    index.record_event(refusal.clone()).unwrap();

    let all = records(index, 1);
    let actions: Vec<&str> = all.iter().map(|record| record.event.action.as_str()).collect();
    assert_eq!(
        actions,
        ["certificate.intended", "certificate.issued", "crl.intended", "crl.published", "sign"]
    );
    assert_eq!(all[4].event, refusal);
    let head = index.audit_head().unwrap();
    let mut verifier = Verifier::new(Some(head));
    all.iter().for_each(|record| verifier.check(record).unwrap());
    assert_eq!(verifier.finish(), Ok(head));

    assert_eq!(records(index, 4), all[3..], "from any record on");
    assert!(records(index, 6).is_empty());
    let mut first = 0;
    index
        .audit_records(1, &mut |record| {
            first = record.sequence;
            false
        })
        .unwrap();
    assert_eq!(first, 1, "until the visitor has enough");
}

pub(crate) fn records_are_found_by_time_and_by_what_they_name(index: &dyn Index) {
    // G15
    CertificateAuthority::root(index, "genfic");
    let mut later = event(NOW.plus(100), "sign");
    later.details = vec![("renews".into(), "genfic/ab".into())];
    index.record_events(vec![event(NOW.plus(50), "sign"), later, event(NOW.plus(75), "sign")]).unwrap();
    let all = records(index, 1);
    let count = all.len();
    let within = |from: u64, times: std::ops::RangeInclusive<UnixTime>| {
        let mut found = Vec::new();
        index
            .audit_within(from, times, &mut |record| {
                found.push(record);
                true
            })
            .unwrap();
        found
    };
    let last = [all[count - 3].clone(), all[count - 1].clone()];
    assert_eq!(within(1, NOW.plus(50)..=NOW.plus(75)), last, "also where a clock went back");
    assert_eq!(within(1, UnixTime(0)..=UnixTime::NO_END), all);
    assert_eq!(within(all[count - 2].sequence, NOW..=NOW.plus(75)), last[1..]);
    let naming = |text: &str| {
        let mut found = Vec::new();
        index
            .audit_naming(text, 1, &mut |record| {
                found.push(record);
                true
            })
            .unwrap();
        found
    };
    assert_eq!(naming("genfic/ab"), [all[count - 2].clone()]);
    assert!(naming("genfic/a").is_empty(), "the whole text alone");
    assert_eq!(naming(&all[0].event.object)[0], all[0]);
}

pub(crate) fn what_is_refused_leaves_no_trace_but_its_own_record(index: &dyn Index) {
    // G15
    let root = CertificateAuthority::root(index, "genfic");
    let (head, change) = (index.audit_head().unwrap(), index.change_number().unwrap());
    let taken = root.intent(root.leaf("a.example", 10, serial(1)));
    assert!(index.record_intent(vec![taken]).is_err());
    assert_eq!((index.audit_head().unwrap(), index.change_number().unwrap()), (head, change));
    let mut refused = event(NOW, "sign");
    refused.outcome = Outcome::Refused("index.serial-in-use".into());
    index.record_event(refused).unwrap();
    assert_eq!(index.audit_head().unwrap().sequence, head.sequence + 1);
    assert_eq!(index.change_number().unwrap(), change);
}
