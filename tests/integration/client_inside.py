#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process inside that client.py talks to, by JSON, a line a message."""

import contextlib
import fcntl
import json
import os
import socket
import sys
import tempfile
import threading

from gi.repository import Gio, GLib

BUS_NAME = "org.tokend.Tokend1"
ERROR_PREFIX = "org.tokend.Tokend1.Error."
NEVER = 0x7FFFFFFF  # as a timeout of GDBus
# A prompt that is withdrawn takes a moment to close, in milliseconds, and then answers. polkitd 122 hangs for ever if the
# answer comes while it is still withdrawing: its own thread then waits for a lock that it holds itself.
CLOSING = 100

AGENT_PATH = "/org/tokend/Test/Agent"
AGENT_XML = """
<node><interface name="org.freedesktop.PolicyKit1.AuthenticationAgent">
  <method name="BeginAuthentication">
    <arg type="s"/><arg type="s"/><arg type="s"/><arg type="a{ss}"/><arg type="s"/><arg type="a(sa{sv})"/>
  </method>
  <method name="CancelAuthentication"><arg type="s"/></method>
</interface></node>
"""


def fill(write):
    """Writes for ever."""
    with contextlib.suppress(OSError):
        while True:
            write(b"1" * 4096)


class Descriptors:
    """By name."""

    def __init__(self):
        self._open = {}
        self._kept = []  # ends that are neither sent nor closed
        self._last = 0

    def __getitem__(self, name):
        return self._open[name]

    def add(self, fd):
        self._last += 1
        name = str(self._last)
        self._open[name] = fd
        return name

    def open(self, kind, data, **more):
        return self.add(getattr(self, f"_open_{kind}")(bytes.fromhex(data), **more))

    def close_all(self):
        for end in [*self._open.values(), *self._kept]:
            os.close(end)
        self._open.clear()
        self._kept.clear()

    def _fill_end(self, end, data, hold):
        os.write(end, data)
        if hold:
            self._kept.append(end)
        else:
            os.close(end)

    def _open_pipe(self, data, hold):
        reading, writing = os.pipe()
        self._fill_end(writing, data, hold)
        return reading

    def _open_socket(self, data, hold):
        reading, writing = socket.socketpair()
        self._fill_end(writing.detach(), data, hold)
        return reading.detach()

    def _open_endless(self, _data, of):
        reading, writing = os.pipe() if of == "pipe" else (end.detach() for end in socket.socketpair())
        # No SIGPIPE in Python: the thread ends when nobody reads any more.
        threading.Thread(target=fill, args=[lambda block: os.write(writing, block)], daemon=True).start()
        return reading

    def _open_writing_end(self, _data):
        reading, writing = os.pipe()
        self._kept.append(reading)
        return writing

    @staticmethod
    def _open_lonely_socket(_data):
        return socket.socket(socket.AF_UNIX).detach()

    @staticmethod
    def _open_file(data):
        # On a real file system, and read-only, as a careful client does.
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY)

    @staticmethod
    def _open_memfd(data, offset, sealed):
        fd = os.memfd_create("code", os.MFD_ALLOW_SEALING)
        os.write(fd, data)
        os.lseek(fd, offset, os.SEEK_SET)
        if sealed:
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        return fd

    @staticmethod
    def _open_path(_data, path, flags):
        return os.open(path, flags)

    def rewrite(self, name, data):
        end = os.open(f"/proc/self/fd/{self[name]}", os.O_WRONLY | os.O_TRUNC)
        os.write(end, bytes.fromhex(data))
        os.close(end)

    def describe(self, name):
        try:
            offset = os.lseek(self[name], 0, os.SEEK_CUR)
        except OSError:
            offset = None
        return fcntl.fcntl(self[name], fcntl.F_GETFL), offset


def serve():  # pylint: disable=too-many-locals,too-many-statements
    """Until standard input ends."""
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    descriptors = Descriptors()
    prompts = {}

    def send(message):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def make_body(signature, arguments):
        if signature == "(hha{sv})":
            options = {key: GLib.Variant(kind, value) for key, (kind, value) in arguments[2].items()}
            return GLib.Variant(signature, (arguments[0], arguments[1], options))
        return GLib.Variant(signature, tuple(arguments))

    def make_message(path, interface, method, signature, arguments, descriptors_, interactive=False, destination=None):
        message = Gio.DBusMessage.new_method_call(destination or BUS_NAME, path, interface, method)
        if signature:
            message.set_body(make_body(signature, arguments))
        if descriptors_ is not None:
            fds = Gio.UnixFDList.new()
            for name in descriptors_:
                fds.append(descriptors[name])
            message.set_unix_fd_list(fds)
        if interactive:
            message.set_flags(Gio.DBusMessageFlags.ALLOW_INTERACTIVE_AUTHORIZATION)
        return message

    def on_reply(source, result, number):
        try:
            reply = source.send_message_with_reply_finish(result)
        except GLib.Error as error:
            send({"id": number, "reply": [f"local: {error.message}", error.message, None]})
            return
        if reply.get_message_type() == Gio.DBusMessageType.ERROR:
            text = reply.get_body().unpack()[0] if reply.get_body() else ""
            send({"id": number, "reply": [reply.get_error_name().removeprefix(ERROR_PREFIX), text, None]})
            return
        values = reply.get_body().unpack() if reply.get_body() else ()
        send({"id": number, "reply": [None, "", values[0] if len(values) == 1 else list(values)]})

    def call(number, descriptors, **more):  # pylint: disable=redefined-outer-name
        message = make_message(descriptors_=descriptors, **more)
        bus.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, NEVER, None, on_reply, number)

    def on_signal(_bus, sender, path, interface, member, arguments):
        send(
            {
                "event": "signal",
                "path": path,
                "member": member,
                "interface": interface,
                "sender": sender,
                "arguments": arguments.unpack(),
            }
        )

    def on_agent_call(_bus, _sender, _path, _interface, method, arguments, invocation):
        if method == "BeginAuthentication":
            action, text, _icon, details, cookie, _identities = arguments.unpack()
            prompts[cookie] = invocation
            send({"event": "prompt", "action": action, "text": text, "details": details, "cookie": cookie})
        else:
            (cookie,) = arguments.unpack()
            send({"event": "withdrawn", "cookie": cookie})
            invocation.return_value(None)
            # polkit may say it twice.
            if cookie in prompts:
                GLib.timeout_add(CLOSING, close_prompt, prompts.pop(cookie))

    def close_prompt(prompt):
        prompt.return_dbus_error("org.freedesktop.PolicyKit1.Error.Cancelled", "closed")

    def start_time(number):
        with open(f"/proc/{number}/stat", encoding="ascii") as file:
            return int(file.read().rpartition(")")[2].split()[19])

    def call_polkit(number, method, body):
        message = Gio.DBusMessage.new_method_call(
            "org.freedesktop.PolicyKit1",
            "/org/freedesktop/PolicyKit1/Authority",
            "org.freedesktop.PolicyKit1.Authority",
            method,
        )
        message.set_body(body)
        bus.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, NEVER, None, on_reply, number)

    def become_agent(reply_to, number):
        node = Gio.DBusNodeInfo.new_for_xml(AGENT_XML)
        bus.register_object(AGENT_PATH, node.interfaces[0], on_agent_call)
        details = {"pid": GLib.Variant("u", number), "start-time": GLib.Variant("t", start_time(number))}
        body = GLib.Variant("((sa{sv})ss)", (("unix-process", details), "C.UTF-8", AGENT_PATH))
        call_polkit(reply_to, "RegisterAuthenticationAgent", body)

    def respond(reply_to, number, cookie, identity):
        identity = {key: GLib.Variant(*value) for key, value in identity.items()}
        body = GLib.Variant("(us(sa{sv}))", (number, cookie, ("unix-user", identity)))
        call_polkit(reply_to, "AuthenticationAgentResponse2", body)

    def settle(reply_to):
        # An answer of the bus comes after all that it has sent before.
        message = Gio.DBusMessage.new_method_call("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping")
        bus.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, NEVER, None, on_reply, reply_to)

    def fail_prompt(cookie):
        prompts.pop(cookie).return_value(None)

    def dismiss_prompt(cookie):
        close_prompt(prompts.pop(cookie))

    at_once = {
        "hello": lambda: [os.getpid(), bus.get_unique_name()],
        "open": descriptors.open,
        "rewrite": descriptors.rewrite,
        "describe": descriptors.describe,
        "close-all": descriptors.close_all,
        "listen": lambda: bus.signal_subscribe(BUS_NAME, None, None, None, None, 0, on_signal) and None,
        "fail-prompt": fail_prompt,
        "dismiss-prompt": dismiss_prompt,
    }
    later = {"call": call, "settle": settle, "become-agent": become_agent, "respond": respond}

    def on_request(request, id, **arguments):  # pylint: disable=redefined-builtin
        if request in later:
            later[request](id, **arguments)
        else:
            send({"id": id, "reply": at_once[request](**arguments)})

    buffer = bytearray()

    def on_input(_fd, condition):
        if not condition & GLib.IOCondition.IN:
            loop.quit()
            return False
        data = os.read(0, 65536)
        if not data:
            loop.quit()
            return False
        buffer.extend(data)
        while b"\n" in buffer:
            line, _, rest = bytes(buffer).partition(b"\n")
            buffer[:] = rest
            try:
                on_request(**json.loads(line))
            except BaseException:
                loop.quit()  # the test notices; by itself GLib would go on
                raise
        return True

    loop = GLib.MainLoop()
    GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, 0, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_input)
    loop.run()


serve()
