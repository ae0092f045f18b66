-- The state of the registry and its history are published apart: a history that is not taken must not keep routers from a
-- change. A row is done with when published_at is set, as before. state_published_at says that the relay of the state is done
-- with it, so that only the history is missing.
--
-- A binary from before this migration ignores the column. Leading, it publishes a row that waits for the history to both
-- topics again. Readers keep the highest version of a key.
ALTER TABLE outbox ADD COLUMN state_published_at timestamptz;
CREATE INDEX outbox_state_unpublished ON outbox (seq) WHERE published_at IS NULL AND state_published_at IS NULL;
