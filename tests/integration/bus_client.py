#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of tokend's on the system bus, which a test drives: see Client in support.py.

It reads a JSON object a line and writes a JSON object a line: replies bear the request's id, and signals of tokend's
come as they arrive. Codes arrive on standard input and go on in pipes, so that none is ever on a command line.
"""

import array
import fcntl
import json
import os
import sys
import termios
import traceback

from gi.repository import Gio, GLib

NAME = "org.tokend.Tokend1"
NO_TIMEOUT = 2**31 - 1
POLL_MILLISECONDS = 5


def tell(message):
    print(json.dumps(message), flush=True)


def variant_of_option(value):
    kinds = {bool: "b", int: "u", str: "s"}
    return GLib.Variant(kinds[type(value)], value)


def types_of_dictionary(reply):
    """The D-Bus types of a status's values."""
    if reply.get_type_string() != "(a{sv})":
        return None
    dictionary = reply.get_child_value(0)
    entries = [dictionary.get_child_value(i) for i in range(dictionary.n_children())]
    return {e.get_child_value(0).get_string(): e.get_child_value(1).get_variant().get_type_string() for e in entries}


class Client:
    """One connection to the bus."""

    def __init__(self):
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
        self.open_pipes = {}  # the number of a call to (reading end, writing end)
        # This is a match rule too: whatever tokend sends to everybody comes here.
        self.bus.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NONE, self.on_signal)

    def on_signal(self, _bus, _sender, path, interface, signal, arguments):
        tell(
            {
                "signal": signal,
                "interface": interface,
                "path": path,
                "type": arguments.get_type_string(),
                "arguments": arguments.unpack(),
            }
        )

    def make_descriptor(self, number, code):
        """A pipe that holds the code; None: one that is fed later."""
        reading, writing = os.pipe()
        if code is None:
            self.open_pipes[number] = (os.dup(reading), writing)
        else:
            os.write(writing, code.encode())
            os.close(writing)
        return reading

    def make_arguments(self, request):
        if "codes" in request:
            # The list takes the descriptors over: no copy of them stays here.
            descriptors = [self.make_descriptor(request["id"], code) for code in request["codes"]]
            options = {key: variant_of_option(value) for key, value in request["options"].items()}
            return GLib.Variant("(hha{sv})", (0, 1, options)), Gio.UnixFDList.new_from_array(descriptors)
        if "arguments" in request:
            return GLib.Variant(request["type"], tuple(request["arguments"])), None
        return None, None

    def call(self, request):
        arguments, descriptors = self.make_arguments(request)
        flags = Gio.DBusCallFlags.NO_AUTO_START
        if request["interactive"]:
            flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
        self.bus.call_with_unix_fd_list(
            NAME,
            request["path"],
            request["interface"],
            request["method"],
            arguments,
            None,
            flags,
            NO_TIMEOUT,
            descriptors,
            None,
            self.on_reply,
            request["id"],
        )

    def on_reply(self, bus, result, number):
        try:
            reply, _ = bus.call_with_unix_fd_list_finish(result)
        except GLib.Error as error:
            name = Gio.DBusError.get_remote_error(error) or error.domain
            tell({"id": number, "error": name, "message": error.message})
        else:
            tell({"id": number, "reply": reply.unpack(), "types": types_of_dictionary(reply)})

    def feed(self, request):
        """Writes some of the code to the pipe of a call; replies when somebody has read it."""
        reading, writing = self.open_pipes[request["call"]]
        os.write(writing, request["text"].encode())

        def look():
            waiting = array.array("i", [0])
            fcntl.ioctl(reading, termios.FIONREAD, waiting)
            if waiting[0] == 0:
                tell({"id": request["id"], "reply": None})
            return waiting[0] > 0

        GLib.timeout_add(POLL_MILLISECONDS, look)

    def end(self, request):
        """Writes the rest of the code, and ends the pipe."""
        reading, writing = self.open_pipes.pop(request["call"])
        os.write(writing, request["text"].encode())
        os.close(writing)
        os.close(reading)
        tell({"id": request["id"], "reply": None})

    def on_input(self, channel, _condition, loop):
        line = channel.readline()
        if not line:
            loop.quit()
            return False
        request = json.loads(line)
        try:
            getattr(self, request["do"])(request)
        except Exception:  # pylint: disable=broad-exception-caught
            # GLib would pass it over, and the test would wait in vain.
            traceback.print_exc()
            loop.quit()
        return True


def main():
    loop = GLib.MainLoop()
    client = Client()
    tell({"id": 0, "reply": client.bus.get_unique_name()})
    channel = GLib.IOChannel.unix_new(sys.stdin.fileno())
    GLib.io_add_watch(
        channel, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, client.on_input, loop
    )
    loop.run()


main()
