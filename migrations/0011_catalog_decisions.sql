-- What a catalogue's entry makes that looks wrong is decided entry by entry, as changes of providers' lists are: held are
-- limits that shrink and capabilities that vanish too, the rest of the entry counts at once, and what a person rejects is
-- not held again while the catalogue repeats it.
--
-- A binary from before this migration holds whole entries, and holds again what was rejected.

ALTER TABLE catalog_entry
  -- By which a decision names the entry.
  ADD COLUMN id uuid NOT NULL GENERATED ALWAYS AS
    (CAST(md5(source || chr(10) || provider || chr(10) || model_name) AS uuid)) STORED,
  -- The entry of which a person rejected what was held.
  ADD COLUMN rejected jsonb CHECK (jsonb_typeof(rejected) = 'object' AND octet_length(CAST(rejected AS text)) <= 262144);
CREATE INDEX catalog_entry_id ON catalog_entry (id);
CREATE INDEX catalog_entry_held ON catalog_entry (held_at) WHERE held IS NOT NULL;
