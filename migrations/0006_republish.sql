-- A request to compare the compacted topics with the database now (`tokenrail registry republish`). It is a sync_request
-- of which no connection is synced.
-- A registry-sync before this migration takes such a request for one to sync every connection, which does no harm.

ALTER TABLE sync_request ADD COLUMN republish boolean NOT NULL DEFAULT false;
