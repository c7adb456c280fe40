# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the bus, as one of the sandbox's users, that does what a test tells it, also what no honest program would.

It has several calls under way on one connection, descriptors of every kind, and is a polkit agent that answers when the
test says so; a call answers with what came. For tests of what tokend promises to honest programs there is the shorter
Client of support.py, whose calls raise what went wrong.
"""

import collections
import contextlib
import json
import os
import select
import subprocess
import time

SCRIPT = "/run/sandbox/source/tests/integration/client_inside.py"
PYTHON = "/usr/bin/python3"

ROOT_PATH = "/org/tokend/Tokend1"
MANAGER = "org.tokend.Tokend1.Manager"
TOKEN = "org.tokend.Tokend1.Token"
OPERATION = "org.tokend.Tokend1.Operation"
# The standard's, as it stands: it has no prefix of ours
NEEDS_PERSON = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

TIMEOUT = 30

# error: the name, without the prefix of ours; None for a call that succeeded. value: a status, mostly.
Reply = collections.namedtuple("Reply", "error message value")
# A descriptor that the process inside holds
Descriptor = collections.namedtuple("Descriptor", "name")


def make_bytes(text):
    return text.encode() if isinstance(text, str) else text


def make_typed(options):
    """Each as a pair (type, value)."""
    return {
        key: value if isinstance(value, tuple) else ("b" if isinstance(value, bool) else "u", value)
        for key, value in (options or {}).items()
    }


class Client:
    """A process inside, with a connection to the bus of its own."""

    def __init__(self, sandbox, user):
        self.user = user
        self.events = []
        self._replies = {}
        self._last = 0
        self._buffer = b""
        self.program = sandbox.popen(
            user, [PYTHON, "-B", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        # number: of its process, inside; bus_name: its unique one
        self.number, self.bus_name = self.ask("hello")

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.kill()

    def kill(self):
        """The process, and with it the connection, is gone when this returns."""
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait(TIMEOUT)
        self.program.stdin.close()
        self.program.stdout.close()

    # Requests and replies

    def _read(self, deadline):
        if not select.select([self.program.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"the client of {self.user} heard nothing")
        data = os.read(self.program.stdout.fileno(), 65536)
        if not data:
            raise EOFError(f"the client of {self.user} ended")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for message in map(json.loads, lines):
            if "event" in message:
                self.events.append(message)
            else:
                self._replies[message["id"]] = message["reply"]

    def begin(self, request, **arguments):
        """Sends a request; returns its number, for wait()."""
        self._last += 1
        line = json.dumps({"id": self._last, "request": request, **arguments})
        self.program.stdin.write(line.encode() + b"\n")
        return self._last

    def is_answered(self, number):
        """Whether the reply is there already."""
        with contextlib.suppress(TimeoutError):
            while number not in self._replies:
                self._read(0)
        return number in self._replies

    def wait(self, number, timeout=TIMEOUT):
        """Waits for the reply to what was begun."""
        deadline = time.monotonic() + timeout
        while number not in self._replies:
            self._read(deadline)
        reply = self._replies.pop(number)
        return Reply(*reply) if isinstance(reply, list) and len(reply) == 3 else reply

    def ask(self, request, timeout=TIMEOUT, **arguments):
        return self.wait(self.begin(request, **arguments), timeout)

    def expect_event(self, event, timeout=TIMEOUT, **what):
        """Waits for an event with these words in it, and takes it out of the list."""
        wanted = {"event": event, **what}.items()
        deadline = time.monotonic() + timeout
        while True:
            for number, candidate in enumerate(self.events):
                if wanted <= {key: value for key, value in candidate.items() if key in dict(wanted)}.items():
                    return self.events.pop(number)
            self._read(deadline)

    def settle(self):
        """All that the bus sent to this client before now is in events afterwards."""
        self.ask("settle")

    # Calls

    def token(self):
        """The path of the only token."""
        (path,) = self.paths()
        return path

    def paths(self):
        """The paths of all tokens."""
        objects = self.call_at(ROOT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects").value
        return sorted(objects)

    def find(self, label):
        """The path of the token with this label."""
        (path,) = [path for path in self.paths() if self.call("Refresh", path=path).value["label"] == label]
        return path

    def begin_call_at(self, path, interface, method, signature=None, arguments=(), descriptors=None, **more):
        """more: interactive (bool), destination."""
        names = None if descriptors is None else [descriptor.name for descriptor in descriptors]
        call = {"path": path, "interface": interface, "method": method, "signature": signature}
        return self.begin("call", **call, arguments=list(arguments), descriptors=names, **more)

    def call_at(self, *arguments, timeout=TIMEOUT, **more):
        return self.wait(self.begin_call_at(*arguments, **more), timeout)

    def begin_call(self, method, *codes, path=None, options=None, interactive=False):
        """Calls a method of the token at path. codes: of Unlock and SetPin, each a str or bytes: it opens the operation, hands the
        codes over and has them sent, and the reply is that of what failed, or of Finish; None: one that is fed.
        options: a dict; True and False are sent as b, numbers as u, pairs (type, value) as they say."""
        path = path or self.token()
        if not codes:
            return self.begin_call_at(path, TOKEN, method, interactive=interactive)
        data = [None if code is None else make_bytes(code).hex() for code in codes]
        options = make_typed(options)
        return self.begin("operate", method=method, path=path, codes=data, options=options, interactive=interactive)

    def feed(self, call, data):
        """Hands over a part of an operation's code; returns once that is open and has it."""
        number = self.begin("feed", operation=call, data=make_bytes(data).hex())
        deadline = time.monotonic() + TIMEOUT
        while number not in self._replies:
            assert call not in self._replies, f"it ended before: {self._replies[call]}"
            self._read(deadline)
        self._replies.pop(number)

    def end(self, call, data=b""):
        """Hands over the rest of it, and has it sent."""
        self.ask("end", operation=call, data=make_bytes(data).hex())

    # An operation step by step, on the connection that all of these have in common

    def begin_open(self, method, path=None, options=None, interactive=False):
        path = path or self.token()
        return self.begin_call_at(path, TOKEN, method, "(a{sv})", [make_typed(options)], interactive=interactive)

    def open(self, method, path=None, options=None, interactive=False):
        """Opens an operation, which must succeed; returns its path, and two Descriptors for the codes."""
        return self.end_open(self.begin_open(method, path, options, interactive))

    def end_open(self, opening):
        """Of begin_open(), which must succeed; returns as open() does."""
        reply = self.wait(opening)
        assert reply.error is None, reply
        operation, *ends = reply.value
        return operation, *map(Descriptor, ends)

    def begin_finish(self, operation, options=None):
        return self.begin_call_at(operation, OPERATION, "Finish", "(a{sv})", [make_typed(options)])

    def finish(self, operation, options=None, timeout=TIMEOUT):
        return self.wait(self.begin_finish(operation, options), timeout)

    def again(self, operation):
        """Two Descriptors; or the Reply, if that is an error."""
        reply = self.call_at(operation, OPERATION, "Again")
        return reply if reply.error else tuple(map(Descriptor, reply.value))

    def cancel(self, operation):
        return self.call_at(operation, OPERATION, "Cancel")

    def write(self, descriptor, data):
        """Returns the name of what went wrong, or ""."""
        return self.ask("write", name=descriptor.name, data=make_bytes(data).hex())

    def close(self, *descriptors):
        for descriptor in descriptors:
            self.ask("close", name=descriptor.name)

    def hand_over(self, ends, codes):
        """Writes the codes to an operation's pipes, and closes them."""
        for end, code in zip(ends, codes):
            assert self.write(end, code) == ""
            self.close(end)

    def reopen(self, descriptor):
        """Opens it again by /proc/self/fd; returns the name of what went wrong, or ""."""
        return self.ask("reopen", name=descriptor.name)

    def call(self, *arguments, timeout=TIMEOUT, **more):
        return self.wait(self.begin_call(*arguments, **more), timeout)

    def call_manager(self, method, **more):
        return self.call_at(ROOT_PATH, MANAGER, method, **more)

    def subscribe(self):
        """From now on signals of the service are events."""
        self.listen()
        assert self.call_manager("Subscribe").error is None

    def listen(self):
        self.ask("listen")

    # Descriptors

    def _open(self, kind, data=b"", **more):
        return Descriptor(self.ask("open", kind=kind, data=make_bytes(data).hex(), **more))

    def pipe(self, data=b""):
        """The reading end of one that does not end."""
        return self._open("pipe", data)

    def open_path(self, path, flags):
        return self._open("path", path=path, flags=flags)

    def close_all(self):
        """Closes all descriptors."""
        self.ask("close-all")

    # polkit

    def become_agent(self, number):
        """Registers a polkit agent for the process with this number inside. What it is asked are events "prompt", with
        action, text, details and cookie, and "withdrawn", with cookie; a prompt stays open until grant() or refuse().
        """
        reply = self.ask("become-agent", number=number)
        assert reply.error is None, reply

    def refuse(self, cookie):
        """The person closes the prompt."""
        self.ask("dismiss-prompt", cookie=cookie)

    def fail(self, cookie):
        """The person has not given a right password."""
        self.ask("fail-prompt", cookie=cookie)

    def grant(self, sandbox, cookie):
        """The person's password was right: what polkit's helper, which is root, then says."""
        identity = {"uid": ("u", sandbox.user_id(self.user))}
        with Client(sandbox, "root") as helper:
            reply = helper.ask("respond", number=sandbox.user_id(self.user), cookie=cookie, identity=identity)
        assert reply.error is None, reply
        self.ask("fail-prompt", cookie=cookie)
