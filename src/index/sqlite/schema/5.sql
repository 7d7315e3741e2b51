-- Version 5: what attack and real life found missing.

-- Subjects that are one holder's by somebody's word, though their names differ: they share a key.
CREATE TABLE same_holder (
    key     BLOB NOT NULL, -- SHA-256 of the SubjectPublicKeyInfo
    subject BLOB NOT NULL, -- Name in DER
    PRIMARY KEY (key, subject)
) WITHOUT ROWID, STRICT;
