import re

import mutate


def lines_after(text):
    return {mutant.after for mutant in mutate.mutants_of("a.cpp", text)}


def test_each_operator_is_swapped_once_and_bounds_are_moved():
    assert lines_after("  if (a < b && !c) return true;") == {
        "  if (a <= b && !c) return true;",
        "  if (a < b || !c) return true;",
        "  if (a < b && c) return true;",
        "  if (a < b && !c) return false;",
    }


def test_a_statement_is_taken_out_and_a_call_that_spans_lines_is_not():
    assert "  ;" in lines_after("  waiting_.erase(offset);")
    assert "  ;" in lines_after("  ++count_;")
    assert lines_after("  waiting_.erase(offset,") == set()
    assert lines_after("                std::string(apply));") == set()
    assert lines_after("      .remedy = std::move(remedy)});") == set()


def test_text_is_joined_and_not_subtracted():
    assert lines_after('  return {.requests = prefix + "chat.requests"};') == set()
    assert lines_after('  return "prefix." + name;') == set()
    assert lines_after("  return a + b;") == {"  return a - b;"}


def test_literals_comments_templates_and_logging_are_left_alone():
    for text in (
        '  const auto text = "a < b && c";',
        "  // a < b && c",
        "  std::vector<std::pair<int, int>> list;",
        '  spdlog::warn("{}", a < b);',
        "  metrics_.claims.add();",
        "  out.reserve(text.size());",
        "  assert(a.empty());",
        "  if (planted(Bug::epoch_reused) && a < b) return;",
    ):
        assert [m for m in mutate.mutants_of("a.cpp", text) if "list" not in m.before and "text" not in m.before] == []


def test_lines_keep_their_numbers_behind_a_raw_literal():
    text = 'auto x = R"(\n a < b \n)";\nif (a == b) f();'
    assert [(m.line, m.after) for m in mutate.mutants_of("a.cpp", text) if "==" in m.before] == [(4, "if (a != b) f();")]


def test_every_module_names_files_and_tests_that_exist():
    suites = {
        match.group(1)
        for path in (mutate.ROOT / "tests" / "unit").rglob("*.cpp")
        for match in re.finditer(r"^TEST(?:_F|_P)?\((\w+),", path.read_text(encoding="utf-8"), re.M)
    }
    for name, module in mutate.MODULES.items():
        for pattern in module.files:
            assert list(mutate.ROOT.glob(pattern)), f"{name}: {pattern}"
        for prefix in module.filter.split(":"):
            assert any(suite.startswith(prefix.rstrip("*")) for suite in suites), f"{name}: no test fits {prefix}"
