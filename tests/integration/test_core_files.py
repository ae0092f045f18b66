"""No program that holds keys writes a core file, unless a setting says so."""

import os
import pathlib
import re
import resource
import signal
import subprocess
import sys

import pytest

from test_canary_key import Installation
from test_stored_credentials import running_provider  # noqa: F401  (a fixture)


@pytest.fixture(autouse=True)
def core_files_wanted_here(tmp_path, monkeypatch):
    """As high as the system lets it be, so that there is something to take away."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    # Where the system names no other folder, a core file is written to the process's own.
    monkeypatch.chdir(tmp_path)
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)
    for file in tmp_path.glob("*core*"):
        file.unlink()


# The sanitizers' runtime lowers the limit by itself.
SANITIZER = os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0"


def core_limits(process):
    limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
    return re.search(r"^Max core file size +(\S+) +(\S+)", limits, re.MULTILINE).groups()


def abort(process):
    """Ends the process by SIGABRT. Whether the system kept its memory, in a file or by a program that it has for that."""
    process.send_signal(signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT, status
    process.returncode = -signal.SIGABRT
    return os.WCOREDUMP(status)


def test_workers_write_no_core_files(make_stack):
    stack = make_stack()
    router = stack.whole()[0].wait_ready()
    sync = stack.processes[1]
    assert core_limits(router) == core_limits(sync) == ("0", "0")


def test_a_setting_allows_core_files(make_stack):
    stack = make_stack()
    router = stack.whole(TOKENRAIL_PROCESS_CORE_FILES="true", ASAN_OPTIONS=SANITIZER)[0].wait_ready()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    text = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
    assert core_limits(router) == (text, text)
    # As of any program of this system, and of no other test that follows.
    with subprocess.Popen([sys.executable, "-c", "import signal; print(flush=True); signal.pause()"], stdout=subprocess.PIPE) as any_program:
        any_program.stdout.readline()
        written = abort(any_program)
    stack.processes.remove(router)
    assert abort(router.process) == written


def test_a_program_that_holds_keys_and_is_aborted_leaves_no_core_file(make_stack, tmp_path, provider):
    there = Installation(make_stack, tmp_path, provider, ASAN_OPTIONS=SANITIZER)
    there.is_used_by_all()
    there.stack.verify()  # the router has committed what it did; no other one runs after its end
    for process in (there.api, there.sync, there.router):
        assert core_limits(process) == ("0", "0"), process.name
        there.stack.processes.remove(process)
        assert not abort(process.process), process.name
        assert "Sanitizer" not in process.text()
    assert not list(tmp_path.glob("*core*"))
