-- Version 5: what attack and real life found missing.

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
