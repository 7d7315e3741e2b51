//! Tests that no query that must be fast reads a whole table, whatever the number of certificates.
use super::tests::make;
use super::{authority, ending, finding, journal, keys, naming, reading, revoking, summaries};
use crate::index::contract::NOW;
use crate::index::{Filter, Selector, StatusValue};
use crate::x509::Fingerprint;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

fn plan(connection: &Connection, query: &str) -> Vec<String> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
    let parameters = vec![Value::Null; statement.parameter_count()];
    let rows = statement.query_map(params_from_iter(parameters), |row| row.get(3)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Returns whether a step of a plan scans a table. A scan of the CAs, or of a partial index with matching rows
/// only, is as long as the answer and does not count.
fn scans_a_table(step: &str) -> bool {
    let short = ["i", "a", "issuer", "authority", "head"];
    let partial = ["status_pending", "status_revoked", "status_listed"];
    step.strip_prefix("SCAN ").is_some_and(|rest| {
        let table = rest.split(' ').next().unwrap_or_default();
        !short.contains(&table) && !partial.iter().any(|index| rest.ends_with(&format!("INDEX {index}")))
    })
}

#[test]
fn every_look_up_uses_an_index() {
    let (index, directory) = make();
    let connection = Connection::open(directory.path().join("index.db")).unwrap();
    drop(index);
    let mut queries = vec![
        revoking::REVOKED.to_owned(),
        revoking::CLOSE.to_owned(),
        reading::PENDING.to_owned(),
        ending::ENDINGS.to_owned(),
        keys::uses_query(),
        keys::on_compromised_query(),
        reading::status_rows_query(7),
        reading::last_of_change_query(),
        journal::RECORDS.to_owned(),
        authority::AUTHORITIES.to_owned(),
        format!("{} AND i.identity = ?1", authority::AUTHORITIES),
        summaries::SUMMARIES.to_owned(),
        summaries::NAMES.to_owned(),
        summaries::CROSS_CERTIFICATES.to_owned(),
        naming::BEARERS.to_owned(),
        naming::HOLDERS.to_owned(),
        finding::WITHIN.to_owned(),
        finding::WITHIN_OF.to_owned(),
        finding::NAME_FROM.to_owned(),
        finding::NAME_AFTER.to_owned(),
        finding::NAME_BEFORE.to_owned(),
    ];
    let serial = "0a".parse().unwrap();
    for selector in [
        Selector::Serial("0a".parse().unwrap()),
        Selector::AuthoritySerial("genfic".into(), serial),
        Selector::Fingerprint("abc".into()),
        Selector::Exact(Fingerprint([0; 32])),
        Selector::Name("a.example".into()),
    ] {
        queries.push(finding::selection(&selector).unwrap().0.to_owned());
    }
    let authority = Filter { authority: Some("genfic".into()), ..Filter::default() };
    queries.push(reading::listing(&authority).0);
    let ending = Filter { ending: Some((NOW, NOW.plus(5))), ..Filter::default() };
    queries.push(reading::listing(&ending).0);
    queries.push(reading::listing(&Filter { profile: Some("user".into()), ..ending }).0);
    for status in [
        StatusValue::Pending,
        StatusValue::Abandoned,
        StatusValue::Held,
        StatusValue::Revoked,
        StatusValue::Expired,
    ] {
        let filter = Filter { status: Some((status, NOW)), ..Filter::default() };
        queries.push(reading::listing(&filter).0);
    }
    let named = Filter { subject: Some("W03?4*".into()), ..Filter::default() };
    queries.push(reading::listing(&named).0);
    for query in queries {
        let plan = plan(&connection, &query);
        assert!(!plan.iter().any(|step| scans_a_table(step)), "{query}\n{plan:#?}");
    }
    let everything = plan(&connection, &reading::listing(&Filter::default()).0);
    assert!(everything.iter().any(|step| scans_a_table(step)), "a scan is recognised: {everything:#?}");
}

#[test]
fn what_may_be_every_row_comes_in_order_without_sorting() {
    let (_index, directory) = make();
    let connection = Connection::open(directory.path().join("index.db")).unwrap();
    let last = reading::last_of_change_query();
    let (all, changed) = (reading::status_rows_query(0), reading::status_rows_query(7));
    let listing = reading::listing(&Filter::default()).0;
    let ending = reading::listing(&Filter { ending: Some((NOW, NOW.plus(5))), ..Filter::default() }).0;
    let names = [finding::NAME_FROM, finding::NAME_AFTER, finding::NAME_BEFORE];
    let listed =
        [revoking::REVOKED, reading::PENDING, journal::RECORDS, &listing, &ending, &last, &all, &changed];
    for query in listed.into_iter().chain(names) {
        let plan = plan(&connection, query);
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{query}\n{plan:#?}");
    }
}
