//! Actions, refusals and their audit records.
use super::fixture::*;
use crate::audit::{AuditRecord, Outcome, Verifier};
use crate::index::Index;

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
