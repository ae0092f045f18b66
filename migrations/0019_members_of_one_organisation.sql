-- What an organisation does with its members concerns that organisation only. The name that it gives a member is its own:
-- before, the name of the organisation that came first was shown to all. The removal of a member takes the roles that the
-- member's sessions claim in that organisation. Before, it ended all sessions of the person, so that an organisation could end
-- those of anybody by adding and removing them.
--
-- A binary from before this migration goes on as it did: it shows and writes one name for all, and ends all sessions of a
-- removed member. It does not look at ended_role.

ALTER TABLE membership ADD COLUMN display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 255);
-- The name is that of the organisation where the person was a member first.
UPDATE membership m SET display_name = p.display_name FROM principal p WHERE p.id = m.principal_id AND NOT EXISTS (SELECT 1
  FROM membership e WHERE e.principal_id = m.principal_id AND (e.created_at, e.org_id) < (m.created_at, m.org_id));

-- Sessions with a lower number give no role in the organisation by themselves. The numbers are those of session_generation: a
-- session has the highest of both tables when it begins.
CREATE TABLE ended_role (
  issuer text NOT NULL CHECK (octet_length(issuer) BETWEEN 1 AND 1024),
  subject text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 256),
  org_id text NOT NULL REFERENCES organization (id),
  generation bigint NOT NULL CHECK (generation > 0),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (issuer, subject, org_id)
);
ALTER TABLE ended_role ENABLE ROW LEVEL SECURITY;
ALTER TABLE ended_role FORCE ROW LEVEL SECURITY;
DO $$ BEGIN EXECUTE format('CREATE POLICY owner_all ON ended_role TO %I USING (true) WITH CHECK (true)', current_user); END $$;
-- A person who ends all own sessions reads these rows, and the tables' owner writes them.
CREATE POLICY app_read ON ended_role FOR SELECT TO tokenrail_app USING (tokenrail_platform() OR subject = tokenrail_user());
GRANT SELECT ON ended_role TO tokenrail_app;
