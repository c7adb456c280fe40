# SPDX-License-Identifier: LGPL-2.1-or-later
"""Status: what is said of a token is what the token says, soon, and to nobody who did not ask."""

import json
import os
import re
import subprocess
import time

import pytest
from kinds import KINDS
from sandbox import SOURCE, read_line, wait_until, wait_until_asleep
from support import MANAGER, PROPERTIES, TOKEN, Client, check, make_counting, nothing_sent, only_path, only_token, raises
from support import restart_with_profile, tries


# What GetStatus is documented to hold. The provider is known of no token here.
STRINGS = "label manufacturer model serial module module-profile pin-state puk-state pin-characters".split()
STRINGS += ["present-pin-usual-characters", "puk-usual-characters", "card-id", "pin-id"]
NUMBERS = "pin-minimum-length pin-maximum-length present-pin-minimum-length present-pin-maximum-length".split()
# What is known of the PUK besides.
PUK_NUMBERS = {
    "opencryptoki": ["puk-minimum-length", "puk-maximum-length"],
    "openpgp-card": ["puk-minimum-length"],
    "piv-card": [f"puk-{limit}-length" for limit in ("minimum", "maximum", "usual-minimum", "usual-maximum")],
}
# Flags that exclude the last try, without a number; no number of wrong codes locks.
TOLD_BY_CARD = {
    kind: {f"{role}-retries-{key}": kind_of for role in roles for key, kind_of in (("remaining", "u"), ("source", "s"))}
    for kind, roles in (("openpgp-card", ("pin", "puk")), ("piv-card", ("pin",)))
}
NEVER_LOCKS = {"pin-never-locks": "b", "puk-never-locks": "b"}
SOURCES = "pin-retries-source puk-retries-source".split()
COUNTERS = [f"{role}-retries-{what}" for role in ("pin", "puk") for what in ("remaining", "maximum")]
TYPES = (
    {key: "s" for key in STRINGS}
    | {key: "u" for key in NUMBERS}
    | {"pin-must-change": "b", "pin-shared": "b", "can-set-pin": "b", "can-unlock": "b", "read-at": "t"}
    | {"module-profile-match": "a{ss}", "preferred": "b"}
)
COUNTER_TYPES = {key: "s" for key in SOURCES} | {key: "u" for key in COUNTERS}

# Tokens that count, and where their numbers come from.
COUNTING = [
    pytest.param("etoken", "token", id="etoken"),
    pytest.param("etoken:vendor-objects=false", "flags", id="etoken-without-vendor-objects"),
    pytest.param("etoken:counter-width=1", "token", id="etoken-narrow-counters"),
    pytest.param("opencryptoki", "flags", id="opencryptoki"),
]
DOWN = [(2, "low"), (1, "final-try"), (0, "locked")]


@pytest.mark.parametrize("kind,source", COUNTING)
def test_subscriber_is_told_of_another_programs_tries(make_sandbox, kind, source):
    """Three wrong PINs by another program: 3, 2, 1, locked, each of them on the bus and by tokenctl."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    monitor = sandbox.popen("alice", ["tokenctl", "monitor", "--json"], stdout=subprocess.PIPE)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        full = tries("puk", "ok", 3, source)
        check(client.status(path), tries("pin", "ok", 3, source), full)
        assert json.loads(read_line(monitor.stdout))["event"] == "added"

        for remaining, state in DOWN:
            token.wrong_pin()
            begun = time.monotonic()
            wanted = tries("pin", state, remaining, source)
            check(client.wait_status(path, wanted), full)
            event = json.loads(read_line(monitor.stdout))
            print(f"told within {time.monotonic() - begun:.2f} s")
            assert event["event"] == "changed"
            assert event["path"] == path
            check(event, wanted, full)
            assert token.counters() == {"pin": remaining, "puk": 3}

        assert token.login("1234") is False
    monitor.terminate()
    assert monitor.wait(30) == 0


@pytest.mark.parametrize("kind,source", COUNTING)
def test_who_asks_is_told_at_once(make_sandbox, kind, source):
    """With no subscriber GetStatus reads the token; with one, Refresh does. read-at advances."""
    sandbox = make_counting(make_sandbox, kind)
    token = only_token(sandbox)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        client.unsubscribe()
        before = time.time()
        read_at = [client.status(path)["read-at"]]
        assert before <= read_at[0] / 1e6 <= time.time()

        for (remaining, state), ask in zip(DOWN, (client.status, client.refresh, client.refresh)):
            if ask == client.refresh:
                client.subscribe()
            token.wrong_pin()
            status = ask(path)
            check(status, tries("pin", state, remaining, source), tries("puk", "ok", 3, source))
            read_at.append(status["read-at"])

        token.wrong_puk()
        status = client.refresh(path)
        check(status, tries("pin", "locked", 0, source), tries("puk", "low", 2, source))
        assert read_at == sorted(set(read_at))
        (tokenctls,) = sandbox.status()
        del tokenctls["read-at"], status["read-at"]
        assert tokenctls == status


def test_softhsm_is_low_and_never_locked(make_sandbox):
    """SoftHSM2 never locks: whatever is tried, "low" without a number, until the right PIN."""
    sandbox = make_sandbox(["softhsm"])
    token = sandbox.token("softhsm")
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        ok, low = tries("pin", "ok", maximum=None), tries("pin", "low", maximum=None)
        check(client.status(path), ok, tries("puk", "ok", maximum=None))
        token.wrong_pin()
        client.wait_status(path, low)
        token.wrong_pin(4)
        check(client.refresh(path), low)
        assert client.take_signals("StatusChanged") == []
        token.wrong_puk()
        client.wait_status(path, tries("puk", "low", maximum=None))
        assert token.login("1234")
        client.wait_status(path, ok)


def test_flag_is_believed_whatever_the_profile_says(make_sandbox):
    """Where flags are worth nothing by the profile, one that is set is told and proves nothing; and one that went is told of."""
    sandbox = make_sandbox(["etoken:vendor-objects=false"])
    restart_with_profile(sandbox, "etoken", "[PIN]\nFlags=none\n")
    token = only_token(sandbox)
    gone = {"pin-flag-gone": True}
    with Client(sandbox) as client:
        path = only_path(client)
        check(client.status(path), tries("pin", "unknown"), {"pin-flag-gone": None})
        token.wrong_pin()
        client.wait_status(path, tries("pin", "low") | {"pin-retries-minimum": None})
        with nothing_sent(token), raises("FinalAttempt"):
            client.set_pin(path, "1234", "4321")
        assert token.login("1234")
        client.wait_status(path, tries("pin", "unknown") | gone)
        token.wrong_pin(2)
        client.wait_status(path, tries("pin", "final-try", 1, "flags") | {"pin-flag-gone": None})
        # What it showed when the service itself sent the right one.
        check(client.set_pin(path, "1234", "4321", final_attempt=True), tries("pin", "unknown") | gone)


@pytest.mark.parametrize("kind, label", [(kind, KINDS[kind].label) for kind in ("openpgp-card", "piv-card", "pkcs15-card")])
def test_status_of_a_card_is_as_documented(make_sandbox, kind, label):
    """The keys and D-Bus types of the XML, of which there is none for a number that is not known."""
    sandbox = make_sandbox([kind])
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = [path for path in client.tokens() if client.status(path)["label"] == label]
        # The certificate of an OpenPGP card is the other slot's.
        more = {"no-certificate": "b"} if kind == "openpgp-card" else {"certificate-not-after": "t"}
        more |= {key: "u" for key in PUK_NUMBERS.get(kind, [])} | TOLD_BY_CARD.get(kind, {})
        assert client.types(path) == TYPES | more
        status = client.status(path)
    assert status["pin-state"] == ("ok" if kind in TOLD_BY_CARD else "unknown")
    assert status["module-profile"] == f"opensc-{kind.removesuffix('-card')}"
    assert status["module-profile-match"].keys() == {"file", "manufacturer", "model"} - (
        {"manufacturer"} if kind == "pkcs15-card" else set()
    )
    assert status["pin-characters"] == ("digits" if kind == "piv-card" else "any")
    assert status["pin-must-change"] is False
    assert status["can-unlock"] is True


@pytest.mark.parametrize("kind", ["etoken", "opencryptoki", "softhsm"])
def test_status_is_as_documented(make_sandbox, kind):
    """The keys and D-Bus types of the XML, no other; tokenctl's JSON says the same."""
    sandbox = make_sandbox([kind])
    token = sandbox.token(kind)
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        types = TYPES | (COUNTER_TYPES if kind != "softhsm" else NEVER_LOCKS)
        types |= {key: "u" for key in PUK_NUMBERS.get(kind, [])}
        types |= {"certificate-not-after": "t"} if kind == "etoken" else {"no-certificate": "b"}
        assert client.types(path) == types
        status = client.status(path)

    limits = {"etoken": (4, 16), "opencryptoki": (4, 8), "softhsm": (4, 255)}[kind]
    assert status["label"] == token.label
    assert status["module"] == kind
    assert status["module-profile"] == {"softhsm": "softhsm2"}.get(kind, kind)
    assert (status["pin-minimum-length"], status["pin-maximum-length"]) == limits
    match = {"file": os.path.basename(token.module), "manufacturer": status["manufacturer"], "model": status["model"]}
    if kind == "softhsm":
        match.pop("model")
    assert status["module-profile-match"] == match
    assert status["pin-characters"] == "any"
    assert status["pin-must-change"] is False
    assert status["can-unlock"] is True
    if kind == "etoken":
        assert status["serial"] == token.serial
        assert (status["manufacturer"], status["model"]) == ("SafeNet, Inc.", "eToken")

    (tokenctls,) = sandbox.status()
    assert tokenctls.pop("read-at") >= status.pop("read-at")
    assert tokenctls == status


def test_certificate_that_could_not_be_read_at_first(make_sandbox):
    """Its end is absent, not made up; who is subscribed is told as soon as it is known."""
    sandbox = make_sandbox(["etoken:vendor-objects=false"])
    token = sandbox.token("etoken")
    (status,) = sandbox.status()
    token.fault("error C_FindObjects * CKR_DEVICE_ERROR watch")
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        client.subscribe()
        (path,) = client.tokens()
        check(client.status(path), {"certificate-not-after": None, "pin-state": "ok"})
        token.clear_faults()
        client.wait_status(path, {"certificate-not-after": status["certificate-not-after"]})


@pytest.mark.parametrize("language", ["en", "tr"])
def test_certificate_that_a_lock_elsewhere_destroyed(make_sandbox, language):
    """Another program has locked the PUK, and the certificate is gone with it: that is said, and not before."""
    sandbox = make_sandbox(["etoken"])
    token = only_token(sandbox)
    gone = {"en": "There is no certificate on the token", "tr": "Cihazda sertifika yok"}[language]

    def is_said():
        return gone in sandbox.tokenctl("alice", "status", env={"LANGUAGE": language}).stdout

    with Client(sandbox) as client:
        path = only_path(client)
        token.wrong_puk(2)
        client.wait_status(path, tries("puk", "final-try", 1, "token") | {"no-certificate": None})
        assert not is_said()
        token.wrong_puk()
        client.wait_status(path, tries("puk", "locked", 0, "token") | {"no-certificate": True})
        assert is_said()


def test_objects_bear_no_data(sandbox):
    """The object manager tells that a token is there, and nothing more; the only property is the Version."""
    with open(f"{SOURCE}/meson.build", encoding="utf-8") as file:
        version = re.search(r"version: '([^']*)'", file.read())[1]
    with Client(sandbox, "bob") as client:
        get = {"interface": PROPERTIES, "type": "(ss)", "arguments": [MANAGER, "Version"]}
        assert client.call("Get", **get) == version
        get_all = {"interface": PROPERTIES, "type": "(s)", "arguments": [MANAGER]}
        assert client.call("GetAll", **get_all) == {"Version": version}
        objects = client.call("GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager")
        ((path, interfaces),) = objects.items()
        assert interfaces == {TOKEN: {}}
        assert re.fullmatch("/org/tokend/Tokend1/tokens/[0-9]+", path)
        assert client.call("GetAll", path, PROPERTIES, type="(s)", arguments=[TOKEN]) in (None, {})
        introspected = client.call("Introspect", path, "org.freedesktop.DBus.Introspectable")
        ours = introspected.split(f'<interface name="{TOKEN}">')[1].split("</interface>")[0]
        assert "<property" not in ours


def test_signals_go_to_subscribers_alone(sandbox):
    """StatusChanged comes to who subscribed, bears no data, and ends with Unsubscribe or with the subscriber."""
    token = sandbox.token("etoken")
    with Client(sandbox) as first, Client(sandbox) as second:
        first.subscribe()
        first.subscribe()
        (path,) = first.tokens()
        second.tokens()  # its match rule is in place

        token.wrong_pin()
        signal = first.wait_signal("StatusChanged")
        assert (signal["path"], signal["interface"], signal["type"]) == (path, TOKEN, "()")
        # What was sent to it before this reply has come by now.
        assert second.tokens() == [path]
        assert second.take_signals("StatusChanged") == []

        second.subscribe()
        first.unsubscribe()
        first.unsubscribe()
        first.take_signals("StatusChanged")
        token.wrong_pin()
        second.wait_status(path, tries("pin", "final-try", 1, "token"))
        assert first.tokens() == [path]
        assert first.take_signals("StatusChanged") == []

        # Nobody is left who waits for news: the token is left alone.
        second.close()
        wait_until_left_alone(token)
        token.wrong_pin()
        check(first.status(path), tries("pin", "locked", 0, "token"))
        wait_until_left_alone(token)


def wait_until_left_alone(token, seconds=2.5):
    """Waits for a time, longer than two polls, in which no module host calls the token."""
    seen = {"calls": None, "since": 0}

    def is_quiet():
        calls = len(token.calls("tokend-module"))
        if calls != seen["calls"]:
            seen.update(calls=calls, since=time.monotonic())
        return time.monotonic() - seen["since"] > seconds

    wait_until(is_quiet, what="an end of the polling")


def test_nobody_asks_nobody_wakes_up(sandbox):
    """Without a subscriber neither tokend nor the watching host is woken up, not even after there was one."""
    with Client(sandbox) as client:
        client.subscribe()
        client.tokens()
    (watching,) = sandbox.hosts("watch")
    wait_until_asleep([sandbox.tokend(), watching])
