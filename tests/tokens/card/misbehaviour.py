# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test tells the card to do wrong: the file "fault" in the card's folder; see ../README.md."""

import collections
import contextlib
import os
import random
import time

PAUSE_POLL_INTERVAL = 0.002


class Pulled(Exception):
    """The card is pulled out in the middle of a command."""


class Faults:
    def __init__(self, folder):
        self._path = os.path.join(folder, "fault")
        self._marker = os.path.join(folder, "paused")
        self._identity = None
        self._counts = collections.Counter()

    def vanished(self):
        """Whether the card shall not be in the reader."""
        return ["vanish"] in self._read()

    def _read(self):
        """The lines as they are now, each as words. The commands are counted anew with each change of the file."""
        try:
            with open(self._path, encoding="ascii") as file:
                status = os.fstat(file.fileno())
                lines = file.read().splitlines()
            identity = (status.st_ino, status.st_mtime_ns)
        except FileNotFoundError:
            identity, lines = None, []
        if identity != self._identity:
            self._identity = identity
            self._counts.clear()
        return [line.split() for line in lines if line.strip()]

    def count(self, name):
        """A command of this name has come."""
        self._read()
        self._counts[name] += 1
        self._counts["*"] += 1

    def _lines(self, fault, name, after):
        """The words after FAULT of each line for a command of this name, without "after"."""
        for kind, *words in self._read():
            if kind == fault and words and words[0] in (name, "*") and (words[-1] == "after") == after:
                yield [word for word in words if word != "after"]

    def _meant(self, fault, name, after):
        """The word after INSTRUCTION and N, or None, of each line that means the present command."""
        for instruction, *words in self._lines(fault, name, after):
            if not words or words[0] in ("*", str(self._counts[instruction])):
                yield words[1] if len(words) > 1 else None

    def before(self, name):
        """Waits as told. Returns the status word to answer in place of doing anything, or None. Raises Pulled."""
        return self._apply(name, False)

    def after(self, name):
        """The same once the command had its effect."""
        return self._apply(name, True)

    def _apply(self, name, after):
        self._pause(name, after)
        for _, milliseconds in self._lines("delay", name, after):
            time.sleep(int(milliseconds) / 1000)
        if list(self._meant("remove", name, after)):
            self._vanish()
            raise Pulled
        return next((int(status, 16) for status in self._meant("error", name, after)), None)

    def _pause(self, name, after):
        def is_meant():
            return list(self._meant("pause", name, after))

        if not is_meant():
            return
        with open(self._marker, "w", encoding="ascii") as file:
            file.write(f"{name}\n")
        while is_meant():
            time.sleep(PAUSE_POLL_INTERVAL)
        os.unlink(self._marker)

    def _vanish(self):
        """From now on there is also the fault "vanish"."""
        with contextlib.suppress(FileNotFoundError), open(self._path, encoding="ascii") as file:
            text = file.read()
            with open(f"{self._path}.vanished", "w", encoding="ascii") as new:
                new.write(f"{text.rstrip()}\nvanish\n")
            os.rename(new.name, self._path)

    def garble(self, name, data, status):
        """The answer as the fault "garbage" makes it, as bytes; None if there is no such fault."""
        for kind in self._meant("garbage", name, False):
            return GARBAGE[kind](data, status, random.Random(self._counts["*"]))
        return None


def answer(data, status):
    return data + status.to_bytes(2, "big")


def longer_than_said(data, status, _random):
    """Data objects that claim to be longer than the answer: each length, where the data begins as one, is more."""
    return answer(data[:1] + b"\x82\xff\xff" + data[2:], status)


def truncated(data, status, _random):
    return answer(data[: len(data) // 2], status)


def noise(data, status, chance):
    return answer(chance.randbytes(len(data) or 16), status)


def another_status(_data, _status, chance):
    """Any of the first bytes that status words have."""
    return bytes([chance.randrange(0x62, 0x70), chance.randrange(256)])


def excess(data, status, chance):
    """More than was asked for."""
    return answer(data + chance.randbytes(300), status)


def half_status(_data, status, _random):
    """Too short for any answer."""
    return answer(b"", status)[:1]


GARBAGE = {
    "lengths": longer_than_said,
    "truncated": truncated,
    "noise": noise,
    "status": another_status,
    "excess": excess,
    "half-status": half_status,
}
