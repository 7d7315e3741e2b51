//! Rules on `keyUsage` (RFC 5280 §4.2.1.3).
use super::{CertificateRule, Subject};
use crate::lint::rule::{RuleOver, Scope, when};
use crate::x509::SubjectPublicKeyInfo;
use crate::x509::extension::{KEY_USAGE, KeyUsage};

const CITATION: &str = "RFC 5280 §4.2.1.3";

pub(super) const RULES: &[CertificateRule] = &[
    RuleOver {
        name: "key_usage_present",
        rows: &["X5"],
        citation: CITATION,
        says: "keyUsage is there",
        scope: Scope::Everyone,
        check: |subject| when(!subject.own.has(KEY_USAGE), "there is no keyUsage"),
    },
    RuleOver {
        name: "key_usage_critical",
        rows: &["X5"],
        citation: CITATION,
        says: "keyUsage is critical",
        scope: Scope::Everyone,
        check: critical,
    },
    RuleOver {
        name: "key_usage_form",
        rows: &["X5"],
        citation: "RFC 5280 §4.2.1.3, X.690 §11.2.2",
        says: "keyUsage has a use at least, and no trailing zero bits",
        scope: Scope::Everyone,
        check: form,
    },
    RuleOver {
        name: "key_usage_of_ca",
        rows: &["X5"],
        citation: "RFC 5280 §4.2.1.3, §4.2.1.9",
        says: "keyUsage is keyCertSign and cRLSign in CA certificates, and has neither in others",
        scope: Scope::Everyone,
        check: of_ca,
    },
    RuleOver {
        name: "key_usage_fits_key",
        rows: &["X5"],
        citation: "RFC 3279 §2.3.1, RFC 8813 §3, RFC 8410 §5, RFC 9881 §5",
        says: "keyUsage has only uses that a key of this type can have",
        scope: Scope::Everyone,
        check: fits_key,
    },
];

fn usage(subject: &Subject<'_>) -> Option<KeyUsage> {
    subject.own.key_usage().filter(|usage| !usage.is_empty())
}

fn critical(subject: &Subject<'_>) -> Vec<String> {
    let lax = subject.own.extension(KEY_USAGE).is_some_and(|extension| !extension.is_critical());
    when(lax, "keyUsage is not critical")
}

fn form(subject: &Subject<'_>) -> Vec<String> {
    let Some(extension) = subject.own.extension(KEY_USAGE) else { return Vec::new() };
    match KeyUsage::from_value(extension.value) {
        Ok(usage) if usage.is_empty() => vec!["keyUsage has no use at all".into()],
        Ok(usage) => when(usage.to_extension().value != extension.value, "keyUsage has trailing zero bits"),
        Err(error) => vec![error.reason],
    }
}

fn of_ca(subject: &Subject<'_>) -> Vec<String> {
    let Some(usage) = usage(subject) else { return Vec::new() };
    let signing = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
    if subject.own.is_ca() {
        when(
            usage != signing,
            format!("a CA certificate is for {usage}, and not for keyCertSign and cRLSign only"),
        )
    } else {
        when(usage.without(signing) != usage, format!("a certificate of no CA is for {usage}"))
    }
}

fn fits_key(subject: &Subject<'_>) -> Vec<String> {
    let key = SubjectPublicKeyInfo::from_der(subject.own.public_key.whole);
    let (Some(usage), Ok(key)) = (usage(subject), key) else { return Vec::new() };
    let odd = usage.without(key.algorithm().possible_uses());
    when(!odd.is_empty(), format!("a key of type {} is not for {odd}", key.algorithm()))
}

#[cfg(test)]
pub(super) fn broken() -> Vec<super::draft::BrokenCertificate> {
    use super::draft::{BrokenCertificate, CertificateDraft};
    use crate::x509::Extension;
    use crate::x509::octets::{sequence, tlv};
    let signing = KeyUsage::KEY_CERT_SIGN.with(KeyUsage::CRL_SIGN);
    let value = |octets: Vec<u8>| {
        move |leaf: &mut CertificateDraft| leaf.put(Extension::new(KEY_USAGE, true, octets.clone()))
    };
    let put = |usage: KeyUsage| move |draft: &mut CertificateDraft| draft.put(usage.to_extension());
    let ml_dsa_44 = || {
        let identifier = sequence(&[&[6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17]]);
        sequence(&[&identifier, &tlv(3, &[0; 1313])])
    };
    let of_ml_dsa = |usage: KeyUsage| {
        move |draft: &mut CertificateDraft| {
            draft.set_key(&ml_dsa_44());
            draft.put(usage.with(KeyUsage::DIGITAL_SIGNATURE).to_extension());
        }
    };
    vec![
        BrokenCertificate::leaf("key_usage_present", |leaf| leaf.remove(KEY_USAGE)),
        BrokenCertificate::leaf("key_usage_critical", |leaf| {
            leaf.put(Extension { critical: false, ..KeyUsage::DIGITAL_SIGNATURE.to_extension() });
        }),
        BrokenCertificate::leaf("key_usage_form", value(vec![3, 1, 0])),
        BrokenCertificate::leaf("key_usage_form", value(vec![3, 2, 0, 0x80])),
        BrokenCertificate::leaf("key_usage_form", value(vec![4, 0])),
        BrokenCertificate::child_ca("key_usage_of_ca", put(signing.with(KeyUsage::DIGITAL_SIGNATURE))),
        BrokenCertificate::child_ca("key_usage_of_ca", put(KeyUsage::KEY_CERT_SIGN)),
        BrokenCertificate::leaf("key_usage_of_ca", put(signing)),
        BrokenCertificate::leaf("key_usage_fits_key", put(KeyUsage::KEY_ENCIPHERMENT)),
        BrokenCertificate::leaf("key_usage_fits_key", of_ml_dsa(KeyUsage::KEY_ENCIPHERMENT)),
        BrokenCertificate::leaf("key_usage_fits_key", of_ml_dsa(KeyUsage::DATA_ENCIPHERMENT)),
        BrokenCertificate::leaf("key_usage_fits_key", of_ml_dsa(KeyUsage::KEY_AGREEMENT)),
        BrokenCertificate::leaf(
            "key_usage_fits_key",
            of_ml_dsa(KeyUsage::KEY_AGREEMENT.with(KeyUsage::ENCIPHER_ONLY)),
        ),
        BrokenCertificate::leaf(
            "key_usage_fits_key",
            of_ml_dsa(KeyUsage::KEY_AGREEMENT.with(KeyUsage::DECIPHER_ONLY)),
        ),
    ]
}
