"""compose.yaml and Dockerfile give a worker the time that its settings may take, and the registry API the web page."""

import json
import pathlib
import posixpath
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]


def seconds(text):
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]


def default_of(setting):
    """The page is written from the tables in the code, and a test holds it to them."""
    page = (ROOT / "docs/reference/configuration.md").read_text()
    return re.search(rf"^\| `{re.escape(setting)}` \| `\w+` \| `([^`]*)` \|", page, re.MULTILINE).group(1)


def client_end_seconds():
    """However many they are: they end at the same time, which KafkaEndings.SeveralEndAtTheSameTime shows."""
    header = (ROOT / "common/kafka/endings.hpp").read_text()
    return int(re.search(r"seconds end_wait_max\{(\d+)\}", header).group(1))


def needed():
    return (seconds(default_of("router.drain_timeout")) + seconds(default_of("router.drain_grace"))
            + client_end_seconds())


def test_compose_waits_for_a_drain():
    grace = re.search(r"^  stop_grace_period: (\S+)$", (ROOT / "compose.yaml").read_text(), re.MULTILINE).group(1)
    assert seconds(grace) > needed()


def test_the_images_advice_waits_for_a_drain():
    advice = re.search(r"docker stop --time (\d+)", (ROOT / "Dockerfile").read_text()).group(1)
    assert int(advice) > needed()


def test_compose_says_how_a_container_reaches_ollama_on_linux():
    assert "OLLAMA_HOST=0.0.0.0" in (ROOT / "compose.yaml").read_text()


def stages():
    """The instructions of each stage of the Dockerfile, by its name; the last one, the image, by ''."""
    found = {}
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if begin := re.match(r"FROM \S+(?: AS (\S+))?", line):
            stage = found.setdefault(begin.group(1) or "", [])
        elif line and not line.startswith("#"):
            stage.append(tuple(line.split(maxsplit=1)))
    return found


def test_the_image_builds_the_page_from_the_lock_file():
    web = stages()["web"]
    commands = [rest for instruction, rest in web if instruction == "RUN"]
    assert re.search(r"\bnodejs npm\b", commands[0])
    assert commands[1].startswith("npm ci") and commands[2] == "npm run --silent build"
    before_packages = web[:web.index(("RUN", commands[1]))]
    assert ("COPY", "web/package.json web/package-lock.json web/.npmrc ./") in before_packages
    # What the build reads outside of web/ is in the stage too, at the same place beside it.
    script = json.loads((ROOT / "web/package.json").read_text())["scripts"]["generate"]
    document = re.search(r"\.\./(\S+\.json)", script).group(1)
    assert ("COPY", f"{document} ../{posixpath.dirname(document)}/") in web


def test_the_image_serves_the_folder_that_the_build_makes():
    web = dict(stages()["web"])
    out = re.search(r"outDir: '([^']+)'", (ROOT / "web/vite.config.ts").read_text()).group(1)
    built = posixpath.normpath(posixpath.join(web["WORKDIR"], out))
    image = stages()[""]
    folder = next(rest.split()[-1] for instruction, rest in image if rest.startswith(f"--from=web {built}/ "))
    assert ("ENV", f"TOKENRAIL_API_WEB_DIR={folder.rstrip('/')}") in image
    api = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["registry-api"]["environment"]
    assert api["TOKENRAIL_API_WEB_DIR"] == folder.rstrip("/")


@pytest.mark.parametrize("made", ["web/node_modules", "web/src/api/schema.d.ts", "web/test-results"])
def test_what_is_made_beside_the_page_is_not_copied_into_the_image(made):
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert made in ignored or f"**/{posixpath.basename(made)}" in ignored


def test_compose_leads_browsers_to_the_port_that_it_opens():
    api = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["registry-api"]
    port = api["environment"]["TOKENRAIL_API_LISTEN"].rpartition(":")[2]
    assert f"127.0.0.1:{port}:{port}" in api["ports"]
    assert api["environment"]["TOKENRAIL_API_PUBLIC_URL"] == f"${{TOKENRAIL_API_PUBLIC_URL:-http://127.0.0.1:{port}}}"


def test_compose_passes_on_the_settings_of_the_login():
    page = (ROOT / "docs/how-to/serve-the-web-page.md").read_text()
    needed = set(re.findall(r"^export (TOKENRAIL_AUTH_OIDC_\w+)=", page, re.MULTILINE))
    assert "TOKENRAIL_AUTH_OIDC_CLIENT_ID" in needed
    api = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["registry-api"]["environment"]
    assert {name: api.get(name) for name in needed} == {name: f"${{{name}:-}}" for name in needed}
