"""Finds small changes that can be planted in C++ text, and writes a text that contains all of them at once. Pure.

Each change has a number. The text behaves as before until tests/mutation/mutants.hpp is given a number; then it behaves as if that
one change had been made. So hundreds of changes need one build. No line is added or taken out.

    a < b          a < mutants::Less<7>{} < b                          clang-format puts blanks there, and none at a template's bracket
    a && b         (bool(a) != mutants::on<7>() ? bool(b) : mutants::on<7>())      the operands' ends are looked for
    !a             mutants::Not<7>{}->*!a
    f(x);          { if (mutants::on<7>()) {} else f(x); }             a statement of one line, also behind `if (...)`
"""

import bisect
import dataclasses
import re

RUNTIME = "tests/mutation/mutants.hpp"


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: str
    line: int  # from 1
    before: str
    after: str
    edits: tuple = dataclasses.field(default=(), compare=False)  # what plants it beside others: Edit, for a number

    def key(self) -> tuple:
        return (self.path, self.before.strip(), self.after.strip())


@dataclasses.dataclass(frozen=True)
class Edit:
    """Text for `begin` to `end`; `#` is the number. Of several at one place the wider span goes outside."""

    begin: int
    end: int
    text: str
    opens: int = 0  # where the span ends that this one begins; 0: it begins none
    closes: int = -1  # where the span began that this one ends; -1: it ends none


INFIX = {
    " < ": ("Less", " <= "),
    " <= ": ("LessEqual", " < "),
    " > ": ("Greater", " >= "),
    " >= ": ("GreaterEqual", " > "),
    " == ": ("Equal", " != "),
    " != ": ("NotEqual", " == "),
    " + ": ("Plus", " - "),
    " - ": ("Minus", " + "),
}
LOGIC = {" && ": " || ", " || ": " && "}
# Operators may also be the last word of a line.
OPERATOR = re.compile(r"(?<= )(?:<=|>=|==|!=|&&|\|\||[<>+-])(?=[ \n])")
BOUND = re.compile(r"\bstd::(min|max)\((?!\{)")
RETURN = re.compile(r"\breturn (true|false);")
NEGATION = re.compile(r"(?<![\w)\]!=])!(?=[\w(])")
STATEMENT = re.compile(
    r"^\s*(?:(?:\+\+|--)[\w.\->\[\]]+;|[\w:][\w.\->:]*\([^;]*\);|return;|continue;|[\w][\w.\->\[\]]* (?:[+-]?=) [^;]*;)\s*$"
)
GUARD = re.compile(r"^\s*(?:(?:\} )?else )?if \(")
GUARDED = re.compile(r"^\s*(?:co_)?(?:return|continue|break)\b[^;]*;\s*$")
NOT_LOGIC = re.compile(
    r"^\s*(?:#|using |namespace |template|friend |typedef |requires |concept |if constexpr|\*)"
    r"|\bconstexpr [\w:<>,\* ]+ \w+(?:\[\w*\])*(?: =|\{|;)|\bstatic const |metrics\.|metrics_\.|= default|\brequires\b"
)
UNJUDGED_CALL = re.compile(r"\bspdlog::\w+\(|\bstatic_assert\(|\bassert\(|\breserve\(|\bnoexcept\(")
OPENING, CLOSING = "([{", ")]}"


def blanked(text: str) -> str:
    """The text with comments replaced by blanks and literals by `\1` of the same length, lines kept."""
    pattern = re.compile(r'R"(\w*)\(.*?\)\1"|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " " if m.group().startswith("/") else "\1", m.group()), text)


def call_end(code: str, opening: int) -> int:
    """Behind the bracket that closes the one at `opening`."""
    depth = 0
    for at in range(opening, len(code)):
        depth += (code[at] in OPENING) - (code[at] in CLOSING)
        if depth == 0:
            return at + 1
    return len(code)


def unjudged(code: str) -> list:
    return [(match.start(), call_end(code, match.end() - 1)) for match in UNJUDGED_CALL.finditer(code)]


def operand_begin(code: str, at: int, operator: str) -> int:
    """Where the left operand of && or || begins that ends before `at`."""
    depth, here = 0, at
    while here > 0:
        c = code[here - 1]
        if c in CLOSING:
            if c == "}" and depth == 0 and code[here - 1 :].lstrip("}")[:1] == "\n":
                break
            depth += 1
        elif c in OPENING:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0:
            if c in ",;?" or (c == ":" and code[here - 2] != ":" and code[here] != ":"):
                break
            if c == "=" and code[here - 2] not in "=!<>" and code[here] not in "=>":
                break
            if operator == "&&" and code[here - 2 : here] == "||":
                break
            word = re.search(r"(?<!\w)(?:return|co_return|throw|case|else)$", code[max(0, here - 10) : here])
            if word and not code[here].isalnum():
                break
        here -= 1
    return here + len(re.match(r"\s*", code[here:at]).group())


def operand_end(code: str, at: int, operator: str) -> int:
    """Where the right operand of && or || ends that begins at `at`."""
    depth, here = 0, at
    while here < len(code):
        c = code[here]
        if c in OPENING:
            depth += 1
        elif c in CLOSING:
            if depth == 0:
                break
            depth -= 1
        elif depth == 0:
            if c in ",;?" or (c == ":" and code[here + 1] != ":" and code[here - 1] != ":"):
                break
            if code[here : here + 2] == "||" or (operator == "&&" and code[here : here + 2] == "&&"):
                break
        here += 1
    return at + len(code[at:here].rstrip())


def scopes(code: str) -> list:
    """Where statements may be: (offset, whether it is code) at every brace, in order. Classes and namespaces are not code."""
    kinds, marks, head = [], [(0, False)], 0
    for match in re.finditer(r"[{};]", code):
        at = match.start()
        if match.group() == "{":
            words = code[head:at]
            declares = re.search(r"\b(?:namespace|class|struct|union|enum)\b[^()=]*$", words) or re.search(r"\bextern\b\s*$", words)
            kinds.append(not declares)
        elif match.group() == "}" and kinds:
            kinds.pop()
        marks.append((at, bool(kinds) and kinds[-1]))
        head = at + 1
    return marks


def mutants_of(path: str, text: str) -> list:
    code = blanked(text)
    lines, hidden = text.split("\n"), code.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    skipped = unjudged(code)
    # What the simulation plants follows planted(): compiled into nothing else.
    closed = [bool(NOT_LOGIC.search(line)) or "planted(" in line for line in hidden]
    found = []

    def plant(begin: int, end: int, new: str, *edits: Edit) -> None:
        number = bisect.bisect_right(starts, begin) - 1
        if closed[number] or any(a <= begin < b for a, b in skipped):
            return
        line, at = lines[number], begin - starts[number]
        after = line[:at] + new + line[at + end - begin :]
        found.append(Mutant(path, number + 1, line, after, edits))

    for match in OPERATOR.finditer(code):
        begin, end = match.span()
        operator = f" {match.group()} "
        if operator in LOGIC:
            word = match.group()
            left = operand_begin(code, begin, word)
            right = end + len(re.match(r"\s*", code[end:]).group())
            close = operand_end(code, right, word)
            on = "mutants::on<#>()" if word == "&&" else "!mutants::on<#>()"
            plant(
                begin, end, LOGIC[operator].strip(),
                Edit(left, left, "(bool(", opens=close),
                Edit(begin, end, f") != {on} ? bool("),
                Edit(close, close, f") : {on})", closes=left),
            )
        else:
            # Text is joined, never subtracted.
            if match.group() == "+" and "\1" in (code[begin - 2], code[end + 1 : end + 2]):
                continue
            name, other = INFIX[operator]
            word = match.group()
            plant(begin, end, other.strip(), Edit(begin, end, f"{word} mutants::{name}<#>{{}} {word}"))
    for match in BOUND.finditer(code):
        name = match.group(1)
        other = "max" if name == "min" else "min"
        plant(*match.span(), f"std::{other}(", Edit(*match.span(), f"mutants::{name}<#>("))
    for match in RETURN.finditer(code):
        value = match.group(1)
        text_ = "return !mutants::on<#>();" if value == "true" else "return mutants::on<#>();"
        plant(*match.span(), f"return {'false' if value == 'true' else 'true'};", Edit(*match.span(), text_))
    for match in NEGATION.finditer(code):
        plant(match.start(), match.end(), "", Edit(match.start(), match.start(), "mutants::Not<#>{}->*", opens=match.start() + 1))

    marks = scopes(code)
    offsets = [at for at, _ in marks]
    last = ""  # what the line of code before this one ended with
    for number, line in enumerate(hidden):
        stripped = line.strip()
        guard = GUARD.match(line)
        at = len(guard.group()) - 1 if guard else 0
        at = call_end(line, at) if guard else len(line) - len(line.lstrip(" "))
        guarded = guard and GUARDED.match(line[at:])
        balanced = all(line.count(a) == line.count(b) for a, b in ("()", "[]")) and line[at:].count("{") == line[at:].count("}")
        begins = last == "" or last[-1] in ";{})" or last.endswith(("else", ":")) or last.startswith("#")
        inside = marks[bisect.bisect_right(offsets, starts[number]) - 1][1]
        if (guarded or STATEMENT.match(line[at:])) and balanced and begins and inside:
            begin = starts[number] + at + len(line[at:]) - len(line[at:].lstrip(" "))
            end = starts[number] + len(line.rstrip())
            plant(
                begin, end, ";",
                Edit(begin, begin, "{ if (mutants::on<#>()) {} else ", opens=end),
                Edit(end, end, " }", closes=begin),
            )
        last = stripped or last
    return sorted(found, key=lambda m: (m.line, m.before, m.after))


def planted_text(text: str, numbered: list) -> str:
    """The text with all of these: (number, Mutant). Its first line of comment, or first empty one, is replaced by an include."""
    edits = [(edit, number) for number, mutant in numbered for edit in mutant.edits]
    # At one place what closes comes before what opens; inner spans close first and open last.
    edits.sort(key=lambda e: (e[0].begin, e[0].closes < 0, -e[0].closes if e[0].closes >= 0 else -e[0].opens, e[1]))
    parts, at = [], 0
    for edit, number in edits:
        parts.append(text[at : edit.begin])
        parts.append(edit.text.replace("#", str(number)))
        at = max(at, edit.end)
    parts.append(text[at:])
    lines = "".join(parts).split("\n")
    hidden = blanked(text).split("\n")
    # A line of comment is blank there; one within a longer comment does not begin with a slash.
    room = next(n for n, line in enumerate(hidden) if not line.strip() and lines[n].strip()[:2] in ("", "//"))
    lines[room] = f'#include "{RUNTIME}"'
    return "\n".join(lines)
