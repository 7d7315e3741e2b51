//! `ocsp presign`.
use crate::cli::Presign;
use crate::progress;
use crate::report::{Report, columns, path_value};
use crate::session::Session;
use genfic_ca::error::{Problem, Shown as _};
use serde_json::json;

/// Signs answers beforehand.
pub(crate) fn presign(session: &Session, args: &Presign) -> Result<Report, Problem> {
    let engine = session.engine();
    let authority = args.authority.as_deref();
    let authority = authority.map(|name| engine.hierarchy().authority(name)).transpose()?;
    engine.maintenance().confirm_clock()?;
    engine.publication().sync_status()?;
    progress::count("answered for", None);
    let name = authority.as_ref().map(|authority| authority.name.as_str());
    let made = session.assembly.presign(name, &args.output, progress::step)?;
    let mut rows = vec![
        ("  CAs".to_owned(), made.authorities.join(", ")),
        ("  certificates".into(), made.certificates.to_string()),
        ("  answers".into(), format!("{}, {} of them signed now", made.answers, made.signed)),
    ];
    rows.extend(made.ends.map(|end| ("  all count until".to_owned(), end.to_string())));
    let text = format!("{}\n{}", args.output.shown(), columns(&rows));
    let result = json!({
        "file": path_value(&args.output),
        "number": made.number,
        "authorities": made.authorities,
        "certificates": made.certificates,
        "answers": made.answers,
        "signed": made.signed,
        "next_update": made.ends.map(|end| end.to_string()),
    });
    Ok(Report::done(result, text))
}
