# SPDX-License-Identifier: LGPL-2.1-or-later
"""Bad input gets a clear error: nothing is sent, spent, held or leaked, and the service goes on."""

import contextlib
import os
import re

import conftest
import pytest
from client import MANAGER, OPERATION, ROOT_PATH, TOKEN, Client
from sandbox import Sandbox, wait_until
from support import relays_have_ended

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
SENDING = ("C_Login", "C_SetPIN", "C_InitPIN")
METHODS = ("Unlock", "SetPin")
CODE = {"Unlock": PUK, "SetPin": PIN}
# It is waited for the end of the pipes for 2 s, and on a slow machine the answer comes much later.
SLOW = 60
# How long a code waits in its pipe for Finish, and how long an operation is open, in seconds.
FILLED, EXPIRY = 60, 10 * 60
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
STANDARD = "org.freedesktop.DBus."
DENIED = [
    *((TOKEN, member) for member in ("Unlock", "SetPin", "GetStatus", "Refresh")),
    *((OPERATION, member) for member in ("Finish", "Again", "Cancel")),
    *((MANAGER, member) for member in ("Subscribe", "GetModules")),
    (f"{STANDARD}ObjectManager", "GetManagedObjects"),
    (f"{STANDARD}Introspectable", "Introspect"),
    (f"{STANDARD}Properties", "GetAll"),
    (f"{STANDARD}Peer", "Ping"),
]


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
        assert alice.call("SetPin", "1", NEW_PIN).error == "InvalidArgs"
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


# What is written, words of the error's message
BAD_CODES = {
    "nothing": (b"", "is empty"),
    "4 KiB": (b"1" * 4096, "is longer than 255 bytes"),
    "256 bytes": (b"1" * 256, "is longer than 255 bytes"),
    "control character": ("1234\x07678", "control character"),
    "escape sequence": ("\x1b[201~12345", "control character"),
    "C1 control character": ("1234\u0085678", "control character"),
    "NUL in the middle": (b"1234\x00678", "control character"),
    "NUL at the end": (b"12345678\x00", "control character"),
    "newline at the end": ("12345678\n", "newline"),
    "carriage return at the end": (b"12345678\r\n", "newline"),
    "Latin-1": ("şifre".encode("iso8859-9"), "UTF-8"),
    "half a character": ("12345678ş".encode()[:-1], "UTF-8"),
    "surrogates": (b"1234\xed\xa0\x80", "UTF-8"),
}
# Of a PIN on this token; a PUK may have any length.
BAD_LENGTHS = {"1": "is too short", "1" * 255: "is too long"}


@pytest.mark.parametrize("what", BAD_CODES)
def test_a_code_that_cannot_be_right(alice, what):
    """Of each method and of each of its codes."""
    code, message = BAD_CODES[what]
    for method in METHODS:
        refused(alice.call(method, code, NEW_PIN, timeout=SLOW), "InvalidArgs", message)
        # What is wrong with the pipe is a bad argument; what is wrong with the PIN in it is its policy.
        error = "InvalidArgs" if len(code) > 255 else "PinPolicy"
        refused(alice.call(method, CODE[method], code, timeout=SLOW), error, message)


@pytest.mark.parametrize("pin", BAD_LENGTHS, ids=len)
def test_a_pin_of_a_length_that_it_cannot_have(alice, pin):
    """Not over our limit, but over this token's: the present PIN, and a new one."""
    refused(alice.call("SetPin", pin, NEW_PIN), "InvalidArgs", BAD_LENGTHS[pin])
    for method in METHODS:
        refused(alice.call(method, CODE[method], pin), "PinPolicy", BAD_LENGTHS[pin])


def test_a_pipe_holds_no_more_than_a_page(alice):
    """Who writes more is told so at once, and does not wait."""
    operation, puk, new_pin = alice.open("Unlock")
    assert alice.write(puk, b"1" * 5000) == ""
    assert alice.write(puk, b"1") == "EAGAIN"
    alice.close(puk, new_pin)
    refused(alice.finish(operation), "InvalidArgs", "is longer than 255 bytes")
    assert alice.cancel(operation).error is None


@pytest.mark.parametrize("interface, member", DENIED, ids=lambda name: name.rpartition(".")[2])
def test_no_descriptor_comes_in(shared, alice, interface, member):
    """The bus keeps each message with one from the service, whatever it is."""
    path = {TOKEN: alice.token(), OPERATION: "/org/tokend/Tokend1/operations/1"}.get(interface, ROOT_PATH)
    before = descriptors_of(shared)
    for count in (1, 2, 16):
        spare = [alice.pipe("1") for _ in range(count)]
        refused(alice.wait(alice.begin_call_at(path, interface, member, descriptors=spare), SLOW), ACCESS_DENIED)
        alice.close_all()
    assert alice.call("GetStatus").error is None
    assert descriptors_of(shared) == before


@pytest.mark.parametrize("method", METHODS)
def test_pipes_that_do_not_end(shared, alice, method):
    """TimedOut, without keeping others from the token; with new pipes the same operation can be finished."""
    with Client(shared, "alice") as other:
        operation, *ends = alice.open(method)
        for number in range(len(ends)):
            left_open = ends[number]
            for end, code in zip(ends, (CODE[method], NEW_PIN)):
                assert alice.write(end, code) == ""
                if end != left_open:
                    alice.close(end)
            finishing = alice.begin_finish(operation)
            assert other.call("Refresh", timeout=4).error is None
            refused(other.call(method, "", NEW_PIN), "InvalidArgs", "is empty")
            refused(alice.wait(finishing, SLOW), "TimedOut", "was not closed within 2 seconds")
            assert alice.write(left_open, CODE[method]) == "EPIPE"
            alice.close(left_open)
            refused(alice.finish(operation), "InvalidArgs", "call Again")
            ends = alice.again(operation)
        alice.hand_over(ends, ("", NEW_PIN))
        refused(alice.finish(operation), "InvalidArgs", "is empty")
        assert alice.cancel(operation).error is None


def test_a_code_that_comes_in_pieces(shared):
    """A slow writer has time; what is cut off is not sent, for Finish has not said that it is whole."""
    token = shared.token("etoken")
    with Client(shared, "alice") as alice:
        call = alice.begin_call("SetPin", None, NEW_PIN)
        for character in PIN:
            alice.feed(call, character)
            assert alice.call("Refresh").error is None
        assert not alice.is_answered(call)
        before = sent(token)
        alice.end(call)
        assert alice.wait(call).error is None
        assert sent(token) == before + ["C_Login", "C_SetPIN"]
        assert alice.call("SetPin", NEW_PIN, PIN).error is None


def test_the_pipes_are_the_services_own(shared, alice):
    """They do not block, and cannot be opened again by a path; one that was closed says so."""
    operation, puk, new_pin = alice.open("Unlock")
    assert alice.reopen(puk) == "EACCES"
    assert alice.write(puk, PUK) == ""
    assert alice.cancel(operation).error is None
    assert alice.write(puk, PUK) == "EPIPE" == alice.write(new_pin, NEW_PIN)
    alice.close(puk, new_pin)
    refused(alice.finish(operation), "NotFound", "was cancelled; nothing was sent")


def test_after_an_error_that_sent_nothing(shared):
    """Again gives new pipes under the same authorization; once a code was sent it is over."""
    token = shared.token("etoken")
    with Client(shared, "alice") as alice:
        operation, *ends = alice.open("SetPin")
        alice.hand_over(ends, (PIN, "1"))
        refused(alice.finish(operation), "PinPolicy", "is too short")
        alice.hand_over(alice.again(operation), (PIN, NEW_PIN))
        assert alice.finish(operation).error is None
        for reply in (alice.again(operation), alice.finish(operation), alice.cancel(operation)):
            refused(reply, "NotFound", "has sent a code")
        assert alice.call("SetPin", NEW_PIN, PIN).error is None
    assert token.counters() == {"pin": 3, "puk": 3} and token.login(PIN)


def test_an_operation_answers_its_own_connection_alone(shared, alice):
    """To others its path is one that does not exist, word for word; and nothing lists it."""
    operation, *ends = alice.open("Unlock")
    alice.hand_over(ends, ("", NEW_PIN))
    missing = operation.rpartition("/")[0] + "/1"
    for user in ("alice", "bob"):
        with Client(shared, user) as stranger:
            for act in (stranger.finish, stranger.again, stranger.cancel):
                foreign = act(operation)
                assert foreign == act(missing)
                refused(foreign, "NotFound")
            assert operation not in stranger.paths()
            for path in (ROOT_PATH, f"{ROOT_PATH}/operations"):
                shown = stranger.call_at(path, "org.freedesktop.DBus.Introspectable", "Introspect").value
                assert operation.rpartition("/")[2] not in shown
    assert alice.finish(missing) == alice.finish(operation.rpartition("/")[0] + "/2")
    refused(alice.finish(operation), "InvalidArgs", "is empty")
    assert alice.cancel(operation).error is None


def test_how_many_are_open(shared):
    """Four of a user: the fifth is refused, on whatever connection, and one that ended counts until its connection is gone."""
    with Client(shared, "alice") as first, Client(shared, "alice") as second:
        path = first.token()
        operations = [first.open("Unlock", path)[0] for _ in range(3)]
        second.open("SetPin", path)
        for client in (first, second):
            refused(client.wait(client.begin_open("Unlock", path)), "LimitsExceeded", "4")
        assert first.cancel(operations[0]).error is None
        refused(second.wait(second.begin_open("Unlock", path)), "LimitsExceeded", "4")
        with Client(shared, "root") as other:
            assert other.open("Unlock", path)
        first.kill()
        has_owner = ["/", "org.freedesktop.DBus", "NameHasOwner", "(s)", [first.bus_name]]
        wait_until(lambda: not second.call_at(*has_owner, destination="org.freedesktop.DBus").value, what="its end")
        assert second.open("Unlock", path)


def test_pipes_that_nobody_takes(shared, alice):
    """Of one operation two pairs; then it has to be opened anew."""
    operation, *_ends = alice.open("Unlock")
    assert len(alice.again(operation)) == 2
    refused(alice.again(operation), "LimitsExceeded", "neither written to nor closed")
    assert alice.cancel(operation).error is None
    alice.close_all()


@pytest.mark.without_sanitizer
def test_a_code_never_waits_long(sandbox, clock):
    """A minute after its first byte its pipes are closed; the operation is still open, ten minutes after it was opened not."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        operation, puk, new_pin = alice.open("Unlock")
        clock(120)
        assert alice.write(puk, PUK) == ""
        assert alice.call("GetStatus").error is None
        clock(120 + FILLED - 5)
        assert alice.call("GetStatus").error is None and alice.write(puk, "1") == ""
        clock(120 + FILLED + 5)
        wait_until(lambda: alice.write(puk, "1") == "EPIPE" == alice.write(new_pin, "1"), what="the end of the pipes")
        refused(alice.finish(operation), "TimedOut", "call Again")
        ends = alice.again(operation)
        clock(EXPIRY - 5)
        assert alice.write(ends[0], "") == ""
        clock(EXPIRY + 5)
        wait_until(lambda: alice.write(ends[0], "1") == "EPIPE", what="the end of the operation")
        for reply in (alice.finish(operation), alice.again(operation), alice.cancel(operation)):
            refused(reply, "NotFound", "10 minutes after it was opened; nothing was sent")
        assert not sent(token)
        assert alice.call("Unlock", PUK, NEW_PIN).error is None


def test_a_token_that_leaves_ends_it(sandbox):
    """However shortly, and whether the codes are whole or not."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        operation, *ends = alice.open("Unlock")
        token.fault("vanish")
        wait_until(lambda: alice.write(ends[0], PUK) == "EPIPE", what="the end of the operation")
        token.clear_faults()
        for reply in (alice.finish(operation), alice.again(operation), alice.cancel(operation)):
            refused(reply, "TokenRemoved", "nothing was sent")
        # With nobody subscribed, it is seen again by who asks for all.
        assert alice.call_manager("Subscribe").error is None
        wait_until(alice.paths, what="the token again")
        assert alice.call("Unlock", PUK, NEW_PIN).error is None
    assert token.login(NEW_PIN)


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
        refused(alice.wait(alice.begin_open(method, options=BAD_OPTIONS[what])), "InvalidArgs", "[Oo]ption")
        operation, *_ends = alice.open(method)
        refused(alice.finish(operation, BAD_OPTIONS[what]), "InvalidArgs", "[Oo]ption")
        assert alice.cancel(operation).error is None


def test_arguments_of_another_type(alice):
    """What does not fit the signature does not reach a handler."""
    path = alice.token()
    for signature, arguments in ((None, []), ("(ss)", [PUK, NEW_PIN]), ("(u)", [0]), ("(ssa{sv})", [PUK, NEW_PIN, {}])):
        reply = alice.call_at(path, "org.tokend.Tokend1.Token", "Unlock", signature, arguments)
        refused(reply, "org.freedesktop.DBus.Error.InvalidArgs")


def test_255_bytes_are_not_too_many(make_sandbox):
    """As many as are documented, on a token that takes them."""
    sandbox = make_sandbox(tokens=["softhsm"])
    longest = "ş" * 127 + "1"
    with Client(sandbox, "alice") as alice:
        path = alice.find("SOFTHSM")
        assert alice.call("Unlock", PUK, longest, path=path).error is None
        assert alice.call("SetPin", longest, PIN, path=path).error is None
        refused(alice.call("SetPin", PIN, longest + "1", path=path), "InvalidArgs", "is longer than 255 bytes")
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
