#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of tokend's on the system bus, which a test drives: see Client in support.py.

It reads a JSON object a line and writes a JSON object a line: replies bear the request's id, and signals of tokend's
come as they arrive. Codes arrive on standard input and go on in the service's pipes, so that none is ever on a command line.
"""

import json
import sys
import traceback

from gi.repository import Gio, GLib
from operation_inside import Operation

NAME = "org.tokend.Tokend1"
NO_TIMEOUT = 2**31 - 1


def tell(message):
    print(json.dumps(message), flush=True)


def tell_error(number, error):
    name = Gio.DBusError.get_remote_error(error) or error.domain
    tell({"id": number, "error": name, "message": error.message})


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
        self.operations = {}  # by the number of the call that began them
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

    def call(self, request):
        arguments = None
        if "arguments" in request:
            arguments = GLib.Variant(request["type"], tuple(request["arguments"]))
        flags = Gio.DBusCallFlags.NO_AUTO_START
        if request["interactive"]:
            flags |= Gio.DBusCallFlags.ALLOW_INTERACTIVE_AUTHORIZATION
        self.bus.call(
            NAME,
            request["path"],
            request["interface"],
            request["method"],
            arguments,
            None,
            flags,
            NO_TIMEOUT,
            None,
            self.on_reply,
            request["id"],
        )

    def on_reply(self, bus, result, number):
        try:
            reply = bus.call_finish(result)
        except GLib.Error as error:
            tell_error(number, error)
        else:
            tell({"id": number, "reply": reply.unpack(), "types": types_of_dictionary(reply)})

    def operate(self, request):
        """Unlock or SetPin, to its end: the reply is Finish's, or the error of whatever failed."""
        number = request["id"]
        codes = [code if code is None else code.encode() for code in request["codes"]]
        options = {key: variant_of_option(value) for key, value in request["options"].items()}

        def on_ended(reply):
            if isinstance(reply, GLib.Error):
                tell_error(number, reply)
            elif reply.get_error_name():
                tell({"id": number, "error": reply.get_error_name(), "message": reply.get_body().unpack()[0]})
            else:
                body = reply.get_body()
                tell({"id": number, "reply": body.unpack(), "types": types_of_dictionary(body)})

        self.operations[number] = Operation(
            request["method"], request["path"], codes, options, on_ended, request["interactive"]
        )

    def feed(self, request):
        """Writes some of the code to the pipe of an operation, once that is open."""
        operation = self.operations[request["call"]]

        def write():
            operation.write(request["text"].encode())
            tell({"id": request["id"], "reply": None})

        operation.when_open(write)

    def end(self, request):
        """Writes the rest of the code, ends the pipes, and has the codes sent."""
        self.operations.pop(request["call"]).end(request["text"].encode())
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
