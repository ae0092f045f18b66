-- Parameters of a model: default parameters of calls, which each of its deployments has unless it has its own, and for embedding
-- models what readers of vectors have to know. The column was there, and nothing read or wrote it.
--
-- A binary from before this migration leaves them alone, and its events have the deployments' own parameters only.

ALTER TABLE model ADD CONSTRAINT model_params_check1 CHECK (octet_length(CAST(params AS text)) <= 16384
  AND params - ARRAY['temperature', 'topP', 'topK', 'maxTokens', 'stop', 'numCtx', 'keepAlive', 'providerConfig', 'normalize',
    'distanceMetric', 'batchSize'] = '{}'
  AND CASE jsonb_typeof(params -> 'temperature') WHEN 'number' THEN CAST(params ->> 'temperature' AS numeric) BETWEEN 0 AND 2
    ELSE params -> 'temperature' IS NULL END
  AND CASE jsonb_typeof(params -> 'topP') WHEN 'number' THEN CAST(params ->> 'topP' AS numeric) BETWEEN 0 AND 1
    ELSE params -> 'topP' IS NULL END
  AND CASE jsonb_typeof(params -> 'topK') WHEN 'number' THEN CAST(params ->> 'topK' AS numeric) BETWEEN 1 AND 2147483647
    ELSE params -> 'topK' IS NULL END
  AND CASE jsonb_typeof(params -> 'maxTokens') WHEN 'number' THEN CAST(params ->> 'maxTokens' AS numeric) BETWEEN 1 AND 2147483647
    ELSE params -> 'maxTokens' IS NULL END
  AND CASE jsonb_typeof(params -> 'numCtx') WHEN 'number' THEN CAST(params ->> 'numCtx' AS numeric) BETWEEN 1 AND 2147483647
    ELSE params -> 'numCtx' IS NULL END
  AND CASE jsonb_typeof(params -> 'batchSize') WHEN 'number' THEN CAST(params ->> 'batchSize' AS numeric) BETWEEN 1 AND 1000000
    AND CAST(params ->> 'batchSize' AS numeric) % 1 = 0 ELSE params -> 'batchSize' IS NULL END
  AND COALESCE(jsonb_typeof(params -> 'providerConfig'), 'object') = 'object'
  AND COALESCE(jsonb_typeof(params -> 'normalize'), 'boolean') = 'boolean'
  AND COALESCE(params ->> 'distanceMetric', 'cosine') IN ('cosine', 'dot', 'l2'));
