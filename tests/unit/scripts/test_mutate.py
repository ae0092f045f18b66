import re
import subprocess

import mutants
import mutate
import pytest


def lines_after(text):
    return {mutant.after for mutant in mutants.mutants_of("a.cpp", text)}


def body(text):
    """As the body of a function: statements are taken out there only."""
    return f"void f() {{\n{text}\n}}\n"


def test_each_operator_is_swapped_once_and_bounds_are_moved():
    assert lines_after("  if (a < b && !c) return true;") == {
        "  if (a <= b && !c) return true;",
        "  if (a < b || !c) return true;",
        "  if (a < b && c) return true;",
        "  if (a < b && !c) return false;",
    }


def test_a_statement_is_taken_out_and_a_call_that_spans_lines_is_not():
    assert ";" in {line.strip() for line in lines_after(body("  waiting_.erase(offset);"))}
    assert ";" in {line.strip() for line in lines_after(body("  ++count_;"))}
    assert lines_after(body("  waiting_.erase(offset,\n      other);")) == set()
    assert lines_after(body("  const auto name =\n      std::string(apply);")) == set()
    assert lines_after(body("  return {.remedy = std::move(remedy),\n      .remedy = std::move(remedy)};")) == set()


def test_what_a_condition_guards_is_taken_out():
    assert lines_after(body("  if (known(it, 3)) return std::nullopt;")) == {"  if (known(it, 3)) ;"}
    assert lines_after(body("  } else if (known) it->use();")) == {"  } else if (known) ;"}
    assert lines_after(body("  if (known) return {\n")) == set()


def test_a_declaration_in_a_class_is_no_statement():
    assert lines_after("class Name {\n public:\n  explicit_name(int);\n};\n") == set()
    assert len(lines_after("class Name {\n  void f() {\n    go_on(1);\n  }\n};\n")) == 1


def test_text_is_joined_and_not_subtracted():
    assert lines_after('  return {.requests = prefix + "chat.requests"};') == set()
    assert lines_after('  return "prefix." + name;') == set()
    assert lines_after("  return a + b;") == {"  return a - b;"}


@pytest.mark.parametrize("text", [
    '  const auto text = "a < b && c";',
    "  // a < b && c",
    "  std::vector<std::pair<int, int>> list;",
    '  spdlog::warn("{} {}",\n               a < b, c - 1);',
    "  metrics_.claims.add();",
    "  out.reserve(text.size());",
    "  assert(a.empty());",
    "  static_assert(a < b);",
    "  if constexpr (a && b) {",
    "  constexpr std::size_t most = a + b;",
    "template <class A, int B = C + 1>",
    "  if (planted(Bug::epoch_reused) && a < b) return true;",
])
def test_literals_comments_templates_constants_and_logging_are_left_alone(text):
    assert mutants.mutants_of("a.cpp", text) == []


def test_lines_keep_their_numbers_behind_a_raw_literal():
    text = 'auto x = R"(\n a < b \n)";\nif (a == b) f();'
    assert [(m.line, m.after) for m in mutants.mutants_of("a.cpp", text) if "==" in m.before] == [(4, "if (a != b) f();")]


@pytest.mark.parametrize(("text", "left", "right"), [
    ("if (a < b && c) x;", "a < b", "c"),
    ("return a && f(b, c);", "a", "f(b, c)"),
    ("const bool x = a || b;", "a", "b"),
    ("x = y ? a && b : c;", "a", "b"),
    ("f(x, a && !b, c);", "a", "!b"),
    ("for (; a != b && c; ++a) {", "a != b", "c"),
    ("if (const auto x = f(a); x && g) {", "x", "g"),
    ("[&] { return a::b && c::d; }", "a::b", "c::d"),
    ('return name == "a" && value == "b";', 'name == "a"', 'value == "b"'),
])
def test_the_ends_of_operands_are_found(text, left, right):
    code = mutants.blanked(text)
    word = "&&" if "&&" in text else "||"
    at = code.index(word)
    begin = mutants.operand_begin(code, at, word)
    behind = at + 3
    assert (text[begin:at].strip(), text[behind : mutants.operand_end(code, behind, word)]) == (left, right)


INCLUDES = """// Any comment is replaced by the include.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
"""
SOURCE = """
inline constexpr int constant = std::min(3, 4);  // not planted

int tested(int a, int b, std::optional<int> c) {
  const std::string joined = std::string(2, 'x') + std::string(1, 'y');
  int result = static_cast<int>(joined.size());
  if (a < b && (!c || c.value_or(0) >= 2) && result == 3)
    result += 10;
  else
    result -= 10;
  for (int i = 0; i < std::max(a, 2); ++i) {
    if (i == b) continue;
    ++result;
  }
  if (a > 100 || b > 100) return 0;
  return result + a - b;
}

bool truth() { return true; }

void show() {
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b)
      for (int c = 1; c < 4; ++c) std::printf("%d ", tested(a, b, c == 1 ? std::nullopt : std::optional<int>(c)));
  std::printf("%d %d %d %d ", tested(101, 3, {}), tested(3, 101, {}), tested(100, 100, {}), truth());
}
"""
PLANTED_MAIN = """
int main(int, char** words) {
  mutants::chosen = std::atoi(words[1]);
  show();
  if (mutants::chosen >= 0) std::printf("%d", mutants::impossible[mutants::chosen]);
}
"""


def built(folder, name, source, *warnings):
    file = folder / f"{name}.cpp"
    file.write_text(source)
    program = folder / name
    subprocess.run(["clang++-19", "-std=c++23", "-O0", f"-I{mutate.ROOT}", *warnings, str(file), "-o", str(program)], check=True)
    return lambda word: subprocess.run([str(program), word], check=True, capture_output=True, text=True, timeout=20).stdout.split()


def test_what_is_planted_behaves_as_before_until_it_is_chosen_and_then_as_if_written(tmp_path):
    found = [m for m in mutants.mutants_of("a.cpp", INCLUDES + SOURCE) if m.line < (INCLUDES + SOURCE[: SOURCE.index("void show")]).count("\n")]
    planted = built(tmp_path, "planted", mutants.planted_text(INCLUDES + SOURCE, list(enumerate(found))) + PLANTED_MAIN, "-Werror", "-Wall")
    as_it_is = planted("-1")
    said = [planted(str(number)) for number in range(len(found))]
    impossible = [m.before.strip() for m, words in zip(found, said) if words[-1] == "1"]
    assert impossible == ["const std::string joined = std::string(2, 'x') + std::string(1, 'y');"]

    # Each written by hand, all in one program.
    text, choice = INCLUDES, ""
    alone = [n for n, words in enumerate(said) if words[-1] == "0"]
    for number in alone:
        changed = (INCLUDES + SOURCE).split("\n")
        changed[found[number].line - 1] = found[number].after
        text += f"namespace alone{number} {{\n" + "\n".join(changed[INCLUDES.count("\n"):]) + "\n}\n"
        choice += f"  if (number == {number}) alone{number}::show();\n"
    written = built(tmp_path, "written", text + f"int main(int, char** words) {{\n  const int number = std::atoi(words[1]);\n{choice}}}\n")
    assert len(alone) >= 18
    for number in alone:
        assert said[number][:-1] == written(str(number)), found[number]
        assert said[number][:-1] != as_it_is, found[number]


def test_what_the_compiler_refuses_is_traced_to_its_line():
    output = """/tree/tests/mutation/mutants.hpp:50:5: error: no viable conversion
/tree/a/b.cpp:12:7: note: in instantiation of function template
/tree/a/b.cpp:12:7: note: while
/tree/a/c.cpp:9:1: error: expected expression
/tree/other.cpp:3:1: error: unknown
"""
    assert mutate.blamed(output, "/tree", {"a/b.cpp": {12, 20}, "a/c.cpp": {3, 7, 11}}) == {("a/b.cpp", 12), ("a/c.cpp", 7)}


def test_a_change_is_judged_by_the_tests_that_reach_it():
    tests = [("A.a", 10, {1, 2}), ("A.b", 500, {2}), ("B.c", 0, set())]
    assert mutate.tasks_of([1, 2, 3, 4], tests, {4}) == [(1, 3, "A.a", 1), (2, 8, "A.a:A.b", 2), (4, 15, "*", 2)]


def test_every_module_names_files_and_tests_that_exist():
    names = {match.group(1) for file in mutate.ROOT.glob("*/**/CMakeLists.txt") for match in re.finditer(r"^\s+NAME (\w+)$", file.read_text(), re.M)}
    for name, module in mutate.MODULES.items():
        for pattern in module.files:
            assert list(mutate.ROOT.glob(pattern.lstrip("-"))), f"{name}: {pattern}"
        assert module.program.removeprefix("unit-").removesuffix("-tests") in names, name
        assert list((mutate.ROOT / module.tests()).glob("**/*_test.cpp")), name
    changes = [len(mutants.mutants_of(p, (mutate.ROOT / p).read_text())) for m in mutate.MODULES.values() for p in m.paths()]
    room = re.search(r"numbers_max = ([\d']+)", (mutate.ROOT / mutants.RUNTIME).read_text()).group(1)
    assert max(changes) > 50 and sum(changes) < int(room.replace("'", ""))
