-- The registry: who offers which models, under which names and limits, and the history and outbox of every change.
--
-- The first migration, so no older binary has to live beside it. Later ones only add, or change in steps that the
-- binary before them can live with. Rules that hold whatever writes here (text limits, allowed words, uniqueness) are
-- checks of the database too, not only of the programs.

-- Time-ordered ids (RFC 9562, version 7): rows made together lie together in the index.
CREATE FUNCTION tokenrail_uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT encode(
    set_byte(
      overlay(uuid_send(gen_random_uuid())
              PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
              FROM 1 FOR 6),
      6, (get_byte(uuid_send(gen_random_uuid()), 0) & 15) | 112),
    'hex')::uuid
$$;

-- One sequence for the versions of the whole registry: a model that is purged and made again still grows.
CREATE SEQUENCE registry_version AS bigint;

-- Keys on the topics are {org or _}/{user or _}/{provider}/{model name}: an id with a slash, or one that begins with an
-- underscore, could spell somebody else's key.
CREATE TABLE organization (
  id text PRIMARY KEY CHECK (id ~ '^[^/_[:cntrl:]][^/[:cntrl:]]*$' AND octet_length(id) <= 256),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 255),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz
);

CREATE TABLE provider (
  slug text PRIMARY KEY CHECK (slug ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  adapter text NOT NULL CHECK (adapter IN ('ollama', 'openai', 'openai_compatible', 'azure_openai', 'anthropic',
    'gemini', 'mistral', 'cohere', 'groq', 'openrouter', 'huggingface', 'vllm', 'lmstudio', 'custom')),
  display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 255),
  kinds text[] NOT NULL DEFAULT '{}',
  auth_types text[] NOT NULL DEFAULT '{none}',
  credential_form jsonb NOT NULL DEFAULT '{}',
  list_path text NOT NULL DEFAULT '' CHECK (char_length(list_path) <= 1024),
  default_base_url text CHECK (octet_length(default_base_url) <= 2048),
  doc_url text CHECK (octet_length(doc_url) <= 2048)
);

INSERT INTO provider (slug, adapter, display_name, kinds, auth_types, list_path, default_base_url, doc_url) VALUES
  ('ollama', 'ollama', 'Ollama', '{generation,embedding}', '{none,bearer}', '/api/tags', 'http://localhost:11434',
   'https://docs.ollama.com/api');

CREATE TABLE connection (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text REFERENCES organization (id),
  owner_user_id text CHECK (owner_user_id !~ '[/[:cntrl:]]' AND octet_length(owner_user_id) BETWEEN 1 AND 256),
  provider text NOT NULL REFERENCES provider (slug),
  name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$'),
  base_url text NOT NULL CHECK (base_url ~ '^https?://[^[:space:][:cntrl:]@]+$' AND octet_length(base_url) <= 2048),
  auth_type text NOT NULL DEFAULT 'none' CHECK (auth_type IN ('none', 'bearer', 'header', 'query', 'basic', 'oauth')),
  credential_id uuid,
  credential_version bigint NOT NULL DEFAULT 0 CHECK (credential_version >= 0),
  header_names text[] NOT NULL DEFAULT '{}',
  priority int NOT NULL DEFAULT 0,
  weight int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 0 AND 1000000),
  enabled boolean NOT NULL DEFAULT true,
  sync_enabled boolean NOT NULL DEFAULT true,
  sync_interval_s int CHECK (sync_interval_s >= 60),
  include_globs text[] NOT NULL DEFAULT '{}',
  exclude_globs text[] NOT NULL DEFAULT '{}',
  on_new text NOT NULL DEFAULT 'disabled' CHECK (on_new IN ('disabled', 'enabled')),
  slug_prefix text NOT NULL DEFAULT '' CHECK (octet_length(slug_prefix) <= 64),
  health text NOT NULL DEFAULT 'unknown' CHECK (health IN ('unknown', 'healthy', 'degraded', 'down')),
  last_sync_status text NOT NULL DEFAULT 'never' CHECK (last_sync_status IN ('never', 'ok', 'held', 'failed')),
  last_error_class text NOT NULL DEFAULT '' CHECK (char_length(last_error_class) <= 64),
  last_sync_status_at timestamptz,  -- when last_sync_status became what it is
  version bigint NOT NULL DEFAULT nextval('registry_version'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CHECK (owner_user_id IS NULL OR org_id IS NOT NULL)
);
-- Without NULLS NOT DISTINCT two platform rows of one name would both be let in: NULL does not equal NULL.
CREATE UNIQUE INDEX connection_name ON connection (org_id, owner_user_id, name) NULLS NOT DISTINCT
  WHERE deleted_at IS NULL;

CREATE TABLE model (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text REFERENCES organization (id),
  owner_user_id text CHECK (owner_user_id !~ '[/[:cntrl:]]' AND octet_length(owner_user_id) BETWEEN 1 AND 256),
  provider text NOT NULL REFERENCES provider (slug),
  model_name text NOT NULL CHECK (octet_length(model_name) BETWEEN 1 AND 255 AND model_name !~ '[[:cntrl:]]'),
  slug text NOT NULL CHECK (octet_length(slug) BETWEEN 1 AND 512 AND slug !~ '[[:cntrl:]]'),
  kind text NOT NULL DEFAULT 'generation' CHECK (kind IN ('generation', 'embedding', 'rerank', 'classification', 'ner',
    'image', 'speech', 'transcription', 'moderation', 'video', 'ocr', 'other')),
  display_name text NOT NULL DEFAULT '' CHECK (char_length(display_name) <= 255),
  description text NOT NULL DEFAULT '' CHECK (char_length(description) <= 4096),
  family text NOT NULL DEFAULT '' CHECK (char_length(family) <= 255),
  license text NOT NULL DEFAULT '' CHECK (char_length(license) <= 255),
  release_date date,
  knowledge_cutoff date,
  open_weights boolean,
  digest text NOT NULL DEFAULT '' CHECK (octet_length(digest) <= 255),
  -- The digest whose details (capabilities, limits) stand in this row; another one means: ask again.
  details_digest text NOT NULL DEFAULT '' CHECK (octet_length(details_digest) <= 255),

  -- Three axes: what its maker says of it, what an administrator wants, what was seen at the provider.
  lifecycle text NOT NULL DEFAULT 'active' CHECK (lifecycle IN ('preview', 'active', 'deprecated', 'retired')),
  deprecates_at timestamptz,
  retires_at timestamptz,
  replacement_id uuid REFERENCES model (id),
  enabled boolean NOT NULL DEFAULT false,
  platform_blocked boolean NOT NULL DEFAULT false,
  hidden boolean NOT NULL DEFAULT false,
  maintenance_until timestamptz,
  maintenance_reason text NOT NULL DEFAULT '' CHECK (char_length(maintenance_reason) <= 1024),
  availability text NOT NULL DEFAULT 'listed' CHECK (availability IN ('listed', 'missing', 'unreachable')),
  missing_since timestamptz,
  missing_expired boolean NOT NULL DEFAULT false,
  first_seen_at timestamptz NOT NULL DEFAULT now(),

  -- Nothing: unknown. Never a made-up number.
  context_window bigint CHECK (context_window > 0),
  input_tokens_max bigint CHECK (input_tokens_max > 0),
  output_tokens_max bigint CHECK (output_tokens_max > 0),
  embedding_dimensions bigint CHECK (embedding_dimensions > 0),
  requests_per_minute bigint CHECK (requests_per_minute > 0),
  tokens_per_minute bigint CHECK (tokens_per_minute > 0),
  capabilities jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(capabilities) = 'object'),
  params jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(params) = 'object'),

  -- Where the values above came from. What a person set (`override`, by field name) no sync changes.
  raw jsonb NOT NULL DEFAULT '{}',
  inferred jsonb NOT NULL DEFAULT '{}',
  curated jsonb NOT NULL DEFAULT '{}',
  override jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(override) = 'object'),
  tags text[] NOT NULL DEFAULT '{}',

  version bigint NOT NULL DEFAULT nextval('registry_version'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  CHECK (owner_user_id IS NULL OR org_id IS NOT NULL),
  CHECK ((availability = 'missing') = (missing_since IS NOT NULL)),
  CHECK (availability = 'missing' OR NOT missing_expired)
);
CREATE UNIQUE INDEX model_identity ON model (org_id, owner_user_id, provider, model_name) NULLS NOT DISTINCT
  WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX model_slug ON model (org_id, owner_user_id, slug) NULLS NOT DISTINCT WHERE deleted_at IS NULL;
CREATE INDEX model_list ON model (org_id, kind, enabled, slug) WHERE deleted_at IS NULL;
CREATE INDEX model_provider_name ON model (provider, model_name);
CREATE INDEX model_capabilities ON model USING gin (capabilities);
CREATE INDEX model_tags ON model USING gin (tags);

-- A model as one connection serves it: several hosts or keys for a model, without the model standing there twice.
CREATE TABLE deployment (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  model_id uuid NOT NULL REFERENCES model (id),
  connection_id uuid NOT NULL REFERENCES connection (id),
  upstream_name text NOT NULL CHECK (octet_length(upstream_name) BETWEEN 1 AND 255),
  digest text NOT NULL DEFAULT '' CHECK (octet_length(digest) <= 255),
  priority int,  -- nothing: the connection's
  weight int CHECK (weight BETWEEN 0 AND 1000000),
  enabled boolean NOT NULL DEFAULT true,
  requests_per_minute bigint CHECK (requests_per_minute > 0),
  tokens_per_minute bigint CHECK (tokens_per_minute > 0),
  availability text NOT NULL DEFAULT 'listed' CHECK (availability IN ('listed', 'missing')),
  missing_since timestamptz,
  missing_runs int NOT NULL DEFAULT 0 CHECK (missing_runs >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (model_id, connection_id),
  CHECK ((availability = 'missing') = (missing_since IS NOT NULL))
);
CREATE INDEX deployment_connection ON deployment (connection_id);

-- A default is a pointer, not a flag: there cannot be two, and it moves in one step.
CREATE TABLE model_default (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  org_id text REFERENCES organization (id),
  owner_user_id text CHECK (octet_length(owner_user_id) BETWEEN 1 AND 256),
  kind text NOT NULL DEFAULT 'generation',
  provider text REFERENCES provider (slug),
  purpose text NOT NULL DEFAULT '' CHECK (char_length(purpose) <= 64),
  model_id uuid NOT NULL REFERENCES model (id),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE NULLS NOT DISTINCT (org_id, owner_user_id, kind, provider, purpose)
);
CREATE INDEX model_default_model ON model_default (model_id);

CREATE TABLE model_revision (
  model_id uuid NOT NULL REFERENCES model (id),
  version bigint NOT NULL,
  snapshot json NOT NULL,
  changed_fields text[] NOT NULL DEFAULT '{}',
  cause text NOT NULL CHECK (cause IN ('api', 'sync', 'import', 'seed', 'rollback')),
  actor text NOT NULL CHECK (char_length(actor) <= 255),
  event_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (model_id, version)
);

-- The transactional outbox, with the column names that Debezium's event router expects. `aggregateid` is the record key.
-- payload is json, not jsonb: it goes out as its writer wrote it. NULL is a tombstone.
CREATE TABLE outbox (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL UNIQUE,
  aggregatetype text NOT NULL CHECK (char_length(aggregatetype) <= 64),
  aggregateid text NOT NULL CHECK (octet_length(aggregateid) <= 2048),
  type text NOT NULL CHECK (char_length(type) <= 128),
  payload json,
  headers jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  published_at timestamptz
);
-- The relay reads what is unpublished, never from a position: a transaction that commits late has a lower seq than one
-- that was published before it.
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- Someone asks for a sync now (`tokenrail registry sync`); the leading registry-sync takes the request up.
CREATE TABLE sync_request (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  connection_id uuid REFERENCES connection (id),  -- nothing: all
  accept_held boolean NOT NULL DEFAULT false,
  requested_by text NOT NULL CHECK (char_length(requested_by) <= 255),
  requested_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz
);
CREATE INDEX sync_request_open ON sync_request (requested_at) WHERE finished_at IS NULL;

CREATE TABLE sync_run (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  connection_id uuid NOT NULL REFERENCES connection (id),
  request_id uuid REFERENCES sync_request (id),
  trigger text NOT NULL CHECK (trigger IN ('start', 'schedule', 'manual', 'event')),
  status text NOT NULL CHECK (status IN ('ok', 'held', 'failed')),
  listed int NOT NULL DEFAULT 0,
  added int NOT NULL DEFAULT 0,
  updated int NOT NULL DEFAULT 0,
  unchanged int NOT NULL DEFAULT 0,
  missing int NOT NULL DEFAULT 0,
  failed int NOT NULL DEFAULT 0,
  error_class text NOT NULL DEFAULT '' CHECK (char_length(error_class) <= 64),
  detail text NOT NULL DEFAULT '' CHECK (char_length(detail) <= 2048),
  started_at timestamptz NOT NULL,
  finished_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sync_run_connection ON sync_run (connection_id, finished_at);
CREATE INDEX sync_run_request ON sync_run (request_id) WHERE request_id IS NOT NULL;

-- What a provider answered when its answer changed something. PostgreSQL compresses large bodies by itself.
CREATE TABLE provider_snapshot (
  connection_id uuid NOT NULL REFERENCES connection (id),
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  body bytea NOT NULL,
  fetched_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connection_id, sha256)
);

-- Changes that looked wrong and were not applied: they wait for a person.
CREATE TABLE held_change (
  id uuid PRIMARY KEY DEFAULT tokenrail_uuid_v7(),
  connection_id uuid NOT NULL REFERENCES connection (id),
  model_id uuid REFERENCES model (id),
  sync_run_id uuid REFERENCES sync_run (id),
  before jsonb,
  after jsonb,
  reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1024),
  decision text CHECK (decision IN ('accepted', 'rejected', 'superseded')),
  decided_by text CHECK (char_length(decided_by) <= 255),
  decided_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX held_change_open ON held_change (connection_id) WHERE decision IS NULL;
