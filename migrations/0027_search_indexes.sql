-- A list of the models with a tag, or with a part of a name, reads those models only, by an index. Before, it read all models.
--
-- A binary from before this migration does not use the indexes. It needs the extension pg_trgm, which comes with PostgreSQL as
-- btree_gist does.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- What a search looks at of one row, in lower case: its own words, those of a catalogue, and what follows from the name.
CREATE FUNCTION tokenrail_searched(slug text, display_name text, curated jsonb, inferred jsonb) RETURNS text LANGUAGE sql
  IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(slug || ' ' || display_name || ' ' || COALESCE(curated ->> 'displayName', '') || ' ' ||
      COALESCE(inferred ->> 'displayName', ''))
  $$;
CREATE INDEX model_searched ON model USING gin (tokenrail_searched(slug, display_name, curated, inferred) gin_trgm_ops)
  WHERE deleted_at IS NULL;

-- Names of the models of which a row has all of the tags, or a text like the pattern: the platform's rows, and those of the
-- organisation or of the user. The tags and the names of a model are each of one of its rows, so that no model is missed. Of
-- more than 5,000 rows of the platform one more than that is found: where so many are, it is sooner to read all models.
--
-- Behind row-level security these indexes are not usable, since their operators are not leak-proof. So these functions run as
-- the owner of the tables and look at the scope themselves. Whoever reads rows by these names is held to the policies there.
DO $$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT * FROM (VALUES
      ('tokenrail_models_tagged', 'text[]', 'm.tags @> wanted'),
      ('tokenrail_models_like', 'text',
       'tokenrail_searched(m.slug, m.display_name, m.curated, m.inferred) LIKE lower(wanted)')) f (name, type, condition) LOOP
    EXECUTE format($f$
      CREATE FUNCTION %I(wanted %s, the_org text, the_user text)
        RETURNS TABLE (provider text, model_name text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = %I, pg_temp
        AS $body$
          (SELECT m.provider, m.model_name FROM model m WHERE m.deleted_at IS NULL AND m.org_id IS NULL AND %s LIMIT 5001)
          UNION
          SELECT m.provider, m.model_name FROM model m WHERE m.deleted_at IS NULL AND m.org_id = the_org AND
            m.owner_user_id IS NOT DISTINCT FROM the_user AND %s AND
            (tokenrail_platform() OR (the_org = tokenrail_org() AND (the_user IS NULL OR the_user = tokenrail_user())))
        $body$
    $f$, one.name, one.type, current_schema(), one.condition, one.condition);
    EXECUTE format('REVOKE ALL ON FUNCTION %I(%s, text, text) FROM PUBLIC', one.name, one.type);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I(%s, text, text) TO tokenrail_app', one.name, one.type);
  END LOOP;
END $$;
