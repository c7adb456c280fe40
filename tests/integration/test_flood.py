# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers who want to exhaust the service: it goes on serving others, and is afterwards as it was.

Meanwhile others ask for the status, again and again. What must hold is that each is answered, and not only when the flood is
over. How long it took, and how many of the flood's calls were answered meanwhile, is printed at the end, and is in floods.txt
of the build folder.
"""

import collections
import re
import xml.etree.ElementTree as ElementTree

import pytest
from client import MANAGER, OPERATION, ROOT_PATH, TOKEN, Client
from flood import CALLS_IN_FLIGHT_MAX, NO_REPLY_EXPECTED, TIMEOUT, WRONG_BODIES, Flood, call
from flood_scene import (
    CALLS_IN_ALL,
    OPEN_IN_ALL,
    OPEN_OF_USER,
    PIN,
    SHARES,
    SUBSCRIBERS_IN_ALL,
    SUBSCRIBERS_OF_USER,
)
from sandbox import SOURCE, wait_until

CALLS_OF_CONNECTION = 16
# There is no operation of anybody's there.
OPERATION_PATH = f"{ROOT_PATH}/operations/1"

BUS_ERROR = "org.freedesktop.DBus.Error."
DENIED, WRONG_TYPE = f"{BUS_ERROR}AccessDenied", f"{BUS_ERROR}InvalidArgs"


# user, connections, calls by the path of a token, how many, whether the replies are read, what they may be, and how
# many calls a connection has in flight. The bus itself takes no more than so many descriptors at a time from one connection.
Attack = collections.namedtuple("Attack", "user connections calls count reads replies in_flight", defaults=[128])
REFUSED = {"NotAuthorized", "LimitsExceeded"}
# How often each other user is answered before a flood ends that would go on for ever
ANSWERS = 20


def everything(path):
    """A call of each method."""
    methods = [(ROOT_PATH, MANAGER, name) for name in ("Subscribe", "Unsubscribe", "GetModules")]
    methods += [(path, TOKEN, name) for name in ("GetStatus", "Refresh")]
    operations = [call(path, TOKEN, name, "options") for name in ("Unlock", "SetPin")]
    operations += [call(OPERATION_PATH, OPERATION, "Finish", "options")]
    operations += [call(OPERATION_PATH, OPERATION, name) for name in ("Again", "Cancel")]
    return [*(call(*method) for method in methods), *operations]


def reading(path):
    return [call(path, TOKEN, "GetStatus"), call(path, TOKEN, "Refresh"), call(ROOT_PATH, MANAGER, "GetModules")]


def opening(descriptors=""):
    return lambda path: [call(path, TOKEN, name, "options", descriptors=descriptors) for name in ("Unlock", "SetPin")]


ATTACKS = {
    "every method": Attack("bob", 200, everything, 3000, True, {*REFUSED, "NotFound"}),
    "by one who may": Attack("alice", 200, reading, 3000, True, {"", "LimitsExceeded"}),
    "openings by one who may not": Attack("bob", 30, opening(), 3000, True, REFUSED),
    "openings": Attack("alice", 100, opening(), 1500, True, {"", "LimitsExceeded", "Busy"}),
    "openings whose pipes are not taken": Attack("alice", 100, opening(), 1600, False, None),
    "a descriptor": Attack("bob", 50, opening("one"), 3000, True, {DENIED}),
    "sixteen descriptors": Attack("bob", 50, opening("sixteen_pipes"), 1000, True, {DENIED}, 1),
    "descriptors for the status": Attack(
        "bob", 50, lambda path: [call(path, TOKEN, "GetStatus", descriptors="sixteen")], 1000, True, {DENIED}, 1
    ),
    "unknown paths": Attack(
        "bob",
        50,
        lambda path: [call(f"{path}{number}", TOKEN, "GetStatus") for number in range(80)],
        4000,
        True,
        {"NotFound"},
    ),
    "no reply expected": Attack(
        "bob", 100, lambda path: [call(path, TOKEN, "Refresh", flags=NO_REPLY_EXPECTED)], 4000, False, None
    ),
    "replies that are not read": Attack(
        "bob",
        30,
        lambda path: [call(path, "org.freedesktop.DBus.Introspectable", "Introspect")],
        30 * CALLS_IN_FLIGHT_MAX,
        False,
        None,
    ),
    "callers who vanish": Attack("alice", 100, reading, 1600, False, None),
}


@pytest.mark.parametrize("what", ATTACKS)
def test_a_flood_of_calls(scene, what):
    """Nobody else waits, and nothing is kept of it."""
    attack = ATTACKS[what]
    others = [user for user in ("alice", "carol") if user != attack.user]

    with (
        scene.keeps_nothing(what, attack.count),
        scene.watched(what, *others),
        Flood(scene.sandbox, attack.user, attack.connections) as source,
    ):
        replies = source.send(attack.calls(scene.path), attack.count, attack.reads, attack.in_flight)
        if attack.reads:
            assert replies.pop("closed") == 0 and set(replies) <= attack.replies, replies
            assert sum(replies.values()) == attack.count
    assert scene.sent_codes() == scene.sent


@pytest.mark.parametrize("user, calls", [("bob", everything), ("alice", reading)])
def test_a_flood_that_goes_on(scene, user, calls):
    """With as many calls under way as all together may have, until others were answered so often; how many of its own are
    answered for that is told."""
    others = [other for other in ("alice", "carol") if other != user]
    what = f"until {ANSWERS} answers, by {user}"
    with scene.watched(what, *others) as onlookers, Flood(scene.sandbox, user, 100) as source:
        source.begin_send(calls(scene.path), None, together=CALLS_IN_ALL)
        wait_until(
            lambda: min(onlooker.answers_in_flood() for onlooker in onlookers) >= ANSWERS,
            timeout=TIMEOUT,
            what=f"{ANSWERS} answers while a flood goes on",
        )
        replies = source.end_send()
        assert replies.pop("closed") == 0 and sum(replies.values()) > ANSWERS, replies


def test_wrong_types(scene):
    """Each member of each object, and of none, with each wrong signature: an error, and nothing else."""
    path, replies = scene.path, collections.Counter()
    with Client(scene.sandbox, "alice") as alice:
        members = []
        for there in (ROOT_PATH, path, f"{ROOT_PATH}/tokens", "/", "/org", f"{path}0", OPERATION_PATH):
            shown = alice.call_at(there, "org.freedesktop.DBus.Introspectable", "Introspect").value
            for interface in ElementTree.fromstring(shown).iter("interface"):
                members += [(there, interface.get("name"), method.get("name")) for method in interface.iter("method")]
    # A method of another object's, and what is at no object
    members += [(ROOT_PATH, TOKEN, "Unlock"), (path, MANAGER, "Subscribe"), (f"{path}0", TOKEN, "SetPin")]
    assert {(path, TOKEN, "Unlock"), (ROOT_PATH, MANAGER, "GetModules")} <= set(members)
    right = {
        "": {
            "Subscribe",
            "Unsubscribe",
            "GetModules",
            "GetStatus",
            "Refresh",
            "Introspect",
            "Ping",
            "GetManagedObjects",
            "Again",
            "Cancel",
        },
        "a{sv}": {"Unlock", "SetPin", "Finish"},
    }

    with scene.watched("wrong types", "carol"), Flood(scene.sandbox, "alice", 1) as source:
        for body in WRONG_BODIES:
            wrong = [member for member in members if member[2] not in right.get(body, ())]
            replies += source.send([call(*member, body) for member in wrong], len(wrong), in_flight=CALLS_OF_CONNECTION)
    assert replies.pop("closed", 0) == 0
    # Options of the right type are the service's own to refuse, and at the path of no token or operation it is that which is
    # refused.
    assert set(replies) == {WRONG_TYPE, DENIED, f"{BUS_ERROR}UnknownMethod", "InvalidArgs", "NotFound"}, replies
    assert scene.sent_codes() == scene.sent


def test_many_subscribe(scene):
    """Of one user's connections as many as may; others' are not concerned; when they leave all is free again."""

    def subscribe():
        with Flood(scene.sandbox, "alice", 200) as source:
            replies = source.send([call(ROOT_PATH, MANAGER, "Subscribe")], 200, together=CALLS_OF_CONNECTION)
            assert replies == {"": SUBSCRIBERS_OF_USER, "LimitsExceeded": 200 - SUBSCRIBERS_OF_USER, "closed": 0}
            with Client(scene.sandbox, "carol") as carol:
                carol.subscribe()
                scene.tokens["etoken"].wrong_pin()
                carol.expect_event("signal", member="StatusChanged", path=scene.path)
            # Who is subscribed already may say so again.
            again = source.send([call(ROOT_PATH, MANAGER, "Subscribe")], 1000, in_flight=1)
            assert again[""] and set(again) == {"", "LimitsExceeded", "closed"}, again
        assert scene.tokens["etoken"].login(PIN)

    with scene.keeps_nothing("subscriptions", 2 * 1200), scene.watched("subscriptions", "carol"):
        for _ in range(2):
            subscribe()


def test_limits_are_stated():
    """The same numbers in the code, in the contract, in the manual and here."""
    constants = {}
    for name in ("access/callers.h", "access/call-quota-private.h", "operation/open-limits-private.h"):
        with open(f"{SOURCE}/service/{name}", encoding="utf-8") as file:
            constants |= dict(re.findall(r"#define TOKEND_(\w+_MAX\w*) (.*)", file.read()))
    assert constants == {
        "CALLS_PER_CALLER_MAX": str(CALLS_OF_CONNECTION),
        "CALLS_MAX": str(CALLS_IN_ALL),
        "SUBSCRIBERS_PER_USER_MAX": str(SUBSCRIBERS_OF_USER),
        "SUBSCRIBERS_MAX": str(SUBSCRIBERS_IN_ALL),
        "OPEN_PER_USER_MAX": str(OPEN_OF_USER),
        "OPEN_MAX": str(OPEN_IN_ALL),
        "UNTAKEN_PIPES_MAX": "2",
    }
    with open(f"{SOURCE}/dbus/org.tokend.Tokend1.conf", encoding="utf-8") as file:
        assert set(re.findall(r'max_fds="(\d+)"', file.read())) == {"0"}
    for name, limits in (
        ("dbus/org.tokend.Tokend1.xml", r"\n    calls under way.*?\n\n"),
        ("service/data/tokend.8", r"\.SH LIMITS\n.*?\.SH"),
        ("SECURITY.md", r"\*\*The limits\.\*\*.*?\n- \*\*"),
    ):
        with open(f"{SOURCE}/{name}", encoding="utf-8") as file:
            stated = re.search(limits, file.read(), re.DOTALL)
        numbers = {int(number) for number in re.findall(r"\b\d+\b", stated[0])}
        wanted = {CALLS_OF_CONNECTION, SHARES[0], CALLS_IN_ALL, SUBSCRIBERS_OF_USER, SUBSCRIBERS_IN_ALL}
        assert wanted | {OPEN_OF_USER, OPEN_IN_ALL} <= numbers, name
