//! CAs that are retired.
use super::fixture::*;
use crate::index::{Index, IndexError, Retirement, Retiring};

pub(crate) fn a_retired_ca_has_another_name_and_issues_nothing(index: &dyn Index) {
    // G10
    let root = CertificateAuthority::root(index, "genfic");
    let child = root.child(index, "child", 2);
    let other = root.child(index, "other", 3);
    let retiring = |name: &str, later: i64| Retiring {
        issuer: child.issuer(),
        name: name.into(),
        key: format!("age:{name}.age"),
        at: NOW.plus(later),
    };
    let taken = index.retire(&retiring("other", 0), event(NOW, "authority.retired"));
    assert!(matches!(&taken, Err(IndexError::AuthorityExists(name)) if name == "other"), "{taken:?}");
    let before = index.change_number().unwrap();
    index.retire(&retiring("child", 0), event(NOW, "authority.retired")).unwrap();
    assert!(index.change_number().unwrap() > before, "responders have to know");
    index.retire(&retiring("child-retired", 5), event(NOW, "authority.retired")).unwrap();
    let retired = index.authority("child-retired").unwrap().unwrap();
    let first = |is_complete| Some(Retirement { at: NOW, name: "child".into(), is_complete });
    assert_eq!(retired.retired, first(false), "the first time and name stay");
    assert_eq!((retired.key.as_str(), retired.serves_ocsp), ("age:child-retired.age", false));
    assert_eq!(index.authority("child").unwrap(), None);
    assert_eq!(index.authority_of(&child.issuer()).unwrap(), Some(retired.clone()));
    let summary = index.summaries().unwrap().into_iter().find(|one| one.issuer == child.issuer()).unwrap();
    assert_eq!((summary.name, summary.retired), ("child-retired".to_owned(), retired.retired));
    index.complete_retirement(&child.issuer()).unwrap();
    assert_eq!(index.authority("child-retired").unwrap().unwrap().retired, first(true));
    let tbs = child.leaf("a.example", 10, serial(9));
    assert!(matches!(index.record_intent(vec![child.intent(tbs)]), Err(IndexError::IssuerUnfit(_))));
    other.issue_leaf(index, "b.example", 10, 8);
    // its name and its subject are free for another
    root.child(index, "child", 10);
}
