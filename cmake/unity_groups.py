#!/usr/bin/env python3
"""Puts source files into groups that are compiled as one: cmake/unity.cmake asks at configure time.

    unity_groups.py FILE...        prints "NUMBER FILE", a line a file

Two files of one group may not each have a name of their own, in an unnamed namespace, that is the same: compiled as one
they would declare it twice. The names are read from the layout that clang-format gives every file, so this is a reader of
our own files and no reader of C++.
"""
import pathlib
import re
import sys

# A group has about as much code of its own as one file has in headers; more would leave a second core without work.
GROUP_LINES_MAX = 1400
GROUP_FILES_MAX = 6

NOT_NAMES = {"if", "for", "while", "switch", "return", "sizeof", "decltype", "noexcept", "requires", "alignas", "static_assert",
             "operator", "co_await", "co_return", "TEST", "TEST_F", "TEST_P", "TYPED_TEST", "TYPED_TEST_SUITE",
             "INSTANTIATE_TEST_SUITE_P", "MATCHER", "MATCHER_P", "MATCHER_P2", "MATCHER_P3"}
TYPE = re.compile(r"^(?:template <.*> )?(?:struct|class|union|enum(?: class| struct)?) (\w+)")
ALIAS = re.compile(r"^using (\w+) =")
USING = re.compile(r"^using (?:enum )?[\w:]*?(\w+);")
CALLABLE = re.compile(r"(?<![\w:.>])(\w+)\(")
VARIABLE = re.compile(r"^(?:[\w:<>,*&\[\]. ()]+[\w>*&\]] )[*&]*(\w+)(?:\[\w*\])*(?:\{| = |;|$| =$)")
FIRST_ARGUMENT = re.compile(r"^(?:MATCHER\w*|TEST_F|TEST_P|TEST)\((\w+)")
MACRO = re.compile(r"^#\s*define (\w+)")


def own_names(text: str) -> dict:
    """The names that a file declares in unnamed namespaces, and its macros, each with the line that declares it."""
    names = {}
    unnamed = False
    for line in text.split("\n"):
        if line.startswith("namespace {"):
            unnamed = True
        elif line.startswith("}  // namespace") and line.rstrip() == "}  // namespace":
            unnamed = False
        if macro := MACRO.match(line):
            names[macro[1]] = ""
        if not unnamed or not line or line[0] in " }#/)":
            # `using` lines also bind where they lie in a named namespace.
            if line.startswith("using ") and not line.startswith("using namespace"):
                for pattern in (ALIAS, USING):
                    if found := pattern.match(line):
                        names[found[1]] = line
            continue
        line = line.split("  //")[0]
        for pattern in (TYPE, ALIAS, USING, FIRST_ARGUMENT):
            if found := pattern.match(line):
                # The same alias twice is no clash; the same type twice is.
                names[found[1]] = line if pattern in (ALIAS, USING) else ""
        found = VARIABLE.match(line)
        if found and found[1] not in NOT_NAMES:
            names.setdefault(found[1], "")
        for name in CALLABLE.findall(line):
            if name not in NOT_NAMES:
                names.setdefault(name, "")
    return names


def clash(ours: dict, others: dict) -> bool:
    return any(name in others and (not line or others[name] != line) for name, line in ours.items())


def groups_of(files: list) -> list:
    """Lists of files: in the order given, each to the first group that has room and no name of it."""
    groups = []
    for file in files:
        path = pathlib.Path(file)
        if not path.is_file():  # made by the build
            groups.append({"files": [file], "lines": GROUP_LINES_MAX, "names": {}})
            continue
        text = path.read_text(encoding="utf-8")
        lines, names = text.count("\n"), own_names(text)
        for group in groups:
            if (len(group["files"]) < GROUP_FILES_MAX and group["lines"] + lines <= GROUP_LINES_MAX
                    and not clash(names, group["names"])):
                break
        else:
            group = {"files": [], "lines": 0, "names": {}}
            groups.append(group)
        group["files"].append(file)
        group["lines"] += lines
        group["names"].update(names)
    return [group["files"] for group in groups]


def main() -> int:
    for number, files in enumerate(groups_of(sys.argv[1:])):
        for file in files:
            print(number, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
