#!/usr/bin/python3
"""Plays random histories of the registry in several processes, each history by its seed.

    histories.py --program FILE --seeds N [--from S] [--jobs J]

The program is integration-registry-sync-tests; TOKENRAIL_TEST_DATABASE_URL names the PostgreSQL. Each process takes a
few seeds at a time. Where one breaks a check, its report is printed and the others go on. The last line on standard
output says how many histories ran and which seeds broke a check; ends with 1 if there are any.
"""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

SEEDS_AT_ONCE = 200  # a process makes its database once for these
TEST = "RandomHistories.KeepEditsDeleteNothingAndExplainEveryEvent"
SEED = re.compile(r"TOKENRAIL_TEST_HISTORY_SEED=(\d+)")
REPORT_LINES = 40


def play(program: str, first: int, count: int) -> tuple[bool, str]:
    """Whether all kept the promises, and what the program said."""
    environment = os.environ | {"TOKENRAIL_TEST_HISTORIES": str(count), "TOKENRAIL_TEST_HISTORY_SEED": str(first)}
    command = [program, f"--gtest_filter={TEST}", "--gtest_brief=1"]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    ran = "[  PASSED  ] 1 test." in done.stdout
    return done.returncode == 0 and ran, done.stdout


def broken_seeds(program: str, first: int, count: int, play_some=play) -> list[tuple[int | None, str]]:
    """The seeds that broke a check, each with its report. The program ends at the first one, so it is started again
    behind it. Without a seed: the program failed before it played one."""
    broken = []
    end = first + count
    while first < end:
        kept, output = play_some(program, first, end - first)
        if kept:
            break
        seed = SEED.search(output)
        if not seed:
            broken.append((None, output))
            break
        broken.append((int(seed[1]), output))
        first = int(seed[1]) + 1
    return broken


def chunks(first: int, count: int, jobs: int) -> list[tuple[int, int]]:
    """First seed and number of seeds of each start of the program. All jobs get some."""
    end = first + count
    size = max(1, min(SEEDS_AT_ONCE, -(-count // jobs)))
    return [(start, min(size, end - start)) for start in range(first, end, size)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev histories")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seeds", type=int, default=1000, help="how many histories (1000)")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first one's seed (1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many processes (one a processor)")
    options = parser.parse_args()
    if min(options.seeds, options.first, options.jobs) < 1:
        parser.error("--seeds, --from and --jobs take numbers from 1 on")
    began = time.monotonic()
    played = 0
    broken: list[int] = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {
            pool.submit(broken_seeds, options.program, first, count): count
            for first, count in chunks(options.first, options.seeds, options.jobs)
        }
        for done in concurrent.futures.as_completed(waiting):
            for seed, report in done.result():
                print("\n".join(report.splitlines()[:REPORT_LINES]), file=sys.stderr)
                if seed is None:
                    pool.shutdown(cancel_futures=True)
                    print("The program failed before it played a history; its report is above.", file=sys.stderr)
                    return 1
                print(f"Seed {seed} breaks a check: ./dev histories --seeds 1 --from {seed}", file=sys.stderr)
                broken.append(seed)
            played += waiting[done]
            minutes = (time.monotonic() - began) / 60
            print(f"{played} histories, {played / minutes:.0f} a minute", file=sys.stderr)
    seeds = ": " + " ".join(map(str, sorted(broken))) if broken else ""
    print(f"{played} histories from seed {options.first}, {len(broken)} broke a check{seeds}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
