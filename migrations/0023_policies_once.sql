-- What row-level security compares rows with is read once in a statement. Before, each policy read the settings of the caller for
-- each row: most of the time of a list that counts 100,000 models went there.
--
-- The policies let the same rows through as before, for every binary.

DO $$
DECLARE
  name text;
  is_own constant text := '((SELECT tokenrail_platform()) OR (org_id = (SELECT tokenrail_org()) AND (owner_user_id IS NULL OR '
    'owner_user_id = (SELECT tokenrail_user()))))';
BEGIN
  FOREACH name IN ARRAY ARRAY['connection', 'model', 'model_default', 'model_alias', 'model_view'] LOOP
    EXECUTE format('ALTER POLICY app_read ON %I USING (org_id IS NULL OR %s)', name, is_own);
    EXECUTE format('ALTER POLICY app_write ON %I USING %s WITH CHECK %s', name, is_own, is_own);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['credential', 'membership', 'api_token', 'model_grant', 'dependency', 'connection_test'] LOOP
    EXECUTE format('ALTER POLICY app_own ON %I USING ((SELECT tokenrail_platform()) OR org_id = (SELECT tokenrail_org())) '
      'WITH CHECK ((SELECT tokenrail_platform()) OR org_id = (SELECT tokenrail_org()))', name);
  END LOOP;
END $$;
ALTER POLICY app_audit_read ON audit_log USING ((SELECT tokenrail_platform()) OR org_id = (SELECT tokenrail_org()));
