-- What a new connection of each provider asks for: the fields of its credential form, for each authType. And all kinds of models that
-- OpenAI has, and that a server of its API may have.
--
-- A binary from before this migration serves the form as it is, and needs nothing of it. A server that speaks OpenAI's API may stand
-- behind a proxy that asks for a header, a query parameter or a user: every binary sends these, so they are offered for it.

UPDATE provider SET auth_types = '{none,bearer,header,query,basic}', kinds = '{generation,embedding,rerank,classification,ner,image,'
  'speech,transcription,moderation,video,ocr,other}' WHERE slug = 'openai-compatible';
UPDATE provider SET kinds = '{generation,embedding,image,speech,transcription,moderation,video}' WHERE slug = 'openai';

WITH provider_text (slug, key_label, key_help, url_help, url_example, header_name) AS (VALUES
  ('openai', 'API key', 'Made at https://platform.openai.com/api-keys.', '', '', ''),
  ('openai-responses', 'API key', 'Made at https://platform.openai.com/api-keys.', '', '', ''),
  ('anthropic', 'API key', 'Made at https://console.anthropic.com/settings/keys.', '', '', 'x-api-key'),
  ('gemini', 'API key', 'Made at https://aistudio.google.com/apikey.', '', '', 'x-goog-api-key'),
  ('cohere', 'API key', 'Made at https://dashboard.cohere.com/api-keys.', '', '', ''),
  ('mistral', 'API key', 'Made at https://console.mistral.ai/api-keys.', '', '', ''),
  ('groq', 'API key', 'Made at https://console.groq.com/keys.', '', '', ''),
  ('openrouter', 'API key', 'Made at https://openrouter.ai/settings/keys.', '', '', ''),
  ('huggingface', 'Access token', 'Made at https://huggingface.co/settings/tokens. It may call inference providers.', '', '', ''),
  ('azure', 'API key', 'In the Azure portal, on the page "Keys and Endpoint" of the resource.',
   'The endpoint of your resource.', 'https://RESOURCE.openai.azure.com', 'api-key'),
  ('deepseek', 'API key', 'Made at https://platform.deepseek.com/api_keys.', '', '', ''),
  ('together', 'API key', 'Made at https://api.together.ai/settings/api-keys.', '', '', ''),
  ('xai', 'API key', 'Made at https://console.x.ai.', '', '', ''),
  ('ollama', 'API key', 'Of the proxy before the server, or of Ollama''s cloud.', 'Where the server listens.', '', ''),
  ('ollama-openai', 'API key', 'Of the proxy before the server.', 'Where the server listens, with /v1.',
   'http://localhost:11434/v1', ''),
  ('vllm', 'API key', 'That of --api-key when the server was started.', 'Where the server listens, with /v1.',
   'http://localhost:8000/v1', ''),
  ('llamacpp', 'API key', 'That of --api-key when the server was started.', 'Where the server listens, with /v1.',
   'http://localhost:8080/v1', ''),
  ('lmstudio', 'API key', 'Of the proxy before the server.', 'Where the server listens, with /v1.',
   'http://localhost:1234/v1', ''),
  ('tgi', 'API key', 'That of --api-key when the server was started.', 'Where the server listens, with /v1.',
   'http://localhost:8080/v1', ''),
  ('openai-compatible', 'API key', 'Of the server, or of the proxy before it.', 'Where the server listens, with /v1 where it has that.',
   'https://models.example.com/v1', '')
), field (slug, place, auth_types, name, label, help, is_secret, is_required, begins_with, example) AS (
  SELECT p.slug, 1, p.auth_types, 'baseUrl', 'Base URL',
    CASE WHEN t.url_help = '' THEN 'Another one only for a proxy.' ELSE t.url_help END,
    false, true, COALESCE(p.default_base_url, ''), t.url_example
  FROM provider p JOIN provider_text t USING (slug)
  UNION ALL
  SELECT p.slug, 2, '{header}', 'authName', 'Header', 'Name of the header that carries the key.', false,
    t.header_name = '', t.header_name, CASE WHEN t.header_name = '' THEN 'X-API-Key' ELSE '' END
  FROM provider p JOIN provider_text t USING (slug) WHERE 'header' = ANY (p.auth_types)
  UNION ALL
  SELECT p.slug, 3, '{query}', 'authName', 'Query parameter', 'Name of the parameter of the URL that carries the key.', false, true,
    'key', ''
  FROM provider p WHERE 'query' = ANY (p.auth_types)
  UNION ALL
  SELECT p.slug, 4, '{basic}', 'authName', 'User', 'Name of the user, without a colon.', false, true, '', ''
  FROM provider p WHERE 'basic' = ANY (p.auth_types)
  UNION ALL
  SELECT p.slug, 5, ARRAY(SELECT a FROM unnest(p.auth_types) AS a WHERE a NOT IN ('none', 'basic')), 'secret', t.key_label, t.key_help,
    true, true, '', ''
  FROM provider p JOIN provider_text t USING (slug)
  UNION ALL
  SELECT p.slug, 6, '{basic}', 'secret', 'Password', 'Password of the user.', true, true, '', ''
  FROM provider p WHERE 'basic' = ANY (p.auth_types)
)
UPDATE provider SET credential_form = jsonb_build_object('fields', form.fields)
FROM (
  SELECT slug, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', name, 'label', label, 'help', help, 'secret', is_secret,
    'required', is_required, 'authTypes', auth_types, 'default', NULLIF(begins_with, ''), 'example', NULLIF(example, '')))
    ORDER BY place) AS fields
  FROM field GROUP BY slug
) AS form
WHERE form.slug = provider.slug;

UPDATE provider SET credential_form = '{"fields": []}' WHERE NOT jsonb_exists(credential_form, 'fields');
ALTER TABLE provider
  ALTER COLUMN credential_form SET DEFAULT '{"fields": []}',
  ADD CONSTRAINT provider_credential_form_fields CHECK (jsonb_typeof(credential_form) = 'object'
    AND COALESCE(jsonb_typeof(credential_form -> 'fields'), '') = 'array');
