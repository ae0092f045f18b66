"""What goes wrong, and when: a list drawn from a seed before anything starts, so that a run can be repeated. Pure.

The same seed gives the same faults at the same times with the same choices ("the second router", "the coordinator",
"for 23 seconds"). What they meet is a real cluster, so two runs are alike, not equal."""

import dataclasses
import random

QUIET_AT_START = 8
QUIET_AT_END = 5
LOGS_PART = 1 / 3          # of the run: what comes later is judged, what came before such a fault is not
LOGS_RUN_MIN = 170         # seconds; a shorter run would have nothing left to judge


@dataclasses.dataclass(frozen=True)
class Fault:
    at: float        # seconds from the start of the load
    kind: str
    who: float       # from 0 to 1: which of those that can be hit
    seconds: float   # how long it lasts
    extra: float     # from 0 to 1: what else there is to choose


# Mean seconds between two of a kind, and how long each lasts. Time beyond the group's patience is in sessions.
WORKERS = {
    "kill": (21, (0.2, 9)),
    "kill-at-start": (150, (0.0, 4)),      # killed, started, killed again while it recovers
    "kill-all": (420, (0.5, 5)),
    "pause-short": (100, (1, 8)),
    "roll": (260, (0, 0)),                 # SIGTERM to each in turn
    "end": (120, (0, 6)),                  # SIGTERM to one, started again
    "end-twice": (200, (0.2, 4)),          # a second SIGTERM that much later
    "storm": (220, (0.5, 6)),              # members that join and leave again
    "kill-sync": (170, (1, 10)),
    "pause-sync": (200, (5, 40)),          # beyond its lease, or not
}
WORKERS_IN_SESSIONS = {"pause-long": (130, (1.2, 2.2))}
BROKERS = {
    "broker-kill": (0.30, (2, 12)),
    "leader-kill": (0.15, (2, 12)),
    "coordinator-kill": (0.17, (2, 12)),
    "controller-kill": (0.13, (2, 12)),
    "broker-pause": (0.13, (3, 18)),
    "broker-full": (0.06, (4, 12)),
    "two-brokers-kill": (0.06, (2, 8)),
}
BROKER_GAP = (8, 40)                       # seconds from the end of one to the next
TOPICS = {
    "topic-small": (150, (3, 12)),         # a topic takes only small records for a while
    "topic-stalled": (240, (4, 25)),       # a topic wants more replicas in sync than it has
    "topic-recreated": (300, (0.2, 4)),    # a topic is deleted, and made again that much later
    "partition-stalled": (200, (8, 40)),   # one partition of llm.audit has fewer replicas in sync than it wants
}
LOGS = {
    "log-recreated": (60, (0.2, 4)),       # chat.requests, chat.chunks or llm.audit is deleted, and made again that much later
}
AROUND = {
    "names-silent": (160, (3, 15)),        # the name server answers nothing, and the provider's connections break
    "provider-fault": (70, (3, 12)),
    "provider-kill": (240, (0.5, 8)),
    "postgres-stop": (180, (4, 30)),
}


def schedule(seed, seconds, session_seconds=15.0, topics=False):
    """All faults in the order of their times; those of single topics where they are asked for."""
    faults = []

    def one_kind(kind, mean, lasts, unit=1.0, end=seconds - QUIET_AT_END):
        draw = random.Random(f"{seed}/{kind}")
        at = QUIET_AT_START + draw.expovariate(1 / mean)
        while at < end:
            faults.append(Fault(at, kind, draw.random(), draw.uniform(*lasts) * unit, draw.random()))
            at += draw.expovariate(1 / mean)

    for kind, (mean, lasts) in {**WORKERS, **(TOPICS if topics else {}), **AROUND}.items():
        one_kind(kind, mean, lasts)
    if topics and seconds >= LOGS_RUN_MIN:
        for kind, (mean, lasts) in LOGS.items():
            one_kind(kind, mean, lasts, end=seconds * LOGS_PART)
    for kind, (mean, lasts) in WORKERS_IN_SESSIONS.items():
        one_kind(kind, mean, lasts, session_seconds)

    # One broker at a time, but for the kind that is about two: the cluster keeps a majority most of the time.
    draw = random.Random(f"{seed}/brokers")
    at = QUIET_AT_START + draw.uniform(*BROKER_GAP)
    while at < seconds - QUIET_AT_END:
        kind = draw.choices(list(BROKERS), [weight for weight, _ in BROKERS.values()])[0]
        lasts = draw.uniform(*BROKERS[kind][1])
        faults.append(Fault(at, kind, draw.random(), lasts, draw.random()))
        at += lasts + draw.uniform(*BROKER_GAP)
    return sorted(faults, key=lambda fault: (fault.at, fault.kind))
