# SPDX-License-Identifier: LGPL-2.1-or-later
"""What several of these tests use: a client of the bus, and how to see that no code was sent."""

import collections
import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time

from sandbox import BUILD, FOLDER, POLKITD, PYTHON, read_line, wait_until

CLIENT = f"{FOLDER}/source/tests/integration/bus_client.py"
LOGIND = f"{FOLDER}/source/tests/lib/logind.py"
ADMIN_PROFILES = "/etc/tokend/profiles.d"
# The path that the first eToken's module has in every sandbox.
ETOKEN = f"{FOLDER}/tokens/etoken/libeToken.so"

MANAGER_PATH = "/org/tokend/Tokend1"
MANAGER = "org.tokend.Tokend1.Manager"
TOKEN = "org.tokend.Tokend1.Token"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
ERROR_PREFIX = "org.tokend.Tokend1.Error."

# What a test grants to everything, in seconds: it may run on a slow machine beside others.
TIMEOUT = 30

# PUKs and PINs that no token here has. 0000 and 00000000 are what Token.wrong_pin() and wrong_puk() send.
WRONG_PUKS = ("11111111", "22222222", "33333333")
WRONG_PINS = ("1111", "2222", "3333")

SENDING = ("C_Login", "C_SetPIN", "C_InitPIN")


class BusError(Exception):
    """An error reply; name: without the prefix of tokend's own errors."""

    def __init__(self, name, message):
        self.name = name.removeprefix(ERROR_PREFIX)
        self.message = message.removeprefix(f"GDBus.Error:{name}: ")
        super().__init__(f"{self.name}: {self.message}")


@contextlib.contextmanager
def raises(*names):
    """The block must end with an error reply of one of these names."""
    caught = []
    try:
        yield caught
    except BusError as error:
        assert error.name in names, error
        caught.append(error)
    else:
        raise AssertionError(f"no error, where {' or '.join(names)} was to come")


class Client:
    """A client of tokend's on the bus, as one of the users; with Client(sandbox) as client: …

    Each call is made on the same connection. Signals are kept in the order in which they come.
    An honest program; for what none would do, there is the Client of client.py.
    """

    def __init__(self, sandbox, user="alice"):
        self._process = sandbox.popen(
            user, [PYTHON, CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._unread = b""
        self._count = 0
        self._replies = {}
        self.signals = collections.deque()
        self.bus_name = self.finish(0)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def close(self):
        """Leaves the bus."""
        if self._process.returncode is not None:
            return
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(TIMEOUT)

    # Messages to and from bus_client.py

    def _send(self, **request):
        self._count += 1
        line = json.dumps({"id": self._count, **request}) + "\n"
        self._process.stdin.write(line.encode())
        return self._count

    def _receive(self, deadline):
        """Takes in one more message."""
        while b"\n" not in self._unread:
            remaining = max(0, deadline - time.monotonic())
            if not select.select([self._process.stdout], [], [], remaining)[0]:
                raise TimeoutError("nothing more came from the bus")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise EOFError("the client ended")
            self._unread += data
        line, self._unread = self._unread.split(b"\n", 1)
        message = json.loads(line)
        if "signal" in message:
            self.signals.append(message)
        else:
            self._replies[message["id"]] = message

    def begin(self, method, path=MANAGER_PATH, interface=None, interactive=False, **more):
        """Makes a call; returns its number, for finish()."""
        interface = interface or (MANAGER if path == MANAGER_PATH else TOKEN)
        return self._send(do="call", method=method, path=path, interface=interface, interactive=interactive, **more)

    def _reply(self, number, timeout=TIMEOUT):
        deadline = time.monotonic() + timeout
        while number not in self._replies:
            self._receive(deadline)
        message = self._replies.pop(number)
        if "error" in message:
            raise BusError(message["error"], message["message"])
        return message

    def is_answered(self, number):
        """Whether the reply came before what came last."""
        return number in self._replies

    def finish(self, number, timeout=TIMEOUT):
        """The reply to a call: its one value, or None. Raises BusError."""
        reply = self._reply(number, timeout)["reply"]
        return reply[0] if isinstance(reply, list) and reply else reply or None

    def call(self, *arguments, timeout=TIMEOUT, **more):
        return self.finish(self.begin(*arguments, **more), timeout)

    # The bus API

    def tokens(self):
        """The paths of the tokens' objects."""
        objects = self.call("GetManagedObjects", interface=OBJECT_MANAGER)
        return sorted(path for path, interfaces in objects.items() if TOKEN in interfaces)

    def paths_by_label(self):
        return {self.status(path).get("label", ""): path for path in self.tokens()}

    def wait_labels(self, labels):
        """Waits until these tokens are there and no other; returns their paths by their labels."""
        found = {}

        def are_there():
            found.clear()
            # One that was listed may be gone when it is asked.
            with contextlib.suppress(BusError):
                found.update(self.paths_by_label())
                return found.keys() == set(labels)

        wait_until(are_there, what=f"the tokens {labels}")
        return found

    def subscribe(self):
        self.call("Subscribe")

    def unsubscribe(self):
        self.call("Unsubscribe")

    def modules(self):
        return self.call("GetModules")

    def status(self, path):
        return self.call("GetStatus", path)

    def refresh(self, path):
        return self.call("Refresh", path)

    def types(self, path):
        """The D-Bus types of what GetStatus says."""
        return self._reply(self.begin("GetStatus", path))["types"]

    def begin_operation(self, method, path, code, new_pin, **options):
        """Opens an Unlock or SetPin, hands the codes over, and has them sent; finish() raises what of this failed. code: None for
        one that is fed, which waits for end() before it is sent. Options are written with underscores."""
        options = {key.replace("_", "-"): value for key, value in options.items()}
        return self._send(
            do="operate", method=method, path=path, codes=[code, new_pin], options=options, interactive=False
        )

    def unlock(self, path, puk, new_pin, **options):
        return self.finish(self.begin_operation("Unlock", path, puk, new_pin, **options))

    def set_pin(self, path, pin, new_pin, **options):
        return self.finish(self.begin_operation("SetPin", path, pin, new_pin, **options))

    def feed(self, call, text):
        """Hands over a part of the code of an operation; returns when that is open and has it. Raises the operation's BusError
        if it ends instead."""
        number = self._send(do="feed", call=call, text=text)
        deadline = time.monotonic() + TIMEOUT
        while number not in self._replies:
            if call in self._replies:
                raise AssertionError(f"it ended before the code was handed over: {self.finish(call)}")
            self._receive(deadline)
        self.finish(number)

    def end(self, call, text=""):
        """Hands over the rest of the code of an operation, and has it sent."""
        self.finish(self._send(do="end", call=call, text=text))

    # Signals

    def take_signals(self, name):
        """The signals of this name that have come so far; they are then forgotten, as all others."""
        found = [signal for signal in self.signals if signal["signal"] == name]
        self.signals.clear()
        return found

    def wait_signal(self, name, matches=lambda signal: True, timeout=TIMEOUT):
        """Waits for the next signal of this name; those before it are forgotten."""
        deadline = time.monotonic() + timeout
        while True:
            while self.signals:
                signal = self.signals.popleft()
                if signal["signal"] == name and matches(signal):
                    return signal
            self._receive(deadline)

    def wait_status(self, path, wanted, timeout=TIMEOUT):
        """Waits until StatusChanged is followed by a status that says what is wanted; asks only after the signal."""
        deadline = time.monotonic() + timeout
        while True:
            self.wait_signal("StatusChanged", lambda signal: signal["path"] == path, deadline - time.monotonic())
            status = self.status(path)
            if says(status, wanted):
                return status


def says(status, wanted):
    """Whether the status has these keys with these values; a value of None: it has no such key."""
    return all(status.get(key) == value for key, value in wanted.items())


def tries(role, state, remaining=None, source=None, maximum=3):
    """What a status says of the tries of "pin" or "puk", for says()."""
    return {
        f"{role}-state": state,
        f"{role}-retries-remaining": remaining,
        f"{role}-retries-maximum": maximum,
        f"{role}-retries-source": source,
    }


def told_by_card(role, remaining):
    """The same, of a card that tells its tries, but not how many there are at most."""
    return tries(role, {0: "locked", 1: "final-try"}.get(remaining, "ok"), remaining, "token", None)


def record(role, wrong=None, maybe_lost=None, last_seen=None):
    """What a status says of the codes that tokend has sent, for says()."""
    return {
        f"{role}-wrong-sent": wrong,
        f"{role}-maybe-lost": maybe_lost,
        f"{role}-last-seen": last_seen,
    }


def check(status, *wanted):
    """The status must say each of these."""
    for part in wanted:
        assert says(status, part), f"{part} is not in {status}"


def sent(token):
    """eToken: the calls that carry a code, as far as tokend's module hosts made them; a card: the commands that do."""
    if token.is_card:
        return [name for name, _ in token.codes_sent()]
    return [name for name in token.calls("tokend-module") if name in SENDING]


@contextlib.contextmanager
def nothing_sent(token):
    """In the block no code goes to the token, by its own record, and no try is spent, by its own counter."""
    before = sent(token) if token.records else None
    counters = token.counters()
    yield
    assert token.counters() == counters
    if before is not None:
        assert sent(token) == before


def relays_have_ended(sandbox):
    """Whether only the watching hosts have one: an operation's closes its descriptors a moment after the host's end. The
    service's own end of it is closed once a call that is made after this has been answered."""
    tasks = f"/proc/{sandbox.tokend()}/task"
    names = []
    for task in os.listdir(tasks):
        with contextlib.suppress(FileNotFoundError), open(f"{tasks}/{task}/comm", encoding="utf-8") as file:
            names.append(file.read())
    return names.count("host-relay\n") == len(sandbox.hosts("watch"))


def bind(sandbox, source, target):
    """In the sandbox alone, a file or folder stands in the place of another."""
    done = sandbox.run("root", ["mount", "--bind", source, target])
    assert done.returncode == 0, done.stderr


def restart_with_profile(sandbox, name, text):
    """Starts tokend again with an administrator's file that overrides the profile."""
    sandbox.write_file(f"{ADMIN_PROFILES}/{name}.conf", text)
    sandbox.restart_tokend()


def trust_puk_flags(sandbox):
    """As an administrator may who knows that the flags of their eToken tell of its PUK as well; of eTokens as such it is not
    known."""
    restart_with_profile(sandbox, "etoken", "[PUK]\nFlags=exact\n")


def make_counting(make_sandbox, kind):
    """A sandbox with such a token, whose number or flags tell of all its tries."""
    sandbox = make_sandbox([kind])
    if kind == "etoken:vendor-objects=false":
        trust_puk_flags(sandbox)
    return sandbox


def only_token(sandbox):
    return next(iter(sandbox.tokens.values()))


def only_path(client):
    """Subscribes; returns the path of the only token's object."""
    client.subscribe()
    (path,) = client.tokens()
    return path


@contextlib.contextmanager
def injected(sandbox, syscall, what, path=None, output="/dev/null"):
    """In the block, a system call of tokend's is as strace's inject=SYSCALL: says; path: only about that; output: what strace
    tells of it."""
    command = ["strace", "-f", "-o", output, "-p", str(sandbox.tokend())]
    command += ["-e", f"trace={syscall}", "-e", f"inject={syscall}:{what}", *(["-P", path] if path else [])]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while "attached" not in read_line(process.stderr, what="strace"):
            assert process.poll() is None
        yield
    finally:
        # Asked to end, it would wait for a process that was killed while it was held.
        process.kill()
        process.wait(TIMEOUT)
        process.stderr.close()


# What listens for tokend, and starts the operating hosts
OPERATE = "/run/tokend/operate.sock"


@contextlib.contextmanager
def held_hosts(sandbox):
    """No operating host starts until the function is called that this gives: who listens for tokend is stopped."""
    (listener,) = [outside for outside, _, arguments in sandbox.processes().values() if OPERATE in arguments]
    os.kill(listener, signal.SIGSTOP)
    try:
        yield lambda: os.kill(listener, signal.SIGCONT)
    finally:
        os.kill(listener, signal.SIGCONT)


@contextlib.contextmanager
def held_at_the_record(sandbox):
    """In the block tokend stands still where it writes the next try to the disk: its token has been prepared, and its code is
    not sent. Gives a function that waits for that."""
    tokend = sandbox.tokend()
    with tempfile.NamedTemporaryFile(mode="r", encoding="utf-8") as trace:

        def is_stopped():
            trace.seek(0)
            return "stopped by SIGSTOP" in trace.read()

        try:
            with injected(sandbox, "fsync,fdatasync", "signal=SIGSTOP", output=trace.name):
                yield lambda: wait_until(is_stopped, what="the record of the try")
        finally:
            os.kill(tokend, signal.SIGCONT)


class Logind:
    """A stand-in for logind, with one session, to which all processes belong; at first it is inactive."""

    def __init__(self, sandbox, user):
        argv = [PYTHON, LOGIND, str(sandbox.user_id(user))]
        self.program = sandbox.popen("root", argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert read_line(self.program.stdout) == "ready\n"

    def _tell(self, line):
        self.program.stdin.write(line)
        assert read_line(self.program.stdout) == "done\n"

    def set_active(self, active):
        self._tell(b"active\n" if active else b"inactive\n")

    def fall_silent(self):
        """Calls have no answer, until the session is set active or not."""
        self._tell(b"silent\n")


@contextlib.contextmanager
def logind(sandbox, user="alice"):
    """Gives a Logind whose session is the user's."""
    login = Logind(sandbox, user)
    try:
        yield login
    finally:
        login.program.stdin.close()
        login.program.stdout.close()
        login.program.wait(TIMEOUT)


@contextlib.contextmanager
def polkit(sandbox):
    """A polkitd for the block, where the sandbox's own was stopped."""
    argv = ["env", f"LD_PRELOAD={BUILD}/tests/lib/polkitd/libpolkitd-wake.so", POLKITD, "--no-debug"]
    daemon = sandbox.popen("root", argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        name = "org.freedesktop.PolicyKit1"
        waited = sandbox.run("root", ["gdbus", "wait", "--system", "--timeout", str(TIMEOUT), name])
        assert waited.returncode == 0, waited.stderr
        yield
    finally:
        daemon.kill()
        daemon.wait(TIMEOUT)
