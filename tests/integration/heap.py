# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tokend has in use of its heap, to the byte: not what the heap keeps of what was freed."""

import contextlib
import os
import signal
import xml.etree.ElementTree as ElementTree

from sandbox import BUILD, FOLDER, wait_until, wait_until_asleep

# So long, in seconds, a process does nothing more that it has begun.
ASLEEP = 0.1
FILE = f"{FOLDER}/heap"

# For a sandbox whose tokend is looked at: tests/lib/heap/heap.c tells. What GLib or a thread keeps for itself of what was
# freed, and what a thread's arena takes, would count as in use. A sanitizer has a heap of its own.
ENVIRONMENT = (
    {}
    if "ASAN_OPTIONS" in os.environ
    else {
        "G_SLICE": "always-malloc",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1",
        "LD_PRELOAD": f"{BUILD}/tests/lib/heap/libheap.so",
    }
)


def has_pool(process):
    """Whether there is a thread of its pool, beside the one that starts them."""
    names = []
    for task in os.listdir(f"/proc/{process}/task"):
        with contextlib.suppress(OSError), open(f"/proc/{process}/task/{task}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
    return any(name.startswith("pool-") and name != "pool-spawner" for name in names)


def read_whole(sandbox):
    """Empty until all of it is there."""
    text = sandbox.read_file(FILE)
    return text if text.endswith("</malloc>\n") else ""


def count_in_use(sandbox):
    """In bytes, once tokend does nothing."""
    tokend = sandbox.tokend()
    wait_until(lambda: not has_pool(tokend), what="the end of the pool's threads")
    wait_until_asleep([tokend], ASLEEP)
    sandbox.write_file(FILE, "")
    os.chmod(sandbox.path(FILE), 0o666)
    os.kill(tokend, signal.SIGRTMIN)
    described = wait_until(lambda: read_whole(sandbox), what="what malloc_info says")
    # The children that are of all arenas, not those of one.
    children = ElementTree.fromstring(described)
    sizes = {(child.tag, child.get("type")): int(child.get("size", 0)) for child in children}
    free = sizes["total", "fast"] + sizes["total", "rest"]
    return sizes["system", "current"] + sizes["total", "mmap"] - free
