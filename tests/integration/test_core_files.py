"""No program that holds keys writes a core file, unless a setting says so."""

import os
import pathlib
import re
import resource

import pytest


@pytest.fixture(autouse=True)
def core_files_wanted_here():
    """As high as the system lets it be, so that there is something to take away."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def core_limits(process):
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
    return re.search(r"^Max core file size +(\S+) +(\S+)", limits, re.MULTILINE).groups()


def test_workers_write_no_core_files(make_stack):
    stack = make_stack()
    router = stack.whole()[0].wait_ready()
    sync = stack.processes[1]
    assert core_limits(router) == core_limits(sync) == ("0", "0")


def test_a_setting_allows_core_files(make_stack):
    stack = make_stack()
    # The sanitizers' runtime lowers the limit by itself.
    sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0"
    router = stack.whole(TOKENRAIL_PROCESS_CORE_FILES="true", ASAN_OPTIONS=sanitizer)[0].wait_ready()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    text = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    assert core_limits(router) == (text, text)
