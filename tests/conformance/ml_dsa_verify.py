"""Verifies certificates and lists with `cryptography`: pairs of a file and that of its issuer."""

import sys

from cryptography import x509

files = sys.argv[1:]
for file, issuer in zip(files[::2], files[1::2], strict=True):
    octets, issuer = open(file, "rb").read(), x509.load_pem_x509_certificate(open(issuer, "rb").read())
    if b"X509 CRL" in octets:
        crl = x509.load_pem_x509_crl(octets)
        if not crl.is_signature_valid(issuer.public_key()):
            raise AssertionError(f"{file}: signature")
        print(*(f"{entry.serial_number:x}" for entry in crl))
    else:
        x509.load_pem_x509_certificate(octets).verify_directly_issued_by(issuer)
