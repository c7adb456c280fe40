# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers who begin as many operations as they are let, and end none: the tokens are there for others all the same."""

import contextlib

import pytest
from client import MANAGER, ROOT_PATH, TOKEN, Client
from flood import INTERACTIVE, Flood, call
from flood_scene import (
    CALLS_IN_ALL,
    OPEN_IN_ALL,
    OPEN_OF_USER,
    PIN,
    SHARES,
    SUBSCRIBERS_IN_ALL,
    SUBSCRIBERS_OF_USER,
)
from sandbox import wait_until

PUK, NEW_PIN = "12345678", "4321"
# Calls beyond a limit
REFUSED = 100
# One more than it takes to use up all that there is of anything
CROWD = [f"crowd{number}" for number in range(9)]


def allow(sandbox, rule):
    """Has polkit follow another rule, before those of the sandbox."""
    sandbox.write_file(
        "/etc/polkit-1/rules.d/40-flood.rules", f"polkit.addRule(function(action, subject) {{ {rule} }});"
    )


def make_crowd(sandbox):
    """More users, who may read the status, and must authenticate for the rest."""
    first = 1 + max(int(line.split(":")[2]) for line in sandbox.read_file("/etc/passwd").splitlines())
    for database, line in (("passwd", "{0}:x:{1}:{1}::/:/bin/sh\n"), ("group", "{0}:x:{1}:\n")):
        lines = "".join(line.format(name, max(first, 63000) + number) for number, name in enumerate(CROWD))
        sandbox.write_file(f"/etc/{database}", sandbox.read_file(f"/etc/{database}") + lines)
    allow(
        sandbox,
        'if (subject.user.indexOf("crowd") === 0)'
        ' return action.id === "org.tokend.read-status" ? polkit.Result.YES : polkit.Result.AUTH_SELF;',
    )
    with Client(sandbox, CROWD[0]) as member:
        wait_until(lambda: member.call_manager("GetModules").error is None, what="the rule")


class Prompts:
    """A user's, on as many connections and one more, and the agent that leaves them open."""

    def __init__(self, scene, user, share):
        self.share = share
        self.agent = Client(scene.sandbox, user)
        self.source = Flood(scene.sandbox, user, share + 1)
        self.agent.become_agent(self.source.number)
        methods = [call(scene.path, TOKEN, name, "options", INTERACTIVE) for name in ("Unlock", "SetPin")]
        self.source.begin_send(methods, share + 1)
        for _ in range(share):
            self.agent.expect_event("prompt")

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.source.end()
        self.agent.kill()

    def check(self, sandbox):
        """The user has no more than the share, and no other call either."""
        self.agent.settle()
        assert not self.agent.events, f"more than {self.share} prompts"
        with Flood(sandbox, self.agent.user, 10) as more:
            replies = more.send([call(ROOT_PATH, MANAGER, "GetModules")], REFUSED)
        assert replies == {"LimitsExceeded": REFUSED, "closed": 0}

    def leave(self):
        """All connections are closed at the same moment; the agent is told of each prompt."""
        self.source.end()
        for _ in range(self.share):
            self.agent.expect_event("withdrawn")


def test_prompts_left_open(scene):
    """Four users have as many open as may be; another operates on this token and on another, and hears at once."""
    make_crowd(scene.sandbox)
    before = scene.sent_codes()
    with (
        scene.keeps_nothing("open prompts", sum(SHARES[:4]) + 4 * REFUSED),
        contextlib.ExitStack() as stack,
    ):
        crowd = [stack.enter_context(Prompts(scene, user, share)) for user, share in zip(CROWD, SHARES[:4])]
        for prompts in crowd:
            prompts.check(scene.sandbox)
        with scene.watched("open prompts", "alice"), Client(scene.sandbox, "alice") as alice:
            for path in (scene.path, scene.other_path):
                assert alice.call("SetPin", PIN, NEW_PIN, path=path).error is None
                assert alice.call("Unlock", PUK, PIN, path=path).error is None
            for prompts in crowd:
                prompts.leave()
    ours = ["C_Login", "C_SetPIN", "C_Login", "C_InitPIN"]
    assert scene.sent_codes() == [earlier + ours for earlier in before], "those of alice alone"
    for token in scene.tokens.values():
        assert token.counters() == {"pin": 3, "puk": 3} and token.login(PIN)


def test_calls_in_all(scene):
    """Six users use up all; as long as there is room for one call, it is for whoever has none."""
    make_crowd(scene.sandbox)
    *first, last = SHARES
    with contextlib.ExitStack() as stack:
        for user, share in zip(CROWD, first):
            stack.enter_context(Prompts(scene, user, share)).check(scene.sandbox)
        with Client(scene.sandbox, "alice") as alice, Client(scene.sandbox, "carol") as carol:
            assert alice.call("Unlock", PUK, PIN, path=scene.other_path).error is None
            with scene.watched("room for one call", "alice") as (onlooker,):
                wait_until(lambda: len(onlooker.seconds) >= 50, what="50 times the status")
            with Prompts(scene, CROWD[len(first)], last) as all_prompts:
                assert sum(first) + last == CALLS_IN_ALL
                for client in (alice, carol):
                    for method in ("GetStatus", "Refresh"):
                        assert client.call(method, path=scene.path).error == "LimitsExceeded"
                assert alice.call("Unlock", PUK, PIN, path=scene.other_path).error == "LimitsExceeded"
                all_prompts.leave()
            wait_until(lambda: alice.call("GetStatus", path=scene.path).error is None, what="room")
            assert alice.call("Unlock", PUK, PIN, path=scene.other_path).error is None


def test_subscriptions_in_all(scene):
    """Many users together use them up, and when they leave all are free."""
    make_crowd(scene.sandbox)
    subscribe = [call(ROOT_PATH, MANAGER, "Subscribe")]
    with contextlib.ExitStack() as stack:
        subscribed = 0
        for user in CROWD:
            source = stack.enter_context(Flood(scene.sandbox, user, SUBSCRIBERS_OF_USER + 1))
            replies = source.send(subscribe, SUBSCRIBERS_OF_USER + 1, together=10)
            assert replies[""] + replies["LimitsExceeded"] == SUBSCRIBERS_OF_USER + 1
            assert replies[""] == min(SUBSCRIBERS_OF_USER, SUBSCRIBERS_IN_ALL - subscribed)
            subscribed += replies[""]
        assert subscribed == SUBSCRIBERS_IN_ALL
        with scene.watched("all subscriptions", "alice"):
            scene.tokens["etoken"].wrong_pin()
            assert scene.tokens["etoken"].login(PIN)
    with Client(scene.sandbox, "alice") as alice:
        wait_until(lambda: alice.call_manager("Subscribe").error is None, what="room")


@contextlib.contextmanager
def opened(scene, user, count):
    """In the block the user has so many operations open on the first token, on a connection each; gives (client, operation,
    *ends) of each."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(scene.sandbox, user)) for _ in range(count)]
        yield [(client, *client.open("SetPin", scene.path)) for client in clients]


def test_operations_open_in_all(scene):
    """Three users use them up; others still read the status, and when those leave there is room again."""
    make_crowd(scene.sandbox)
    allow(scene.sandbox, 'if (subject.user.indexOf("crowd") === 0) return polkit.Result.YES;')
    users = CROWD[: OPEN_IN_ALL // OPEN_OF_USER]
    with Client(scene.sandbox, CROWD[0]) as member, Client(scene.sandbox, "alice") as alice:
        wait_until(lambda: member.call("Unlock", PUK, PIN, path=scene.path).error is None, what="the rule")
        with contextlib.ExitStack() as stack:
            for user in users:
                stack.enter_context(opened(scene, user, OPEN_OF_USER))
                refused = member.wait(member.begin_open("Unlock", scene.path))
                assert user != CROWD[0] or refused.error == "LimitsExceeded"
            with scene.watched("all operations open", "alice"):
                assert alice.call("Unlock", PUK, PIN, path=scene.other_path).error == "LimitsExceeded"
                assert alice.call("Refresh", path=scene.path).error is None
        wait_until(lambda: alice.call("Unlock", PUK, PIN, path=scene.other_path).error is None, what="room")


# What is in the pipes that do not end
PIPES = {
    "silent": "",
    "a byte": "1",
    "as much as they hold": "1" * 5000,
}


@pytest.mark.parametrize("kind", PIPES)
def test_pipes_that_do_not_end(scene, kind):
    """Bob, who may, has as many operations as he can on one token, and finishes each again and again without an end of its
    pipes: others operate on this token and on another meanwhile."""
    allow(scene.sandbox, 'if (subject.user === "bob") return polkit.Result.YES;')
    token = scene.tokens["etoken"]
    with Client(scene.sandbox, "bob") as bob:
        wait_until(lambda: bob.call("GetStatus", path=scene.path).error is None, what="the rule")
    before = scene.sent_codes()
    what = f"pipes: {kind}"
    with (
        scene.keeps_nothing(what, 3 * OPEN_OF_USER),
        scene.watched(what, "alice", "carol"),
        opened(scene, "bob", OPEN_OF_USER) as operations,
        Client(scene.sandbox, "alice") as alice,
    ):
        for _ in range(2):
            calls = []
            for client, operation, *ends in operations:
                for end in ends:
                    assert client.write(end, PIPES[kind]) == ""
                calls.append((client, client.begin_finish(operation)))
            for path in (scene.path, scene.other_path):
                assert alice.call("Unlock", PUK, PIN, path=path).error is None
            for client, number in calls:
                assert client.wait(number).error == "TimedOut"
            operations = [(client, operation, *client.again(operation)) for client, operation, *_ends in operations]
    after = scene.sent_codes()
    assert after == [earlier + ["C_Login", "C_InitPIN"] * 2 for earlier in before], "those of alice alone"
    assert token.counters() == {"pin": 3, "puk": 3}


def test_operations_are_not_kept(scene):
    """One after the other, each with a host that ends by itself while the service lets go of it."""
    count = 100
    with scene.keeps_nothing("operations", count, tables=0), Client(scene.sandbox, "alice") as alice:
        for _ in range(count):
            assert alice.call("Unlock", PUK, PIN, path=scene.path).error is None
