# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots a Debian with the package in it, passes the tests in there, and ends with a line "N passed, N failed".

Installs what is missing, makes the Debian (see debian.py) and builds the package first. The containers are in
namespaces and control groups of their own, and end with this program. TOKEND_BUILD names another build folder, and
TOKEND_PACKAGES a folder with packages of this tree that are built already.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
import cgroup  # noqa: E402
import debian  # noqa: E402
import package  # noqa: E402
from container import Container  # noqa: E402
from namespaces import mount, run_command, run_in_namespaces  # noqa: E402
from prepare import become_root, give_to_owner, install_packages, prepare  # noqa: E402
from suite import finish  # noqa: E402

# A test that takes longer, in seconds, tells where it is.
SLOW = 120


def no_container(error):
    """One line."""
    return f"This machine cannot boot a container: {str(error).splitlines()[-1]}"


def run_tests(base, build, command, terminal):
    """Run in namespaces, in which no program of the machine's is to be met by way of /run. Returns an exit status."""
    mount("tmpfs", "/run", "tmpfs", options="mode=755")
    try:
        with Container([base], build=build):
            pass
    except (OSError, RuntimeError) as error:
        raise SystemExit(no_container(error)) from error
    return run_command(functools.partial(os.execv, command[0], command), terminal)


def pytest_command(results, temporary, base, packages, build):
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "--verbose", "--tb=short"]
    command += ["-o", f"faulthandler_timeout={SLOW}", f"--junitxml={results}", f"--basetemp={temporary}/pytest"]
    command += [f"--rootdir={HERE}", f"--debian={base}", f"--packages={':'.join(packages)}", f"--build={build}"]
    return [*command, HERE, *sys.argv[1:]]


def main():
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        become_root()
    except FileNotFoundError:
        sys.exit("To boot a container one must be root, and there is no sudo")
    cgroup.begin_scope()
    try:
        install_packages(os.path.join(HERE, "packages"))
        tried = subprocess.run([*debian.CONTAINED, "true"], stderr=subprocess.PIPE, text=True, check=False)
        if tried.returncode != 0:
            sys.exit(no_container(tried.stderr))
        build = prepare()
        base = debian.folder()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")

    results = os.path.join(build, "system.junit.xml")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(results)
    with tempfile.TemporaryDirectory() as temporary:
        folder = os.environ.get("TOKEND_PACKAGES")
        if not folder:
            folder = os.path.join(temporary, "package")
            package.build(folder)
        command = pytest_command(results, temporary, base, package.list_packages(folder), build)
        try:
            with cgroup.own():
                status = run_in_namespaces(functools.partial(run_tests, base, build, command))
        except OSError as error:
            sys.exit(no_container(error))
    if not os.path.exists(results):
        sys.exit("No test was run")
    give_to_owner(build)
    finish(status, results)


main()
