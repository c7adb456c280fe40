#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A hostile program on the bus: many connections, and whatever a test wants sent on them, as fast as it is taken.

Outside, Flood holds such a process: with Flood(sandbox, "bob", connections=200) as flood: flood.send(calls, 5000).
Inside, this file is the process. It speaks to the bus by itself, since no library would send half of this, or not read replies.
"""

import collections
import contextlib
import itertools
import json
import mmap
import os
import select
import socket
import struct
import subprocess
import sys
import time

SCRIPT = "/run/sandbox/source/tests/integration/flood.py"
PYTHON = "/usr/bin/python3"
BUS_NAME = "org.tokend.Tokend1"
BUS_SOCKET = "/run/dbus/system_bus_socket"
ERROR_PREFIX = "org.tokend.Tokend1.Error."

NO_REPLY_EXPECTED, INTERACTIVE = 1, 4
TIMEOUT = 120
# A file a process, with how many calls it has made so far, and how many of them were answered, as it is told.
PROGRESS = "/run/sandbox/floods"
COUNTS = struct.Struct("QQ")
# The bus grants a connection so many calls without a reply.
CALLS_IN_FLIGHT_MAX = 128


def read_progress(sandbox):
    """By process, how many calls it has made, and how many were answered."""
    folder = sandbox.path(PROGRESS)
    counts = {}
    for name in os.listdir(folder):
        with open(f"{folder}/{name}", "rb") as file:
            counts[name] = COUNTS.unpack(file.read())
    return counts


def count_answered(before, after):
    """How many calls were answered between two readings of the progress."""
    return sum(answered - before.get(name, (0, 0))[1] for name, (_, answered) in after.items())


class Flood:
    """A process inside that floods the service."""

    def __init__(self, sandbox, user, connections):
        argv = [PYTHON, "-B", SCRIPT]
        self._program = sandbox.popen(user, argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._unread = b""
        self._asked = None
        # number: of its process, inside; names: of its connections
        self.number, self.names = self.ask("open", connections=connections)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.end()

    def begin(self, request, **arguments):
        """Has it do something; finish() waits for the end of it."""
        self._program.stdin.write(json.dumps({"request": request, **arguments}).encode() + b"\n")

    def finish(self):
        """What the request came to."""
        deadline = time.monotonic() + TIMEOUT
        while b"\n" not in self._unread:
            if not select.select([self._program.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError("the flood does not end")
            data = os.read(self._program.stdout.fileno(), 65536)
            if not data:
                raise EOFError("the flood ended by itself")
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        return json.loads(line)

    def ask(self, request, **arguments):
        """Has it do something, and returns what it came to."""
        self.begin(request, **arguments)
        return self.finish()

    def begin_send(self, calls, count, reads=True, in_flight=CALLS_IN_FLIGHT_MAX, together=None):
        """Sends so many calls (None: until end_send()), of these in turn, on its connections in turn. reads: also all
        replies. in_flight: on a connection at most; together: on all."""
        self.begin("send", calls=calls, count=count, reads=reads, in_flight=in_flight, together=together)

    def send(self, *arguments, **more):
        """As begin_send; returns how many replies there were, by the name of their error ("" for none)."""
        self.begin_send(*arguments, **more)
        return collections.Counter(self.finish())

    def end_send(self):
        """Ends what goes on; returns as send()."""
        self.begin("read")
        replies = collections.Counter(self.finish())
        replies.update(self.finish())
        return replies

    def end(self):
        """All its connections are closed at the same moment."""
        if self._program.poll() is None:
            self._program.kill()
        self._program.wait(TIMEOUT)
        self._program.stdin.close()
        self._program.stdout.close()


def call(path, interface, member, body="", flags=0, descriptors=""):
    """A call, for send(): body: a name of make_bodies(), or a number of bytes; descriptors: a name of Descriptors."""
    return {
        "path": path,
        "interface": interface,
        "member": member,
        "body": body,
        "flags": flags,
        "descriptors": descriptors,
    }


HEADING = (
    f"{'flood':34} {'who asks for the status':24} {'times':>6} {'p50':>8} {'p99':>8} {'longest':>8} {'answered':>9}  load"
)


def figure(what, who, seconds, answered):
    """A line for the report: seconds: how long each call took; answered: how many of the flood's were answered meanwhile."""
    seconds = sorted(seconds)
    p50, p99 = (seconds[min(len(seconds) - 1, len(seconds) * part // 100)] for part in (50, 99))
    times = " ".join(f"{1000 * number:5.0f} ms" for number in (p50, p99, seconds[-1]))
    return f"{what:34} {who:24} {len(seconds):6} {times} {max(answered):9}  {os.getloadavg()[0]:.1f}"


def report(lines, write):
    """Shows what was measured, and writes it into the build folder."""
    write(HEADING)
    for line in lines:
        write(line)
    folder = os.environ.get("TOKEND_BUILD", os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../_build"))
    with open(f"{folder}/floods.txt", "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in [HEADING, *lines])


# What each method is called with wrongly: see make_bodies()
WRONG_BODIES = [
    *(
        "",
        "y",
        "b",
        "n",
        "q",
        "i",
        "u",
        "x",
        "t",
        "d",
        "s",
        "o",
        "g",
        "h",
        "as",
        "ay",
        "a{sv}",
        "v",
        "deep",
        "long text",
    ),
    *("handles before options", "a handle without a descriptor", "codes as text", "codes as numbers"),
    *("one argument more", "options of text", "unknown option", "deep option", "10000 options", "a MiB"),
]


# Inside


def deep(GLib, levels):
    """A variant in a variant in a …"""
    value = GLib.Variant("y", 0)
    for _ in range(levels):
        value = GLib.Variant("v", value)
    return value


def make_bodies(GLib):
    """By name, the body of a message; None: none."""
    Variant = GLib.Variant
    none = Variant("a{sv}", {})

    def tuple_of(*children):
        return Variant.new_tuple(*children)

    def bytes_of(size):
        return Variant.new_from_bytes(GLib.VariantType.new("ay"), GLib.Bytes.new(bytes(size)), True)

    mebibyte = 1 << 20
    options = {str(number): Variant("b", True) for number in range(10000)}
    plain = {
        "y": Variant("y", 1), "b": Variant("b", True), "n": Variant("n", -1), "q": Variant("q", 1),
        "i": Variant("i", -1), "u": Variant("u", 1), "x": Variant("x", -1), "t": Variant("t", 1),
        "d": Variant("d", 0.5), "s": Variant("s", ""), "o": Variant("o", "/"), "g": Variant("g", "a{sv}"),
        "h": Variant("h", 0), "as": Variant("as", []), "ay": bytes_of(16), "a{sv}": none,
        "v": deep(GLib, 1), "deep": deep(GLib, 60), "long text": Variant("s", "1" * mebibyte),
    }  # fmt: skip
    bodies = {name: tuple_of(value) for name, value in plain.items()}
    bodies |= {
        "": None,
        "options": tuple_of(none),
        "handles before options": tuple_of(Variant("h", 0), Variant("h", 1), none),
        "a handle without a descriptor": tuple_of(Variant("h", 2**31 - 1)),
        "codes as text": tuple_of(Variant("s", ""), Variant("s", ""), none),
        "codes as numbers": tuple_of(Variant("u", 0), Variant("u", 1), none),
        "one argument more": tuple_of(none, Variant("s", "")),
        "options of text": tuple_of(Variant("a{ss}", {})),
        "unknown option": tuple_of(Variant("a{sv}", {"force": Variant("b", True)})),
        "deep option": tuple_of(Variant("a{sv}", {"": deep(GLib, 50)})),
        "10000 options": tuple_of(Variant("a{sv}", options)),
        "a MiB": tuple_of(bytes_of(mebibyte)),
    }
    return bodies


class Descriptors:
    """What comes with a message, by name."""

    def __init__(self):
        self._null = os.open("/dev/null", os.O_RDONLY)

    def make(self, name):
        """Returns descriptors, and which of them are to be closed when they were sent."""
        return getattr(self, f"_make_{name or 'none'}")()

    def _make_none(self):
        return [], []

    def _make_one(self):
        return [self._null], []

    def _make_sixteen(self):
        return [self._null] * 16, []

    @staticmethod
    def _make_sixteen_pipes():
        pairs = [os.pipe() for _ in range(8)]
        ends = [end for pair in pairs for end in pair]
        return ends, ends


class Progress:
    """What read_progress() reads: counted at once, whatever the process is at."""

    def __init__(self):
        os.makedirs(PROGRESS, 0o777, exist_ok=True)
        with open(f"{PROGRESS}/{os.getpid()}", "w+b") as file:
            file.write(bytes(COUNTS.size))
            file.flush()
            self._counts = memoryview(mmap.mmap(file.fileno(), COUNTS.size)).cast("Q")

    def add_made(self):
        self._counts[0] += 1

    def add_answered(self):
        self._counts[1] += 1


class Connection:
    """To the bus."""

    def __init__(self, Gio):
        self._Gio = Gio
        self._unread = bytearray()
        self.serial = 0
        self.in_flight = 0
        self.is_open = True
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(BUS_SOCKET)
        self._say(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode(), b"OK")
        self._say(b"NEGOTIATE_UNIX_FD", b"AGREE_UNIX_FD")
        self.socket.sendall(b"BEGIN\r\n")
        hello = Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/", "org.freedesktop.DBus", "Hello")
        hello.set_serial(1)
        self.send(bytearray(hello.to_blob(Gio.DBusCapabilityFlags.UNIX_FD_PASSING)))
        self.name = None
        while self.name is None:
            select.select([self.socket], [], [])
            for message in self.receive():
                if message.get_message_type() == Gio.DBusMessageType.METHOD_RETURN:
                    (self.name,) = message.get_body().unpack()

    def _say(self, line, answer):
        self.socket.sendall(line + b"\r\n")
        answered = b""
        while not answered.endswith(b"\r\n"):
            answered += self.socket.recv(1)
        assert answered.startswith(answer), answered

    def send(self, blob, descriptors=()):
        """Waits until the bus takes it; blob: of a message, whose serial is changed."""
        self.serial += 1
        struct.pack_into("<I", blob, 8, self.serial)
        try:
            sent = socket.send_fds(self.socket, [blob], descriptors) if descriptors else 0
            if sent < len(blob):
                self.socket.sendall(memoryview(blob)[sent:])
        except OSError:
            self.is_open = False  # the bus has had enough of it
        else:
            self.in_flight += not blob[2] & NO_REPLY_EXPECTED

    def receive(self):
        """The messages that are there now."""
        try:
            data = self.socket.recv(1 << 18, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.is_open = bool(data)
        self._unread += data
        while len(self._unread) >= 16:
            size = self._Gio.DBusMessage.bytes_needed(bytes(self._unread[:16]))
            if len(self._unread) < size:
                break
            blob = bytes(self._unread[:size])
            del self._unread[:size]
            message = self._Gio.DBusMessage.new_from_blob(blob, self._Gio.DBusCapabilityFlags.UNIX_FD_PASSING)
            if message.get_reply_serial():
                self.in_flight -= 1
            yield message


class Server:
    """What the process does."""

    def __init__(self):
        from gi.repository import Gio, GLib  # pylint: disable=import-outside-toplevel

        self._Gio, self._GLib = Gio, GLib
        self._bodies = make_bodies(GLib)
        self._connections = []
        self._descriptors = Descriptors()
        self._replies = collections.Counter()
        self._progress = Progress()

    def open(self, connections):
        """Opens so many connections."""
        self._connections += [Connection(self._Gio) for _ in range(connections)]
        return os.getpid(), [connection.name for connection in self._connections]

    def _make(self, call):  # pylint: disable=redefined-outer-name
        Gio = self._Gio
        message = Gio.DBusMessage.new_method_call(BUS_NAME, call["path"], call["interface"], call["member"])
        message.set_serial(1)
        message.set_flags(Gio.DBusMessageFlags(call["flags"]))
        if isinstance(call["body"], int):
            message.set_body(self._GLib.Variant("(s)", ["1" * call["body"]]))
        elif self._bodies[call["body"]]:
            message.set_body(self._bodies[call["body"]])
        if call["descriptors"]:
            descriptors, done = self._descriptors.make(call["descriptors"])
            message.set_unix_fd_list(self._Gio.UnixFDList.new_from_array([os.dup(end) for end in descriptors]))
            for descriptor in done:
                os.close(descriptor)
        blob = bytearray(message.to_blob(Gio.DBusCapabilityFlags.UNIX_FD_PASSING))
        return blob, call["descriptors"]

    def _take_replies(self, connections, timeout):
        for end in select.select([connection.socket for connection in connections], [], [], timeout)[0]:
            for message in next(c for c in connections if c.socket is end).receive():
                if message.get_reply_serial():
                    self._progress.add_answered()
                    self._replies[(message.get_error_name() or "").removeprefix(ERROR_PREFIX)] += 1

    def _wait_in_flight(self, connections, most):
        deadline = time.monotonic() + TIMEOUT
        while waiting := [c for c in connections if c.is_open and c.in_flight > most]:
            assert time.monotonic() < deadline, f"{sum(c.in_flight for c in waiting)} replies did not come"
            self._take_replies(waiting, 1)

    def _wait_together(self, most):
        deadline = time.monotonic() + TIMEOUT
        while (waiting := sum(c.in_flight for c in self._connections if c.is_open)) > most:
            assert time.monotonic() < deadline, f"{waiting} replies did not come"
            self._take_replies([c for c in self._connections if c.is_open], 1)

    def send(self, calls, count, reads, in_flight, together):
        """See Flood."""
        made = [self._make(call) for call in calls]
        together = together or in_flight * len(self._connections)
        for number in itertools.count():
            if number == count or (count is None and select.select([sys.stdin], [], [], 0)[0]):
                break
            connection = self._connections[number % len(self._connections)]
            if reads:
                self._wait_in_flight([connection], in_flight - 1)
                self._wait_together(together - 1)
            blob, name = made[number // len(self._connections) % len(made)]
            descriptors, done = self._descriptors.make(name)
            if connection.is_open:
                self._progress.add_made()
                connection.send(blob, descriptors)
            for descriptor in done:
                os.close(descriptor)
        return self.read() if reads else {}

    def read(self):
        """Waits for all replies; returns how many there were since this was asked last."""
        self._wait_in_flight(self._connections, 0)
        replies, self._replies = self._replies, collections.Counter()
        replies["closed"] = sum(not connection.is_open for connection in self._connections)
        return dict(replies)


def serve():
    """Does what it is told, line by line."""
    server = Server()
    for line in sys.stdin:
        request = json.loads(line)
        result = getattr(server, request.pop("request"))(**request)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    serve()
