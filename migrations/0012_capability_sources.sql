-- Which catalogue said what of a model is kept for each capability, not only for all of them together.
--
-- Models that were curated before get it with the next change of one of their entries; until then the catalogue of all
-- capabilities is named. A binary from before this migration does not read it.

CREATE OR REPLACE FUNCTION tokenrail_curate(the_model uuid, by_whom text) RETURNS boolean LANGUAGE plpgsql AS $$
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
    sources := sources || COALESCE((SELECT jsonb_object_agg('capabilities.' || k, e.source) FROM
      jsonb_object_keys(COALESCE(e.entry -> 'capabilities', '{}')) k), '{}');
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
