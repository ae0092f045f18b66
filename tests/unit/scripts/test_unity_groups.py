"""Files that are compiled as one must not declare one name twice."""

import importlib.util
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).resolve().parents[3] / "cmake" / "unity_groups.py"
spec = importlib.util.spec_from_file_location("unity_groups", SCRIPT)
unity_groups = importlib.util.module_from_spec(spec)
spec.loader.exec_module(unity_groups)


def source(body: str, before: str = "") -> str:
    return f"#include <string>\n\nnamespace tokenrail::x {{\n\n{before}namespace {{\n\n{body}\n}}  // namespace\n\nvoid run() {{}}\n\n}}  // namespace tokenrail::x\n"


def groups(tmp_path, *texts: str) -> list:
    files = []
    for number, text in enumerate(texts):
        file = tmp_path / f"f{number}.cpp"
        file.write_text(text)
        files.append(str(file))
    return [[pathlib.Path(file).stem for file in group] for group in unity_groups.groups_of(files)]


def test_files_without_a_common_name_are_one_group(tmp_path):
    assert groups(tmp_path, source("int a() {\n  return 1;\n}\n"), source("int b() {\n  return a_b(1);\n}\n")) == [["f0", "f1"]]


def test_what_two_files_declare_for_themselves_keeps_them_apart(tmp_path):
    first = source("constexpr std::size_t bytes_max = 1;\n\nstruct Row {\n  int count;\n};\n\nstd::string lower(std::string_view text) {\n}\n")
    for other in ("constexpr int bytes_max = 2;\n", "const std::array<Row, 2> bytes_max{\n    1, 2};\n", "class Row {\n};\n",
                  "enum class Row { a };\n", "template <typename T>\nT lower(T text) {\n}\n", "using Row = int;\n",
                  "const char* lower[] = {\n};\n", "using other::Row;\n"):
        assert groups(tmp_path, first, source(other)) == [["f0"], ["f1"]], other


def test_names_within_a_function_or_a_member_are_none(tmp_path):
    body = "int one() {\n  const int bytes_max = 1;\n  return lower(bytes_max);\n}\n"
    other = "int bytes_max = 1;\n\nint lower(int x) {\n}\n\nint Thing::one() {\n}\n"
    assert groups(tmp_path, source(body), source(other)) == [["f0", "f1"]]


def test_the_same_alias_twice_is_no_clash(tmp_path):
    assert groups(tmp_path, source("using config::Kind;\n"), source("using config::Kind;\n")) == [["f0", "f1"]]
    assert groups(tmp_path, source("using config::Kind;\n"), source("using events::Kind;\n")) == [["f0"], ["f1"]]
    assert groups(tmp_path, source("", "using config::Kind;\n\n"), source("struct Kind {\n};\n")) == [["f0"], ["f1"]]


def test_macros_and_fixtures_are_names(tmp_path):
    assert groups(tmp_path, "#define SIZE 1\n", "#define SIZE 2\n") == [["f0"], ["f1"]]
    assert groups(tmp_path, source("TEST(First, works) {\n}\n"), source("TEST(First, fails) {\n}\n")) == [["f0"], ["f1"]]
    assert groups(tmp_path, source("TEST(First, works) {\n}\n"), source("TEST(Second, works) {\n}\n")) == [["f0", "f1"]]


def test_groups_are_bounded(tmp_path):
    assert [len(group) for group in groups(tmp_path, *[source(f"int f{n}() {{\n}}\n") for n in range(13)])] == [6, 6, 1]
    assert groups(tmp_path, "\n" * 1000, "\n" * 1000) == [["f0"], ["f1"]]


def test_a_file_that_the_build_makes_is_alone(tmp_path):
    printed = subprocess.run([sys.executable, str(SCRIPT), "not_there.cpp", str(tmp_path / "later.cpp")], capture_output=True,
                             text=True, check=True).stdout
    assert printed == f"0 not_there.cpp\n1 {tmp_path / 'later.cpp'}\n"
