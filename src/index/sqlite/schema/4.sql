-- Generations of a CA: each has a key of its own, and succeeds the one before it.
ALTER TABLE authority ADD COLUMN succeeds INTEGER REFERENCES issuer;

-- When the last certificate of a CA ends; those of its responder and its own count for nothing.
ALTER TABLE authority ADD COLUMN last_end INTEGER;
UPDATE authority SET last_end = (
    SELECT max(c.not_after) FROM certificate c
    WHERE c.issuer = authority.issuer AND c.number <> authority.certificate AND c.profile <> 'ocsp-responder');

-- Certificates about to be signed for a CA that is there: each takes the place of the one it has once it is issued.
CREATE TABLE renewal (
    certificate INTEGER PRIMARY KEY REFERENCES certificate,
    issuer      INTEGER NOT NULL REFERENCES issuer
) STRICT;
