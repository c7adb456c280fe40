# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input gets a clear error: nothing is sent, spent, held or leaked, and the service goes on."""

import contextlib
import os
import re

import conftest
import pytest
from client import TOKEN, Client
from sandbox import Sandbox, wait_until
from support import relays_have_ended

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
SENDING = ("C_Login", "C_SetPIN", "C_InitPIN")
METHODS = ("Unlock", "SetPin")
CODE = {"Unlock": PUK, "SetPin": PIN}
# A descriptor is read for 5 s, and on a slow machine the answer comes much later.
SLOW = 60


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    """A sandbox for many tests, each of which leaves it as it was."""
    with Sandbox() as sandbox:
        yield sandbox
        assert not conftest.BUG.search(sandbox.logs()), sandbox.logs()


def sent(token):
    """What has been done to the token with a code, by our module hosts."""
    return [name for name in token.calls("tokend-module") if name in SENDING]


def descriptors_of(sandbox):
    """How many tokend holds."""
    return len(os.listdir(f"/proc/{sandbox.tokend()}/fd"))


@pytest.fixture(name="alice")
def fixture_alice(shared):
    """A client, during whose life nothing happens to the token, the claim, the record and tokend's descriptors."""
    token = shared.token("etoken")
    with Client(shared, "alice") as alice:
        # A GTask thread, once it has been, may keep a descriptor or two.
        alice.call("SetPin", "", "")
        wait_until(lambda: not shared.hosts("operate"), what="the end of the operating host")
        wait_until(lambda: relays_have_ended(shared), what="the end of the operation's relay")
        assert alice.call("GetStatus").error is None
        before = sent(token), token.counters(), descriptors_of(shared), shared.tokend()
        yield alice
        assert (sent(token), token.counters()) == before[:2], "something was sent"
        assert alice.call("Refresh").value["puk-retries-remaining"] == before[1]["puk"]
        assert alice.call("Unlock", "", NEW_PIN).error == "InvalidArgs", "the claim is free"
        wait_until(lambda: descriptors_of(shared) == before[2], what="as many descriptors as before")
        assert shared.tokend() == before[3]
        wait_until(lambda: not shared.hosts("operate"), what="the end of the operating host")
        assert "pending" not in read_ledger(shared)


def read_ledger(sandbox):
    with contextlib.suppress(FileNotFoundError):
        return sandbox.read_file("/var/lib/tokend/ledger")
    return ""


def refused(reply, error, message=""):
    """Whether a call was refused with this error, in words that do not repeat what was sent."""
    assert reply.error == error, reply
    assert re.search(message, reply.message), reply
    for code in (PIN, PUK, NEW_PIN):
        assert code not in reply.message


NOT_OF_A_KIND = "not a (pipe|FIFO)"
UNREADABLE = "cannot be read|not open for reading"
MISSING = "did not come with the call"

# What opens a descriptor, the error, words of its message
BAD_DESCRIPTORS = {
    "empty pipe": (lambda c: c.pipe(), "is empty"),
    "empty socket": (lambda c: c.socket(), "is empty"),
    "empty file": (lambda c: c.file(b""), "is empty"),
    "empty memfd": (lambda c: c.memfd(b""), "is empty"),
    "endless pipe": (lambda c: c.endless("pipe"), "is longer than 255 bytes"),
    "endless socket": (lambda c: c.endless("socket"), "is longer than 255 bytes"),
    "4 KiB in a pipe": (lambda c: c.pipe(b"1" * 4096), "is longer than 255 bytes"),
    "4 KiB in a file": (lambda c: c.file(b"1" * 4096), "is longer than 255 bytes"),
    "256 bytes in a pipe": (lambda c: c.pipe(b"1" * 256), "is longer than 255 bytes"),
    "256 bytes in a memfd": (lambda c: c.memfd(b"1" * 256), "is longer than 255 bytes"),
    "endless device": (lambda c: c.open_path("/dev/zero", os.O_RDONLY), NOT_OF_A_KIND),
    "empty device": (lambda c: c.open_path("/dev/null", os.O_RDONLY), NOT_OF_A_KIND),
    "directory": (lambda c: c.open_path("/", os.O_RDONLY), NOT_OF_A_KIND),
    "only a path": (lambda c: c.open_path("/etc/passwd", os.O_PATH), UNREADABLE),
    "only a path of a directory": (lambda c: c.open_path("/", os.O_PATH), NOT_OF_A_KIND),
    "file for writing": (lambda c: c.open_path("/run/sandbox/home/alice/file", os.O_WRONLY | os.O_CREAT), UNREADABLE),
    "pipe for writing": (lambda c: c.writing_end(), UNREADABLE),
    "socket without a peer": (lambda c: c.lonely_socket(), UNREADABLE),
    "process's memory": (lambda c: c.open_path("/proc/self/mem", os.O_RDONLY), UNREADABLE),
    "control character": (lambda c: c.pipe("1234\x07678"), "control character"),
    "escape sequence": (lambda c: c.pipe("\x1b[201~12345"), "control character"),
    "C1 control character": (lambda c: c.pipe("1234\u0085678"), "control character"),
    "NUL in the middle": (lambda c: c.memfd(b"1234\x00678"), "control character"),
    "NUL at the end": (lambda c: c.pipe(b"12345678\x00"), "control character"),
    "newline at the end": (lambda c: c.pipe("12345678\n"), "newline"),
    "carriage return at the end": (lambda c: c.file(b"12345678\r\n"), "newline"),
    "Latin-1": (lambda c: c.pipe("şifre".encode("iso8859-9")), "UTF-8"),
    "half a character": (lambda c: c.socket("12345678ş".encode()[:-1]), "UTF-8"),
    "surrogates": (lambda c: c.pipe(b"1234\xed\xa0\x80"), "UTF-8"),
}
# Of a PIN on this token; a PUK may have any length.
BAD_LENGTHS = {"1": "is too short", "1" * 255: "is too long"}


@pytest.mark.parametrize("what", BAD_DESCRIPTORS)
def test_a_descriptor_that_cannot_be_right(alice, what):
    """Of each method and of each of its codes."""
    make, message = BAD_DESCRIPTORS[what]
    for method in METHODS:
        refused(alice.call(method, make(alice), NEW_PIN, timeout=SLOW), "InvalidArgs", message)
        new = alice.call(method, CODE[method], make(alice), timeout=SLOW)
        # What is wrong with the descriptor is a bad argument; what is wrong with the PIN in it is its policy.
        of_descriptor = message in (NOT_OF_A_KIND, UNREADABLE)
        refused(new, "InvalidArgs" if of_descriptor else "PinPolicy", message)
        alice.close_all()


@pytest.mark.parametrize("pin", BAD_LENGTHS, ids=len)
def test_a_pin_of_a_length_that_it_cannot_have(alice, pin):
    """Not over our limit, but over this token's: the present PIN, and a new one."""
    refused(alice.call("SetPin", pin, NEW_PIN), "InvalidArgs", BAD_LENGTHS[pin])
    for method in METHODS:
        refused(alice.call(method, CODE[method], pin), "PinPolicy", BAD_LENGTHS[pin])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "handles, count",
    [
        ([0, 1], None),
        ([0, 1], 0),
        ([0, 1], 1),
        ([1, 0], 1),
        ([0, 2], 2),
        ([0, 0x7FFFFFFF], 2),
        ([-1, 0], 2),
        ([0, -1], 2),
        ([-0x80000000, 1], 2),
    ],
    ids=str,
)
def test_descriptors_that_did_not_come(alice, method, handles, count):
    """Handles without a descriptor behind them."""
    descriptors = None if count is None else [alice.pipe(code) for code in (CODE[method], NEW_PIN)][:count]
    call = alice.begin_with_handles(method, handles, descriptors)
    refused(alice.wait(call, SLOW), "InvalidArgs", MISSING)


@pytest.mark.parametrize("method", METHODS)
def test_more_descriptors_than_needed(shared, alice, method):
    """The bus keeps them from the service: it counts those that wait for one, and too many would hold up others."""
    before = descriptors_of(shared)
    for count in (3, 10):
        spare = [alice.pipe("1") for _ in range(count)]
        reply = alice.wait(alice.begin_with_handles(method, [0, 1], spare), SLOW)
        refused(reply, "org.freedesktop.DBus.Error.AccessDenied")
        reply = alice.wait(alice.begin_call_at(alice.token(), TOKEN, "GetStatus", descriptors=spare[:1]), SLOW)
        refused(reply, "org.freedesktop.DBus.Error.AccessDenied")
        alice.close_all()
    wait_until(lambda: descriptors_of(shared) == before, what="as many descriptors as before")


@pytest.mark.parametrize("method", METHODS)
def test_one_descriptor_for_both_codes(alice, method):
    """One handle for both is a mistake; of two copies of one pipe, which is read once, the second has nothing to give."""
    pipe = alice.pipe(CODE[method])
    refused(alice.wait(alice.begin_with_handles(method, [0, 0], [pipe]), SLOW), "InvalidArgs", "is the other code's")
    refused(alice.wait(alice.begin_with_handles(method, [0, 1], [pipe, pipe]), SLOW), "PinPolicy", "is empty")


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_a_stream_that_does_not_end(shared, kind):
    """TimedOut, and the token is free again; the service answers others meanwhile."""
    token = shared.token("etoken")
    with Client(shared, "alice") as slow, Client(shared, "alice") as other:
        make = getattr(slow, kind)
        before = sent(token), descriptors_of(shared)
        for codes in ((make(PUK, hold=True), make(NEW_PIN)), (make(PUK), make(NEW_PIN, hold=True))):
            call = slow.begin_call("Unlock", *codes)
            wait_until(lambda: shared.hosts("operate"), what="the operating host")
            assert other.call("Refresh", timeout=4).error is None
            assert not slow.is_answered(call)
            refused(slow.wait(call, SLOW), "TimedOut", "did not end in time")
            wait_until(lambda: not shared.hosts("operate"), what="the end of the operating host")
        assert sent(token) == before[0]
        wait_until(lambda: descriptors_of(shared) == before[1], what="as many descriptors as before")
        refused(other.call("Unlock", "", NEW_PIN), "InvalidArgs", "is empty")


def test_a_stream_that_comes_in_pieces(shared):
    """A slow writer has time, as long as it ends."""
    fifo = "/run/sandbox/home/alice/pieces"
    shared.run("alice", ["mkfifo", fifo])
    writing = os.open(shared.path(fifo), os.O_RDWR)
    with Client(shared, "alice") as alice:
        call = alice.begin_call("SetPin", alice.open_path(fifo, os.O_RDONLY), NEW_PIN)
        wait_until(lambda: shared.hosts("operate"), what="the operating host")
        for character in PIN:
            os.write(writing, character.encode())
            assert alice.call("Refresh").error is None
        assert not alice.is_answered(call)
        os.close(writing)
        assert alice.wait(call).error is None
        assert alice.call("SetPin", NEW_PIN, PIN).error is None


BAD_OPTIONS = {
    "unknown": {"force": True},
    "unknown beside a known one": {"final-attempt": False, "timeout": 5},
    "other case": {"Final-Attempt": True},
    "string for a boolean": {"final-attempt": ("s", "true")},
    "number for a boolean": {"send-refused-code": 1},
    "boolean for a number": {"expected-retries": True},
    "signed number": {"expected-retries": ("i", 3)},
    "wide number": {"expected-retries": ("t", 3)},
    "variant in a variant": {"final-attempt": ("as", ["true"])},
    "empty name": {"": True},
}


@pytest.mark.parametrize("what", BAD_OPTIONS)
def test_options_that_are_not_known(alice, what):
    """Unknown ones and ones of a wrong type are refused by name, not passed over."""
    for method in METHODS:
        refused(alice.call(method, CODE[method], NEW_PIN, options=BAD_OPTIONS[what]), "InvalidArgs", "[Oo]ption")


def test_arguments_of_another_type(alice):
    """What does not fit the signature does not reach a handler."""
    path = alice.token()
    for signature, arguments in ((None, []), ("(ss)", [PUK, NEW_PIN]), ("(hh)", [0, 1]), ("(uua{sv})", [0, 1, {}])):
        reply = alice.call_at(path, "org.tokend.Tokend1.Token", "Unlock", signature, arguments)
        refused(reply, "org.freedesktop.DBus.Error.InvalidArgs")


# What a descriptor is made of → what it holds is read as the code
GOOD_DESCRIPTORS = {
    "pipe": lambda client, code: client.pipe(code),
    "socket": lambda client, code: client.socket(code),
    "file": lambda client, code: client.file(code),
    "memfd at its start": lambda client, code: client.memfd(code),
    "memfd at its end": lambda client, code: client.memfd(code, offset=len(code)),
    "sealed memfd": lambda client, code: client.memfd(code, sealed=True),
}


@pytest.mark.parametrize("kind", GOOD_DESCRIPTORS)
def test_the_caller_keeps_its_descriptor_as_it_was(shared, kind):
    """Flags and offset are the caller's own; seekable ones are read from their start."""
    with Client(shared, "alice") as alice:
        make = GOOD_DESCRIPTORS[kind]
        before = descriptors_of(shared)
        for method, *codes in (("Unlock", PUK, NEW_PIN), ("SetPin", NEW_PIN, PIN)):
            code, new_pin = (make(alice, text) for text in codes)
            described = [alice.describe(descriptor) for descriptor in (code, new_pin)]
            assert alice.call(method, code, new_pin).error is None
            assert [alice.describe(descriptor) for descriptor in (code, new_pin)] == described
        wait_until(lambda: descriptors_of(shared) == before, what="as many descriptors as before")
    assert shared.token("etoken").login(PIN)


@pytest.mark.parametrize("method, function", [("Unlock", "C_Login"), ("Unlock", "C_InitPIN"), ("SetPin", "C_SetPIN")])
def test_a_file_that_changes_after_it_was_read(shared, method, function):
    """The code that is sent is the one that was checked."""
    token = shared.token("etoken")
    with Client(shared, "alice") as alice:
        codes = [alice.memfd(CODE[method]), alice.memfd(NEW_PIN)]
        token.fault(f"pause {function}")
        call = alice.begin_call(method, *codes)
        wait_until(lambda: alice.is_answered(call) or os.path.exists(shared.path(f"{token.folder}/paused")))
        assert not alice.is_answered(call), alice.wait(call)
        for code in codes:
            alice.rewrite(code, "87654321")
        token.clear_faults()
        assert alice.wait(call).error is None
        assert token.login(NEW_PIN)
        assert alice.call("SetPin", NEW_PIN, PIN).error is None
    assert token.login(PIN) and token.counters() == {"pin": 3, "puk": 3}


def test_255_bytes_are_not_too_many(make_sandbox):
    """As many as are documented, on a token that takes them."""
    sandbox = make_sandbox(tokens=["softhsm"])
    longest = "ş" * 127 + "1"
    with Client(sandbox, "alice") as alice:
        path = alice.find("SOFTHSM")
        assert alice.call("Unlock", PUK, longest, path=path).error is None
        assert alice.call("SetPin", longest, PIN, path=path).error is None
        refused(alice.call("SetPin", PIN, longest + "1", path=path), "PinPolicy", "is longer than 255 bytes")
    assert sandbox.token("softhsm").login(PIN)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--puk-fd", "99", "--new-pin-fd", "0"],
        ["--puk-fd", "-1", "--new-pin-fd", "0"],
        ["--puk-fd", "x", "--new-pin-fd", "0"],
    ],
)
def test_tokenctl_with_a_descriptor_that_is_closed(shared, arguments):
    """It is a mistake of usage, said on standard error."""
    finished = shared.tokenctl("alice", "unlock", *arguments)
    assert finished.returncode == 2, finished.stderr
    assert finished.stderr and not finished.stdout
