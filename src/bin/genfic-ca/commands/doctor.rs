//! `doctor`: works where other commands refuse, so it opens no session.
use crate::cli::{Doctor, Global};
use crate::prompt::TerminalPrompt;
use crate::report::{Report, counted};
use crate::session::home_of;
use genfic_ca::assembly::{self, Inspection};
use genfic_ca::doctor::{Check, Finding, Mended, Severity};
use genfic_ca::home::quoted;
use genfic_ca::key::SecretSpec;
use genfic_ca::problem::{Exit, Problem};
use serde_json::{Value, json};

/// A finding, and what `--fix` made of it.
struct Told {
    check: &'static str,
    finding: Finding,
    fixed: bool,
    /// Why it was not.
    why_not: Option<String>,
}

/// Looks at everything; with `--fix` mends what is safe and looks again.
pub(crate) fn doctor(global: &Global, args: &Doctor) -> Result<Report, Problem> {
    let given = global.passphrase_from.as_deref().map(str::parse::<SecretSpec>).transpose()?;
    let home = home_of(global);
    let inspection = Inspection::open(&home, global.config.as_deref())?;
    let mut checks = inspection.diagnose(args.deep);
    let mut told: Vec<Told> = all(&checks, &[]);
    let mut mended: Vec<Mended> = Vec::new();
    let mut warnings = Vec::new();
    if args.fix && !told.is_empty() {
        // nobody is asked: what needs a passphrase that is not at hand is left with its command
        let prompt = TerminalPrompt::new(false);
        let secrets = assembly::secret_sources(&inspection.settings().clone(), given, prompt);
        let findings: Vec<&Finding> = told.iter().map(|one| &one.finding).collect();
        let (again, done, unrecorded) = inspection.mend(&findings, &secrets)?;
        mended = done;
        warnings.extend(unrecorded.map(|problem| format!("what was mended is not on record: {problem}")));
        checks = again.diagnose(args.deep);
        let now = all(&checks, &mended);
        let remain = |one: &Told| {
            now.iter().any(|left| {
                left.finding.code == one.finding.code && left.finding.object == one.finding.object
            })
        };
        let gone = told.into_iter().filter(|one| !remain(one)).map(|one| Told { fixed: true, ..one });
        told = gone.collect::<Vec<_>>().into_iter().chain(now).collect();
    }
    if let Some(home) = named_home(global) {
        let named = format!("genfic-ca --home {home} ");
        for one in &mut told {
            one.finding.remedy = one.finding.remedy.replace("genfic-ca ", &named);
        }
    }
    let changed = mended.iter().any(|one| one.outcome.is_ok());
    let serious: Vec<&Told> =
        told.iter().filter(|one| !one.fixed && one.finding.severity > Severity::Note).collect();
    let exit = (!serious.is_empty()).then(|| {
        Problem::new(Exit::Findings, "doctor.findings", summary(&told)).hint("each finding names its remedy")
    });
    if global.quiet && !global.json {
        warnings.extend(serious.iter().map(|one| format!("{}; {}", one.finding.message, remedy(one))));
    }
    let result = json!({
        "findings": told.iter().map(fields).collect::<Vec<Value>>(),
        "checks": checks.iter().map(check_fields).collect::<Vec<Value>>(),
    });
    let text = format!("{}\n\n{}", text(&checks, &told), summary(&told));
    Ok(Report { changed, ..Report::seen(result, text) }.warn(warnings).ending(exit))
}

/// The home as a command has to name it, where it was named to this one only.
fn named_home(global: &Global) -> Option<String> {
    let home = global.home.as_ref()?;
    let everywhere = std::env::var_os("GENFIC_CA_HOME").is_some_and(|named| named == home.as_os_str());
    (!everywhere).then(|| quoted(&std::path::absolute(home).unwrap_or_else(|_| home.clone())))
}

fn all(checks: &[Check], mended: &[Mended]) -> Vec<Told> {
    let of_check = |check: &Check| {
        let tell = |finding: &Finding| {
            let tried = mended.iter().find(|one| one.code == finding.code && one.object == finding.object);
            Told {
                check: check.name,
                finding: finding.clone(),
                fixed: false,
                why_not: tried.and_then(|one| one.outcome.clone().err()),
            }
        };
        check.findings.iter().map(tell).collect::<Vec<_>>()
    };
    checks.iter().flat_map(of_check).collect()
}

fn fields(told: &Told) -> Value {
    let finding = &told.finding;
    let mut fields = json!({
        "code": finding.code,
        "severity": finding.severity.to_string(),
        "object": finding.object,
        "message": finding.message,
        "remedy": finding.remedy,
        "fixable": finding.mending.is_some(),
        "fixed": told.fixed,
        "check": told.check,
    });
    if let (Some(reason), Some(object)) = (&told.why_not, fields.as_object_mut()) {
        object.insert("not_fixed".into(), json!(reason));
    }
    fields
}

fn check_fields(check: &Check) -> Value {
    json!({
        "name": check.name,
        "looked_at": check.looked.as_ref().ok(),
        "skipped": check.looked.as_ref().err(),
        "findings": check.findings.len(),
    })
}

fn remedy(told: &Told) -> String {
    match &told.why_not {
        Some(reason) => format!("{} (not mended: {reason})", told.finding.remedy),
        None => told.finding.remedy.clone(),
    }
}

fn text(checks: &[Check], told: &[Told]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for check in checks {
        let looked = match &check.looked {
            Ok(looked) => looked.clone(),
            Err(reason) => format!("not looked at: {reason}"),
        };
        lines.push(format!("{:<width$}  {looked}", check.name));
        for one in told.iter().filter(|one| one.check == check.name) {
            let word = if one.fixed { "mended".to_owned() } else { one.finding.severity.to_string() };
            lines.push(format!("  {word:<7}  {}  ({})", one.finding.message, one.finding.code));
            if !one.fixed {
                lines.push(format!("  {:<7}  {}", "", remedy(one)));
            }
        }
    }
    lines.join("\n")
}

/// The last line.
fn summary(told: &[Told]) -> String {
    let open = || told.iter().filter(|one| !one.fixed);
    let count = |severity| open().filter(|one| one.finding.severity == severity).count();
    let fixed = told.len() - open().count();
    let mut parts = Vec::new();
    if fixed > 0 {
        parts.push(format!("{fixed} mended"));
    }
    for (severity, noun) in
        [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
    {
        let number = count(severity);
        if number > 0 {
            parts.push(counted(number, noun));
        }
    }
    if open().count() == 0 {
        parts.push("nothing is wrong".into());
    }
    let mendable = open().filter(|one| one.finding.mending.is_some() && one.why_not.is_none()).count();
    let mut line = parts.join(", ");
    if mendable > 0 {
        line.push_str(&format!("; `genfic-ca doctor --fix` can mend {mendable}"));
    }
    line
}
