-- A list of the models that have some capabilities reads those models only, by an index. Before, it read all models.
--
-- A binary from before this migration does not use the index. The index that goes was used by no statement.

-- What a row says is supported: its own words, then those of a catalogue, then what follows from the name.
CREATE FUNCTION tokenrail_supported(own jsonb, curated jsonb, inferred jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE
  PARALLEL SAFE AS $$
    SELECT COALESCE(array_agg(c.key ORDER BY c.key), '{}') FROM jsonb_each_text(COALESCE(inferred -> 'capabilities', '{}') ||
      COALESCE(curated -> 'capabilities', '{}') || COALESCE((SELECT jsonb_object_agg(k.key, k.value) FROM jsonb_each(own) k
        WHERE k.value <> '"unknown"'), '{}')) c
    WHERE c.value = 'supported'
  $$;

DROP INDEX model_capabilities;
CREATE INDEX model_supported ON model USING gin (tokenrail_supported(capabilities, curated, inferred))
  WHERE deleted_at IS NULL;

-- Names of the models of the platform that support all of `wanted`, and of those that a row of the organisation or of the
-- user says one of them is supported for. A model that has all of them, the own row over the platform's, is among them.
--
-- Behind row-level security the index is not usable, since comparing arrays is not leak-proof. So this runs as the owner
-- of the tables and looks at the scope itself. Whoever reads rows by these names is held to the policies there.
DO $$
BEGIN
  EXECUTE format($f$
    CREATE FUNCTION tokenrail_models_with(wanted text[], the_org text, the_user text)
      RETURNS TABLE (provider text, model_name text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = %I, pg_temp
      AS $body$
        SELECT m.provider, m.model_name FROM model m WHERE m.deleted_at IS NULL AND m.org_id IS NULL AND
          tokenrail_supported(m.capabilities, m.curated, m.inferred) @> wanted
        UNION
        SELECT m.provider, m.model_name FROM model m WHERE m.deleted_at IS NULL AND m.org_id = the_org AND
          m.owner_user_id IS NOT DISTINCT FROM the_user AND
          tokenrail_supported(m.capabilities, m.curated, m.inferred) && wanted AND
          (tokenrail_platform() OR (the_org = tokenrail_org() AND (the_user IS NULL OR the_user = tokenrail_user())))
      $body$
  $f$, current_schema());
END $$;
REVOKE ALL ON FUNCTION tokenrail_models_with(text[], text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tokenrail_models_with(text[], text, text) TO tokenrail_app;
