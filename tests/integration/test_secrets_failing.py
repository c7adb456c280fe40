# SPDX-License-Identifier: LGPL-2.1-or-later
"""A code is left nowhere either when the operation is refused, crashes, hangs, is killed, or is left by its caller."""

import contextlib
import os
import re
import signal
import threading

import pytest
from client import Client
from desktop import Desktop
from leaks import (
    Sampler,
    check_nothing_is_left,
    describe_mappings,
    read,
    search_mappings,
    search_memory,
    search_residents,
)
from sandbox import PYTHON, wait_until
from support import SENDING

RESIDENTS = (
    *("tokend", "tokend-module", "systemd-socket-activate", "dbus-daemon", "polkitd"),
    *("tokend-notify", "dunst"),
)
# The service waits so long for an outcome, and a host that still has a code ends at such an age; in seconds.
COMMIT, HOST_LIFE = 60, 120
SLACK = 60
# What the service may want to be told, so that a code goes to the token.
ANYHOW = {"final-attempt": True, "send-refused-code": True}


class House:
    """A sandbox with a desktop session, whose notifier follows the tokens, and in which everything is recorded."""

    def __init__(self, sandbox, codes, stack):
        self.sandbox, self.codes = sandbox, codes
        self.desktop = stack.enter_context(Desktop(sandbox))
        self.desktop.start_notify()
        self._recorded = stack.enter_context(sandbox.recorded_bus())
        self._sampler = stack.enter_context(Sampler(sandbox, codes))

    def check(self, *more):
        """Nobody has a code, and it was nowhere; more: who else is there."""
        traffic = self._recorded()
        assert b"Unlock" in traffic
        check_nothing_is_left(self.sandbox, self.codes, traffic, self._sampler, [*RESIDENTS, *more])


@pytest.fixture(name="make_house")
def fixture_make_house(make_sandbox, codes):
    """Gives a function that makes a House with so many tokens."""
    with contextlib.ExitStack() as stack:
        yield lambda tokens=1: House(make_sandbox(["etoken"] * tokens, codes.pin, codes.puk), codes, stack)


def operating_host(sandbox):
    """Waits for the one that is there."""
    return wait_until(lambda: sandbox.hosts("operate"), what="the operating host")[0]


def no_operating_host(sandbox):
    """Waits until there is none."""
    wait_until(lambda: not sandbox.hosts("operate"), HOST_LIFE + SLACK, what="the end of the operating hosts")


# The fault, the method, the name of the code that is sent, and what becomes of it
FAILURES = {
    "a wrong PUK": (None, "Unlock", "wrong_puk", "PukIncorrect"),
    "a wrong PIN": (None, "SetPin", "wrong_pin", "PinIncorrect"),
    "an error at C_Login": ("error C_Login 1 CKR_DEVICE_ERROR operate", "Unlock", "puk", "Failed"),
    "an error at C_InitPIN": ("error C_InitPIN 1 CKR_PIN_INVALID operate", "Unlock", "puk", "PinPolicy"),
    "an error at C_SetPIN": ("error C_SetPIN 1 CKR_DEVICE_ERROR operate", "SetPin", "pin", "Failed"),
    **{
        f"a crash {when} {function}": (f"crash {function} operate{word}", method, code, "OutcomeUnknown")
        for function, method, code in (
            ("C_Login", "Unlock", "puk"),
            ("C_InitPIN", "Unlock", "puk"),
            ("C_SetPIN", "SetPin", "pin"),
        )
        for when, word in (("at", ""), ("after", " after"))
    },
}


def restore(alice, codes):
    """The token has its first PIN and all tries again."""
    reply = alice.call("Unlock", codes.puk, codes.pin, options=ANYHOW)
    assert reply.error is None, reply


def test_refused_or_crashed(make_house, codes):
    """By the token, or by the module's crash at each call that takes a code."""
    house = make_house()
    token = house.sandbox.token("etoken")
    with Client(house.sandbox, "alice") as alice:
        for what, (fault, method, code, error) in FAILURES.items():
            if fault:
                token.fault(fault)
            reply = alice.call(method, getattr(codes, code), codes.new_pin, options=ANYHOW)
            assert reply.error == error and not codes.find(reply.message.encode()), (what, reply)
            token.clear_faults()
            no_operating_host(house.sandbox)
            restore(alice, codes)
    house.check()
    assert token.login(codes.pin), "these were the codes"


@pytest.mark.parametrize("function", SENDING)
def test_the_host_is_killed(make_house, codes, function):
    """While it is about to send the code."""
    house = make_house()
    token = house.sandbox.token("etoken")
    method, code = ("SetPin", codes.pin) if function == "C_SetPIN" else ("Unlock", codes.puk)
    with Client(house.sandbox, "alice") as alice:
        alice.call("Unlock", codes.wrong_puk, codes.third_pin)
        token.fault(f"pause {function} operate")
        call = alice.begin_call(method, code, codes.new_pin)
        token.wait_paused()
        host = operating_host(house.sandbox)
        assert search_memory(codes, host)
        house.sandbox.kill(host)
        assert alice.wait(call).error == "OutcomeUnknown"
        token.clear_faults()
        restore(alice, codes)
    house.check()
    assert token.login(codes.pin), "these were the codes"


@pytest.mark.without_sanitizer
def test_the_caller_is_gone_or_never_ends(make_house, codes):
    """While its codes are in the pipes."""
    house = make_house()
    token = house.sandbox.token("etoken")
    for end in ("killed", "timed out"):
        with Client(house.sandbox, "alice") as alice:
            operation, *ends = alice.open("Unlock")
            for pipe, code in zip(ends, (codes.puk, codes.new_pin)):
                assert alice.write(pipe, code) == ""
            if end == "timed out":
                assert alice.finish(operation).error == "TimedOut"
        no_operating_host(house.sandbox)
    # And that the notifier has something to tell
    token.wrong_pin()
    house.desktop.wait_note(1)
    house.check()
    assert token.login(codes.pin), "these were the codes"


@pytest.mark.long
def test_the_module_hangs(make_house, codes):
    """At each call that takes a code, on three tokens at the same time; the hosts keep it until they end."""
    house = make_house(3)
    sandbox, tokens = house.sandbox, list(house.sandbox.tokens.values())
    with Client(sandbox, "alice") as alice:
        calls = []
        for token, function in zip(tokens, SENDING):
            path = alice.find(token.label)
            token.fault(f"hang {function} operate")
            method, code = ("SetPin", codes.pin) if function == "C_SetPIN" else ("Unlock", codes.puk)
            calls.append(alice.begin_call(method, code, codes.new_pin, path=path))
        for call in calls:
            assert alice.wait(call, COMMIT + SLACK).error == "OutcomeUnknown"
        for token in tokens:
            token.clear_faults()
    hanging = sandbox.hosts("operate")
    assert len(hanging) == 3 and all(search_memory(codes, host) for host in hanging)
    assert not {who for who, found in search_residents(sandbox, codes).items() if found and "--operate" not in who}
    no_operating_host(sandbox)
    house.check()
    assert tokens[0].login(codes.pin) and tokens[0].login_so(codes.puk), "these were the codes"


def type_code(terminal, prompt, code):
    """As a person does: once the terminal shows nothing of it."""
    terminal.expect(prompt + "$")
    wait_until(lambda: not terminal.is_echoing(), what="the end of the echo")
    terminal.type_line(code)


def test_typed_at_a_terminal(make_house, codes):
    """Neither the terminal nor the shell has what tokenctl was told, whether it was right, wrong or given up."""
    house = make_house()
    token = house.sandbox.token("etoken")
    with house.sandbox.terminal("alice", ["bash", "--norc", "--noprofile", "-i"], env={"PS1": "shell> "}) as terminal:
        for puk, new_pin, ended in (
            (codes.wrong_puk, codes.third_pin, "incorrect|wrong|refused"),
            (codes.puk, codes.new_pin, "The new PIN is set"),
        ):
            terminal.expect("shell> $")
            terminal.type_line("tokenctl unlock")
            type_code(terminal, "PUK: ", puk)
            type_code(terminal, r"New PIN \(.*\): ", new_pin)
            type_code(terminal, "New PIN once more: ", new_pin)
            terminal.expect(ended)
        terminal.expect("shell> $")
        terminal.type_line("tokenctl set-pin")
        type_code(terminal, "Present PIN: ", codes.new_pin)
        terminal.expect(r"New PIN \(.*\): $")
        wait_until(lambda: not terminal.is_echoing(), what="the end of the echo")
        terminal.type(codes.fourth_pin + "\x03")
        terminal.expect("shell> $")
        assert not codes.find(terminal.text.encode())
        house.check("bash")
        terminal.type_line("exit")
        terminal.finish()
    assert not codes.find(terminal.text.encode())
    house.check()
    assert token.login(codes.new_pin), "these were the codes"


def has_locked(outside):
    """Whether the process has memory that cannot be swapped out."""
    return re.search(rb"VmLck:\s+[1-9]", read(f"/proc/{outside}/status"))


def check_locked(codes, outside):
    """All that the process has of a code cannot be swapped out, nor dumped, nor inherited."""
    holding = search_mappings(codes, outside)
    described = describe_mappings(outside)
    assert holding
    for begin, end in holding:
        locked, flags = described[begin, end]
        assert locked == end - begin and {"lo", "dd", "wf"} <= flags, (hex(begin), locked, flags)
    assert has_locked(outside)


def tokenctl_process(sandbox):
    """The number outside of the only tokenctl."""
    (found,) = [outside for outside, _, argv in sandbox.processes().values() if argv[:1] == ["tokenctl"]]
    return found


@pytest.mark.without_sanitizer
def test_memory_is_locked(make_sandbox, codes):
    """Wherever the operating host and tokenctl have a code: before, and while the token is about to see it."""
    sandbox = make_sandbox(pin=codes.pin, puk=codes.puk)
    token = sandbox.token("etoken")
    token.fault("pause C_Login operate")
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        type_code(terminal, "PUK: ", codes.puk)
        terminal.expect(r"New PIN \(.*\): $")
        check_locked(codes, tokenctl_process(sandbox))
        type_code(terminal, "", codes.new_pin)
        type_code(terminal, "New PIN once more: ", codes.new_pin)
        token.wait_paused()
        check_locked(codes, operating_host(sandbox))
        check_locked(codes, tokenctl_process(sandbox))
        token.clear_faults()
        assert terminal.finish() == 0
    assert token.login(codes.new_pin)


# Runs a program with core files allowed, and tells whether it left one.
WITNESS = """
import os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
os.chdir(sys.argv[1])
number = os.fork()
if number == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
status = os.waitpid(number, 0)[1]
print("signal", os.WTERMSIG(status), "core", os.WCOREDUMP(status))
"""
HOME = "/run/sandbox/home/alice"


def core_files(sandbox):
    """Those that are where the kernel would leave one here."""
    return [name for folder in (HOME, "/") for name in os.listdir(sandbox.path(folder)) if name.startswith("core")]


@pytest.mark.without_sanitizer
def test_a_crash_leaves_no_core(make_sandbox, codes):
    """Of tokenctl while it has a code, and of the operating host."""
    sandbox = make_sandbox(pin=codes.pin, puk=codes.puk)
    token = sandbox.token("etoken")
    before = core_files(sandbox)
    with sandbox.terminal("alice", [PYTHON, "-c", WITNESS, HOME, "tokenctl", "unlock"]) as terminal:
        type_code(terminal, "PUK: ", codes.puk)
        terminal.expect(r"New PIN \(.*\): $")
        process = tokenctl_process(sandbox)
        assert search_memory(codes, process)
        os.kill(process, signal.SIGSEGV)
        terminal.expect(f"signal {int(signal.SIGSEGV)} core False")
        terminal.finish()

    token.fault("pause C_Login operate")
    given = {"puk": codes.puk, "new_pin": codes.new_pin}
    arguments = ["unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new_pin}"]
    held = threading.Thread(target=sandbox.tokenctl, args=["alice", *arguments], kwargs={"codes": given})
    held.start()
    token.wait_paused()
    host = operating_host(sandbox)
    assert search_memory(codes, host)
    os.kill(host, signal.SIGSEGV)
    no_operating_host(sandbox)
    held.join()
    token.clear_faults()
    assert core_files(sandbox) == before
