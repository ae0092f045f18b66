import subprocess
import sys

import histories

FAILED = """tests/random_histories_test.cpp:246: Failure
Google Test trace:
tests/random_histories_test.cpp:320: TOKENRAIL_TEST_HISTORY_SEED={seed}
"""


def playing(broken: set[int], played: list[int]):
    """The program: it ends at the first broken seed."""

    def play(_program: str, first: int, count: int):
        for seed in range(first, first + count):
            played.append(seed)
            if seed in broken:
                return False, FAILED.format(seed=seed)
        return True, ""

    return play


def test_every_seed_is_in_one_chunk():
    for seeds, jobs in ((147, 1), (450, 2), (3, 8)):
        played = [first + i for first, count in histories.chunks(5, seeds, jobs) for i in range(count)]
        assert played == list(range(5, 5 + seeds))
        assert len(histories.chunks(5, seeds, jobs)) >= min(seeds, jobs), "no job is idle from the start"


def test_seeds_behind_a_broken_one_are_played():
    played: list[int] = []
    broken = histories.broken_seeds("", 10, 6, playing({11, 15}, played))
    assert [seed for seed, _ in broken] == [11, 15]
    assert played == [10, 11, 12, 13, 14, 15]


def test_program_that_plays_nothing_is_a_failure():
    assert histories.broken_seeds("", 1, 3, lambda *_: (False, "no PostgreSQL")) == [(None, "no PostgreSQL")]


def program(tmp_path, text: str) -> str:
    path = tmp_path / "program"
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def run(path: str, *arguments: str):
    command = [sys.executable, histories.__file__, "--program", path, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_report_names_the_broken_seeds_and_how_to_replay_them(tmp_path):
    path = program(
        tmp_path,
        """import os, sys
first = int(os.environ["TOKENRAIL_TEST_HISTORY_SEED"])
if first <= 23 < first + int(os.environ["TOKENRAIL_TEST_HISTORIES"]):
    print("TOKENRAIL_TEST_HISTORY_SEED=23: wrong")
    sys.exit(1)
print("[  PASSED  ] 1 test.")
""",
    )
    done = run(path, "--seeds", "120", "--jobs", "2")
    assert done.returncode == 1
    assert done.stdout == "120 histories from seed 1, 1 broke a check: 23\n"
    assert "./dev histories --seeds 1 --from 23" in done.stderr
    done = run(path, "--seeds", "50", "--from", "100")
    assert (done.returncode, done.stdout) == (0, "50 histories from seed 100, 0 broke a check\n")


def test_skipped_test_is_a_failure(tmp_path):
    done = run(program(tmp_path, 'print("[  PASSED  ] 0 tests.")'), "--seeds", "1")
    assert done.returncode == 1
    assert "before it played a history" in done.stderr
