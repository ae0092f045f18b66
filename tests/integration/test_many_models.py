"""Lists of two thousand models: whole, and without other callers waiting for them. How long a turn of the API's loop may take, every
test checks when it stops a worker."""

import pytest

from registry_world import World

MODELS = 2_000


@pytest.fixture(scope="module")
def world(make_shared_stack, tmp_path_factory):
    stack = make_shared_stack()
    world = World(stack, tmp_path_factory.mktemp("many"))
    # Into the database alone: that registry-sync publishes them is not what is looked at.
    stack.cli("connections", "add", "bulk", "--provider", "openai-compatible", "--base-url", "http://127.0.0.1:1/v1")
    stack.sql("INSERT INTO model (provider, model_name, slug, enabled, display_name, context_window, capabilities) SELECT "
              "'openai-compatible', 'model-' || g, 'openai-compatible/model-' || g, true, 'Model ' || g, 8192, "
              """'{"chat":"supported","tools":"supported","vision":"unsupported"}' """
              f"FROM generate_series(1, {MODELS}) g")
    stack.sql("INSERT INTO deployment (model_id, connection_id, upstream_name) SELECT m.id, c.id, m.model_name FROM model m JOIN "
              "connection c ON c.name = 'bulk' WHERE m.provider = 'openai-compatible'")
    return world


def test_whole_lists_block_no_other_caller(world):
    admin = world.api("acme", "org_admin")
    # An older API has no pages.
    listed = [model["modelName"] for model in admin.ok("GET", "/orgs/acme/models")["models"]]
    assert {f"model-{number}" for number in range(1, MODELS + 1)} <= set(listed) and len(listed) == len(set(listed))
    page = admin.ok("GET", "/v1/orgs/acme/models?page_size=1000&fields=slug&status=active")
    assert page["total_size"] >= MODELS and len(page["data"]) == 1000 and set(page["data"][0]) == {"id", "slug"}
    statistics = admin.ok("GET", "/v1/orgs/acme/stats")
    assert statistics["byProvider"]["openai-compatible"] == MODELS <= statistics["byCapability"]["tools"]
    assert admin.ok("GET", "/v1/orgs/acme/inspection")["models"] == statistics["models"]
    assert world.process.stop() == 0
