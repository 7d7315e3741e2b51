//! Certification requests built octet by octet, so that a test can make one thing wrong at a time.
use super::key::TestKey;
use super::x509::Name;
use super::x509::octets::{SEQUENCE, SET, sequence, tlv};

pub(crate) const SAN: &[u8] = &[0x55, 0x1d, 17];
pub(crate) const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
pub(crate) const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
pub(crate) const CHALLENGE_PASSWORD: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 9, 7];
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 9, 14];

/// Builds requests for one valid key.
pub(crate) struct RequestBuilder {
    key: TestKey,
}

impl RequestBuilder {
    pub(crate) fn new() -> Self {
        Self { key: TestKey::p256() }
    }

    pub(crate) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_der()
    }

    /// Returns a valid signature over these octets.
    pub(crate) fn sign(&self, octets: &[u8]) -> Vec<u8> {
        self.key.sign(octets)
    }

    /// Returns a request with this `CertificationRequestInfo` and a valid signature.
    pub(crate) fn sealed(&self, info: &[u8]) -> Vec<u8> {
        self.key.encode_signed(info)
    }

    /// Returns a request for this subject with these attributes, both in DER.
    pub(crate) fn request(&self, subject: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
        self.sealed(&info(0, subject, self.public_key(), attributes))
    }

    /// Returns a request for `CN=NAME` with these extensions.
    pub(crate) fn with_extensions(&self, common_name: &str, extensions: &[Vec<u8>]) -> Vec<u8> {
        self.request(cn(common_name).as_der(), &[extension_request(extensions)])
    }

    /// Returns a request for `CN=good.genfic.example` with these elements in its subjectAltName.
    pub(crate) fn with_names(&self, names: &[Vec<u8>]) -> Vec<u8> {
        let value = sequence(&[&names.concat()]);
        self.with_extensions("good.genfic.example", &[extension(SAN, false, &value)])
    }

    /// Returns a correct request.
    pub(crate) fn good(&self, host: &str) -> Vec<u8> {
        let value = sequence(&[&dns(host.as_bytes())]);
        self.with_extensions(host, &[extension(SAN, false, &value)])
    }
}

pub(crate) fn cn(text: &str) -> Name {
    Name::parse(&format!("CN={text}")).unwrap()
}

/// Returns a `CertificationRequestInfo`.
pub(crate) fn info(version: u8, subject: &[u8], public_key: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[&[2, 1, version], subject, public_key, &tlv(0xa0, &attributes.concat())])
}

/// Returns the attribute extensionRequest (RFC 2985 §5.4.2).
pub(crate) fn extension_request(extensions: &[Vec<u8>]) -> Vec<u8> {
    attribute(EXTENSION_REQUEST, &tlv(SEQUENCE, &extensions.concat()))
}

/// Returns an attribute with one value.
pub(crate) fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(6, oid), &tlv(SET, value)])
}

pub(crate) fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    sequence(&[&tlv(6, oid), critical, &tlv(4, value)])
}

pub(crate) fn dns(name: &[u8]) -> Vec<u8> {
    tlv(0x82, name)
}

/// Returns a name with one attribute of this type, whose value has this string tag.
pub(crate) fn subject(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
    sequence(&[&tlv(SET, &sequence(&[&tlv(6, oid), &tlv(tag, value)]))])
}

/// Returns a name with one commonName.
pub(crate) fn common_name(tag: u8, value: &[u8]) -> Vec<u8> {
    subject(&[0x55, 4, 3], tag, value)
}
