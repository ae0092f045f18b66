#!/usr/bin/python3
"""Flags what makes a page hard to read for somebody who works in a second language: idioms of ours, and sentences of more than
35 words.

    check_english.py [--all] [FILE...]

Without FILEs: every page, and the messages in the programs' sources (the string literals of common, workers and cli)."""

import argparse
import pathlib
import re
import sys

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


def main(arguments: list) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args(arguments)
    files = options.files
    if not files:
        files = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for folder in ("common", "workers", "cli"):
            files += [*ROOT.glob(f"{folder}/**/*.cpp"), *ROOT.glob(f"{folder}/**/*.hpp")]
    bad = 0
    for file in sorted(files):
        found = message_findings(file) if file.suffix in (".cpp", ".hpp") else findings(file)
        bad += len(found)
        for line, what in found:
            print(f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}:{line}: {what}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
