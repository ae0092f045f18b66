-- Organisations govern their models: members and service tokens, sealed credentials, aliases, grants, views, prices,
-- dependents, an audit log, and row-level security as a second wall behind the programs' own filters.
--
-- A binary before this migration goes on working: it neither reads nor writes what is new here, and connects as the
-- owner of the tables, for whom every row is visible.

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- A moment as the programs show it (RFC 3339, UTC, milliseconds).
CREATE FUNCTION tokenrail_time(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

-- ---- organisations, people, tokens -----------------------------------------------------------------------------------

ALTER TABLE organization
  -- open: every enabled model of the platform may be used. allow_list: only models that the organisation has a row of
  -- its own for, or that are granted.
  ADD COLUMN mode text NOT NULL DEFAULT 'open' CHECK (mode IN ('open', 'allow_list')),
  ADD COLUMN strict_default boolean NOT NULL DEFAULT false,
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}'
    CHECK (jsonb_typeof(metadata) = 'object' AND pg_column_size(metadata) <= 32768),
  ADD COLUMN grants_version bigint NOT NULL DEFAULT 0,
  ADD COLUMN version bigint NOT NULL DEFAULT nextval('registry_version');

CREATE TABLE principal (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  issuer text NOT NULL CHECK (octet_length(issuer) BETWEEN 1 AND 1024),
  subject text NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 256 AND subject !~ '[[:cntrl:]]'),
  kind text NOT NULL DEFAULT 'user' CHECK (kind IN ('user', 'service')),
  display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 255),
  platform_admin boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (issuer, subject)
);

CREATE TABLE membership (
  org_id text NOT NULL REFERENCES organization (id),
  principal_id uuid NOT NULL REFERENCES principal (id) ON DELETE CASCADE,
  role text NOT NULL CHECK (role IN ('viewer', 'member', 'model_admin', 'org_admin')),
  -- Permissions that this member does not have, whatever the role gives.
  denied text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, principal_id)
);
CREATE INDEX membership_principal ON membership (principal_id);

CREATE TABLE api_token (
  id text PRIMARY KEY CHECK (id ~ '^[A-Za-z0-9_-]{8,64}$'),
  org_id text REFERENCES organization (id),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  role text NOT NULL CHECK (role IN ('viewer', 'member', 'model_admin', 'org_admin', 'platform_admin')),
  created_by text NOT NULL CHECK (char_length(created_by) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  CHECK ((role = 'platform_admin') = (org_id IS NULL))
);
CREATE INDEX api_token_org ON api_token (org_id, created_at);

-- ---- credentials -----------------------------------------------------------------------------------------------------

-- A key of a provider, sealed before it comes here: nothing in this database opens it.
CREATE TABLE credential (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text REFERENCES organization (id),
  owner_user_id text CHECK (owner_user_id !~ '[/[:cntrl:]]' AND octet_length(owner_user_id) BETWEEN 1 AND 256),
  provider text NOT NULL REFERENCES provider (slug),
  label text NOT NULL CHECK (char_length(label) BETWEEN 1 AND 255 AND label !~ '[[:cntrl:]]'),
  sealed text CHECK (octet_length(sealed) <= 65536),  -- base64; NULL once it is revoked
  key_id text CHECK (octet_length(key_id) BETWEEN 1 AND 64),
  fingerprint text NOT NULL CHECK (octet_length(fingerprint) <= 64),
  last4 text NOT NULL DEFAULT '' CHECK (octet_length(last4) <= 16),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  -- The version of the secret; what is bound into the seal. `version` counts every change of the row.
  secret_version bigint NOT NULL DEFAULT 1 CHECK (secret_version >= 1),
  version bigint NOT NULL DEFAULT nextval('registry_version'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (owner_user_id IS NULL OR org_id IS NOT NULL),
  CHECK ((sealed IS NULL) = (revoked_at IS NOT NULL)),
  CHECK ((sealed IS NULL) = (key_id IS NULL))
);
CREATE UNIQUE INDEX credential_label ON credential (org_id, owner_user_id, provider, label) NULLS NOT DISTINCT
  WHERE revoked_at IS NULL;
CREATE INDEX credential_key ON credential (key_id) WHERE key_id IS NOT NULL;
-- For foreign keys that hold a row's scope too: a connection of one organisation never uses the key of another.
CREATE UNIQUE INDEX credential_scope ON credential (id, org_id) NULLS NOT DISTINCT;

ALTER TABLE connection
  ADD CONSTRAINT connection_credential FOREIGN KEY (credential_id) REFERENCES credential (id),
  ADD COLUMN auth_name text NOT NULL DEFAULT '' CHECK (octet_length(auth_name) <= 128 AND auth_name ~ '^[!-~]*$'),
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}'
    CHECK (jsonb_typeof(metadata) = 'object' AND pg_column_size(metadata) <= 32768);
CREATE INDEX connection_credential_id ON connection (credential_id) WHERE credential_id IS NOT NULL;

-- ---- models ----------------------------------------------------------------------------------------------------------

ALTER TABLE model
  -- NULL, in an organisation's or a user's row: as the row above it says.
  ALTER COLUMN enabled DROP NOT NULL,
  ADD CONSTRAINT model_platform_enabled CHECK (enabled IS NOT NULL OR org_id IS NOT NULL),
  ADD COLUMN last_seen_at timestamptz,
  ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}'
    CHECK (jsonb_typeof(metadata) = 'object' AND pg_column_size(metadata) <= 32768),
  ADD CONSTRAINT model_tags CHECK (cardinality(tags) <= 64);
-- Pages of the platform's models, in order.
CREATE INDEX model_platform_slug ON model (slug, id) WHERE org_id IS NULL AND deleted_at IS NULL;

-- What a unit costs, in millionths of a US dollar per million units. No row: unknown, never free.
CREATE TABLE price (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  model_id uuid NOT NULL REFERENCES model (id),
  deployment_id uuid REFERENCES deployment (id),
  dimension text NOT NULL CHECK (dimension IN ('input', 'output', 'cache_read', 'cache_write', 'cache_write_1h',
    'reasoning', 'audio_in', 'audio_out', 'image_in', 'image_out', 'per_image', 'per_request', 'per_second',
    'per_page', 'search')),
  service_tier text NOT NULL DEFAULT 'standard' CHECK (service_tier IN ('standard', 'batch', 'flex', 'priority')),
  min_context_tokens bigint NOT NULL DEFAULT 0 CHECK (min_context_tokens >= 0),
  amount bigint NOT NULL CHECK (amount >= 0),
  currency text NOT NULL DEFAULT 'USD' CHECK (currency = 'USD'),
  effective_from timestamptz NOT NULL DEFAULT now(),
  effective_to timestamptz,
  source text NOT NULL CHECK (source IN ('override', 'provider', 'curated', 'inferred')),
  version bigint NOT NULL DEFAULT nextval('registry_version'),
  created_by text NOT NULL CHECK (char_length(created_by) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (effective_to IS NULL OR effective_to > effective_from),
  EXCLUDE USING gist (model_id WITH =,
    (COALESCE(deployment_id, '00000000-0000-0000-0000-000000000000'::uuid)) WITH =, dimension WITH =,
    service_tier WITH =, min_context_tokens WITH =, source WITH =,
    tstzrange(effective_from, effective_to) WITH &&)
);
CREATE INDEX price_model ON price (model_id);

CREATE TABLE quality_score (
  model_id uuid NOT NULL REFERENCES model (id),
  metric text NOT NULL CHECK (char_length(metric) BETWEEN 1 AND 64),
  source text NOT NULL CHECK (char_length(source) BETWEEN 1 AND 255),
  score numeric(5, 4) NOT NULL CHECK (score BETWEEN 0 AND 1),
  measured_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model_id, metric, source)
);

-- A name that stands for a model, or for a set of models by weight (A/B).
CREATE TABLE model_alias (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text REFERENCES organization (id),
  owner_user_id text CHECK (owner_user_id !~ '[/[:cntrl:]]' AND octet_length(owner_user_id) BETWEEN 1 AND 256),
  alias text NOT NULL CHECK (octet_length(alias) BETWEEN 1 AND 255 AND alias !~ '[[:cntrl:]]'),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 1024),
  sticky text NOT NULL DEFAULT 'conversation' CHECK (sticky IN ('none', 'conversation', 'user')),
  version bigint NOT NULL DEFAULT nextval('registry_version'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (owner_user_id IS NULL OR org_id IS NOT NULL)
);
CREATE UNIQUE INDEX model_alias_name ON model_alias (org_id, owner_user_id, alias) NULLS NOT DISTINCT;

CREATE TABLE model_alias_target (
  alias_id uuid NOT NULL REFERENCES model_alias (id) ON DELETE CASCADE,
  model_id uuid NOT NULL REFERENCES model (id),
  weight int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1000000),
  PRIMARY KEY (alias_id, model_id)
);
CREATE INDEX model_alias_target_model ON model_alias_target (model_id);

ALTER TABLE model_default ADD COLUMN version bigint NOT NULL DEFAULT nextval('registry_version');

-- A saved filter with pinned models.
CREATE TABLE model_view (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text REFERENCES organization (id),
  owner_user_id text CHECK (owner_user_id !~ '[/[:cntrl:]]' AND octet_length(owner_user_id) BETWEEN 1 AND 256),
  name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 255 AND name !~ '[[:cntrl:]]'),
  filter jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(filter) = 'object' AND pg_column_size(filter) <= 32768),
  pins uuid[] NOT NULL DEFAULT '{}' CHECK (cardinality(pins) <= 1000),
  order_by text NOT NULL DEFAULT 'slug' CHECK (char_length(order_by) <= 64),
  version bigint NOT NULL DEFAULT nextval('registry_version'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (owner_user_id IS NULL OR org_id IS NOT NULL)
);
CREATE UNIQUE INDEX model_view_name ON model_view (org_id, owner_user_id, name) NULLS NOT DISTINCT;

-- Who in an organisation may, or may not, use what.
CREATE TABLE model_grant (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text NOT NULL REFERENCES organization (id),
  subject_kind text NOT NULL CHECK (subject_kind IN ('org', 'group', 'user')),
  subject text NOT NULL DEFAULT '' CHECK (octet_length(subject) <= 256 AND subject !~ '[[:cntrl:]]'),
  object_kind text NOT NULL CHECK (object_kind IN ('model', 'connection', 'view', 'alias')),
  object_id uuid NOT NULL,
  effect text NOT NULL DEFAULT 'allow' CHECK (effect IN ('allow', 'deny')),
  created_by text NOT NULL CHECK (char_length(created_by) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((subject_kind = 'org') = (subject = '')),
  UNIQUE (org_id, subject_kind, subject, object_kind, object_id)
);
CREATE INDEX model_grant_object ON model_grant (object_id);

-- What would break without a model: told by its owner (a chat profile, a knowledge base, a conversation).
CREATE TABLE dependency (
  model_id uuid NOT NULL REFERENCES model (id),
  org_id text NOT NULL REFERENCES organization (id),
  ref_type text NOT NULL CHECK (ref_type IN ('profile', 'knowledge_base', 'conversation', 'view', 'other')),
  ref_id text NOT NULL CHECK (octet_length(ref_id) BETWEEN 1 AND 256 AND ref_id !~ '[[:cntrl:]]'),
  label text NOT NULL DEFAULT '' CHECK (char_length(label) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model_id, org_id, ref_type, ref_id)
);
CREATE INDEX dependency_org ON dependency (org_id);

CREATE TABLE connection_test (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  connection_id uuid REFERENCES connection (id),
  org_id text REFERENCES organization (id),
  outcome text NOT NULL CHECK (char_length(outcome) <= 64),
  stages jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(stages) = 'array'),
  latency_ms bigint NOT NULL DEFAULT 0 CHECK (latency_ms >= 0),
  tested_by text NOT NULL CHECK (char_length(tested_by) <= 255),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX connection_test_connection ON connection_test (connection_id, created_at);

-- ---- what was done, and by whom --------------------------------------------------------------------------------------

CREATE TABLE audit_log (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE DEFAULT tokenrail_uuid_v7(),
  org_id text,  -- NULL: the platform's
  actor text NOT NULL CHECK (char_length(actor) <= 255),
  action text NOT NULL CHECK (char_length(action) BETWEEN 1 AND 64),
  target_type text NOT NULL CHECK (char_length(target_type) BETWEEN 1 AND 64),
  target_id text NOT NULL DEFAULT '' CHECK (octet_length(target_id) <= 512),
  target_name text NOT NULL DEFAULT '' CHECK (octet_length(target_name) <= 1024),
  before jsonb,
  after jsonb,
  version bigint,
  cause text NOT NULL DEFAULT 'api' CHECK (char_length(cause) <= 64),
  request_id text NOT NULL DEFAULT '' CHECK (octet_length(request_id) <= 128),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_org ON audit_log (org_id, seq);
CREATE INDEX audit_log_target ON audit_log (target_id, seq);

CREATE FUNCTION tokenrail_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The audit log is only added to.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION tokenrail_refuse_change();

-- The answer to a request that was sent with an Idempotency-Key, for the next one with the same key.
CREATE TABLE idempotency (
  org_id text NOT NULL DEFAULT '',  -- empty: the platform's
  principal text NOT NULL CHECK (octet_length(principal) BETWEEN 1 AND 512),
  key text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
  request_sha256 text NOT NULL CHECK (octet_length(request_sha256) = 64),
  status int,  -- NULL: it is still being answered
  headers jsonb NOT NULL DEFAULT '{}',
  body text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL DEFAULT now() + interval '24 hours',
  PRIMARY KEY (org_id, principal, key)
);
CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- ---- row-level security ----------------------------------------------------------------------------------------------

-- What the registry API does for a caller, it does as this role, which owns nothing, with the caller's organisation in
-- `tokenrail.org_id`, the user in `tokenrail.user_id`, and `tokenrail.platform` = 'on' for a platform administrator.
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'tokenrail_app') THEN
    CREATE ROLE tokenrail_app NOLOGIN;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'The role tokenrail_app is missing, and % may not create it. Ask a database administrator to run: '
      'CREATE ROLE tokenrail_app NOLOGIN; GRANT tokenrail_app TO %', current_user, current_user;
  WHEN duplicate_object OR unique_violation THEN NULL;  -- made by another database's migration at the same moment
END $$;
DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'tokenrail_app', 'MEMBER') THEN
    EXECUTE format('GRANT tokenrail_app TO %I', current_user);
  END IF;
END $$;

CREATE FUNCTION tokenrail_org() RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT NULLIF(current_setting('tokenrail.org_id', true), '') $$;
CREATE FUNCTION tokenrail_user() RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT NULLIF(current_setting('tokenrail.user_id', true), '') $$;
CREATE FUNCTION tokenrail_platform() RETURNS boolean LANGUAGE sql STABLE AS
  $$ SELECT COALESCE(current_setting('tokenrail.platform', true), '') = 'on' $$;

DO $$
DECLARE
  name text;
BEGIN
  -- Every table that belongs to someone. The owner of the tables (migrations, registry-sync, the CLI) sees all rows by a
  -- policy of its own, since FORCE holds for owners too.
  FOREACH name IN ARRAY ARRAY['organization', 'membership', 'principal', 'api_token', 'credential', 'connection', 'model',
    'deployment', 'model_default', 'model_revision', 'model_alias', 'model_alias_target', 'model_view', 'model_grant',
    'price', 'quality_score', 'dependency', 'connection_test', 'audit_log', 'idempotency', 'outbox', 'sync_request',
    'sync_run', 'provider_snapshot', 'held_change'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY owner_all ON %I TO %I USING (true) WITH CHECK (true)', name, current_user);
  END LOOP;

  -- Rows of an organisation, of one user in it, or of the platform: the platform's are read by everybody.
  FOREACH name IN ARRAY ARRAY['connection', 'model', 'model_default', 'model_alias', 'model_view'] LOOP
    EXECUTE format('CREATE POLICY app_read ON %I FOR SELECT TO tokenrail_app USING (tokenrail_platform() OR org_id IS '
      'NULL OR (org_id = tokenrail_org() AND (owner_user_id IS NULL OR owner_user_id = tokenrail_user())))', name);
    EXECUTE format('CREATE POLICY app_write ON %I TO tokenrail_app USING (tokenrail_platform() OR (org_id = '
      'tokenrail_org() AND (owner_user_id IS NULL OR owner_user_id = tokenrail_user()))) WITH CHECK '
      '(tokenrail_platform() OR (org_id = tokenrail_org() AND (owner_user_id IS NULL OR owner_user_id = '
      'tokenrail_user())))', name);
  END LOOP;

  -- Rows that only their organisation sees.
  FOREACH name IN ARRAY ARRAY['credential', 'membership', 'api_token', 'model_grant', 'dependency', 'connection_test'] LOOP
    EXECUTE format('CREATE POLICY app_own ON %I TO tokenrail_app USING (tokenrail_platform() OR org_id = '
      'tokenrail_org()) WITH CHECK (tokenrail_platform() OR org_id = tokenrail_org())', name);
  END LOOP;

  -- Rows that belong to a model or a connection: whoever sees that sees them; who may write them, the program decides by
  -- the same rows.
  FOREACH name IN ARRAY ARRAY['deployment', 'model_revision', 'price', 'quality_score'] LOOP
    EXECUTE format('CREATE POLICY app_of_model ON %I TO tokenrail_app USING (EXISTS (SELECT 1 FROM model m WHERE m.id = '
      '%I.model_id)) WITH CHECK (EXISTS (SELECT 1 FROM model m WHERE m.id = %I.model_id AND (tokenrail_platform() OR '
      'm.org_id = tokenrail_org())))', name, name, name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['sync_run', 'held_change', 'provider_snapshot'] LOOP
    EXECUTE format('CREATE POLICY app_of_connection ON %I TO tokenrail_app USING (EXISTS (SELECT 1 FROM connection c '
      'WHERE c.id = %I.connection_id AND (tokenrail_platform() OR c.org_id = tokenrail_org())))', name, name);
  END LOOP;
END $$;

CREATE POLICY app_alias_target ON model_alias_target TO tokenrail_app
  USING (EXISTS (SELECT 1 FROM model_alias a WHERE a.id = alias_id))
  WITH CHECK (EXISTS (SELECT 1 FROM model_alias a WHERE a.id = alias_id AND (tokenrail_platform() OR
    a.org_id = tokenrail_org())) AND EXISTS (SELECT 1 FROM model m WHERE m.id = model_id));
CREATE POLICY app_organization ON organization TO tokenrail_app
  USING (tokenrail_platform() OR id = tokenrail_org()) WITH CHECK (tokenrail_platform() OR id = tokenrail_org());
CREATE POLICY app_principal ON principal TO tokenrail_app
  USING (tokenrail_platform() OR EXISTS (SELECT 1 FROM membership m WHERE m.principal_id = principal.id))
  WITH CHECK (tokenrail_platform() OR NOT platform_admin);
CREATE POLICY app_audit_read ON audit_log FOR SELECT TO tokenrail_app
  USING (tokenrail_platform() OR org_id = tokenrail_org());
CREATE POLICY app_audit_add ON audit_log FOR INSERT TO tokenrail_app
  WITH CHECK (tokenrail_platform() OR org_id = tokenrail_org());
CREATE POLICY app_idempotency ON idempotency TO tokenrail_app
  USING (tokenrail_platform() OR org_id = COALESCE(tokenrail_org(), ''))
  WITH CHECK (tokenrail_platform() OR org_id = COALESCE(tokenrail_org(), ''));
-- Events are added by every change; only the relay, which is the owner, reads them.
CREATE POLICY app_outbox_add ON outbox FOR INSERT TO tokenrail_app WITH CHECK (true);
CREATE POLICY app_sync_request ON sync_request TO tokenrail_app
  USING (tokenrail_platform() OR EXISTS (SELECT 1 FROM connection c WHERE c.id = connection_id AND
    c.org_id = tokenrail_org()))
  WITH CHECK (tokenrail_platform() OR EXISTS (SELECT 1 FROM connection c WHERE c.id = connection_id AND
    c.org_id = tokenrail_org()));

DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO tokenrail_app', current_schema()); END $$;
GRANT USAGE ON SEQUENCE registry_version TO tokenrail_app;
GRANT SELECT ON provider TO tokenrail_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON organization, principal, membership, api_token, credential, connection, model,
  deployment, model_default, model_alias, model_alias_target, model_view, model_grant, price, quality_score, dependency,
  connection_test, idempotency TO tokenrail_app;
GRANT SELECT, INSERT ON model_revision, audit_log, sync_request TO tokenrail_app;
GRANT SELECT ON sync_run, held_change TO tokenrail_app;
GRANT UPDATE (decision, decided_by, decided_at) ON held_change TO tokenrail_app;
GRANT INSERT ON outbox TO tokenrail_app;
