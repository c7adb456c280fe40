# SPDX-License-Identifier: LGPL-2.1-or-later
"""Looks with valgrind at the module hosts, in their unit tests and in the sandbox; ends with "N passed, N failed".

A wrong access and a leak are failures, also of a host that a test started: it says so by its exit status. Installs what is
missing and builds first. TOKEND_BUILD names another build folder, without sanitizers.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
from memcheck import MEMCHECK  # noqa: E402
from prepare import become_root, give_to_owner, install_packages, prepare, run_as_owner  # noqa: E402
from suite import finish  # noqa: E402

WRAPPER = shlex.join([*MEMCHECK, "--quiet", "--trace-children=yes"])
# How many times slower than by itself a test may be.
SLOWNESS = "10"


def list_tests(build):
    """Those of the module host but the ones that wait for its deadlines, of which nothing more is to be learned."""
    listed = run_as_owner(["meson", "test", "-C", build, "--no-rebuild", "--list"], stdout=subprocess.PIPE, text=True)
    names = re.findall(r"\bmodule-\S+", listed.stdout)
    return [name for name in names if not re.search("slow|blocking|silent", name)]


def main():
    become_root()
    try:
        build = prepare()
        install_packages(os.path.join(HERE, "packages"))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")

    command = ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", f"--wrap={WRAPPER}"]
    tested = run_as_owner([*command, "--timeout-multiplier", SLOWNESS, *list_tests(build)])
    results = os.path.join(build, "valgrind.junit.xml")
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "--quiet", f"--junitxml={results}"]
    with tempfile.TemporaryDirectory() as folder:
        played = subprocess.run([*command, f"--basetemp={folder}/pytest", f"--rootdir={HERE}", HERE], check=False)
    give_to_owner(build)
    finish(tested.returncode or played.returncode, f"{build}/meson-logs/testlog-valgrind.junit.xml", results)


main()
