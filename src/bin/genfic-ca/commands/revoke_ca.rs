//! `revoke-ca`: lists what is affected, revokes the CA, and says what is to be done afterwards.
use super::question::confirm;
use super::revoke::{invalidity_date, reason_given};
use super::values::crl;
use crate::cli::RevokeCa;
use crate::report::{Column, Report, counted, table};
use crate::session::Session;
use genfic_ca::ca::{AffectedAuthority, Engine, PublishedCrl, RevokedAuthority};
use genfic_ca::error::Problem;
use genfic_ca::index::{Authority, CertificateRecord, Selector, StatusValue};
use genfic_ca::x509::{Certificate, CrlReason};
use serde_json::{Value, json};

/// Revokes a CA.
pub(crate) fn revoke(session: &Session, args: &RevokeCa) -> Result<Report, Problem> {
    let engine = session.engine();
    let reason = reason_given(args.reason.as_deref())?;
    let invalidity_date = invalidity_date(args.invalidity_date.as_deref())?;
    if reason == Some(CrlReason::CertificateHold) {
        return Err(super::values::usage(
            "a CA is revoked for good",
            "`genfic-ca hold CERT` suspends its certificate until it is released",
        ));
    }
    let affected = engine
        .revocation()
        .revocation_impact(&args.name)
        .map_err(|problem| run_by_others(engine, &args.name, problem))?;
    let brought = engine.revocation().to_reissue(&affected)?;
    let impact = impact_text(&args.name, &affected);
    confirm(&session.global, &format!("{impact}\nRevoke {}, for good?", args.name))?;
    let revoked = engine.revocation().revoke_authority(&args.name, reason, invalidity_date)?;
    let steps = run_book(engine, &revoked, &affected, &brought, reason)?;
    let certificates: Vec<Value> = revoked
        .certificates
        .iter()
        .map(|one| json!({ "serial": one.id.serial_number.to_string(), "issuer": one.authority }))
        .collect();
    let impact_fields: Vec<Value> = affected
        .iter()
        .map(|one| {
            json!({
                "name": one.authority.name,
                "certificates": one.certificates,
                "last_end": one.last_end.map(|end| end.to_string()),
            })
        })
        .collect();
    let revocation = revoked.certificates.first().and_then(|one| one.revocation());
    let result = json!({
        "name": args.name,
        "certificates": certificates,
        "reason": revocation.map(super::values::reason),
        "revoked_at": revocation.map(|one| one.revoked_at.to_string()),
        "falls": impact_fields,
        "crls": revoked.crls.iter().map(crl_fields).collect::<Vec<_>>(),
        "owed": revoked.owed.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "run_book": steps,
    });
    let numbered: Vec<String> =
        steps.iter().enumerate().map(|(at, step)| format!("  {}. {step}", at.saturating_add(1))).collect();
    let lists: Vec<String> = revoked.crls.iter().map(list).collect();
    let text = format!(
        "{} is revoked, {} of it\n{}\n{impact}\nwhat to do now\n{}",
        args.name,
        counted(revoked.certificates.len(), "certificate"),
        lists.join("\n"),
        numbered.join("\n")
    );
    Ok(Report::done(result, text).ending(owed(&revoked)))
}

const COLUMNS: [Column; 4] = [
    Column::whole("CA"),
    Column::times("UNTIL"),
    Column::whole("CERTIFICATES"),
    Column::times("THE LAST UNTIL"),
];
/// Returns the fields of a CRL that lists the CA, with the name of the CA that signed it.
fn crl_fields(published: &PublishedCrl) -> Value {
    let mut fields = crl(published);
    if let Some(object) = fields.as_object_mut() {
        object.insert("name".into(), json!(published.authority));
    }
    fields
}

/// Returns the line about a CRL that lists the CA.
fn list(crl: &PublishedCrl) -> String {
    format!("listed on the CRL of {}, number {}, until {}", crl.authority, crl.number, crl.next_update)
}

/// Returns the issuers of the certificates that were revoked, whose CRLs list them or are to list them: all
/// generations of a CA that certified it.
fn listing(revoked: &RevokedAuthority) -> Vec<&str> {
    let signed = revoked.crls.iter().map(|crl| crl.authority.as_str());
    let owed = revoked.owed.iter().map(|(name, _)| name.as_str());
    signed.chain(owed).collect()
}

/// Returns the steps that bring the new CRLs to where they are served. Those that could not be signed are to be first.
fn copying(
    engine: &Engine,
    revoked: &RevokedAuthority,
    parent: Option<&str>,
) -> Result<Vec<String>, Problem> {
    let mut listing = listing(revoked);
    if listing.is_empty() {
        listing.extend(parent);
    }
    let mut answers = revoked.unanswered.is_none();
    for name in &listing {
        answers &= engine.hierarchy().authority(name)?.serves_ocsp;
    }
    let is_owed = |name: &&str| revoked.owed.iter().any(|(owed, _)| owed == name);
    let (owed, signed): (Vec<&str>, Vec<&str>) = listing.into_iter().partition(is_owed);
    let place = |names: &[&str]| {
        let files: Vec<String> = names.iter().map(|name| format!("public/{name}.crl")).collect();
        let is = if names.len() == 1 { "it is" } else { "they are" };
        format!("to wherever {is} served: {}", files.join(", "))
    };
    let crls = |names: &[&str]| {
        format!("{} of {}", if names.len() == 1 { "CRL" } else { "CRLs" }, names.join(" and "))
    };
    let mut steps = Vec::new();
    if !signed.is_empty() {
        steps.push(format!("copy the new {} {}", crls(&signed), place(&signed)));
    }
    if !owed.is_empty() {
        let commands: Vec<String> = owed.iter().map(|name| format!("genfic-ca crl publish {name}")).collect();
        steps.push(format!(
            "make the {}, which could not be signed: {}; then copy {} {}",
            crls(&owed),
            commands.join("; "),
            if owed.len() == 1 { "it" } else { "them" },
            place(&owed)
        ));
    }
    if let Some(last) = steps.last_mut().filter(|_| answers) {
        last.push_str("; OCSP answers already");
    }
    Ok(steps)
}

fn impact_text(name: &str, affected: &[AffectedAuthority]) -> String {
    let certificates: usize = affected.iter().map(|one| one.certificates).sum();
    let below = affected.len().saturating_sub(1);
    let rows: Vec<Vec<String>> = affected
        .iter()
        .map(|one| {
            vec![
                one.authority.name.clone(),
                one.authority.certificate.tbs().validity().not_after.to_string(),
                one.certificates.to_string(),
                one.last_end.map_or_else(|| "-".into(), |end| end.to_string()),
            ]
        })
        .collect();
    format!(
        "with {name} fall {} below it and {}\n{}",
        counted(below, "CA"),
        counted(certificates, "valid certificate"),
        table(&COLUMNS, &rows)
    )
}

/// Adds a hint to the problem of an external CA, which is not one of this home: its certificate may be on record and
/// can be revoked.
fn run_by_others(engine: &Engine, name: &str, problem: Problem) -> Problem {
    let Ok(named) = engine.record().select(&Selector::Name(name.into()), 100) else { return problem };
    let now = engine.time_to_distrust().unwrap_or_else(|_| engine.now());
    let is_meant = |record: &&CertificateRecord| {
        matches!(record.status(now), StatusValue::Valid | StatusValue::Held)
            && record.certificate.as_ref().is_some_and(Certificate::is_ca)
    };
    let commands: Vec<String> = named
        .iter()
        .filter(is_meant)
        .map(|one| format!("`genfic-ca revoke {}/{}`", one.authority, one.id.serial_number))
        .collect();
    if commands.is_empty() {
        return problem;
    }
    let hint =
        format!("others run it; its certificate is on record here: {} revokes it", commands.join(" or "));
    problem.hint(hint)
}

/// Returns what the administrator does next, one sentence each.
fn run_book(
    engine: &Engine,
    revoked: &RevokedAuthority,
    affected: &[AffectedAuthority],
    brought: &[Authority],
    reason: Option<CrlReason>,
) -> Result<Vec<String>, Problem> {
    let name = &revoked.authority.name;
    let stolen = matches!(reason, Some(CrlReason::KeyCompromise | CrlReason::CaCompromise));
    let mut steps = Vec::new();
    match &revoked.authority.parent {
        Some(parent) => {
            steps.extend(copying(engine, revoked, Some(parent))?);
            steps.push("tell those who check no revocation to distrust the CA's certificate itself".into());
        }
        None => {
            steps.push(
                "no CRL or OCSP answer tells anybody about a root: have its certificate removed from every trust store"
                    .into(),
            );
            steps.extend(copying(engine, revoked, None)?);
        }
    }
    if stolen {
        steps.push(format!(
            "keep keys/{name}.age and its passphrase locked away, and find out how they got out"
        ));
    }
    let newer = engine.revocation().newer_generation(name)?.map(|one| one.name);
    steps.push(match &newer {
        Some(newer) => format!("new certificates come from {newer}"),
        None => {
            let parent = revoked
                .authority
                .parent
                .as_deref()
                .map(|parent| engine.hierarchy().authority(parent))
                .transpose()?;
            let request = if parent.is_some_and(|one| one.is_external()) { " --csr-only" } else { "" };
            format!("make a new key, if the CA is to go on: genfic-ca renew-ca {name} --rekey{request}")
        }
    });
    if revoked.authority.parent.is_none() {
        let new = newer.as_deref().unwrap_or("the new root");
        steps.push(format!("hand out the certificate of {new}, and check its fingerprint on another way"));
    }
    for one in brought {
        let child = &one.name;
        steps.push(if engine.hierarchy().is_revoked(one)? {
            format!("give {child}, which is revoked, a successor below the new key: genfic-ca renew-ca {child} --rekey")
        } else {
            format!("bring {child} below the new key, its own key being safe: genfic-ca renew-ca {child}")
        });
    }
    if affected.iter().any(|one| one.certificates > 0) {
        let chains =
            if brought.is_empty() { "" } else { "the servers of CAs that were brought get the new chains; " };
        steps.push(format!(
            "replace what fell: {chains}genfic-ca list --below-revoked names what is left, genfic-ca renew CERT for each"
        ));
    }
    steps.push("write down what happened; `genfic-ca audit show` has every act with its time".into());
    Ok(steps)
}

fn owed(revoked: &RevokedAuthority) -> Option<Problem> {
    if let Some(problem) = &revoked.unanswered {
        let message = format!("it is recorded, but {}", problem.message);
        let hint = problem.hint.clone().and("then: genfic-ca ocsp sync");
        return Some(Problem { message, hint, ..problem.clone() });
    }
    super::revoke::others_owed(&revoked.owed)
}
