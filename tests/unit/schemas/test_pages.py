"""The reference pages of records and errors say what the schemas and the code say."""

import json
import os
import re

import checks
import pages
import pytest

RECORDS = checks.ROOT / "docs" / "reference" / "records.md"
ERRORS = checks.ROOT / "docs" / "reference" / "errors.md"
CATALOGUE = checks.error_catalogue()


def test_records_are_as_the_schemas_and_goldens_say():
    page = RECORDS.read_text()
    wanted = pages.rendered(page)
    if os.environ.get("TOKENRAIL_UPDATE_GOLDEN"):
        RECORDS.write_text(wanted)
        page = wanted
    assert page == wanted, "the page is not what the schemas say; TOKENRAIL_UPDATE_GOLDEN=1 rewrites it"


def test_a_page_that_says_otherwise_is_found():
    page = RECORDS.read_text()
    assert pages.rendered(page.replace('"seq": 0', '"seq": 1')) != page.replace('"seq": 0', '"seq": 1')
    assert pages.rendered(page.replace("| `seq`* | integer", "| `seq`* | string")) == pages.rendered(page)


def test_every_schema_and_topic_has_its_part():
    page = RECORDS.read_text()
    shown = {name for kind, name in pages.PART.findall(page) if kind == "fields"}
    # The same fields as another, which is described beside them.
    assert shown == set(checks.load_all(checks.SCHEMAS)) - {"router-continuing", "model-registry-sync-held"}
    for topic in checks.topics():
        assert f"`{topic}`" in page


def test_json_of_the_pages_is_json():
    for path in (RECORDS, ERRORS):
        blocks = re.findall(r"```json\n(.*?)```", path.read_text(), re.DOTALL)
        assert blocks
        for block in blocks:
            json.loads(block)


def test_the_ids_shown_are_those_that_are_made():
    text = (checks.ROOT / "common/events/cloud_events.cpp").read_text()
    assert 'fmt::format("{}:{}:{}:{}:{}", source_partition, source_offset.value(), attempt, kind, epoch)' in text
    assert 'fmt::format("{}:{}:{}:{}", partition, epoch, instance, counter)' in text


def test_every_code_has_a_section_in_order():
    sections = re.findall(r"^## (.+)$", ERRORS.read_text(), re.MULTILINE)
    assert len(CATALOGUE) >= 22
    assert sections == list(CATALOGUE)


def sections():
    return dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", ERRORS.read_text(), re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("code", CATALOGUE)
def test_a_section_says_what_the_catalogue_says(code):
    entry, section = CATALOGUE[code], pages.unwrapped(sections()[code])
    assert entry["meaning"] in section
    assert f"Retryable: {'yes' if entry['retryable'] else 'no'}." in section
    assert ("Number: " + entry["number"] + "." in section) if entry["number"] else "Number:" not in section
    assert len(section.split("**When.**", 1)[1].split("**What to do.**")[0]) > 20
    assert len(section.split("**What to do.**", 1)[1]) > 5
    row = f"| [{code}](#{code.lower()}) | {entry['number'] or '–'} | {'yes' if entry['retryable'] else 'no'} |"
    assert row in ERRORS.read_text()


@pytest.mark.parametrize("code", [code for code in CATALOGUE if code != "INTERNAL"])
def test_a_code_without_a_raiser_says_so(code):
    raised = re.search(rf"ErrorCode::{CATALOGUE[code]['constant']}\b",
                       checks.sources("workers", "common/registry", "common/providers", "cli"))
    assert ("Reserved: no part of this version raises it." in pages.unwrapped(sections()[code])) == (raised is None)


def test_settings_named_in_the_pages_exist():
    known = (checks.ROOT / "docs/reference/configuration.md").read_text()
    for path in (RECORDS, ERRORS):
        for setting in set(re.findall(r"`((?:router|audit|sync|topics)\.[a-z_]+)`", path.read_text())):
            if setting not in ("router.claimed", "router.released", "router.continuing"):
                assert f"`{setting}`" in known, setting
