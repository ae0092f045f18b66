"""The workers under attack: a number of routers and registry-syncs that are meant to run, each in a place of its own, and
what happened to every process that ever ran there."""

import dataclasses
import re
import signal
import time

RECOVERED = re.compile(r"partition (\d+): running under epoch (\d+) ")


@dataclasses.dataclass
class Death:
    """A router that was killed or stopped for longer than the group waits."""
    name: str
    at_ms: float             # Unix time
    kind: str                # killed | paused


class Place:
    """Where one worker is meant to run. A pause, a kill or an end leaves it empty or unwell for a time."""

    def __init__(self, kind):
        self.kind = kind
        self.process = None
        self.state = "empty"     # runs | paused | ending | empty
        self.ending_since = 0.0


class Fleet:
    def __init__(self, stack, draw, say):
        self.stack = stack
        self.draw = draw
        self.say = say
        self.places = []
        self.deaths = []
        self.counts = {"routers killed": 0, "syncs killed": 0, "routers paused": 0, "routers ended": 0,
                       "members joined": 0}
        self.unexpected = []     # processes that ended by themselves or badly
        self.slowest_end = 0.0

    def add(self, kind):
        place = Place(kind)
        self.places.append(place)
        self.start(place)
        return place

    def start(self, place):
        if place.process is not None and place.state != "empty":
            return
        if place.kind == "router":
            # Most let their streams finish; some have hardly any time for it.
            drain = "25s" if self.draw.random() < 0.75 else "1s"
            place.process = self.stack.router(TOKENRAIL_ROUTER_DRAIN_TIMEOUT=drain)
            place.process.drain_seconds = 25 if drain == "25s" else 1
            self.counts["members joined"] += 1
        else:
            place.process = self.stack.sync()
        place.state = "runs"

    def of(self, kind, *states):
        return [p for p in self.places if p.kind == kind and p.state in (states or ("runs",))]

    def pick(self, kind, who, *states):
        there = self.of(kind, *states)
        return there[int(who * len(there)) % len(there)] if there else None

    def kill(self, place):
        if place.kind == "router":
            self.counts["routers killed"] += 1
            self.deaths.append(Death(place.process.name, time.time() * 1000, "killed"))
        else:
            self.counts["syncs killed"] += 1
        place.process.kill()
        place.state = "empty"

    def pause(self, place, long):
        place.process.signal(signal.SIGSTOP)
        place.state = "paused"
        if long:
            self.counts["routers paused"] += 1
            self.deaths.append(Death(place.process.name, time.time() * 1000, "paused"))

    def go_on(self, place):
        if place.state == "paused":
            place.process.signal(signal.SIGCONT)
            place.state = "runs"

    def end(self, place):
        place.process.signal(signal.SIGTERM)
        if place.state != "ending":
            self.counts["routers ended"] += 1
            place.state = "ending"
            place.ending_since = time.monotonic()

    def remove(self, place):
        """No longer wanted; its process must be gone."""
        self.places.remove(place)

    def look(self):
        """Notices which processes have ended. One that does so unasked, or badly, is a finding."""
        for place in self.places:
            if place.process is None or place.state == "empty" or place.process.alive():
                continue
            code = place.process.process.returncode
            if place.state != "ending" or code != 0:
                self.unexpected.append(f"{place.process.name} ended with {code}: ..."
                                       f"{place.process.text()[-600:]}")
            else:
                took = time.monotonic() - place.ending_since
                self.slowest_end = max(self.slowest_end, took)
            place.state = "empty"

    def overdue(self, grace=30):
        """Routers that had to end and have not, long after their drain deadline."""
        now = time.monotonic()
        return [p for p in self.of("router", "ending") if now > p.ending_since + p.process.drain_seconds + grace]

    def epochs(self):
        """(partition, epoch) -> the name of the process that ran under it, from the logs."""
        owners = {}
        for process in self.stack.processes:
            if process.name.startswith("router"):
                for partition, epoch in RECOVERED.findall(process.text()):
                    owners[int(partition), int(epoch)] = process.name
        return owners
