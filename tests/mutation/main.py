# SPDX-License-Identifier: LGPL-2.1-or-later
"""Changes the code in one place at a time, and tells which changes no unit test notices.

A condition is turned round, an operand or a statement left out, a bound moved by one, a constant taken for another: if all
the unit tests that hold the file pass nevertheless, one is missing. The last line says "N killed, N survived that nobody
has judged"; it fails if one did. Which files are changed, and which tests hold each, is in "files"; which survivors were
looked at and make no difference, and why, in "judged". A judged change is not tried again but with --all, which fails if it
is noticed after all; one that can no longer be made fails always.

Without --all and without a FILE: a sample, by a seed that is the commit's, for three minutes. The clone is never changed: each
change is compiled in a folder of its own. Installs what is missing and builds first, in a folder of its own.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
from mutants import BUILD, WORKERS, Build, Failure  # noqa: E402
from prepare import SOURCE, become_root, install_packages, run_as_owner, run_quietly  # noqa: E402

FILES = os.path.join(HERE, "files")
JUDGED = os.path.join(HERE, "judged")
SAMPLE_SECONDS = 180


def read_files():
    """Returns the names of the unit tests that hold a file, by its path."""
    with open(FILES, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {words[0]: words[1:] for words in lines}


def read_judged():
    """Returns the keys of the changes that make no difference. A block names path and function, the line that is changed, the
    change, and the reason."""
    with open(JUDGED, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.startswith("#"))
    judged = set()
    for block in text.strip().split("\n\n"):
        lines = [line.strip() for line in block.splitlines()]
        if block and len(lines) < 4:
            sys.exit(f"{JUDGED}: a reason is missing:\n{block}")
        if block:
            judged.add((*lines[0].split(), *lines[1:3]))
    return judged


def seed_of_commit():
    said = run_as_owner(["git", "rev-parse", "--short=8", "HEAD"], stdout=subprocess.PIPE, text=True)
    return int(said.stdout, 16) if said.returncode == 0 else 1


def parse_arguments(files):
    parser = argparse.ArgumentParser(prog="tests/mutation/run", description="Changes the code in one place at a time.")
    parser.add_argument("files", nargs="*", metavar="FILE", help="every change of this one (or see tests/mutation/files)")
    parser.add_argument("--all", action="store_true", help="every change of every file, those that were judged as well")
    parser.add_argument("--seconds", type=int, help=f"begin no other change after so long (a sample: {SAMPLE_SECONDS})")
    parser.add_argument("--goal", type=int, default=100, help="fail where less than so many percent were killed (100)")
    parser.add_argument("--seed", type=int, help="by which the order is drawn (the commit's)")
    arguments = parser.parse_args()
    unknown = set(arguments.files) - set(files)
    if unknown:
        parser.error("tests/mutation/files does not name: " + ", ".join(sorted(unknown)))
    if arguments.seconds is None and not arguments.files and not arguments.all:
        arguments.seconds = SAMPLE_SECONDS
    if arguments.seed is None:
        arguments.seed = seed_of_commit()
    return arguments


def find_all(build, paths):
    """Returns every change of those files. libclang is installed by now."""
    from changes import find_changes

    os.chdir(BUILD)  # what folders of headers are relative to
    with concurrent.futures.ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [
            pool.submit(find_changes, path, os.path.join(SOURCE, path), build.sources[path], build.arguments(path))
            for path in paths
        ]
        return [change for job in jobs for change in job.result()]


def tell(change):
    print(f"{change.path}:{change.line} {change.function}", f"  {change.text}", f"  {change.what}", sep="\n", flush=True)


class Tally:
    """What became of the changes."""

    def __init__(self, judged):
        self.judged = judged
        self.misjudged = []
        self.counts = collections.defaultdict(collections.Counter)

    def add(self, change, is_noticed):
        is_judged = change.key in self.judged
        what = {None: "not compiled", True: "killed", False: "judged" if is_judged else "survived"}[is_noticed]
        self.counts[change.path][what] += 1
        if what == "survived":
            tell(change)
        elif is_judged and what != "judged":
            self.misjudged.append(change)

    def report(self):
        """Prints a table of the files and what was judged wrongly. Returns how many were killed, and how many survived."""
        row = "{:36} {:>6} killed {:>4} survived {:>4} judged {:>4} not compiled"
        total = collections.Counter()
        for counts in self.counts.values():
            total += counts
        for path, counts in [*sorted(self.counts.items()), ("all", total)]:
            print(row.format(path, *(counts[what] for what in ("killed", "survived", "judged", "not compiled"))))
        for change in self.misjudged:
            print("Judged to make no difference, but a test notices it, or it cannot be compiled:")
            tell(change)
        return total["killed"], total["survived"]


def try_changes(build, files, changes, seconds, tally):
    """Tries them in that order."""
    end = time.monotonic() + seconds if seconds else float("inf")

    def try_one(change):
        return build.judge(change, files[change.path]) if time.monotonic() < end else "not tried"

    tried = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        jobs = {pool.submit(try_one, change): change for change in changes}
        for job in concurrent.futures.as_completed(jobs):
            if job.result() != "not tried":
                tried += 1
                tally.add(jobs[job], job.result())
    print(f"{tried} of {len(changes)} changes were tried.")


def give_up(folders, number, _frame):
    """Does not wait for the tests under way: timeout(1) ends them."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(128 + number)


def run(arguments, files, folder, scratch):
    """Returns the exit status."""
    paths = arguments.files or sorted(files)
    judged = read_judged()
    try:
        build = Build({path: files[path] for path in paths}, folder, scratch)
        changes = find_all(build, paths)
    except (Failure, ValueError) as error:
        sys.exit(str(error))
    stale = {key for key in judged if key[0] in paths} - {change.key for change in changes}
    if not arguments.all:
        changes = [change for change in changes if change.key not in judged]
    random.Random(arguments.seed).shuffle(changes)
    print(f"Seed {arguments.seed}", flush=True)
    tally = Tally(judged)
    try_changes(build, files, changes, arguments.seconds, tally)
    killed, survived = tally.report()
    for path, function, text, what in sorted(stale):
        print("Judged, but there is no such change any more:", f"{path} {function}", f"  {text}", f"  {what}", sep="\n")
    print(f"{killed} killed, {survived} survived that nobody has judged")
    is_short = killed * 100 < arguments.goal * (killed + survived)
    return int(is_short or killed == 0 or bool(tally.misjudged) or bool(stale))


def main():
    files = read_files()
    arguments = parse_arguments(files)
    become_root()
    try:
        install_packages()
        install_packages(os.path.join(HERE, "packages"))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
    run_quietly(["mkdir", "-p", BUILD])
    # Programs cannot be run where all memory file systems are; what the tests write need not be on a disk.
    with (
        tempfile.TemporaryDirectory(dir=BUILD) as folder,
        tempfile.TemporaryDirectory(dir="/dev/shm") as scratch,
    ):
        for number in signal.SIGINT, signal.SIGTERM:
            signal.signal(number, lambda *signalled: give_up((folder, scratch), *signalled))
        owner = os.stat(SOURCE)
        for path in folder, scratch:
            os.chown(path, owner.st_uid, owner.st_gid)
        status = run(arguments, files, folder, scratch)
    sys.exit(status)


main()
