#!/usr/bin/python3
"""Counts real tests, not programs: reads what GoogleTest, ctest and pytest wrote and prints "passed failed skipped".

    count_tests.py [--gtest FOLDER] [--ctest FILE] [--pytest FILE]...

A program that died before it could write its report counts as one failure, so that a crash cannot pass for silence.
Names of what failed go to standard error.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    names: list = field(default_factory=list)

    def fail(self, name: str) -> None:
        self.failed += 1
        self.names.append(name)


def count_gtest(folder: pathlib.Path, count: Count) -> dict:
    """Failures by program. A second run of one program writes NAME_1.xml beside NAME.xml."""
    failures = {}
    for file in sorted(folder.glob("*.xml")):
        program = re.sub(r"_\d+$", "", file.stem)
        failures.setdefault(program, 0)
        try:
            root = ElementTree.parse(file).getroot()
        except ElementTree.ParseError:
            continue  # died while writing: ctest reports it
        for case in root.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failures[program] += 1
                count.fail(f"{program}: {case.get('classname')}.{case.get('name')}")
            elif case.get("status") == "notrun" or case.get("result") in ("skipped", "suppressed"):
                count.skipped += 1
            else:
                count.passed += 1
    return failures


def count_ctest(file: pathlib.Path, reported: dict, count: Count) -> None:
    if not file.exists():
        count.fail(f"ctest wrote no report to {file}")
        return
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        if status == "fail" or case.find("failure") is not None:
            if not reported.get(name):
                count.fail(f"{name}: ended badly without naming a test")
        elif status in ("notrun", "disabled"):
            # Not built is no reason to be content; switched off on purpose is.
            if status == "notrun":
                count.fail(f"{name}: could not be run")
            else:
                count.skipped += 1
        elif name not in reported:
            count.passed += 1


def count_pytest(file: pathlib.Path, count: Count) -> None:
    if not file.exists():
        count.fail(f"pytest wrote no report to {file}")
        return
    for case in ElementTree.parse(file).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            count.fail(f"{case.get('classname')}::{case.get('name')}")
        elif case.find("skipped") is not None:
            count.skipped += 1
        else:
            count.passed += 1


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gtest", type=pathlib.Path)
    parser.add_argument("--ctest", type=pathlib.Path)
    parser.add_argument("--pytest", type=pathlib.Path, action="append", default=[])
    options = parser.parse_args(arguments)
    count = Count()
    reported = count_gtest(options.gtest, count) if options.gtest else {}
    if options.ctest:
        count_ctest(options.ctest, reported, count)
    for file in options.pytest:
        count_pytest(file, count)
    for name in count.names:
        print(f"FAILED {name}", file=sys.stderr)
    print(count.passed, count.failed, count.skipped)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
