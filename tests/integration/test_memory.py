# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a large message takes of the service's memory is given back to the system."""

import re

import pytest
from client import MANAGER, ROOT_PATH, Client
from flood import BUS_NAME
from sandbox import wait_until

MEBIBYTE = 1 << 20
# Sends a message whose body is an array of so many bytes of a type that has as many values as can be.
SEND = """
import sys
from gi.repository import Gio, GLib
name, path, interface, member, kind, size = sys.argv[1:]
data = GLib.Bytes.new(bytes(int(size)))
body = GLib.Variant.new_tuple(GLib.Variant.new_from_bytes(GLib.VariantType.new(kind), data, True))
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
try:
    bus.call_sync(name, path, interface, member, body, None, 0, 120000, None)
except GLib.Error as error:
    print(Gio.DBusError.get_remote_error(error))
"""


def memory(process, what):
    """In bytes; what: "RssAnon" for what it has now, "VmHWM" for the most that it ever had."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return int(re.search(rf"^{what}:\s+(\d+) kB$", file.read(), re.MULTILINE)[1]) * 1024


# GLib keeps the buffer that it reads messages into, which is as large as the largest one.
@pytest.mark.without_sanitizer
@pytest.mark.parametrize("kind, size", [("ay", 8 * MEBIBYTE), ("a(yy)", MEBIBYTE)])
@pytest.mark.parametrize("path", [ROOT_PATH, "/nowhere"])
def test_a_large_message_is_given_back(sandbox, kind, size, path):
    """Also where it is to no object, and GDBus answers by itself."""
    message = size if kind == "ay" else 4 * size  # where each pair has 8 bytes
    with Client(sandbox, "alice") as alice:
        alice.subscribe()
        tokend = sandbox.tokend()
        before = memory(tokend, "RssAnon")
        sent = sandbox.python("bob", SEND, BUS_NAME, path, MANAGER, "Subscribe", kind, str(size), timeout=120)
        assert sent.stdout.startswith("org.freedesktop.DBus.Error."), sent
        taken = memory(tokend, "VmHWM") - before
        assert taken > 2 * message, "it was a large one"
        wait_until(
            lambda: memory(tokend, "RssAnon") - before < message + 2 * MEBIBYTE,
            what=f"the end of {taken >> 20} MiB for a message of {message >> 20} MiB",
        )
        print(f"{taken >> 20} MiB, then {(memory(tokend, 'RssAnon') - before) >> 20}")
