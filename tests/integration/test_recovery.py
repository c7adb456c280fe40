# SPDX-License-Identifier: LGPL-2.1-or-later
"""What ends in the middle: the service, a module host, a module, a caller, the disk. No try is lost from the record."""

import configparser
import contextlib
import os
import signal

import pytest
import support
from client import NEEDS_PERSON, Client
from sandbox import wait_until

PIN, PUK, NEW_PIN, WRONG, WRONG_TOO = "1234", "12345678", "4321", "87654321", "87654322"
SENDING = ("C_Login", "C_SetPIN", "C_InitPIN")
STATE = "/var/lib/tokend"
# How the kernel ends a process differs from time to time.
DEATHS = 15
# Carol must authenticate to read the status as well.
ASK_CAROL = """polkit.addRule(function(action, subject) {
    if (subject.user == "carol" && action.id == "org.tokend.read-status") return polkit.Result.AUTH_SELF;
});"""
# A token that shows neither a number nor a flag of its PUK
MUTE = ("no-so-flags", "no-vendor-objects")


def sent(token):
    """What has been done to the token with a code, by our module hosts."""
    return [name for name in token.calls("tokend-module") if name in SENDING]


@pytest.fixture(name="alice")
def fixture_alice(sandbox):
    """A client of the bus."""
    support.trust_puk_flags(sandbox)
    with Client(sandbox, "alice") as alice:
        yield alice


def recorded(sandbox):
    """What the ledger says of the only token, as a dict."""
    ledger = configparser.ConfigParser()
    with contextlib.suppress(FileNotFoundError):
        ledger.read_string(sandbox.read_file(f"{STATE}/ledger"))
    items = (item for section in ledger.sections() for item in ledger[section].items())
    return {key: value for key, value in items if key.startswith(("pin-", "puk-"))}


def puk(alice):
    """What the service says of the PUK: state, number, source."""
    status = alice.call("Refresh").value
    return tuple(status.get(f"puk-{key}") for key in ("state", "retries-remaining", "retries-source"))


def lost(alice):
    """What the service says of the PUKs that it has sent: wrong ones, and those of which it does not know."""
    status = alice.call("Refresh").value
    return tuple(status.get(f"puk-{key}", 0) for key in ("wrong-sent", "maybe-lost"))


def kill_while_sending(sandbox, alice, code, *faults):
    """The service dies while its host is about to hand this PUK to the token, and comes back. The host is held."""
    token = sandbox.token("etoken")
    token.fault(*faults, "pause C_Login")
    before = int(recorded(sandbox).get("puk-pending", 0))
    call = alice.begin_call("Unlock", code, NEW_PIN)
    token.wait_paused()
    assert int(recorded(sandbox)["puk-pending"]) == before + 1
    sandbox.stop_tokend(signal.SIGKILL)
    assert alice.wait(call).error == "org.freedesktop.DBus.Error.NoReply"
    sandbox.start_tokend()


def let_host_finish(sandbox, *faults):
    """Lets the held host go on, and waits for its end."""
    sandbox.token("etoken").fault(*faults)
    wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")


def test_killed_while_the_code_is_on_its_way(sandbox, alice):
    """The host finishes, its successor is Busy until then, and the try counts though the token shows nothing of it."""
    token = sandbox.token("etoken")
    token.fault(*MUTE)
    assert puk(alice) == ("ok", 3, "flags")

    kill_while_sending(sandbox, alice, WRONG, *MUTE)
    assert alice.call("Unlock", PUK, NEW_PIN).error == "Busy"
    assert alice.call("SetPin", PIN, NEW_PIN).error == "Busy"
    assert puk(alice) == ("ok", None, None) and lost(alice) == (0, 1)
    assert token.counters()["puk"] == 3, "not sent yet"
    let_host_finish(sandbox, *MUTE)
    assert token.counters()["puk"] == 2
    assert puk(alice) == ("ok", None, None) and lost(alice) == (0, 1)

    kill_while_sending(sandbox, alice, WRONG_TOO, *MUTE)
    let_host_finish(sandbox, *MUTE)
    assert token.counters()["puk"] == 1
    assert puk(alice) == ("unknown", None, None) and lost(alice) == (0, 2)
    before = sent(token)
    assert alice.call("Unlock", PUK, NEW_PIN).error == "FinalAttempt"
    assert sent(token) == before

    assert alice.call("Unlock", PUK, NEW_PIN, options={"final-attempt": True}).error is None
    assert token.counters() == {"pin": 3, "puk": 3} and token.login(NEW_PIN)
    assert puk(alice) == ("ok", 3, "flags")
    assert not recorded(sandbox)
    sandbox.stop_tokend()
    sandbox.start_tokend()
    assert puk(alice) == ("ok", 3, "flags")


@pytest.mark.parametrize("start_again", [True, False], ids=["its first read", "a later one"])
def test_read_while_the_code_is_on_its_way(sandbox, alice, start_again):
    """A number that the service read before the code arrived, and hears of after that, says nothing of it."""
    token = sandbox.token("etoken")
    kill_while_sending(sandbox, alice, WRONG)
    wait_until(alice.paths, what="the token")
    if start_again:
        sandbox.stop_tokend()
    held = "pause C_CloseSession watch"
    token.fault("pause C_Login", held)
    if start_again:
        sandbox.start_tokend()
    call = None if start_again else alice.begin_call("Refresh")
    wait_until(lambda: "C_CloseSession" in sandbox.read_file(f"{token.folder}/paused"), what="the read")
    let_host_finish(sandbox, held)
    assert token.counters()["puk"] == 2

    token.clear_faults()
    wait_until(alice.paths, what="the end of the read")
    assert call is None or alice.wait(call).error is None
    sandbox.stop_tokend()
    assert recorded(sandbox)["puk-pending"] == "1"
    token.fault(*MUTE)
    sandbox.start_tokend()
    assert puk(alice) == ("ok", None, None) and lost(alice) == (0, 1)
    token.clear_faults()
    assert puk(alice) == ("low", 2, "token")
    wait_until(lambda: "puk-pending" not in recorded(sandbox), what="the record")


def test_killed_with_the_right_code_on_its_way(sandbox, alice):
    """Nobody is there to hear of it, but it is done."""
    token = sandbox.token("etoken")
    kill_while_sending(sandbox, alice, PUK)
    let_host_finish(sandbox)
    assert token.login(NEW_PIN) and token.counters() == {"pin": 3, "puk": 3}
    assert puk(alice) == ("ok", 3, "token")


@pytest.mark.parametrize(
    "faults, said, pending",
    [(MUTE, ("ok", None, None), "1"), ((), ("ok", 3, "token"), None)],
    ids=["mute token", "token with a number"],
)
def test_all_killed_before_the_code_was_sent(sandbox, alice, faults, said, pending):
    """It was pending, so it counts as spent, unless the token's own number says otherwise."""
    token = sandbox.token("etoken")
    kill_while_sending(sandbox, alice, WRONG, *faults)
    (host,) = sandbox.hosts("operate")
    sandbox.kill(host)
    token.fault(*faults)
    assert token.counters()["puk"] == 3
    assert puk(alice) == said
    wait_until(lambda: recorded(sandbox).get("puk-pending") == pending, what="the record")
    assert alice.call("Unlock", PUK, NEW_PIN).error is None, "free again"
    assert puk(alice)[:2] == ("ok", 3)


@pytest.mark.parametrize("faults, source", [(MUTE, None), ((), "token")], ids=["mute token", "token with a number"])
@pytest.mark.parametrize("when", ["before it is sent", "after"])
def test_the_host_dies(sandbox, alice, faults, source, when):
    """OutcomeUnknown, a status that does not promise too much, and the token free again."""
    token = sandbox.token("etoken")
    # By a signal from outside, and in the module itself
    token.fault(*faults, "pause C_Login" if when == "before it is sent" else "crash C_Login 1 after")
    call = alice.begin_call("Unlock", WRONG, NEW_PIN)
    if when == "before it is sent":
        token.wait_paused()
        (host,) = sandbox.hosts("operate")
        sandbox.kill(host)
    reply = alice.wait(call)
    token.fault(*faults)

    spent = 0 if when == "before it is sent" else 1
    assert reply.error == "OutcomeUnknown"
    assert token.counters()["puk"] == 3 - spent
    assert puk(alice)[1:] == ((3 - spent if source == "token" else None), source)
    assert source == "token" or lost(alice) == (0, 1)
    assert alice.call("Unlock", PUK, NEW_PIN).error is None
    assert token.login(NEW_PIN) and not recorded(sandbox)


def test_what_the_module_has_started_keeps_no_token(sandbox, alice):
    """A process that the host's module forked goes on when the host dies: the service hears of the host's end, and the token
    is free."""
    token = sandbox.token("etoken")
    token.fault("child C_OpenSession operate", "pause C_Login")
    call = alice.begin_call("Unlock", PUK, NEW_PIN)
    token.wait_paused()
    number = int(sandbox.read_file(f"{token.folder}/paused").split()[0])
    host = sandbox.processes()[number][0]
    (child,) = set(sandbox.hosts("operate")) - {host}
    sandbox.kill(host)
    assert alice.wait(call).error == "OutcomeUnknown"
    token.clear_faults()
    assert alice.call("Unlock", PUK, NEW_PIN).error is None
    assert token.login(NEW_PIN)
    assert child in sandbox.hosts("operate")
    sandbox.kill(child)


@pytest.mark.long
def test_a_module_hangs_with_the_code(make_sandbox):
    """OutcomeUnknown when the deadline has passed, Busy while the host is there, and others are served meanwhile."""
    sandbox = make_sandbox(tokens=["etoken", "etoken"])
    token, other = sandbox.token("etoken"), sandbox.token("etoken2")
    with Client(sandbox, "alice") as alice, Client(sandbox, "alice") as rival:
        path, other_path = alice.find("ETOKEN"), alice.find("ETOKEN2")
        token.fault("hang C_Login")
        call = alice.begin_call("Unlock", WRONG, NEW_PIN, path=path)
        wait_until(lambda: "HANG" in token.results("C_Login"), what="the hang")
        assert rival.call("Unlock", PUK, NEW_PIN, path=other_path).error is None
        assert other.login(NEW_PIN)
        assert rival.call("Refresh", path=path).error is None
        assert rival.call("Unlock", PUK, NEW_PIN, path=path).error == "Busy"

        assert alice.wait(call, timeout=90).error == "OutcomeUnknown"
        assert rival.call("Unlock", PUK, NEW_PIN, path=path).error == "Busy"
        assert rival.call("Refresh", path=other_path).error is None
        token.clear_faults()
        (host,) = sandbox.hosts("operate")
        sandbox.kill(host)
        assert rival.call("Unlock", PUK, NEW_PIN, path=path).error is None
        assert token.login(NEW_PIN)


@contextlib.contextmanager
def read_only_folder(sandbox):
    folder = sandbox.path(STATE)
    before = os.stat(folder)
    os.chown(folder, 0, before.st_gid)
    os.chmod(folder, 0o550)
    yield
    os.chown(folder, before.st_uid, before.st_gid)
    os.chmod(folder, before.st_mode & 0o7777)


@contextlib.contextmanager
def full_disk(sandbox):
    def root(*argv):
        finished = sandbox.run("root", [*argv])
        assert finished.returncode == 0, finished.stderr

    root("mount", "-t", "tmpfs", "-o", "size=4k,uid=tokend,gid=tokend,mode=700", "tmpfs", STATE)
    root("dd", "if=/dev/zero", f"of={STATE}/full", "bs=4096", "count=1")
    yield
    root("umount", STATE)


@pytest.mark.parametrize("obstacle", [read_only_folder, full_disk])
@pytest.mark.parametrize("method", ["Unlock", "SetPin"])
def test_what_cannot_be_recorded_is_not_sent(sandbox, alice, obstacle, method):
    """No code goes without its entry on the disk; the error says so, and the next one goes."""
    token, code = sandbox.token("etoken"), PUK if method == "Unlock" else PIN
    with obstacle(sandbox):
        reply = alice.call(method, code, NEW_PIN)
        assert reply.error == "Failed"
        assert "recorded" in reply.message and "nothing was sent" in reply.message
        assert not sent(token)
        assert alice.call("Refresh").error is None
        assert alice.call(method, code, NEW_PIN).error == "Failed", "and not Busy"
    assert alice.call(method, code, NEW_PIN).error is None
    assert token.login(NEW_PIN)


# The service takes each for a ledger that it cannot read.
BAD_LEDGERS = {
    "empty": "",
    "cut": "[ledger]\nversion=2\n",
    "newer": "[ledger]\nversion=99\n",
    "older": "[ledger]\nversion=1\n",
    "garbage": "\0\x7f not a key file",
    "bad number": "[ledger]\nversion=2\n\n[0]\npuk-spent=many\n",
}


@pytest.mark.parametrize("content", BAD_LEDGERS.values(), ids=BAD_LEDGERS)
def test_a_ledger_that_cannot_be_read(sandbox, alice, content):
    """The service starts, says so, keeps the file, and takes for spent what no token's own number denies."""
    token = sandbox.token("etoken")
    token.fault(*MUTE)
    sandbox.stop_tokend()
    sandbox.write_file(f"{STATE}/ledger", content)
    os.chmod(sandbox.path(f"{STATE}/ledger"), 0o644)
    sandbox.start_tokend()
    assert "cannot be read" in sandbox.journal()
    assert sandbox.read_file(f"{STATE}/ledger.unreadable") == content
    assert puk(alice) == ("unknown", None, None)
    assert alice.call("Unlock", WRONG, NEW_PIN).error == "FinalAttempt"
    assert not sent(token)

    sandbox.stop_tokend()
    sandbox.start_tokend()
    assert puk(alice) == ("unknown", None, None), "still so, although nothing is wrong with the file any more"

    token.clear_faults()
    assert puk(alice) == ("ok", 3, "token")
    token.fault(*MUTE)
    assert alice.call("Unlock", PUK, NEW_PIN, options={"final-attempt": True}).error is None
    assert puk(alice) == ("ok", 3, "flags")
    assert token.login(NEW_PIN)


def is_owned(client):
    """Whether there is a service on the bus."""
    question = ["/", "org.freedesktop.DBus", "NameHasOwner", "(s)", ["org.tokend.Tokend1"]]
    return client.call_at(*question, destination="org.freedesktop.DBus").value


@pytest.mark.parametrize("victim", ["tokend", "host"])
def test_asked_to_end_in_the_middle(sandbox, alice, victim):
    """SIGTERM, as at shutdown: what is under way completes, and its caller hears of it."""
    token = sandbox.token("etoken")
    token.fault("pause C_Login")
    call = alice.begin_call("Unlock", PUK, NEW_PIN)
    token.wait_paused()
    tokend = sandbox.tokend()
    (host,) = sandbox.hosts("operate")
    os.kill(tokend if victim == "tokend" else host, signal.SIGTERM)
    if victim == "tokend":
        wait_until(lambda: not is_owned(alice), what="tokend without its name")
    assert os.path.exists(f"/proc/{tokend}") and not alice.is_answered(call)

    token.clear_faults()
    reply = alice.wait(call)
    assert reply.error is None and reply.value["puk-state"] == "ok"
    assert token.login(NEW_PIN) and not recorded(sandbox)
    if victim == "tokend":
        wait_until(lambda: not os.path.exists(f"/proc/{tokend}"), what="tokend's end")


def assert_that_it_ends_without_a_try(sandbox, caller, call):
    """Asked to end, the service answers a call that has sent nothing, and is gone: it waits neither for a person nor for a code."""
    tokend = sandbox.tokend()
    os.kill(tokend, signal.SIGTERM)
    reply = caller.wait(call)
    wait_until(lambda: not os.path.exists(f"/proc/{tokend}"), what="tokend's end")
    assert reply.error == "ServiceEnding" and "nothing was sent" in reply.message
    wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
    token = sandbox.token("etoken")
    assert not sent(token) and not recorded(sandbox) and token.counters() == {"pin": 3, "puk": 3}


@pytest.mark.parametrize("method", ["Unlock", "SetPin", "Refresh"])
def test_asked_to_end_while_a_person_is_asked(sandbox, method):
    """The prompt is withdrawn; what it was for is not done, and is done once it is asked for again."""
    code = {"Unlock": [PUK, NEW_PIN], "SetPin": [PIN, NEW_PIN]}.get(method, [])
    if not code:
        sandbox.write_file("/etc/polkit-1/rules.d/10-read.rules", ASK_CAROL)
    with Client(sandbox, "carol") as caller, Client(sandbox, "carol") as agent:
        agent.become_agent(caller.number)
        if not code:
            wait_until(lambda: caller.call(method).error == NEEDS_PERSON, what="the rule")
        call = caller.begin_call(method, *code, interactive=True)
        prompt = agent.expect_event("prompt")
        assert_that_it_ends_without_a_try(sandbox, caller, call)
        assert agent.expect_event("withdrawn")["cookie"] == prompt["cookie"]

        sandbox.start_tokend()
        call = caller.begin_call(method, *code, interactive=True)
        agent.grant(sandbox, agent.expect_event("prompt")["cookie"])
        assert caller.wait(call).error is None


@pytest.mark.parametrize("method", ["Unlock", "Refresh"])
def test_asked_to_end_while_the_token_is_read(sandbox, alice, method):
    """The caller is answered, whether the module ever does; what it would have sent is not sent."""
    token = sandbox.token("etoken")
    token.fault("pause C_GetTokenInfo watch")
    call = alice.begin_call(method, *([PUK, NEW_PIN] if method == "Unlock" else []))
    token.wait_paused()
    assert_that_it_ends_without_a_try(sandbox, alice, call)


def test_asked_to_end_while_a_code_is_awaited(sandbox, alice):
    """No code is sent that comes after that."""
    operation, puk, _new_pin = alice.open("Unlock")
    assert alice.write(puk, PUK) == ""
    call = alice.begin_finish(operation)
    # What is called after it is answered: it waits for the end of the pipes.
    assert alice.call("GetStatus").error is None and not alice.is_answered(call)
    assert_that_it_ends_without_a_try(sandbox, alice, call)


def test_asked_to_end_while_a_module_loads(make_sandbox):
    """Who waits for an operation's end is not there for others any more, whatever becomes of the modules meanwhile."""
    sandbox = make_sandbox(["etoken", "etoken"])
    token, slow = sandbox.tokens.values()
    slow.fault("hang-on-load")
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox, "alice") as alice:
        path = alice.find(token.label)
        token.fault("pause C_Login")
        call = alice.begin_call("Unlock", PUK, NEW_PIN, path=path)
        token.wait_paused()
        os.kill(sandbox.tokend(), signal.SIGTERM)
        wait_until(lambda: not is_owned(alice), what="tokend without its name")
        assert "Module etoken2 failed" not in sandbox.journal()
        wait_until(lambda: "Module etoken2 failed" in sandbox.journal(), what="the end of the loading")
        alice.settle()
        assert not is_owned(alice)
        token.clear_faults()
        assert alice.wait(call).error is None
    slow.clear_faults()
    wait_until(lambda: not sandbox.tokend(), what="the end of tokend")


@pytest.mark.parametrize("method", ["Unlock", "SetPin"])
def test_the_caller_leaves_before_the_code_is_sent(sandbox, alice, method):
    """Nothing is sent, and the token is free again; here while the operating host prepares."""
    token, code = sandbox.token("etoken"), PUK if method == "Unlock" else PIN
    token.fault("pause C_OpenSession operate")
    with Client(sandbox, "alice") as leaver:
        leaver.begin_call(method, code, NEW_PIN)
        token.wait_paused()
        assert alice.call(method, code, NEW_PIN).error == "Busy"
        leaver.kill()
        has_owner = ["/", "org.freedesktop.DBus", "NameHasOwner", "(s)", [leaver.bus_name]]
        wait_until(lambda: not alice.call_at(*has_owner, destination="org.freedesktop.DBus").value, what="its end")
    # The bus tells tokend of the end before it hands on this call; from its reply on tokend knows.
    assert alice.call("Refresh").error is None
    token.clear_faults()
    wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
    assert not sent(token)
    assert alice.call(method, code, NEW_PIN).error is None, "the token is free again"
    assert token.login(NEW_PIN)


def test_the_caller_dies_in_the_middle_of_the_code(sandbox, alice):
    """Its death ends the pipes, as a writer does who is done: what came until then is not taken for the code."""
    token, path = sandbox.token("etoken"), alice.token()
    for _ in range(DEATHS):
        with support.Client(sandbox) as writer:
            writer.feed(writer.begin_operation("Unlock", path, None, NEW_PIN), PUK[:6])
            processes = sandbox.processes().values()
            sandbox.kill(*(outside for outside, _, argv in processes if argv[-1:] == [support.CLIENT]))
        wait_until(lambda: not sandbox.hosts("operate"), what="its end")
        assert not sent(token) and token.counters() == {"pin": 3, "puk": 3}
    assert alice.call("Unlock", PUK, PIN).error is None, "the token is free again"


@pytest.mark.parametrize("method, function", [("Unlock", "C_Login"), ("Unlock", "C_InitPIN"), ("SetPin", "C_SetPIN")])
def test_the_caller_leaves_after_the_code_was_sent(sandbox, alice, method, function):
    """The operation completes, and its outcome is recorded."""
    token, code = sandbox.token("etoken"), PUK if method == "Unlock" else PIN
    token.fault(f"pause {function}")
    with Client(sandbox, "alice") as leaver:
        leaver.begin_call(method, code, NEW_PIN)
        token.wait_paused()
        leaver.kill()
    assert alice.call(method, code, NEW_PIN).error == "Busy"
    token.clear_faults()
    wait_until(lambda: not sandbox.hosts("operate"), what="the operation's end")
    assert token.login(NEW_PIN)
    wait_until(lambda: not recorded(sandbox), what="its outcome in the ledger")


def test_a_path_is_never_given_out_twice(make_sandbox):
    """A client that kept one from before a restart must not reach another token with it."""
    sandbox = make_sandbox(["etoken", "etoken"])
    listing = ["busctl", "tree", "--list", "org.tokend.Tokend1"]

    def paths():
        return {line for line in sandbox.run("alice", listing).stdout.splitlines() if "/tokens/" in line}

    before = paths()
    sandbox.stop_tokend()
    sandbox.start_tokend()
    assert len(before) == 2 and len(paths()) == 2
    assert not before & paths()
