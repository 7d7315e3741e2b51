-- Version 5: what attack and real life found missing.

-- Nothing is signed with a clock that stands before `newest`: from now on the time of the newest thing that was
-- signed, and `signed` says what that is. It was the latest time of any audit record; the program that migrates
-- finds what it should be in the records.
ALTER TABLE head ADD COLUMN signed TEXT;
