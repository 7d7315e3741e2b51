-- Version 6: a CA's key is known by what it is, the SHA-256 of its SubjectPublicKeyInfo, and not by a file.
ALTER TABLE authority RENAME COLUMN key TO file;
ALTER TABLE authority ADD COLUMN key BLOB NOT NULL DEFAULT x'';
UPDATE authority SET key = (SELECT c.key FROM certificate c WHERE c.number = authority.certificate);
-- Whether others run the CA, and it is here for those below it.
ALTER TABLE authority ADD COLUMN external INTEGER NOT NULL DEFAULT 0;
UPDATE authority SET external = (file = '');

-- The key stores' own: where each key is kept, a URI whose scheme names the store. Two CAs of one key have it in
-- places of their own, each with its passphrase and its mark.
CREATE TABLE key_place (
    authority INTEGER PRIMARY KEY REFERENCES authority,
    key       BLOB NOT NULL,
    uri       TEXT NOT NULL
) STRICT;
INSERT INTO key_place SELECT issuer, key, 'age:' || file FROM authority WHERE external = 0;
ALTER TABLE authority DROP COLUMN file;
