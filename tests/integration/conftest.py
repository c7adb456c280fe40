# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sandboxes for the tests, each of which must end clean."""

import contextlib
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))
from sandbox import Sandbox  # noqa: E402

# What no daemon of ours may ever say, whatever is done to it.
BUG = re.compile(r"-CRITICAL \*\*|\bCRITICAL:|Sanitizer|runtime error:|assertion failed|Segmentation fault")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that fails shows what the daemons said."""
    report = (yield).get_result()
    if report.failed:
        for number, sandbox in enumerate(getattr(item, "sandboxes", ())):
            with contextlib.suppress(OSError):
                lines = [line for line in sandbox.logs().splitlines(True) if "GLib-GIO-DEBUG" not in line]
                report.sections.append((f"logs of sandbox {number}", "".join(lines)))


@pytest.fixture(name="make_sandbox")
def fixture_make_sandbox(request):
    """Gives a function that takes Sandbox's arguments and returns one that runs until the test ends."""
    with contextlib.ExitStack() as stack:
        sandboxes = request.node.sandboxes = []

        def make(*arguments, **settings):
            sandboxes.append(stack.enter_context(Sandbox(*arguments, **settings)))
            return sandboxes[-1]

        yield make
        for sandbox in sandboxes:
            check_end(sandbox)


def check_end(sandbox):
    try:
        # A sanitizer looks for leaks when tokend ends by itself, which it must do whatever was done to it.
        if sandbox.tokend():
            sandbox.stop_tokend()
    except TimeoutError as error:
        pytest.fail(f"{error}\n{sandbox.logs()}")
    assert not BUG.search(sandbox.logs()), sandbox.logs()


@pytest.fixture
def sandbox(make_sandbox):
    """A sandbox with one eToken."""
    return make_sandbox()
