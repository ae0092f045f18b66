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


@pytest.mark.parametrize("text", ["the topic is made anew\n", "a command that mends it\n", "Whoever reads it\n"])
def test_an_idiom_is_named_with_what_to_write_instead(tmp_path, text):
    (line, what), = found(tmp_path, text)
    assert line == 1 and ": " in what


def test_code_tables_and_links_are_not_prose(tmp_path):
    words = " ".join(["word"] * 40)
    assert found(tmp_path, f"```sh\n{words} anew\n```\n| {words} |\n`anew` is a word.\n") == []


def test_a_message_of_a_program_is_checked_and_a_comment_is_not(tmp_path):
    source = tmp_path / "a.cpp"
    source.write_text('  // made anew\n  note("the topic is made anew");  // anew\n  url("http://x//y");\n')
    assert [line for line, _ in check_english.message_findings(source)] == [2]


def test_every_page_and_message_is_clean():
    assert check_english.main([]) == 0
