-- A connection whose list may be another one is synced at once: after its address, its key, its globs, its interval or whether it is
-- synced have changed. Before, a connection that was down because of a wrong address or key waited for its next turn.
--
-- At the end of the transaction, so that a long one does not hold back the renewals of processes that sync. The role of people's
-- changes has no rights on connection_lease: the function runs as the owner of the tables. A connection without a row there is due
-- anyway.
--
-- A binary from before this migration makes connections due by its changes, too. A registry-sync from before it claims them.

DO $$
BEGIN
  EXECUTE format($f$
    CREATE FUNCTION tokenrail_connection_due() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp
      AS $body$
      BEGIN
        UPDATE connection_lease SET due_at = '-infinity', asked_at = clock_timestamp(), trigger = 'event'
          WHERE connection_id = NEW.id;
        RETURN NULL;
      END
      $body$
  $f$, current_schema());
END $$;
REVOKE ALL ON FUNCTION tokenrail_connection_due() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER connection_due
  AFTER UPDATE OF base_url, auth_type, auth_name, credential_id, credential_version, include_globs, exclude_globs, enabled,
    sync_enabled, sync_interval_s ON connection
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
  WHEN (NEW.deleted_at IS NULL AND
    (OLD.base_url, OLD.auth_type, OLD.auth_name, OLD.credential_id, OLD.credential_version, OLD.include_globs, OLD.exclude_globs,
      OLD.enabled, OLD.sync_enabled, OLD.sync_interval_s) IS DISTINCT FROM
    (NEW.base_url, NEW.auth_type, NEW.auth_name, NEW.credential_id, NEW.credential_version, NEW.include_globs, NEW.exclude_globs,
      NEW.enabled, NEW.sync_enabled, NEW.sync_interval_s))
  EXECUTE FUNCTION tokenrail_connection_due();
