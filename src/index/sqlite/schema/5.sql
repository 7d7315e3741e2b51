-- Version 5: what attack and real life found missing.

-- Nothing is signed with a clock that stands before `newest`: from now on the time of the newest thing that was
-- signed, and `signed` says what that is. It was the latest time of any audit record; the program that migrates
-- finds what it should be in the records.
ALTER TABLE head ADD COLUMN signed TEXT;

-- Certificates of delegated responders, whoever has their keys. Those that were made before are found by the object
-- identifier of id-kp-OCSPSigning in their octets; the program that migrates finds which of them were installed here.
CREATE TABLE responder (
    certificate INTEGER PRIMARY KEY REFERENCES certificate,
    requested   INTEGER NOT NULL -- whether it was made for a request: its key is elsewhere
) STRICT;
INSERT INTO responder SELECT number, 1 FROM certificate
    WHERE instr(coalesce(der, tbs, x''), x'06082B06010505070309') > 0;
