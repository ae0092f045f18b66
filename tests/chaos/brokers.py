"""The brokers of ./dev kafka as processes that can be hurt one by one. Each is touched through a descriptor of the very
process, so that a number which the system has given to another process meanwhile can never be hit."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import time

START_SECONDS = 90


class Broker:
    """One node: its process, and what is wrong with it at present."""

    def __init__(self, dev_dir, size, node):
        self.node = node
        self.pid_file = dev_dir / "run" / f"kafka-node-{node}.pid"
        self.folder = dev_dir / "kafka" / str(size) / f"node-{node}"
        self.state = "runs"
        self.child = None
        pid, self.mark = self.pid_file.read_text().split(maxsplit=1)
        self.mark = self.mark.strip()
        self._take(int(pid))
        # How it was started is how it will be started again.
        self.command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
        if self.mark.encode() not in self.command:
            raise RuntimeError(f"process {pid} is not broker {node}")

    def _take(self, pid):
        self.pid = pid
        self.descriptor = os.pidfd_open(pid)

    def alive(self):
        if self.child is not None:
            return self.child.poll() is None
        try:
            stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        except OSError:
            return False
        return stat.rsplit(")", 1)[1].split()[0] != "Z"

    def send(self, number):
        try:
            signal.pidfd_send_signal(self.descriptor, number)
        except ProcessLookupError:
            pass

    def kill(self):
        self.send(signal.SIGKILL)
        self.state = "dead"

    def pause(self):
        self.send(signal.SIGSTOP)
        self.state = "paused"

    def go_on(self):
        self.send(signal.SIGCONT)
        self.state = "runs"

    def deny_writing(self):
        """From now on no file of its may grow beyond a few bytes: what a full disk is to a broker."""
        try:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
            self.state = "full"
        except ProcessLookupError:
            self.state = "dead"

    def start(self):
        """Starts it again, whatever state it is in."""
        self.send(signal.SIGKILL)
        end = time.monotonic() + 10
        while self.alive() and time.monotonic() < end:
            time.sleep(0.02)
        os.close(self.descriptor)
        with open(self.folder / "log", "ab") as log:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True)
        self._take(self.child.pid)
        self.pid_file.write_text(f"{self.pid} {self.mark}\n")
        self.state = "runs"


class Brokers:
    def __init__(self, dev, dev_dir, size=3):
        self.dev = dev
        dev("kafka", "stop", "--wipe")
        self.bootstrap = dev("kafka", "start", "--brokers", str(size))
        self.nodes = [Broker(dev_dir, size, node) for node in range(1, size + 1)]
        self.deaths = 0

    def node(self, number):
        return self.nodes[number - 1] if 1 <= number <= len(self.nodes) else None

    def well(self):
        return [b for b in self.nodes if b.state == "runs" and b.alive()]

    def controller(self):
        """The node that leads the metadata quorum, from the file of any of them."""
        newest = (-1, None)
        for broker in self.nodes:
            try:
                state = json.loads((broker.folder / "data/__cluster_metadata-0/quorum-state").read_text())
            except (OSError, ValueError):
                continue
            if state.get("leaderId", -1) > 0:
                newest = max(newest, (state["leaderEpoch"], state["leaderId"]))
        return self.node(newest[1]) if newest[1] else None

    def collect(self):
        """Notices brokers that ended by themselves, as one does that cannot write. Returns them."""
        ended = [b for b in self.nodes if b.state in ("runs", "full", "paused") and not b.alive()]
        for broker in ended:
            broker.state = "dead"
        return ended

    def heal(self):
        for broker in self.nodes:
            if broker.state == "paused":
                broker.go_on()
            if broker.state != "runs" or not broker.alive():
                broker.start()

    def wait_whole(self, admin):
        end = time.monotonic() + START_SECONDS
        while True:
            self.collect()
            for broker in self.nodes:
                if broker.state == "dead":
                    broker.start()
            try:
                if len(admin.list_topics(timeout=3).brokers) == len(self.nodes):
                    return
            except Exception:  # noqa: BLE001  any error means: not yet
                pass
            if time.monotonic() > end:
                raise RuntimeError("the brokers did not come back; their logs are in "
                                   f"{self.nodes[0].folder.parent}")
            time.sleep(0.5)

    def close(self):
        for broker in self.nodes:
            broker.send(signal.SIGKILL)
            if broker.child is not None:
                broker.child.wait()
        self.dev("kafka", "stop", "--wipe")


def coordinator_partition(group, partitions):
    """The partition of __consumer_offsets whose leader coordinates the group: Java's String.hashCode()."""
    value = 0
    for character in group:
        value = (value * 31 + ord(character)) & 0xFFFFFFFF
    if value & 0x80000000:
        value -= 1 << 32
    return (0 if value == -(1 << 31) else abs(value)) % partitions
