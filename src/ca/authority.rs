//! A CA certificate together with its unlocked key.
use super::{Engine, Hierarchy};
use crate::error::{Code, Problem};
use crate::failpoint;
use crate::index::{Authority, Recorded};
use crate::signing::{Signer, ToBeSigned};
use crate::x509::extension::{self, BasicConstraints, KeyUsage};
use crate::x509::{
    Certificate, CertificateList, Extension, Name, SignatureAlgorithm, TbsCertList, TbsCertificate, UnixTime,
    seal,
};

/// Signs certificates. It cannot be had for a CA that must not issue: its key matches its certificate, which
/// is a CA's with keyCertSign, and neither it nor one above it is expired or revoked.
pub struct IssuingAuthority {
    authority: Authority,
    ancestors: Vec<Certificate>,
    signer: Box<dyn Signer>,
}

/// Signs CRLs. It may be expired or revoked, and can sign nothing else.
pub struct CrlAuthority {
    certificate: Certificate,
    signer: Box<dyn Signer>,
}

pub(super) fn mismatched(name: &str) -> Problem {
    Problem::new(Code::KeyMismatch, format!("the key of {name} is not the one its certificate is for"))
        .hint("restore the key file that belongs to this CA")
}

impl IssuingAuthority {
    /// Pairs a CA's certificate with its key and checks that it may issue at `now`.
    ///
    /// # Errors
    /// When the key does not match, the certificate is not one that may sign certificates, or the CA or one
    /// above it is expired or revoked.
    pub fn new(
        hierarchy: &Hierarchy<'_>,
        authority: Authority,
        signer: Box<dyn Signer>,
        now: UnixTime,
    ) -> Result<Self, Problem> {
        let ancestors = hierarchy.ancestors(&authority)?;
        hierarchy.check_usable(&authority, now)?;
        let tbs = authority.certificate.tbs();
        if signer.public_key() != tbs.public_key() {
            return Err(mismatched(&authority.name));
        }
        if !may(tbs, KeyUsage::KEY_CERT_SIGN) {
            let message =
                format!("the certificate of {} does not allow it to sign certificates", authority.name);
            return Err(Problem::new(Code::IssuerUnfit, message)
                .hint("a CA certificate has basicConstraints CA:TRUE and keyUsage keyCertSign"));
        }
        Ok(Self { authority, ancestors, signer })
    }

    /// The CA on record.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The certificates above it, its issuer first, the root last.
    #[must_use]
    pub fn ancestors(&self) -> &[Certificate] {
        &self.ancestors
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.signer.algorithm()
    }

    /// Signs what was linted and recorded, and checks its own signature.
    ///
    /// ```
    /// # use genfic_ca::{ca::IssuingAuthority, index::Recorded, x509::TbsCertificate};
    /// fn once(issuer: &IssuingAuthority, tbs: Recorded<TbsCertificate>) {
    ///     let _ = issuer.issue(tbs);
    /// }
    /// ```
    ///
    /// Once:
    ///
    /// ```compile_fail,E0382
    /// # use genfic_ca::{ca::IssuingAuthority, index::Recorded, x509::TbsCertificate};
    /// fn twice(issuer: &IssuingAuthority, tbs: Recorded<TbsCertificate>) {
    ///     let _ = issuer.issue(tbs);
    ///     let _ = issuer.issue(tbs);
    /// }
    /// ```
    ///
    /// and nothing else:
    ///
    /// ```compile_fail,E0308
    /// # use genfic_ca::{ca::IssuingAuthority, lint::Linted, x509::TbsCertificate};
    /// fn unrecorded(issuer: &IssuingAuthority, tbs: Linted<TbsCertificate>) {
    ///     let _ = issuer.issue(tbs);
    /// }
    /// ```
    ///
    /// # Errors
    /// When what is on record is another issuer's, the key's store fails, or the signature does not verify.
    pub fn issue(&self, tbs: Recorded<TbsCertificate>) -> Result<Certificate, Problem> {
        let own = &self.authority.certificate;
        let identifier = extension::authority_key_identifier(&own.key_identifier());
        let named = tbs.get().extension(extension::AUTHORITY_KEY_IDENTIFIER);
        check_issuer(own.tbs().subject(), tbs.get().issuer(), &identifier, named)?;
        sign_certificate(self.signer.as_ref(), tbs)
    }

    /// The same CA, for its CRLs.
    #[must_use]
    pub fn into_crl_authority(self) -> CrlAuthority {
        CrlAuthority { certificate: self.authority.certificate, signer: self.signer }
    }
}

/// Whether it is a CA's certificate and its key usage, if there is one, allows this.
pub(super) fn may(tbs: &TbsCertificate, what: KeyUsage) -> bool {
    BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca)
        && KeyUsage::of(tbs).is_none_or(|usage| usage.has(what))
}

/// Whoever holds a CA's key signs with that CA as the issuer and no other (K3): by name, and by key, since
/// two may bear one name.
fn check_issuer(
    own: &Name,
    issuer: &Name,
    identifier: &Extension,
    named: Option<&Extension>,
) -> Result<(), Problem> {
    let is_by_this_key = named.is_some_and(|named| named.value == identifier.value);
    if issuer == own && is_by_this_key {
        return Ok(());
    }
    let message = if issuer == own {
        format!("what is to be signed names `{own}` as its issuer, but another key than that one's")
    } else {
        let (issuer, own) = issuer.beside(own);
        format!("what is to be signed names {issuer} as its issuer, and the key is that of {own}")
    };
    Err(Problem::new(Code::IssuerMismatch, message).hint("nothing was signed; this is a defect"))
}

/// Signs a recorded TBSCertificate with the issuer's key and checks the signature.
pub(super) fn sign_certificate(
    signer: &dyn Signer,
    tbs: Recorded<TbsCertificate>,
) -> Result<Certificate, Problem> {
    let tbs = tbs.into_inner();
    let signature = signer.sign(ToBeSigned::new(tbs.as_der()))?;
    failpoint::passed("certificate signed");
    let certificate = Certificate::from_der(&seal(tbs.as_der(), signer.algorithm(), &signature))
        .map_err(|error| Problem::of(Code::KeySignature, error))?;
    if certificate.is_signed_by(signer.public_key()) { Ok(certificate) } else { Err(bad_signature()) }
}

fn bad_signature() -> Problem {
    Problem::new(Code::KeySignature, "the signature just made does not verify")
        .hint("the key or the machine is faulty; nothing was handed out")
}

impl CrlAuthority {
    /// Pairs a CA's certificate with its key.
    ///
    /// # Errors
    /// When the key does not match, or the certificate is not a CA's that may sign CRLs.
    pub fn new(name: &str, certificate: Certificate, signer: Box<dyn Signer>) -> Result<Self, Problem> {
        if signer.public_key() != certificate.tbs().public_key() {
            return Err(mismatched(name));
        }
        if !may(certificate.tbs(), KeyUsage::CRL_SIGN) {
            let message = format!("the certificate of {name} does not allow it to sign CRLs");
            return Err(Problem::new(Code::IssuerUnfit, message)
                .hint("a CA certificate has basicConstraints CA:TRUE and keyUsage cRLSign"));
        }
        Ok(Self { certificate, signer })
    }

    /// Its certificate.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// What it signs with.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.signer.algorithm()
    }

    /// Signs a CRL that was linted and recorded, once, and checks its own signature.
    ///
    /// # Errors
    /// When the list is another issuer's, the key's store fails, or the signature does not verify.
    pub fn sign(&self, tbs: Recorded<TbsCertList>) -> Result<CertificateList, Problem> {
        let tbs = tbs.into_inner();
        let identifier = extension::authority_key_identifier(&self.certificate.key_identifier());
        let named = tbs.extensions().iter().find(|one| one.oid == extension::AUTHORITY_KEY_IDENTIFIER);
        check_issuer(self.certificate.tbs().subject(), tbs.issuer(), &identifier, named)?;
        let signature = self.signer.sign(ToBeSigned::new(tbs.as_der()))?;
        failpoint::passed("CRL signed");
        let crl = CertificateList::seal(tbs, &signature);
        if crl.is_signed_by(self.signer.public_key()) { Ok(crl) } else { Err(bad_signature()) }
    }

    /// The same CA's key, for its certificates.
    pub(super) fn into_signer(self) -> Box<dyn Signer> {
        self.signer
    }
}

impl Engine {
    pub(super) fn open(&self, authority: &Authority) -> Result<Box<dyn Signer>, Problem> {
        if authority.is_elsewhere() {
            let message = format!("{} is run by others; it is here for the CAs below it", authority.name);
            return Err(Problem::new(Code::KeyElsewhere, message)
                .hint("ask those who run it; what it signs is taken in by `genfic-ca adopt`"));
        }
        Ok(self.keys().open(&self.practices().key_ref(&authority.key), self.secrets())?)
    }
}
