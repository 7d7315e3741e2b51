//! `clock status`, `clock accept`.
use super::question::confirm;
use crate::report::{Report, columns};
use crate::session::Session;
use genfic_ca::ca::{ClockState, ClockStatus};
use genfic_ca::config::format_duration;
use genfic_ca::error::Problem;
use serde_json::{Value, json};

/// Shows the clock's time, what it is compared with, and whether anything is signed with it.
pub(crate) fn status(session: &Session) -> Result<Report, Problem> {
    let state = session.engine().clock_state()?;
    let or_none = |time: Option<String>| time.unwrap_or_else(|| "nothing yet".into());
    let mut rows = vec![
        ("  now".to_owned(), state.now.to_string()),
        ("  confirmed".into(), or_none(state.confirmed().map(|at| at.to_string()))),
        (
            "  signed".into(),
            or_none(state.signed.as_ref().map(|signed| format!("{}, {}", signed.at, signed.what))),
        ),
        ("  published".into(), or_none(state.published.map(|at| at.to_string()))),
        ("  trust".into(), format_duration(state.trust)),
    ];
    let (word, signs, why) = said(&state);
    rows.push(("  signs".into(), why));
    Ok(Report::seen(fields(&state, word, signs), format!("the clock is {word}\n{}", columns(&rows))))
}

/// Returns the verdict in a word, whether anything is signed, and the reason.
fn said(state: &ClockState) -> (&'static str, &'static str, String) {
    match state.status() {
        ClockStatus::Trusted => ("trusted", "always", "everything, unattended too".into()),
        ClockStatus::Behind(newest) => (
            "behind",
            "never",
            format!(
                "nothing until {newest}, when something was signed: set the clock; what is revoked is recorded"
            ),
        ),
        ClockStatus::Unconfirmed(confirmed) => (
            "unconfirmed",
            "attended",
            format!(
                "only when a person says that the clock is right, which is more than {} after {confirmed}: at the \
                 question of any command that signs, or by genfic-ca clock accept; what is revoked is recorded",
                format_duration(state.trust)
            ),
        ),
    }
}

fn fields(state: &ClockState, word: &str, signs: &str) -> Value {
    json!({
        "now": state.now.to_string(),
        "standing": word,
        "signs": signs,
        "confirmed": state.confirmed().map(|at| at.to_string()),
        "signed": state.signed.as_ref().map(|signed| json!({ "at": signed.at.to_string(), "what": signed.what })),
        "published": state.published.map(|at| at.to_string()),
        "trust": format_duration(state.trust),
    })
}

/// Accepts the clock's time as the last confirmed one.
pub(crate) fn accept(session: &Session) -> Result<Report, Problem> {
    let engine = session.engine();
    let state = engine.clock_state()?;
    if !matches!(state.status(), ClockStatus::Behind(_)) {
        let confirmed = state.confirmed().map_or_else(|| "nothing yet".to_owned(), |at| at.to_string());
        let question = format!("Is it really {}? The last confirmed time is {confirmed}.", state.now);
        confirm(&session.global, &question)?;
    }
    let before = engine.maintenance().accept_clock()?;
    let result = json!({
        "accepted": before.now.to_string(),
        "before": before.confirmed().map(|at| at.to_string()),
    });
    Ok(Report::done(result, format!("accepted: it is {}, and what is due is signed again", before.now)))
}
