# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every fuzz target, or those named; the last line says "N targets, N findings".

Without --seconds, a number of inputs that is the same each time, from the same seeds: what a change must pass. With it, each
target runs so long, as many side by side as there are processors, and what it learns stays in the build folder for the next
time. Installs what is missing and builds first, in a folder of its own.

A finding is an input: it stays in the build folder, is named with what was wrong, and is run again by
  _build-fuzz/tests/fuzz/fuzz-TARGET FILE
"""

import argparse
import concurrent.futures
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
from prepare import SOURCE, become_root, install_packages, run_as_owner, run_quietly  # noqa: E402

SEEDS = os.path.join(HERE, "seeds")
BUILD = os.path.join(SOURCE, "_build-fuzz")
# By the first of these arguments meson knows that the targets are to be linked.
ARGUMENTS = "-fsanitize=fuzzer-no-link -fno-sanitize-recover=all"
SETUP = ["env", "CC=clang", "meson", "setup", BUILD, f"-Dc_args={ARGUMENTS}", "-Dbuildtype=debug", "-Doptimization=1"]
SETUP += ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
# How many inputs make a short run. Those that talk to other threads or the disk are slow.
RUNS = 30000
SLOW_RUNS = {"host": 1500, "ledger": 2000, "terminal": 2000, "warnings": 5000}
# Of the formats that are text: what reads them. Its own words, its keys among them, are what inputs are made of.
READERS = {
    "ledger": ["service/ledger/ledger-file.c"],
    "module-config": ["service/modules/module-config.c"],
    "profile": ["service/profile/profile.c", "service/profile/profile.h", "service/token/counter.h", "dbus/tokend-module.h"],
    "provider": ["dbus/provider.c"],
    "warnings": ["client/notify/warnings.c", "tests/fuzz/warnings.c"],
}
# A single input that takes longer, in seconds, is a finding.
TIMEOUT = 20
ENVIRONMENT = {
    "G_SLICE": "always-malloc",
    "LC_ALL": "C.UTF-8",
    "ASAN_OPTIONS": "detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}


def build():
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        run_quietly(SETUP)
    run_quietly(["ninja", "-C", BUILD, "fuzz"])


def seeds_of(target):
    folders = [os.path.join(SEEDS, target)]
    if target in ("profile", "provider"):
        folders.append(os.path.join(SOURCE, "service/data/profiles"))
    return folders


def words_of(target):
    """Returns the lines of a dictionary as libFuzzer reads it."""
    # It takes none that is empty.
    words = {"0"}
    for path in READERS.get(target, []):
        with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
            text = re.sub("#include.*", "", file.read())
        words.update(re.findall(r'"([!#$&-\[\]-~]+)"', text), re.findall(r"nick=([a-z-]+)", text))
    return [f'"{word}"\n' for word in sorted(words)]


def command(target, seconds, corpus, dictionary):
    limit = ["-seed=1", "-reload=0", f"-runs={SLOW_RUNS.get(target, RUNS)}"]
    if seconds:
        limit = [f"-max_total_time={seconds}"]
    options = [*limit, f"-timeout={TIMEOUT}", "-print_final_stats=1", f"-dict={dictionary}"]
    options.append(f"-artifact_prefix={BUILD}/fuzz-finding-{target}-")
    program = os.path.join(BUILD, "tests/fuzz", "fuzz-" + target)
    # It ends with this program; with the same addresses each time: they are among what libFuzzer compares.
    return ["setpriv", "--pdeathsig=KILL", "setarch", "-R", program, *options, corpus, *seeds_of(target)]


def run(target, seconds, temporary):
    """Returns the target, its exit status, and what it said."""
    corpus = os.path.join(BUILD if seconds else temporary, "fuzz-corpus", target)
    scratch = os.path.join(temporary, "scratch", target)
    dictionary = os.path.join(temporary, target + ".dictionary")
    with open(dictionary, "w", encoding="ascii") as file:
        file.writelines(words_of(target))
    run_as_owner(["mkdir", "-p", corpus, scratch])
    ended = run_as_owner(
        command(target, seconds, corpus, dictionary),
        env=os.environ | ENVIRONMENT | {"TMPDIR": scratch},
        # The terminal's one must have no terminal but its own.
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return target, ended.returncode, ended.stdout.decode(errors="replace")


def report(target, status, output):
    counts = re.findall(r"cov: (\d+) ft: (\d+)", output) or [("0", "0")]
    executed = re.search(r"stat::number_of_executed_units: (\d+)", output)
    executed = executed.group(1) if executed else "?"
    print(f"{target:14} {executed:>9} inputs {counts[-1][0]:>6} edges {counts[-1][1]:>6} features", flush=True)
    if status != 0:
        # Without libFuzzer's progress.
        lines = [line for line in output.splitlines() if not line.startswith("#")]
        print(*lines, f"{target}: a finding", sep="\n", flush=True)


def give_up(temporary, number, _frame):
    """Does not wait for the targets under way: they end with this program."""
    shutil.rmtree(temporary, ignore_errors=True)
    os._exit(128 + number)


def parse_arguments():
    targets = sorted(os.listdir(SEEDS))
    parser = argparse.ArgumentParser(prog="tests/fuzz/run", description="Runs the fuzz targets.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets))
    parser.add_argument("--seconds", type=int, help="for each target")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(targets)
    if unknown:
        parser.error("no such target: " + ", ".join(sorted(unknown)))
    return arguments.targets or targets, arguments.seconds


def main():
    targets, seconds = parse_arguments()
    become_root()
    try:
        install_packages()
        install_packages(os.path.join(HERE, "packages"))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
    build()

    findings = 0
    # In memory: the ledger waits for the disk at each write.
    with tempfile.TemporaryDirectory(dir="/dev/shm") as temporary:
        for number in signal.SIGINT, signal.SIGTERM:
            signal.signal(number, functools.partial(give_up, temporary))
        owner = os.stat(SOURCE)
        os.chown(temporary, owner.st_uid, owner.st_gid)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [pool.submit(run, target, seconds, temporary) for target in targets]
            for job in concurrent.futures.as_completed(jobs):
                target, status, output = job.result()
                report(target, status, output)
                findings += status != 0
    print(f"{len(targets)} targets, {findings} findings")
    sys.exit(1 if findings else 0)


main()
