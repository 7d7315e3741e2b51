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
