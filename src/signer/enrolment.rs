//! Certificates of responders that renew themselves: the key of the present responder, while its certificate is valid,
//! says which key comes after it. So a timer needs no right to have certificates signed (RFC 6960 §4.2.2.2).
use super::Refusal;
use crate::error::Code;
use crate::signing::{ResponseSigner, SigningError, enrolment_octets};
use crate::x509::extension::{BasicConstraints, ExtendedKeyUsage, Purpose};
use crate::x509::{Certificate, TbsCertificate, UnixTime, verify};

/// What a client shows beside the octets to be signed.
#[derive(Clone, Debug)]
pub(crate) struct Enrolment {
    /// The certificate of the present responder.
    pub(crate) former: Certificate,
    /// The signature of its key over [`enrolment_octets`].
    pub(crate) signature: Vec<u8>,
}

/// What the signer knows itself.
pub(crate) struct Known<'a> {
    /// The certificate of the CA that signs.
    pub(crate) own: &'a Certificate,
    /// Whether the last CRL of the CA has the present responder's certificate.
    pub(crate) is_revoked: bool,
    /// When the CA last signed a certificate of a responder that renewed itself.
    pub(crate) last: Option<UnixTime>,
    /// The present time.
    pub(crate) now: UnixTime,
}

/// The reasons why a responder does not renew itself.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum NotEnrolled {
    /// The octets are no certificate of a responder and nothing else.
    #[error("what is to be signed is no certificate of a responder")]
    NoResponder,
    /// The present certificate is none of a responder of this CA.
    #[error("the certificate that is shown is none of a responder of this CA")]
    OtherCertificate,
    /// It is not valid any more, or not yet.
    #[error("the certificate of the present responder is not valid now")]
    NotValid,
    /// It is revoked.
    #[error("the certificate of the present responder is revoked")]
    Revoked,
    /// The names differ.
    #[error("the certificate has other names than that of the present responder")]
    OtherName,
    /// It would be valid for longer, or begin later.
    #[error("the certificate is not valid from now on, or for longer than that of the present responder")]
    Longer,
    /// The signature is not one of the present responder's key over these octets.
    #[error("the present responder's key has not signed what is to be signed")]
    Signature,
    /// The CA has signed one within a day.
    #[error("the responder of this CA has renewed itself within a day")]
    TooSoon,
}

impl From<NotEnrolled> for Refusal {
    fn from(reason: NotEnrolled) -> Self {
        let hint = "unlock the key for certificates of CAs and responders, and issue the certificate of this responder";
        Self::new(Code::SignerEnrolment, "RFC 6960 \u{a7}4.2.2.2", reason.to_string(), hint)
    }
}

impl Enrolment {
    /// Has the present responder's key name the one in this TBSCertificate.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub(crate) fn by(
        former: Certificate,
        key: &ResponseSigner,
        tbs: &TbsCertificate,
    ) -> Result<Self, SigningError> {
        Ok(Self { former, signature: key.enrol(tbs)? })
    }

    /// Admits a certificate of a responder that renews itself. The envelope and the profiles are asked besides.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn admit(&self, tbs: &TbsCertificate, known: &Known<'_>) -> Result<(), NotEnrolled> {
        let former = self.former.tbs();
        let (old, new) = (former.validity(), tbs.validity());
        let lasting = |validity: crate::x509::Validity| validity.not_after.0 - validity.not_before.0;
        let rules = [
            (is_responder(tbs), NotEnrolled::NoResponder),
            (
                is_responder(former)
                    && former.issuer() == known.own.tbs().subject()
                    && self.former.is_signed_by(known.own.tbs().public_key()),
                NotEnrolled::OtherCertificate,
            ),
            (old.contains(known.now), NotEnrolled::NotValid),
            (!known.is_revoked, NotEnrolled::Revoked),
            (
                tbs.subject() == former.subject()
                    && tbs.subject_alt_names() == former.subject_alt_names()
                    && tbs.issuer() == former.issuer(),
                NotEnrolled::OtherName,
            ),
            (lasting(new) <= lasting(old) && new.not_before <= known.now, NotEnrolled::Longer),
            (known.last.is_none_or(|last| known.now.0 - last.0 >= UnixTime::DAY), NotEnrolled::TooSoon),
            (
                verify(
                    former.public_key(),
                    former.public_key().algorithm().signature_algorithm(),
                    &enrolment_octets(tbs),
                    &self.signature,
                ),
                NotEnrolled::Signature,
            ),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, refused)| Err(refused))
    }
}

/// Whether a certificate is for signing OCSP responses and for nothing else.
pub(crate) fn is_responder(tbs: &TbsCertificate) -> bool {
    let purposes = ExtendedKeyUsage::of(tbs).map(|usage| usage.0);
    let is_ca = BasicConstraints::of(tbs).is_some_and(|constraints| constraints.ca);
    purposes.is_some_and(|purposes| purposes == [Purpose::OCSP_SIGNING]) && !is_ca
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CertificateBuilder, TestKey};
    use crate::x509::Name;
    use crate::x509::extension::KeyUsage;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    struct Case {
        own: Certificate,
        ca: TestKey,
        responder: TestKey,
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    impl Case {
        fn new() -> Self {
            let (ca, responder) = (TestKey::p256(), TestKey::p256());
            let own =
                CertificateBuilder::new(&name("CN=genfic"), ca.public_key()).into_ca(None).signed_by(&ca);
            Self { own, ca, responder }
        }

        fn certificate(&self, key: &TestKey, from: i64, until: i64) -> CertificateBuilder {
            let builder = CertificateBuilder::new(&name("CN=genfic OCSP"), key.public_key());
            let builder = builder.named_by(&name("CN=genfic")).signature(self.ca.algorithm());
            builder.valid(NOW.plus_days(from), NOW.plus_days(until)).into_responder()
        }

        fn former(&self) -> Certificate {
            self.certificate(&self.responder, -20, 10).signed_by(&self.ca)
        }

        fn next(&self) -> TbsCertificate {
            self.certificate(&TestKey::p256(), 0, 30).tbs()
        }

        fn known(&self) -> Known<'_> {
            Known { own: &self.own, is_revoked: false, last: None, now: NOW }
        }

        fn enrolled(&self, former: Certificate, tbs: &TbsCertificate) -> Enrolment {
            let key = ResponseSigner::from_pkcs8_der(self.responder.pkcs8()).unwrap();
            Enrolment::by(former, &key, tbs).unwrap()
        }
    }

    #[test]
    fn the_key_of_a_valid_responder_names_the_next_one_once_a_day() {
        // O7
        let case = Case::new();
        let next = case.next();
        let enrolment = case.enrolled(case.former(), &next);
        assert_eq!(enrolment.admit(&next, &case.known()), Ok(()));
        let last = |seconds: i64| Known { last: Some(NOW.plus(-seconds)), ..case.known() };
        assert_eq!(enrolment.admit(&next, &last(UnixTime::DAY)), Ok(()));
        assert_eq!(enrolment.admit(&next, &last(UnixTime::DAY - 1)), Err(NotEnrolled::TooSoon));
    }

    #[test]
    fn a_signature_is_for_these_octets_and_by_this_key() {
        // K3
        let case = Case::new();
        let (next, other) = (case.next(), case.next());
        let enrolment = case.enrolled(case.former(), &other);
        assert_eq!(enrolment.admit(&next, &case.known()), Err(NotEnrolled::Signature));
        let another = case.certificate(&TestKey::p256(), -20, 10).signed_by(&case.ca);
        assert_eq!(case.enrolled(another, &next).admit(&next, &case.known()), Err(NotEnrolled::Signature));
        let ca = case.ca.sign(next.as_der());
        let direct = Enrolment { former: case.former(), signature: ca };
        assert_eq!(direct.admit(&next, &case.known()), Err(NotEnrolled::Signature));
    }

    #[test]
    fn a_certificate_that_is_no_valid_one_of_a_responder_of_this_ca_enrols_nothing() {
        // K3
        let case = Case::new();
        let next = case.next();
        let refused =
            |former, known: &Known<'_>| case.enrolled(former, &next).admit(&next, known).unwrap_err();
        let key = &case.responder;
        let of_another_ca = case.certificate(key, -20, 10).signed_by(&TestKey::p256());
        assert_eq!(refused(of_another_ca, &case.known()), NotEnrolled::OtherCertificate);
        let leaf = CertificateBuilder::new(&name("CN=genfic OCSP"), key.public_key());
        let leaf = leaf.named_by(&name("CN=genfic")).valid(NOW.plus_days(-20), NOW.plus_days(10));
        assert_eq!(refused(leaf.signed_by(&case.ca), &case.known()), NotEnrolled::OtherCertificate);
        for (from, until) in [(-40, -10), (1, 31)] {
            let former = case.certificate(key, from, until).signed_by(&case.ca);
            assert_eq!(refused(former, &case.known()), NotEnrolled::NotValid);
        }
        let revoked = Known { is_revoked: true, ..case.known() };
        assert_eq!(refused(case.former(), &revoked), NotEnrolled::Revoked);
    }

    #[test]
    fn what_is_enrolled_is_a_responder_of_the_same_name_and_of_no_longer_life() {
        // K3
        let case = Case::new();
        let key = TestKey::p256();
        let refused = |next: &TbsCertificate| {
            case.enrolled(case.former(), next).admit(next, &case.known()).unwrap_err()
        };
        let leaf = CertificateBuilder::new(&name("CN=genfic OCSP"), key.public_key());
        let leaf = leaf.named_by(&name("CN=genfic")).with([KeyUsage::DIGITAL_SIGNATURE.to_extension()]);
        assert_eq!(refused(&leaf.valid(NOW, NOW.plus_days(30)).tbs()), NotEnrolled::NoResponder);
        let ca = case.certificate(&key, 0, 30).into_ca(None);
        assert_eq!(refused(&ca.tbs()), NotEnrolled::NoResponder);
        let other = case.certificate(&key, 0, 30).named(&name("CN=another"));
        assert_eq!(refused(&other.tbs()), NotEnrolled::OtherName);
        assert_eq!(refused(&case.certificate(&key, 0, 31).tbs()), NotEnrolled::Longer);
        assert_eq!(refused(&case.certificate(&key, 1, 20).tbs()), NotEnrolled::Longer);
    }
}
