"""The commands of the tutorials, run as they are written."""

import json
import os
import pathlib
import re
import subprocess

from stack import wait_until

TUTORIALS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "tutorial"


def blocks(name):
    return re.findall(r"^```sh\n(.*?)^```", (TUTORIALS / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_govern_models(make_stack, tmp_path):
    stack = make_stack()
    ring = tmp_path / "ring.json"
    stack.cli("keys", "create", str(ring))
    stack.environment.update(TOKENRAIL_KEYRING_FILE=str(ring), TOKENRAIL_AUTH_MODE="dev",
                             TOKENRAIL_AUTH_DEV_KEY_FILE=str(tmp_path / "dev-key.json"))
    stack.whole()
    api = stack.api()
    api.wait_ready()
    said = {}
    # What the demo prints as export lines. Whatever else a block uses, an earlier block has set.
    printed = {"PATH": f"{stack.bin}:{os.environ['PATH']}", "REGISTRY_API": f"http://127.0.0.1:{api.api_port()}",
               "OLLAMA_BASE_URL": stack.simulator_url}
    state = tmp_path / "variables"
    state.write_text("")

    def run(block):
        script = f"set -eu\n. {state}\n{block}\ndeclare -p TOKEN MODEL 2>/dev/null >{state} || true"
        environment = {name: value for name, value in os.environ.items() if name not in ("MODEL", "TOKEN")}
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=300, check=False,
                              env={**environment, **stack.environment, **printed})
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    for block in blocks("govern-models.md"):
        if "tokenrail chat --org acme 'Who answers?'" in block:
            # A person takes longer to type this than a router to read what was changed.
            def published():
                rows = map(json.loads, stack.cli("registry", "list", "--projection", "--json").stdout.splitlines())
                return {r["modelName"] for r in rows if r.get("orgId") == "acme"} >= {"small", "large"}
            wait_until("acme's models are published", published)
        said[block] = run(block)
    everything = "\n".join(said.values())
    assert "sk-acme-example-key-0001" not in everything
    refused = next(text for block, text in said.items() if "May I?" in block)
    assert "MODEL_NOT_ENABLED" in refused or "not enabled" in refused or "allow" in refused
    over_http = next(text for block, text in said.items() if "status=active" in block)
    assert '"slug":"openai-compatible/small"' in over_http.replace(" ", "") and "default.set" not in said[blocks("govern-models.md")[0]]
    viewer = next(text for block, text in said.items() if "VIEWER=" in block)
    assert '"status":403' in viewer and '"status":404' in viewer
