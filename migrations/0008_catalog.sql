-- Prices by time of day, and catalogues of models: what others publish of prices, limits and capabilities, kept entry by
-- entry, and put into the models that it is about.
--
-- A binary before this migration goes on working: it reads the prices that hold all day, as it did, and writes none.

-- ---- prices by time of day -------------------------------------------------------------------------------------------

ALTER TABLE price
  -- Minutes of the day, in UTC; equal: the whole day. A window may include midnight.
  ADD COLUMN utc_from smallint NOT NULL DEFAULT 0 CHECK (utc_from BETWEEN 0 AND 1439),
  ADD COLUMN utc_to smallint NOT NULL DEFAULT 0 CHECK (utc_to BETWEEN 0 AND 1439),
  ADD COLUMN closed_version bigint,  -- of one that has ended: a number from registry_version, so that prices have versions
  ADD COLUMN origin text NOT NULL DEFAULT '' CHECK (char_length(origin) <= 64);  -- of a curated price: the catalogue

DO $$
DECLARE
  name text;
BEGIN
  SELECT conname INTO STRICT name FROM pg_constraint WHERE conrelid = 'price'::regclass AND contype = 'x';
  EXECUTE format('ALTER TABLE price DROP CONSTRAINT %I', name);
END $$;
ALTER TABLE price ADD CONSTRAINT price_no_overlap EXCLUDE USING gist (model_id WITH =,
  (COALESCE(deployment_id, '00000000-0000-0000-0000-000000000000'::uuid)) WITH =, dimension WITH =,
  service_tier WITH =, min_context_tokens WITH =, utc_from WITH =, utc_to WITH =, source WITH =,
  tstzrange(effective_from, effective_to) WITH &&);

-- ---- catalogues ------------------------------------------------------------------------------------------------------

CREATE TABLE catalog_entry (
  source text NOT NULL CHECK (source IN ('litellm', 'models-dev', 'openrouter', 'ollama')),
  provider text NOT NULL CHECK (octet_length(provider) BETWEEN 1 AND 255 AND provider !~ '[[:cntrl:]]'),
  model_name text NOT NULL CHECK (octet_length(model_name) BETWEEN 1 AND 255 AND model_name !~ '[[:cntrl:]]'),
  -- Facts and prices in the words of records; a fact that is absent is unknown.
  entry jsonb NOT NULL CHECK (jsonb_typeof(entry) = 'object' AND octet_length(CAST(entry AS text)) <= 262144),
  -- A later entry whose prices are suspicious: it waits for a person.
  held jsonb CHECK (jsonb_typeof(held) = 'object' AND octet_length(CAST(held AS text)) <= 262144),
  held_reason text CHECK (char_length(held_reason) <= 1024),
  held_at timestamptz,
  imported_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  gone_at timestamptz,  -- since when the catalogue lacks it; what it said still counts
  PRIMARY KEY (source, provider, model_name),
  CHECK ((held IS NULL) = (held_reason IS NULL) AND (held IS NULL) = (held_at IS NULL))
);
CREATE INDEX catalog_entry_model ON catalog_entry (provider, model_name);

-- One row an import that was not a dry run.
CREATE TABLE catalog_import (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  source text NOT NULL CHECK (source IN ('litellm', 'models-dev', 'openrouter', 'ollama')),
  file_name text NOT NULL DEFAULT '' CHECK (char_length(file_name) <= 255),
  listed bigint NOT NULL,
  added bigint NOT NULL,
  changed bigint NOT NULL,
  unchanged bigint NOT NULL,
  gone bigint NOT NULL,
  held bigint NOT NULL,
  refused bigint NOT NULL,
  imported_by text NOT NULL CHECK (char_length(imported_by) <= 255),
  imported_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX catalog_import_source ON catalog_import (source, imported_at);

-- Puts what the catalogues say of a model into its row and its prices. Facts are merged, and a source that comes first
-- wins field by field: a provider's own list, then models.dev, then LiteLLM. Prices are of one source as a whole: the
-- provider's own list, then LiteLLM, which has the most dimensions, then models.dev. Returns whether anything changed;
-- the caller gives the model its version and publishes it.
CREATE FUNCTION tokenrail_curate(the_model uuid, by_whom text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  m record;
  e record;
  facts jsonb := '{}';
  capabilities jsonb := '{}';
  sources jsonb := '{}';
  wanted jsonb := '[]';
  origin_of_prices text := '';
  rows_changed bigint;
  changed boolean := false;
BEGIN
  SELECT id, org_id, provider, model_name, curated INTO m FROM model WHERE id = the_model AND deleted_at IS NULL;
  -- A row over the platform's has no facts of its own but those that people set.
  IF NOT FOUND OR (m.org_id IS NOT NULL AND EXISTS (SELECT 1 FROM model p WHERE p.org_id IS NULL AND p.deleted_at IS NULL
      AND p.provider = m.provider AND p.model_name = m.model_name)) THEN
    RETURN false;
  END IF;
  FOR e IN SELECT c.source, c.entry FROM catalog_entry c WHERE c.provider = m.provider AND c.model_name = m.model_name
      ORDER BY array_position(ARRAY['litellm', 'models-dev', 'openrouter', 'ollama'], c.source) LOOP
    facts := facts || (e.entry - 'prices' - 'capabilities');
    capabilities := capabilities || COALESCE(e.entry -> 'capabilities', '{}');
    sources := sources || COALESCE((SELECT jsonb_object_agg(k, e.source) FROM jsonb_object_keys(e.entry - 'prices') k), '{}');
  END LOOP;
  SELECT c.source, c.entry -> 'prices' INTO origin_of_prices, wanted FROM catalog_entry c
    WHERE c.provider = m.provider AND c.model_name = m.model_name AND jsonb_array_length(COALESCE(c.entry -> 'prices', '[]')) > 0
    ORDER BY array_position(ARRAY['openrouter', 'ollama', 'litellm', 'models-dev'], c.source) LIMIT 1;
  wanted := COALESCE(wanted, '[]');
  IF capabilities <> '{}' THEN facts := facts || jsonb_build_object('capabilities', capabilities); END IF;
  IF facts <> '{}' THEN facts := facts || jsonb_build_object('sources', sources); END IF;

  IF facts IS DISTINCT FROM m.curated THEN
    UPDATE model SET curated = facts WHERE id = the_model;
    changed := true;
  END IF;

  -- A price of this very moment was made by the same transaction, and has no history to keep.
  DELETE FROM price p WHERE p.model_id = the_model AND p.source = 'curated' AND p.deployment_id IS NULL AND
    p.effective_to IS NULL AND p.effective_from >= now() AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(wanted) w WHERE
      w ->> 'dimension' = p.dimension AND COALESCE(w ->> 'serviceTier', 'standard') = p.service_tier AND
      COALESCE(CAST(w ->> 'minContextTokens' AS bigint), 0) = p.min_context_tokens AND
      COALESCE(CAST(w ->> 'utcFrom' AS int), 0) = p.utc_from AND COALESCE(CAST(w ->> 'utcTo' AS int), 0) = p.utc_to AND
      CAST(w ->> 'micros' AS bigint) = p.amount);
  GET DIAGNOSTICS rows_changed = ROW_COUNT;
  changed := changed OR rows_changed > 0;
  UPDATE price p SET effective_to = now(), closed_version = nextval('registry_version') WHERE p.model_id = the_model AND p.source = 'curated' AND
    p.deployment_id IS NULL AND p.effective_to IS NULL AND NOT EXISTS (SELECT 1 FROM jsonb_array_elements(wanted) w WHERE
      w ->> 'dimension' = p.dimension AND COALESCE(w ->> 'serviceTier', 'standard') = p.service_tier AND
      COALESCE(CAST(w ->> 'minContextTokens' AS bigint), 0) = p.min_context_tokens AND
      COALESCE(CAST(w ->> 'utcFrom' AS int), 0) = p.utc_from AND COALESCE(CAST(w ->> 'utcTo' AS int), 0) = p.utc_to AND
      CAST(w ->> 'micros' AS bigint) = p.amount);
  GET DIAGNOSTICS rows_changed = ROW_COUNT;
  changed := changed OR rows_changed > 0;
  INSERT INTO price (model_id, dimension, service_tier, min_context_tokens, utc_from, utc_to, amount, source, origin,
      created_by)
    SELECT the_model, w ->> 'dimension', COALESCE(w ->> 'serviceTier', 'standard'),
      COALESCE(CAST(w ->> 'minContextTokens' AS bigint), 0), COALESCE(CAST(w ->> 'utcFrom' AS int), 0),
      COALESCE(CAST(w ->> 'utcTo' AS int), 0), CAST(w ->> 'micros' AS bigint), 'curated', origin_of_prices,
      left(by_whom, 255)
    FROM jsonb_array_elements(wanted) w WHERE NOT EXISTS (SELECT 1 FROM price p WHERE p.model_id = the_model AND
      p.source = 'curated' AND p.deployment_id IS NULL AND p.effective_to IS NULL AND
      w ->> 'dimension' = p.dimension AND COALESCE(w ->> 'serviceTier', 'standard') = p.service_tier AND
      COALESCE(CAST(w ->> 'minContextTokens' AS bigint), 0) = p.min_context_tokens AND
      COALESCE(CAST(w ->> 'utcFrom' AS int), 0) = p.utc_from AND COALESCE(CAST(w ->> 'utcTo' AS int), 0) = p.utc_to);
  GET DIAGNOSTICS rows_changed = ROW_COUNT;
  RETURN changed OR rows_changed > 0;
END $$;

-- A model that a list adds has its curated facts and prices in its first event.
CREATE FUNCTION tokenrail_curate_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM catalog_entry c WHERE c.provider = NEW.provider AND c.model_name = NEW.model_name) THEN
    PERFORM tokenrail_curate(NEW.id, 'catalog');
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER model_curated AFTER INSERT ON model FOR EACH ROW EXECUTE FUNCTION tokenrail_curate_new();

-- ---- rights ----------------------------------------------------------------------------------------------------------

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['catalog_entry', 'catalog_import'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY owner_all ON %I TO %I USING (true) WITH CHECK (true)', name, current_user);
    EXECUTE format('CREATE POLICY app_read ON %I FOR SELECT TO tokenrail_app USING (true)', name);
    EXECUTE format('CREATE POLICY app_write ON %I TO tokenrail_app USING (tokenrail_platform()) WITH CHECK '
      '(tokenrail_platform())', name);
  END LOOP;
END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON catalog_entry, catalog_import TO tokenrail_app;
