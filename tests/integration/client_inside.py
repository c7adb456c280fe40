#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process inside that client.py talks to, by JSON, a line a message."""

import errno
import json
import os
import sys

from gi.repository import Gio, GLib
from operation_inside import Operation

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

    def _open_pipe(self, data):
        reading, writing = os.pipe()
        os.write(writing, data)
        self._kept.append(writing)
        return reading

    @staticmethod
    def _open_path(_data, path, flags):
        return os.open(path, flags)

    def write(self, name, data):
        """The name of the error, if it fails."""
        try:
            os.write(self[name], bytes.fromhex(data))
        except OSError as error:
            return errno.errorcode[error.errno]
        return ""

    def close(self, name):
        os.close(self._open.pop(name))

    def reopen(self, name):
        """By the number of the descriptor, as a program does that is given a path."""
        try:
            os.close(os.open(f"/proc/self/fd/{self[name]}", os.O_WRONLY))
        except OSError as error:
            return errno.errorcode[error.errno]
        return ""


def serve():  # pylint: disable=too-many-locals,too-many-statements
    """Until standard input ends."""
    bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
    descriptors = Descriptors()
    prompts = {}
    operations = {}  # by the number of the request that began them

    def send(message):
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def make_options(options):
        return {key: GLib.Variant(kind, value) for key, (kind, value) in options.items()}

    def make_body(signature, arguments):
        if signature == "(a{sv})":
            return GLib.Variant(signature, (make_options(arguments[0]),))
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
            reply = error
        tell_reply(number, reply)

    def tell_reply(number, reply):
        if isinstance(reply, GLib.Error):
            send({"id": number, "reply": [f"local: {reply.message}", reply.message, None]})
            return
        if reply.get_message_type() == Gio.DBusMessageType.ERROR:
            text = reply.get_body().unpack()[0] if reply.get_body() else ""
            send({"id": number, "reply": [reply.get_error_name().removeprefix(ERROR_PREFIX), text, None]})
            return
        values = reply.get_body().unpack() if reply.get_body() else ()
        if reply.get_unix_fd_list():
            names = [descriptors.add(fd) for fd in reply.get_unix_fd_list().steal_fds()]
            kinds = reply.get_body().get_type_string()[1:-1]
            values = [names[value] if kind == "h" else value for kind, value in zip(kinds, values)]
        send({"id": number, "reply": [None, "", values[0] if len(values) == 1 else list(values)]})

    def call(number, descriptors, **more):  # pylint: disable=redefined-outer-name
        message = make_message(descriptors_=descriptors, **more)
        bus.send_message_with_reply(message, Gio.DBusSendMessageFlags.NONE, NEVER, None, on_reply, number)

    def operate(number, method, path, codes, options, interactive):
        codes = [None if code is None else bytes.fromhex(code) for code in codes]
        operations[number] = Operation(
            method, path, codes, make_options(options), lambda reply: tell_reply(number, reply), interactive
        )

    def feed(number, operation, data):
        def write():
            operations[operation].write(bytes.fromhex(data))
            send({"id": number, "reply": None})

        operations[operation].when_open(write)

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
        "write": descriptors.write,
        "close": descriptors.close,
        "reopen": descriptors.reopen,
        "end": lambda operation, data: operations[operation].end(bytes.fromhex(data)),
        "close-all": descriptors.close_all,
        "listen": lambda: bus.signal_subscribe(BUS_NAME, None, None, None, None, 0, on_signal) and None,
        "fail-prompt": fail_prompt,
        "dismiss-prompt": dismiss_prompt,
    }
    later = {"call": call, "operate": operate, "feed": feed, "settle": settle, "become-agent": become_agent, "respond": respond}

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
