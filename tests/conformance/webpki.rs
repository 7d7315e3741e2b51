//! rustls-webpki, which Rust's TLS checks certificates with; revocation by CRL alone.
use crate::hierarchy::{Hierarchy, ROOT, ROOT_CRL, SYSTEM, SYSTEM_CRL, certificate};
use crate::support::Home;
use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{
    AlgorithmIdentifier, CertificateDer, CertificateRevocationListDer, InvalidSignature, ServerName,
    SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use webpki::{
    BorrowedCertRevocationList, CertRevocationList, EndEntityCert, Error, KeyUsage, RevocationCheckDepth,
    RevocationOptionsBuilder, anchor_from_trusted_cert,
};

/// rustls-webpki's own feature for aws-lc-rs asks for features of it that would have all of it built twice.
#[derive(Debug)]
struct Algorithm {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    by: &'static dyn VerificationAlgorithm,
}

impl SignatureVerificationAlgorithm for Algorithm {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(self.by, key).verify(message, signature).map_err(|_| InvalidSignature)
    }
}

const fn algorithm(
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    by: &'static dyn VerificationAlgorithm,
) -> Algorithm {
    Algorithm { key, signature, by }
}

const P256: Algorithm =
    algorithm(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256, &signature::ECDSA_P256_SHA256_ASN1);
const P384: Algorithm =
    algorithm(alg_id::ECDSA_P384, alg_id::ECDSA_SHA384, &signature::ECDSA_P384_SHA384_ASN1);
const RSA: Algorithm =
    algorithm(alg_id::RSA_ENCRYPTION, alg_id::RSA_PKCS1_SHA256, &signature::RSA_PKCS1_2048_8192_SHA256);
const ED25519: Algorithm = algorithm(alg_id::ED25519, alg_id::ED25519, &signature::ED25519);
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 4] = [&P256, &P384, &RSA, &ED25519];

fn read(home: &Home, file: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(home.path(file)).unwrap()
}

/// A certificate and the CA below the root that issued it, for a purpose; with CRLs, every certificate must be on
/// none of them and each CA's list must be there.
pub(crate) fn verify(
    home: &Home,
    purpose: KeyUsage,
    crls: &[&str],
    file: &str,
    issuer: &str,
) -> Result<(), Error> {
    let (leaf, issuer, root) = (read(home, file), [read(home, issuer)], read(home, ROOT));
    let lists: Vec<CertificateRevocationListDer<'_>> =
        crls.iter().map(|crl| CertificateRevocationListDer::from_pem_file(home.path(crl)).unwrap()).collect();
    let lists: Vec<CertRevocationList<'_>> = lists
        .iter()
        .map(|der| BorrowedCertRevocationList::from_der(der).map(CertRevocationList::from))
        .collect::<Result<_, _>>()?;
    let lists: Vec<&CertRevocationList<'_>> = lists.iter().collect();
    let revocation = RevocationOptionsBuilder::new(&lists)
        .ok()
        .map(|options| options.with_depth(RevocationCheckDepth::Chain).build());
    let anchors = [anchor_from_trusted_cert(&root)?];
    let leaf = EndEntityCert::try_from(&leaf)?;
    let now = UnixTime::now();
    leaf.verify_for_usage(&ALGORITHMS, &anchors, &issuer, now, purpose, revocation, None)?;
    Ok(())
}

pub(crate) fn is_for_host(home: &Home, file: &str, host: &str) -> bool {
    let der = read(home, file);
    let name = ServerName::try_from(host).unwrap();
    EndEntityCert::try_from(&der).unwrap().verify_is_valid_for_subject_name(&name).is_ok()
}

pub(crate) fn judges(hierarchy: &Hierarchy) {
    let home = &hierarchy.home;
    let judge =
        |host: &str, crls: &[&str]| verify(home, KeyUsage::server_auth(), crls, &certificate(host), SYSTEM);
    for host in &hierarchy.good {
        assert_eq!(judge(host, &[ROOT_CRL, SYSTEM_CRL]), Ok(()), "{host}");
        assert!(is_for_host(home, &certificate(host), host));
        assert!(!is_for_host(home, &certificate(host), "other.genfic.example"));
    }
    assert_eq!(judge(&hierarchy.revoked, &[]), Ok(()));
    assert_eq!(judge(&hierarchy.revoked, &[ROOT_CRL, SYSTEM_CRL]), Err(Error::CertRevoked));
    assert_eq!(judge(&hierarchy.good[0], &[SYSTEM_CRL]), Err(Error::UnknownRevocationStatus));
}
