"""Judges a hierarchy, its CRLs and its responder with `cryptography`; any doubt is an exception."""

import hashlib
import json
import sys
import urllib.request

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

# Key types of a CA that its verifier refuses by policy (the note cryptography-no-ed25519).
NOT_ON_THE_WEB = {"ed25519"}

task = json.loads(sys.argv[1])


def certificate(path):
    return x509.load_pem_x509_certificate(open(path, "rb").read())


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def check_signature(key, signature, octets, digest):
    if isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, octets)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, octets, ec.ECDSA(digest))
    else:
        key.verify(signature, octets, padding.PKCS1v15(), digest)


def key_hash(cert):
    return x509.SubjectKeyIdentifier.from_public_key(cert.public_key()).digest


def check_key_identifier(cert):
    """RFC 7093 method 1, over the octets of the BIT STRING."""
    key = cert.public_key()
    if isinstance(key, ed25519.Ed25519PublicKey):
        octets = key.public_bytes_raw()
    elif isinstance(key, ec.EllipticCurvePublicKey):
        octets = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    else:
        octets = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    identifier = cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    expect(identifier == hashlib.sha256(octets).digest()[:20], "subjectKeyIdentifier")


def check_chain(leaf, host, issuer, root):
    leaf.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    try:
        leaf.verify_directly_issued_by(root)
        raise AssertionError("the root did not issue the leaf")
    except (InvalidSignature, ValueError):
        pass
    for cert in (leaf, issuer, root):
        check_key_identifier(cert)
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName(host))
    unusual = task["key"] in NOT_ON_THE_WEB
    try:
        chain = verifier.verify(leaf, [issuer])
    except VerificationError:
        expect(unusual, f"{host}: the chain was refused")
        return
    if unusual:
        print("taken all the same:", task["key"])
    expect(chain == [leaf, issuer, root], f"{host}: another chain")


def check_crl(path, issuer, other, revoked):
    crl = x509.load_der_x509_crl(open(path, "rb").read())
    expect(crl.is_signature_valid(issuer.public_key()), f"{path}: signature")
    expect(not crl.is_signature_valid(other.public_key()), f"{path}: signature by anybody")
    expect(crl.issuer == issuer.subject, f"{path}: issuer")
    aki = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    ski = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    expect(aki.key_identifier == ski.digest and aki.authority_cert_issuer is None, f"{path}: authorityKeyIdentifier")
    expect(crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number > 0, f"{path}: cRLNumber")
    expect({entry.serial_number for entry in crl} == revoked, f"{path}: entries")
    for entry in crl:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        expect(reason == x509.ReasonFlags.key_compromise, f"{path}: reason")


def check_answer(leaf, status, issuer, digest):
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, digest).build()
    octets = request.public_bytes(serialization.Encoding.DER)
    asked = urllib.request.Request(task["url"], octets, {"Content-Type": "application/ocsp-request"})
    answer = ocsp.load_der_ocsp_response(urllib.request.urlopen(asked, timeout=20).read())
    expect(answer.response_status == ocsp.OCSPResponseStatus.SUCCESSFUL, "responseStatus")
    (single,) = answer.responses
    expect(single.certificate_status == ocsp.OCSPCertStatus[status], f"{status} expected")
    expect(single.serial_number == leaf.serial_number, "serialNumber")
    expect(single.hash_algorithm.name == digest.name, "hashAlgorithm")
    expect(single.issuer_key_hash == request.issuer_key_hash, "issuerKeyHash")
    expect(single.issuer_name_hash == request.issuer_name_hash, "issuerNameHash")
    if status == "REVOKED":
        expect(single.revocation_reason == x509.ReasonFlags.key_compromise, "revocationReason")
    (delegate,) = answer.certificates
    delegate.verify_directly_issued_by(issuer)
    check_signature(delegate.public_key(), answer.signature, answer.tbs_response_bytes, answer.signature_hash_algorithm)
    expect(answer.responder_key_hash == key_hash(delegate), "ResponderID byKey")
    expect(answer.next_update_utc <= delegate.not_valid_after_utc, "nextUpdate beyond the responder certificate")
    usage = delegate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    expect(list(usage) == [ExtendedKeyUsageOID.OCSP_SIGNING], "extendedKeyUsage")
    present = {extension.oid for extension in delegate.extensions}
    expect(ExtensionOID.OCSP_NO_CHECK in present, "ocsp-nocheck")
    pointers = {ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS}
    expect(not pointers & present, "a pointer in a responder certificate")


root, issuer = certificate(task["root"]), certificate(task["issuer"])
revoked = set()
for entry in task["leaves"]:
    leaf = certificate(entry["host"] + ".crt")
    check_chain(leaf, entry["host"], issuer, root)
    for digest in (hashes.SHA1(), hashes.SHA256()):
        check_answer(leaf, entry["status"], issuer, digest)
    if entry["status"] == "REVOKED":
        revoked.add(leaf.serial_number)
check_crl(task["root_crl"], root, issuer, set())
check_crl(task["crl"], issuer, root, revoked)
print(len(task["leaves"]), "certificates judged")
