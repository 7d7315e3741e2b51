//! `lint`.
use super::values::read;
use crate::cli::Lint;
use crate::report::{Column, Report, counted, table};
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::lint::{lint_octets, rules};
use genfic_ca::x509::Certificate;
use serde_json::json;

/// Checks a certificate or CRL against the project's own rules.
pub(crate) fn lint(args: &Lint) -> Result<Report, Problem> {
    let Some(file) = &args.file else { return Ok(list_rules()) };
    let malformed = |error: String| {
        Problem::new(Code::FileMalformed, error).hint("a PEM or DER certificate or CRL is needed")
    };
    let issuer = args
        .issuer
        .as_ref()
        .map(|file| Certificate::from_pem_or_der(&read(file)?).map_err(|error| malformed(error.to_string())))
        .transpose()?;
    let findings =
        lint_octets(&read(file)?, issuer.as_ref()).map_err(|error| malformed(error.to_string()))?;
    let values: Vec<_> = findings
        .iter()
        .map(|finding| json!({ "rule": finding.rule, "citation": finding.citation, "message": finding.message }))
        .collect();
    let result = json!({ "findings": values });
    if findings.is_empty() {
        return Ok(Report::seen(result, format!("{}: nothing found", file.shown())));
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}: {} ({})", finding.rule, finding.message, finding.citation))
        .collect();
    let problem = Problem::new(Code::LintFindings, counted(findings.len(), "finding"));
    Ok(Report::seen(result, lines.join("\n")).ending(Some(problem)))
}

fn list_rules() -> Report {
    let rows: Vec<Vec<String>> =
        rules().map(|rule| vec![rule.name.to_owned(), rule.citation.to_owned()]).collect();
    let values: Vec<_> =
        rules().map(|rule| json!({ "rule": rule.name, "citation": rule.citation })).collect();
    Report::seen(json!({ "rules": values }), table(&[Column::whole("RULE"), Column::text("SOURCE")], &rows))
}
