#!/usr/bin/python3
"""Writes docs/reference/features.md from tests/features.tsv, after checking that all evidence is there.

    features.py [--check]

tests/features.tsv has a line for each feature of the specifications, with tabs between its fields:

  id           S0.1 to S4.51
  status       yes, part, waits or adr
  requirement  what the specification asks for
  evidence     separated by '; ': path::name of a test, path or path#anchor of a document, or 'ADR 0016'
  missing      'topic: what', separated by '; '; the topics are those of TOPICS

The name of a test is Suite.Name (GoogleTest), the name of the function (pytest), or the title (Vitest, Playwright).
With --check nothing is written, and a page that differs is a fault too."""

import argparse
import os
import pathlib
import re
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = "tests/features.tsv"
PAGE = "docs/reference/features.md"
HEADER = ["id", "status", "requirement", "evidence", "missing"]

# The five specifications, with the number of their features.
SPECIFICATIONS = {
    "S0": (78, "Model registry, provider routing and Ollama"),
    "S1": (56, "Model registry for administrators"),
    "S2": (84, "Models at run time, for users"),
    "S3": (22, "Registry as the one source"),
    "S4": (51, "Catalogue of models"),
}
STATUSES = {"yes": "✓", "part": "part", "waits": "waits", "adr": "ADR"}
TOPICS = [
    "registry API", "registry-sync", "router", "web page", "command line", "provider adapters", "a test", "edge",
    "dashboards", "enforcement of limits and budgets", "requests for embeddings and images", "statistics from traffic",
    "no plan",
]


class Row(NamedTuple):
    id: str
    status: str
    requirement: str
    evidence: list
    missing: list


def ids() -> list:
    return [f"{name}.{number}" for name, (count, _) in SPECIFICATIONS.items() for number in range(1, count + 1)]


def parts(text: str) -> list:
    return text.split("; ") if text else []


def topic_of(missing: str) -> str:
    return missing.partition(": ")[0]


def read(text: str) -> tuple:
    """The rows, and what is wrong with the lines that are none."""
    rows, faults = [], []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split("\t")
        if number == 1:
            if fields != HEADER:
                faults.append(f"line 1: the fields are {', '.join(HEADER)}")
        elif len(fields) != len(HEADER):
            faults.append(f"line {number}: it has {len(fields)} fields, not {len(HEADER)}")
        elif any(field != field.strip() or "|" in field or "  " in field for field in fields):
            faults.append(f"line {number}: a field has a bar, two blanks, or a blank at its end")
        else:
            rows.append(Row(*fields[:3], parts(fields[3]), parts(fields[4])))
    return rows, faults


# --- the rows themselves ------------------------------------------------------------------------------------------------


def shape_faults(rows: list) -> list:
    """What is wrong with the rows, whatever the tree has."""
    faults = []
    found, expected = [row.id for row in rows], ids()
    faults += [f"{name}: it has no row" for name in expected if name not in found]
    faults += [f"{name}: no specification has it" for name in dict.fromkeys(found) if name not in expected]
    faults += [f"{name}: it has {found.count(name)} rows" for name in dict.fromkeys(found) if found.count(name) > 1]
    if not faults and found != expected:
        faults.append("the rows are not in the order of their ids")
    for row in rows:
        if row.status not in STATUSES:
            faults.append(f"{row.id}: the status '{row.status}' is none of {', '.join(STATUSES)}")
        if not row.requirement:
            faults.append(f"{row.id}: it names no requirement")
        if row.status in ("yes", "part") and not row.evidence:
            faults.append(f"{row.id}: it is '{row.status}' without evidence")
        if row.status in ("part", "waits") and not row.missing:
            faults.append(f"{row.id}: it is '{row.status}' and does not say what is missing")
        if row.status in ("yes", "adr") and row.missing:
            faults.append(f"{row.id}: it is '{row.status}' and says that something is missing")
        decided = any(item.startswith("ADR ") for item in row.evidence)
        if decided != (row.status == "adr"):
            faults.append(f"{row.id}: an ADR and the status 'adr' belong together")
        faults += [f"{row.id}: '{item}' begins with none of the topics" for item in row.missing if topic_of(item) not in TOPICS]
    return faults


# --- the evidence -------------------------------------------------------------------------------------------------------


def cpp_tests(text: str) -> set:
    return {f"{suite}.{name}" for suite, name in re.findall(r"^\s*(?:TYPED_)?TEST(?:_[FP])?\(\s*(\w+)\s*,\s*(\w+)\s*\)", text, re.M)}


def python_tests(text: str) -> set:
    return set(re.findall(r"^\s*(?:async )?def (test_\w+)\(", text, re.M))


def typescript_tests(text: str) -> set:
    found = re.findall(r"""\b(?:it|test)(?:\.\w+\([^)]*\))?\(\s*(["'`])(.+?)\1\s*,""", text)
    return {title for _, title in found}


def tests_in(path: str, text: str) -> set:
    if path.endswith(".cpp"):
        return cpp_tests(text)
    if path.endswith(".py"):
        return python_tests(text)
    return typescript_tests(text)


def anchors(text: str) -> set:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    found = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *$", text, re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        name, number = anchor, 0
        while name in found:
            number += 1
            name = f"{anchor}-{number}"
        found.add(name)
    return found


class Tree:
    """The files that evidence names, each read once."""

    def __init__(self, root: pathlib.Path):
        self.root = root
        self.texts = {}
        self.tests = {}

    def text(self, path: str):
        if path not in self.texts:
            file = self.root / path
            inside = not path.startswith("/") and ".." not in pathlib.PurePosixPath(path).parts
            self.texts[path] = file.read_text(encoding="utf-8") if inside and file.is_file() else None
        return self.texts[path]

    def adr(self, number: str):
        return next(iter(sorted((self.root / "docs/adr").glob(f"{number}-*.md"))), None)

    def fault(self, item: str) -> str:
        """What is wrong with one piece of evidence; nothing where it is there."""
        if item.startswith("ADR "):
            return "" if self.adr(item[4:]) else f"there is no {item}"
        path, _, test = item.partition("::")
        path, _, anchor = (path, "", "") if test else path.partition("#")
        text = self.text(path)
        if text is None:
            return f"there is no file {path}"
        if test:
            if path not in self.tests:
                self.tests[path] = tests_in(path, text)
            return "" if test in self.tests[path] else f"{path} has no test '{test}'"
        return "" if not anchor or anchor in anchors(text) else f"{path} has no heading #{anchor}"


def evidence_faults(rows: list, root: pathlib.Path) -> list:
    tree = Tree(root)
    faults = []
    for row in rows:
        for item in row.evidence:
            if what := tree.fault(item):
                faults.append(f"{row.id}: {what}")
    return faults


# --- the page -----------------------------------------------------------------------------------------------------------


def link(item: str, root: pathlib.Path) -> str:
    from_page = os.path.dirname(PAGE)
    if item.startswith("ADR "):
        return f"[{item}]({os.path.relpath(Tree(root).adr(item[4:]).relative_to(root), from_page)})"
    path, _, test = item.partition("::")
    target = os.path.relpath(path, from_page)
    if test:
        return f"[`{test}`]({target})"
    return f"[{path.removeprefix('docs/').replace('_', chr(92) + '_')}]({target})"


def topics_of(rows: list) -> dict:
    """What is waited for, and by which rows."""
    found = {}
    for topic in TOPICS:
        named = [row.id for row in rows if topic in map(topic_of, row.missing)]
        if named:
            found[topic] = named
    return found


def counts(rows: list) -> str:
    lines = ["| specification | features | " + " | ".join(STATUSES.values()) + " |", "| --- |" + " --- |" * (len(STATUSES) + 1)]
    for name, (_, title) in [*SPECIFICATIONS.items(), ("", (0, "all"))]:
        of = [row for row in rows if row.id.startswith(name + ".") or not name]
        numbers = [sum(row.status == status for row in of) for status in STATUSES]
        lines.append(f"| {f'{name} {title}'.strip()} | {len(of)} | " + " | ".join(map(str, numbers)) + " |")
    return "\n".join(lines)


def rendered(rows: list, root: pathlib.Path) -> str:
    page = f"""# Features

<!-- Written by scripts/features.py from {DATA}. Edit that file, then run `python3 scripts/features.py`. -->

Tokenrail grew from five specifications. Each of their {len(rows)} features has a row here, with the tests and documents that show it. A test checks
that each of these tests, headings and decisions is there, and that this page is what `{DATA}` gives.

| mark | meaning |
| --- | --- |
| ✓ | The tests and documents of the row show it. |
| part | They show a part of it. The row names what is missing. |
| waits | It is not there. The row names what it waits for. |
| ADR | A decision says what there is instead, and why. |

{counts(rows)}

What is missing, by what it waits for. *a test* means that the behaviour is there and no test shows it yet.

| waits for | features |
| --- | --- |
"""
    page += "".join(f"| {topic} | {', '.join(named)} |\n" for topic, named in topics_of(rows).items())
    for name, (_, title) in SPECIFICATIONS.items():
        page += f"\n## {name} {title}\n\n| id | feature | | shown by | missing |\n| --- | --- | --- | --- | --- |\n"
        for row in rows:
            if row.id.startswith(name + "."):
                shown = "; ".join(link(item, root) for item in row.evidence)
                cells = [row.id, row.requirement, STATUSES[row.status], shown, "; ".join(row.missing)]
                page += "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|\n"
    return page


def check(root: pathlib.Path = ROOT) -> tuple:
    """The faults of the data, and the page that it gives (None where it has faults)."""
    rows, faults = read((root / DATA).read_text(encoding="utf-8"))
    faults = faults + shape_faults(rows)
    faults += evidence_faults(rows, root)
    return faults, None if faults else rendered(rows, root)


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    faults, page = check()
    for fault in faults:
        print(f"{DATA}: {fault}", file=sys.stderr)
    if faults:
        return 1
    path = ROOT / PAGE
    if path.is_file() and path.read_text(encoding="utf-8") == page:
        return 0
    if options.check:
        print(f"{PAGE} is not what {DATA} gives. Write it again: python3 scripts/features.py", file=sys.stderr)
        return 1
    path.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
