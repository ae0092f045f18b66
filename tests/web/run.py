"""Runs the browser tests of web/e2e on a stack of its own: Kafka and PostgreSQL as the integration tests have them, the
provider simulator, registry-sync, a router and the API, which serves the page of build/web.

    TOKENRAIL_TEST_KAFKA_BOOTSTRAP=… TOKENRAIL_TEST_DATABASE_URL=… TOKENRAIL_TEST_BIN_DIR=… tests/web/run.py [playwright arguments]

Screenshots, traces and the report are left in the folder WEB_RESULTS (build/web-results)."""

import base64
import gzip
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "integration"), str(ROOT / "tests" / "support")]

import stack as stack_module  # noqa: E402
from own_apis import OwnApis  # noqa: E402


def key_ring(folder):
    ring = folder / "keys.json"
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    ring.write_text(json.dumps({"keys": [{"id": "k1", "state": "primary", "key": key}]}))
    ring.chmod(0o600)
    return ring


def call(url, token, method, path, body=None):
    request = urllib.request.Request(url + path, data=None if body is None else json.dumps(body).encode(), method=method)
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def start(folder):
    """The stack, the address of the API, and a token of a platform admin."""
    settings = {"TOKENRAIL_AUTH_MODE": "dev", "TOKENRAIL_AUTH_DEV_KEY_FILE": str(folder / "dev.json"),
                "TOKENRAIL_KEYRING_FILE": str(key_ring(folder)), "TOKENRAIL_API_LISTEN": "127.0.0.1:0",
                "TOKENRAIL_API_WEB_DIR": str(ROOT / "build" / "web"),
                "TOKENRAIL_API_DASHBOARD_URL": "https://grafana.example.org/d/tokenrail-use"}
    stack = stack_module.Stack(folder, os.environ["TOKENRAIL_TEST_KAFKA_BOOTSTRAP"],
                               os.environ["TOKENRAIL_TEST_DATABASE_URL"], os.environ["TOKENRAIL_TEST_BIN_DIR"],
                               settings=settings)
    try:
        # The models of the simulator are imported when registry-sync starts, and the router reads them.
        stack.whole()
        api = stack.api()
        api.wait_ready()
        url = f"http://127.0.0.1:{api.api_port()}"
        token = stack.cli("auth", "token", "--role", "platform_admin", "--subject", "root").stdout.strip()
        call(url, token, "POST", "/v1/orgs", {"id": "acme", "displayName": "Acme"})
    except BaseException:
        stack.close()
        raise
    return stack, url, token


# The organisation that ./dev web measure looks at: 10,000 models with the simulator's two. Names and tags are such that searches and filters find known numbers.
LARGE = """
INSERT INTO model (org_id, provider, model_name, slug, kind, display_name, description, enabled, context_window,
                   output_tokens_max, capabilities, tags)
SELECT 'large', p.slug, 'm' || lpad(CAST(n AS text), 4, '0'), p.slug || '/m' || lpad(CAST(n AS text), 4, '0'),
       (ARRAY['generation', 'generation', 'generation', 'embedding', 'rerank'])[1 + n % 5], 'Model ' || lpad(CAST(n AS text), 4, '0'),
       'A model of many', true, CASE WHEN n % 3 = 0 THEN NULL ELSE 8192 * (1 + n % 16) END,
       CASE WHEN n % 4 = 0 THEN NULL ELSE 4096 END,
       jsonb_build_object('chat', 'supported', 'tools', CASE WHEN n % 2 = 0 THEN 'supported' ELSE 'unsupported' END),
       ARRAY['group-' || n % 5, 'all']
FROM generate_series(0, 9997) n JOIN (SELECT slug, row_number() OVER (ORDER BY slug) - 1 AS i, count(*) OVER () AS c FROM provider) p
  ON p.i = n % p.c;
ANALYZE model"""


PAGE = ROOT / "docs" / "web-page.md"
BEGIN, END = "<!-- ./dev web measure writes from here -->", "<!-- to here -->"


def load():
    return os.getloadavg()[0]


def scripts():
    """Bytes of the scripts of the page, each compressed with gzip, as the build counts them."""
    files = list((ROOT / "build" / "web" / "assets").glob("*.js"))
    page = (ROOT / "build" / "web" / "index.html").read_text()
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in files}
    first = sum(size for name, size in sizes.items() if name in page)
    return [{"group": "Scripts", "name": "all, compressed with gzip", "value": f"{sum(sizes.values()) / 1024:.1f} KiB",
             "budget": "< 350 KiB"},
            {"group": "Scripts", "name": "before the first page", "value": f"{first / 1024:.1f} KiB",
             "budget": "< 200 KiB"}]


def write_figures(file, load_before):
    """The figures as a table: printed, and between the marks of the page in docs."""
    rows = [*json.loads(file.read_text()), *scripts()]
    lines = [f"Measured with the release build on {os.cpu_count()} processors. The load average was {load_before:.1f} before "
             f"and {load():.1f} after.", ""]
    for group in dict.fromkeys(row["group"] for row in rows):
        lines += [f"| {group} | aim | measured |", "| --- | --- | --- |"]
        lines += [f"| {row['name']} | {row.get('budget', '')} | {row['value']} |" for row in rows if row["group"] == group]
        lines.append("")
    text = "\n".join(lines)
    print(text)
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{rest.split(END)[1]}")


def main(arguments):
    if not any(argument.startswith("--project") for argument in arguments):
        arguments = ["--project=e2e", *arguments]
    results = pathlib.Path(os.environ.setdefault("WEB_RESULTS", str(ROOT / "build" / "web-results")))
    results.mkdir(parents=True, exist_ok=True)
    measures = "--project=measure" in arguments
    load_before = load()
    with tempfile.TemporaryDirectory(prefix="tokenrail-web-") as name:
        stack, url, token = start(pathlib.Path(name))
        own_apis = OwnApis(stack)
        try:
            if measures:
                (results / "measured.json").unlink(missing_ok=True)
                call(url, token, "POST", "/v1/orgs", {"id": "large", "displayName": "Large"})
                stack.sql(LARGE)
            code = subprocess.run(["npx", "playwright", "test", *arguments], cwd=ROOT / "web",
                                  env={**os.environ, "WEB_URL": url, "WEB_TOKEN": token, "WEB_SIMULATOR": stack.simulator_url,
                                       "WEB_OWN_APIS": own_apis.url},
                                  check=False).returncode
            if measures and code == 0:
                write_figures(results / "measured.json", load_before)
            return code
        finally:
            own_apis.close()
            stack.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
