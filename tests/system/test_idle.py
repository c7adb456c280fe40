# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service leaves when nobody needs it, and is there when somebody does."""

from sandbox import wait_until

# The service's own 30 s, and as much again for a slow machine.
LEAVES_WITHIN = 60
NAME = "org.tokend.Tokend1"
BUS = ["busctl", "call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus"]


def has_owner(container):
    """Whether the service is there for callers; the bus answers by itself."""
    return container.root(*BUS, "NameHasOwner", "s", NAME) == "b true\n"


def test_it_leaves_and_comes_back(container, alice):
    """With all its hosts, of its own will, and without a word of failure; a call that comes as it goes is answered."""
    assert alice.status("ETOKEN")["pin-retries-remaining"] == 3
    first, hosts = container.tokend(), container.hosts()
    assert has_owner(container) and hosts
    wait_until(lambda: not has_owner(container), LEAVES_WITHIN, "the name without an owner")
    assert alice.status("ETOKEN")["pin-retries-remaining"] == 3
    assert container.tokend() not in (None, first)

    wait_until(lambda: not set(hosts) & set(container.hosts()), what="the end of its hosts")
    said = [entry["MESSAGE"] for entry in container.entries("UNIT=tokend.service")]
    assert "tokend.service: Deactivated successfully." in said
    assert container.root("systemctl", "is-system-running") == "running\n"
