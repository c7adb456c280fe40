#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A notification server that shows nothing, and says so of the first notification: too many have come."""

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.Notifications"
XML = f"""\
<node>
  <interface name="{NAME}">
    <method name="GetCapabilities"><arg type="as" direction="out"/></method>
    <method name="GetServerInformation">
      <arg type="s" direction="out"/>
      <arg type="s" direction="out"/>
      <arg type="s" direction="out"/>
      <arg type="s" direction="out"/>
    </method>
    <method name="Notify">
      <arg type="s" direction="in"/>
      <arg type="u" direction="in"/>
      <arg type="s" direction="in"/>
      <arg type="s" direction="in"/>
      <arg type="s" direction="in"/>
      <arg type="as" direction="in"/>
      <arg type="a{{sv}}" direction="in"/>
      <arg type="i" direction="in"/>
      <arg type="u" direction="out"/>
    </method>
    <method name="CloseNotification"><arg type="u" direction="in"/></method>
    <signal name="NotificationClosed"><arg type="u"/><arg type="u"/></signal>
  </interface>
</node>
"""


def serve():
    bus = Gio.bus_get_sync(Gio.BusType.SESSION)
    last = 0

    def on_call(_bus, _sender, _path, _interface, method, _arguments, invocation):
        nonlocal last
        if method == "GetCapabilities":
            invocation.return_value(GLib.Variant("(as)", [["body"]]))
        elif method == "GetServerInformation":
            invocation.return_value(GLib.Variant("(ssss)", ("reluctant", "tokend", "1", "1.2")))
        elif method == "CloseNotification":
            invocation.return_value(None)
        elif last == 0:
            invocation.return_dbus_error(f"{NAME}.Error.ExcessNotificationGeneration", "Too many similar notifications")
            last = 1
        else:
            invocation.return_value(GLib.Variant("(u)", [last]))
            last += 1

    bus.register_object("/org/freedesktop/Notifications", Gio.DBusNodeInfo.new_for_xml(XML).interfaces[0], on_call)
    Gio.bus_own_name_on_connection(bus, NAME, Gio.BusNameOwnerFlags.NONE)
    GLib.MainLoop().run()


serve()
