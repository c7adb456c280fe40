# SPDX-License-Identifier: LGPL-2.1-or-later
"""A client of the bus that runs in the sandbox as one of its users and does what a test tells it.

Outside, Client holds such a process and talks to it by JSON, a line a message. Inside, this file is the process. Unlike
tokenctl it can send what no honest program would, have several calls under way on one connection, and be a polkit
agent that answers when the test says so.
"""

import collections
import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

SCRIPT = "/run/sandbox/source/tests/integration/client.py"
PYTHON = "/usr/bin/python3"

BUS_NAME = "org.tokend.Tokend1"
ROOT_PATH = "/org/tokend/Tokend1"
ERROR_PREFIX = "org.tokend.Tokend1.Error."
MANAGER = f"{BUS_NAME}.Manager"
TOKEN = f"{BUS_NAME}.Token"
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

TIMEOUT = 30

# error: the name, without the prefix of ours; None for a call that succeeded. value: a status, mostly.
Reply = collections.namedtuple("Reply", "error message value")
# A descriptor that the process inside holds
Descriptor = collections.namedtuple("Descriptor", "name")


class Client:
    """A process inside, with a connection to the bus of its own."""

    def __init__(self, sandbox, user):
        self.user = user
        self.events = []
        self._replies = {}
        self._last = 0
        self._buffer = b""
        self.program = sandbox.popen(
            user, [PYTHON, "-B", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        # number: of its process, inside; bus_name: its unique one
        self.number, self.bus_name = self.ask("hello")

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.kill()

    def kill(self):
        """The process, and with it the connection, is gone when this returns."""
        if self.program.poll() is None:
            self.program.kill()
        self.program.wait(TIMEOUT)
        self.program.stdin.close()
        self.program.stdout.close()

    # Requests and replies

    def _read(self, deadline):
        if not select.select([self.program.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"the client of {self.user} heard nothing")
        data = os.read(self.program.stdout.fileno(), 65536)
        if not data:
            raise EOFError(f"the client of {self.user} ended")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for message in map(json.loads, lines):
            if "event" in message:
                self.events.append(message)
            else:
                self._replies[message["id"]] = message["reply"]

    def begin(self, request, **arguments):
        """Sends a request; returns its number, for wait()."""
        self._last += 1
        line = json.dumps({"id": self._last, "request": request, **arguments})
        self.program.stdin.write(line.encode() + b"\n")
        return self._last

    def is_answered(self, number):
        """Whether the reply is there already."""
        with contextlib.suppress(TimeoutError):
            while number not in self._replies:
                self._read(0)
        return number in self._replies

    def wait(self, number, timeout=TIMEOUT):
        """Waits for the reply to what was begun."""
        deadline = time.monotonic() + timeout
        while number not in self._replies:
            self._read(deadline)
        reply = self._replies.pop(number)
        return Reply(*reply) if isinstance(reply, list) and len(reply) == 3 else reply

    def ask(self, request, timeout=TIMEOUT, **arguments):
        return self.wait(self.begin(request, **arguments), timeout)

    def expect_event(self, event, timeout=TIMEOUT, **what):
        """Waits for an event with these words in it, and takes it out of the list."""
        wanted = {"event": event, **what}.items()
        deadline = time.monotonic() + timeout
        while True:
            for number, candidate in enumerate(self.events):
                if wanted <= {key: value for key, value in candidate.items() if key in dict(wanted)}.items():
                    return self.events.pop(number)
            self._read(deadline)

    def settle(self):
        """All that the bus sent to this client before now is in events afterwards."""
        self.ask("settle")

    # Calls

    def token(self):
        """The path of the only token."""
        (path,) = self.paths()
        return path

    def paths(self):
        """The paths of all tokens."""
        objects = self.call_at(ROOT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects").value
        return sorted(objects)

    def find(self, label):
        """The path of the token with this label."""
        (path,) = [path for path in self.paths() if self.call("Refresh", path=path).value["label"] == label]
        return path

    def begin_call_at(self, path, interface, method, signature=None, arguments=(), descriptors=None, **more):
        """more: interactive (bool), destination."""
        names = None if descriptors is None else [descriptor.name for descriptor in descriptors]
        call = {"path": path, "interface": interface, "method": method, "signature": signature}
        return self.begin("call", **call, arguments=list(arguments), descriptors=names, **more)

    def call_at(self, *arguments, timeout=TIMEOUT, **more):
        return self.wait(self.begin_call_at(*arguments, **more), timeout)

    def begin_call(self, method, *codes, path=None, options=None, interactive=False):
        """Calls a method of the token at path. codes: each a str or bytes, which come by a pipe, or a Descriptor.
        options: a dict; True and False are sent as b, numbers as u, pairs (type, value) as they say."""
        path = path or self.token()
        if not codes:
            return self.begin_call_at(path, TOKEN, method, interactive=interactive)
        descriptors = [code if isinstance(code, Descriptor) else self.pipe(code) for code in codes]
        handles = list(range(len(codes)))
        return self.begin_with_handles(method, handles, descriptors, path, options, interactive)

    def begin_with_handles(self, method, handles, descriptors, path=None, options=None, interactive=False):
        """As begin_call, but with any numbers for handles, and descriptors (None: no list of them) that do not fit."""
        typed = {}
        for key, value in (options or {}).items():
            typed[key] = value if isinstance(value, tuple) else ("b" if isinstance(value, bool) else "u", value)
        arguments = [*handles, typed]
        return self.begin_call_at(
            path or self.token(),
            TOKEN,
            method,
            "(hha{sv})",
            arguments,
            descriptors=descriptors,
            interactive=interactive,
        )

    def call(self, *arguments, timeout=TIMEOUT, **more):
        return self.wait(self.begin_call(*arguments, **more), timeout)

    def call_manager(self, method, **more):
        return self.call_at(ROOT_PATH, MANAGER, method, **more)

    def subscribe(self):
        """From now on signals of the service are events."""
        self.listen()
        assert self.call_manager("Subscribe").error is None

    def listen(self):
        self.ask("listen")

    # Descriptors

    def _open(self, kind, data=b"", **more):
        data = data.encode() if isinstance(data, str) else data
        return Descriptor(self.ask("open", kind=kind, data=data.hex(), **more))

    def pipe(self, data=b"", hold=False):
        """hold: the writing end stays open."""
        return self._open("pipe", data, hold=hold)

    def socket(self, data=b"", hold=False):
        return self._open("socket", data, hold=hold)

    def endless(self, kind):
        """A "pipe" or "socket" that never runs dry."""
        return self._open("endless", of=kind)

    def writing_end(self):
        """Of a pipe."""
        return self._open("writing_end")

    def lonely_socket(self):
        """One that is not connected."""
        return self._open("lonely_socket")

    def file(self, data):
        return self._open("file", data)

    def memfd(self, data, offset=0, sealed=False):
        return self._open("memfd", data, offset=offset, sealed=sealed)

    def open_path(self, path, flags):
        return self._open("path", path=path, flags=flags)

    def rewrite(self, descriptor, data):
        """Gives the file other content."""
        self.ask("rewrite", name=descriptor.name, data=data.encode().hex())

    def describe(self, descriptor):
        """Its status flags and offset (None for a stream)."""
        return tuple(self.ask("describe", name=descriptor.name))

    def close_all(self):
        """Closes all descriptors."""
        self.ask("close-all")

    # polkit

    def become_agent(self, number):
        """Registers a polkit agent for the process with this number inside. What it is asked are events "prompt", with
        action, text, details and cookie, and "withdrawn", with cookie; a prompt stays open until grant() or refuse().
        """
        reply = self.ask("become-agent", number=number)
        assert reply.error is None, reply

    def refuse(self, cookie):
        """The person closes the prompt."""
        self.ask("close-prompt", cookie=cookie)

    def grant(self, sandbox, cookie):
        """The person's password was right: what polkit's helper, which is root, then says."""
        identity = {"uid": ("u", sandbox.user_id(self.user))}
        with Client(sandbox, "root") as helper:
            reply = helper.ask("respond", number=sandbox.user_id(self.user), cookie=cookie, identity=identity)
        assert reply.error is None, reply
        self.ask("close-prompt", cookie=cookie)


# Inside


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
    """The process inside."""
    from gi.repository import Gio, GLib  # pylint: disable=import-outside-toplevel

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
        prompt.return_dbus_error("org.freedesktop.PolicyKit1.Error.Cancelled", "withdrawn")

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

    def close_prompt(cookie):
        prompts.pop(cookie).return_value(None)

    at_once = {
        "hello": lambda: [os.getpid(), bus.get_unique_name()],
        "open": descriptors.open,
        "rewrite": descriptors.rewrite,
        "describe": descriptors.describe,
        "close-all": descriptors.close_all,
        "listen": lambda: bus.signal_subscribe(BUS_NAME, None, None, None, None, 0, on_signal) and None,
        "close-prompt": close_prompt,
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


if __name__ == "__main__":
    serve()
