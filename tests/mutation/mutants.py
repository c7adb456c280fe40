# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compiles a changed file, links the unit tests that hold it with it, and runs these."""

import json
import math
import os
import shlex
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../lib"))
from prepare import SOURCE, run_as_owner, run_quietly  # noqa: E402

BUILD = os.path.join(SOURCE, "_build-mutation")
# Without what is for debuggers, the linker has less to do.
SETUP = ["meson", "setup", BUILD, "-Dbuildtype=debug", "-Doptimization=0", "-Dc_args=-g0"]
# How long a test may take: so many seconds, and so many times what it took unchanged. This machine may be busy. What
# computes all the time is ended by the time that it has computed, which does not depend on that.
PATIENCE = 5
SLOWNESS = 10
# What a change may make of a loop: memory and files without end, in bytes.
LIMITS = ["prlimit", "--core=0", f"--data={1 << 30}", f"--fsize={1 << 26}"]
# As many side by side: some wait more than they compute.
WORKERS = 2 * (os.cpu_count() or 1)
# A change that makes the program leave an array, say, ends it.
CHECKS = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
# What timeout(1) ends with when it has killed.
TIMED_OUT = 128 + 9


class Failure(Exception):
    """The tool cannot tell anything: the unchanged code fails."""


class Build:
    """The build folder with the unchanged code, which no change is written to.

    files: the names of the unit tests that hold a file, by its path. folder: where programs can be run, and scratch: where
    they can write, for as long as this lives."""

    def __init__(self, files, folder, scratch):
        self.folder = folder
        self.scratch = scratch
        if not os.path.exists(os.path.join(BUILD, "build.ninja")):
            run_quietly(SETUP)
        run_quietly(["ninja", "-C", BUILD, "build.ninja"])
        self.tests = {test["name"]: test for test in self.ask("meson", "introspect", "--tests", BUILD)}
        names = sorted({name for tests in files.values() for name in tests})
        unknown = [name for name in names if name not in self.tests]
        if unknown:
            raise Failure("There is no such unit test: " + ", ".join(unknown))
        run_quietly(["ninja", "-C", BUILD, *self.list_programs(names)])
        commands = self.ask("ninja", "-C", BUILD, "-t", "compdb")
        self.commands = {os.path.join(BUILD, one["output"]): shlex.split(one["command"]) for one in commands}
        self.compiling = {
            os.path.relpath(os.path.join(BUILD, one["file"]), SOURCE): shlex.split(one["command"]) for one in commands
        }
        self.sources = {path: read(path) for path in files}
        self.durations = {name: self.measure(name) for name in names}

    def ask(self, *command):
        """Returns what a command answers in JSON."""
        return json.loads(run_as_owner(list(command), stdout=subprocess.PIPE).stdout)

    def list_programs(self, names):
        """Returns what ninja has to make for those tests: them, and what they start."""
        made = {target["id"]: target["filename"] for target in self.ask("meson", "introspect", "--targets", BUILD)}
        programs = {self.tests[name]["cmd"][0] for name in names}
        for name in names:
            programs.update(*(made[target] for target in self.tests[name]["depends"]))
        return sorted(os.path.relpath(program, BUILD) for program in programs)

    def measure(self, name):
        """Returns how long a test takes with the unchanged code, in seconds."""
        begin = time.monotonic()
        if self.run(name, self.tests[name]["cmd"][0], self.tests[name]["timeout"]) != 0:
            raise Failure(f"{name} fails with the unchanged code.")
        return time.monotonic() - begin

    def run(self, name, program, deadline):
        """Returns the exit status of a test; TIMED_OUT also if it was killed in another way."""
        test = self.tests[name]
        scratch = os.path.join(self.scratch, os.path.basename(program) + str(time.monotonic_ns()))
        run_as_owner(["mkdir", "-p", scratch])
        # It kills what the test has started, too.
        command = ["timeout", "--signal=KILL", str(deadline), *LIMITS, f"--cpu={math.ceil(deadline)}"]
        command += [program, *test["cmd"][1:]]
        environment = os.environ | test["env"] | {"TMPDIR": scratch, "LC_ALL": "C.UTF-8"}
        silent = subprocess.DEVNULL
        status = run_as_owner(command, env=environment, stdout=silent, stderr=silent).returncode
        run_as_owner(["rm", "-rf", scratch])
        return status

    def arguments(self, path):
        """Returns what libclang needs to read a file as the compiler does."""
        return [word for word in self.compiling[path] if word.startswith(("-I", "-D", "-std="))]

    def compile(self, change, folder):
        """Returns the object file of the changed file, or None if it cannot be compiled."""
        source = os.path.join(folder, os.path.basename(change.path))
        made = os.path.join(folder, "changed.o")
        with open(source, "wb") as file:
            file.write(change.apply(self.sources[change.path]))
        command = [word for word in self.compiling[change.path] if not word.startswith(("-M", "-W"))]
        command = [word for word in command if not word.endswith(".o.d") and word != "ccache"]
        at = command.index("-o")
        # What it includes is beside where it was; the object that is named after -MQ and -o goes.
        command = [word for word in command[:at] if not word.endswith(".o")]
        command += ["-w", *CHECKS, "-iquote", os.path.dirname(os.path.join(SOURCE, change.path)), "-o", made, "-c", source]
        return made if call(command) == 0 else None

    def link(self, name, made, folder):
        """Returns a test's program with the object file in it, which is taken before that of its library; None if it cannot be
        linked: a function was left out, say."""
        program = os.path.join(folder, "test")
        command = list(self.commands[self.tests[name]["cmd"][0]])
        command[command.index("-o") + 1] = program
        command.insert(command.index("-o") + 2, made)
        return program if call(command) == 0 else None

    def is_noticed(self, name, program):
        """Whether the test fails. A test that is slow because the machine is busy has not failed: what was killed by its
        deadline has to be so again, with twice the time."""
        deadline = PATIENCE + SLOWNESS * self.durations[name]
        status = self.run(name, program, deadline)
        if status == TIMED_OUT:
            status = self.run(name, program, 2 * deadline)
        return status != 0

    def judge(self, change, tests):
        """Returns whether one of the tests fails with the change, or None if that cannot be compiled or linked."""
        folder = os.path.join(self.folder, str(time.monotonic_ns()))
        os.mkdir(folder, 0o755)
        try:
            made = self.compile(change, folder)
            if made is None:
                return None
            for name in tests:
                program = self.link(name, made, folder)
                if program is None:
                    return None
                if self.is_noticed(name, program):
                    return True
            return False
        finally:
            subprocess.run(["rm", "-rf", folder], check=False)


def read(path):
    """Returns what is in a file of the clone, which may be worked on meanwhile."""
    with open(os.path.join(SOURCE, path), "rb") as file:
        return file.read()


def call(command):
    silent = subprocess.DEVNULL
    return subprocess.run(command, cwd=BUILD, stdin=silent, stdout=silent, stderr=silent, check=False).returncode
