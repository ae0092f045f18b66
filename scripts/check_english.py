#!/usr/bin/python3
"""Flags what makes a text hard to read for a reader who works in a second language: idioms of ours, and in pages sentences of
more than 35 words.

    check_english.py [FILE...]

Without FILEs: every page and README, the texts of schemas/, the messages in the programs' sources (the string literals of
common, workers and cli), and the comments of the folders in COMMENTED."""

import argparse
import ast
import bisect
import io
import json
import pathlib
import re
import sys
import tokenize

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDS_MAX = 35

# idiom -> what to write instead
IDIOMS = {
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\banew\b": "again, or name what is new",
    r"\bwhoever\b": "name the actor",
    r"\b(any|no|some)body\b": "name the actor",
    r"\b(told|tells?)\b": "report, log, record, distinguish",
    r"\bis the judge\b": "decides",
    r"\b(stands?|stood)\b": "is, is in, contains, precedes, follows",
    r"\b(lies|lain)\b": "is, is in, contains",
    r"\bgives? way\b": "name what happens",
    r"\bspeaks? of\b": "is about, names",
    r"\bspoil(s|t|ed|ing)?\b": "name what happens",
    r"\bto be had\b": "available",
}
# The same words as plain nouns.
ALLOWED = re.compile(r"\bstand-(alone|by|ins?)\b", re.I)

PAGES = ("*.md", "web/*.md", *(f"{folder}/**/*.md" for folder in
                               ("cli", "common", "docs", "migrations", "schemas", "tests", "workers")))
SCHEMAS = ("schemas/*.json", "schemas/*.yaml")  # released schemas are never edited
MESSAGES = ("common", "workers", "cli")
COMMENTED = ("common", "cli", "workers/registry_api", "workers/registry_sync", "workers/router/shell", "scripts", "web/src",
             "web/e2e", "tests/chaos", "tests/conformance", "tests/integration", "tests/unit")
SOURCES = (".cpp", ".hpp", ".py", ".sh", ".ts", ".tsx")
NOT_COMMENTED = ("tests/unit/workers/router",)


def sentences(text: str):
    """(line, sentence) of the prose: no code, no tables, no front matter; links as their text."""
    text = re.sub(r"```.*?```", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"<!--.*?-->", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`\n]*`", "code", text)
    block, start = [], 0
    for number, line in enumerate([*text.split("\n"), ""], 1):
        item = re.match(r"\s*(?:[-*+]|\d+\.|#+)\s+", line)
        if not line.strip() or line.lstrip().startswith("|") or item:
            if block:
                for sentence in re.split(r"(?<=[.!?:;])\s+", " ".join(block)):
                    yield start, sentence
            block = []
        if line.strip() and not line.lstrip().startswith("|"):
            if not block:
                start = number
            block.append(line[item.end():] if item else line.strip())


def idioms(text: str):
    """(position, finding) of each idiom in a text; code in backticks has none."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())  # noqa: E731
    prose = ALLOWED.sub(blank, re.sub(r"```.*?```|`[^`\n]*`", blank, text, flags=re.S))
    for pattern, instead in IDIOMS.items():
        for match in re.finditer(pattern, prose, re.I):
            yield match.start(), f"'{match.group()}': {instead}"


def too_long(sentence: str) -> str:
    words = [word for word in re.split(r"\s+", sentence) if re.search(r"\w", word)]
    if len(words) <= WORDS_MAX:
        return ""
    return f"a sentence of {len(words)} words, at most {WORDS_MAX} are allowed: {sentence[:60]}…"


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def findings(path: pathlib.Path) -> list:
    text = path.read_text(encoding="utf-8")
    found = [(line, too_long(sentence)) for line, sentence in sentences(text) if too_long(sentence)]
    found += [(line_of(text, position), what) for position, what in idioms(text)]
    return sorted(found)


def descriptions(value):
    """What a schema says to people."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("title", "summary", "description") and isinstance(inner, str):
                yield inner
            else:
                yield from descriptions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from descriptions(inner)


def schema_findings(path: pathlib.Path) -> list:
    text = path.read_text(encoding="utf-8")
    found = [(line_of(text, position), what) for position, what in idioms(text)]
    for description in descriptions(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)):
        for _, sentence in sentences(description):
            if too_long(sentence):
                position = text.find(" ".join(sentence.split()[:3]))
                found.append((line_of(text, max(position, 0)), too_long(sentence)))
    return sorted(found)


# Literals come first, so that a `//` in one begins no comment. The quote in 1'000 begins no literal.
TOKENS = re.compile(r'R"(?P<fence>\w*)\((?P<raw>.*?)\)(?P=fence)"|"(?P<literal>(?:\\.|[^"\\\n])*)"|'
                    r'(?<!\w)\'(?:\\.|[^\'\\\n])*\'|(?P<comment>(?<!:)//[^\n]*|/\*.*?\*/)', re.S)


def message_findings(path: pathlib.Path) -> list:
    """Idioms in the string literals of a source file: what a program says. Literals that follow each other are one text."""
    text = path.read_text(encoding="utf-8")
    message, starts, places, end = "", [], [], 0
    for match in TOKENS.finditer(text):
        group = "raw" if match["raw"] is not None else "literal"
        if match[group] is None:
            continue
        if text[end:match.start()].strip():
            message += "\0"
        starts.append(len(message))
        places.append(match.start(group))
        message += re.sub(r"\\.", "  ", match[group])
        end = match.end()
    found = []
    for position, what in idioms(message):
        literal = bisect.bisect_right(starts, position) - 1
        found.append((line_of(text, places[literal] + position - starts[literal]), what))
    return sorted(found)


def comments_of(text: str, suffix: str):
    """(line, comment) of a source. Docstrings of Python are comments, string literals are not."""
    if suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
        for node in ast.walk(ast.parse(text)):
            kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
            if isinstance(node, kinds) and ast.get_docstring(node) is not None:
                first = node.body[0].value
                yield from enumerate(text.split("\n")[first.lineno - 1:first.end_lineno], first.lineno)
    elif suffix == ".sh":
        for number, line in enumerate(text.split("\n"), 1):
            match = re.search(r"(?:^|\s)#(?!!).*", line)
            if match:
                yield number, match.group()
    else:
        for match in TOKENS.finditer(text):
            if match["comment"]:
                yield from enumerate(match["comment"].split("\n"), line_of(text, match.start()))


def comment_findings(path: pathlib.Path) -> list:
    """Idioms in the comments of a source file."""
    comments = comments_of(path.read_text(encoding="utf-8"), path.suffix)
    return sorted({(number, what) for number, comment in comments for _, what in idioms(comment)})


def in_folder(path: pathlib.Path, folders) -> bool:
    return any(path.is_relative_to(ROOT / folder) for folder in folders)


def findings_of(path: pathlib.Path) -> list:
    """All that is checked of a file: of one outside the tree everything, else what its folder is checked for."""
    if path.suffix == ".md":
        return findings(path)
    if path.suffix in (".json", ".yaml"):
        return schema_findings(path)
    outside = not path.is_relative_to(ROOT)
    found = []
    if path.suffix in (".cpp", ".hpp") and (outside or in_folder(path, MESSAGES)):
        found += message_findings(path)
    if outside or (in_folder(path, COMMENTED) and not in_folder(path, NOT_COMMENTED)):
        found += comment_findings(path)
    return sorted(set(found))


def checked_files() -> list:
    files = [file for pattern in (*PAGES, *SCHEMAS) for file in ROOT.glob(pattern)]
    for folder in sorted({*MESSAGES, *COMMENTED}):
        files += [file for file in ROOT.glob(f"{folder}/**/*") if file.suffix in SOURCES]
    return [file for file in files if not any(part.startswith(".") for part in file.relative_to(ROOT).parts)]


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args(arguments)
    files = [file.resolve() for file in options.files]
    if not files:
        files = checked_files()
    bad = 0
    for file in sorted(set(files)):
        found = findings_of(file)
        bad += len(found)
        for line, what in found:
            print(f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}:{line}: {what}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
