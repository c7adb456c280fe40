# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks with ThreadSanitizer for races in the service and its hosts; ends with "N passed, N failed".

In their unit tests, and in the sandbox in tokend and the hosts that it has started. GLib is not built with it: see glib.c and
suppressions. Installs what is missing and builds first, in a folder of its own.
"""

import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
from prepare import SOURCE, become_root, give_to_owner, install_packages, run_as_owner, run_quietly  # noqa: E402
from suite import WORKERS, finish  # noqa: E402

BUILD = os.path.join(SOURCE, "_build-threads")
# An archive: a program gets of it what it needs, and one that has nothing of GLib needs nothing.
GLIB = os.path.join(BUILD, "glib.a")
SUPPRESSIONS = "tests/threads/suppressions"
# Of a lock that GLib takes only the unlocking may be seen: so it is not judged whether that is right.
OPTIONS = "report_mutex_bugs=0:atexit_sleep_ms=0"
# What has most of the service's threads at work at once, and calls it without tokenctl, which is built with it too.
TESTS = ["test_concurrency.py", "test_recovery.py"]
SLOWNESS = "5"


def make_archive():
    flags = subprocess.run(["pkg-config", "--cflags", "gio-2.0"], stdout=subprocess.PIPE, text=True, check=True)
    made = os.path.join(BUILD, "glib.o")
    source = os.path.join(HERE, "glib.c")
    run_quietly(["mkdir", "-p", BUILD])
    run_quietly(["cc", "-fPIC", "-Wall", "-g", *flags.stdout.split(), "-c", source, "-o", made])
    run_quietly(["ar", "rcs", GLIB, made])
    with open(source, encoding="utf-8") as file:
        return sorted(set(re.findall(r"__wrap_(\w+)", file.read())))


def build():
    wrapped = " ".join(f"-Wl,--wrap={name}" for name in make_archive())
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        setup = ["meson", "setup", BUILD, "-Db_sanitize=thread", "-Db_lundef=false", "-Dbuildtype=debug"]
        run_quietly([*setup, "-Doptimization=1", f"-Dc_link_args={wrapped} {GLIB}"])
    run_quietly(["ninja", "-C", BUILD])


def list_tests():
    """The unit tests of the service and the module host, but those that have one thread or wait for deadlines, and the one
    that starts threads in a process that it forks: ThreadSanitizer does not follow it there."""
    command = ["meson", "test", "-C", BUILD, "--no-rebuild", "--list"]
    listed = run_as_owner(command, stdout=subprocess.PIPE, text=True)
    names = re.findall(r"\b(?:service/|module-)\S+", listed.stdout)
    return [name for name in names if not re.search("blocking|silent|order|catalog|ledger-disk", name)]


def run_unit_tests():
    # Where addresses are too random, ThreadSanitizer does not start.
    command = ["meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs", "--wrap=setarch -R"]
    environment = os.environ | {
        "TSAN_OPTIONS": f"{OPTIONS}:halt_on_error=1:suppressions={SOURCE}/{SUPPRESSIONS}",
        "G_SLICE": "always-malloc",
    }
    return run_as_owner([*command, "--timeout-multiplier", SLOWNESS, *list_tests()], env=environment).returncode


def run_integration_tests(results):
    """A race is told in a log of the sandbox's, for which the test then fails."""
    command = ["setarch", "-R", sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-n", WORKERS, "--quiet"]
    environment = os.environ | {
        "TSAN_OPTIONS": f"{OPTIONS}:suppressions=/run/sandbox/source/{SUPPRESSIONS}",
        "TOKEND_BUILD": BUILD,
    }
    with tempfile.TemporaryDirectory() as folder:
        command += [f"--junitxml={results}", f"--basetemp={folder}/pytest"]
        command += [os.path.join(SOURCE, "tests/integration", name) for name in TESTS]
        return subprocess.run(command, env=environment, check=False).returncode


def main():
    become_root()
    try:
        install_packages()
        install_packages(os.path.join(HERE, "packages"))
        build()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
    results = os.path.join(BUILD, "threads.junit.xml")
    status = run_unit_tests()
    status = run_integration_tests(results) or status
    give_to_owner(BUILD)
    finish(status, f"{BUILD}/meson-logs/testlog-setarch.junit.xml", results)


main()
