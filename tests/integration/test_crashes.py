# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each of those who take part dies at each step of an operation, and the disk fails at each step of a record.

Whoever dies: a code goes at most once, and only if its try was recorded; what has begun to be sent completes; no more
tries are promised afterwards than the token has; the right code does it; and nothing stays behind. test_recovery.py has
more of what ends in the middle.
"""

import configparser
import contextlib
import hashlib
import os
import signal
import subprocess

import pytest
from client import Client
from fault_matrix import Contract
from sandbox import BUILD, POLKITD, TIMEOUT, wait_until
from support import injected, sent, trust_puk_flags

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
CODES = {"Unlock": ("puk", PUK, "C_Login"), "SetPin": ("pin", PIN, "C_Login")}
STATE = "/var/lib/tokend"
LEDGER = f"{STATE}/ledger"
# A token that shows neither a number nor a flag of its PUK: what the service says of it is from the ledger.
MUTE = ("no-so-flags", "no-vendor-objects")
# Longer than any test holds a system call, in microseconds.
HELD = 10**8

# The steps of ARCHITECTURE.md, by number, and where each is held.
POINTS = {
    "status": 2,  # the watching host reads the token
    "prompt": 3,  # a person is asked
    "look": 3,  # the watching host reads it again, and the operation is not open yet
    "pipes": 4,  # the codes are in the pipes, and Finish is not called
    "claim": 4,  # the watching host reads it once more, for Finish
    "load": 5,  # the operating host loads the module
    "session": 5,  # opens the session
    "record": 6,  # the ledger's new file is being written
    "reading": 7,  # the operating host reads the token before it sends the code
    "sending": 7,  # is about to send it
    "sent": 7,  # has sent it, and the token has not answered yet
    "settling": 8,  # the ledger's new file is being written
    "after": 9,  # the operating host reads the token
}
ORDER = list(POINTS)
# From which point on the code goes to the token although the victim dies there.
SENT_FROM = {
    "tokend": "reading",
    "host": "sent",
    "watch": "record",
    "caller": "record",
    "bus": "record",
    "polkit": "load",
}
# Whether polkit's second word was there by then, nobody sees.
UNSEEN = {("polkit", "claim")}
# The victim is not there before.
BORN = {"host": "load"}


def state_files(sandbox):
    """The names in the state folder."""
    return sorted(os.listdir(sandbox.path(STATE)))


def recorded(sandbox, role):
    """How many tries the ledger on the disk says were or may have been spent."""
    ledger = configparser.ConfigParser()
    with contextlib.suppress(FileNotFoundError):
        ledger.read_string(sandbox.read_file(LEDGER))
    return sum(
        int(section.get(f"{role}-{what}", 0)) for section in ledger.values() for what in ("spent", "pending")
    )


class Scene:
    """A sandbox, in which one operation after another with a wrong code is held at a point."""

    def __init__(self, sandbox, method):
        self.sandbox = sandbox
        self.token = sandbox.token("etoken")
        self.method = method
        self.role, self.right_code, self.function = CODES[method]
        self.faults = MUTE if method == "Unlock" else ()
        trust_puk_flags(sandbox)
        self._stack = contextlib.ExitStack()
        self._clients = {}
        self._daemons = contextlib.ExitStack()
        self._held = contextlib.ExitStack()
        self._release = self._go_on
        self.caller = self.call = None

    def __enter__(self):
        self._stack.enter_context(self._daemons)
        self._stack.enter_context(self._held)
        return self

    def __exit__(self, *exception):
        return self._stack.__exit__(*exception)

    def client(self, name):
        """The client of this name; a new one in place of one that has ended."""
        if name not in self._clients or self._clients[name].program.poll() is not None:
            user = "alice" if name in ("caller", "observer") else "carol"
            self._clients[name] = self._stack.enter_context(Client(self.sandbox, user))
        return self._clients[name]

    def forget_clients(self):
        """Of a bus that is gone."""
        for client in self._clients.values():
            client.kill()
        self._clients.clear()

    # Holding

    def _pause(self, line):
        self.token.fault(*self.faults, f"pause {line}")

    def _go_on(self, _victim=None):
        self.token.fault(*self.faults)

    def _hold_ledger(self):
        self._held.enter_context(injected(self.sandbox, "fsync", f"delay_enter={HELD}:when=1"))
        self._release = lambda _victim: self._held.close()

    def _reach_pipes(self, point, path, code):
        """Held once the codes are in the pipes; or once Finish is called."""
        self.call = self.caller.begin_call(self.method, None, NEW_PIN, path=path)
        self.caller.feed(self.call, code)
        if point == "claim":
            self._pause("C_GetTokenInfo watch")
            self.caller.end(self.call)
            self.token.wait_paused()
        else:
            self._release = self._finish

    def _finish(self, victim):
        if victim in ("watch", "polkit"):
            self.caller.end(self.call)

    def reach(self, point, code):
        """Begins the operation, and comes back when it is held at the point."""
        pauses = {
            "status": "C_GetTokenInfo watch",
            "load": "C_Initialize operate",
            "session": "C_OpenSession operate",
            "reading": "C_GetTokenInfo 3 operate",
            "sending": f"{self.function} operate",
            "sent": f"{self.function} operate after",
            "settling": f"{self.function} operate",
            "after": "C_GetTokenInfo 4 operate",
        }
        self.caller = self.client(f"carol at the {point}" if point in ("prompt", "look") else "caller")
        path = self.client("observer").token()
        self._go_on()
        # Of one who died while it was held.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.sandbox.path(f"{self.token.folder}/paused"))
        self._release = self._go_on
        if point in ("prompt", "look"):
            self._reach_prompt(point, path, code)
            return
        if point in ("pipes", "claim"):
            self._reach_pipes(point, path, code)
            return
        if point in pauses:
            self._pause(pauses[point])
        if point == "record":
            self._hold_ledger()
        self.call = self.caller.begin_call(self.method, code, NEW_PIN, path=path)
        if point in pauses:
            self.token.wait_paused()
        if point == "settling":
            self._hold_ledger()
            self._go_on()
        if point in ("record", "settling"):
            wait_until(lambda: "ledger.unfinished" in state_files(self.sandbox), what="the ledger's new file")

    def _reach_prompt(self, point, path, code):
        agent = self.client(f"agent at the {point}")
        agent.become_agent(self.caller.number)
        self.call = self.caller.begin_call(self.method, code, NEW_PIN, path=path, interactive=True)
        cookie = agent.expect_event("prompt")["cookie"]
        self._release = lambda victim: self._end_prompt(victim, agent, cookie)
        if point == "look":
            self._pause("C_GetTokenInfo watch")
            agent.grant(self.sandbox, cookie)
            self.token.wait_paused()
            self._release = self._go_on

    @staticmethod
    def _end_prompt(victim, agent, cookie):
        if victim in ("tokend", "caller", "watch"):
            agent.expect_event("withdrawn", cookie=cookie)

    def let_go(self, victim):
        """What was held goes on, if it is still there."""
        self._release(victim)

    # Dying

    def kill(self, victim):
        """With -9; returns when it is gone and those concerned know."""
        sandbox = self.sandbox
        if victim == "tokend":
            tokend = sandbox.tokend()
            os.kill(tokend, signal.SIGKILL)
            # A process that is traced is not quite gone.
            self._held.close()
            wait_until(lambda: not os.path.exists(f"/proc/{tokend}"), what="tokend's end")
        elif victim in ("host", "watch"):
            (host,) = sandbox.hosts("operate" if victim == "host" else "watch")
            sandbox.kill(host)
        elif victim == "caller":
            number = self.caller.number
            self.caller.kill()
            wait_until(lambda: not self._connections_of(number), what="the end of its connections")
            # The bus tells tokend of the end before it hands on this call.
            assert self.client("observer").call_manager("GetModules").error is None
        elif victim == "bus":
            (bus,) = [n for n, _, arguments in sandbox.processes().values() if arguments[:1] == ["dbus-daemon"]]
            sandbox.kill(bus)
        else:
            sandbox.stop_polkit()

    def _ask_bus(self, method, signature=None, arguments=()):
        ask = self.client("observer").call_at
        return ask("/", "org.freedesktop.DBus", method, signature, arguments, destination="org.freedesktop.DBus").value

    def _connections_of(self, number):
        """The unique names of a process, by its number inside."""
        names = [name for name in self._ask_bus("ListNames") if name.startswith(":")]
        return [name for name in names if self._ask_bus("GetConnectionUnixProcessID", "(s)", [name]) == number]

    def _start(self, name, *argv):
        program = self.sandbox.popen("root", [*argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

        def stop():
            program.kill()
            program.wait(TIMEOUT)

        self._daemons.callback(stop)
        waiting = ["gdbus", "wait", "--system", "--timeout", str(TIMEOUT), name]
        wait_until(lambda: self.sandbox.run("root", waiting).returncode == 0, what=name)

    def _start_polkit(self):
        wake = f"LD_PRELOAD={BUILD}/tests/lib/polkitd/libpolkitd-wake.so"
        self._start("org.freedesktop.PolicyKit1", "env", wake, POLKITD, "--no-debug")

    def restore(self, victim):
        """Whoever died is there again, as a supervisor would see to it."""
        if victim == "bus":
            wait_until(lambda: self.sandbox.tokend() is None, what="tokend's end")
            self.forget_clients()
            self._start("org.freedesktop.DBus", "dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog")
        if victim in ("bus", "polkit"):
            self._start_polkit()
        if victim in ("bus", "tokend"):
            self.sandbox.start_tokend()


def check_reply(method, reply, spent):
    """One of the documented errors, of the right cost."""
    contract = Contract()
    cost = contract.cost(reply.error)
    assert reply.error in contract.documented[method], reply
    assert spent == 0 or cost != "never", reply
    assert spent == 1 or cost != "always", reply


def check_afterwards(scene, spent):
    """No more is promised than there is; the token's own number is the last word; and the right code does it."""
    token, observer = scene.token, scene.client("observer")
    wait_until(lambda: observer.paths() and observer.call("Refresh").error is None, what="the token")
    status, counters = observer.call("Refresh").value, token.counters()
    assert counters == {"pin": 3, "puk": 3} | {scene.role: 3 - spent}
    for role, left in counters.items():
        assert status.get(f"{role}-retries-remaining", 0) <= left, status
    token.clear_faults()
    status = observer.call("Refresh").value
    assert {role: status[f"{role}-retries-remaining"] for role in counters} == counters
    reply = observer.call("Unlock", PUK, PIN, options={"final-attempt": True})
    assert reply.error is None and token.counters() == {"pin": 3, "puk": 3}
    wait_until(lambda: not scene.sandbox.hosts("operate"), what="the end of the operating host")
    assert state_files(scene.sandbox) == ["ledger", "ledger.previous"]
    assert not recorded(scene.sandbox, "pin") + recorded(scene.sandbox, "puk")


def die(scene, victim, point, code):
    """The victim dies at the point, and comes back."""
    sandbox = scene.sandbox
    scene.reach(point, code)
    scene.kill(victim)
    # Whom nobody waits for any more ends, even while it is held: unless a code has been handed over to it.
    if victim in ("tokend", "caller", "bus", "watch") and POINTS[point] == 5:
        wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
    if victim == "bus" and POINTS[point] < 5:
        wait_until(lambda: sandbox.tokend() is None, what="tokend's end")
    scene.let_go(victim)
    reply = scene.caller.wait(scene.call) if victim in ("host", "watch", "polkit") else None
    wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
    spent = 3 - scene.token.counters()[scene.role]
    assert spent == (ORDER.index(point) >= ORDER.index(SENT_FROM[victim]))
    if reply:
        check_reply(scene.method, reply, spent)
    if victim == "bus":
        wait_until(lambda: sandbox.tokend() is None, what="tokend's end")
    # With the watching host again, the token's own number may have settled it already.
    if scene.method == "Unlock" or victim in ("tokend", "bus"):
        assert recorded(sandbox, scene.role) >= spent
    scene.restore(victim)
    check_afterwards(scene, spent)


@pytest.mark.parametrize("method", CODES)
@pytest.mark.parametrize("victim", SENT_FROM)
def test_death(sandbox, victim, method):
    """At each step."""
    points = ORDER[ORDER.index(BORN.get(victim, "status")) :]
    with Scene(sandbox, method) as scene:
        for number, point in enumerate(points):
            if (victim, point) in UNSEEN:
                continue
            die(scene, victim, point, f"9{number:07}")
            print(f"{victim} died at {point}: held")
    assert sandbox.token("etoken").login(PIN)


# What may fail when the ledger is written: the system call, which of them, and the path if it is about the folder. Each
# thread's calls count from 1, and one thread writes the ledger. It also renames the ledger before, which may fail.
DISK = {
    "the file on the disk": ("fsync", ":when=1", None),
    "the file's name": ("rename", "", None),
    "the folder on the disk": ("fsync", "", STATE),
}


@pytest.mark.parametrize("what", DISK)
@pytest.mark.parametrize("method", CODES)
def test_disk_error(sandbox, method, what):
    """A try that is not on the disk, file and folder, is not made; and the next one is."""
    token = sandbox.token("etoken")
    syscall, when, path = DISK[what]
    _, code, _ = CODES[method]
    with Client(sandbox, "alice") as alice:
        for error in ("EIO", "ENOSPC"):
            with injected(sandbox, syscall, f"error={error}{when}", path):
                reply = alice.call(method, code, NEW_PIN)
            assert reply.error == "Failed" and "nothing was sent" in reply.message, reply
            assert not sent(token)
        assert alice.call(method, code, NEW_PIN).error is None
        assert token.login(NEW_PIN)
        assert state_files(sandbox) == ["ledger", "ledger.previous"]


# The service's own 30 s, and as much again for a slow machine.
LEAVES_WITHIN = 60


def test_call_as_the_service_leaves(sandbox):
    """What comes before the name is given up is served, although systemd asks for the end as soon as it is. An operation
    is not opened: whoever then finishes it by the name would reach the successor."""
    sandbox.stop_tokend()
    sandbox.start_tokend("--may-leave")
    with Client(sandbox, "alice") as alice:
        path = alice.token()
        tokend = sandbox.tokend()
        with injected(sandbox, "sendmsg", "delay_enter=60000000:when=1"):
            wait_until(lambda: "Nobody needs the service" in sandbox.journal(), LEAVES_WITHIN, "the leave")
            calls = [alice.begin_open("SetPin", path), alice.begin_call("Refresh", path=path)]
            alice.settle()
            os.kill(tokend, signal.SIGTERM)
        assert [alice.wait(call).error for call in calls] == ["ServiceEnding", None]
        wait_until(lambda: sandbox.tokend() is None, what="the service's end")
    assert sandbox.token("etoken").login(PIN)


def test_prompt_as_the_service_leaves(sandbox):
    """Nobody is prompted in vain."""
    sandbox.stop_tokend()
    sandbox.start_tokend("--may-leave")
    with Client(sandbox, "carol") as carol, Client(sandbox, "carol") as agent:
        agent.become_agent(carol.number)
        path = carol.token()
        tokend = sandbox.tokend()
        with injected(sandbox, "sendmsg", "delay_enter=60000000:when=1"):
            wait_until(lambda: "Nobody needs the service" in sandbox.journal(), LEAVES_WITHIN, "the leave")
            call = carol.begin_open("SetPin", path, interactive=True)
            carol.settle()
            os.kill(tokend, signal.SIGTERM)
        assert carol.wait(call).error == "ServiceEnding"
        agent.settle()
        assert not agent.events
        wait_until(lambda: sandbox.tokend() is None, what="the service's end")
    assert sandbox.token("etoken").login(PIN)


def sealed(body):
    """As the ledger is on the disk."""
    return f"{body}[end]\nsha256={hashlib.sha256(body.encode()).hexdigest()}\n"


def write_ledger(sandbox, content):
    """As a ledger of tokend's own, in the service's absence."""
    sandbox.write_file(LEDGER, content)
    os.chown(sandbox.path(LEDGER), sandbox.user_id("tokend"), sandbox.user_id("tokend"))
    os.chmod(sandbox.path(LEDGER), 0o600)


def make_folder(sandbox):
    """In the ledger's place."""
    os.unlink(sandbox.path(LEDGER))
    os.mkdir(sandbox.path(LEDGER))


def make_folder_read_only(sandbox):
    """And the ledger is damaged: neither can it be put aside, nor the loss written down."""
    write_ledger(sandbox, "")
    os.chown(sandbox.path(STATE), 0, sandbox.user_id("tokend"))
    os.chmod(sandbox.path(STATE), 0o550)


def fill_disk(sandbox):
    """And the ledger is cut, as a disk that is full may leave it."""
    text = sandbox.read_file(LEDGER)
    user = sandbox.user_id("tokend")
    options = f"size=12k,uid={user},gid={user},mode=700"
    assert sandbox.run("root", ["mount", "-t", "tmpfs", "-o", options, "tmpfs", STATE]).returncode == 0
    write_ledger(sandbox, text[:60])
    sandbox.write_file(f"{STATE}/full", "x" * 8192)


def repair(sandbox):
    """The folder can be written again; what is in it stays."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(sandbox.path(f"{STATE}/full"))
    os.chown(sandbox.path(STATE), sandbox.user_id("tokend"), sandbox.user_id("tokend"))
    os.chmod(sandbox.path(STATE), 0o700)


# What becomes of a ledger with one spent PUK.
DAMAGES = {
    "empty": lambda sandbox: write_ledger(sandbox, ""),
    "cut in the middle": lambda sandbox: write_ledger(sandbox, sandbox.read_file(LEDGER)[:60]),
    "without its last byte": lambda sandbox: write_ledger(sandbox, sandbox.read_file(LEDGER)[:-1]),
    "with one try less": lambda sandbox: write_ledger(sandbox, sandbox.read_file(LEDGER).replace("spent=1", "spent=0")),
    "of a newer version": lambda sandbox: write_ledger(sandbox, sealed("[ledger]\nversion=3\n")),
    "of an older version": lambda sandbox: write_ledger(sandbox, sealed("[ledger]\nversion=1\n")),
    "of another owner": lambda sandbox: os.chown(sandbox.path(LEDGER), 0, 0),
    "a folder": make_folder,
    "and its folder is read-only": make_folder_read_only,
    "and the disk is full": fill_disk,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_ledger(sandbox, damage):
    """The service starts, says so, takes each try for spent, again and again, and the token's own number settles it."""
    token = sandbox.token("etoken")
    trust_puk_flags(sandbox)
    token.fault(*MUTE)
    with Client(sandbox, "alice") as alice:
        assert alice.call("Unlock", "90000000", NEW_PIN).error == "PukIncorrect"
        assert alice.call("Refresh").value["puk-wrong-sent"] == 1
        sandbox.stop_tokend()
        DAMAGES[damage](sandbox)
        for start in range(4):
            if start == 2:
                repair(sandbox)
            sandbox.start_tokend()
            assert "cannot be read" in sandbox.journal()
            status = alice.call("Refresh").value
            assert (status["puk-state"], status.get("puk-retries-remaining")) == ("unknown", None), start
            assert status["puk-record-lost"] is True
            before = sent(token)
            assert alice.call("Unlock", PUK, NEW_PIN).error == "FinalAttempt"
            assert sent(token) == before and token.counters()["puk"] == 2
            sandbox.stop_tokend()
        # A disk that was filled is another one.
        assert {*state_files(sandbox)} - {"ledger.previous"} == {"ledger", "ledger.unreadable"}
        sandbox.start_tokend()
        token.clear_faults()
        assert alice.call("Refresh").value["puk-retries-remaining"] == 2
        assert alice.call("Unlock", PUK, NEW_PIN).error is None and token.login(NEW_PIN)


# What versions left that moved the old ledger away first, and ended, or found the disk full, before they had a new one.
LEFT_BY_OLDER = {
    "none in its place": None,
    "a new one that has forgotten": sealed("[ledger]\nversion=2\n\n"),
}


@pytest.mark.parametrize("left", LEFT_BY_OLDER)
def test_loss_of_an_older_version(sandbox, left):
    """A ledger that was put aside is a loss, whatever is in its place."""
    token = sandbox.token("etoken")
    trust_puk_flags(sandbox)
    token.fault(*MUTE)
    with Client(sandbox, "alice") as alice:
        for code in ("90000000", "90000001"):
            assert alice.call("Unlock", code, NEW_PIN).error == "PukIncorrect"
        sandbox.stop_tokend()
        os.rename(sandbox.path(LEDGER), sandbox.path(f"{LEDGER}.unreadable"))
        if LEFT_BY_OLDER[left]:
            write_ledger(sandbox, LEFT_BY_OLDER[left])
        for _ in range(2):
            sandbox.start_tokend()
            assert alice.call("Refresh").value["puk-state"] == "unknown"
            assert alice.call("Unlock", "90000002", NEW_PIN).error == "FinalAttempt"
            assert token.counters()["puk"] == 1
            sandbox.stop_tokend()


DAY = 86400


def set_clock(sandbox, seconds):
    """Makes tokend's wall clock be off by so much."""
    sandbox.write_file("/run/sandbox/clock", f"{seconds}\n")


@pytest.mark.parametrize("days", [-1, -20000, 1], ids=["a day back", "before 1970", "a day forth"])
def test_clock(sandbox, days):
    """Nothing but read-at is from the wall clock: what is recorded, refused or awaited does not go by it."""
    token = sandbox.token("etoken")
    trust_puk_flags(sandbox)
    token.fault(*MUTE)
    variables = sandbox.read_file("/run/sandbox/environment")
    variables = variables.replace("ASAN_OPTIONS=", "ASAN_OPTIONS=verify_asan_link_order=0:")
    sandbox.write_file("/run/sandbox/environment", variables)
    sandbox.restart_tokend({"LD_PRELOAD": f"{BUILD}/tests/lib/clock/libclock.so"})
    with Client(sandbox, "alice") as alice, Client(sandbox, "alice") as slow:
        alice.subscribe()
        before = alice.call("GetStatus").value["read-at"]
        assert alice.call("Unlock", "90000000", NEW_PIN).error == "PukIncorrect"
        operation, puk, _new_pin = slow.open("Unlock")
        assert slow.write(puk, "1") == ""
        call = slow.begin_finish(operation)

        set_clock(sandbox, days * DAY)
        token.wrong_pin()
        assert alice.call("Refresh").value["pin-retries-remaining"] == 2
        assert slow.wait(call).error == "TimedOut"
        shift = (alice.call("Refresh").value["read-at"] - before) / 1e6 / DAY
        # A time before 1970 is one as of an unsigned number.
        assert days < -10000 or abs(shift - days) < 0.1, shift
        assert alice.call("Unlock", "90000000", NEW_PIN).error == "AlreadyRefused"
        token.wrong_pin()
        wait_until(lambda: alice.call("GetStatus").value["pin-retries-remaining"] == 1, what="another program's try")

        assert alice.call("Unlock", "90000001", NEW_PIN).error == "PukIncorrect"
        sandbox.stop_tokend()
        sandbox.start_tokend()
        status = alice.call("Refresh").value
        assert status["puk-wrong-sent"] == 2
        assert days < -10000 or status["puk-sent-at"] <= status["read-at"]
        assert alice.call("Unlock", PUK, NEW_PIN).error == "FinalAttempt"
        assert alice.call("Unlock", PUK, NEW_PIN, options={"final-attempt": True}).error is None
    assert token.counters() == {"pin": 3, "puk": 3} and token.login(NEW_PIN)
