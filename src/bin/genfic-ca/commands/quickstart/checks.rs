//! The checks of the demonstration, each with an `openssl` command that repeats it.
use super::{SYSTEM, USER};
use crate::commands::ocsp::ask;
use crate::session::Session;
use genfic_ca::error::{Code, Problem, Shown as _};
use genfic_ca::home::{AuthorityName, PublicFile, quoted};
use genfic_ca::ocsp::query::fetch;
use genfic_ca::x509::{Certificate, CertificateList};
use std::fs;
use std::path::Path;
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(10);

/// One check and its result.
pub(crate) struct Check {
    /// The statement that was checked.
    pub(crate) sentence: String,
    /// Whether the statement is true.
    pub(crate) passed: bool,
    /// The command that repeats the check.
    pub(crate) command: String,
    /// Text that the command prints when the statement is true.
    pub(crate) expect: &'static str,
}

/// A populated home with its running responder.
pub(crate) struct Demonstration<'a> {
    pub(crate) session: &'a Session,
    pub(crate) directory: &'a Path,
    pub(crate) url: &'a str,
}

impl Demonstration<'_> {
    /// Checks chains, CRLs, OCSP responses and the served files.
    pub(crate) fn run(&self) -> Result<Vec<Check>, Problem> {
        let engine = self.session.engine();
        let now = engine.now();
        let root = self.published("genfic")?;
        let (system_ca, user_ca) = (self.published("genfic-system")?, self.published("genfic-user")?);
        let (system, user) = (self.leaf(SYSTEM)?, self.leaf(USER)?);
        let system_crl = self.crl("genfic-system")?;
        let user_crl = self.crl("genfic-user")?;
        let root_crl = self.crl("genfic")?;

        let chained = |leaf: &Certificate, ca: &Certificate| {
            leaf.is_signed_by(ca.tbs().public_key())
                && ca.is_signed_by(root.tbs().public_key())
                && root.is_signed_by(root.tbs().public_key())
                && [leaf, ca, &root].iter().all(|one| one.tbs().validity().contains(now))
        };
        let listed = |crl: &CertificateList, certificate: &Certificate| {
            crl.tbs().find(certificate.tbs().serial_number()).is_some()
        };
        let ocsp = |certificate: &Certificate, issuer: &Certificate| {
            ask(&format!("{}/ocsp", self.url), certificate, issuer, now)
                .map(|answer| answer.status.to_string())
        };
        let served = fetch(&format!("{}/genfic-user.crl", self.url), TIMEOUT)
            .is_ok_and(|octets| octets == user_crl.as_der());

        let verify = |ca: &str, leaf: &str, more: &str| {
            format!(
                "openssl verify -x509_strict {more}-CAfile {} -untrusted {} {}",
                self.path("public/genfic.pem"),
                self.path(&format!("public/{ca}.pem")),
                self.path(&format!("{leaf}.crt")),
            )
        };
        let with_crls = |ca: &str| {
            format!(
                "-crl_check_all -CRLfile {} -CRLfile {} ",
                self.path("public/genfic.crl.pem"),
                self.path(&format!("public/{ca}.crl.pem")),
            )
        };
        let ask = |ca: &str, leaf: &str| {
            format!(
                "openssl ocsp -issuer {} -cert {} -CAfile {} -url {}/ocsp",
                self.path(&format!("public/{ca}.pem")),
                self.path(&format!("{leaf}.crt")),
                self.path("public/genfic.pem"),
                self.url,
            )
        };
        let check = |sentence: String, passed: bool, command: String, expect: &'static str| Check {
            sentence,
            passed,
            command,
            expect,
        };
        let root_signed = root_crl.is_signed_by(root.tbs().public_key());
        Ok(vec![
            check(
                format!("the certificate of {SYSTEM} chains to the root, and no CRL lists it or its CA"),
                chained(&system, &system_ca)
                    && !listed(&system_crl, &system)
                    && !listed(&root_crl, &system_ca)
                    && root_signed
                    && system_crl.is_signed_by(system_ca.tbs().public_key()),
                verify("genfic-system", SYSTEM, &with_crls("genfic-system")),
                "OK",
            ),
            check(
                "Amber McStone's certificate chains to the root".into(),
                chained(&user, &user_ca),
                verify("genfic-user", USER, ""),
                "OK",
            ),
            check(
                "Amber McStone's certificate is refused by CRL".into(),
                listed(&user_crl, &user) && user_crl.is_signed_by(user_ca.tbs().public_key()),
                verify("genfic-user", USER, &with_crls("genfic-user")),
                "certificate revoked",
            ),
            check(
                format!("OCSP answers good for {SYSTEM}"),
                ocsp(&system, &system_ca)? == "good",
                ask("genfic-system", SYSTEM),
                "good",
            ),
            check(
                "OCSP answers revoked for Amber McStone".into(),
                ocsp(&user, &user_ca)? == "revoked",
                ask("genfic-user", USER),
                "revoked",
            ),
            check(
                "the CRL is served where the certificates say".into(),
                served,
                format!("curl -s {}/genfic-user.crl | openssl crl -inform DER -noout -text", self.url),
                "Key Compromise",
            ),
        ])
    }

    fn path(&self, name: &str) -> String {
        quoted(&self.directory.join(name))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, Problem> {
        fs::read(path).map_err(|error| {
            Problem::new(Code::FileNotRead, format!("{} cannot be read: {error}", path.shown()))
        })
    }

    fn public(&self, ca: &str, file: PublicFile) -> Result<Vec<u8>, Problem> {
        let name: AuthorityName = ca.parse()?;
        self.read(&self.session.assembly.home.public_file(&name, file))
    }

    fn published(&self, ca: &str) -> Result<Certificate, Problem> {
        decoded(Certificate::from_der(&self.public(ca, PublicFile::CertificateDer)?))
    }

    fn crl(&self, ca: &str) -> Result<CertificateList, Problem> {
        decoded(CertificateList::from_der(&self.public(ca, PublicFile::Crl)?))
    }

    fn leaf(&self, name: &str) -> Result<Certificate, Problem> {
        decoded(Certificate::from_pem_or_der(&self.read(&self.directory.join(format!("{name}.crt")))?))
    }
}

fn decoded<T>(outcome: Result<T, genfic_ca::x509::MalformedDer>) -> Result<T, Problem> {
    outcome.map_err(|error| Problem::new(Code::KeptFileMalformed, error.to_string()))
}
