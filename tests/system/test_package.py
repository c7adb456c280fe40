# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package: installed, upgraded, removed and purged on a running system."""

import hashlib
import os
import re

import package as debian_package
import pytest
from conftest import install
from sandbox import wait_until
from test_recovery import MUTE, UNLOCK, lost

# Of a token that shows nothing each try may be the last.
UNLOCK_ANYHOW = [*UNLOCK, "--final-attempt"]
WRONG_CODE, REFUSED = 5, 7
LOST = (2, 0)
LEDGER = "/var/lib/tokend/ledger"

NAMES = ("tokend", "tokend-notify")
SOCKETS = ("tokend-module-watch.socket", "tokend-module-operate.socket")


@pytest.fixture(name="older")
def fixture_older(packages, tmp_path):
    """The same packages of a lower version."""
    return [debian_package.lower(path, tmp_path) for path in packages]


def version(container):
    return container.root("dpkg-query", "--show", "--showformat=${Version}", "tokend")


def lose_two_puks(container, codes):
    """Then there is one left, of which only the record knows."""
    for wrong in (codes.wrong_puk, codes.another_wrong_puk):
        sent = container.run_with_codes("root", UNLOCK_ANYHOW, {"puk": wrong, "new": codes.new_pin})
        assert sent.returncode == WRONG_CODE, sent.stderr


def dpkg(container, verb):
    command = ["apt-get", verb, "--yes", *NAMES]
    return container.root(*command, env={"DEBIAN_FRONTEND": "noninteractive"}, timeout=120)


def left(container):
    """All files that bear the name, but for what is no part of the package: its file, the journal, the tests."""
    find = ["find", "/", "-xdev", "-name", "*tokend*"]
    for folder in ("/root/packages", "/usr/share/doc", "/var/log", "/run/sandbox"):
        find += ["-not", "-path", f"{folder}/*"]
    return container.root(*find, "-print").split()


def make_older(container):
    """Takes from the ledger what the commit 81cd120 did not write, as long as no service runs."""
    container.root("systemctl", "stop", "tokend.service")
    text = container.root("cat", LEDGER)
    lines = text[: text.rindex("[end]\n")].splitlines(keepends=True)
    body = "".join(line for line in lines if not re.match(r"p[iu][nk]-(wrong|sent-at)=", line))
    assert "puk-spent=2\n" in body
    sealed = f"{body}[end]\nsha256={hashlib.sha256(body.encode()).hexdigest()}\n"
    container.root("rm", "-f", f"{LEDGER}.previous")
    container.write_file(LEDGER, sealed)


def test_upgrade_with_a_record_of_81cd120(container, packages, older, codes):
    """What that version barred is barred."""
    token = container.token("etoken")
    install(container, older)
    token.fault(*MUTE)
    lose_two_puks(container, codes)
    make_older(container)
    install(container, packages)
    refused = container.run_with_codes("root", UNLOCK, {"puk": codes.puk, "new": codes.new_pin})
    assert refused.returncode == REFUSED, refused.stderr
    assert token.counters()["puk"] == 1
    assert container.run("root", ["test", "-e", f"{LEDGER}.unreadable"]).returncode != 0
    assert container.run_with_codes("root", UNLOCK_ANYHOW, {"puk": codes.puk, "new": codes.new_pin}).returncode == 0
    assert token.login(codes.new_pin)


def test_upgrade(container, packages, older, codes):
    """The service that runs is the new one, and knows what the old one did; what is under way completes first."""
    token = container.token("etoken")
    install(container, older)
    assert version(container).endswith("~before")
    token.fault(*MUTE)
    lose_two_puks(container, codes)
    assert lost(container) == LOST
    before = container.tokend()
    install(container, packages)
    assert not version(container).endswith("~before")
    assert not os.path.exists(f"/proc/{before}")
    assert lost(container) == LOST
    assert [container.property(unit, "ActiveState") for unit in SOCKETS] == ["active", "active"]
    assert container.run_with_codes("root", UNLOCK_ANYHOW, {"puk": codes.puk, "new": codes.new_pin}).returncode == 0
    assert token.login(codes.new_pin)


def test_remove_and_purge(container, packages, codes):
    """Removed, nothing of it runs or is enabled, and the record of tries stays; purged, nothing is left."""
    token = container.token("etoken")
    token.fault(*MUTE)
    lose_two_puks(container, codes)
    dpkg(container, "remove")
    wait_until(lambda: not container.hosts(), what="the end of the hosts")
    assert container.tokend() is None
    # As Debian has it, configuration stays, and so does which unit was enabled.
    assert not [path for path in left(container) if not path.startswith(("/var/lib/", "/etc/"))]
    assert {container.property(unit, "LoadState") for unit in SOCKETS} == {"not-found"}
    assert container.run("root", ["test", "-s", LEDGER]).returncode == 0
    assert container.root("systemctl", "is-system-running") == "running\n"

    install(container, packages)
    assert lost(container) == LOST, "as it was"
    dpkg(container, "purge")
    assert not left(container)
    container.reboot()
    assert not left(container)
