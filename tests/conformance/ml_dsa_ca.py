"""Makes CAs of ML-DSA with `cryptography`, another implementation, as other programs leave them behind:

old/         what `openssl ca` keeps: an ML-DSA-65 root, its key encrypted, two certificates of which one is revoked
single.pem   a root of ML-DSA-87 without a record, and its key in single.key
"""

import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)

directory, passphrase = pathlib.Path(sys.argv[1]), sys.argv[2].encode()


def name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, by, serial, is_ca):
    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), serial)
    builder = builder.not_valid_before(NOW - DAY).not_valid_after(NOW + 900 * DAY)
    builder = builder.add_extension(x509.BasicConstraints(is_ca, None), True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = builder.add_extension(identifier, False)
    if is_ca:
        builder = builder.add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), False)
    return builder.sign(by, None)


def put(path, octets):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(octets)


old = directory / "old"
key = mldsa.MLDSA65PrivateKey.generate()
ca = certificate("Old CA", key, "Old CA", key, 1, True)
put(old / "cacert.pem", ca.public_bytes(PEM))
encryption = serialization.BestAvailableEncryption(passphrase)
put(old / "private" / "cakey.pem", key.private_bytes(PEM, PKCS8, encryption))
rows = []
for serial, host in [(2, "kept.example"), (3, "gone.example")]:
    leaf = certificate(host, ec.generate_private_key(ec.SECP256R1()), "Old CA", key, serial, False)
    put(old / "newcerts" / f"{serial:02X}.pem", leaf.public_bytes(PEM))
    end = leaf.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
    revoked = f"{NOW:%y%m%d%H%M%SZ},keyCompromise" if host == "gone.example" else ""
    rows.append(f"{'R' if revoked else 'V'}\t{end}\t{revoked}\t{serial:02X}\tunknown\t/CN={host}\n")
put(old / "index.txt", "".join(rows).encode())
put(old / "serial", b"04\n")
put(old / "crlnumber", b"05\n")

key = mldsa.MLDSA87PrivateKey.generate()
put(directory / "single.pem", certificate("Single", key, "Single", key, 9, True).public_bytes(PEM))
put(directory / "single.key", key.private_bytes(PEM, PKCS8, serialization.NoEncryption()))
