//! Checks that configuration and profiles can be read, and that the profiles of the CAs exist.
use super::finding::{Consequence, Finding, Mending};
use super::{Examination, FindingCode, Looked, Unread, counted};
use crate::config;
use crate::error::remedy::Origin;
use crate::error::{Shown as _, remedy};
use crate::home::quoted;
use crate::index::Authority;
use crate::profile::{Kind, Profile, Profiles, SHIPPED};
use crate::x509::extension::{CRL_DISTRIBUTION_POINTS, distribution_point_urls};
use std::path::{Path, PathBuf};

/// The profile of responders.
const RESPONDER: &str = "ocsp-responder";

pub(super) fn check(examination: &Examination<'_>, findings: &mut Vec<Finding>) -> Looked {
    let authorities = examination.authorities().unwrap_or_default();
    let file = examination.home.configuration_file();
    if let (Ok(config), Ok(authorities)) = (examination.config, examination.authorities()) {
        for name in config.authorities.keys() {
            if !authorities.iter().any(|authority| authority.name == *name) {
                findings.push(
                    Finding::note(
                        FindingCode::ConfigNoSuchCa,
                        file.shown().to_string(),
                        format!("has settings for {name}, and there is no CA of that name"),
                    )
                    .remedy(format!("look for a slip in [authority.{name}] in {}", quoted(&file))),
                );
            }
        }
    }
    match examination.config {
        Ok(config) if config.publication.url.is_none() => {
            findings.push(
                Finding::warning(
                    FindingCode::ConfigNoUrl,
                    file.shown().to_string(),
                    "sets no [publication] url: certificates name neither CRL nor OCSP",
                )
                .remedy(format!("set url below [publication] in {}", quoted(&file))),
            );
        }
        Ok(_) => {}
        Err(faults) => {
            findings.extend(faults.iter().map(|fault| of_config(examination, fault, &authorities)))
        }
    }
    let mut count = 0;
    match examination.profiles {
        Ok(profiles) => {
            count = profiles.iter().count();
            findings.extend(profiles.iter().flat_map(|profile| flawed(examination, profile)));
            without_leaf(examination, profiles, &authorities, findings);
        }
        Err(faults) => findings.extend(faults.iter().map(|fault| of_profile(examination, fault))),
    }
    in_use(examination, &authorities, findings);
    Ok(format!("configuration, {}", counted(count, "profile")).into())
}

/// Finds gaps in a profile: values that it does not restrict. A new home refuses them, and so will the next version
/// in every home.
fn flawed(examination: &Examination<'_>, profile: &Profile) -> Vec<Finding> {
    let file = examination.home.policy_directory().join(format!("{}.toml", profile.name()));
    let flaws = profile.flaws().into_iter().map(ToString::to_string);
    let finding = |flaw: String| {
        let object = file.shown().to_string();
        Finding::note(FindingCode::PolicyInvalidProfile, object, format!("leaves something open: {flaw}"))
            .remedy(format!("edit {}", quoted(&file)))
    };
    flaws.map(finding).collect()
}

fn of_config(examination: &Examination<'_>, fault: &Unread, authorities: &[Authority]) -> Finding {
    let object = fault.file.shown().to_string();
    if fault.is_missing && fault.file == examination.home.configuration_file() {
        let finding = Finding::error(FindingCode::ConfigMissing, object, "is not there");
        let text = config::template(None, None, None, None, None);
        return lost(examination, finding, &fault.file, &text, origin(authorities));
    }
    let code = if fault.is_missing { FindingCode::ConfigMissing } else { FindingCode::ConfigInvalid };
    Finding::error(code, object, format!("cannot be used: {}", fault.fault))
        .remedy(format!("edit {}", quoted(&fault.file)))
}

/// Adds the repair that writes a shipped file again. The lost file may have been stricter than the shipped one, so a
/// person decides where there are, or may be, CAs.
fn lost(examination: &Examination<'_>, finding: Finding, file: &Path, text: &str, origin: Origin) -> Finding {
    if examination.authorities().is_ok_and(|authorities| authorities.is_empty()) {
        return finding
            .remedy(remedy::Repair::Init(Box::new(origin)))
            .mending(Mending::File(file.to_owned(), text.to_owned()));
    }
    finding.remedy(remedy::Repair::BringBackOrInit(file.to_owned(), Box::new(origin)))
}

/// Returns the values that the home was initialized with, as far as the first root and its children contain them.
fn origin(authorities: &[Authority]) -> Origin {
    let root = authorities.first().map(|authority| authority.certificate.tbs());
    let of_root = |kind| root.and_then(|tbs| tbs.subject().texts(kind).into_iter().next());
    let url = authorities.iter().find_map(|authority| {
        let parent = authority.parent.as_ref()?;
        let extension = authority.certificate.tbs().extension(CRL_DISTRIBUTION_POINTS)?;
        let ending = format!("/{parent}.crl");
        let uris = distribution_point_urls(&extension.value).ok()?;
        uris.iter().find_map(|uri| uri.strip_suffix(&ending).map(str::to_owned))
    });
    Origin { organization: of_root("O"), country: of_root("C"), url }
}

fn of_profile(examination: &Examination<'_>, fault: &Unread) -> Finding {
    let object = fault.file.shown().to_string();
    let finding =
        Finding::error(FindingCode::PolicyInvalid, object, format!("cannot be used: {}", fault.fault));
    // a fault about a shipped profile that was removed
    let gone = SHIPPED.iter().find(|(file, _)| {
        let name = file.trim_end_matches(".toml");
        fault.fault.contains(&format!("profile `{name}`")) && !file_of(examination, name).exists()
    });
    match gone {
        Some((file, text)) => {
            let file = examination.home.policy_directory().join(file);
            lost(examination, finding, &file, text, Origin::default())
        }
        None => finding.remedy(format!("edit {}", quoted(&fault.file))),
    }
}

fn file_of(examination: &Examination<'_>, profile: &str) -> PathBuf {
    examination.home.policy_directory().join(format!("{profile}.toml"))
}

/// Finds missing profiles that CAs need.
fn in_use(examination: &Examination<'_>, authorities: &[Authority], findings: &mut Vec<Finding>) {
    let mut needed: Vec<(&str, String)> = authorities
        .iter()
        .map(|authority| (authority.profile.as_str(), format!("{} was made under it", authority.name)))
        .collect();
    if authorities.iter().any(|authority| authority.serves_ocsp) {
        needed.push((RESPONDER, "responder certificates are made under it".into()));
    }
    needed.sort();
    needed.dedup_by(|one, other| one.0 == other.0);
    for (name, why) in needed {
        let file = file_of(examination, name);
        if file.exists() {
            continue;
        }
        let object = file.shown().to_string();
        let finding =
            Finding::error(FindingCode::PolicyProfileMissing, object, format!("is not there, and {why}"));
        let shipped = SHIPPED.iter().find(|(shipped, _)| *shipped == format!("{name}.toml"));
        findings.push(match shipped {
            Some((_, text)) => lost(examination, finding, &file, text, Origin::default()),
            None => finding.remedy(format!("bring {} back from a backup", quoted(&file))),
        });
    }
}

/// Finds CAs whose profile names no profile for the certificates that they issue.
fn without_leaf(
    examination: &Examination<'_>,
    profiles: &Profiles,
    authorities: &[Authority],
    findings: &mut Vec<Finding>,
) {
    for authority in authorities {
        let has_children = authorities.iter().any(|one| one.parent.as_ref() == Some(&authority.name));
        let Some(profile) = profiles.get(&authority.profile) else { continue };
        if profile.kind() == Kind::Ca && !has_children && profile.default_leaf_profile().is_none() {
            let file = file_of(examination, &authority.profile);
            findings.push(
                Finding::note(
                    FindingCode::PolicyNoLeafProfile,
                    authority.name.clone(),
                    format!("has profile {}, which names no leaf_profile", profile.name()),
                )
                .consequence(Consequence::ProfileIsNamed)
                .remedy(format!("set leaf_profile below [ca] in {}", quoted(&file))),
            );
        }
    }
}
