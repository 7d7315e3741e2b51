-- Which lists had a certificate is told by change numbers: the row of a list has the one at which its entries
-- were collected, and its thisUpdate from then on. A list is recorded once its digest is there.
DROP INDEX status_listed;
ALTER TABLE status DROP COLUMN offered;

-- Entries of the next list in their order, whole, however many certificates are not revoked.
CREATE INDEX status_listed ON status (issuer, serial, revoked_at, reason, invalidity_date)
    WHERE state = 2 AND closed = 0;
-- Those of them that have ended.
CREATE INDEX status_ended ON status (issuer, not_after, change) WHERE state = 2 AND closed = 0;
