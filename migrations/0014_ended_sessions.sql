-- Sessions of browsers that have ended before their time: by a log-out, by a log-out everywhere, and by the removal of a
-- member. Before, a log-out only made the browser forget its cookie, and a copy of the cookie was valid until its end.
--
-- Cookies of a program from before this migration have no id, so their owners log in once more. The older program does not
-- look at these tables.

-- Removed when the session would have ended by itself.
CREATE TABLE ended_session (
  id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{16,64}$'),
  issuer text NOT NULL CHECK (octet_length(issuer) BETWEEN 1 AND 1024),
  subject text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 256),
  ended_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX ended_session_expires ON ended_session (expires_at);

-- How often all sessions of a person were ended. A session has the number of its login, and one with a lower number has
-- ended. No clock is compared. No row: never.
CREATE TABLE session_generation (
  issuer text NOT NULL CHECK (octet_length(issuer) BETWEEN 1 AND 1024),
  subject text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 256),
  generation bigint NOT NULL CHECK (generation > 0),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject)
);

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['ended_session', 'session_generation'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY owner_all ON %I TO %I USING (true) WITH CHECK (true)', name, current_user);
  END LOOP;
END $$;
-- A person ends their own sessions. Whoever removes a member ends that member's.
CREATE POLICY app_own ON ended_session TO tokenrail_app
  USING (tokenrail_platform() OR subject = tokenrail_user()) WITH CHECK (tokenrail_platform() OR subject = tokenrail_user());
CREATE POLICY app_own ON session_generation TO tokenrail_app
  USING (tokenrail_platform() OR subject = tokenrail_user() OR EXISTS (SELECT 1 FROM membership m JOIN principal p ON
    p.id = m.principal_id WHERE p.issuer = session_generation.issuer AND p.subject = session_generation.subject))
  WITH CHECK (tokenrail_platform() OR subject = tokenrail_user() OR EXISTS (SELECT 1 FROM membership m JOIN principal p ON
    p.id = m.principal_id WHERE p.issuer = session_generation.issuer AND p.subject = session_generation.subject));
GRANT SELECT, INSERT ON ended_session TO tokenrail_app;
GRANT SELECT, INSERT, UPDATE ON session_generation TO tokenrail_app;
