-- A held change is one of one model now, or one that takes most models of a connection away; a person accepts or rejects
-- each. Before, a held list was one row without a model, and was accepted with all that was in it.
--
-- A program from before this migration holds whole lists as before, and does not see what a person rejected. A row that
-- it wrote has no `after`: the next sync supersedes it.

ALTER TABLE held_change ADD COLUMN decision_reason text CHECK (char_length(decision_reason) <= 1024);
-- When a change or a decision stopped to be in force: the list no longer repeats it, or its models are gone or back.
ALTER TABLE held_change ADD COLUMN ended_at timestamptz;
UPDATE held_change SET ended_at = COALESCE(decided_at, now()) WHERE decision IS NOT NULL;
DROP INDEX held_change_open;
CREATE UNIQUE INDEX held_change_open ON held_change (connection_id, model_id) NULLS NOT DISTINCT WHERE decision IS NULL;
CREATE INDEX held_change_in_force ON held_change (connection_id) WHERE ended_at IS NULL;
GRANT UPDATE (decision_reason, ended_at) ON held_change TO tokenrail_app;

-- Changes that a run held.
ALTER TABLE sync_run ADD COLUMN held int NOT NULL DEFAULT 0;

-- A provider's answer is kept before anything of it is applied, compressed. Nothing reads the ones from before.
ALTER TABLE provider_snapshot ADD COLUMN encoding text NOT NULL DEFAULT 'identity'
  CHECK (encoding IN ('identity', 'gzip'));

-- When the details of a model were asked for: they are asked for again after a while, not only when the list changes.
ALTER TABLE model ADD COLUMN details_at timestamptz;

-- Which registry-sync syncs a connection, and when it is due: several processes share the connections. A row is made when
-- the connection is seen first. A registry-sync from before this migration does not look at it; while both kinds run, two
-- may sync one connection, and each change still checks the version that it was planned from.
CREATE TABLE connection_lease (
  connection_id uuid PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
  -- The fencing number: one more with each claim. What a sync writes, it writes in a transaction that has found its own
  -- number here.
  epoch bigint NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  holder text NOT NULL DEFAULT '' CHECK (char_length(holder) <= 255),
  acquired_at timestamptz NOT NULL DEFAULT '-infinity',
  renewed_at timestamptz NOT NULL DEFAULT '-infinity',
  due_at timestamptz NOT NULL DEFAULT '-infinity',
  asked_at timestamptz NOT NULL DEFAULT '-infinity',  -- when someone set due_at; a sync that began before leaves it
  trigger text NOT NULL DEFAULT 'start' CHECK (trigger IN ('start', 'schedule', 'event')),
  -- Part of a key, so that a claim waits for transactions that hold the row FOR KEY SHARE, and a renewal does not.
  UNIQUE (connection_id, epoch)
);

-- The leadership that has looked at the versions that readers hold. No connection is synced under another one: a database
-- that was restored would give out versions that readers take for old.
ALTER TABLE registry_lease ADD COLUMN versions_epoch bigint NOT NULL DEFAULT 0;
