"""./dev coverage adds up files of a module, and no others."""

import json
import pathlib
import re

import coverage_report
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def entry(path, lines, branches=(0, 0)):
    def share(pair):
        return {"covered": pair[0], "count": pair[1], "percent": 0}

    return {"filename": str(path), "summary": {"lines": share(lines), "branches": share(branches)}}


@pytest.fixture
def root(tmp_path):
    for folder, name in (("common/kafka", "kafka"), ("cli", "cli"), ("cli/verify", "verify")):
        (tmp_path / folder / "detail").mkdir(parents=True)
        (tmp_path / folder / "CMakeLists.txt").write_text(f"tokenrail_module(\n  WITHOUT verify\n  NAME {name}\n  DEPENDS x)\n")
    (tmp_path / "common" / "CMakeLists.txt").write_text("add_subdirectory(kafka)\n")
    return tmp_path


def export(root):
    return {"data": [{"files": [
        entry(root / "common/kafka/a.cpp", (90, 100), (10, 20)),
        entry(root / "common/kafka/detail/b.cpp", (0, 100), (0, 20)),
        entry(root / "common/result.hpp", (1, 1)),
        entry(root / "cli/verify/c.cpp", (5, 10), (1, 3)),
        entry(root / "cli/d.cpp", (10, 10)),
        entry(root / "cli/main.cpp", (0, 50)),
        entry(root / "tests/unit/e.cpp", (50, 50)),
        entry("/usr/include/f.h", (7, 7)),
    ]}]}


def rows(text):
    cells = (re.match(r"(.*?) +(\d+/.*)", line).groups() for line in text.splitlines()[1:])
    return {name: numbers.split() for name, numbers in cells}


def test_modules_are_summed_up_and_a_module_inside_another_is_apart(root):
    assert rows(coverage_report.report(export(root), root, [])[0]) == {
        "common": ["1/1", "100.0", "%", "0/0", "-"],
        "common/kafka": ["90/200", "45.0", "%", "10/40", "25.0", "%"],
        "cli": ["10/10", "100.0", "%", "0/0", "-"],
        "cli/verify": ["5/10", "50.0", "%", "1/3", "33.3", "%"],
        "common and workers": ["91/201", "45.3", "%", "10/40", "25.0", "%"],
        "all": ["106/221", "48.0", "%", "11/43", "25.6", "%"],
    }


def test_of_a_named_module_each_file_is_listed(root):
    assert rows(coverage_report.report(export(root), root, ["kafka"])[0]) == {
        "common/kafka/a.cpp": ["90/100", "90.0", "%", "10/20", "50.0", "%"],
        "common/kafka/detail/b.cpp": ["0/100", "0.0", "%", "0/20", "0.0", "%"],
        "common/kafka": ["90/200", "45.0", "%", "10/40", "25.0", "%"],
        "all": ["90/200", "45.0", "%", "10/40", "25.0", "%"],
    }


def test_less_than_the_bound_fails(root, capsys):
    file = root / "coverage.json"
    file.write_text(json.dumps(export(root)))
    run = lambda *arguments: coverage_report.main(["--root", str(root), *arguments, str(file)])
    assert run() == 0 and run("--lines-min", "45.2") == 0  # 91 of 201: the command line is not counted
    assert run("--lines-min", "45.3") == 1
    assert "less than 45.3 % of the lines" in capsys.readouterr().err


def test_the_command_wants_85_percent_of_the_lines():
    command = (ROOT / "scripts" / "coverage.sh").read_text()
    assert "coverage_lines_min=85\n" in command and '--lines-min "$coverage_lines_min"' in command


def test_every_module_of_this_tree_is_found():
    listings = [path for folder in coverage_report.FOLDERS for path in (ROOT / folder).rglob("CMakeLists.txt")
                if "tokenrail_module(" in path.read_text()]
    names = [coverage_report.module_of(path.relative_to(ROOT), ROOT)[1] for path in listings]
    assert len(names) > 10
    assert all(names)
    assert len(set(names)) == len(names)
