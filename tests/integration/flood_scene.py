# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a flood is seen by: others who ask for the status meanwhile, and what it leaves behind."""

import contextlib
import os
import threading
import time

import heap
from client import Client
from flood import PROGRESS, count_answered, figure, read_progress
from sandbox import wait_until
from support import relays_have_ended, sent

PIN, PUK = "1234", "12345678"
# Of the calls under way: of users who come one after the other, each takes half of what is left.
CALLS_IN_ALL, SHARES = 60, [30, 15, 8, 4, 2, 1]
SUBSCRIBERS_OF_USER, SUBSCRIBERS_IN_ALL = 32, 256
# Operations that are open
OPEN_OF_USER, OPEN_IN_ALL = 4, 12
# Between two questions of one who asks for the status, in seconds: it is not to be a flood of its own.
PAUSE = 0.01
# If anything is kept of each call it is more, in bytes: the least that malloc() gives is twice as much.
CALL = 16
# GLib's tables do not shrink wholly when they have been as full as a flood makes them, in bytes.
TABLES = 8192


class Onlooker(threading.Thread):
    """One who asks for the status, on a connection of their own, until the block ends."""

    def __init__(self, sandbox, user, path):
        super().__init__()
        self.user = user
        # Of each call: how long it took, and how many of the flood's were answered meanwhile
        self.seconds, self.answered = [], []
        self.problem = None
        self._sandbox, self._path = sandbox, path
        self._over = threading.Event()

    def run(self):
        try:
            with Client(self._sandbox, self.user) as client:
                while not self._over.wait(PAUSE):
                    before, begun = read_progress(self._sandbox), time.monotonic()
                    reply = client.call("GetStatus", path=self._path)
                    self.seconds.append(time.monotonic() - begun)
                    self.answered.append(count_answered(before, read_progress(self._sandbox)))
                    assert reply.error is None, reply
        except (AssertionError, TimeoutError, EOFError) as error:
            self.problem = error

    def answers_in_flood(self):
        """How many calls were answered while the flood went on."""
        assert not self.problem, f"{self.user}: {self.problem}"
        return sum(number > 0 for number in self.answered)

    def __enter__(self):
        self.start()
        wait_until(lambda: self.seconds or self.problem, what="the first status")
        return self

    def __exit__(self, *_exception):
        self._over.set()
        self.join()


class Scene:
    """A sandbox with two tokens, in which somebody floods the service and others ask for the status."""

    def __init__(self, sandbox, figures):
        self.sandbox, self.figures = sandbox, figures
        self.tokens = sandbox.tokens
        os.mkdir(sandbox.path(PROGRESS))
        os.chmod(sandbox.path(PROGRESS), 0o1777)
        with Client(sandbox, "alice") as alice:
            self.path, self.other_path = (alice.find(label) for label in ("ETOKEN", "ETOKEN2"))
            # What a first operation leaves for the second is no leak.
            assert alice.call("Unlock", PUK, PIN, path=self.path).error is None
        self.settle()
        self.before = self.traces()
        self.sent = self.sent_codes()

    def sent_codes(self):
        """What was done to the tokens with a code."""
        return [sent(token) for token in self.tokens.values()]

    def settle(self):
        """Waits until nothing is under way."""
        wait_until(lambda: not self.sandbox.hosts("operate"), what="the end of the operating hosts")
        wait_until(lambda: relays_have_ended(self.sandbox), what="the end of their relays")
        with Client(self.sandbox, "alice") as alice:
            wait_until(lambda: self._is_served(alice), what="room for one call")

    def _is_served(self, client):
        """Calls of connections that have just been closed take up room until the bus says that these are gone."""
        error = client.call("GetStatus", path=self.path).error
        assert error in (None, "LimitsExceeded"), error
        return error is None

    def traces(self):
        """All that may be left behind: processes, and what the service holds."""
        tokend = self.sandbox.tokend()
        return {
            "tokend": tokend,
            "hosts": sorted(self.sandbox.hosts()),
            "descriptors": len(os.listdir(f"/proc/{tokend}/fd")),
        }

    def memory(self):
        """What the service has in use, in bytes."""
        # Once this is answered, what was queued for the bus before is written.
        with Client(self.sandbox, "alice") as alice:
            assert alice.call("GetStatus", path=self.path).error is None
        return heap.count_in_use(self.sandbox)

    @contextlib.contextmanager
    def keeps_nothing(self, what, count, tables=TABLES):
        """Of so many calls, which the block makes, nothing is left when they have ended."""
        # A sanitizer has a heap of its own, and looks by itself for what is lost.
        if "ASAN_OPTIONS" in os.environ:
            yield
            self.check_end()
            return
        before = self.memory()
        yield
        self.check_end()
        left = self.memory() - before
        print(f"{what}: {count} calls left {left} bytes")
        assert left < tables + count * CALL, f"{count} calls left {left} bytes"

    @contextlib.contextmanager
    def watched(self, what, *users):
        """In the block these users ask for the status, and are answered. How long that takes is told, and is the machine's
        matter."""
        with contextlib.ExitStack() as stack:
            onlookers = [stack.enter_context(Onlooker(self.sandbox, user, self.path)) for user in users]
            yield onlookers
        for onlooker in onlookers:
            assert not onlooker.problem, f"{onlooker.user}: {onlooker.problem}"
            self.figures.append(figure(what, onlooker.user, onlooker.seconds, onlooker.answered))
            print(self.figures[-1])

    def check_end(self):
        """All is as it was."""
        self.settle()
        wait_until(lambda: self.traces() == self.before, what=f"{self.before}, and not {self.traces()}")
