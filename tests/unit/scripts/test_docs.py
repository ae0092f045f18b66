"""Links of the pages lead somewhere, and the list of pages is whole."""

import os
import re
import subprocess

import features
import pytest
from conftest import ROOT

LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")


def pages():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.md"], cwd=ROOT, check=True,
                            capture_output=True, text=True).stdout
    return sorted(path for path in listed.split("\0") if path and (ROOT / path).is_file())


def links(path, text):
    """The targets of a page's links to files of the tree: (path, anchor)."""
    text = re.sub(r"^```.*?^```|`[^`\n]*`", "", text, flags=re.S | re.M)
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            file, _, anchor = target.partition("#")
            yield os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path, anchor


def broken(path, text, root=ROOT):
    for target, anchor in links(path, text):
        file = root / target
        if not file.exists():
            yield f"{path}: there is no {target}"
        elif anchor and target.endswith(".md") and anchor not in features.anchors(file.read_text(encoding="utf-8")):
            yield f"{path}: {target} has no heading #{anchor}"


def test_every_link_leads_to_a_file_and_a_heading():
    assert [fault for path in pages() for fault in broken(path, (ROOT / path).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("text, faults", [
    ("[a](b.md) and [c](b.md#one) and [d](#here) and [e](https://x.test/none)\n\n# Here\n", []),
    ("[a](none.md)", ["docs/a.md: there is no docs/none.md"]),
    ("[`a`](../none)", ["docs/a.md: there is no none"]),
    ("[a](b.md#two)", ["docs/a.md: docs/b.md has no heading #two"]),
    ("`[a](none.md)`\n\n```md\n[a](none.md)\n```\n", []),
])
def test_a_link_to_nothing_is_named(tmp_path, text, faults):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(text)
    (tmp_path / "docs/b.md").write_text("# One\n")
    assert list(broken("docs/a.md", text, tmp_path)) == faults


def test_the_list_of_pages_leads_to_each():
    found, to_read = set(), ["docs/README.md"]
    while to_read:
        page = to_read.pop()
        if page in found:
            continue
        found.add(page)
        # Lists of pages lead on; a page that another one only mentions is not listed.
        if page.endswith("README.md"):
            to_read += [target for target, _ in links(page, (ROOT / page).read_text(encoding="utf-8")) if target.endswith(".md")]
    assert [page for page in pages() if page.startswith("docs/") and not page.startswith("docs/adr/") and page not in found] == []


def test_architecture_names_every_program_and_module():
    page = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    names = [f"`{file.parent.relative_to(ROOT)}`" for file in sorted((ROOT / "workers").glob("*/CMakeLists.txt"))]
    names += [f"`{file.parent.name}`" for file in sorted((ROOT / "common").glob("*/CMakeLists.txt"))]
    assert len(names) > 12
    assert [name for name in names if name not in page] == []


def test_readme_names_every_command():
    """The groups of commands that the reference page lists."""
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    groups = set(re.findall(r"^\| `tokenrail ([a-z]+)", page, re.M)) - {"docs", "version"}
    row, = re.findall(r"^\| \[cli\]\(cli\) \| `tokenrail`: (.+?) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert set(row.split(", ")) == groups
