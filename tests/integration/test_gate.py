# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what, and who learns what: real users before the real polkitd."""

import contextlib
import os
import signal
import time

import pytest
from client import MANAGER, NEEDS_PERSON, ROOT_PATH, TOKEN, Client
from sandbox import wait_until

PIN, PUK, NEW_PIN, WRONG = "1234", "12345678", "4321", "87654321"
NOT_AUTHORIZED = 3  # tokenctl's exit status
SENDING = ("C_Login", "C_SetPIN", "C_InitPIN")
# polkit's silence is a no after 17 s.
WITHOUT_POLKIT = 20
# polkitd stops a rule that has run for so long, and answers.
POLKITS_PATIENCE = 15
# A prompt that nobody answers is withdrawn then, in seconds.
PROMPT_DEADLINE = 10 * 60
ACCESS_DENIED = "org.freedesktop.DBus.Error.AccessDenied"
READ, UNLOCK, SET_PIN = "org.tokend.read-status", "org.tokend.unlock", "org.tokend.set-pin"
ACTIONS = {"Unlock": UNLOCK, "SetPin": SET_PIN}


def sent(token):
    """What has been done to the token with a code, by our module hosts."""
    return [name for name in token.calls("tokend-module") if name in SENDING]


@pytest.fixture(name="client")
def fixture_client(sandbox):
    """Gives a function from a user to a new client of the bus."""
    clients = []

    def connect(user):
        clients.append(Client(sandbox, user))
        return clients[-1]

    yield connect
    for client in clients:
        client.kill()


def ask_everything(client, path, **options):
    """The errors that every method answers, as a dict."""
    answers = {method: client.call_manager(method) for method in ("Subscribe", "Unsubscribe", "GetModules")}
    answers |= {method: client.call(method, path=path) for method in ("GetStatus", "Refresh")}
    for method in ("Unlock", "SetPin"):
        answers[method] = client.call(method, WRONG, NEW_PIN, path=path, options=options)
        answers[f"{method}, interactive"] = client.call(
            method, WRONG, NEW_PIN, path=path, options=options, interactive=True
        )
    return {method: (answer.error, answer.message, answer.value) for method, answer in answers.items()}


def action_of(method):
    """A method's polkit action; method: as ask_everything() calls it."""
    return ACTIONS.get(method.partition(",")[0], READ)


def test_bob_may_nothing_and_learns_nothing(sandbox, client):
    """Whatever state the token is in, each method gives him the same answer, word for word: it names the action and polkit."""
    alice, bob, token = client("alice"), client("bob"), sandbox.token("etoken")
    path = bob.token()
    refused = ask_everything(bob, path)
    assert {error for error, _, _ in refused.values()} == {"NotAuthorized"}
    assert {message.replace(action_of(method), "ACTION") for method, (_, message, _) in refused.items()} == {
        "polkit does not allow ACTION: an administrator can allow it by a polkit rule, see tokend(8)"
    }

    assert alice.call("Unlock", WRONG, NEW_PIN).error == "PukIncorrect"
    assert alice.call("Unlock", WRONG, NEW_PIN).error == "AlreadyRefused"
    assert ask_everything(bob, path) == refused, "a PUK that was refused before"
    assert ask_everything(bob, path, **{"expected-retries": 3}) == refused, "another number than he expects"

    token.fault("pause C_Login")
    operation = alice.begin_call("Unlock", PUK, PIN)
    token.wait_paused()
    assert alice.call("SetPin", PIN, NEW_PIN).error == "Busy"
    assert ask_everything(bob, path) == refused, "busy"
    token.clear_faults()
    assert alice.wait(operation).error is None

    token.wrong_pin(2)
    token.wrong_puk(2)
    assert alice.call("Refresh").value["puk-state"] == "final-try"
    assert ask_everything(bob, path) == refused, "the last try"
    assert ask_everything(bob, path, **{"final-attempt": True}) == refused, "the last try, allowed"
    token.wrong_pin()
    token.wrong_puk()
    assert alice.call("Refresh").value["puk-state"] == "locked"
    before = sent(token)
    assert ask_everything(bob, path) == refused, "locked"

    token.fault("vanish")
    assert ask_everything(bob, path) == refused, "not plugged in"
    assert sent(token) == before


def test_bob_sees_no_more_than_that_a_token_is_there(client):
    """The object manager and the introspection are for all, and bear no data."""
    alice, bob = client("alice"), client("bob")
    path = bob.token()
    objects = bob.call_at(ROOT_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
    assert objects.value == {path: {TOKEN: {}}}
    properties = bob.call_at(path, "org.freedesktop.DBus.Properties", "GetAll", "(s)", [TOKEN])
    assert properties.value == {}
    assert set(bob.call_at(ROOT_PATH, "org.freedesktop.DBus.Properties", "GetAll", "(s)", [MANAGER]).value) == {
        "Version"
    }

    for known in alice.call("GetStatus").value.values():
        if isinstance(known, str) and len(known) > 5:
            assert known not in bob.call_at(path, "org.freedesktop.DBus.Introspectable", "Introspect").value


def test_only_subscribers_hear_of_changes(sandbox, client):
    """StatusChanged goes to those who may read the status and asked for it, and bears no data."""
    alice, bob, carol = client("alice"), client("bob"), client("carol")
    bob.listen()
    assert bob.call_manager("Subscribe").error == "NotAuthorized"
    carol.subscribe()
    assert carol.call_manager("Unsubscribe").error is None
    alice.subscribe()
    sandbox.token("etoken").wrong_pin()
    assert alice.expect_event("signal", member="StatusChanged")["arguments"] == []
    for stranger in (bob, carol):
        stranger.settle()
        assert not stranger.events


@pytest.mark.parametrize("user", ["bob", "alice"])
def test_the_bus_stops_what_is_not_named(client, user):
    """A member that the policy does not list does not reach the service, and nobody else owns the name."""
    caller = client(user)
    path = caller.token()
    for there, interface, member in (
        (path, TOKEN, "InitToken"),
        (ROOT_PATH, MANAGER, "Quit"),
        (ROOT_PATH, "org.tokend.Module1", "Read"),
        (ROOT_PATH, "org.freedesktop.DBus.Properties", "Set"),
        (ROOT_PATH, "org.freedesktop.DBus.Peer", "GetMachineId"),
    ):
        reply = caller.call_at(there, interface, member)
        assert reply.error == ACCESS_DENIED, (member, reply)

    owned = caller.call_at(
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus",
        "RequestName",
        "(su)",
        ["org.tokend.Tokend1", 2],  # replace
        destination="org.freedesktop.DBus",
    )
    assert owned.error == ACCESS_DENIED


CONNECT = """
import socket, sys
end = socket.socket(socket.AF_UNIX)
try:
    end.connect(sys.argv[1])
except PermissionError:
    print("denied")
else:
    print("connected")
"""
SPEAK = """
import sys
from gi.repository import Gio, GLib
flags = Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
try:
    bus = Gio.DBusConnection.new_for_address_sync("unix:path=" + sys.argv[1], flags, None, None)
    body = GLib.Variant("(sa{ss}ssa(asasass))", (sys.argv[2], {}, "poll", "", []))
    bus.call_sync(None, "/org/tokend/Module1", "org.tokend.Module1", "Load", body, None, 0, 10000, None)
except GLib.Error as error:
    print("refused", error.message)
else:
    print("served")
"""


@pytest.mark.parametrize("kind", ["watch", "operate"])
def test_only_the_service_reaches_a_module_host(sandbox, kind):
    """Its socket is closed to others, and root, to whom no socket is, gets no service."""
    path, module = f"/run/tokend/{kind}.sock", sandbox.token("etoken").module
    for user in ("alice", "bob", "tokend-module"):
        assert sandbox.python(user, CONNECT, path).stdout == "denied\n"

    assert sandbox.python("tokend", SPEAK, path, module).stdout == "served\n"
    calls = sandbox.token("etoken").calls()
    assert sandbox.python("root", SPEAK, path, module).stdout.startswith("refused")
    assert sandbox.token("etoken").calls() == calls, "no module was loaded for it"


@contextlib.contextmanager
def unlocking(sandbox, user="carol", after=""):
    """tokenctl unlock on a terminal, with the codes in pipes; after: what the same shell does then."""
    ends = []
    for code in (PUK, NEW_PIN):
        reading, writing = os.pipe()
        os.write(writing, code.encode())
        os.close(writing)
        ends.append(reading)
    command = f"tokenctl unlock --puk-fd {ends[0]} --new-pin-fd {ends[1]}"
    argv = ["sh", "-c", f"{command}; {after}"] if after else command.split()
    try:
        with sandbox.terminal(user, argv, pass_fds=ends) as terminal:
            yield terminal
    finally:
        for end in ends:
            os.close(end)


def expect_password_prompt(terminal):
    terminal.expect("Password: ")
    wait_until(lambda: not terminal.is_echoing(), what="the end of the echo")


@pytest.mark.parametrize("passwords", [["carol"], ["wrong", "wrong", "carol"], ["wrong", "", "wrong"]])
def test_carol_types_her_password(sandbox, passwords):
    """tokenctl's own text agent asks on the terminal, says for what and for which token, and asks three times at most."""
    token = sandbox.token("etoken")
    with unlocking(sandbox) as terminal:
        terminal.expect(r"unlock the token ETOKEN \(02a0b1c1\)")
        terminal.expect("Authenticating as: carol\n")
        for number, password in enumerate(passwords):
            if number:
                terminal.expect("Authentication failed. Try again")
            expect_password_prompt(terminal)
            terminal.type_line(password)
        ended = terminal.finish(30)

    if passwords[-1] == "carol":
        assert ended == 0, terminal.text
        assert token.login(NEW_PIN)
    else:
        assert ended == NOT_AUTHORIZED, terminal.text
        assert f"the authentication for {UNLOCK} failed" in terminal.text
        assert not sent(token) and token.counters() == {"pin": 3, "puk": 3}
        assert token.login(PIN)
    assert "polkit-agent-helper" not in terminal.text
    assert not any(password and password in terminal.text.replace("as: carol", "") for password in passwords)


def test_the_password_is_asked_for_in_turkish(sandbox):
    """polkit's helper knows no language."""
    with sandbox.terminal("carol", ["tokenctl", "unlock"], env={"LANGUAGE": "tr"}) as terminal:
        terminal.expect("\nParola: $")


def test_nobody_is_told_of_a_wrong_password_who_was_not_asked(sandbox):
    """PAM refuses without a question: it is said once, and not tried again."""
    token = sandbox.token("etoken")
    service = sandbox.path("/etc/pam.d/polkit-1")
    saved = sandbox.read_file("/etc/pam.d/polkit-1") if os.path.exists(service) else None
    sandbox.write_file("/etc/pam.d/polkit-1", "auth required pam_deny.so\naccount required pam_deny.so\n")
    try:
        with unlocking(sandbox) as terminal:
            assert terminal.finish(30) == NOT_AUTHORIZED, terminal.text
    finally:
        if saved is None:
            os.remove(service)
        else:
            sandbox.write_file("/etc/pam.d/polkit-1", saved)
    assert terminal.text.count("polkit's helper failed, so nothing could be asked.") == 1, terminal.text
    assert "not right" not in terminal.text and "Password" not in terminal.text
    assert not sent(token) and token.login(PIN)


def test_carol_dismisses_the_request(sandbox):
    """By Ctrl-D, which costs nothing."""
    token = sandbox.token("etoken")
    with unlocking(sandbox) as terminal:
        expect_password_prompt(terminal)
        terminal.type("\x04")
        assert terminal.finish(30) == NOT_AUTHORIZED, terminal.text
    assert f"the request to authenticate for {UNLOCK} was dismissed" in terminal.text
    assert not sent(token) and token.login(PIN)


@pytest.mark.parametrize("way", ["withdrawn", "killed"])
def test_what_is_typed_for_a_prompt_does_not_reach_the_shell(sandbox, way):
    """A prompt that ends while somebody types: the terminal is as before, and the half of the password is nowhere."""
    with unlocking(sandbox, after='echo "ended: $?"; read line; echo "the shell read: ($line)"') as terminal:
        expect_password_prompt(terminal)
        terminal.type("half of a pass")
        if way == "withdrawn":
            sandbox.stop_tokend()
        else:
            (number,) = [number for number, _, argv in sandbox.processes().values() if argv[:2] == ["tokenctl", "unlock"]]
            os.kill(number, signal.SIGTERM)
        terminal.expect("ended: ")
        wait_until(terminal.is_echoing, what="the echo")
        terminal.type_line("word")
        terminal.expect(r"the shell read: \(word\)")
        terminal.finish()
    assert "half of" not in terminal.text


@pytest.fixture(name="prompted")
def fixture_prompted(client):
    """Carol as a caller, and the polkit agent of that process, which is another connection."""
    caller, agent = client("carol"), client("carol")
    agent.become_agent(caller.number)
    return caller, agent


def test_without_the_flag_nobody_is_prompted(sandbox, prompted):
    """Only a caller that allows it has its person asked; the prompt says what for and which token."""
    caller, agent = prompted
    token = sandbox.token("etoken")
    for method, code in (("Unlock", PUK), ("SetPin", PIN)):
        reply = caller.call(method, code, NEW_PIN)
        assert reply.error == NEEDS_PERSON
        assert ACTIONS[method] in reply.message and "ALLOW_INTERACTIVE_AUTHORIZATION" in reply.message
    agent.settle()
    assert not agent.events

    for method, code in (("Unlock", PUK), ("SetPin", PIN)):
        call = caller.begin_call(method, code, NEW_PIN, interactive=True)
        prompt = agent.expect_event("prompt")
        assert token.label in prompt["text"] and "02a0b1c1" in prompt["text"]
        assert prompt["action"] == ACTIONS[method]
        agent.refuse(prompt["cookie"])
        assert caller.wait(call).error == "NotAuthorized"
    assert not sent(token)


def test_who_is_not_authorized_learns_why(sandbox, client, prompted):
    """Each reason has words of its own, which name the action and say what to do."""
    caller, agent = prompted
    lonely, token = client("carol"), sandbox.token("etoken")
    for method, code in (("Unlock", PUK), ("SetPin", PIN)):
        reply = lonely.call(method, code, NEW_PIN, interactive=True)
        assert reply.error == "NotAuthorized"
        assert f"to authenticate for {ACTIONS[method]}, and no polkit agent is there to ask" in reply.message
        assert "tokend(8)" in reply.message
        for answer, words in (
            (agent.refuse, "the request to authenticate for ACTION was dismissed: call again"),
            (agent.fail, "the authentication for ACTION failed: call again"),
        ):
            call = caller.begin_call(method, code, NEW_PIN, interactive=True)
            answer(agent.expect_event("prompt")["cookie"])
            reply = caller.wait(call)
            assert reply.error == "NotAuthorized"
            assert words.replace("ACTION", ACTIONS[method]) in reply.message
    assert not sent(token) and token.counters() == {"pin": 3, "puk": 3}


def test_nobody_is_prompted_in_vain(sandbox, client, prompted):
    """What is known to fail fails before the prompt, for one who may read the status anyway."""
    caller, agent = prompted
    alice, token = client("alice"), sandbox.token("etoken")

    def refused(method, options=None):
        reply = caller.call(method, WRONG, NEW_PIN, options=options, interactive=True)
        agent.settle()
        assert not agent.events, f"prompted, and then {reply}"
        return reply.error

    assert refused("Unlock", {"unknown": True}) == "InvalidArgs"
    assert refused("Unlock", {"expected-retries": ("s", "3")}) == "InvalidArgs"
    assert refused("Unlock", {"expected-retries": 2}) == "RetriesChanged"

    token.fault("pause C_Login")
    operation = alice.begin_call("Unlock", PUK, PIN)
    token.wait_paused()
    assert refused("Unlock") == "Busy"
    token.clear_faults()
    assert alice.wait(operation).error is None

    token.wrong_puk(3)
    token.wrong_pin(3)
    assert refused("Unlock") == "PukLocked"
    assert refused("SetPin") == "PinLocked"
    token.fault("vanish")
    assert refused("Unlock") == "NotFound"


def test_the_state_is_checked_again_after_the_prompt(sandbox, prompted):
    """What another program spends while the person types the password is not overlooked."""
    caller, agent = prompted
    token = sandbox.token("etoken")
    call = caller.begin_call("Unlock", PUK, NEW_PIN, interactive=True)
    prompt = agent.expect_event("prompt")
    token.wrong_puk(2)
    agent.grant(sandbox, prompt["cookie"])
    assert caller.wait(call).error == "FinalAttempt"
    assert not sent(token) and token.counters()["puk"] == 1


def test_a_prompt_holds_nobody_up_and_goes_with_its_caller(sandbox, client, prompted):
    """While carol is asked, alice operates on the same token and carol reads; when the caller leaves, so does it."""
    caller, agent = prompted
    alice, reader, token = client("alice"), client("carol"), sandbox.token("etoken")
    call = caller.begin_call("Unlock", PUK, NEW_PIN, interactive=True)
    prompt = agent.expect_event("prompt")

    assert reader.call("Refresh").error is None
    assert caller.call("GetStatus").error is None
    assert alice.call("SetPin", PIN, "5555").error is None
    assert alice.call("Unlock", PUK, PIN).error is None
    assert not caller.is_answered(call)

    before = sent(token)
    caller.kill()
    assert agent.expect_event("withdrawn")["cookie"] == prompt["cookie"]
    assert alice.call("SetPin", PIN, NEW_PIN).error is None, "nothing is held"
    assert sent(token) == before + ["C_Login", "C_SetPIN"]


@pytest.mark.without_sanitizer
def test_a_prompt_that_nobody_answers_is_withdrawn(sandbox, client, clock, prompted):
    """After ten minutes, as a no; polkit is not blamed, and nothing is sent or held."""
    caller, agent = prompted
    alice, token = client("alice"), sandbox.token("etoken")
    call = caller.begin_call("Unlock", PUK, NEW_PIN, interactive=True)
    prompt = agent.expect_event("prompt")

    clock(PROMPT_DEADLINE - 5)
    agent.settle()
    assert not agent.events and not caller.is_answered(call)

    clock(PROMPT_DEADLINE + 5)
    assert agent.expect_event("withdrawn")["cookie"] == prompt["cookie"]
    reply = caller.wait(call)
    assert reply.error == "NotAuthorized"
    assert f"nobody answered the request to authenticate for {UNLOCK} in time" in reply.message
    assert not sent(token)
    assert "polkit does not answer" not in sandbox.journal()
    assert alice.call("SetPin", PIN, NEW_PIN).error is None, "nothing is held"


def everything(client, path, interactive):
    """Begins a call of each method; returns their numbers."""
    calls = [
        client.begin_call_at(ROOT_PATH, MANAGER, name, interactive=interactive)
        for name in ("Subscribe", "Unsubscribe", "GetModules")
    ]
    calls += [client.begin_call(method, path=path, interactive=interactive) for method in ("GetStatus", "Refresh")]
    calls += [
        client.begin_call(method, code, NEW_PIN, path=path, interactive=interactive)
        for method, code in (("Unlock", PUK), ("SetPin", PIN))
    ]
    return calls


@pytest.mark.parametrize("asked_before", [False, True], ids=["at first", "later"])
@pytest.mark.parametrize("way", ["killed", "stopped"])
def test_without_polkit_the_answer_is_no(sandbox, client, way, asked_before):
    """A polkitd that is not there, or does not answer, is a no to all and everything, within a deadline."""
    alice, token = client("alice"), sandbox.token("etoken")
    path = alice.token()
    if asked_before:
        assert alice.call("GetStatus").error is None
    polkitd = sandbox.polkitd()
    if way == "killed":
        sandbox.stop_polkit()
    else:
        os.kill(polkitd, signal.SIGSTOP)
    try:
        calls = everything(alice, path, False) + everything(alice, path, True)
        deadline = time.monotonic() + WITHOUT_POLKIT
        assert client("bob").token() == path, "what needs no polkit is there for all, and meanwhile"
        assert way == "killed" or not alice.is_answered(calls[0])
        answers = [alice.wait(call, deadline - time.monotonic()) for call in calls]
        assert {answer.error for answer in answers} == {"NotAuthorized"}
        assert all("polkit does not answer when it is asked for org.tokend." in answer.message for answer in answers)
        assert not sent(token)
    finally:
        if way == "stopped":
            os.kill(polkitd, signal.SIGCONT)
    if way == "stopped":
        wait_until(lambda: alice.call("GetStatus").error is None, what="polkit's word again")


def test_polkit_that_takes_its_time_is_waited_for(sandbox, client):
    """No longer than it takes to stop a rule that hangs, but that long: one who may is not turned away meanwhile."""
    alice = client("alice")
    path = alice.token()
    polkitd = sandbox.polkitd()
    os.kill(polkitd, signal.SIGSTOP)
    try:
        call = alice.begin_call("Unlock", PUK, NEW_PIN, path=path)
        time.sleep(POLKITS_PATIENCE)
        assert not alice.is_answered(call)
    finally:
        os.kill(polkitd, signal.SIGCONT)
    assert alice.wait(call).error is None
    assert sent(sandbox.token("etoken"))
