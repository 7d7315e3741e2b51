//! `key move`.
use super::envelope;
use super::question::confirm;
use crate::cli::{KeyMove, KeyPlaceTo};
use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::ca::{MovedKey, ProposedMove};
use genfic_ca::error::Problem;
use genfic_ca::signing::{KeyHolder, KeyLimits};
use serde_json::{Value, json};

/// Moves the key of a CA, or of every CA, to the signer that listens, or from it into the home.
pub(crate) fn move_key(session: &Session, args: &KeyMove) -> Result<Report, Problem> {
    let holder = match args.to {
        KeyPlaceTo::Signer => KeyHolder::Service,
        KeyPlaceTo::Home => KeyHolder::Home,
    };
    match &args.name {
        Some(name) => move_one(session, name, holder),
        None => move_all(session, holder),
    }
}

fn move_one(session: &Session, name: &str, holder: KeyHolder) -> Result<Report, Problem> {
    let lifecycle = session.engine().lifecycle();
    let proposed = lifecycle.propose_key_move(name, holder)?;
    if let Some(envelope) = &proposed.envelope {
        confirm(&session.global, &asked(&[(name, envelope)], holder))?;
    }
    let moved = lifecycle.move_key(&proposed)?;
    let (result, text) = (object(&proposed, &moved), told(&proposed, &moved, holder));
    Ok(match moved.is_new || moved.removed {
        true => Report::done(result, text),
        false => Report::seen(result, text),
    })
}

/// Moves what an administrator has allowed, and says of the others why they stay.
fn move_all(session: &Session, holder: KeyHolder) -> Result<Report, Problem> {
    let lifecycle = session.engine().lifecycle();
    let names = lifecycle.keys_to_move(holder)?;
    if names.is_empty() {
        let text = format!("no CA has a key in a file that could be moved {}", words(holder));
        return Ok(Report::seen(json!({ "moved": [], "refused": [] }), text));
    }
    // all at once, so that the signer has each for the administrator to look at
    let proposed = names.iter().map(|name| lifecycle.propose_key_move(name, holder));
    let proposed = proposed.collect::<Result<Vec<ProposedMove>, Problem>>()?;
    let bound = proposed.iter().filter_map(|one| Some((one.authority.name.as_str(), one.envelope.as_ref()?)));
    confirm(&session.global, &asked(&bound.collect::<Vec<_>>(), holder))?;
    let (mut moved, mut refused, mut lines, mut first) = (Vec::new(), Vec::new(), Vec::new(), None);
    for one in &proposed {
        match lifecycle.move_key(one) {
            Ok(done) => {
                lines.push(told(one, &done, holder));
                moved.push(object(one, &done));
            }
            Err(problem) => {
                let name = &*one.authority.name;
                lines.push(format!("the key of {name} stays where it is: {}", problem.message));
                refused
                    .push(json!({ "name": name, "code": problem.code.code(), "message": problem.message }));
                first.get_or_insert(problem);
            }
        }
    }
    let (result, text) = (json!({ "moved": moved, "refused": refused }), lines.join("\n"));
    match first {
        Some(problem) if moved.is_empty() && refused.len() == 1 => Err(problem),
        first => Ok(Report { changed: !moved.is_empty(), ..Report::seen(result, text) }.ending(first)),
    }
}

/// Returns the question before keys move that get these envelopes.
fn asked(bound: &[(&str, &KeyLimits)], holder: KeyHolder) -> String {
    let names: Vec<&str> = bound.iter().map(|(name, _)| *name).collect();
    let each = bound.iter().map(|(name, envelope)| match bound.len() {
        1 => envelope::lines(envelope),
        _ => format!("{name}:\n{}", envelope::lines(envelope)),
    });
    format!(
        "There {} bound by this, until an administrator sets it anew (`key envelope`):\n{}\nMove the {} of {} {}?",
        if bound.len() == 1 { "the key is" } else { "the keys are" },
        each.collect::<Vec<_>>().join("\n"),
        if bound.len() == 1 { "key" } else { "keys" },
        names.join(", "),
        words(holder)
    )
}

fn object(proposed: &ProposedMove, moved: &MovedKey) -> Value {
    json!({
        "name": proposed.authority.name,
        "from": moved.from,
        "to": moved.to,
        "moved": moved.is_new,
        "removed": moved.removed,
        "certificates_shown": moved.shown,
        "envelope": proposed.envelope.as_ref().map(envelope::object),
    })
}

fn words(holder: KeyHolder) -> &'static str {
    match holder {
        KeyHolder::Home => "into this home",
        KeyHolder::Service => "to the signer",
    }
}

fn told(proposed: &ProposedMove, moved: &MovedKey, holder: KeyHolder) -> String {
    let name = &proposed.authority.name;
    if !moved.is_new {
        let there = match holder {
            KeyHolder::Home => format!("the key of {name} is in this home already: {}", moved.to),
            KeyHolder::Service => format!("the signer has the key of {name} already: {}", moved.to),
        };
        return match moved.removed {
            true => format!("{there}\nwhat an interrupted move had left elsewhere was removed"),
            false => format!("{there}\nnothing was changed"),
        };
    }
    let shown = counted(usize::try_from(moved.shown).unwrap_or(usize::MAX), "certificate");
    let next = match holder {
        KeyHolder::Home => format!(
            "the next command that needs it asks for its passphrase here: genfic-ca crl publish {name}"
        ),
        KeyHolder::Service => {
            format!("next: as yourself, without sudo -u: genfic-ca key unlock {name} --for 15m")
        }
    };
    format!(
        "the key of {name} is {} now, before {}\nits CRL number, its envelope and {shown} went with it\nwhere it was it was \
         unlinked, then overwritten; backups made --with-keys and disks that write elsewhere may still have the encrypted \
         file\n{next}",
        moved.to, moved.from
    )
}
