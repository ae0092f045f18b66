-- A connection's health has a reason and a time, and each change of it is an event. Before, it was one word that only
-- syncs wrote.
--
-- A program from before this migration writes the word alone: reason and time are then those of the change before, until
-- a newer program syncs or tests the connection.

ALTER TABLE connection ADD COLUMN health_reason text NOT NULL DEFAULT '' CHECK (char_length(health_reason) <= 64);
-- When `health` became what it is.
ALTER TABLE connection ADD COLUMN health_since timestamptz;
UPDATE connection SET health_since = last_sync_status_at,
  health_reason = CASE WHEN health = 'healthy' THEN '' ELSE last_error_class END WHERE health <> 'unknown';
