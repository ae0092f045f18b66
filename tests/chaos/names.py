"""A name server for one name, which can be made to fall silent. Workers ask it instead of the one of the machine
(TOKENRAIL_PROVIDERS_NAME_SERVERS)."""

import socket
import struct
import threading

NAME = "provider.tokenrail.test"
TTL_SECONDS = 1
HEADER = struct.Struct("!6H")
IS_ANSWER, NO_SUCH_NAME = 0x8180, 3
ADDRESS_OF_4 = 1  # the type of a question for an IPv4 address


def question_of(datagram):
    """The name and type that are asked for, and where the question ends; None: this is no question."""
    labels, at = [], HEADER.size
    try:
        while datagram[at]:
            labels.append(datagram[at + 1 : at + 1 + datagram[at]].decode("ascii"))
            at += 1 + datagram[at]
        kind, = struct.unpack_from("!H", datagram, at + 1)
    except (IndexError, struct.error, UnicodeDecodeError):
        return None
    return ".".join(labels).lower(), kind, at + 5


def answer_to(datagram):
    """127.0.0.1 for the one name; that there is no other one; None: nothing is answered."""
    asked = question_of(datagram)
    if asked is None or len(datagram) < asked[2]:
        return None
    name, kind, end = asked
    number, = struct.unpack_from("!H", datagram)
    found = name == NAME and kind == ADDRESS_OF_4
    flags = IS_ANSWER | (0 if name == NAME else NO_SUCH_NAME)
    record = struct.pack("!HHHIH", 0xC000 | HEADER.size, ADDRESS_OF_4, 1, TTL_SECONDS, 4) + bytes((127, 0, 0, 1))
    return HEADER.pack(number, flags, 1, int(found), 0, 0) + datagram[HEADER.size : end] + (record if found else b"")


class NameServer:
    def __init__(self):
        self.silent = False
        self.unanswered = 0  # questions that came while it was silent
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.stopping = threading.Event()
        self.socket.settimeout(0.2)
        self.thread = threading.Thread(target=self._run, name="names", daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping.is_set():
            try:
                datagram, sender = self.socket.recvfrom(1500)
            except TimeoutError:
                continue
            if self.silent:
                self.unanswered += 1
            elif (answer := answer_to(datagram)) is not None:
                self.socket.sendto(answer, sender)

    def close(self):
        self.stopping.set()
        self.thread.join()
        self.socket.close()
