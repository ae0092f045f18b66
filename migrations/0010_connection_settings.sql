-- The database counts before the environment: what a person set of a connection that registry-sync makes from the
-- environment, no start of registry-sync sets again.
--
-- A registry-sync from before this migration sets it again, as it did. What people changed before this migration is not
-- known here: it counts once it is changed again.

-- Wire names of fields.
ALTER TABLE connection ADD COLUMN set_by_people text[] NOT NULL DEFAULT '{}';
