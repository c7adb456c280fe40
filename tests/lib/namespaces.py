# SPDX-License-Identifier: LGPL-2.1-or-later
"""Private namespaces, and the command in them: what the kernel offers and Python 3.11 does not."""

import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x00020000, 0x08000000, 0x20000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def check(result, what):
    if result != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"{what}: {os.strerror(errno)}")


def mount(source, target, kind=None, flags=0, options=None):
    encoded = [text.encode() if text is not None else None for text in (source, target, kind, options)]
    source, target, kind, options = encoded
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), options), f"mount {target.decode()}")


def bind(source, target):
    mount(source, target, flags=MS_BIND | MS_REC)


def set_loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH22x", b"lo", 0))
        flags = struct.unpack_from("H", request, 16)[0] | IFF_UP
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH22x", b"lo", flags))


def hide_arguments(title):
    """Shows title in place of this process's arguments, which other users could read; its children's too, until they
    execute something."""
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    ctypes.memset(begin, 0, end - begin)
    ctypes.memmove(begin, title.encode()[: end - begin - 1], min(len(title), end - begin - 1))


def forward_signals(process_or_group, kill=os.kill):
    for number in FORWARDED:
        signal.signal(number, lambda received, _frame: kill(process_or_group, received))


def exit_status(status):
    """The exit status, by a shell's rules, from what waitpid() gave."""
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def open_terminal():
    """The controlling terminal, if this process is in its foreground; else None."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    if os.tcgetpgrp(terminal) == os.getpgrp():
        return terminal
    os.close(terminal)
    return None


def take_terminal(terminal):
    """Makes this process's group the one that the terminal's keys go to."""
    if terminal is not None:
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(terminal, os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)


def run_in_namespaces(function):
    """Runs function (terminal) as the first process of new namespaces, and returns its exit status.

    Whatever is left there ends with it, and it ends with this process.
    """
    terminal = open_terminal()
    check(libc.unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET), "unshare")
    mount(None, "/", flags=MS_REC | MS_PRIVATE)
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        status = 1
        try:
            mount("proc", "/proc", "proc")
            set_loopback_up()
            status = function(terminal)
        except SystemExit as stop:
            print(stop.code, file=sys.stderr)
        except BaseException:  # pylint: disable=broad-except
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    forward_signals(child)
    _, status = os.waitpid(child, 0)
    take_terminal(terminal)
    return exit_status(status)


def run_command(start, terminal):
    """Runs start () in a process group of its own, in the terminal's foreground, and returns its exit status.

    start executes the command. To be called by the first process of a pid namespace: it waits for orphans too.
    """
    child = os.fork()
    if child == 0:
        for number in FORWARDED:
            signal.signal(number, signal.SIG_DFL)
        try:
            os.setpgid(0, 0)
            take_terminal(terminal)
            start()
        except OSError as error:
            print(f"the command cannot be run: {error.strerror}", file=sys.stderr)
        os._exit(127)

    forward_signals(child, os.killpg)
    while True:
        process, status = os.waitpid(-1, os.WUNTRACED)
        if process != child:
            continue
        if os.WIFSTOPPED(status):
            os.killpg(child, signal.SIGCONT)  # nobody outside could wake it up
        else:
            return exit_status(status)
