import check_english
import pytest


def found(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text)
    return check_english.findings(page)


def test_a_sentence_of_35_words_passes_and_one_of_36_does_not(tmp_path):
    assert found(tmp_path, " ".join(["word"] * 35) + ".\n") == []
    assert [line for line, _ in found(tmp_path, "One.\n\n" + " ".join(["word"] * 36) + ".\n")] == [3]


def test_a_sentence_over_several_lines_is_one_and_list_items_are_their_own(tmp_path):
    half = " ".join(["word"] * 20)
    assert len(found(tmp_path, f"{half}\n{half}.\n")) == 1
    assert found(tmp_path, f"- {half}\n- {half}\n") == []


IDIOMATIC = ["the topic is made anew", "a command that mends it", "Whoever reads it", "a model that no list told",
             "Tells a router to stop", "it stood still", "the row stands over another", "what lies on the topic",
             "nobody reads the output", "Nobody who waits", "the partition it speaks of", "it spoils the answer",
             "gives way to another writer", "where it is to be had"]


@pytest.mark.parametrize("text", IDIOMATIC)
def test_an_idiom_is_named_with_what_to_write_instead(tmp_path, text):
    (line, what), = found(tmp_path, f"# Page\n\n{text}\n")
    assert line == 3 and ": " in what


@pytest.mark.parametrize("text", IDIOMATIC)
def test_an_idiom_is_found_in_a_message_and_in_a_schema(tmp_path, text):
    source = tmp_path / "a.cpp"
    source.write_text(f'note(\n  "One.\\n{text}");\n')
    assert [line for line, _ in check_english.findings_of(source)] == [2]
    schema = tmp_path / "a.schema.json"
    schema.write_text(f'{{\n  "description": "{text}"\n}}\n')
    assert [line for line, _ in check_english.findings_of(schema)] == [2]
    asyncapi = tmp_path / "asyncapi.yaml"
    asyncapi.write_text(f"asyncapi: 3.0.0\ninfo:\n  title: {text}\n")
    assert [line for line, _ in check_english.findings_of(asyncapi)] == [3]


@pytest.mark.parametrize("text", ["a stand-by process", "a stand-in for a server", "the standard", "an outstanding record",
                                  "`nobody` is a user", "it belies the name", "a body without a sender"])
def test_plain_words_are_no_idioms(tmp_path, text):
    assert found(tmp_path, f"{text}\n") == []


def test_a_long_sentence_of_a_description_is_found(tmp_path):
    schema = tmp_path / "a.schema.json"
    words = " ".join(["word"] * 36)
    schema.write_text(f'{{\n  "title": "A",\n  "properties": {{"a": {{"description": "First. {words}."}}}}\n}}\n')
    assert [line for line, _ in check_english.findings_of(schema)] == [3]


def test_a_message_over_several_literals_is_one_text(tmp_path):
    source = tmp_path / "a.cpp"
    source.write_text('note("the value is "\n     "to be "\n     "had");\nnote("what is to be", "had");\n')
    assert [line for line, _ in check_english.message_findings(source)] == [2]


def test_code_tables_and_links_are_not_prose(tmp_path):
    words = " ".join(["word"] * 40)
    assert found(tmp_path, f"```sh\n{words} anew\n```\n| {words} |\n`anew` is a word.\n") == []


def test_a_message_of_a_program_is_checked_and_a_comment_is_not(tmp_path):
    source = tmp_path / "a.cpp"
    source.write_text('  // made anew\n  note("the topic is made anew");  // anew\n  url("http://x//y");\n')
    assert [line for line, _ in check_english.message_findings(source)] == [2]


PLANTED = {
    "plain.cpp": ('int a = 1\'000;  // made anew\nauto b = "http://anew";\n/* nobody\n stands there */\n', [1, 3, 4]),
    "raw.hpp": ('auto a = R"(// anew)";\n/// `anew()` is code.\n/// The log tells it.\n', [3]),
    "a.py": ('"""Mends it."""\nA = "anew"  # whoever reads\ndef f():\n    """One.\n\n    It lies there."""\n    return "anew"\n',
             [1, 2, 6]),
    "a.sh": ('#!/bin/sh\n# told twice\necho "${#anew} anew"  # spoils it\n', [2, 3]),
    "a.tsx": ("const a = 'https://anew'; // made anew\n/** A value\n * that stands alone. */\n", [1, 3]),
    "c.py": ("# The standard. It restores it, lays it out, and says so.\n", []),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_comment_is_found_and_a_literal_is_not(tmp_path, name):
    text, lines = PLANTED[name]
    source = tmp_path / name
    source.write_text(text)
    assert [line for line, _ in check_english.comment_findings(source)] == lines
    assert check_english.main([str(source)]) == (1 if lines else 0)


def test_pages_are_those_of_the_root_the_modules_and_the_schemas():
    files = {str(file.relative_to(check_english.ROOT)) for file in check_english.checked_files()}
    assert {"README.md", "docs/reference/cli.md", "common/kafka/README.md", "workers/router/README.md", "schemas/README.md",
            "tests/chaos/README.md", "web/README.md", "schemas/asyncapi.yaml", "schemas/chat-chunk.schema.json"} <= files
    assert not [file for file in files if file.startswith("schemas/released") or "node_modules" in file]


def test_every_folder_with_checked_comments_has_sources():
    for folder in (*check_english.COMMENTED, *check_english.NOT_COMMENTED):
        assert any(file.suffix for file in (check_english.ROOT / folder).rglob("*")), folder


def test_every_page_message_and_comment_is_clean():
    assert check_english.main([]) == 0
