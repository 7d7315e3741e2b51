//! What a home asks of a key that is offline: one TOML file that people can read.
use super::{History, digest_of, numbered, pem_of, sha256, time, word};
use crate::document::{self, Mistake};
use crate::home::AuthorityName;
use crate::x509::extension::CrlNumber;
use crate::x509::text::extension_text;
use crate::x509::{
    Certificate, CertificateList, Extension, SerialNumber, TbsCertList, TbsCertificate, UnixTime, pem,
};
use std::fmt::Write as _;

/// First line of data of a request.
const FORMAT: &str = "ceremony request 1";
/// PEM labels of what is to be signed.
const TBS_CERTIFICATE: &str = "TBSCERTIFICATE";
const TBS_CRL: &str = "TBSCERTLIST";
const CRL: &str = "X509 CRL";
const CERTIFICATE: &str = "CERTIFICATE";
const CHECKPOINT: &str = "CERTIFICATE REQUEST";

/// Octets that are to be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ToBeSigned {
    /// A certificate.
    Certificate(TbsCertificate),
    /// A CRL.
    Crl(TbsCertList),
}

/// One thing that is to be signed, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Item {
    /// The octets.
    pub tbs: ToBeSigned,
    /// Why, for people.
    pub why: String,
    /// The certificate that a CA of others has already, whose name and key identifier a cross-certificate repeats.
    pub beside: Option<Certificate>,
}

/// A request for a ceremony.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// The CA.
    pub authority: String,
    /// SHA-256 of the SubjectPublicKeyInfo of its key, in hexadecimal digits.
    pub key: String,
    /// When it was made.
    pub made: UnixTime,
    /// Until when it can be answered.
    pub until: UnixTime,
    /// The highest CRL number that was taken before.
    pub crl_number: CrlNumber,
    /// The last CRL that was published.
    pub crl: Option<CertificateList>,
    /// The CA's certificate. A root that was renewed by one medium tells it to the others so.
    pub certificate: Option<Certificate>,
    /// What was signed in ceremonies before.
    pub history: History,
    /// The head of the history, signed by the key: a certification request (RFC 2986) that names it, DER.
    pub checkpoint: Option<Vec<u8>>,
    /// Certificates that had ended when the last CRL was made: their revocations are listed no more.
    pub ended: Vec<Certificate>,
    /// What is to be signed.
    pub items: Vec<Item>,
}

impl ToBeSigned {
    /// Returns the octets.
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        match self {
            Self::Certificate(tbs) => tbs.as_der(),
            Self::Crl(tbs) => tbs.as_der(),
        }
    }

    /// Returns the certificate that is asked for; `None` for a CRL.
    #[must_use]
    pub fn certificate(&self) -> Option<&TbsCertificate> {
        match self {
            Self::Certificate(tbs) => Some(tbs),
            Self::Crl(_) => None,
        }
    }

    /// Returns `certificate` or `crl`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Certificate(_) => "certificate",
            Self::Crl(_) => "crl",
        }
    }

    /// Returns the serial number, or the number of a CRL.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Certificate(tbs) => tbs.serial_number().to_string(),
            Self::Crl(tbs) => tbs.crl_number().unwrap_or_default().to_string(),
        }
    }

    /// Returns what people have to look at, a line each. It is read from the octets, and from nothing else.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        match self {
            Self::Certificate(tbs) => {
                let (key, validity) = (tbs.public_key(), tbs.validity());
                let mut lines = vec![
                    format!("certificate of {}", tbs.subject()),
                    format!("issuer {}", tbs.issuer()),
                    format!("serial number {}", tbs.serial_number()),
                    format!("from {} until {}", validity.not_before, validity.not_after),
                    format!(
                        "key {} sha256:{}",
                        key.algorithm(),
                        base16ct::lower::encode_string(&key.digest())
                    ),
                ];
                lines.extend(tbs.extensions().iter().map(extension_line));
                lines
            }
            Self::Crl(tbs) => {
                let mut lines = vec![
                    format!("CRL of {}", tbs.issuer()),
                    format!("number {}", self.name()),
                    format!(
                        "of {} until {}",
                        tbs.this_update(),
                        tbs.next_update().map_or_else(|| "no date".into(), |next| next.to_string())
                    ),
                ];
                lines.extend(tbs.extensions().iter().map(extension_line));
                for entry in tbs.entries().flatten() {
                    let reason = entry.reason.map_or_else(|| "no reason".into(), |reason| reason.to_string());
                    lines.push(format!(
                        "revokes {} since {}, {reason}",
                        entry.serial_number, entry.revocation_date
                    ));
                }
                lines
            }
        }
    }
}

/// Returns an extension on one line: what it is, whether it is critical, and its decoded value.
fn extension_line(extension: &Extension) -> String {
    let (label, lines) = extension_text(extension);
    format!("{label}: {}", lines.join(", "))
}

/// Returns text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.replace(|c: char| c.is_control(), " ")).to_string()
}

impl Request {
    /// Returns the serial numbers of the certificates that are to be signed.
    pub fn serial_numbers(&self) -> impl Iterator<Item = &SerialNumber> {
        self.items.iter().filter_map(|item| match &item.tbs {
            ToBeSigned::Certificate(tbs) => Some(tbs.serial_number()),
            ToBeSigned::Crl(_) => None,
        })
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Self { authority, key, made, until, crl_number, .. } = self;
        let mut text = format!(
            "# What the key of {authority} is asked to sign. Read it: what is below `summary` is in the octets of `tbs`, and the\n\
             # program that signs shows it again from these. `openssl asn1parse` shows all of them.\n\
             format = \"{FORMAT}\"\nauthority = \"{authority}\"\nspki_sha256 = \"{key}\"\nmade = \"{made}\"\nuntil = \
             \"{until}\"\n"
        );
        for (number, item) in self.items.iter().enumerate() {
            let lines: Vec<String> =
                item.tbs.summary().iter().map(|line| format!("    {},", quoted(line))).collect();
            let label = match item.tbs {
                ToBeSigned::Certificate(_) => TBS_CERTIFICATE,
                ToBeSigned::Crl(_) => TBS_CRL,
            };
            let _ = write!(
                text,
                "\n[item.{}]\nkind = \"{}\"\nwhy = {}\nsummary = [\n{}\n]\nsha256 = \"{}\"\ntbs = '''\n{}'''\n",
                number.saturating_add(1),
                item.tbs.kind(),
                quoted(&item.why),
                lines.join("\n"),
                sha256(item.tbs.as_der()),
                pem::encode(label, item.tbs.as_der())
            );
            if let Some(beside) = &item.beside {
                let _ = write!(text, "beside = '''\n{}'''\n", beside.to_pem());
            }
        }
        let _ = write!(
            text,
            "\n# What is known here of the key's signatures.\n[state]\ncrl_number = \"{crl_number}\"\nhead = \"{}\"\n",
            self.history.head()
        );
        if let Some(crl) = &self.crl {
            let _ = write!(
                text,
                "crl_sha256 = \"{}\"\ncrl = '''\n{}'''\n",
                sha256(crl.as_der()),
                pem::encode(CRL, crl.as_der())
            );
        }
        if let Some(certificate) = &self.certificate {
            let _ = write!(text, "certificate = '''\n{}'''\n", certificate.to_pem());
        }
        if let Some(checkpoint) = &self.checkpoint {
            let _ = write!(text, "checkpoint = '''\n{}'''\n", pem::encode(CHECKPOINT, checkpoint));
        }
        if !self.ended.is_empty() {
            let all: String = self.ended.iter().map(Certificate::to_pem).collect();
            let _ = write!(text, "ended = '''\n{all}'''\n");
        }
        text.push('\n');
        text.push_str(&self.history.to_toml());
        text
    }

    /// Reads the text of a file. Summaries and digests that do not belong to their octets are mistakes.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        let read = document::read(text, |file| {
            file.require_as("format", |format: String| {
                if format == FORMAT { Ok(()) } else { Err(format!("must be \"{FORMAT}\"")) }
            });
            let authority = file.require_as("authority", |name: String| {
                name.parse::<AuthorityName>()
                    .map(|name| name.to_string())
                    .map_err(|_| "is not the name of a CA")
            });
            let (key, made, until) =
                (digest_of(file, "spki_sha256"), time(file, "made"), time(file, "until"));
            let items = numbered(file, "item", |item| {
                let kind = word(item, "kind")?;
                let why = item.get::<String>("why").unwrap_or_default();
                let summary =
                    item.list_as("summary", |line| Ok::<_, String>(line.to_owned())).unwrap_or_default();
                let digest = digest_of(item, "sha256")?;
                let tbs = match kind.as_str() {
                    "certificate" => pem_of(item, "tbs", TBS_CERTIFICATE)
                        .and_then(|der| TbsCertificate::from_der(&der).ok())
                        .map(ToBeSigned::Certificate),
                    "crl" => pem_of(item, "tbs", TBS_CRL)
                        .and_then(|der| TbsCertList::from_der(&der).ok())
                        .map(ToBeSigned::Crl),
                    _ => None,
                };
                let Some(tbs) = tbs else {
                    item.mistake("tbs", "is not what kind says, in PEM");
                    return None;
                };
                if sha256(tbs.as_der()) != digest {
                    item.mistake("sha256", "is not the digest of tbs");
                }
                let shown: Vec<String> =
                    tbs.summary().iter().map(|line| line.replace(|c: char| c.is_control(), " ")).collect();
                if shown != summary {
                    item.mistake("summary", "is not what is in tbs");
                }
                let beside =
                    pem_of(item, "beside", CERTIFICATE).and_then(|der| Certificate::from_der(&der).ok());
                Some(Item { tbs, why, beside })
            });
            if items.is_empty() {
                file.mistake("item", "nothing is to be signed");
            }
            let state = file.section("state", |state| {
                let number = state.require_as("crl_number", |number: String| {
                    number.parse::<CrlNumber>().map_err(|_| "is not a CRL number")
                });
                let head = digest_of(state, "head");
                let digest = state.get::<String>("crl_sha256");
                let crl = pem_of(state, "crl", CRL).and_then(|der| CertificateList::from_der(&der).ok());
                if digest.is_some() != crl.is_some()
                    || crl.as_ref().is_some_and(|crl| Some(sha256(crl.as_der())) != digest)
                {
                    state.mistake("crl", "is not the CRL with the digest crl_sha256");
                }
                let ended = state.get_as("ended", |text: String| {
                    let blocks = pem::decode_all(&text).map_err(|error| error.to_string())?;
                    let each = blocks.iter().map(|block| Certificate::from_der(&block.der));
                    each.collect::<Result<Vec<Certificate>, _>>().map_err(|error| error.to_string())
                });
                let certificate = pem_of(state, "certificate", CERTIFICATE)
                    .and_then(|der| Certificate::from_der(&der).ok());
                let checkpoint = pem_of(state, "checkpoint", CHECKPOINT);
                (number, head, crl, (certificate, checkpoint), ended.unwrap_or_default())
            });
            let history = History::read(file);
            let (number, head, crl, (certificate, checkpoint), ended) = state;
            if head.as_ref().is_some_and(|head| *head != history.head()) {
                file.mistake("signed", "is not the history with the digest state.head");
            }
            Some(Self {
                authority: authority?,
                key: key?,
                made: made?,
                until: until?,
                crl_number: number?,
                crl,
                certificate,
                history,
                checkpoint,
                ended,
                items,
            })
        })?;
        read.ok_or_else(Vec::new)
    }
}
