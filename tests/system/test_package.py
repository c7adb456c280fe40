# SPDX-License-Identifier: LGPL-2.1-or-later
"""The package: installed, upgraded, removed and purged on a running system."""

import os

import package as debian_package
import pytest
from conftest import install
from sandbox import wait_until
from test_recovery import MUTE, UNLOCK, puk

# Of a token that shows nothing each try may be the last.
UNLOCK_ANYHOW = [*UNLOCK, "--final-attempt"]
WRONG_CODE = 5
LEFT = ("final-try", 1, "ledger")

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


def test_upgrade(container, packages, older, codes):
    """The service that runs is the new one, and knows what the old one did; what is under way completes first."""
    token = container.token("etoken")
    install(container, older)
    assert version(container).endswith("~before")
    token.fault(*MUTE)
    lose_two_puks(container, codes)
    assert puk(container) == LEFT
    before = container.tokend()
    install(container, packages)
    assert not version(container).endswith("~before")
    assert not os.path.exists(f"/proc/{before}")
    assert puk(container) == LEFT
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
    assert container.run("root", ["test", "-s", "/var/lib/tokend/ledger"]).returncode == 0
    assert container.root("systemctl", "is-system-running") == "running\n"

    install(container, packages)
    assert puk(container) == LEFT, "as it was"
    dpkg(container, "purge")
    assert not left(container)
    container.reboot()
    assert not left(container)
