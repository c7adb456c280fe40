# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a process of GLib's has in use of its heap, to the byte: not what the heap keeps of what was freed."""

import contextlib
import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from sandbox import wait_until, wait_until_asleep

TIMEOUT = 60
# So long, in seconds, a process does nothing more that it has begun.
ASLEEP = 0.1

# For the process that is looked at: what GLib or a thread keeps for itself of what was freed, and what a thread's arena
# takes, would count as in use.
ENVIRONMENT = {
    "G_SLICE": "always-malloc",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1",
}

# gdb is told of the functions' types: to read debug symbols takes a second, and there may be none.
KEEP_NO_THREADS = ("call ((void (*)(int)) g_thread_pool_set_max_unused_threads)(0)",)
MALLOC_INFO = (
    "set $text = ((void **(*)(unsigned long, unsigned long)) calloc)(2, sizeof(void *))",
    "set $file = ((void *(*)(void *, void *)) open_memstream)($text, $text + 1)",
    "call ((int (*)(int, void *)) malloc_info)(0, $file)",
    "call ((int (*)(void *)) fclose)($file)",
    'printf "%s\\n", (char *) $text[0]',
    "call ((void (*)(void *)) free)($text[0])",
    "call ((void (*)(void *)) free)($text)",
)


def debug(process, lines):
    """Has gdb do this in a process, given by its number outside; returns what it says."""
    command = ["gdb", "--batch", "--nx", "-iex", "set debug-file-directory", "--pid", str(process)]
    command += [argument for line in lines for argument in ("-ex", line)]
    finished = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=TIMEOUT
    )
    return finished.stdout


def keep_no_threads(process):
    """From now on a thread of its pool ends when it has nothing to do: how many rest is a matter of time."""
    debug(process, KEEP_NO_THREADS)


def has_pool(process):
    """Whether there is a thread of its pool, beside the one that starts them."""
    names = []
    for task in os.listdir(f"/proc/{process}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{process}/task/{task}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
    return any(name.startswith("pool-") and name != "pool-spawner" for name in names)


def count_in_use(process):
    """In bytes, once a process that was started with ENVIRONMENT does nothing, and keeps no threads."""
    wait_until(lambda: not has_pool(process), what="the end of the pool's threads")
    wait_until_asleep([process], ASLEEP)
    said = debug(process, MALLOC_INFO)
    described = re.search(r"<malloc .*</malloc>", said, re.DOTALL)
    assert described, said
    # The children that are of all arenas, not those of one.
    children = ElementTree.fromstring(described[0])
    sizes = {(child.tag, child.get("type")): int(child.get("size", 0)) for child in children}
    free = sizes["total", "fast"] + sizes["total", "rest"]
    return sizes["system", "current"] + sizes["total", "mmap"] - free
