# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random codes, and a search for them wherever they might have been left."""

import array
import base64
import contextlib
import itertools
import os
import random
import re
import threading

from sandbox import FOLDER

# Who goes on living when an operation is over
RESIDENTS = (
    *("/tokend", "/tokend-module", "systemd-socket-activate", "dbus-daemon", "/polkitd"),
    *("/tokend-notify", "dunst", "bash"),
)
# Not what the services left: the sources, the binaries, and the machine's own folders under the overlays
PASSED_OVER = (f"{FOLDER}/source", f"{FOLDER}/build")


class Codes:
    """Random codes of 8 digits, which the machine's memory holds by no other chance, by name."""

    def __init__(self):
        numbers = random.SystemRandom().sample(range(10_000_000, 100_000_000), 8)
        names = ("pin", "puk", "new_pin", "third_pin", "fourth_pin", "wrong_puk", "wrong_pin", "planted")
        self._codes = {name: str(number) for name, number in zip(names, numbers)}
        shapes = {}
        for name, code in self._codes.items():
            plain = code.encode()
            for shape in (
                plain,
                code.encode("utf-16-le"),
                code.encode("utf-32-le"),
                plain.hex().encode(),
                base64.b64encode(plain).rstrip(b"="),
                plain[::-1],
            ):
                shapes[shape] = name
        self._shapes = shapes
        self._pattern = re.compile(b"|".join(map(re.escape, shapes)))

    def __getattr__(self, name):
        return self._codes[name]

    def find(self, data):
        """The names of the codes that are in data, as bytes, UTF-16, UTF-32, hexadecimal, base64 or backwards."""
        return {self._shapes[found.group()] for found in self._pattern.finditer(data)}


SHADOW_SIZE = 1 << 28
# Of /proc/PID/pagemap, an entry of 64 bits a page: the page is in memory, or swapped out; see proc(5)
PAGE = os.sysconf("SC_PAGESIZE")
PAGE_ENTRY = 8
PAGE_IS_THERE = 3 << 62
# In seconds. Who is there for a moment alone is to be held until it was looked at.
SAMPLE_INTERVAL = 0.02


def read(path):
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read()
    return b""


def mappings(outside):
    """The readable mappings of a process, as (begin, end)."""
    lines = read(f"/proc/{outside}/maps").decode().splitlines()
    is_sanitized = any("libasan" in line for line in lines)
    for line in lines:
        match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r.*?(\S*)$", line)
        if not match or match[3] in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
            continue
        begin, end = int(match[1], 16), int(match[2], 16)
        # A sanitizer's shadow is terabytes of nothing; it says what bytes may be touched, and holds none of them.
        if not (is_sanitized and end - begin > SHADOW_SIZE):
            yield begin, end


def pages_there(pagemap, begin, end):
    """The parts of a mapping that are not just zeros or as they are in a file, as (begin, end)."""
    entries = array.array("Q", os.pread(pagemap, (end - begin) // PAGE * PAGE_ENTRY, begin // PAGE * PAGE_ENTRY))
    for is_there, group in itertools.groupby(enumerate(entries), lambda entry: entry[1] & PAGE_IS_THERE != 0):
        if is_there:
            numbers = [number for number, _ in group]
            yield begin + numbers[0] * PAGE, begin + (numbers[-1] + 1) * PAGE


def search_mappings(codes, outside):
    """The codes in the memory of a process, by mapping."""
    found, size = {}, 0
    with open(f"/proc/{outside}/mem", "rb", 0) as memory, open(f"/proc/{outside}/pagemap", "rb", 0) as pagemap:
        for mapping in mappings(outside):
            with contextlib.suppress(OSError):
                for begin, end in pages_there(pagemap.fileno(), *mapping):
                    data = os.pread(memory.fileno(), end - begin, begin)
                    size += len(data)
                    if codes.find(data):
                        found[mapping] = found.get(mapping, set()) | codes.find(data)
    assert size > 1_000_000, "the memory cannot be read"
    return found


def search_memory(codes, outside):
    """The codes in the memory of a process."""
    return set().union(*search_mappings(codes, outside).values())


def describe_mappings(outside):
    """Of each mapping of a process how much of it is locked, in bytes, and its flags, as in proc(5)."""
    found, mapping = {}, None
    for line in read(f"/proc/{outside}/smaps").decode().splitlines():
        if match := re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line):
            mapping = int(match[1], 16), int(match[2], 16)
            found[mapping] = [0, set()]
        elif line.startswith("Locked:"):
            found[mapping][0] = 1024 * int(line.split()[1])
        elif line.startswith("VmFlags:"):
            found[mapping][1] = set(line.split()[1:])
    return found


def search_residents(sandbox, codes, programs=RESIDENTS):
    """What the memory of each process that goes on living holds, as a dict from arguments to codes."""
    found = {}
    for outside, _, argv in sandbox.processes().values():
        # What is only about to become a host ends with one.
        if argv and argv[0].endswith(programs):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found[" ".join(argv)] = search_memory(codes, outside)
    return found


def search_files(sandbox, codes, folder):
    """The files below the folder that hold a code, in their content or name."""
    found = {}
    root = sandbox.path("")
    for path, folders, names in os.walk(sandbox.path(folder)):
        inside = path.removeprefix(root)
        folders[:] = [name for name in folders if f"{inside}/{name}" not in PASSED_OVER]
        for name in names:
            whole = os.path.join(path, name)
            data = name.encode() + (read(whole) if os.path.isfile(whole) and not os.path.islink(whole) else b"")
            if codes.find(data):
                found[f"{inside}/{name}"] = codes.find(data)
    return found


def check_nothing_is_left(sandbox, codes, traffic, sampler, residents):
    """Nobody has a code any more, and it was nowhere. residents: the names of all who must have been seen."""
    assert not codes.find(traffic)
    sampler.sample()
    assert not sampler.found
    found = search_residents(sandbox, codes)
    assert {os.path.basename(arguments.split()[0]) for arguments in found} == set(residents)
    assert not {who: names for who, names in found.items() if names}
    assert not codes.find(sandbox.logs().encode())
    for folder in ("/run", "/var/lib/tokend", "/tmp", "/var/tmp", "/dev/shm"):
        assert not search_files(sandbox, codes, folder)


class Sampler(threading.Thread):
    """Looks at the arguments and environment of every process of the sandbox, again and again."""

    def __init__(self, sandbox, codes):
        super().__init__()
        self._sandbox, self._codes = sandbox, codes
        self._over = threading.Event()
        # seen: the process numbers outside and the names of whom it has looked at
        self.seen, self.found = set(), []

    def sample(self):
        for outside, _, argv in self._sandbox.processes().values():
            for what in ("cmdline", "environ", "comm"):
                if self._codes.find(read(f"/proc/{outside}/{what}")):
                    self.found.append((argv, what))
            self.seen.add((outside, os.path.basename(argv[0]) if argv else ""))

    def names(self):
        return {name for _, name in self.seen}

    def run(self):
        while not self._over.wait(SAMPLE_INTERVAL):
            self.sample()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_exception):
        self._over.set()
        self.join()
