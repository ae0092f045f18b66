-- A credential may have further secret headers beside its key. They are sealed with it; their names are kept here, for
-- people.
--
-- A binary from before this migration seals the key alone, and leaves the names of headers that are gone.

ALTER TABLE credential ADD COLUMN header_names text[] NOT NULL DEFAULT '{}' CHECK (cardinality(header_names) <= 16);
