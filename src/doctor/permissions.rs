//! Checks of directories and files: owners, modes, missing, left behind and unknown ones.
use super::finding::{Finding, Mending};
use super::{Examination, FindingCode, Looked, counted};
use crate::backup;
use crate::error::{Remedy, Shown as _, remedy};
use crate::home::{AccessCause, quoted};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let home = examination.home;
    let shown = home.directory().shown().to_string();
    let owned = examination.owner.is_ok();
    if let Err(problem) = &examination.owner {
        let remedy = match &problem.hint {
            Remedy::Home(remedy::Home::As(user)) => remedy::Repair::ExamineAs(user.clone()).into(),
            Remedy::Home(remedy::Home::AsOwner) => remedy::Repair::ExamineAsOwner.into(),
            other => other.clone(),
        };
        let message = problem.message.trim_start_matches("the home ").trim_start_matches(&shown).trim_start();
        findings.push(Finding::error(FindingCode::HomeWrongUser, shown.clone(), message).remedy(remedy));
    }
    let user = home.directory().metadata()?.uid();
    let survey = home.survey(examination.names().as_deref(), &kept(examination), examination.now);
    let loose = home.findings_for(user).into_iter().chain(survey.shut);
    for found in loose {
        let object = found.path.shown().to_string();
        let (code, warning) = match found.cause {
            AccessCause::Kind => (FindingCode::HomeKind, false),
            AccessCause::Owner => (FindingCode::HomeOwner, false),
            AccessCause::Mode(_) => (FindingCode::HomeMode, false),
            AccessCause::Shared(_) => (FindingCode::HomeShared, false),
            AccessCause::Shut(_) => (FindingCode::HomeShut, true),
            AccessCause::Group => (FindingCode::HomeGroup, true),
            AccessCause::Parent => (FindingCode::HomeParent, false),
            AccessCause::Unreadable => (FindingCode::HomeUnreadable, false),
            AccessCause::Linked => (FindingCode::HomeLinked, false),
        };
        let make = if warning { Finding::warning } else { Finding::error };
        let mut finding = make(code, object, &found.fault).remedy(found.remedy.clone());
        if found.is_mendable() && owned {
            finding = finding.mending(Mending::Mode(found));
        }
        findings.push(finding);
    }
    for (path, mode) in survey.missing {
        let object = path.shown().to_string();
        findings.push(
            Finding::error(FindingCode::HomeDirectoryMissing, object, "is not there")
                .mending(Mending::Directory(path, mode)),
        );
    }
    let written = survey.leftovers.into_iter().map(|path| (path.clone(), Mending::Leftover(path)));
    let workplaces = backup::left_behind(home).into_iter();
    for (path, mending) in written.chain(workplaces.map(|path| (path.clone(), Mending::Workplace(path)))) {
        let object = path.shown().to_string();
        findings.push(
            Finding::warning(
                FindingCode::HomeLeftover,
                object,
                "was left behind by a command that was cut short",
            )
            .mending(mending),
        );
    }
    for path in survey.unknown {
        let object = path.shown().to_string();
        let remedy = format!("mv {} ELSEWHERE, if nobody knows what it is for", quoted(&path));
        findings.push(
            Finding::note(FindingCode::HomeUnknownFile, object, "is none of this home's files")
                .remedy(remedy),
        );
    }
    Ok(counted(survey.seen, "file").into())
}

/// Returns the files in the store of keys that belong to CAs on record or with pending requests.
fn kept(examination: &Examination<'_>) -> Vec<PathBuf> {
    let keys = examination.keys;
    let Some(inspecting) = keys.inspecting() else { return examination.home.signer_files().into() };
    let authorities = examination.authorities().unwrap_or_default();
    let on_record = authorities.iter().flat_map(|one| inspecting.files(&keys.key_of(one)));
    let pending_requests = examination.home.pending_requests().unwrap_or_default();
    let of_pending_requests = pending_requests.iter().map(|name| keys.place(&keys.new_key(name.as_str())));
    let of_keys = on_record.chain(of_pending_requests.map(|place| place.as_path().to_owned()));
    of_keys.chain(examination.home.signer_files()).collect()
}
