# SPDX-License-Identifier: LGPL-2.1-or-later
"""The notifier in a real session: it wants nothing of the service while another session is in front."""

import contextlib
import re
import signal
import subprocess

from sandbox import TIMEOUT, wait_until


@contextlib.contextmanager
def notifier(container, session):
    """Runs it with a session bus of its own, on which nobody shows notifications."""
    argv = ["dbus-run-session", "--", "tokend-notify"]
    program = container.popen(
        session.user, argv, session=session, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        user = container.user_id(session.user)
        for outside, uid, argv in container.processes().values():
            if uid == user and argv == ["tokend-notify"]:
                container.kill(outside, signal.SIGTERM)
        program.wait(TIMEOUT)


def is_connected(container):
    """Whether a notifier is on the system bus."""
    return "tokend-notify" in container.root("busctl", "list", "--unique", "--no-legend")


def who_had_it_started(container):
    """The numbers of the users who called it when it was not there, as the bus daemon tells them."""
    said = [entry["MESSAGE"] for entry in container.entries("SYSLOG_IDENTIFIER=dbus-daemon")]
    found = [re.search(r"Activating via systemd: service name='org.tokend.Tokend1' .*\(uid=(\d+)", text) for text in said]
    return [int(match[1]) for match in found if match]


def is_service_active(container):
    return container.property("tokend.service", "ActiveState") == "active"


def test_it_follows_its_session(container, alice):
    """The service, which nobody else calls, is started by the notifier's session coming to the front, and not before."""
    bob = container.login("bob")
    bob.activate()
    wait_until(lambda: alice.property("Active") == "no", what="the inactive session")
    with notifier(container, alice):
        wait_until(lambda: is_connected(container), what="the notifier")
        with notifier(container, bob):
            wait_until(lambda: is_service_active(container), what="the service, for who is in front")
        container.root("systemctl", "stop", "tokend.service")
        alice.activate()
        wait_until(lambda: is_service_active(container), what="the service, for who comes to the front")
    assert who_had_it_started(container) == [container.user_id("bob"), container.user_id("alice")]
