#!/usr/bin/python3
"""Adds up what `llvm-cov export -summary-only` reports: lines and branches of each module.

    coverage_report.py --root FOLDER [--lines-min PERCENT] FILE [MODULE...]

A module is a folder below common/, workers/ or cli/ whose CMakeLists.txt calls tokenrail_module(); what is in no module counts
to its first folder. With MODULEs: these only, and each of their files. Tests and main.cpp are left out. With --lines-min it ends
with 1 where the tests run a smaller part of the lines of common/ and workers/ than that."""

import argparse
import json
import pathlib
import re
import sys
from dataclasses import dataclass, field

FOLDERS = ("common", "workers", "cli")
BOUND_FOLDERS = ("common", "workers")
MODULE = re.compile(r"tokenrail_module\([^)]*\bNAME\s+(\w+)")


@dataclass
class Share:
    covered: int = 0
    count: int = 0

    def add(self, summary: dict) -> None:
        self.covered += summary["covered"]
        self.count += summary["count"]

    def __str__(self) -> str:
        percent = f"{100 * self.covered / self.count:.1f} %" if self.count else "-"
        return f"{self.covered:>7}/{self.count:<7}{percent:>8}"


@dataclass
class Coverage:
    lines: Share = field(default_factory=Share)
    branches: Share = field(default_factory=Share)

    def add(self, summary: dict) -> None:
        self.lines.add(summary["lines"])
        self.branches.add(summary["branches"])


def module_of(file: pathlib.PurePath, root: pathlib.Path) -> tuple:
    """(folder, name) of the module that `file`, relative to the root, belongs to."""
    for folder in file.parents:
        listing = root / folder / "CMakeLists.txt"
        found = MODULE.search(listing.read_text()) if folder.parts and listing.exists() else None
        if found:
            return str(folder), found[1]
    return file.parts[0], ""


def files_of(export: dict, root: pathlib.Path) -> dict:
    """File, relative to the root -> its summary; of the programs' own sources."""
    files = {}
    for entry in export["data"][0]["files"]:
        path = pathlib.Path(entry["filename"])
        if not path.is_relative_to(root):
            continue
        file = path.relative_to(root)
        if file.parts[0] in FOLDERS and file.name != "main.cpp":
            files[file] = entry["summary"]
    return files


def table(rows: list) -> str:
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':<{width}}{'lines':>23}{'branches':>23}".rstrip()]
    lines += [f"{name:<{width}} {coverage.lines} {coverage.branches}".rstrip() for name, coverage in rows]
    return "\n".join(lines)


def report(export: dict, root: pathlib.Path, names: list) -> tuple:
    """(text, Coverage of common/ and workers/; of the modules where they are named)"""
    modules: dict = {}
    files: dict = {}
    total, bound = Coverage(), Coverage()
    for file, summary in sorted(files_of(export, root).items()):
        folder, name = module_of(file, root)
        if names and name not in names:
            continue
        modules.setdefault(folder, Coverage()).add(summary)
        files.setdefault(str(file), Coverage()).add(summary)
        total.add(summary)
        if file.parts[0] in BOUND_FOLDERS:
            bound.add(summary)
    rows = [*files.items()] if names else []
    rows += [*sorted(modules.items())] + ([] if names else [(" and ".join(BOUND_FOLDERS), bound)]) + [("all", total)]
    return table(rows), total if names else bound


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--lines-min", type=float, default=0.0, metavar="PERCENT")
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args(arguments)
    text, total = report(json.loads(options.file.read_text()), options.root, options.modules)
    print(text)
    if 100 * total.lines.covered < options.lines_min * total.lines.count:
        print(f"The tests run less than {options.lines_min:g} % of the lines. Add tests for what is not covered.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
