#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stands in for logind on a sandbox's system bus: one session, which is active or not, and to which all processes belong.

The argument is the number of the user whose session it is. Each line of standard input, "active", "inactive" or "silent"
(calls have no answer until the next line), is answered by a line once it is so.
"""

import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

SESSION = "/org/freedesktop/login1/session/_31"
XML = """\
<node>
  <interface name="org.freedesktop.login1.Manager">
    <method name="GetSession"><arg type="s" direction="in"/><arg type="o" direction="out"/></method>
    <method name="GetSessionByPID"><arg type="u" direction="in"/><arg type="o" direction="out"/></method>
  </interface>
  <interface name="org.freedesktop.login1.Session">
    <property name="Active" type="b" access="read"/>
    <property name="Id" type="s" access="read"/>
    <property name="User" type="(uo)" access="read"/>
  </interface>
</node>
"""


class Logind:
    def __init__(self):
        self.active = False
        self.is_silent = False
        self.bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
        manager, session = Gio.DBusNodeInfo.new_for_xml(XML).interfaces
        self.bus.register_object("/org/freedesktop/login1", manager, self.on_call, None, None)
        self.bus.register_object(SESSION, session, None, self.on_get, None)
        Gio.bus_own_name_on_connection(self.bus, "org.freedesktop.login1", Gio.BusNameOwnerFlags.NONE, self.on_owned)
        self.loop = GLib.MainLoop()

    def on_owned(self, _bus, _name):
        channel = GLib.IOChannel.unix_new(sys.stdin.fileno())
        GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, self.on_line)
        print("ready", flush=True)

    def on_call(self, _bus, _sender, _path, _interface, _method, _arguments, invocation):
        if not self.is_silent:
            invocation.return_value(GLib.Variant("(o)", [SESSION]))

    def on_get(self, _bus, _sender, _path, _interface, name):
        if name == "Id":
            return GLib.Variant("s", "1")
        if name == "User":
            user = int(sys.argv[1])
            return GLib.Variant("(uo)", (user, f"/org/freedesktop/login1/user/_{user}"))
        return GLib.Variant("b", self.active)

    def on_line(self, _channel, _condition):
        line = sys.stdin.readline()
        if not line:
            self.loop.quit()
            return False
        self.is_silent = line == "silent\n"
        self.active = line == "active\n"
        changed = GLib.Variant(
            "(sa{sv}as)", ["org.freedesktop.login1.Session", {"Active": GLib.Variant("b", self.active)}, []]
        )
        self.bus.emit_signal(None, SESSION, "org.freedesktop.DBus.Properties", "PropertiesChanged", changed)
        self.bus.flush_sync()
        print("done", flush=True)
        return True


Logind().loop.run()
