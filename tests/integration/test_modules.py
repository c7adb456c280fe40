# SPDX-License-Identifier: LGPL-2.1-or-later
"""PKCS#11 modules: which ones, in which order, and what becomes of those that hang, crash or are none."""

import os
import re
import shutil
import time

import pytest
from sandbox import FOLDER, wait_until, wait_until_asleep
from support import (
    TOKEN,
    WRONG_PUKS,
    BusError,
    Client,
    check,
    nothing_sent,
    only_path,
    only_token,
    raises,
    tries,
)

SYSTEM = "/etc/pkcs11/modules"
PACKAGE = "/usr/share/p11-kit/modules"
LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"
COPIES = f"{FOLDER}/copies"

# Whatever is freed is overwritten.
FREED = {"MALLOC_PERTURB_": "165"}

# A module that has crashed so often in ten minutes is not started again for so long, in seconds.
CRASHES = 12
PAUSE_AFTER_CRASHES = 4

# What p11-kit itself makes of the configuration, for a program that is called tokend: a module's name a line.
P11_KIT = """
import ctypes
p11 = ctypes.CDLL("libp11-kit.so.0")
p11.p11_kit_set_progname(b"tokend")
p11.p11_kit_be_loud()
p11.p11_kit_modules_load.restype = ctypes.POINTER(ctypes.c_void_p)
p11.p11_kit_module_get_name.argtypes = [ctypes.c_void_p]
p11.p11_kit_module_get_name.restype = ctypes.c_char_p
modules = p11.p11_kit_modules_load(None, 0)
names = []
while modules[len(names)]:
    names.append(p11.p11_kit_module_get_name(modules[len(names)]).decode())
print("\\n".join(names))
"""

# Each is a table of files; @NAME stands for a module of its own. The names are those that must come of it.
CONFIGURATIONS = {
    "names": (
        {
            f"{PACKAGE}/b.module": "module: @b",
            f"{PACKAGE}/a.module": "module: @a",
            f"{PACKAGE}/A1.module": "module: @c",
        },
        ["A1", "a", "b"],
    ),
    "priority": (
        {
            f"{PACKAGE}/a.module": "module: @a\npriority: -5",
            f"{PACKAGE}/b.module": "module: @b",
            f"{PACKAGE}/c.module": "module: @c\npriority: 10",
            f"{PACKAGE}/d.module": "module: @d\npriority: 10",
            f"{PACKAGE}/e.module": "module: @e\npriority: 2",
        },
        ["c", "d", "e", "b", "a"],
    ),
    "system-goes-before-package": (
        {
            f"{PACKAGE}/a.module": "module: /nonexistent.so\npriority: 1",
            f"{SYSTEM}/a.module": "module: @a\npriority: 3",
            f"{PACKAGE}/b.module": "module: @b\npriority: 2",
        },
        ["a", "b"],
    ),
    "merged-key-by-key": (
        {
            f"{PACKAGE}/a.module": "module: @a\npriority: 1",
            f"{SYSTEM}/a.module": "# only this\npriority: 5\n",
            f"{PACKAGE}/b.module": "module: @b\npriority: 3",
            f"{SYSTEM}/b.module": "trust-policy: no",
            f"{PACKAGE}/c.module": "module: @c\npriority: 9",
            f"{SYSTEM}/c.module": "disable-in: tokend",
        },
        ["a", "b"],
    ),
    "enabled-and-disabled": (
        {
            f"{PACKAGE}/a.module": "module: @a\nenable-in: tokend",
            f"{PACKAGE}/b.module": "module: @b\nenable-in: firefox, thunderbird",
            f"{PACKAGE}/c.module": "module: @c\ndisable-in: firefox",
            f"{PACKAGE}/d.module": "module: @d\ndisable-in: firefox, tokend",
            f"{PACKAGE}/e.module": "module: @e\nenable-in: firefox tokend",
            f"{PACKAGE}/f.module": "module: @f\nenable-in: tokend-not",
            f"{PACKAGE}/g.module": "module: @g\ndisable-in: tokend2,xtokend",
            f"{PACKAGE}/h.module": "module: @h\nenable-in: tokend\ndisable-in: tokend",
            f"{PACKAGE}/i.module": "module: @i\nenable-in:",
            f"{PACKAGE}/j.module": "module: @j\ndisable-in:",
        },
        ["a", "c", "e", "g", "h", "j"],
    ),
    "form": (
        {
            f"{PACKAGE}/a.module": "\n# a comment\n  module :   @a  \n\n",
            f"{PACKAGE}/b.module": "module: @b\nunknown-option: yes",
            f"{PACKAGE}/c.conf": "module: @c",
            f"{PACKAGE}/d.module~": "module: @d",
            f"{PACKAGE}/e.module": "priority: 3",
            f"{PACKAGE}/f.x-1_y.module": "module: @f",
            f"{PACKAGE}/g g.module": "module: @g",
            f"{PACKAGE}/.h.module": "module: @h",
            f"{PACKAGE}/_i.module": "module: @i",
        },
        ["a", "b", "f.x-1_y"],
    ),
    "relative-path": (
        {f"{PACKAGE}/a.module": "module: opensc-pkcs11.so", f"{PACKAGE}/b.module": "module: @b"},
        ["a", "b"],
    ),
}


def write_configuration(sandbox, files):
    """Replaces all .module files, makes the modules that they name, and starts tokend again."""
    os.makedirs(sandbox.path(COPIES), mode=0o755, exist_ok=True)
    for folder in (SYSTEM, PACKAGE):
        shutil.rmtree(sandbox.path(folder), ignore_errors=True)
        os.makedirs(sandbox.path(folder), mode=0o755)
    for path, text in files.items():
        if "@" in text:
            name = text.split("@")[1].split()[0]
            shutil.copy(LIBRARY, sandbox.path(f"{COPIES}/{name}.so"))
            text = text.replace(f"@{name}", f"{COPIES}/{name}.so")
        sandbox.write_file(path, text)
    sandbox.stop_tokend()
    sandbox.start_tokend()


def modules_by_name(client):
    return {module["name"]: module for module in client.modules()}


def test_list_is_p11_kits_own(make_sandbox):
    """The same names in the same order as p11-kit answers a program that is called tokend."""
    sandbox = make_sandbox([])
    with Client(sandbox) as client:
        for name, (files, wanted) in CONFIGURATIONS.items():
            write_configuration(sandbox, files)
            asked = sandbox.python("alice", P11_KIT)
            assert asked.returncode == 0, asked.stderr
            # Files with other names than a .module file may have: p11-kit takes them still, and says so.
            odd = set(re.findall("will be ignored in the future: (?:.*/)?(.*)", asked.stderr))
            theirs = [module for module in asked.stdout.splitlines() if module not in odd]
            listed = client.modules()
            assert theirs == wanted, name
            assert [module["name"] for module in listed] == wanted, name
            assert all(os.path.isabs(module["path"]) for module in listed)


def test_p11_kits_own_modules_are_left_out(make_sandbox):
    """The trust store holds no person's token, and the proxy would bring all modules into one process."""
    sandbox = make_sandbox(["softhsm"])
    with Client(sandbox) as client:
        files = {
            f"{PACKAGE}/p11-kit-trust.module": "module: p11-kit-trust.so\npriority: 1",
            f"{PACKAGE}/proxy.module": "module: /usr/lib/x86_64-linux-gnu/p11-kit-proxy.so",
            f"{PACKAGE}/a.module": "module: @a",
        }
        write_configuration(sandbox, files)
        assert [module["name"] for module in client.modules()] == ["a"]


def test_modules_that_are_none(make_sandbox):
    """A path to nothing, a library that is no PKCS#11 module, a file that is no library: failed, and why."""
    bad = {
        "nothing": "/nonexistent/libnothing.so",
        "library": "/lib/x86_64-linux-gnu/libm.so.6",
        "text": "/etc/hostname",
    }
    sandbox = make_sandbox(["etoken"], modules=bad)
    with Client(sandbox) as client:
        client.subscribe()
        modules = modules_by_name(client)
        assert set(modules) == {"etoken", *bad}
        for name, path in bad.items():
            assert modules[name]["path"] == path
            assert modules[name]["state"] == "failed"
            assert modules[name]["reason"]
        assert modules["etoken"] == {
            "name": "etoken",
            "path": sandbox.token("etoken").module,
            "profile": "etoken",
            "state": "ready",
        }
        (path,) = client.tokens()
        check(client.status(path), tries("pin", "ok", 3, "token"))
        client.unlock(path, sandbox.puk, "4321")

    table = sandbox.tokenctl("alice", "modules")
    assert table.returncode == 0
    assert all(name in table.stdout for name in ("etoken", *bad.values()))


def test_module_that_hangs_while_loading(make_sandbox):
    """The name is owned in time and the other tokens are served; the module fails, and is there once it can be."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    token = sandbox.token("etoken")
    token.fault("hang-on-load")
    sandbox.stop_tokend()
    sandbox.start_tokend()
    with Client(sandbox) as client:
        modules = modules_by_name(client)
        assert (modules["etoken"]["state"], modules["softhsm"]["state"]) == ("loading", "ready")
        client.subscribe()
        (path,) = client.tokens()
        assert client.status(path)["label"] == "SOFTHSM"
        client.set_pin(path, sandbox.pin, "4321")
        assert modules_by_name(client)["etoken"]["state"] == "loading"

        wait_until(lambda: modules_by_name(client)["etoken"]["state"] == "failed", 30, "the failure")
        assert modules_by_name(client)["etoken"]["reason"]
        assert "reason" not in modules_by_name(client)["softhsm"]
        token.clear_faults()
        # The host that hung is gone; each module has one.
        wait_until(lambda: modules_by_name(client)["etoken"]["state"] == "ready", 30, "the module")
        wait_until(lambda: len(sandbox.hosts("watch")) == 2, 30, "the end of the host that hung")
        labels = [client.status(path)["label"] for path in client.tokens()]
        assert sorted(labels) == ["ETOKEN", "SOFTHSM"]


@pytest.mark.parametrize("again", [False, True], ids=["once", "again-and-again"])
def test_module_that_crashes_at_a_read(make_sandbox, again):
    """Who asked gets ModuleFailed; other tokens are unaffected; the token is there again when the module works."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        paths = client.paths_by_label()
        token.fault("crash C_GetTokenInfo")
        with raises("ModuleFailed"):
            client.refresh(paths["ETOKEN"])
        if not again:
            token.clear_faults()
        assert modules_by_name(client)["etoken"]["reason"]
        assert client.refresh(paths["SOFTHSM"])["pin-state"] == "ok"

        if again:
            # What was read before is not said again.
            with raises("ModuleFailed"):
                client.status(paths["ETOKEN"])
            client.wait_signal("InterfacesRemoved", lambda signal: signal["arguments"][0] == paths["ETOKEN"])
            assert client.tokens() == [paths["SOFTHSM"]]
            client.set_pin(paths["SOFTHSM"], sandbox.pin, "4321")
            token.clear_faults()
            paths["ETOKEN"] = client.wait_signal("InterfacesAdded")["arguments"][0]
        else:
            # The token never left: its object stays.
            wait_until(lambda: modules_by_name(client)["etoken"]["state"] == "ready", 30, "the module")
            assert client.take_signals("InterfacesRemoved") == []
        check(client.refresh(paths["ETOKEN"]), tries("pin", "ok", 3, "token"), tries("puk", "ok", 3, "token"))
        client.unlock(paths["ETOKEN"], sandbox.puk, "4321")
    assert "CRASH" in token.results("C_GetTokenInfo")
    assert token.counters() == {"pin": 3, "puk": 3}


def count_hosts(token):
    """How many module hosts have loaded the token's module, by its own record."""
    return token.calls("tokend-module").count("C_Initialize")


def fails(method, path):
    """Whether the module has, in which case that is answered, and nothing waited for."""
    try:
        method(path)
    except BusError as error:
        assert error.name == "ModuleFailed"
        return True
    return False


def test_module_that_crashes_after_its_first_read(make_sandbox):
    """A few times it is started again as soon as ever; then, though it works for a moment after each start, more and more
    seldom, as one that never works. Who asks for its token meanwhile is answered at once."""
    sandbox = make_sandbox()
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        first_read = token.calls("tokend-module").count("C_GetSlotList")
        sandbox.stop_tokend()
        token.fault(f"crash C_GetSlotList {first_read + 1} watch")
        sandbox.start_tokend()
        client.subscribe()
        (path,) = client.tokens()
        for _ in range(CRASHES):
            wait_until(lambda: not fails(client.status, path), what="its start")
            wait_until(lambda: fails(client.refresh, path), what="its crash")
        before = count_hosts(token)
        time.sleep(PAUSE_AFTER_CRASHES - 1)
        assert count_hosts(token) == before and fails(client.status, path)
        assert client.tokens() == [path]


def test_token_that_cannot_be_read(make_sandbox):
    """It is there, and does not vanish: who asks for its status is told that it could not be read, and nothing is sent."""
    sandbox = make_sandbox()
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        token.fault("error C_GetTokenInfo * CKR_DEVICE_ERROR watch")
        for call in (client.refresh, client.status):
            with raises("ModuleFailed") as errors:
                call(path)
            assert "CKR_DEVICE_ERROR" in errors[0].message
        with nothing_sent(token), raises("ModuleFailed"):
            client.unlock(path, sandbox.puk, "4321")
        assert client.tokens() == [path]
        assert modules_by_name(client)["etoken"]["state"] == "ready"
        token.fault("vanish")
        client.wait_signal("InterfacesRemoved")
        token.clear_faults()
        client.wait_signal("InterfacesAdded")
        (path,) = client.tokens()
        check(client.status(path), tries("pin", "ok", 3, "token"))


def test_who_asked_in_vain_is_told_when_to_ask_again(sandbox):
    """Once the token was read after that, though it is as it was before; and once only."""
    token = only_token(sandbox)
    with Client(sandbox) as client:
        path = only_path(client)
        for fault in ("error C_GetTokenInfo * CKR_DEVICE_ERROR watch", "crash C_GetTokenInfo watch"):
            token.fault(fault)
            with raises("ModuleFailed"):
                client.refresh(path)
            assert client.take_signals("StatusChanged") == []
            token.clear_faults()
            client.wait_signal("StatusChanged", lambda signal: signal["path"] == path)
            check(client.status(path), tries("pin", "ok", 3, "token"))

            seen = len(token.calls("tokend-module"))
            wait_until(lambda: token.calls("tokend-module")[seen:].count("C_GetSlotList") > 4, what="two more polls")
            client.status(path)
            assert client.take_signals("StatusChanged") == []


def names(client):
    return [module["name"] for module in client.modules()]


def test_module_files_that_come_and_go(make_sandbox):
    """While somebody is subscribed that is noticed: a module that is configured no more shows nothing, and has no process; one
    that is new is read. The folder need not have been there."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    configured = sandbox.read_file(f"{PACKAGE}/etoken.module")
    assert not os.path.exists(sandbox.path(SYSTEM))
    with Client(sandbox) as client:
        client.subscribe()
        client.wait_labels(["ETOKEN", "SOFTHSM"])
        kept = client.paths_by_label()["SOFTHSM"]
        os.unlink(sandbox.path(f"{PACKAGE}/etoken.module"))
        client.wait_labels(["SOFTHSM"])
        assert names(client) == ["softhsm"]
        wait_until(lambda: len(sandbox.hosts("watch")) == 1, what="the end of its host")

        os.makedirs(sandbox.path(SYSTEM), mode=0o755)
        sandbox.write_file(f"{SYSTEM}/another.module", configured)
        client.wait_labels(["ETOKEN", "SOFTHSM"])
        assert names(client) == ["another", "softhsm"]
        sandbox.write_file(f"{SYSTEM}/another.module", f"{configured}priority: -1\n")
        wait_until(lambda: names(client) == ["softhsm", "another"], what="the other order")
        token = client.wait_labels(["ETOKEN", "SOFTHSM"])["ETOKEN"]
        client.set_pin(token, sandbox.pin, "4321")
        client.unsubscribe()
        os.unlink(sandbox.path(f"{SYSTEM}/another.module"))
        client.subscribe()
        assert names(client) == ["softhsm"]
        assert client.tokens() == [kept]


def test_module_that_is_removed_while_it_is_read(make_sandbox):
    """Who waits for it is told, and what was opened by it is over."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    token = sandbox.token("etoken")
    with Client(sandbox) as client:
        client.subscribe()
        path = client.wait_labels(["ETOKEN", "SOFTHSM"])["ETOKEN"]
        with nothing_sent(token):
            opened = client.begin_operation("SetPin", path, None, "4321")
            client.feed(opened, "12")
            token.fault("pause C_GetTokenInfo")
            token.wait_paused()
            reading = client.begin("Refresh", path, TOKEN)
            os.unlink(sandbox.path(f"{PACKAGE}/etoken.module"))
            with raises("NotFound"):
                client.finish(reading)
            client.end(opened, "34")
            with raises("TokenRemoved"):
                client.finish(opened)
        client.wait_labels(["SOFTHSM"])
        wait_until(lambda: len(sandbox.hosts("watch")) == 1, what="the end of its host")


@pytest.mark.parametrize(
    ("held", "code", "error", "left"),
    [
        ("C_OpenSession", "right", "TokenRemoved", 3),
        ("C_Login", "right", None, 3),
        ("C_Login", "wrong", "PukIncorrect", 2),
    ],
    ids=["prepared", "right-sent", "wrong-sent"],
)
def test_module_that_is_removed_during_a_try(make_sandbox, held, code, error, left):
    """A code that is on its way is not given up, and the reply says what came of it."""
    sandbox = make_sandbox(["etoken"])
    token = only_token(sandbox)
    sandbox.restart_tokend(FREED)
    service = sandbox.tokend()
    with Client(sandbox) as client:
        path = only_path(client)
        token.fault(f"pause {held} operate")
        puk = {"right": sandbox.puk, "wrong": WRONG_PUKS[0]}[code]
        unlocking = client.begin_operation("Unlock", path, puk, "4321")
        token.wait_paused()
        os.unlink(sandbox.path(f"{PACKAGE}/etoken.module"))
        client.wait_labels([])
        token.clear_faults()
        if error is None:
            check(client.finish(unlocking), tries("puk", "ok", left, "token"))
        else:
            with raises(error):
                client.finish(unlocking)
        assert client.modules() == []
    assert sandbox.tokend() == service
    assert token.counters() == {"pin": 3, "puk": left}


def test_module_that_was_removed_before_a_try(make_sandbox):
    """Nobody is subscribed, so the service finds that out when it begins to watch for the operation."""
    sandbox = make_sandbox(["etoken"])
    token = only_token(sandbox)
    sandbox.restart_tokend(FREED)
    service = sandbox.tokend()
    with Client(sandbox) as client, nothing_sent(token):
        (path,) = client.tokens()
        os.unlink(sandbox.path(f"{PACKAGE}/etoken.module"))
        with raises("NotFound"):
            client.unlock(path, sandbox.puk, "4321")
        assert client.modules() == []
    assert sandbox.tokend() == service


def test_module_files_are_not_polled(make_sandbox):
    """Nor is the folder that is not there."""
    sandbox = make_sandbox([])
    with Client(sandbox) as client:
        client.subscribe()
        wait_until_asleep([sandbox.tokend()], seconds=10)
