# SPDX-License-Identifier: LGPL-2.1-or-later
"""Codes with a retry counter, and the memory that keeps the counters through a loss of power."""

import fcntl
import os

from apdu import METHOD_BLOCKED, TRIES_LEFT, Refusal

TRIES = 3


class Code:
    """Reference data that locks after a number of wrong tries (ISO/IEC 7816-4, 11.5.6 on VERIFY).

    value: None if there is none yet, which is as good as blocked.
    wrong, blocked: the status words for a wrong code, None for 63Cx, the tries that are left, and for any when none is.
    """

    def __init__(self, value, maximum=TRIES, wrong=None, blocked=METHOD_BLOCKED):
        self.value = value
        self.maximum = maximum
        self.remaining = maximum if value is not None else 0
        self.memory = None
        self._wrong = wrong
        self._blocked = blocked

    def state(self):
        """What a VERIFY without a code answers while the code is not verified; it costs nothing."""
        if self.remaining == 0 and self._blocked == METHOD_BLOCKED:
            return METHOD_BLOCKED
        return TRIES_LEFT | self.remaining

    def check(self, given):
        """Returns if it is right. Raises Refusal, and then a try is gone, unless none was left."""
        if self.remaining == 0:
            raise Refusal(self._blocked)
        # The try is spent before the code is looked at: pulling the card out in between must not save it.
        self._set(self.remaining - 1)
        if given != self.value:
            raise Refusal(TRIES_LEFT | self.remaining if self._wrong is None else self._wrong)
        self._set(self.maximum)

    def set(self, value):
        """A new value, with all its tries; None takes it away."""
        self.value = value
        self._set(self.maximum if value is not None else 0)

    def split(self, data):
        """This code and another one, with nothing in between: the card knows how long its own is."""
        length = len(self.value or b"")
        return data[:length], data[length:]

    def _set(self, remaining):
        self.remaining = remaining
        if self.memory:
            self.memory.save()


class Memory:
    """The counters in a file, "pin 3 puk 3", which tests may read at any time: it is changed in one write."""

    def __init__(self, path, codes):
        """codes: name to Code."""
        self._codes = codes
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        for code in codes.values():
            code.memory = self
        self.save()

    def save(self):
        text = " ".join(f"{name} {code.remaining}" for name, code in self._codes.items()) + "\n"
        fcntl.flock(self._file, fcntl.LOCK_EX)
        os.pwrite(self._file, text.encode(), 0)
        fcntl.flock(self._file, fcntl.LOCK_UN)
