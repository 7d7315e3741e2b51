"""Verifies what ML-DSA keys signed with `dilithium-py`, a FIPS 204 written in Python; any doubt is an exception.

Of X.509 it knows what it needs of DER, so that nothing here is lenient: identifiers are compared octet for octet.
"""

import base64
import hashlib
import json
import sys
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.x509 import ocsp
from dilithium_py.ml_dsa import ML_DSA_44, ML_DSA_65, ML_DSA_87

# AlgorithmIdentifiers of RFC 9881 §2: no parameters.
IDENTIFIERS = {
    bytes.fromhex("300b0609608648016503040311"): ("ml-dsa-44", ML_DSA_44, 1312, 2420),
    bytes.fromhex("300b0609608648016503040312"): ("ml-dsa-65", ML_DSA_65, 1952, 3309),
    bytes.fromhex("300b0609608648016503040313"): ("ml-dsa-87", ML_DSA_87, 2592, 4627),
}
SEQUENCE, OCTET_STRING, BIT_STRING, EXPLICIT_0 = 0x30, 0x04, 0x03, 0xA0
# 1.2.840.113549.1.12.10.1.2, pkcs8ShroudedKeyBag
SHROUDED_KEY = bytes.fromhex("060b2a864886f70d010c0a0102")
# 1.2.840.113549.1.5.13, PBES2
PBES2 = bytes.fromhex("06092a864886f70d01050d")

task = json.loads(sys.argv[1])


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def elements(octets):
    """The elements one after the other, as (tag, whole, contents)."""
    found = []
    while octets:
        tag, length, start = octets[0], octets[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(octets[2:start], "big")
        expect(len(octets) >= start + length, "an element that is cut")
        found.append((tag, octets[: start + length], octets[start : start + length]))
        octets = octets[start + length :]
    return found


def within(octets, *tags):
    """The elements of the only element, which is a SEQUENCE."""
    ((tag, _, contents),) = elements(octets)
    expect(tag == SEQUENCE, "a SEQUENCE expected")
    parts = elements(contents)
    expect(not tags or [part[0] for part in parts] == list(tags), "other elements expected")
    return parts


def bits(part):
    expect(part[0] == BIT_STRING and part[2][0] == 0, "a BIT STRING of whole octets")
    return part[2][1:]


def der(path):
    octets = open(path, "rb").read()
    if octets.startswith(b"-----BEGIN"):
        lines = octets.decode().split("-----END")[0].splitlines()[1:]
        return base64.b64decode("".join(lines))
    return octets


class Key:
    def __init__(self, spki):
        identifier, key = within(spki, SEQUENCE, BIT_STRING)
        self.identifier = identifier[1]
        self.name, self.scheme, length, self.signature_length = IDENTIFIERS[self.identifier]
        self.octets = bits(key)
        expect(len(self.octets) == length, "length of the key")

    @staticmethod
    def of_certificate(octets):
        fields = within(within(octets)[0][1])
        # version, serialNumber, signature, issuer, validity, subject
        key = Key(fields[6][1])
        expect(hashlib.sha256(key.octets).digest()[:20] in octets, "subjectKeyIdentifier")
        return key

    @staticmethod
    def of_request(octets):
        return Key(within(within(octets)[0][1])[2][1])

    def check(self, signed, what):
        """Verifies SIGNED{ToBeSigned}; the identifier inside is that outside."""
        tbs, identifier, signature = signed[:3]
        expect(identifier[1] == self.identifier, f"{what}: signatureAlgorithm")
        signature = bits(signature)
        expect(len(signature) == self.signature_length, f"{what}: length of the signature")
        expect(self.scheme.verify(self.octets, tbs[1], signature), f"{what}: signature")
        expect(not self.scheme.verify(self.octets, tbs[1] + b"\0", signature), f"{what}: of anything")
        expect(not self.scheme.verify(self.octets, tbs[1], signature, ctx=b"x"), f"{what}: in any context")


def check_answer(leaf, issuer, ca_key, status):
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA256()).build()
    octets = request.public_bytes(serialization.Encoding.DER)
    asked = urllib.request.Request(task["url"], octets, {"Content-Type": "application/ocsp-request"})
    octets = urllib.request.urlopen(asked, timeout=20).read()
    answer = ocsp.load_der_ocsp_response(octets)
    expect(answer.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, "responseStatus")
    (single,) = answer.responses
    expect(single.certificate_status == ocsp.OCSPCertStatus[status], f"{status} expected")
    expect(single.serial_number == leaf.serial_number, "serialNumber")
    _, response = within(octets)
    basic = within(within(response[2])[1][2])
    delegate = within(basic[3][2])[0][1]
    ca_key.check(within(delegate), "responder certificate")
    responder = Key.of_certificate(delegate)
    responder.check(basic, "OCSP answer")
    return responder


def shrouded(octets):
    """EncryptedPrivateKeyInfo of the only key in a PKCS#12 (RFC 7292 §4)."""
    safe = within(within(octets)[1][1])[1]
    ((_, _, contents),) = elements(safe[2])
    found = []
    for info in within(contents):
        ((tag, _, content),) = elements(within(info[1])[1][2])
        # the certificates are in EncryptedData
        found += [within(bag[1]) for bag in within(content)] if tag == OCTET_STRING else []
    ((kind, value, *_),) = found
    expect(kind[1] == SHROUDED_KEY, "one shrouded key")
    return value[2]


def decrypted(info, passphrase):
    """PrivateKeyInfo, decrypted here step by step; None when it is not under PBES2 with AES-256 (RFC 8018)."""
    algorithm, encrypted = within(info, SEQUENCE, OCTET_STRING)
    scheme, parameters = within(algorithm[1])
    if scheme[1] != PBES2:
        return None
    derivation, encryption = (within(part[1]) for part in within(parameters[1], SEQUENCE, SEQUENCE))
    salt, rounds = within(derivation[1][1])[:2]
    key = hashlib.pbkdf2_hmac("sha256", passphrase, salt[2], int.from_bytes(rounds[2], "big"), 32)
    decryptor = Cipher(algorithms.AES(key), modes.CBC(encryption[1][2])).decryptor()
    padded = decryptor.update(encrypted[2]) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


DER, PKCS8 = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
PLAIN = serialization.NoEncryption()
names, shrouded_by_pbes2 = [], 0
for entry in task["signed"]:
    octets = der(entry["file"])
    if entry["by"] is None:
        key = Key.of_request(octets)
    else:
        key = Key.of_certificate(der(entry["by"]))
    key.check(within(octets, SEQUENCE, SEQUENCE, BIT_STRING), entry["file"])
    names.append(key.name)
ca_key = Key.of_certificate(der(task["issuer"]))
issuer = x509.load_der_x509_certificate(der(task["issuer"]))
for entry in task["leaves"]:
    leaf = x509.load_der_x509_certificate(der(entry["file"]))
    names.append(check_answer(leaf, issuer, ca_key, entry["status"]).name)
for entry in task["keys"]:
    # OneAsymmetricKey, seed form (RFC 9881 §6): the public half of what is in the certificate
    version, identifier, private = within(der(entry["key"]), 2, SEQUENCE, OCTET_STRING)
    key = Key.of_certificate(der(entry["certificate"]))
    ((tag, _, seed),) = elements(private[2])
    expect(version[2] == b"\0" and identifier[1] == key.identifier and tag == 0x80, "seed form")
    public, _ = key.scheme.key_derive(seed)
    expect(public == key.octets, "the private key is that of the certificate")
for entry in task["pkcs12"]:
    # `cryptography` opens no PKCS#12 with such a key, and reads what is in it
    info, passphrase = shrouded(der(entry["file"])), task["passphrase"].encode()
    key = serialization.load_der_private_key(info, passphrase)
    certificate = x509.load_der_x509_certificate(der(entry["certificate"]))
    expect(key.public_key() == certificate.public_key(), "the key is that of the certificate")
    expect(key.private_bytes(DER, PKCS8, PLAIN) == der(entry["key"]), "the key is the holder's")
    plain = decrypted(info, passphrase)
    expect(plain in (None, der(entry["key"])), "what is shrouded is what the holder has, in the seed form")
    shrouded_by_pbes2 += plain is not None
expect(shrouded_by_pbes2 == len(task["pkcs12"]) // 2, "half of the files are under PBES2")
print(*names)
