"""The table of features is what its data give, and everything that it names is there."""

import features
import pytest
from conftest import ROOT

ROWS, FAULTS = features.read((ROOT / features.DATA).read_text(encoding="utf-8"))
# The specifications themselves are not part of the repository.
SPECIFICATIONS = ROOT.parent / "shared" / "seed-features.tsv"


def test_every_row_has_its_evidence():
    faults, _ = features.check()
    assert faults == []


def test_the_page_is_what_the_data_give():
    _, page = features.check()
    assert (ROOT / features.PAGE).read_text(encoding="utf-8") == page, "write it again: python3 scripts/features.py"


def test_the_ids_are_those_of_the_specifications():
    assert FAULTS == [] and len(features.ids()) == 291
    if SPECIFICATIONS.is_file():
        lines = SPECIFICATIONS.read_text(encoding="utf-8").splitlines()[1:]
        assert [row.id for row in ROWS] == [line.split("\t")[0] for line in lines]


def changed(name, **fields):
    return [row._replace(**fields) if row.id == name else row for row in ROWS]


@pytest.mark.parametrize("rows, what", [
    (ROWS[:-1], "S4.51: it has no row"),
    ([*ROWS, ROWS[0]], "S0.1: it has 2 rows"),
    ([*ROWS, ROWS[0]._replace(id="S9.1")], "S9.1: no specification has it"),
    ([ROWS[1], ROWS[0], *ROWS[2:]], "the rows are not in the order of their ids"),
    (changed("S0.1", status="done"), "S0.1: the status 'done' is none of yes, part, waits, adr"),
    (changed("S0.1", requirement=""), "S0.1: it names no requirement"),
    (changed("S0.1", evidence=[]), "S0.1: it is 'yes' without evidence"),
    (changed("S0.1", missing=["router: more"]), "S0.1: it is 'yes' and says that something is missing"),
    (changed("S0.10", missing=[]), "S0.10: it is 'part' and does not say what is missing"),
    (changed("S0.10", missing=["later: more"]), "S0.10: 'later: more' begins with none of the topics"),
    (changed("S0.38", evidence=["docs/README.md"]), "S0.38: an ADR and the status 'adr' belong together"),
])
def test_a_row_that_is_wrong_is_named(rows, what):
    assert features.shape_faults(rows) == [what]


@pytest.mark.parametrize("line, what", [
    ("S0.1\tyes\tone\ttwo", "line 2: it has 4 fields, not 5"),
    ("S0.1\tyes\tone \ttwo\t", "line 2: a field has a bar, two blanks, or a blank at its end"),
    ("S0.1\tyes\ta|b\ttwo\t", "line 2: a field has a bar, two blanks, or a blank at its end"),
])
def test_a_line_that_is_no_row_is_named(line, what):
    assert features.read("\t".join(features.HEADER) + "\n" + line + "\n") == ([], [what])


@pytest.fixture
def tree(tmp_path):
    """A tree with one test of each kind, a page and a decision."""
    for path, text in {
        "a_test.cpp": "TEST(Plain, Works) {}\nTEST_F(Fixture,\n       IsLong) {}\n// TEST(Old, IsGone)\n",
        "test_a.py": "def test_one(stack):\n    def test_inner():\n        pass\n# def test_gone():\n",
        "a.test.tsx": "it('does a thing', async () => {});\nit.each([[1, 2]])('adds %s', () => {});\ntest(`in ${theme}`, () => {});\n",
        "docs/a.md": "# A page\n\n## What `x_y` is: the (whole) thing\n\n## Twice\n\n## Twice\n\n```sh\n# no heading\n```\n",
        "docs/adr/0007-so.md": "# 0007 So\n",
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


@pytest.mark.parametrize("item", [
    "a_test.cpp::Plain.Works", "a_test.cpp::Fixture.IsLong", "test_a.py::test_one", "a.test.tsx::does a thing",
    "a.test.tsx::adds %s", "a.test.tsx::in ${theme}", "docs/a.md", "docs/a.md#what-x_y-is-the-whole-thing",
    "docs/a.md#twice-1", "ADR 0007",
])
def test_evidence_that_is_there_is_found(tree, item):
    assert features.Tree(tree).fault(item) == ""


@pytest.mark.parametrize("item, what", [
    ("a_test.cpp::Plain.Work", "a_test.cpp has no test 'Plain.Work'"),
    ("a_test.cpp::Old.IsGone", "a_test.cpp has no test 'Old.IsGone'"),
    ("b_test.cpp::Plain.Works", "there is no file b_test.cpp"),
    ("test_a.py::test_on", "test_a.py has no test 'test_on'"),
    ("test_a.py::test_gone", "test_a.py has no test 'test_gone'"),
    ("a.test.tsx::does a", "a.test.tsx has no test 'does a'"),
    ("docs/a.md#no-heading", "docs/a.md has no heading #no-heading"),
    ("docs/b.md", "there is no file docs/b.md"),
    ("../secret.md", "there is no file ../secret.md"),
    ("ADR 0008", "there is no ADR 0008"),
])
def test_evidence_that_has_gone_is_named(tree, item, what):
    assert features.Tree(tree).fault(item) == what


def test_what_is_missing_is_listed_by_topic():
    rows = [ROWS[0]._replace(id=name, missing=missing) for name, missing in
            [("S0.1", ["edge: a"]), ("S0.2", []), ("S0.3", ["router: b", "edge: c"])]]
    assert features.topics_of(rows) == {"router": ["S0.3"], "edge": ["S0.1", "S0.3"]}
