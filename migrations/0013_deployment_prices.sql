-- A model that several connections serve may cost something else on each. A price with a deployment counts on that one, and
-- what a provider's list says is the price of the connection's deployment.
--
-- A binary from before this migration reads prices without a deployment only, as it did.

-- A deployment that is taken away leaves its prices as history, with the time at which they ended.
ALTER TABLE price DROP CONSTRAINT price_deployment_id_fkey;
CREATE INDEX price_deployment ON price (deployment_id) WHERE deployment_id IS NOT NULL;

-- The deployment whose prices are shown as the model's: the first that is enabled, in the order in which they are called.
CREATE FUNCTION tokenrail_first_deployment(the_model uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT d.id FROM deployment d JOIN connection c ON c.id = d.connection_id
    WHERE d.model_id = the_model AND c.deleted_at IS NULL
    ORDER BY d.enabled AND c.enabled DESC, COALESCE(d.priority, c.priority), c.id LIMIT 1
$$;

-- The prices that hold now of a model on one of its deployments: of each dimension and service tier those of the best
-- source, and of a source those of the deployment before those of the model.
CREATE FUNCTION tokenrail_prices(the_model uuid, the_deployment uuid) RETURNS SETOF price LANGUAGE sql STABLE AS $$
  SELECT p.* FROM price p WHERE p.model_id = the_model AND (p.deployment_id IS NULL OR p.deployment_id = the_deployment) AND
    tstzrange(p.effective_from, p.effective_to) @> now() AND NOT EXISTS (SELECT 1 FROM price b WHERE b.model_id = the_model AND
      (b.deployment_id IS NULL OR b.deployment_id = the_deployment) AND tstzrange(b.effective_from, b.effective_to) @> now() AND
      b.dimension = p.dimension AND b.service_tier = p.service_tier AND
      (array_position(ARRAY['override', 'provider', 'curated', 'inferred'], b.source), b.deployment_id IS NULL) <
      (array_position(ARRAY['override', 'provider', 'curated', 'inferred'], p.source), p.deployment_id IS NULL))
$$;
