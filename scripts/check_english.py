#!/usr/bin/python3
"""Flags what makes a text hard to read for a reader who works in a second language: idioms of ours, and in pages sentences of
more than 35 words.

    check_english.py [FILE...]

Without FILEs: every page, the messages in the programs' sources (the string literals of common, workers and cli), and the
comments of the folders in COMMENTED."""

import argparse
import ast
import io
import pathlib
import re
import sys
import tokenize

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORDS_MAX = 35

# idiom -> what to write instead
IDIOMS = {
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\banew\b": "again, or name what is new",
    r"\bwhoever\b": "name the actor",
    r"\bsomebody\b": "name the actor",
    r"\bnobody who\b": "name the actor",
    r"\b(is|are|was) told\b": "report, log, record",
    r"\btells? (that|of|whether)\b": "report, say which",
    r"\bis the judge\b": "decides",
    r"\bstands? (in|on|behind|before|above|below)\b": "is in, contains, precedes",
    r"\blies (in|on|behind|there)\b": "is in, contains",
    r"\bgive way\b": "name what happens",
    r"\bto be had\b": "available",
}
# Of comments alone: the same words in forms that a page may use in their plain sense.
COMMENT_IDIOMS = IDIOMS | {
    r"\b(no|any)body\b": "name the actor",
    r"\b(told|tells?)\b": "report, log, record, distinguish",
    r"\b(stands?|stood)\b": "is, is in, precedes, follows",
    r"\b(lies|lain)\b": "is, is in, contains",
    r"\bspoil(s|t|ed|ing)?\b": "name what happens",
}

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


def findings(path: pathlib.Path) -> list:
    text = path.read_text(encoding="utf-8")
    found = []
    for line, sentence in sentences(text):
        words = [word for word in re.split(r"\s+", sentence) if re.search(r"\w", word)]
        if len(words) > WORDS_MAX:
            found.append((line, f"a sentence of {len(words)} words, at most {WORDS_MAX} are allowed: {sentence[:60]}…"))
    prose = re.sub(r"```.*?```|`[^`\n]*`", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    for number, line in enumerate(prose.split("\n"), 1):
        for pattern, instead in IDIOMS.items():
            match = re.search(pattern, line, re.I)
            if match:
                found.append((number, f"'{match.group()}': {instead}"))
    return sorted(found)


def message_findings(path: pathlib.Path) -> list:
    """Idioms in the string literals of a source file: what a program says."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        code = re.sub(r"(?<![:\w])//.*", "", line)
        for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', code):
            for pattern, instead in IDIOMS.items():
                match = re.search(pattern, literal, re.I)
                if match:
                    found.append((number, f"'{match.group()}': {instead}"))
    return found


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
        # Literals come first, so that a `//` in one begins no comment. The quote in 1'000 begins no literal.
        pattern = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
                             r'(?<!\w)\'(?:\\.|[^\'\\\n])*\'|(?P<comment>(?<!:)//[^\n]*|/\*.*?\*/)', re.S)
        for match in pattern.finditer(text):
            if match["comment"]:
                yield from enumerate(match["comment"].split("\n"), text.count("\n", 0, match.start()) + 1)


def comment_findings(path: pathlib.Path) -> list:
    """Idioms in the comments of a source file; code in backticks is none."""
    found = {}
    for number, comment in comments_of(path.read_text(encoding="utf-8"), path.suffix):
        prose = re.sub(r"`[^`]*`", "", comment)
        for pattern, instead in COMMENT_IDIOMS.items():
            match = re.search(pattern, prose, re.I)
            if match:
                found.setdefault((number, match.start()), (number, f"'{match.group()}': {instead}"))
    return sorted(found.values())


def in_folder(path: pathlib.Path, folders) -> bool:
    return any(path.is_relative_to(ROOT / folder) for folder in folders)


def findings_of(path: pathlib.Path) -> list:
    """All that is checked of a file: of one outside the tree everything, else what its folder is checked for."""
    if path.suffix == ".md":
        return findings(path)
    outside = not path.is_relative_to(ROOT)
    found = []
    if path.suffix in (".cpp", ".hpp") and (outside or in_folder(path, MESSAGES)):
        found += message_findings(path)
    if outside or (in_folder(path, COMMENTED) and not in_folder(path, NOT_COMMENTED)):
        found += comment_findings(path)
    return sorted(set(found))


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args(arguments)
    files = [file.resolve() for file in options.files]
    if not files:
        files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for folder in sorted({*MESSAGES, *COMMENTED}):
            files += [file for file in ROOT.glob(f"{folder}/**/*") if file.suffix in SOURCES]
    bad = 0
    for file in sorted(set(files)):
        found = findings_of(file)
        bad += len(found)
        for line, what in found:
            print(f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}:{line}: {what}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
