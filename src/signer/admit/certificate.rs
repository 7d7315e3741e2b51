//! Certificates.
use super::rollover::{is_no_wider, is_rollover};
use super::{Admission, AdmittedContents, AdmittedTbs, KeyInUse, Refusal};
use crate::error::Code;
use crate::lint::{certificate_findings_of_ca, certificate_findings_of_ours};
use crate::par_map::par_map;
use crate::profile::{IssuerView, Kind, Profile, Violation};
use crate::signer::{KeyEnvelope, RecordError, Scope, Signed, pinned_urls};
use crate::x509::extension::{self, AUTHORITY_KEY_IDENTIFIER, CrlNumber, authority_key_identifier_of};
use crate::x509::{Certificate, Name, SerialNumber, TbsCertificate};
use std::sync::atomic::Ordering;

/// Seconds that notBefore may be after the signer's clock.
const AHEAD: i64 = 300;
/// Name of the profile under which a root is renewed whose own profile is of subordinate CAs.
const ROOT_PROFILE: &str = "root-ca";
/// Seconds that notBefore may be before it: the longest backdating that the configuration allows, and an hour for the
/// work between.
const BEHIND: i64 = 2 * 86_400 + 3600;

impl Admission<'_> {
    /// Decides on a TBSCertificate.
    ///
    /// # Errors
    /// The first broken rule.
    #[cfg(test)]
    pub(crate) fn certificate(
        &mut self,
        key: &KeyInUse<'_>,
        octets: Vec<u8>,
    ) -> Result<AdmittedTbs, Refusal> {
        let looked_at = self.look_at(key, octets)?;
        self.enter(key, looked_at)
    }

    /// Decides on TBSCertificates, all or none, with all processors.
    ///
    /// # Errors
    /// The first broken rule of the first one that breaks any.
    pub(crate) fn certificates(
        &mut self,
        key: &KeyInUse<'_>,
        group: Vec<Vec<u8>>,
    ) -> Result<Vec<AdmittedTbs>, Refusal> {
        let mut group = group.into_iter();
        let Some(first) = group.next() else { return Ok(Vec::new()) };
        // by itself, since most groups are of one profile
        let first = self.look_at(key, first)?;
        let others = par_map(group.collect(), |octets| self.look_at(key, octets));
        std::iter::once(Ok(first)).chain(others).map(|one| self.enter(key, one?)).collect()
    }

    /// Enters one that keeps the rules by itself: its serial number and the day's count are of the whole group.
    fn enter(&mut self, key: &KeyInUse<'_>, looked_at: AdmittedTbs) -> Result<AdmittedTbs, Refusal> {
        if let AdmittedContents::Certificate { tbs, .. } = &looked_at.contents {
            let digest = key.key.digest();
            let serial = tbs.serial_number();
            if self.serials.contains(&(digest, serial.clone())) {
                return Err(repeated(serial));
            }
            self.count_certificate(&digest, key.envelope)?;
            self.serials.insert((digest, serial.clone()));
        }
        Ok(looked_at)
    }

    fn look_at(&self, key: &KeyInUse<'_>, octets: Vec<u8>) -> Result<AdmittedTbs, Refusal> {
        let tbs = TbsCertificate::from_der(&octets)
            .map_err(|error| Refusal::malformed("TBSCertificate of version 3", error))?;
        if tbs.signature() != key.key.algorithm().signature_algorithm() {
            return Err(Refusal::new(
                Code::SignerAlgorithm,
                "RFC 5280 §4.1.2.3",
                "the field signature names another algorithm than that of the key",
                "make the certificate anew, with the algorithm of the CA's key",
            ));
        }
        self.check_serial(key, &tbs)?;
        self.check_begin(&tbs)?;
        let issuer = issuer_of(key, &tbs)?;
        let scope = match issuer {
            None => self.check_self_signed(key, &tbs)?,
            Some(issuer) => self.check_issued(key, issuer, &tbs)?,
        };
        let entry = Signed::certificate(key.key.digest(), &tbs);
        let contents = AdmittedContents::Certificate { tbs: Box::new(tbs) };
        Ok(AdmittedTbs { octets, entry, scope, contents, enrolled_by: None, by_timer: false, changes: None })
    }

    fn check_serial(&self, key: &KeyInUse<'_>, tbs: &TbsCertificate) -> Result<(), Refusal> {
        let (digest, serial) = (key.key.digest(), tbs.serial_number());
        let is_own = |one: &Certificate| one.tbs().serial_number() == serial && one.is_signed_by(key.key);
        let is_known = self.record.knows_serial(&digest, serial)? || key.own.iter().any(is_own);
        // what was revoked was used, also where the record has no certificate of it
        if is_known || self.record.lists_serial(&digest, serial)? {
            return Err(repeated(serial));
        }
        self.check_last_list(&digest)
    }

    /// Refuses a certificate while it is not known what the last CRL of the CA lists: after a move or a restore an
    /// entry of it may be all that is left of a serial number.
    fn check_last_list(&self, key: &[u8; 32]) -> Result<(), Refusal> {
        let unknown = match self.list_unknown.get() {
            Some((of, unknown)) if of == key => *unknown,
            _ => {
                let unknown = match self.record.each_last_entry(key, &mut |_, _| false) {
                    Err(RecordError::ListUnknown(number)) => Some(number),
                    known => known.map(|()| None)?,
                };
                let _ = self.list_unknown.set((*key, unknown));
                unknown
            }
        };
        unknown.map_or(Ok(()), |number| Err(list_unknown(number)))
    }

    fn check_begin(&self, tbs: &TbsCertificate) -> Result<(), Refusal> {
        let (begin, end) = (tbs.validity().not_before, tbs.validity().not_after);
        let since = self.now.0.saturating_sub(begin.0);
        if (-AHEAD..=BEHIND).contains(&since) && end > self.now {
            return Ok(());
        }
        let message = format!(
            "the certificate is valid from {begin} to {end}, and the signer's clock says {}",
            self.now
        );
        Err(Refusal::new(Code::SignerClock, "RFC 5280 §4.1.2.5", message, "set both clocks right"))
    }

    /// Checks a certificate of the CA by itself: a root's first, or a renewed one. Returns its scope.
    fn check_self_signed(&self, key: &KeyInUse<'_>, tbs: &TbsCertificate) -> Result<Scope, Refusal> {
        if let Some(own) = key.newest() {
            // the certificates of one key bear one name, by which the certificates below it name their issuer; and a
            // CA below another does not make itself a root
            if !own.tbs().is_self_issued()
                || own.tbs().subject().as_der() != tbs.subject().as_der()
                || own.key_identifier() != extension::subject_key_identifier(tbs).unwrap_or_default()
            {
                return Err(other_issuer(tbs, own));
            }
            lint(certificate_findings_of_ca(tbs, None))?;
            if let Some(envelope) = key.envelope {
                // as for those below it; and where the envelope was narrowed since, it says no more than it did
                envelope.check_own(tbs).or_else(|refusal| match is_no_wider(key, envelope, tbs) {
                    true => Ok(()),
                    false => Err(refusal),
                })?;
                envelope.check_validity(tbs)?;
            }
        } else {
            if let Some(named) = key.named.filter(|named| named.as_der() != tbs.subject().as_der()) {
                return Err(named_before(tbs, named));
            }
            lint(certificate_findings_of_ours(tbs, None))?;
        }
        let wanted = key.bound.or_else(|| self.root_profile(key.envelope?));
        let is_wanted = |one: &&Profile| wanted.is_none_or(|wanted| one.name() == wanted);
        let roots = self.profiles.iter().filter(|one| one.kind() == Kind::RootCa && is_wanted(one));
        self.check_granted(roots.collect(), tbs, None)?;
        pinned_urls::check(tbs, key.envelope.and_then(|envelope| envelope.urls.as_deref()))?;
        Ok(Scope::Ca)
    }

    /// Returns the profile under which a CA with this envelope signs itself: that for which its key was made. `None`
    /// where nobody has said for which that was.
    fn root_profile<'e>(&self, envelope: &'e KeyEnvelope) -> Option<&'e str> {
        match self.profiles.get(&envelope.profile) {
            // a CA of another program may be its own root and have a profile of subordinate CAs
            Some(profile) if profile.kind() != Kind::RootCa => Some(ROOT_PROFILE),
            None if envelope.profile == KeyEnvelope::UNKNOWN => None,
            _ => Some(&envelope.profile),
        }
    }

    /// Checks a certificate by the CA with the certificate `issuer`. Returns its scope.
    fn check_issued(
        &self,
        key: &KeyInUse<'_>,
        issuer: &Certificate,
        tbs: &TbsCertificate,
    ) -> Result<Scope, Refusal> {
        let Some(envelope) = key.envelope else { return Err(without_certificate()) };
        let view = IssuerView {
            certificate: issuer,
            ancestors: key.above,
            profile: &envelope.profile,
            crl_urls: Vec::new(),
            ca_issuers_url: None,
            ocsp_url: None,
        };
        let end = view.end();
        if tbs.validity().not_after > end {
            let message = format!(
                "the certificate would end on {}, after its issuer on {end}",
                tbs.validity().not_after
            );
            let hint = "ask for less, or renew the CA first";
            return Err(Refusal::new(Code::SignerOutlivesIssuer, "X.509 validity nesting", message, hint));
        }
        let kind = Kind::of(tbs, Some(&view));
        let is_rollover = kind.is_ca() && is_rollover(key, envelope, tbs)?;
        if !is_rollover {
            envelope.check(tbs, kind, issuer)?;
        }
        pinned_urls::check(tbs, envelope.urls.as_deref())?;
        lint(match kind {
            Kind::RootCa | Kind::Ca => certificate_findings_of_ca(tbs, Some(issuer)),
            Kind::EndEntity | Kind::OcspResponder => certificate_findings_of_ours(tbs, Some(issuer)),
        })?;
        if is_rollover {
            return Ok(Scope::Ca);
        }
        let fit = |one: &&Profile| one.kind() == kind && one.may_be_issued_by(&envelope.profile);
        self.check_granted(self.profiles.iter().filter(fit).collect(), tbs, Some(&view))?;
        Ok(if kind == Kind::EndEntity { Scope::Leaf } else { Scope::Ca })
    }

    /// Checks that one of these profiles grants the certificate. The one that granted the first is tried before the others.
    fn check_granted(
        &self,
        mut profiles: Vec<&Profile>,
        tbs: &TbsCertificate,
        issuer: Option<&IssuerView<'_>>,
    ) -> Result<(), Refusal> {
        let mut nearest: Option<(String, Vec<Violation>)> = None;
        profiles.sort_by_key(|one| self.likely.get().is_none_or(|likely| likely != one.name()));
        for profile in profiles {
            self.tried.fetch_add(1, Ordering::Relaxed);
            match profile.regrant(tbs, issuer) {
                Ok(()) => {
                    self.likely.get_or_init(|| profile.name().to_owned());
                    return Ok(());
                }
                Err(violations) => {
                    if nearest.as_ref().is_none_or(|(_, fewer)| violations.len() < fewer.len()) {
                        nearest = Some((profile.name().to_owned(), violations));
                    }
                }
            }
        }
        let message = match nearest {
            Some((name, violations)) => {
                let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
                format!(
                    "no profile of the signer grants the certificate; {name} does not: {}",
                    lines.join("; ")
                )
            }
            None => match issuer {
                Some(issuer) => {
                    format!(
                        "no profile of the signer is for such certificates of a CA made under {}",
                        issuer.profile
                    )
                }
                None => "no profile of the signer is for this root; only the one for which its key was made is asked".to_owned(),
            },
        };
        let hint = "the security administrator's profiles decide: ask for the profile to be installed or changed there";
        Err(Refusal::new(Code::SignerProfile, "profiles of the signer", message, hint))
    }
}

fn repeated(serial: &SerialNumber) -> Refusal {
    let message = format!("this key has signed a certificate with the serial number {serial} before");
    let hint = "the index may be an older copy: restore the newest one, and accept what was signed since";
    Refusal::new(Code::SignerSerial, "RFC 5280 §4.1.2.2", message, hint)
}

fn list_unknown(number: CrlNumber) -> Refusal {
    let message = format!(
        "the signer does not know what CRL {number} lists, which the key signed last, and so not which serial numbers it has \
         used"
    );
    let hint = "put the CRL that was published last in its place in public/, and try again; where it is lost, restore from \
        a backup";
    Refusal::new(Code::JournalListUnknown, "RFC 5280 §4.1.2.2", message, hint)
}

/// The refusal of a second name for a key that has signed a certificate of itself, which was not shown yet.
fn named_before(tbs: &TbsCertificate, named: &Name) -> Refusal {
    let message = format!(
        "the certificate is of `{}`, and the key has signed one of itself as `{named}`",
        tbs.subject()
    );
    let hint = "make the root under the name that it had first; a root of another name gets another key";
    Refusal::new(Code::SignerIssuer, "RFC 5280 §4.1.2.4", message, hint)
}

fn lint(findings: Vec<crate::lint::LintFinding>) -> Result<(), Refusal> {
    if findings.is_empty() { Ok(()) } else { Err(Refusal::linted(&findings)) }
}

/// Returns the CA's own certificate that the certificate names as its issuer, by name and key identifier; `None` for a
/// self-signed one.
fn issuer_of<'k>(key: &'k KeyInUse<'_>, tbs: &TbsCertificate) -> Result<Option<&'k Certificate>, Refusal> {
    if tbs.public_key() == key.key {
        // a key certifies itself in its own name alone
        return match key.newest() {
            _ if tbs.issuer().as_der() == tbs.subject().as_der() => Ok(None),
            Some(own) => Err(other_issuer(tbs, own)),
            None => Err(without_certificate()),
        };
    }
    let identifier = tbs
        .extension(AUTHORITY_KEY_IDENTIFIER)
        .and_then(|extension| authority_key_identifier_of(&extension.value));
    let Some(newest) = key.newest() else { return Err(without_certificate()) };
    let is_named = |one: &&Certificate| {
        one.tbs().subject().as_der() == tbs.issuer().as_der()
            && Some(one.key_identifier()) == identifier
            && one.tbs().public_key() == key.key
    };
    let named = key.own.iter().filter(is_named).max_by_key(|one| one.tbs().validity().not_after);
    named.map(Some).ok_or_else(|| other_issuer(tbs, newest))
}

pub(super) fn without_certificate() -> Refusal {
    let message =
        "the signer has no certificate of the CA with this key, and so does not know what it may sign";
    let hint = "show it the CA's certificate first, as taking the key over does";
    Refusal::new(Code::SignerNoCertificate, "RFC 5280 §6.1", message, hint)
}

fn other_issuer(tbs: &TbsCertificate, own: &Certificate) -> Refusal {
    let message = format!(
        "the certificate names `{}` as its issuer, with another name or key identifier than `{}` has, whose key this is",
        tbs.issuer(),
        own.tbs().subject()
    );
    let hint = "this program never asks for it: see who used the account of the CA, and when";
    Refusal::new(Code::SignerIssuer, "RFC 5280 §4.1.2.4, §4.2.1.1", message, hint)
}
