"""What the stack of the integration tests says of the turns of a worker's event loop."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "integration"))

import stack  # noqa: E402


class Worker(stack.Worker):
    """One whose log and metrics are given, and that has a pid of no process."""

    pid = -1

    def __init__(self, took_ms, log):  # pylint: disable=super-init-not-called
        self.name, self.was_stopped, self.took_ms, self.log = "router", False, took_ms, log

    def alive(self):
        return True

    def text(self):
        return self.log

    def metrics(self):
        return "".join(f'tokenrail_loop_turn_ms_bucket{{le="{bound}"}} {int(self.took_ms <= bound)}\n' for bound in (500, 1_000, 2_500))


def warning(took_ms):
    return f"2026-11-30T16:38:20.000Z warn  one turn of the event loop took {took_ms} ms, {took_ms} ms of them for: http; all\n"


END = 1_796_056_700.0  # 2026-11-30T16:38:20Z


@pytest.fixture(name="waited_for_processor")
def samples(monkeypatch):
    """Sets how long the loop waited for a processor in the second and a half before the turn ended."""
    queue = stack.RunQueue()
    monkeypatch.setattr(stack, "run_queue", queue)

    def set_ms(ms):
        queue.samples = {-1: [(0.0, 0.0), (END - 1.6, 500.0), (END + 0.1, 500.0 + ms), (END + 9, 90_000.0)]}
    return set_ms


def test_a_short_turn_is_no_fault():
    Worker(900, "").check_turns()


def test_a_turn_that_waited_for_a_processor_alone_is_no_fault(waited_for_processor):
    waited_for_processor(600)
    Worker(1_500, warning(300) + warning(1_500)).check_turns()


def test_a_turn_that_waited_for_anything_else_is_a_fault(waited_for_processor):
    waited_for_processor(400)
    with pytest.raises(AssertionError, match="took 1500 ms, of them 1100 ms"):
        Worker(1_500, warning(1_500)).check_turns()


def test_a_long_turn_that_the_log_does_not_name_is_a_fault(waited_for_processor):
    waited_for_processor(1_500)
    with pytest.raises(AssertionError, match="does not say when"):
        Worker(1_500, warning(300)).check_turns()
