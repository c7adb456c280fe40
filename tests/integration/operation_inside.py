# SPDX-License-Identifier: LGPL-2.1-or-later
"""One Unlock or SetPin of tokend's, from its opening to its end, for the processes inside that tests drive.

The service hands out pipes when it opens an operation; the codes are written to them, they are closed, and Finish says that
the codes are whole.
"""

import contextlib
import os

from gi.repository import Gio, GLib

NAME = "org.tokend.Tokend1"
TOKEN = "org.tokend.Tokend1.Token"
OPERATION = "org.tokend.Tokend1.Operation"
NO_TIMEOUT = 2**31 - 1
# Words that Finish takes, and the opening does not
WORDS = {"final-attempt", "send-refused-code", "send-unusual-code"}


def connect():
    """A connection of its own: an operation that ended counts for its user until its connection is gone."""
    address = Gio.dbus_address_get_for_bus_sync(Gio.BusType.SYSTEM)
    flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION
    return Gio.DBusConnection.new_for_address_sync(address, flags, None, None)


def write_code(end, code):
    """What a pipe does not take, its reader has had enough of, or has gone."""
    with contextlib.suppress(BlockingIOError, BrokenPipeError):
        os.write(end, code)


class Operation:
    """method: "Unlock" or "SetPin"; path: of the token; codes: the PUK or PIN, and the new PIN, as bytes; None: one that is fed
    (see write() and end()). options: name to GLib.Variant. ended(message): called once, with the reply to Finish, or with the
    error, as a Gio.DBusMessage or a GLib.Error.
    """

    def __init__(self, method, path, codes, options, ended, interactive=False):
        self._codes, self._options, self._ended = codes, options, ended
        self._pipes = None
        self._path = None
        self._waiting = []
        self._bus = connect()
        opening = {key: value for key, value in options.items() if key not in WORDS}
        self._call(path, TOKEN, method, opening, interactive, self._on_opened)

    def _call(self, path, interface, method, options, interactive, on_reply):
        message = Gio.DBusMessage.new_method_call(NAME, path, interface, method)
        message.set_body(GLib.Variant("(a{sv})", (options,)))
        message.set_flags(
            Gio.DBusMessageFlags.NO_AUTO_START
            | (Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION if interactive else Gio.DBusMessageFlags.NONE)
        )
        self._bus.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, NO_TIMEOUT, None, on_reply)

    def _take(self, bus, result):
        """The reply; None: it was an error, and this is the end."""
        try:
            reply = bus.send_message_with_reply_finish(result)
        except GLib.Error as error:
            self._end(error)
            return None
        if reply.get_message_type() == Gio.DBusMessageType.ERROR:
            self._end(reply)
            return None
        return reply

    def _end(self, message):
        self._close_pipes()
        self._bus.close_sync(None)
        self._waiting.clear()
        self._ended(message)

    def _on_opened(self, bus, result):
        reply = self._take(bus, result)
        if reply is None:
            return
        self._path = reply.get_body().unpack()[0]
        self._pipes = reply.get_unix_fd_list().steal_fds()
        for end, code in zip(self._pipes, self._codes):
            if code is not None:
                write_code(end, code)
        if None not in self._codes:
            self.end(b"")
        for waiting in self._waiting:
            waiting()

    def _close_pipes(self):
        for end in self._pipes or []:
            os.close(end)
        self._pipes = None

    def when_open(self, then):
        """Calls then once the codes can be written; never, if it is not opened."""
        if self._path is None:
            self._waiting.append(then)
        else:
            then()

    def write(self, text):
        """A part of the code that is fed."""
        for end, code in zip(self._pipes, self._codes):
            if code is None:
                write_code(end, text)

    def end(self, text):
        """The rest of it; then both pipes are closed, and Finish is called."""
        self.write(text)
        self._close_pipes()
        self._call(self._path, OPERATION, "Finish", self._options, False, lambda bus, result: self._finish(bus, result))

    def _finish(self, bus, result):
        reply = self._take(bus, result)
        if reply is not None:
            self._end(reply)
