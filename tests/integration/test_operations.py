# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Unlock and SetPin open: it is looked at again when it is finished, ends with what it was allowed for, and holds up nobody."""

import contextlib
import os
import re
import signal
import subprocess
import time

import pytest
from card_user import CardUser
from client import OPERATION, TOKEN, Client
from flood import CALLS_IN_FLIGHT_MAX, PROGRESS, Flood, call
from journal import Journal
from sandbox import PYTHON, SOURCE, wait_until
from support import logind, nothing_sent

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
WRONG_PIN, WRONG_PUK = "9999", "99999999"
RULES = "/etc/polkit-1/rules.d/20-operations.rules"
IDLE = 30
# How long an operation is open, in seconds
EXPIRY = 600
# What one user is told within an hour
REFUSALS = 5

with open(f"{SOURCE}/service/journal/journal.h", encoding="utf-8") as header:
    IDS = dict(re.findall(r'^#define TOKEND_MESSAGE_(\w+) "(\w+)"$', header.read(), re.MULTILINE))


def refused(reply, error, words=""):
    """Whether that is the answer."""
    assert reply.error == error and words in reply.message, reply


def ended(client, operation, error, words=""):
    """Whether every method says that it is over, and why."""
    for reply in (client.finish(operation), client.again(operation), client.cancel(operation)):
        refused(reply, error, words)


def open_and_write(client, method="Unlock", code=PUK, path=None):
    """Opens an operation, and hands its codes over; returns its path."""
    operation, *ends = client.open(method, path)
    client.hand_over(ends, (code, NEW_PIN))
    return operation


def kill_watching_host(sandbox):
    (host,) = sandbox.hosts("watch")
    sandbox.kill(host)


# What can have changed


def test_a_session_that_is_not_active_any_more(sandbox):
    """Who walks away from the screen, or is sent away, does not send the code of who comes next."""
    token = sandbox.token("etoken")
    with logind(sandbox) as login, Client(sandbox, "alice") as alice:
        login.set_active(True)
        operation = open_and_write(alice)
        with nothing_sent(token):
            login.set_active(False)
            refused(alice.finish(operation), "NotAuthorized", "was active when the operation was opened")
            login.set_active(True)
            ended(alice, operation, "NotAuthorized", "was active")
    assert token.counters() == {"pin": 3, "puk": 3}


def test_a_session_that_was_never_active(sandbox):
    """Polkit's word alone counts for it, as where nobody tells of sessions; and whether it has become active since or not."""
    with logind(sandbox) as login, Client(sandbox, "alice") as alice:
        assert alice.finish(open_and_write(alice)).error is None
        operation = open_and_write(alice)
        login.set_active(True)
        assert alice.finish(operation).error is None


def test_a_session_that_nobody_tells_of_any_more(sandbox):
    """It was active: what is not known is a no."""
    with logind(sandbox) as login, Client(sandbox, "alice") as alice, nothing_sent(sandbox.token("etoken")):
        login.set_active(True)
        operation = open_and_write(alice)
        login.fall_silent()
        refused(alice.finish(operation), "NotAuthorized", "is not now")


def test_a_session_that_is_active_only_once_a_person_is_asked(sandbox):
    """Who comes to the screen to answer the prompt, and leaves it, does not send the code of who comes next."""
    with logind(sandbox, "carol") as login, Client(sandbox, "carol") as carol, Client(sandbox, "carol") as agent:
        agent.become_agent(carol.number)
        opening = carol.begin_open("Unlock", carol.token(), interactive=True)
        cookie = agent.expect_event("prompt")["cookie"]
        login.set_active(True)
        agent.grant(sandbox, cookie)
        operation, *ends = carol.end_open(opening)
        carol.hand_over(ends, (PUK, NEW_PIN))
        login.set_active(False)
        with nothing_sent(sandbox.token("etoken")):
            refused(carol.finish(operation), "NotAuthorized", "was active when the operation was opened")


def test_a_session_that_nobody_told_of_when_it_was_opened(sandbox):
    """It may have been active: where it is not now, nothing is sent."""
    with logind(sandbox) as login, Client(sandbox, "alice") as alice:
        login.fall_silent()
        operation = open_and_write(alice)
        login.set_active(False)
        with nothing_sent(sandbox.token("etoken")):
            refused(alice.finish(operation), "NotAuthorized", "is not known")
        login.fall_silent()
        operation = open_and_write(alice)
        login.set_active(True)
        assert alice.finish(operation).error is None


def test_polkit_says_no_meanwhile(sandbox):
    """An outright no ends it, also if polkit changes its mind once more."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice, Client(sandbox, "alice") as other, nothing_sent(token):
        path = alice.token()
        operation = open_and_write(alice, path=path)
        sandbox.write_file(
            RULES,
            'polkit.addRule(function(action) { if (action.id === "org.tokend.unlock") return polkit.Result.NO; });',
        )
        wait_until(lambda: other.wait(other.begin_open("Unlock", path)).error == "NotAuthorized", what="the rule")
        refused(alice.finish(operation), "NotAuthorized", "polkit does not allow")
        os.unlink(sandbox.path(RULES))
        ended(alice, operation, "NotAuthorized", "polkit does not allow")


def test_two_on_one_token(sandbox):
    """Both are open at a time; one code goes to it at a time, and the other one looks again at what is left then."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as first, Client(sandbox, "alice") as second:
        path = first.token()
        operations = [open_and_write(client, "SetPin", WRONG_PIN, path) for client in (first, second)]
        token.fault("pause C_Login")
        finishing = first.begin_finish(operations[0])
        token.wait_paused()
        refused(second.finish(operations[1], {"expected-retries": 3}), "Busy", "nothing was sent")
        token.clear_faults()
        refused(first.wait(finishing), "PinIncorrect")
        second.hand_over(second.again(operations[1]), (PIN, NEW_PIN))
        refused(second.finish(operations[1], {"expected-retries": 3}), "RetriesChanged", "nothing was sent")
        assert token.counters() == {"pin": 2, "puk": 3}
        second.hand_over(second.again(operations[1]), (PIN, NEW_PIN))
        assert second.finish(operations[1], {"expected-retries": 2}).error is None
    assert token.login(NEW_PIN)


def test_a_last_try_needs_the_word_of_finish(sandbox):
    """An opening says nothing of it; without the word in Finish nothing is sent, and it can be said with the next one."""
    token = sandbox.token("etoken")
    token.wrong_puk(2)
    with Client(sandbox, "alice") as alice:
        operation = open_and_write(alice)
        with nothing_sent(token):
            refused(alice.finish(operation), "FinalAttempt", "nothing was sent")
        alice.hand_over(alice.again(operation), (PUK, NEW_PIN))
        assert alice.finish(operation, {"final-attempt": True}).error is None
    assert token.login(NEW_PIN)


# How it ends


def test_cancelled_while_it_is_finished(sandbox):
    """While nothing is recorded yet nothing is sent, and Finish says so."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice, nothing_sent(token):
        operation, *ends = alice.open("Unlock")
        finishing = alice.begin_finish(operation)
        assert alice.cancel(operation).error is None
        refused(alice.wait(finishing), "NotFound", "was cancelled; nothing was sent")
        ended(alice, operation, "NotFound", "was cancelled")
        assert [alice.write(end, PUK) for end in ends] == ["EPIPE", "EPIPE"]

        operation = open_and_write(alice, path=alice.token())
        token.fault("pause C_OpenSession operate")
        finishing = alice.begin_finish(operation)
        token.wait_paused()
        assert alice.cancel(operation).error is None
        token.clear_faults()
        refused(alice.wait(finishing), "NotFound", "was cancelled; nothing was sent")


def test_not_cancelled_once_the_try_is_recorded(sandbox):
    """Then the code goes, and Finish says what came of it."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        operation = open_and_write(alice, "SetPin", WRONG_PIN)
        token.fault("pause C_Login")
        finishing = alice.begin_finish(operation)
        token.wait_paused()
        for reply in (alice.cancel(operation), alice.again(operation), alice.finish(operation)):
            refused(reply, "Busy")
        token.clear_faults()
        refused(alice.wait(finishing), "PinIncorrect")
        ended(alice, operation, "NotFound", "has sent a code")
    assert token.counters() == {"pin": 2, "puk": 3}


def told_that_a_code_was_sent(client, operation, finishing, errors):
    """By Finish, and afterwards by whatever is called."""
    reply = client.wait(finishing)
    assert reply.error in errors and "nothing was sent" not in reply.message, reply
    ended(client, operation, "NotFound", "has sent a code")


@pytest.mark.without_sanitizer
def test_expired_while_the_code_is_on_its_way(sandbox, clock):
    """The code goes, and nobody is told afterwards that nothing was sent."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        operation, *ends = alice.open("SetPin")
        clock(EXPIRY - 30)
        alice.hand_over(ends, (WRONG_PIN, NEW_PIN))
        token.fault("pause C_Login")
        finishing = alice.begin_finish(operation)
        token.wait_paused()
        clock(EXPIRY + 5)
        token.clear_faults()
        told_that_a_code_was_sent(alice, operation, finishing, ["PinIncorrect"])
    assert token.counters() == {"pin": 2, "puk": 3}


@pytest.mark.parametrize("what", ["removed", "not watched"])
def test_out_of_sight_while_the_code_is_on_its_way(sandbox, what):
    """Likewise; what the token answers is its own affair."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        path = alice.token()
        operation = open_and_write(alice, "SetPin", WRONG_PIN, path)
        token.fault("pause C_Login")
        finishing = alice.begin_finish(operation)
        token.wait_paused()
        if what == "removed":
            token.fault("pause C_Login", "vanish")
            wait_until(lambda: alice.call("Refresh", path=path).error not in (None, "Busy"), what="the removal")
        else:
            kill_watching_host(sandbox)
            wait_until(lambda: alice.paths() and alice.call("Refresh").error is None, what="the token again")
        token.clear_faults()
        told_that_a_code_was_sent(alice, operation, finishing, ["PinIncorrect", "OutcomeUnknown"])


def test_a_watching_host_that_ends(sandbox):
    """Until the next one reads the token another may be in its place: nothing is sent, and a new operation does it."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        operation = open_and_write(alice)
        with nothing_sent(token):
            kill_watching_host(sandbox)
            wait_until(lambda: alice.paths() and alice.call("Refresh").error is None, what="the token again")
            ended(alice, operation, "TokenRemoved", "could not be watched")
        assert alice.call("Unlock", PUK, NEW_PIN).error is None
    assert token.login(NEW_PIN)


@pytest.mark.parametrize("kind", ["piv-card", "openpgp-card"])
def test_a_card_that_is_put_in_again_at_once(make_sandbox, kind):
    """However short it was out: pcscd counts insertions, so that whoever watches need not look in just that moment."""
    sandbox = make_sandbox([kind])
    card = sandbox.token(kind)
    with Client(sandbox, "alice") as alice, CardUser(sandbox) as user, nothing_sent(card):
        for method in ("Subscribe", "Unsubscribe", "Subscribe", "Unsubscribe"):
            assert alice.call_manager("Subscribe").error is None
            wait_until(alice.paths, what="the card")
            path = alice.paths()[0]
            wait_until(lambda path=path: alice.call("Refresh", path=path).error is None, what="a look at the card")
            assert alice.call_manager(method).error is None
            operation = open_and_write(alice, "SetPin", "111111", path)
            (host,) = sandbox.hosts("watch")
            sandbox.kill(host, signal.SIGSTOP)
            user.put_in_again(card)
            sandbox.kill(host, signal.SIGCONT)
            refused(alice.finish(operation), "TokenRemoved", "if only for a moment")
            ended(alice, operation, "TokenRemoved", "if only for a moment")


def test_a_module_that_is_slow_to_tell_of_what_is_there(make_sandbox):
    """Some tell of each token once, at the first wait, as if it had just been put in: none has left."""
    sandbox = make_sandbox(["etoken:slot-events=yes"])
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        path = alice.token()
        token.fault("pause C_WaitForSlotEvent")
        opening = alice.begin_open("Unlock", path)
        token.wait_paused()
        # As long as no module needs to tell of what it had to tell at once.
        time.sleep(0.2)
        assert not alice.is_answered(opening)
        token.clear_faults()
        operation, *ends = alice.end_open(opening)
        wait_until(lambda: "CKR_OK" in token.results("C_WaitForSlotEvent"), what="the event")
        for _ in range(3):
            assert alice.call("Refresh", path=path).error is None
        alice.hand_over(ends, (PUK, NEW_PIN))
        assert alice.finish(operation).error is None
    assert token.login(NEW_PIN)


def test_a_caller_that_leaves_before_it_is_finished(sandbox):
    """Nothing is sent, whatever was written."""
    token = sandbox.token("etoken")
    with nothing_sent(token), Client(sandbox, "alice") as onlooker:
        with Client(sandbox, "alice") as alice:
            open_and_write(alice)
        assert onlooker.call("SetPin", "1", NEW_PIN).error == "InvalidArgs"


def test_a_service_that_is_started_again(sandbox):
    """What was open is not there any more; nothing was sent."""
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice, nothing_sent(token):
        operation = open_and_write(alice)
        sandbox.restart_tokend()
        refused(alice.finish(operation), "NotFound", "nothing was sent")


@pytest.mark.without_sanitizer
def test_it_keeps_the_service(sandbox, clock):
    """Which leaves a while after it has ended."""
    sandbox.stop_tokend()
    sandbox.start_tokend("--may-leave")
    tokend = sandbox.tokend()
    with Client(sandbox, "alice") as alice:
        operation, *ends = alice.open("Unlock")
        clock(4 * IDLE)
        # A call is a use of it, and so there is none: what is written wakes it up.
        clock(8 * IDLE, quietly=True)
        assert alice.write(ends[0], PUK) == ""
        time.sleep(1)
        assert sandbox.tokend() == tokend
        alice.close_all()
        assert alice.cancel(operation).error is None
        wait_until(lambda: sandbox.tokend() is None, 2 * IDLE, "the service's leave")


# What is told of refused codes


def test_a_free_oracle(sandbox):
    """Whether a code was refused before is told five times an hour; then it is not even looked, and a code goes with the word."""
    token = sandbox.token("etoken")
    with Journal(sandbox) as journal:
        with Client(sandbox, "alice") as alice:
            assert alice.call("SetPin", WRONG_PIN, NEW_PIN).error == "PinIncorrect"
        with nothing_sent(token):
            for _ in range(REFUSALS):
                with Client(sandbox, "alice") as alice:
                    refused(alice.call("SetPin", WRONG_PIN, NEW_PIN), "AlreadyRefused", "nothing was sent")
            for code in (WRONG_PIN, PIN, "8888"):
                with Client(sandbox, "alice") as alice:
                    refused(alice.call("SetPin", code, NEW_PIN), "LimitsExceeded", "send-refused-code")
        told = journal.wait_entries(REFUSALS, MESSAGE_ID=IDS["ALREADY_REFUSED"])
        assert len(told) == REFUSALS
        for entry in told:
            assert entry["TOKEND_OUTCOME"] == "AlreadyRefused" and entry["TOKEND_SPENT"] == "no"
            assert entry["TOKEND_UID"] == str(sandbox.user_id("alice"))
        with Client(sandbox, "root") as other:
            refused(other.call("SetPin", WRONG_PIN, NEW_PIN), "AlreadyRefused")
        with Client(sandbox, "alice") as alice:
            assert alice.call("SetPin", PIN, NEW_PIN, options={"send-refused-code": True}).error is None
    assert token.login(NEW_PIN)


def test_nothing_is_told_without_finish(sandbox):
    """Of a code that was refused before, an opening and what is written say nothing; nor does who leaves learn it."""
    with Journal(sandbox) as journal:
        with Client(sandbox, "alice") as alice:
            assert alice.call("SetPin", WRONG_PIN, NEW_PIN).error == "PinIncorrect"
        for _ in range(REFUSALS + 1):
            with Client(sandbox, "alice") as alice:
                assert alice.cancel(open_and_write(alice, "SetPin", WRONG_PIN)).error is None
            with Client(sandbox, "alice") as alice:
                open_and_write(alice, "SetPin", WRONG_PIN)
        with Client(sandbox, "alice") as alice:
            refused(alice.call("SetPin", WRONG_PIN, NEW_PIN), "AlreadyRefused")
        assert len(journal.wait_entries(1, MESSAGE_ID=IDS["ALREADY_REFUSED"])) == 1


# Nobody is held up


def test_callers_that_never_read(sandbox):
    """Two users open as many operations as they may and ask for more, and read nothing: another one is served as ever."""
    token = sandbox.token("etoken")
    # Of more users than one
    os.mkdir(sandbox.path(PROGRESS))
    os.chmod(sandbox.path(PROGRESS), 0o1777)
    sandbox.write_file(RULES, "polkit.addRule(function(action) { return polkit.Result.YES; });")
    with Client(sandbox, "alice") as alice, Client(sandbox, "bob") as bob, contextlib.ExitStack() as stack:
        path = alice.token()
        wait_until(lambda: bob.call("GetStatus", path=path).error is None, what="the rule")
        calls = [call(path, TOKEN, method, "options") for method in ("Unlock", "SetPin", "GetStatus")]
        deaf = [stack.enter_context(Flood(sandbox, user, 4)) for user in ("bob", "carol")]
        for source in deaf:
            source.send(calls, 4 * CALLS_IN_FLIGHT_MAX, reads=False)
        wait_until(lambda: bob.wait(bob.begin_open("Unlock", path)).error == "LimitsExceeded", what="all that bob may open")
        for _ in range(20):
            assert alice.call("Refresh", path=path).error is None
        assert alice.finish(open_and_write(alice, path=path)).error is None
    assert token.login(NEW_PIN)


# The kernel's number of close().
CLOSE = {"x86_64": "3", "aarch64": "57"}[os.uname().machine]


def tcp_sockets(process):
    """As they are called below /proc, of the process's network."""
    with open(f"/proc/{process}/net/tcp", encoding="ascii") as file:
        return {f"socket:[{line.split()[9]}]" for line in file.readlines()[1:]}


def waiting_in_close(sandbox):
    """The threads of tokend that are in close(), by the kernel's word."""
    tokend = sandbox.tokend()
    calls = {}
    for task in os.listdir(f"/proc/{tokend}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{tokend}/task/{task}/syscall", encoding="ascii") as file:
            calls[task] = file.read().split()[0]
    return [task for task, number in calls.items() if number == CLOSE]


LINGERING = """
import array, socket, struct, sys
listener = socket.create_server(("127.0.0.1", 0))
near = socket.create_connection(listener.getsockname())
far, _ = listener.accept()
near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 20))
near.setblocking(False)
try:
    while True:
        near.send(b"x" * 65536)
except BlockingIOError:
    pass
near.setblocking(True)
from gi.repository import Gio, GLib
bus = Gio.bus_get_sync(Gio.BusType.SYSTEM)
fds = Gio.UnixFDList.new_from_array([near.detach()])
kinds = {"Finish": "(a{sv})", "Unlock": "(a{sv})"}
path, interface, member = sys.argv[1:]
body = GLib.Variant("(a{sv})", ({},)) if member in kinds else None
try:
    bus.call_with_unix_fd_list_sync("org.tokend.Tokend1", path, interface, member, body, None, 0, 5000, fds, None)
    print("it was let in", flush=True)
except GLib.Error as error:
    print(Gio.DBusError.get_remote_error(error) or error.message, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "place", [("/no/such/path", TOKEN, "Unlock"), ("token", TOKEN, "Unlock"), ("operation", OPERATION, "Finish")]
)
def test_a_descriptor_whose_closing_waits(sandbox, place):
    """It is closed by the bus, which waits; no thread of tokend has it, or waits in close()."""
    sandbox.run("root", ["ip", "link", "set", "lo", "up"])
    where, interface, member = place
    with Client(sandbox, "alice") as alice:
        token = alice.token()
        operation = alice.open("Unlock", token)[0]
        path = {"token": token, "operation": operation}.get(where, where)
        sender = sandbox.popen(
            "alice", [PYTHON, "-c", LINGERING, path, interface, member], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            answer = sender.stdout.readline().decode().strip()
            # The bus says no, or waits for so long that nothing comes from it.
            assert answer == "org.freedesktop.DBus.Error.AccessDenied" or "imeout" in answer, answer
            for _ in range(50):
                assert not waiting_in_close(sandbox)
                time.sleep(0.02)
            held = {os.readlink(f"/proc/{sandbox.tokend()}/fd/{fd}") for fd in os.listdir(f"/proc/{sandbox.tokend()}/fd")}
            there = tcp_sockets(sandbox.tokend())
            assert there and not held & there
        finally:
            sender.kill()
            sender.wait()
            sender.stdin.close()
            sender.stdout.close()


def test_the_codes_are_not_read(sandbox):
    """strace shows that the service polls the pipes, and reads none of them."""
    with Client(sandbox, "alice") as alice:
        command = ["strace", "-f", "-y", "-e", "trace=poll,ppoll,read,readv,pread64,recvfrom,recvmsg,splice,tee", "-o"]
        tracer = subprocess.Popen(
            [*command, sandbox.path("/run") + "/op-strace", "-p", str(sandbox.tokend())], stderr=subprocess.PIPE
        )
        try:
            assert b"attached" in tracer.stderr.readline()
            assert alice.call("Unlock", PUK, NEW_PIN).error is None
        finally:
            tracer.terminate()
            tracer.wait()
            tracer.stderr.close()
    lines = sandbox.read_file("/run/op-strace").splitlines()
    asked = {match[1] for match in (re.search(r"(\w+)\(\[?(?:\{fd=)?\d+<pipe:", line) for line in lines) if match}
    assert asked and asked <= {"poll", "ppoll"}
