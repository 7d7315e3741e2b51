//! `key move`.
use super::envelope;
use super::question::confirm;
use crate::cli::{KeyMove, KeyPlaceTo};
use crate::report::{Report, counted};
use crate::session::Session;
use genfic_ca::ca::{MovedKey, ProposedMove};
use genfic_ca::error::Problem;
use genfic_ca::signing::KeyHolder;
use serde_json::json;

/// Moves the key of a CA to the signer that listens, or from it into the home.
pub(crate) fn move_key(session: &Session, args: &KeyMove) -> Result<Report, Problem> {
    let holder = match args.to {
        KeyPlaceTo::Signer => KeyHolder::Service,
        KeyPlaceTo::Home => KeyHolder::Home,
    };
    let lifecycle = session.engine().lifecycle();
    let proposed = lifecycle.propose_key_move(&args.name, holder)?;
    if let Some(envelope) = &proposed.envelope {
        let question = format!(
            "There the key is bound by this, until an administrator sets it anew (`key envelope`):\n{}\nMove the key of {} {}?",
            envelope::lines(envelope),
            args.name,
            words(holder)
        );
        confirm(&session.global, &question)?;
    }
    let moved = lifecycle.move_key(&proposed)?;
    let result = json!({
        "name": args.name,
        "from": moved.from,
        "to": moved.to,
        "moved": moved.is_new,
        "removed": moved.removed,
        "certificates_shown": moved.shown,
        "envelope": proposed.envelope.as_ref().map(envelope::object),
    });
    let text = told(&proposed, &moved, holder);
    Ok(match moved.is_new || moved.removed {
        true => Report::done(result, text),
        false => Report::seen(result, text),
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
