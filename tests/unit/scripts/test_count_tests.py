"""The count decides whether CI is green: silence must never count as success."""

import count_tests
import pytest

GTEST = """<testsuites><testsuite name="Ledger">
  <testcase name="commits_lowest" classname="Ledger" status="run" result="completed"/>
  <testcase name="grows" classname="Ledger" status="run" result="completed">{failure}</testcase>
  <testcase name="slow" classname="Ledger" status="run" result="skipped"><skipped message="no"/></testcase>
  <testcase name="DISABLED_later" classname="Ledger" status="notrun" result="suppressed"/>
</testsuite></testsuites>"""


def ctest(*cases: str) -> str:
    return f"<testsuite>{''.join(cases)}</testsuite>"


def case(name: str, status: str = "run") -> str:
    return f'<testcase name="{name}" status="{status}">{"<failure/>" if status == "fail" else ""}</testcase>'


@pytest.fixture
def counted(tmp_path, capsys):
    def count(gtest=None, ctest_report=None, pytest_report=None):
        arguments = []
        folder = tmp_path / "gtest"
        folder.mkdir()
        for name, text in (gtest or {}).items():
            (folder / name).write_text(text)
        arguments += ["--gtest", str(folder)]
        if ctest_report is not None:
            (tmp_path / "ctest.xml").write_text(ctest_report)
            arguments += ["--ctest", str(tmp_path / "ctest.xml")]
        if pytest_report is not None:
            (tmp_path / "pytest.xml").write_text(pytest_report)
            arguments += ["--pytest", str(tmp_path / "pytest.xml")]
        assert count_tests.main(arguments) == 0
        said = capsys.readouterr()
        return said.out.strip(), said.err

    return count


def test_single_tests_are_counted_not_programs(counted):
    out, _ = counted({"unit-kafka-tests.xml": GTEST.format(failure="")}, ctest(case("unit-kafka-tests")))
    assert out == "2 0 2"


def test_a_failure_is_named_and_counted_once(counted):
    out, err = counted(
        {"unit-kafka-tests.xml": GTEST.format(failure="<failure/>")}, ctest(case("unit-kafka-tests", "fail"))
    )
    assert out == "1 1 2"
    assert "unit-kafka-tests: Ledger.grows" in err


def test_a_crash_without_a_report_is_a_failure(counted):
    out, err = counted({}, ctest(case("unit-kafka-tests", "fail")))
    assert out == "0 1 0"
    assert "ended badly" in err


def test_a_crash_after_a_green_report_is_a_failure(counted):
    """A leak is found at exit, when the tests have all passed."""
    out, _ = counted({"unit-kafka-tests.xml": GTEST.format(failure="")}, ctest(case("unit-kafka-tests", "fail")))
    assert out == "2 1 2"


def test_a_report_cut_in_the_middle_is_a_failure(counted):
    out, _ = counted({"unit-kafka-tests.xml": "<testsuites><tests"}, ctest(case("unit-kafka-tests", "fail")))
    assert out == "0 1 0"


def test_a_program_that_was_not_built_is_a_failure(counted):
    out, _ = counted({}, ctest(case("unit-kafka-tests", "notrun")))
    assert out == "0 1 0"


def test_a_program_that_is_no_gtest_counts_as_one(counted):
    out, _ = counted({}, ctest(case("schema-check")))
    assert out == "1 0 0"


def test_two_runs_of_one_program_are_both_counted(counted):
    report = GTEST.format(failure="")
    out, _ = counted({"unit-a-tests.xml": report, "unit-a-tests_1.xml": report}, ctest(case("unit-a-tests")))
    assert out == "4 0 4"


def test_pytest_errors_are_failures(counted):
    out, err = counted(
        pytest_report="""<testsuites><testsuite>
        <testcase classname="t" name="a"/><testcase classname="t" name="b"><error/></testcase>
        <testcase classname="t" name="c"><skipped/></testcase></testsuite></testsuites>"""
    )
    assert out == "1 1 1"
    assert "t::b" in err


def test_a_missing_report_is_a_failure(tmp_path, capsys):
    count_tests.main(["--ctest", str(tmp_path / "none.xml"), "--pytest", str(tmp_path / "none-either.xml")])
    assert capsys.readouterr().out.strip() == "0 2 0"
