#!/usr/bin/python3
"""Holds what a reader takes in at one sitting: a source file has at most 500 lines, and a class in workers/ or cli/verify at most 20 fields
and 40 methods.

EXCEPTIONS lists what is larger today, with its size. It must not grow. A change that makes it smaller lowers or
removes its line.

    check_sizes.py [ROOT]      prints what is too large, ends with 1 if there is any
    check_sizes.py --self-test plants each kind of violation and checks that it is found
"""

import pathlib
import re
import sys
import tempfile
from typing import Dict, Iterator, NamedTuple, Tuple

LINES_MAX = 500
FIELDS_MAX = 20
METHODS_MAX = 40
PRODUCT = ("common", "workers", "cli")
CLASS_FOLDERS = ("workers/", "cli/verify/")
SOURCE_SUFFIXES = {".hpp", ".cpp"}

# Lines of a file; fields and methods of a class.
EXCEPTIONS: Dict[str, int] = {
    "common/events/chat_request.cpp": 565,
    "common/events/registry_records.cpp": 504,
    "common/kafka/consumer.cpp": 556,
    "workers/registry_api/routes.hpp Route: fields": 24,
    "workers/registry_api/worker.hpp Worker: fields": 24,
    "workers/router/core/attempt.hpp Attempt: fields": 40,
    "workers/router/core/attempt.hpp Attempt: methods": 109,
    "workers/router/core/job.hpp Job: fields": 22,
    "workers/router/core/options.hpp RouterOptions: fields": 41,
    "workers/router/core/partition.hpp Partition: fields": 42,
    "workers/router/core/partition.hpp Partition: methods": 162,
    "workers/router/core/provider_call.hpp ProviderCall: fields": 21,
    "workers/router/core/router_core.hpp RouterCore: fields": 65,
    "workers/router/core/router_core.hpp RouterCore: methods": 73,
    "workers/router/core/router_metrics.hpp RouterMetrics: fields": 42,
    "workers/router/shell/worker.hpp Worker: fields": 35,
    "cli/verify/findings.hpp Figures: fields": 28,
}

NOISE = re.compile(r"""//[^\n]*|/\*.*?\*/|R"\((?:.*?)\)"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'""", re.DOTALL)
CLASS = re.compile(r"\b(?:class|struct)\s+(?:\[\[\w+\]\]\s*)?(\w+)\s*(?:final\s*)?(?::[^;{()]*)?\{")
NO_MEMBER = re.compile(r"^(?:using|friend|enum|typedef|static_assert|template\s*<[^;{]*>\s*(?:class|struct|using)|class|struct|union)\b")
ACCESS = re.compile(r"^(?:(?:public|private|protected)\s*:\s*)+")


class Members(NamedTuple):
    fields: int
    methods: int


def bodies(text: str) -> Iterator[Tuple[str, str]]:
    """Each class of the text with what its braces contain; nested ones too, as classes of their own."""
    for match in CLASS.finditer(text):
        if re.search(r"\benum\s+$", text[: match.start()]):
            continue
        depth, at = 1, match.end()
        while depth and at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        yield match.group(1), text[match.end() : at - 1]


def declarations(body: str) -> Iterator[str]:
    """What is declared at the first level, without the contents of braces."""
    depth, parens, now = 0, 0, ""
    for at, char in enumerate(body):
        if char == "{":
            if depth == 0:
                now += "{"
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                now += "}"
                rest = body[at + 1 :].lstrip()
                # The body of a function ends a declaration without a semicolon.
                if parens == 0 and not rest.startswith((";", ",", ")")):
                    yield now.strip()
                    now = ""
        elif depth == 0:
            parens += {"(": 1, ")": -1}.get(char, 0)
            if char == ";" and parens == 0:
                yield now.strip()
                now = ""
            else:
                now += char


def without_templates(declaration: str) -> str:
    """Without the contents of angle brackets, where a function type may have parentheses."""
    shorter = re.sub(r"<[^<>]*>", "", declaration)
    return shorter if shorter == declaration else without_templates(shorter)


def members_of(body: str) -> Members:
    fields = methods = 0
    for declaration in declarations(body):
        declaration = " ".join(ACCESS.sub("", declaration).split())
        declaration = re.sub(r"^\[\[\w+\]\] ", "", declaration)
        if not declaration or NO_MEMBER.match(declaration):
            continue
        head = re.split(r"[={]", without_templates(re.sub(r"operator[^\w\s(]+|->", "operator", declaration)))[0]
        if "(" in head:
            methods += not declaration.endswith(("= default", "= delete"))
        elif not re.match(r"(?:inline )?static\b", declaration):
            fields += 1
    return Members(fields, methods)


def sizes(root: pathlib.Path) -> Iterator[Tuple[str, int, int]]:
    """Name, size and limit of each."""
    for folder in PRODUCT:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in SOURCE_SUFFIXES:
                continue
            name = path.relative_to(root).as_posix()
            text = path.read_text(encoding="utf-8")
            yield name, text.count("\n"), LINES_MAX
            if not name.startswith(CLASS_FOLDERS):
                continue
            for class_name, body in bodies(NOISE.sub(" ", text)):
                members = members_of(body)
                yield f"{name} {class_name}: fields", members.fields, FIELDS_MAX
                yield f"{name} {class_name}: methods", members.methods, METHODS_MAX


def violations(root: pathlib.Path, exceptions: Dict[str, int]) -> Iterator[str]:
    for name, size, limit in sizes(root):
        if size <= limit or size <= exceptions.get(name, 0):
            continue
        known = " as an exception; make it smaller instead" if name in exceptions else ""
        yield f"{name}: {size}, at most {exceptions.get(name, limit)}{known}"


# --- self-test: a check that has never been seen red is not a check ---------------------------------------------------

FIELDS = "".join(f"  std::map<int, int> field{i}_{{}};\n" for i in range(FIELDS_MAX))
METHODS = "".join(f"  [[nodiscard]] int method{i}(int a = 1) const {{ return a; }}\n" for i in range(METHODS_MAX))
NO_MEMBERS = (
    "  using Key = std::pair<int, int>;\n  static constexpr int most = 3;\n  struct Inner { int inner_ = 0; };\n"
    '  enum class Step { one, two };\n  // int comment_ = 0;\n  C(const C&) = delete;\n  friend bool operator==(C, C);\n'
)
CLEAN = {
    "workers/a/a.hpp": f"class C final : public B {{\n public:\n{METHODS} private:\n{NO_MEMBERS}{FIELDS}}};\n",
    "cli/verify/a.hpp": "struct S {\n  std::function<void(int)> callback{};\n  char brace = '{';\n};\n",
    "common/a/a.cpp": "\n" * LINES_MAX,
    "common/a/a.hpp": f"class Outside {{\n{FIELDS}  int more_ = 0;\n}};\n",
}
PLANTED = [  # (path, text, complaint)
    ("common/a/a.cpp", "\n" * (LINES_MAX + 1), "common/a/a.cpp: 501, at most 500"),
    ("workers/a/a.hpp", f"class C {{\n{FIELDS}  int more_ = 0;\n}};\n", "workers/a/a.hpp C: fields: 21, at most 20"),
    ("cli/verify/a.hpp", f"struct S {{\n{FIELDS}  std::function<void(int)> more{{}};\n}};\n", "cli/verify/a.hpp S: fields: 21, at most 20"),
    ("workers/a/a.hpp", f"class C {{\n{METHODS}  void more();\n}};\n", "workers/a/a.hpp C: methods: 41, at most 40"),
    ("workers/a/a.hpp", f"class A {{\n  class C {{\n{METHODS}  C& operator=(C c);\n  }};\n}};\n", "workers/a/a.hpp C: methods: 41, at most 40"),
]


def complaints(files: Dict[str, str], exceptions: Dict[str, int]) -> list:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return list(violations(root, exceptions))


def self_test() -> int:
    failures = []
    if found := complaints(CLEAN, {}):
        failures.append(f"a clean tree is called too large: {found}")
    for path, text, expected in PLANTED:
        if (found := complaints({**CLEAN, path: text}, {})) != [expected]:
            failures.append(f"{path}: expected [{expected}], found {found}")
    name, large = "common/a/a.cpp", {**CLEAN, "common/a/a.cpp": "\n" * 510}
    if found := complaints(large, {name: 510}):
        failures.append(f"an exception does not hold: {found}")
    if len(complaints(large, {name: 509})) != 1:
        failures.append("an exception that has grown was not found")
    print("\n".join(failures) or f"{len(PLANTED) + 2} planted violations and exceptions behave as they should")
    return 1 if failures else 0


def main() -> int:
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    found = list(violations(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."), EXCEPTIONS))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
