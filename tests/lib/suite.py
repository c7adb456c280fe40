# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passes every test, and ends with a line "N passed, N failed".

Installs what is missing and builds first, as tests/sandbox does. TOKEND_BUILD names another build folder than _build.
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

from prepare import SOURCE, become_root, give_to_owner, prepare, run_as_owner

# The sandboxes wait more than they compute: of so many two cores have hardly anything left to do.
PER_CORE = 3 if "ASAN_OPTIONS" in os.environ else 4
WORKERS = str(PER_CORE * (os.cpu_count() or 1))
# A test that takes longer, in seconds, tells where it is.
SLOW = 300
REASON_MAX = 1000


def run_unit_tests(build):
    finished = run_as_owner(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs"])
    return finished.returncode, os.path.join(build, "meson-logs/testlog.junit.xml")


def run_integration_tests(build):
    results = os.path.join(build, "integration.junit.xml")
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-n", WORKERS, "--quiet"]
    # Whatever lies above the clone is nothing of ours.
    command += [f"--confcutdir={SOURCE}", "-o", f"faulthandler_timeout={SLOW}", f"--junitxml={results}"]
    with tempfile.TemporaryDirectory() as folder:
        command += [f"--basetemp={folder}/pytest", os.path.join(SOURCE, "tests/integration")]
        finished = subprocess.run(command, check=False)
    return finished.returncode, results


def tell_states(results):
    """What tests/unit/service/operation/test-order.c says on a green run, which meson keeps for its log: how many states it has
    looked at, and up to which bounds."""
    for said in ElementTree.parse(results).getroot().iter("system-out"):
        for line in re.findall(r"^# (/order/.* states, .*)$", said.text or "", re.MULTILINE):
            print(line)


def count(results):
    """Returns how many cases of a JUnit file passed, failed, and were skipped; says again what failed, and the beginning of
    why, since it is far above by now."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        failures = [*case.iter("failure"), *case.iter("error")]
        if failures:
            failed += 1
            why = (failures[0].get("message") or "")[:REASON_MAX]
            print(f"failed: {case.get('classname')} {case.get('name')}: {why}")
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def finish(status, *all_results):
    """Prints the line that counts the cases of these files, and ends; status: not 0 if a runner failed."""
    totals = [0, 0, 0]
    for results in all_results:
        totals = [total + number for total, number in zip(totals, count(results))]
    passed, failed, skipped = totals
    # A runner that failed although no case did (a crash, say) must not end with "0 failed".
    failed = failed or int(status != 0)
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(failed > 0)


def main():
    become_root()
    try:
        build = prepare()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")

    status = 0
    all_results = []
    give_to_owner(build)
    for run in (run_unit_tests, run_integration_tests):
        code, results = run(build)
        give_to_owner(build)
        status = status or code
        all_results.append(results)
    tell_states(all_results[0])
    finish(status, *all_results)


if __name__ == "__main__":
    main()
