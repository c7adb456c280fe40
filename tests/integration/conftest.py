# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sandboxes for the tests, each of which must end clean."""

import contextlib
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))
import fault_report  # noqa: E402
import flood  # noqa: E402
import flood_scene  # noqa: E402
from leaks import Codes  # noqa: E402
from sandbox import Sandbox  # noqa: E402

# What no daemon of ours may ever say, whatever is done to it.
BUG = re.compile(r"-CRITICAL \*\*|\bCRITICAL:|Sanitizer|runtime error:|assertion failed|Segmentation fault")
# p11-kit follows the function list that a module hands back, wherever it points to: then the host crashes, as tests of that
# want it to.
LYING_MODULE = re.compile(
    r"==(\d+)==ERROR: AddressSanitizer: SEGV(?:(?!==\1==ABORTING).)* in p11_kit_module_load .*?==\1==ABORTING", re.DOTALL
)


def pytest_addoption(parser):
    """What tests/faults asks for."""
    parser.addoption("--whole-matrix", action="store_true", help="every fault at every call, not a part of them")


def pytest_configure(config):
    """The marks of our own."""
    config.addinivalue_line("markers", "without_sanitizer: what a sanitizer takes into its own hands is looked at")


def pytest_collection_modifyitems(config, items):
    """With AddressSanitizer mlock() does nothing, and a signal is its own to report: there is nothing of ours to see."""
    if "ASAN_OPTIONS" not in os.environ:
        return
    beside = [item for item in items if item.get_closest_marker("without_sanitizer")]
    config.hook.pytest_deselected(items=beside)
    items[:] = [item for item in items if item not in beside]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A test that fails shows what the daemons said."""
    report = (yield).get_result()
    if report.when == "call" and hasattr(item, "fault_matrix"):
        report.fault_matrix = fault_report.pack(item.fault_matrix)
    if report.when == "call" and hasattr(item, "figures"):
        report.figures = item.figures
    if report.failed:
        for number, sandbox in enumerate(getattr(item, "sandboxes", ())):
            with contextlib.suppress(OSError):
                lines = [line for line in sandbox.logs().splitlines(True) if "GLib-GIO-DEBUG" not in line]
                report.sections.append((f"logs of sandbox {number}", "".join(lines)))


def pytest_terminal_summary(terminalreporter):
    """The fault matrix, of all tests that ran a part of it; and how long others waited during the floods."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    cells = [cell for report in reports for cell in fault_report.unpack(getattr(report, "fault_matrix", []))]
    if cells:
        terminalreporter.section("fault matrix")
        fault_report.report(cells, terminalreporter.write_line)
    figures = [line for report in reports for line in getattr(report, "figures", [])]
    if figures:
        terminalreporter.section("floods")
        flood.report(sorted(figures), terminalreporter.write_line)


@pytest.fixture
def matrix(request):
    """A list for the cells that a test ran, as pairs of Cell and whether it held."""
    request.node.fault_matrix = []
    return request.node.fault_matrix


@pytest.fixture
def scene(request, make_sandbox):
    """Of a flood; its figures are printed at the end."""
    request.node.figures = []
    made = flood_scene.Scene(make_sandbox(["etoken", "etoken"]), request.node.figures)
    yield made
    made.check_end()


@pytest.fixture
def codes():
    """Random codes, to be looked for."""
    return Codes()


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
        pytest.fail(str(error))
    assert not [line for line in LYING_MODULE.sub("", sandbox.logs()).splitlines() if BUG.search(line)]


@pytest.fixture
def sandbox(make_sandbox):
    """A sandbox with one eToken."""
    return make_sandbox()
