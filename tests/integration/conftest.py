# SPDX-License-Identifier: LGPL-2.1-or-later
"""Sandboxes for the tests, each of which must end clean."""

import contextlib
import glob
import os
import re
import sys
import zlib

import pytest
from xdist.scheduler import LoadScheduling

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../lib"))
import fault_report  # noqa: E402
import flood  # noqa: E402
import flood_scene  # noqa: E402
import heap  # noqa: E402
from leaks import Codes  # noqa: E402
from sandbox import FOLDER, Sandbox  # noqa: E402
from support import MANAGER, MANAGER_PATH  # noqa: E402

# What no daemon of ours may ever say, whatever is done to it.
BUG = re.compile(r"-CRITICAL \*\*|\bCRITICAL:|Sanitizer|runtime error:|assertion failed|Segmentation fault")
# p11-kit follows the function list that a module hands back, wherever it points to: then the host crashes, as tests of that
# want it to.
LYING_MODULE = re.compile(
    r"==(\d+)==ERROR: AddressSanitizer: SEGV(?:(?!==\1==ABORTING).)* in p11_kit_module_load .*?==\1==ABORTING", re.DOTALL
)
# What dbus-send is to ask for
GET = "org.freedesktop.DBus.Properties.Get"
VERSION = [f"--dest=org.tokend.Tokend1", MANAGER_PATH, GET, f"string:{MANAGER}", "string:Version"]
# A worker wants two at least: with the one that it is at, it wants to know the next.
TESTS_AHEAD = 2
# Within this part of all tests the long ones begin, so that none is waited for at the end.
LONG_PART = 0.6


def pytest_addoption(parser):
    """What tests/faults asks for."""
    parser.addoption("--whole-matrix", action="store_true", help="every fault at every call, not a part of them")


def pytest_configure(config):
    """The marks of our own."""
    config.addinivalue_line("markers", "without_sanitizer: what a sanitizer takes into its own hands is looked at")
    config.addinivalue_line("markers", "long: waits for a minute or more, for deadlines; not begun among the last")


class FewAtATime(LoadScheduling):
    """Some tests take minutes, and others none: a worker must not have many of those before it while others have none."""

    def _send_tests(self, node, num):
        super()._send_tests(node, min(num, TESTS_AHEAD))


def pytest_xdist_make_scheduler(config, log):
    return FewAtATime(config, log)


def pytest_collection_modifyitems(config, items):
    """Beside each other come no tests of one kind: six floods at once would be one that nobody meant, and while six modules
    hang nobody works. With AddressSanitizer mlock() does nothing, and a signal is its own to report: there is nothing of ours
    to see."""

    def place(item):
        number = zlib.crc32(item.nodeid.encode())
        return number * LONG_PART if item.get_closest_marker("long") else number

    if hasattr(config, "workerinput"):
        items.sort(key=place)
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
    sandbox = make_sandbox(["etoken", "etoken"])
    sandbox.restart_tokend(heap.ENVIRONMENT)
    made = flood_scene.Scene(sandbox, request.node.figures)
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


@pytest.fixture
def clock(sandbox):
    """Starts tokend again, under libfaketime; gives a function that puts its clocks so many seconds ahead of the
    machine's. What waits in tokend has seen its clock when that returns, but for quietly=True: then it sees it with what
    wakes it up next.

    Each of its threads reads the file, and for a moment one may see another time than the rest: a deadline that begins
    in that moment may be over at once. Who only asks for a property begins none."""
    (library,) = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")

    def put_ahead(seconds, quietly=False):
        sandbox.write_file(f"{FOLDER}/seconds-ahead", f"+{seconds}\n")
        # What is due comes with the first of them, or right after it.
        for _ in range(0 if quietly else 2):
            asked = sandbox.run("alice", ["dbus-send", "--system", "--print-reply", *VERSION])
            assert asked.returncode == 0, asked.stderr

    put_ahead(0)
    faketime = {"FAKETIME_TIMESTAMP_FILE": f"{FOLDER}/seconds-ahead", "FAKETIME_NO_CACHE": "1"}
    sandbox.restart_tokend({"LD_PRELOAD": library} | faketime)
    return put_ahead
