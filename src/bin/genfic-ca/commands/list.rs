//! `list`.
use super::values::{record as record_fields, until, usage};
use crate::cli::{List, StatusFilter};
use crate::report::{Report, counted, table};
use crate::session::Session;
use genfic_ca::config::parse_duration;
use genfic_ca::index::{Filter, StatusValue};
use genfic_ca::problem::{Exit, Problem};
use genfic_ca::profile::Kind;
use serde_json::{Value, json};

/// Lists certificates.
pub(crate) fn list(session: &Session, args: &List) -> Result<Report, Problem> {
    let pki = session.pki();
    let now = pki.clock.now();
    if let Some(parent) = &args.parent {
        pki.authority(parent)?;
    }
    let ending = args
        .expiring
        .as_deref()
        .map(|text| {
            let seconds = parse_duration(text).map_err(|error| usage(error, "for example --expiring 30d"))?;
            Ok::<_, Problem>((now, now.plus(seconds)))
        })
        .transpose()?;
    let status = args.status.map(|status| match status {
        StatusFilter::Valid => StatusValue::Valid,
        StatusFilter::Expired => StatusValue::Expired,
        StatusFilter::Revoked => StatusValue::Revoked,
        StatusFilter::Held => StatusValue::Held,
    });
    let filter = Filter {
        authority: args.parent.clone(),
        status: status.map(|status| (status, now)),
        ending,
        subject: args.subject.clone(),
        profile: args.profile.clone(),
    };
    let mut values: Vec<Value> = Vec::new();
    let mut rows = Vec::new();
    let practices = session.assembly.practices();
    let renews_itself =
        |profile: &str| practices.profile(profile).is_ok_and(|profile| profile.kind() == Kind::OcspResponder);
    let without_responders = args.expiring.is_some() && args.profile.is_none();
    pki.index.list(&filter, &mut |record| {
        if without_responders && renews_itself(&record.profile) {
            return true;
        }
        if session.global.json {
            let file = session.issued_file(&record);
            values.push(record_fields(&record, file.as_deref(), now));
        } else {
            let names: Vec<String> = record.subject_alt_names.iter().map(ToString::to_string).collect();
            rows.push(vec![
                format!("{}/{}", record.authority, record.id.serial_number),
                record.status(now).to_string(),
                until(&record),
                record.profile.clone(),
                record.subject.to_string(),
                names.join(", "),
            ]);
        }
        true
    })?;
    let count = values.len().max(rows.len());
    let text = if rows.is_empty() {
        "no certificate matches".into()
    } else {
        table(&["CERT", "STATUS", "UNTIL", "PROFILE", "SUBJECT", "NAMES"], &rows)
    };
    let exit = args.expiring.as_deref().filter(|_| count > 0).map(|within| {
        Problem::new(
            Exit::Findings,
            "certificate.expiring",
            format!("{} ending within {within}", counted(count, "certificate")),
        )
    });
    Ok(Report::seen(json!({ "certificates": values }), text).ending(exit))
}
