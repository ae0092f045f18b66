"""Carries a schedule out: turns each fault into deeds with times, and does them as they fall due. One thread; every deed
is short, what takes long is asked for and looked at again."""

import heapq
import itertools
import os
import subprocess
import time

import confluent_kafka.admin

from brokers import coordinator_partition
from stack import http_post
from topics import STALLING_BROKER, STALLING_PARTITION, Topics

GROUP = "tokenrail-router"
DELETION_SECONDS = 15
PROVIDER_FAULTS = ({"fault": "status:503"}, {"fault": "reset-after:2"}, {"first": 4000}, {"fault": "status:429"},
                   {"fault": "slow-headers:200"}, {"fault": "hang-after:1"})


class Conductor:
    def __init__(self, stack, brokers, fleet, names, load, dev_command, session_seconds, say):
        self.stack = stack
        self.brokers = brokers
        self.fleet = fleet
        self.names = names
        self.load = load
        self.replaced = []               # (topic, Unix time in ms since which it is there again): logs whose records are gone
        self.dev_command = dev_command   # begins `./dev ARGUMENTS` and returns its process
        self.session_seconds = session_seconds
        self.say = say
        self.deeds = []                  # (when, number, what)
        self.order = itertools.count()
        self.admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": stack.kafka, "socket.timeout.ms": 3000,
                                                            "log_level": 2})
        self.topics = Topics(self.admin)
        self.simulator = stack.processes[0]
        self.simulator_wanted = True
        self.postgres = None             # the running `./dev postgres ...`
        self.counts = {}

    # --- time --------------------------------------------------------------------------------------------------------

    def after(self, seconds, what, *arguments):
        heapq.heappush(self.deeds, (time.monotonic() + seconds, next(self.order), what, arguments))

    def run(self, faults, seconds):
        begin = time.monotonic()
        for fault in faults:
            heapq.heappush(self.deeds, (begin + fault.at, next(self.order), self.do, (fault,)))
        self.until(begin + seconds)

    def until(self, end):
        while time.monotonic() < end:
            now = time.monotonic()
            while self.deeds and self.deeds[0][0] <= now:
                _, _, what, arguments = heapq.heappop(self.deeds)
                what(*arguments)
            self.look()
            time.sleep(0.05)

    def look(self):
        self.fleet.look()
        for broker in self.brokers.collect():
            self.brokers.deaths += 1
            self.say(f"broker {broker.node} has ended by itself")

    def do(self, fault):
        self.counts[fault.kind] = self.counts.get(fault.kind, 0) + 1
        getattr(self, fault.kind.replace("-", "_"))(fault)

    # --- workers -----------------------------------------------------------------------------------------------------

    def start_again(self, place):
        self.fleet.start(place)

    def kill(self, fault, place=None):
        place = place or self.fleet.pick("router", fault.who, "runs", "ending")
        if place is None or place.state == "empty":
            return
        self.say(f"SIGKILL to {place.process.name}")
        self.fleet.kill(place)
        self.after(fault.seconds, self.start_again, place)

    def kill_at_start(self, fault):
        place = self.fleet.pick("router", fault.who)
        if place is None:
            return
        self.say(f"SIGKILL to {place.process.name}, and to its successor while it starts")
        self.fleet.kill(place)
        self.fleet.start(place)
        self.after(fault.seconds, self.kill, fault, place)

    def kill_all(self, fault):
        self.say("SIGKILL to all routers")
        for place in self.fleet.of("router", "runs", "paused", "ending"):
            self.fleet.kill(place)
            self.after(fault.seconds, self.start_again, place)

    def kill_sync(self, fault):
        place = self.fleet.pick("sync", fault.who)
        if place is None:
            return
        self.say(f"SIGKILL to {place.process.name}")
        self.fleet.kill(place)
        self.after(fault.seconds, self.start_again, place)

    def pause_sync(self, fault):
        self.pause_short(fault, kind="sync")

    def pause_short(self, fault, long=False, kind="router"):
        place = self.fleet.pick(kind, fault.who)
        if place is None:
            return
        self.say(f"SIGSTOP to {place.process.name} for {fault.seconds:.0f} s")
        self.fleet.pause(place, long)
        self.after(fault.seconds, self.fleet.go_on, place)

    def pause_long(self, fault):
        self.pause_short(fault, long=True)

    def end(self, fault, place=None, twice=None):
        place = place or self.fleet.pick("router", fault.who)
        if place is None or place.state != "runs":
            return
        self.say(f"SIGTERM to {place.process.name}")
        self.fleet.end(place)
        if twice is not None:
            self.after(twice, self.second_signal, place, place.process)
        self.replace_when_gone(place)

    def end_twice(self, fault):
        self.end(fault, twice=fault.seconds)

    def second_signal(self, place, process):
        if place.process is process and place.state == "ending":
            self.fleet.end(place)

    def replace_when_gone(self, place):
        if place.state == "empty":
            self.fleet.start(place)
        elif place.state == "ending":
            self.after(0.2, self.replace_when_gone, place)

    def roll(self, fault):
        self.say("SIGTERM to all routers in turn")
        for number, place in enumerate(self.fleet.of("router")):
            self.after(4 * number, self.end, fault, place)

    def storm(self, fault):
        """Members that join and leave: in order, or killed, or before they are ready."""
        count = 1 + int(fault.extra * 3)
        self.say(f"{count} more routers join and leave")
        for number in range(count):
            place = self.fleet.add("router")
            self.after(fault.seconds * (number + 1), self.leave, place, (fault.extra * 10 + number) % 3 < 1)

    def leave(self, place, by_kill):
        if place.state == "runs":
            if by_kill:
                self.fleet.kill(place)
            else:
                self.fleet.end(place)
        self.gone(place)

    def gone(self, place):
        if place.state == "empty":
            self.fleet.remove(place)
        else:
            self.after(0.2, self.gone, place)

    # --- brokers -----------------------------------------------------------------------------------------------------

    def broker_kill(self, fault, broker=None, why=""):
        well = self.brokers.well()
        broker = broker if broker in well else well[int(fault.who * len(well)) % len(well)] if well else None
        if broker is None:
            return
        self.say(f"SIGKILL to broker {broker.node}{why}")
        broker.kill()
        self.brokers.deaths += 1
        self.after(fault.seconds, self.broker_start, broker)

    def broker_start(self, broker):
        if broker.state in ("dead", "full"):
            self.say(f"broker {broker.node} starts")
            broker.start()

    def leader_of(self, topic, partition):
        try:
            partitions = self.admin.list_topics(topic, timeout=3).topics[topic].partitions
            return self.brokers.node(partitions[partition % len(partitions)].leader), len(partitions)
        except Exception:  # noqa: BLE001  no broker answers at present; any broker will do
            return None, 0

    def leader_kill(self, fault):
        topic = ("llm.audit", "chat.chunks", "chat.requests")[int(fault.extra * 3) % 3]
        partition = int(fault.who * self.stack.partitions)
        broker, _ = self.leader_of(self.stack.topic(topic), partition)
        self.broker_kill(fault, broker, f", which leads {topic} {partition}")

    def coordinator_kill(self, fault):
        _, count = self.leader_of("__consumer_offsets", 0)
        broker = None
        if count:
            broker, _ = self.leader_of("__consumer_offsets", coordinator_partition(GROUP, count))
        self.broker_kill(fault, broker, ", the group's coordinator")

    def controller_kill(self, fault):
        self.broker_kill(fault, self.brokers.controller(), ", the controller")

    def two_brokers_kill(self, fault):
        self.broker_kill(fault)
        self.broker_kill(fault)

    def broker_pause(self, fault):
        well = self.brokers.well()
        if not well:
            return
        broker = well[int(fault.who * len(well)) % len(well)]
        self.say(f"SIGSTOP to broker {broker.node} for {fault.seconds:.0f} s")
        broker.pause()
        self.after(fault.seconds, self.broker_go_on, broker)

    def broker_go_on(self, broker):
        if broker.state == "paused":
            self.say(f"broker {broker.node} goes on")
            broker.go_on()

    def broker_full(self, fault):
        well = self.brokers.well()
        if not well:
            return
        broker = well[int(fault.who * len(well)) % len(well)]
        self.say(f"broker {broker.node} can write no more")
        broker.deny_writing()
        self.after(fault.seconds, self.room_again, broker)

    def room_again(self, broker):
        if broker.state == "full":   # it lived on; a restart is what an operator would do
            self.brokers.deaths += 1
        self.broker_start(broker)

    # --- topics ------------------------------------------------------------------------------------------------------

    def with_setting(self, fault, base, setting, value, what):
        topic = self.stack.topic(base)
        before = self.topics.value(topic, setting)
        if before is Topics.UNKNOWN or not self.topics.set(topic, setting, value):
            return
        self.say(f"{base} {what} for {fault.seconds:.0f} s")
        self.after(fault.seconds, self.setting_back, base, setting, before)

    def setting_back(self, base, setting, before):
        """Tried again until it is done: it must not stay when everything heals."""
        if self.topics.set(self.stack.topic(base), setting, before):
            self.say(f"{base} is as it was")
        else:
            self.after(1, self.setting_back, base, setting, before)

    def topic_small(self, fault):
        base = ("chat.chunks", "llm.audit", "chat.requests.dlq")[int(fault.extra * 3) % 3]
        self.with_setting(fault, base, "max.message.bytes", str(600 + int(fault.who * 3000)), "takes only small records")

    def topic_stalled(self, fault):
        base = ("chat.chunks", "llm.audit")[int(fault.extra * 2) % 2]
        self.with_setting(fault, base, "min.insync.replicas", "4", "takes no records")

    def partition_stalled(self, fault):
        """Of the partition that topics.make_audit() gave two replicas only, both of which it wants in sync."""
        broker = self.brokers.node(STALLING_BROKER)
        if broker not in self.brokers.well():
            return
        self.say(f"llm.audit {STALLING_PARTITION} takes no records for {fault.seconds:.0f} s: it is short of a replica")
        self.broker_kill(fault, broker)

    def topic_recreated(self, fault):
        """Of those whose records no promise is judged by."""
        base = ("chat.cancellations", "model_registry")[int(fault.extra * 2) % 2]
        self.recreate(base, fault.seconds)

    def log_recreated(self, fault):
        """Of those whose records the promises are judged by. Requests that come later are judged (Findings)."""
        self.recreate(("chat.requests", "chat.chunks", "llm.audit")[int(fault.extra * 3) % 3], fault.seconds, log=True)

    def recreate(self, base, seconds, log=False):
        made_again = self.topics.delete(self.stack.topic(base))
        if made_again is None:
            return
        if log:
            # From now on, for it may be some time before it can be made again.
            self.replaced.append((base, time.time() * 1000))
            self.load.loses_records()
        self.say(f"{base} is deleted, and made again after {seconds:.0f} s")
        self.after(seconds, self.make_again, base, made_again, log)

    def make_again(self, base, made_again, log, again=True):
        fate = self.topics.create(made_again)
        if fate == Topics.UNKNOWN_FATE:
            self.after(1, self.make_again, base, made_again, log, again)
            return
        if again:
            # A deletion that no broker confirmed may be carried out later than this.
            self.after(DELETION_SECONDS, self.make_again, base, made_again, log, False)
        if fate == Topics.MADE or again:
            self.say(f"{base} is there again")
            if log:
                self.replaced.append((base, time.time() * 1000))
                self.load.begin_again()

    # --- around ------------------------------------------------------------------------------------------------------

    def provider(self, behaviour):
        try:
            http_post(self.stack.simulator_url + "/_sim/behaviour", behaviour)
        except OSError:
            pass  # it is not there at present

    def provider_fault(self, fault):
        behaviour = PROVIDER_FAULTS[int(fault.extra * len(PROVIDER_FAULTS)) % len(PROVIDER_FAULTS)]
        self.say(f"the provider: {behaviour} for {fault.seconds:.0f} s")
        self.provider(behaviour)
        self.after(fault.seconds, self.provider, {})

    def provider_kill(self, fault, seconds=None):
        if not self.simulator.alive():
            return
        self.say("SIGKILL to the provider")
        self.simulator.kill()
        self.after(fault.seconds if seconds is None else seconds, self.provider_start)

    def names_silent(self, fault):
        """Connections that are open need no name, so they break as well."""
        self.say(f"the name server answers nothing for {fault.seconds:.0f} s")
        self.names.silent = True
        self.provider_kill(fault, 0.2)
        self.after(fault.seconds, self.names_answer)

    def names_answer(self):
        self.names.silent = False

    def provider_start(self):
        if not self.simulator.alive():
            self.simulator = self.stack.simulator("--journal-max", "1")

    def postgres_stop(self, fault):
        if self.postgres is not None and self.postgres.poll() is None:
            return
        self.say(f"PostgreSQL stops for {fault.seconds:.0f} s")
        self.postgres = self.dev_command("postgres", "stop")
        self.after(fault.seconds, self.postgres_start)

    def postgres_start(self):
        if self.postgres is not None and self.postgres.poll() is None:
            self.after(0.5, self.postgres_start)
            return
        self.postgres = self.dev_command("postgres", "start")

    # --- the end -----------------------------------------------------------------------------------------------------

    def heal(self):
        """Everything that is down comes back, everything that was begun is finished."""
        for broker in self.brokers.nodes:
            if broker.state == "full":
                self.brokers.deaths += 1
        self.brokers.heal()
        self.brokers.wait_whole(self.admin)
        for place in self.fleet.places:
            self.fleet.go_on(place)
        end = time.monotonic() + 90
        while self.deeds and time.monotonic() < end:
            self.until(time.monotonic() + 0.2)
        if self.deeds:
            raise RuntimeError(f"still to do after 90 s: {[d[2].__name__ for d in self.deeds]}")
        self.names_answer()
        self.provider_start()
        self.provider({})
        if self.postgres is not None:
            self.postgres.wait(60)
        self.dev_command("postgres", "start").wait(60)
        self.brokers.wait_whole(self.admin)
        for place in self.fleet.places:
            self.fleet.start(place)


def dev_command(root, dev_dir):
    """Begins a command of ./dev with a folder of its own; its text goes to a log there."""
    def begin(*arguments):
        with open(dev_dir / "logs" / "dev.log", "ab") as log:
            return subprocess.Popen([root / "dev", *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                    env={**os.environ, "TOKENRAIL_DEV_DIR": str(dev_dir)}, start_new_session=True)
    return begin
