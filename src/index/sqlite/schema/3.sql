-- Certificates known by their number alone: a CRL names them, and there are no octets. Their key is not known, and
-- nor is their end: it stands at 9999-12-31T23:59:59Z (RFC 5280 §4.1.2.5), so that every CRL goes on listing them.
CREATE TABLE certificate_2 (
    number      INTEGER PRIMARY KEY, -- grows with time
    issuer      INTEGER NOT NULL REFERENCES issuer,
    serial      BLOB NOT NULL, -- 20 octets, so that octets sort as numbers do
    key         BLOB, -- SHA-256 of the SubjectPublicKeyInfo
    subject     TEXT NOT NULL, -- lower case
    profile     TEXT NOT NULL,
    contact     TEXT,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    tbs         BLOB, -- until it is issued
    der         BLOB,
    fingerprint BLOB,
    CHECK (tbs IS NULL OR der IS NULL),
    CHECK ((der IS NULL) = (fingerprint IS NULL)),
    CHECK ((key IS NULL) = (tbs IS NULL AND der IS NULL))
) STRICT;
INSERT INTO certificate_2 SELECT number, issuer, serial, key, subject, profile, contact, not_before, not_after,
    tbs, der, fingerprint FROM certificate;
DROP TABLE certificate;
ALTER TABLE certificate_2 RENAME TO certificate;
CREATE INDEX certificate_issuer ON certificate (issuer);
CREATE INDEX certificate_key ON certificate (key);
CREATE UNIQUE INDEX certificate_fingerprint ON certificate (fingerprint);

-- There is a row from the restoring of a backup until somebody accepts what it brought.
CREATE TABLE restored (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    at     INTEGER NOT NULL,
    backup INTEGER NOT NULL -- when the backup was made
) STRICT;

-- Newest audit records of published statuses whose revocations a restore took over.
CREATE TABLE superseded (
    sequence INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    PRIMARY KEY (sequence, digest)
) WITHOUT ROWID, STRICT;
