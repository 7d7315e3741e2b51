-- Version 7: CAs that were retired by somebody's word: when, and the name that each had then. Nothing is due for them,
-- and their names are free for others once their records have another.
ALTER TABLE authority ADD COLUMN retired_at INTEGER;
ALTER TABLE authority ADD COLUMN retired_name TEXT;
-- Whether its files may still have that name: a command was cut short before it had moved them.
ALTER TABLE authority ADD COLUMN retired_files INTEGER NOT NULL DEFAULT 0;
