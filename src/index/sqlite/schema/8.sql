-- Version 8: SHA-256 of the TBSCertList of the delta CRL that was made beside a complete one, under the same number.
ALTER TABLE crl ADD COLUMN delta_digest BLOB;
