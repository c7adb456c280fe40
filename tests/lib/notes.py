# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a notification server is told, and answers, as a monitor of the session bus sees it."""

import json
import threading
import traceback

from sandbox import TIMEOUT, wait_until

INTERFACE = "org.freedesktop.Notifications"
LEVELS = {0: "low", 1: "normal", 2: "critical"}


class Note:
    """A Notify call as the server got it, and the id that it answered."""

    def __init__(self, arguments):
        _, self.replaces, self.icon, self.title, self.body, actions, hints, self.timeout = arguments
        self.actions = dict(zip(actions[::2], actions[1::2]))
        self.urgency = LEVELS[hints["urgency"]["data"]]
        self.text = f"{self.title}\n{self.body}"
        self.id = None

    def __repr__(self):
        return f"<{self.id} {self.urgency} {self.text!r} {list(self.actions)}>"


class Record:
    """What "busctl --json=short monitor" prints, from its start on: see wait_ready()."""

    def __init__(self, monitor):
        self.notes = []  # that the server took
        self.closed = []  # ids, in the order in which they were closed
        self._monitor = monitor
        self._calls = {}  # without an answer so far: sender and cookie to Note, or to the member's name
        self._marks = set()
        self._failure = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            for line in self._monitor.stdout:
                self._take(json.loads(line))
            self._failure = "the monitor of the session bus has ended"
        except Exception:  # pylint: disable=broad-except
            self._failure = traceback.format_exc()

    def _take(self, message):
        if message.get("interface") == INTERFACE:
            self._take_member(message)
        elif message.get("member") == "Mark":
            self._marks.add(message["payload"]["data"][0])
        elif message["type"] in ("method_return", "error"):
            note = self._calls.pop((message.get("destination"), message.get("reply_cookie")), None)
            if isinstance(note, Note) and message["type"] == "method_return":
                note.id = message["payload"]["data"][0]
                self.notes.append(note)

    def _take_member(self, message):
        if message["type"] == "method_call":
            is_note = message["member"] == "Notify"
            call = Note(message["payload"]["data"]) if is_note else message["member"]
            self._calls[message["sender"], message["cookie"]] = call
        elif message["member"] == "NotificationClosed":
            self.closed.append(message["payload"]["data"][0])

    def has_mark(self, mark):
        """Whether a signal org.tokend.Test.Mark with this text was seen: then all is seen that came after it."""
        return mark in self._marks

    def _holds(self, condition):
        """What condition returns; raises if it might miss something."""
        result = condition()
        if not result and self._failure:
            raise RuntimeError(f"the notifications are not recorded any more: {self._failure}")
        return result

    def wait(self, condition, what, timeout=TIMEOUT):
        """Waits until condition returns something true; if it does not, the error says what there was."""
        try:
            wait_until(lambda: self._holds(condition), timeout, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.describe()}") from None

    def describe(self):
        """What came, and what the server has not answered."""
        return f"recorded: {self.notes}, closed {self.closed}, unanswered {list(self._calls.values())}"
