# SPDX-License-Identifier: LGPL-2.1-or-later
"""Passes every test in a build that counts what is executed; the last line says "N passed, N failed", as of tests/run.

Before it stands what was not executed, and a table of lines and branches. Fails if a test does, or if fewer lines of the
service's folders are executed than they shall be. A process that is killed, as the crash tests do, does not write what it
counted. Installs what is missing and builds first, in a folder of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
from prepare import SOURCE, become_root, give_to_owner, install_packages, run_quietly  # noqa: E402

BUILD = os.path.join(SOURCE, "_build-coverage")
# In it a folder a user, who writes there in a sandbox: see dump.c. inside.py goes by it too.
COUNTS = os.path.join(BUILD, "coverage")
DUMP = os.path.join(BUILD, "dump.o")
SETUP = ["meson", "setup", BUILD, "-Db_coverage=true"]
# Threads count too; and no program, however it ends, without dump.c.
SETUP += ["-Dc_args=-fprofile-update=atomic", f"-Dc_link_args=--coverage -Wl,--wrap=_exit {DUMP}"]
# A file is counted for the first folder that it is in.
FOLDERS = ("service/host/", "service/", "dbus/", "client/")
# The least share of executed lines, in percent.
FLOOR = 90
FLOOR_FOLDERS = ("service/host/", "service/", "dbus/")


def set_up():
    run_quietly(["mkdir", "-p", BUILD])
    run_quietly(["cc", "-O2", "-c", os.path.join(HERE, "dump.c"), "-o", DUMP])
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        run_quietly(SETUP)
    shutil.rmtree(COUNTS, ignore_errors=True)
    os.mkdir(COUNTS)
    os.chmod(COUNTS, 0o1777)
    for path in list_counts():
        os.unlink(path)


def list_counts():
    return [
        os.path.join(folder, name)
        for folder, _, names in os.walk(BUILD)
        for name in names
        if name.endswith(".gcda") and not folder.startswith(COUNTS)
    ]


def run_tests():
    """Returns the exit status, and the last line."""
    line = ""
    environment = os.environ | {"TOKEND_BUILD": BUILD}
    with subprocess.Popen([f"{SOURCE}/tests/run"], env=environment, stdout=subprocess.PIPE, text=True) as tests:
        for line in tests.stdout:
            print(line, end="", flush=True)
    return tests.returncode, line


def merge():
    """Adds what the sandboxes' users counted to what is in the build folder."""
    with tempfile.TemporaryDirectory() as folder:
        merged = os.path.join(folder, "0")
        for path in list_counts():
            target = os.path.join(merged, os.path.relpath(path, BUILD))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(path, target)
        for user in os.listdir(COUNTS):
            both = os.path.join(folder, f"with-{user}")
            counted = f"{COUNTS}/{user}{BUILD}"
            subprocess.run(["gcov-tool", "merge", merged, counted, "-o", both], check=True)
            merged = both
        shutil.copytree(merged, BUILD, dirs_exist_ok=True)


def report():
    """Prints the table. Returns whether the service's folders have come to the floor."""
    filters = [option for folder in FOLDERS for option in ("--filter", f"{SOURCE}/{folder}")]
    command = ["gcovr", "--root", SOURCE, "--object-directory", BUILD, "--exclude-directories", "meson-private", *filters]
    command += ["--json-summary", f"{BUILD}/coverage.json", "--txt", f"{BUILD}/coverage.txt", BUILD]
    with tempfile.TemporaryDirectory() as folder:  # for what gcov leaves where it runs
        subprocess.run(command, check=True, cwd=folder)
    with open(f"{BUILD}/coverage.txt", encoding="utf-8") as file:
        # "file lines executed share missing"
        print("Lines that no test came to:", *(line.rstrip() for line in file if "%   " in line), sep="\n  ", end="\n\n")
    with open(f"{BUILD}/coverage.json", encoding="utf-8") as file:
        files = json.load(file)["files"]

    row = "{:16} {:>6} of {:>5} lines {:>6.1%} {:>6} of {:>5} branches {:>6.1%}"
    shares = {}
    counted = {folder: [] for folder in FOLDERS}
    for entry in files:
        counted[next(folder for folder in FOLDERS if entry["filename"].startswith(folder))].append(entry)
    for folder, entries in [*counted.items(), ("all", files)]:
        keys = ("line_covered", "line_total", "branch_covered", "branch_total")
        lines, all_lines, branches, all_branches = (sum(entry[key] for entry in entries) for key in keys)
        shares[folder] = lines / all_lines
        print(row.format(folder, lines, all_lines, lines / all_lines, branches, all_branches, branches / all_branches))
    return all(100 * shares[folder] >= FLOOR for folder in FLOOR_FOLDERS)


def main():
    become_root()
    try:
        install_packages()
        install_packages(os.path.join(HERE, "packages"))
        set_up()
        status, last_line = run_tests()
        merge()
        is_enough = report()
        give_to_owner(BUILD)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
    if not is_enough:
        print(f"Fewer than {FLOOR} % of the service's lines are tested.")
    print(last_line, end="")
    sys.exit(status or not is_enough)


main()
