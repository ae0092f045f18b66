-- A user's credentials, the tests of a user's connections, and what depends on a user's models are seen by that user alone, in the
-- database too. Before, row-level security showed them to all of the organisation, and only the programs' own filters did not.
--
-- A binary from before this migration reads and writes these rows as their user, as before.

DO $$
DECLARE
  in_org constant text := '((SELECT tokenrail_platform()) OR org_id = (SELECT tokenrail_org()))';
  one record;
BEGIN
  FOR one IN SELECT * FROM (VALUES
      ('credential', '((SELECT tokenrail_platform()) OR owner_user_id IS NULL OR owner_user_id = (SELECT tokenrail_user()))'),
      -- Row-level security shows the connections and the models of other users to none of these.
      ('connection_test', '(connection_id IS NULL OR EXISTS (SELECT 1 FROM connection c WHERE c.id = connection_id))'),
      ('dependency', 'EXISTS (SELECT 1 FROM model m WHERE m.id = model_id)')) p (name, seen) LOOP
    EXECUTE format('ALTER POLICY app_own ON %I USING (%s AND %s) WITH CHECK (%s AND %s)', one.name, in_org, one.seen, in_org,
      one.seen);
  END LOOP;
END $$;
