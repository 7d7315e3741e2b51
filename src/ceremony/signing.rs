//! A ceremony where the key is: a request, a medium, a date, and people who confirm.
use super::generation::{check_named, generation};
use super::rules::{self, Known, ToSign};
use super::transcript::transcript;
use super::{
    Answer, History, MANIFEST, Medium, MediumFile, Request, Signed, SignedItem, certificates_file,
    checkpoint, malformed, sha256,
};
use crate::error::{Code, Problem};
use crate::failpoint;
use crate::signing::{CaKeys, CaSigner, KeyRef, UsedSerials};
use crate::x509::{Certificate, CertificateList, Fingerprint, SubjectPublicKeyInfo, UnixTime};

/// A request and the medium that is to answer it.
#[derive(Clone, Debug)]
pub struct Ceremony {
    medium: Medium,
    request: Request,
    digest: String,
    known: Known,
}

/// The result of a ceremony.
#[derive(Clone, Debug)]
pub struct SignedCeremony {
    /// The text of the answer.
    pub answer: String,
    /// The transcript for the auditor.
    pub transcript: String,
    /// Whether the medium had the answer already, so that nothing was signed.
    pub is_repeated: bool,
}

impl Ceremony {
    /// Reads a request and what the medium knows, and checks that they belong together. `named` has the fingerprints of
    /// the certificates of other generations of the CA with which people want the key linked.
    ///
    /// # Errors
    /// `ceremony.malformed`, `ceremony.other`, `ceremony.behind`, `ceremony.answered`, `ceremony.interrupted`;
    /// `ceremony.refused` for a link with a generation that nobody has named; when the medium cannot be read.
    pub fn open(medium: Medium, text: &str, named: &[Fingerprint]) -> Result<Self, Problem> {
        let request = Request::parse(text).map_err(|mistakes| malformed("the request", &mistakes))?;
        let digest = sha256(text.as_bytes());
        medium.verify()?;
        let mut known = known(&medium, &request.authority)?;
        known.issuer = rules::newest(known.issuer, request.certificate.as_ref());
        known.named = named.to_vec();
        let ceremony = Self { medium, request, digest, known };
        if ceremony.earlier()?.is_none() {
            ceremony.check_not_interrupted()?;
            rules::check_request(&ceremony.request, &ceremony.digest, &ceremony.known)?;
            check_named(&ceremony.request, &ceremony.known)?;
        }
        Ok(ceremony)
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The key, as the certificate on the medium has it.
    pub(crate) fn public_key(&self) -> &SubjectPublicKeyInfo {
        self.known.issuer.tbs().public_key()
    }

    /// Returns for each item of the request, if it is a key rollover certificate (RFC 9810 §4.4), the fingerprint of the
    /// certificate of the other generation.
    #[must_use]
    pub fn links(&self) -> Vec<Option<Fingerprint>> {
        let each = self.request.items.iter().map(|item| generation(item, &self.known));
        each.map(|other| other.map(|other| other.certificate.fingerprint())).collect()
    }

    /// SHA-256 of the request's text.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The dates between which the ceremony can be.
    #[must_use]
    pub fn bounds(&self) -> (UnixTime, UnixTime) {
        rules::bounds(&self.request, &self.known)
    }

    fn file(&self, ending: &str) -> String {
        format!("{}.{ending}", self.request.authority)
    }

    /// Returns the answer that the medium gave to this request before, for one that was lost on its way.
    ///
    /// # Errors
    /// When the medium cannot be read.
    pub fn earlier(&self) -> Result<Option<SignedCeremony>, Problem> {
        let Some(text) = self.medium.read(&self.file("answer"))? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text).into_owned();
        let answer =
            Answer::parse(&text).map_err(|mistakes| malformed("the answer on the medium", &mistakes))?;
        if answer.request != self.digest {
            return Ok(None);
        }
        let transcript = transcript(&self.request, &self.links(), &answer, &text);
        Ok(Some(SignedCeremony { answer: text, transcript, is_repeated: true }))
    }

    fn check_not_interrupted(&self) -> Result<(), Problem> {
        let begun = self.medium.read(&self.file("begun"))?.unwrap_or_default();
        if String::from_utf8_lossy(&begun).lines().next() != Some(&self.digest) {
            return Ok(());
        }
        Err(Problem::new(
            Code::CeremonyInterrupted,
            "the request was being signed when something interrupted it: it is never signed again",
        )
        .hint("make a new request; the old one counts as revoked then"))
    }

    /// Checks the date.
    ///
    /// # Errors
    /// `ceremony.date`.
    pub fn check_date(&self, date: UnixTime) -> Result<(), Problem> {
        rules::check_date(&self.request, &self.known, date)
    }

    /// Shows a signer with a memory of its own what it has to know before it signs the CRL of the request: the last one,
    /// which another medium may have signed, and the certificates that had ended since.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(crate) fn show(&self, keys: &dyn CaKeys, key: &KeyRef) -> Result<(), Problem> {
        let Some(signer) = keys.remembering() else { return Ok(()) };
        let Some(last) = &self.request.crl else { return Ok(()) };
        let ended: Vec<_> = self.request.ended.iter().map(|one| one.tbs().serial_number().clone()).collect();
        let wanted = signer.to_be_shown(key, last.tbs().crl_number().unwrap_or(0), &ended)?;
        if wanted.crl {
            signer.show_crl(key, &self.known.issuer, last.as_der())?;
        }
        if !wanted.certificates.is_empty() {
            signer.show_certificates(key, &self.known.issuer, &self.request.ended)?;
        }
        Ok(())
    }

    /// Signs the request on this date. Before the first signature the medium has what is about to be signed; after the
    /// last it has the answer, before anybody else does.
    ///
    /// # Errors
    /// When the rules refuse something, and nothing is signed then; when the key or the medium fails.
    pub fn sign(
        &self,
        signer: &dyn CaSigner,
        date: UnixTime,
        people: &[String],
    ) -> Result<SignedCeremony, Problem> {
        self.check_date(date)?;
        let issuer = &self.known.issuer;
        if signer.public_key() != issuer.tbs().public_key() {
            return Err(Problem::new(
                Code::KeyOfAnother,
                "the key on the medium is not that of its certificate",
            )
            .hint("take another medium"));
        }
        // all is judged before anything is recorded
        rules::admit(&self.request, &self.known, date, &|_| Ok(()))?;
        let begun = std::cell::RefCell::new(format!("{}\n", self.digest));
        let record = |octets: &[u8]| {
            begun.borrow_mut().push_str(&format!("{}\n", sha256(octets)));
            self.write("begun", begun.borrow().as_bytes())
        };
        let to_sign = rules::admit(&self.request, &self.known, date, &record)?;
        let numbers = self.request.items.iter().filter(|item| item.tbs.kind() == "crl");
        let number =
            numbers.filter_map(|item| item.tbs.name().parse().ok()).max().unwrap_or(self.request.crl_number);
        self.write("mark", format!("{}\n", self.known.mark.max(number)).as_bytes())?;
        let items = self.beside_generations(|| {
            self.medium.sync()?;
            failpoint::passed("ceremony: begun");
            let mut items = Vec::new();
            for one in to_sign {
                items.push(match one {
                    ToSign::Certificate(tbs, is_own) => {
                        let above = (!is_own).then_some(issuer);
                        SignedItem::Certificate(signer.sign_certificate(tbs, above)?.as_der().to_vec())
                    }
                    ToSign::Crl(tbs) => SignedItem::Crl(signer.sign_crl(tbs, issuer)?.as_der().to_vec()),
                });
                failpoint::passed("ceremony: signed");
            }
            Ok(items)
        })?;
        let mut history = self.request.history.clone();
        history.0.extend(self.request.items.iter().map(|item| Signed {
            at: date,
            kind: item.tbs.kind().into(),
            name: item.tbs.name(),
            sha256: sha256(item.tbs.as_der()),
            request: self.digest.clone(),
        }));
        let checkpoint = checkpoint(signer, issuer.tbs().subject(), &history)?;
        let answer = Answer {
            authority: self.request.authority.clone(),
            key: self.request.key.clone(),
            request: self.digest.clone(),
            at: date,
            people: people.to_vec(),
            items,
            history,
            checkpoint,
        };
        let text = answer.to_toml();
        self.write("answer", text.as_bytes())?;
        self.write("history", answer.history.to_toml().as_bytes())?;
        for item in &answer.items {
            match item {
                SignedItem::Crl(der) => self.write("crl", der)?,
                SignedItem::Certificate(der) => self.keep_own(der)?,
            }
        }
        let transcript = transcript(&self.request, &self.links(), &answer, &text);
        self.write("transcript.txt", transcript.as_bytes())?;
        self.medium.sync()?;
        failpoint::passed("ceremony: on the medium");
        Ok(SignedCeremony { answer: text, transcript, is_repeated: false })
    }

    /// Signs while the certificates of other generations, which people have named, are beside the key: its signer makes a
    /// key rollover certificate (RFC 9810 §4.4) for a key of which it has one, and for no other. They stay when all was
    /// signed, and are taken away again when something was not.
    fn beside_generations<T>(&self, sign: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        let mut before = Vec::new();
        let outcome = self.keep_generations(&mut before).and_then(|()| sign());
        if outcome.is_err() {
            // why it failed is told, and not what a medium that fails does next
            for (name, contents) in before.into_iter().rev() {
                let _ = match contents {
                    Some(contents) => self.medium.write(&MediumFile { name, contents }),
                    None => self.medium.remove(&name),
                };
            }
            let _ = self.medium.sync();
        }
        outcome
    }

    /// Writes these certificates, and notes for each file what it was before.
    fn keep_generations(&self, before: &mut Vec<(String, Option<Vec<u8>>)>) -> Result<(), Problem> {
        let all = self.request.items.iter().filter_map(|item| generation(item, &self.known));
        for other in all.filter(|other| !other.is_on_medium) {
            let digest = base16ct::lower::encode_string(&other.certificate.tbs().public_key().digest());
            let name = format!("key-{}.pem", digest.get(..16).unwrap_or_default());
            let found = self.medium.read(&name)?;
            let mut contents = found.clone().unwrap_or_default();
            contents.extend(other.certificate.to_pem().into_bytes());
            before.push((name.clone(), found));
            self.medium.write(&MediumFile { name, contents })?;
        }
        Ok(())
    }

    /// Puts the next certificate of the root itself before those that the medium has.
    fn keep_own(&self, der: &[u8]) -> Result<(), Problem> {
        let Ok(certificate) = Certificate::from_der(der) else { return Ok(()) };
        let newest = rules::newest(self.known.issuer.clone(), Some(&certificate));
        let file = certificates_file(&self.request.authority);
        let before = self.medium.read(&file)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&before);
        let pem = newest.to_pem();
        if newest != certificate || text.contains(&pem) {
            return Ok(());
        }
        let contents = format!("{pem}{text}").into_bytes();
        self.medium.write(&MediumFile { name: file, contents })
    }

    fn write(&self, ending: &str, contents: &[u8]) -> Result<(), Problem> {
        self.medium.write(&MediumFile { name: self.file(ending), contents: contents.to_vec() })
    }
}

/// Returns what a medium knows of the key of a CA.
fn known(medium: &Medium, authority: &str) -> Result<Known, Problem> {
    let lacks = |file: &str| {
        let message = format!("{} has no {file}", crate::error::Shown::shown(medium.directory()));
        Problem::new(Code::CeremonyOther, message)
            .hint("name the directory of the medium with the key of the CA that the request names")
    };
    let damaged = |file: &str| {
        Problem::new(Code::CeremonyMalformed, format!("{file} on the medium is damaged"))
            .hint("take the other medium")
    };
    let file = certificates_file(authority);
    let chain = medium.read(&file)?.ok_or_else(|| lacks(&file))?;
    let first = Certificate::from_pem_or_der(&chain).map_err(|_| damaged(&file))?;
    // the signer of the key adds to the end of the file what it is shown
    let all = crate::x509::pem::decode_file(&chain, "CERTIFICATE").unwrap_or_default();
    let all = all.iter().filter_map(|block| Certificate::from_der(&block.der).ok());
    let issuer = all.fold(first, |newest, one| rules::newest(newest, Some(&one)));
    let text = |ending: &str| -> Result<Option<String>, Problem> {
        let octets = medium.read(&format!("{authority}.{ending}"))?;
        Ok(octets.map(|octets| String::from_utf8_lossy(&octets).into_owned()))
    };
    let mark = text("mark")?.map_or(Ok(0), |mark| mark.trim().parse()).map_err(|_| damaged("the mark"))?;
    let history = text("history")?.map_or(Ok(History::default()), |text| History::parse(&text));
    let history = history.map_err(|_| damaged("the history"))?;
    let crl = medium.read(&format!("{authority}.crl"))?;
    let crl =
        crl.map(|der| CertificateList::from_der(&der)).transpose().map_err(|_| damaged("the last CRL"))?;
    let file = format!("{authority}.{}", UsedSerials::ENDING);
    let (contents, manifest) = (medium.read(&file)?, medium.read(MANIFEST)?);
    let used = UsedSerials::of_medium((&file, contents), manifest.as_deref())
        .map_err(|_| damaged("the list of used serial numbers"))?
        .unwrap_or_default();
    let mut others = medium.certificates()?;
    others.retain(|one| one.tbs().public_key() != issuer.tbs().public_key());
    Ok(Known { issuer, mark, crl, history, used, others, named: Vec::new() })
}
