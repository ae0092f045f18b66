"""Runs the reference readers in TypeScript on any node, also one that knows no types."""

import json
import pathlib
import re
import shutil
import subprocess

import pytest

# Types, as the readers use them; they are removed by hand.
BLOCKS = re.compile(r"^export (?:interface \w+ \{.*?^\}|type [^;]*;)\n", re.MULTILINE | re.DOTALL)
NAMES = re.compile(r"^(?:export )?(?:interface|type|class) (\w+)", re.MULTILINE)
GENERIC = re.compile(r"\bnew (Map|Set|Array)<[^()]*>(?=\()")


def without_types(text: str) -> str:
    names = "|".join(NAMES.findall(text))
    annotation = re.compile(rf"(?<=[\w)]): (?:{names}|string|number|boolean|void|any)(?:\[\])?"
                            r"(?: \| (?:undefined|null))?(?=[,)=;{ ])")
    text = BLOCKS.sub("", text)
    text = annotation.sub("", text)
    return GENERIC.sub(r"new \1", text).replace("private ", "")


def run(reader: pathlib.Path, driver: str, cases: list, folder: pathlib.Path):
    """What `driver` prints as JSON; it imports "./reader.mjs" and reads the cases from standard input."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no node here; the TypeScript reader is not run")
    (folder / "reader.mjs").write_text(without_types(reader.read_text()))
    (folder / "driver.mjs").write_text(driver)
    done = subprocess.run([node, folder / "driver.mjs"], input=json.dumps(cases), capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
