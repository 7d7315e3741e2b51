-- Derived from the journal and from what was shown to the signer: it can be made anew.
-- What of the journal is in here, and what of it was on the disk.
CREATE TABLE built (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    offset   INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest   BLOB NOT NULL,
    settled  INTEGER NOT NULL,
    gap      INTEGER NOT NULL -- whether a restore has left a gap that nobody has accepted yet
) STRICT;
INSERT INTO built VALUES (1, 0, 0, zeroblob(32), 0, 0);

CREATE TABLE key (
    number   INTEGER PRIMARY KEY,
    identity BLOB NOT NULL UNIQUE -- SHA-256 of the SubjectPublicKeyInfo
) STRICT;

CREATE TABLE certificate (
    key       INTEGER NOT NULL,
    serial    BLOB NOT NULL,
    not_after INTEGER NOT NULL,
    PRIMARY KEY (key, serial)
) WITHOUT ROWID, STRICT;

-- Certificates that were to be signed in this second.
CREATE TABLE counted (
    key    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (key, at)
) WITHOUT ROWID, STRICT;

-- When a responder of this key's CA last named the key that comes after its own.
CREATE TABLE enrolled (
    key INTEGER PRIMARY KEY,
    at  INTEGER NOT NULL
) STRICT;

-- The CRLs that were signed last. `what` is 0 for a complete one, 1 for a delta, and 2 for a complete one whose entries
-- are here before the journal has it.
CREATE TABLE list (
    number      INTEGER PRIMARY KEY,
    key         INTEGER NOT NULL,
    what        INTEGER NOT NULL,
    crl         INTEGER NOT NULL CHECK (crl >= 0),
    this_update INTEGER NOT NULL,
    digest      BLOB NOT NULL, -- SHA-256 of the TBSCertList
    known       INTEGER, -- number of the CRL whose entries are here
    current     INTEGER, -- number of the CRL that these entries stand for
    intended    INTEGER NOT NULL DEFAULT 0, -- whether any of them was to be signed here
    least       INTEGER NOT NULL DEFAULT 0, -- highest number of one that was to be signed or shown: an older one is not the last
    restored    INTEGER NOT NULL DEFAULT 0, -- whether it is not known which was handed out last: after a restore, or where the key came from elsewhere
    UNIQUE (key, what)
) STRICT;

-- Complete CRLs of which one was handed out last: the last one that was signed, and those that were to be signed after it.
CREATE TABLE handed_out (
    key      INTEGER NOT NULL,
    sequence INTEGER NOT NULL, -- of the entry in the journal
    digest   BLOB NOT NULL,
    PRIMARY KEY (key, sequence)
) WITHOUT ROWID, STRICT;

-- Entries of complete CRLs, 26 octets each.
CREATE TABLE entries (
    list   INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    first  BLOB NOT NULL, -- the serial number of the first one
    octets BLOB NOT NULL,
    PRIMARY KEY (list, part)
) STRICT;
CREATE INDEX entries_by_serial ON entries (list, first);
