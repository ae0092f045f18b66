-- Default parameters of a deployment's calls, each used where a request has none of its own. Keys are those of a
-- request: temperature, topP, topK, maxTokens, stop, providerConfig, and numCtx and keepAlive for Ollama.
-- A binary before this migration neither reads nor writes the column, and its events carry no default parameters.

ALTER TABLE deployment ADD COLUMN params jsonb NOT NULL DEFAULT '{}';

-- What is checked here costs one look at one value; the programs check the rest when they read, and leave out what they
-- cannot use.
ALTER TABLE deployment
  ADD CONSTRAINT deployment_params_object CHECK (jsonb_typeof(params) = 'object' AND pg_column_size(params) <= 32768),
  ADD CONSTRAINT deployment_params_keys CHECK (params - ARRAY['temperature', 'topP', 'topK', 'maxTokens', 'stop',
    'numCtx', 'keepAlive', 'providerConfig'] = '{}'),
  ADD CONSTRAINT deployment_params_temperature CHECK (CASE jsonb_typeof(params -> 'temperature')
    WHEN 'number' THEN CAST(params ->> 'temperature' AS numeric) BETWEEN 0 AND 2
    ELSE params -> 'temperature' IS NULL END),
  ADD CONSTRAINT deployment_params_top_p CHECK (CASE jsonb_typeof(params -> 'topP')
    WHEN 'number' THEN CAST(params ->> 'topP' AS numeric) BETWEEN 0 AND 1
    ELSE params -> 'topP' IS NULL END),
  ADD CONSTRAINT deployment_params_top_k CHECK (CASE jsonb_typeof(params -> 'topK')
    WHEN 'number' THEN CAST(params ->> 'topK' AS numeric) BETWEEN 1 AND 2147483647
    ELSE params -> 'topK' IS NULL END),
  ADD CONSTRAINT deployment_params_max_tokens CHECK (CASE jsonb_typeof(params -> 'maxTokens')
    WHEN 'number' THEN CAST(params ->> 'maxTokens' AS numeric) BETWEEN 1 AND 2147483647
    ELSE params -> 'maxTokens' IS NULL END),
  ADD CONSTRAINT deployment_params_num_ctx CHECK (CASE jsonb_typeof(params -> 'numCtx')
    WHEN 'number' THEN CAST(params ->> 'numCtx' AS numeric) BETWEEN 1 AND 2147483647
    ELSE params -> 'numCtx' IS NULL END);
