-- The one row that says where change numbers and audit records stand.
CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    change   INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    newest   INTEGER -- the latest time of any audit record
) STRICT;
INSERT INTO head VALUES (1, 0, 0, zeroblob(32), NULL);

CREATE TABLE issuer (
    number   INTEGER PRIMARY KEY,
    identity BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE certificate (
    number      INTEGER PRIMARY KEY, -- grows with time
    issuer      INTEGER NOT NULL REFERENCES issuer,
    serial      BLOB NOT NULL, -- 20 octets, so that octets sort as numbers do
    key         BLOB NOT NULL, -- SHA-256 of the SubjectPublicKeyInfo
    subject     TEXT NOT NULL, -- lower case
    profile     TEXT NOT NULL,
    contact     TEXT,
    not_before  INTEGER NOT NULL,
    not_after   INTEGER NOT NULL,
    tbs         BLOB, -- until it is issued
    der         BLOB,
    fingerprint BLOB,
    CHECK ((tbs IS NULL) = (der IS NOT NULL)),
    CHECK ((der IS NULL) = (fingerprint IS NULL))
) STRICT;
CREATE INDEX certificate_issuer ON certificate (issuer);
CREATE INDEX certificate_key ON certificate (key);
CREATE UNIQUE INDEX certificate_fingerprint ON certificate (fingerprint);

-- Values of commonName and subjectAltName in lower case.
CREATE TABLE name (
    value       TEXT NOT NULL,
    certificate INTEGER NOT NULL REFERENCES certificate,
    PRIMARY KEY (value, certificate)
) WITHOUT ROWID, STRICT;

-- A row whose certificate is pending keeps the name; it is a CA once the certificate is issued.
CREATE TABLE authority (
    issuer      INTEGER PRIMARY KEY REFERENCES issuer,
    name        TEXT NOT NULL UNIQUE,
    certificate INTEGER NOT NULL REFERENCES certificate,
    key         TEXT NOT NULL,
    serves_ocsp INTEGER NOT NULL,
    revised     INTEGER NOT NULL DEFAULT 0 -- the latest change that its next CRL must show
) STRICT;
CREATE INDEX authority_certificate ON authority (certificate);

CREATE TABLE status (
    issuer          INTEGER NOT NULL REFERENCES issuer,
    serial          BLOB NOT NULL,
    certificate     INTEGER NOT NULL REFERENCES certificate,
    state           INTEGER NOT NULL CHECK (state IN (0, 1, 2)), -- pending, issued, revoked
    revoked_at      INTEGER,
    reason          INTEGER,
    invalidity_date INTEGER,
    not_after       INTEGER NOT NULL,
    offered         INTEGER, -- number of the first CRL that lists it after its end
    closed          INTEGER NOT NULL DEFAULT 0, -- that CRL was published; no later one needs to list it
    change          INTEGER NOT NULL,
    PRIMARY KEY (issuer, serial),
    CHECK ((state = 2) = (revoked_at IS NOT NULL))
) WITHOUT ROWID, STRICT;
CREATE INDEX status_change ON status (change);
CREATE INDEX status_ending ON status (not_after, certificate) WHERE state = 1;
CREATE INDEX status_pending ON status (certificate) WHERE state = 0;
CREATE INDEX status_revoked ON status (certificate, reason) WHERE state = 2;
CREATE INDEX status_listed ON status (issuer, serial, not_after, offered) WHERE state = 2 AND closed = 0;

-- A row is a number that was taken; the times are there when a list was recorded under it.
CREATE TABLE crl (
    issuer      INTEGER NOT NULL REFERENCES issuer,
    number      INTEGER NOT NULL,
    this_update INTEGER,
    next_update INTEGER,
    digest      BLOB, -- SHA-256 of the TBSCertList
    change      INTEGER NOT NULL, -- when the number was taken, before entries were collected
    published   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (issuer, number)
) WITHOUT ROWID, STRICT;

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY,
    event    BLOB NOT NULL,
    digest   BLOB NOT NULL
) STRICT;
