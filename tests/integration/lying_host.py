#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An operating host that lies, on standard input, which is tokend's connection: see test_impostors.py.

It says that it has prepared the token that was asked for, but for what the file of lies says is otherwise, and that a
code which it is told to send is wrong. It sends none. What it was called is in a file, a name a line.
"""

import json
import sys

from gi.repository import Gio, GLib

OBJECT_PATH = "/org/tokend/Module1"
IDENTITY = ("manufacturer", "model", "serial", "label")
DIGEST_LENGTH = 32
PIN_IS_SET = 1 << 4
TRIES = 3


class Host:
    """interfaces: the file that describes them; lies: the file with these, a JSON object; calls: the file for these."""

    def __init__(self, interfaces, lies, calls):
        with open(lies, encoding="utf-8") as file:
            self._lies = json.load(file)
        self._calls = calls
        self._reading = None
        stream = Gio.Socket.new_from_fd(0).connection_factory_create_connection()
        flags = Gio.DBusConnectionFlags.AUTHENTICATION_SERVER | Gio.DBusConnectionFlags.DELAY_MESSAGE_PROCESSING
        self._connection = Gio.DBusConnection.new_sync(stream, Gio.dbus_generate_guid(), flags, None, None)
        with open(interfaces, encoding="utf-8") as file:
            node = Gio.DBusNodeInfo.new_for_xml(file.read())
        for interface in node.interfaces:
            self._connection.register_object(OBJECT_PATH, interface, self._on_call, None, None)

    def _on_call(self, _connection, _sender, _path, _interface, method, arguments, invocation):
        with open(self._calls, "a", encoding="ascii") as file:
            file.write(f"{method}\n")
        answer = {"Load": self._load, "Read": self._read, "Prepare": self._prepare, "Commit": self._commit}[method]
        invocation.return_value(answer(arguments))

    def _load(self, _arguments):
        return GLib.Variant("(a{sv})", ({},))

    def _read(self, _arguments):
        return GLib.Variant("(aa{sv}sas)", ([self._reading], "none", []))

    def _prepare(self, arguments):
        request = arguments.get_child_value(0)
        self._reading = {key: request.lookup_value(key, GLib.VariantType("ay")) for key in IDENTITY}
        for key in self._lies.keys() & self._reading.keys():
            self._reading[key] = GLib.Variant("ay", self._lies[key].encode())
        for role in ("pin", "puk"):
            self._reading |= {f"{role}-retries-{what}": GLib.Variant("u", TRIES) for what in ("remaining", "maximum")}
        self._reading["flags"] = GLib.Variant("u", PIN_IS_SET)
        return GLib.Variant("(a{sv}ay)", (self._reading, bytes(self._lies.get("digest", DIGEST_LENGTH))))

    def _commit(self, _arguments):
        outcome = {"result": GLib.Variant("s", "code-incorrect"), "sent": GLib.Variant("b", True)}
        return GLib.Variant("(a{sv})", (outcome,))


    def run(self):
        """Until tokend has closed the connection."""
        loop = GLib.MainLoop()
        self._connection.connect("closed", lambda *_arguments: loop.quit())
        self._connection.start_message_processing()
        loop.run()


Host(*sys.argv[1:]).run()
