"""compose.yaml and Dockerfile give a worker the time that its settings may take."""

import pathlib
import re

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
