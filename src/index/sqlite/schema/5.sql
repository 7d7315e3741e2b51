-- Version 5: what attack and real life found missing.

-- Nothing is signed with a clock that stands before `newest`: from now on the time of the newest thing that was
-- signed, and `signed` says what that is. It was the latest time of any audit record; the program that migrates
-- finds what it should be in the records.
ALTER TABLE head ADD COLUMN signed TEXT;

-- Subjects that are one holder's by somebody's word, though their names differ: they share a key.
CREATE TABLE same_holder (
    key     BLOB NOT NULL, -- SHA-256 of the SubjectPublicKeyInfo
    subject BLOB NOT NULL, -- Name in DER
    PRIMARY KEY (key, subject)
) WITHOUT ROWID, STRICT;

-- Names as they are compared (RFC 5280 §7.1), beside their octets. What SQL cannot prepare is filled in when the
-- statements are through, and issuer.identity is reckoned anew.
ALTER TABLE certificate ADD COLUMN holder BLOB; -- SHA-256 of the subject as it is compared; none of an empty one
CREATE INDEX certificate_holder ON certificate (holder, key);
-- Every way in which the name of an issuer is written, in its own certificates and in those that it issued.
CREATE TABLE issuer_name (
    issuer INTEGER NOT NULL REFERENCES issuer,
    octets BLOB NOT NULL,
    PRIMARY KEY (issuer, octets)
) WITHOUT ROWID, STRICT;
-- There is a row where the index was made before this version.
CREATE TABLE older (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    version INTEGER NOT NULL -- of its schema
) STRICT;

-- Certificates of delegated responders, whoever has their keys. Those that were made before are found by the object
-- identifier of id-kp-OCSPSigning in their octets; the program that migrates finds which of them were installed here.
CREATE TABLE responder (
    certificate INTEGER PRIMARY KEY REFERENCES certificate,
    requested   INTEGER NOT NULL -- whether it was made for a request: its key is elsewhere
) STRICT;
INSERT INTO responder SELECT number, 1 FROM certificate
    WHERE instr(coalesce(der, tbs, x''), x'06082B06010505070309') > 0;
