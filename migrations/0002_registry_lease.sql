-- Leadership among registry-syncs. It was an advisory lock of a session, which lives as long as the session: two hours
-- after the leader's host has vanished, for ever while the leader hangs, and without a meaning behind a pooler in
-- transaction mode. Now it is this row, which the leader renews by the database's clock and which another one takes over
-- when it has not been renewed for a while.
--
-- A program from before this migration goes on working, leads by the lock, and does not see the row. While both kinds
-- run, both may lead: each change still checks the version that it was planned from, and events may come twice.
CREATE TABLE registry_lease (
  name text PRIMARY KEY CHECK (char_length(name) BETWEEN 1 AND 64),
  -- The fencing number: one more with each takeover. What a leader writes, it writes in a transaction that has found its
  -- own number here.
  epoch bigint NOT NULL CHECK (epoch >= 0),
  holder text NOT NULL DEFAULT '' CHECK (char_length(holder) <= 255),
  acquired_at timestamptz NOT NULL DEFAULT now(),
  renewed_at timestamptz NOT NULL DEFAULT '-infinity',
  -- Part of a key, so that a takeover waits for transactions that hold the row FOR KEY SHARE, and a renewal does not.
  UNIQUE (name, epoch)
);
INSERT INTO registry_lease (name, epoch) VALUES ('registry-sync', 0);
