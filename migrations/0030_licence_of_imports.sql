-- The licence under which the source of an import publishes its catalogue; empty where it names none. Imports from before have what
-- the programs that made them said of their sources.
--
-- A binary from before this migration writes imports without a licence.
ALTER TABLE catalog_import ADD COLUMN licence text NOT NULL DEFAULT '' CHECK (char_length(licence) <= 64);
UPDATE catalog_import SET licence = 'MIT' WHERE source IN ('litellm', 'models-dev');
