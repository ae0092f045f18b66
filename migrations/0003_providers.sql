-- The providers that connections can be made to, and the wire formats that they speak: one row each, as in
-- common/providers/profile.cpp. Adapters are named after wire formats, so that many providers share one ('openai').
-- A binary before this migration passes over connections whose adapter it does not know.

ALTER TABLE provider DROP CONSTRAINT provider_adapter_check;
ALTER TABLE provider ADD CONSTRAINT provider_adapter_check CHECK (adapter IN
  ('ollama', 'openai', 'openai-responses', 'azure', 'anthropic', 'gemini', 'cohere'));

INSERT INTO provider (slug, adapter, display_name, kinds, auth_types, default_base_url) VALUES
  ('openai', 'openai', 'OpenAI', '{generation,embedding,image}', '{bearer,none}', 'https://api.openai.com/v1'),
  ('openai-responses', 'openai-responses', 'OpenAI (Responses API)', '{generation}', '{bearer,none}',
   'https://api.openai.com/v1'),
  ('anthropic', 'anthropic', 'Anthropic', '{generation}', '{header,bearer,none}', 'https://api.anthropic.com'),
  ('gemini', 'gemini', 'Gemini', '{generation,embedding}', '{header,bearer,query,none}',
   'https://generativelanguage.googleapis.com'),
  ('cohere', 'cohere', 'Cohere', '{generation,embedding,rerank}', '{bearer,none}', 'https://api.cohere.com'),
  ('mistral', 'openai', 'Mistral', '{generation,embedding}', '{bearer,none}', 'https://api.mistral.ai/v1'),
  ('groq', 'openai', 'Groq', '{generation}', '{bearer,none}', 'https://api.groq.com/openai/v1'),
  ('openrouter', 'openai', 'OpenRouter', '{generation,embedding}', '{bearer,none}', 'https://openrouter.ai/api/v1'),
  ('huggingface', 'openai', 'Hugging Face', '{generation}', '{bearer,none}', 'https://router.huggingface.co/v1'),
  ('azure', 'azure', 'Azure OpenAI', '{generation,embedding}', '{header,bearer}', NULL),
  ('deepseek', 'openai', 'DeepSeek', '{generation}', '{bearer}', 'https://api.deepseek.com/v1'),
  ('together', 'openai', 'Together', '{generation,embedding}', '{bearer}', 'https://api.together.xyz/v1'),
  ('xai', 'openai', 'xAI', '{generation}', '{bearer}', 'https://api.x.ai/v1'),
  ('vllm', 'openai', 'vLLM', '{generation,embedding}', '{none,bearer}', NULL),
  ('llamacpp', 'openai', 'llama.cpp', '{generation,embedding}', '{none,bearer}', NULL),
  ('lmstudio', 'openai', 'LM Studio', '{generation,embedding}', '{none,bearer}', NULL),
  ('tgi', 'openai', 'TGI', '{generation}', '{none,bearer}', NULL),
  ('ollama-openai', 'openai', 'Ollama (OpenAI API)', '{generation,embedding}', '{none,bearer}', NULL),
  ('openai-compatible', 'openai', 'OpenAI-compatible server', '{generation,embedding}', '{none,bearer}', NULL);
