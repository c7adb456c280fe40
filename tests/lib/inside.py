# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is in the sandbox: its folders, users, bus, polkit, tokens, tokend and its module hosts."""

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import time

from kinds import KINDS
from namespaces import bind, mount, run_command
from prepare import SOURCE

# The same places in every sandbox. The clone and the build folder may be where only root or their owner may look.
SANDBOX = "/run/sandbox"
INSIDE_SOURCE = f"{SANDBOX}/source"
INSIDE_BUILD = f"{SANDBOX}/build"
LOGS = f"{SANDBOX}/log"
TOKENS = f"{SANDBOX}/tokens"

# Folders of the machine of which the sandbox has a copy that it may change.
PRIVATE_FOLDERS = ("/etc", "/usr/share", "/var/lib")
# Folders of its own, for everybody, empty at first: no socket or lock in there is shared with another sandbox.
TEMPORARY_FOLDERS = ("/dev/shm", "/tmp", "/var/tmp")

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What COMMAND keeps of the caller's environment, and what tokend and its hosts do.
KEPT_VARIABLES = ("TERM", "COLORTERM", "NO_COLOR", "LANG", "LANGUAGE")
SANITIZER_VARIABLES = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS")

PEOPLE = ("alice", "bob", "carol")
SERVICES = ("tokend", "tokend-module")
CAROLS_PASSWORD = "$6$tokend$/A1.VATxngy4PikOtw.5nJvP6ETcJISqbjYJ6KWStaFIc7OmNjIkHtHBhTmmY4seFIqmYPI9Yg8Q4jARcV6801"

POLKIT_RULES = """\
polkit.addRule(function(action, subject) {
  if (action.id.indexOf("org.tokend.") !== 0)
    return polkit.Result.NOT_HANDLED;
  if (subject.user === "alice")
    return polkit.Result.YES;
  if (subject.user === "bob")
    return polkit.Result.NO;
  if (subject.user === "carol")
    return action.id === "org.tokend.read-status" ? polkit.Result.YES : polkit.Result.AUTH_SELF;
  return polkit.Result.NOT_HANDLED;
});
"""

SOCKET_DEADLINE = 30
STOP_DEADLINE = 10


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def make_empty(folder):
    """Leaves the folder, with its owner and mode, and nothing in it."""
    os.makedirs(folder, exist_ok=True)
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def make_folders(build, modules):
    """modules: name to path; one in a temporary folder of the machine gets its path inside."""
    # Opened first: what is mounted below may lie over them.
    source, built = os.open(SOURCE, os.O_PATH), os.open(build, os.O_PATH)
    opened = {name: os.open(path, os.O_PATH) for name, path in modules.items() if is_temporary(path)}
    mount("tmpfs", "/run", "tmpfs", options="mode=755")
    for folder in (INSIDE_SOURCE, INSIDE_BUILD, LOGS, TOKENS, f"{SANDBOX}/bin", f"{SANDBOX}/home", "/run/dbus"):
        os.makedirs(folder)
    os.mkdir("/run/lock")
    os.chmod("/run/lock", 0o1777)
    bind(f"/proc/self/fd/{source}", INSIDE_SOURCE)
    bind(f"/proc/self/fd/{built}", INSIDE_BUILD)
    for name, module in opened.items():
        modules[name] = bind_module(name, modules[name], module)
    for folder in TEMPORARY_FOLDERS:
        mount("tmpfs", folder, "tmpfs", options="mode=1777")
    for number, folder in enumerate(PRIVATE_FOLDERS):
        upper, work = f"{SANDBOX}/overlay/{number}/upper", f"{SANDBOX}/overlay/{number}/work"
        os.makedirs(upper)
        os.makedirs(work)
        shutil.copystat(folder, upper)
        mount("overlay", folder, "overlay", options=f"lowerdir={folder},upperdir={upper},workdir={work}")
    os.chmod(f"{SANDBOX}/overlay", 0o700)


def is_temporary(path):
    """Whether there is such a file, and it would be out of sight inside."""
    folders = tuple(f"{folder}/" for folder in TEMPORARY_FOLDERS)
    return os.path.exists(path) and os.path.realpath(path).startswith(folders)


def bind_module(name, path, descriptor):
    """Returns the path of the module inside."""
    folder = f"{SANDBOX}/modules/{name}"
    os.makedirs(folder)
    inside = f"{folder}/{os.path.basename(path)}"
    write(inside, "")
    bind(f"/proc/self/fd/{descriptor}", inside)
    return inside


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def make_users():
    """The machine's users, and ours under numbers that the machine does not use."""
    names = PEOPLE + SERVICES
    lines = {}
    for database in ("passwd", "shadow", "group"):
        lines[database] = [line for line in read_lines(f"/etc/{database}") if line.split(":")[0] not in names]
    taken = {int(line.split(":")[2]) for database in ("passwd", "group") for line in lines[database]}
    free = (number for number in range(61000, 62000) if number not in taken)

    for name, number in zip(names, free):
        home = f"{SANDBOX}/home/{name}" if name in PEOPLE else "/nonexistent"
        shell = "/bin/bash" if name in PEOPLE else "/usr/sbin/nologin"
        password = CAROLS_PASSWORD if name == "carol" else "!"
        lines["passwd"].append(f"{name}:x:{number}:{number}:{name}:{home}:{shell}")
        lines["shadow"].append(f"{name}:{password}:19000:0:99999:7:::")
        lines["group"].append(f"{name}:x:{number}:")
        if name in PEOPLE:
            os.mkdir(home, 0o700)
            os.chown(home, number, number)
    # openCryptoki asks the group's own line, not the process's groups.
    members = ",".join(("root", "tokend-module") + PEOPLE)
    lines["group"] = [line for line in lines["group"] if not line.startswith("pkcs11:")] + [
        f"pkcs11:x:{next(free)}:{members}"
    ]
    for database, mode in (("passwd", 0o644), ("group", 0o644), ("shadow", 0o600)):
        write(f"/etc/{database}", "\n".join(lines[database]) + "\n", mode)


def make_configuration():
    """polkit's, the bus's, p11-kit's and our own."""
    make_empty("/usr/share/polkit-1/rules.d")
    make_empty("/etc/polkit-1/rules.d")
    write("/etc/polkit-1/rules.d/50-sandbox.rules", POLKIT_RULES)
    shutil.copy(f"{INSIDE_BUILD}/policy/org.tokend.policy", "/usr/share/polkit-1/actions")

    shutil.copy(f"{INSIDE_SOURCE}/dbus/org.tokend.Tokend1.conf", "/usr/share/dbus-1/system.d")
    # No activation: what a test stopped shall stay stopped.
    make_empty("/usr/share/dbus-1/system-services")
    if not os.path.exists("/etc/machine-id"):
        write("/etc/machine-id", os.urandom(16).hex() + "\n")

    make_empty("/etc/pkcs11")
    make_empty("/usr/share/p11-kit/modules")
    os.makedirs("/usr/share/tokend/profiles.d", exist_ok=True)
    bind(f"{INSIDE_SOURCE}/service/data/profiles", "/usr/share/tokend/profiles.d")
    os.makedirs("/usr/share/tokend/opensc", exist_ok=True)
    bind(f"{INSIDE_SOURCE}/service/data/opensc", "/usr/share/tokend/opensc")
    os.makedirs("/usr/share/locale/tr/LC_MESSAGES", exist_ok=True)
    shutil.copy(f"{INSIDE_BUILD}/po/tr/LC_MESSAGES/tokend.mo", "/usr/share/locale/tr/LC_MESSAGES")
    make_empty("/etc/tokend/profiles.d")

    for folder, mode in (("/run/tokend", 0o755), ("/var/lib/tokend", 0o700)):
        os.makedirs(folder, exist_ok=True)
        make_empty(folder)
        os.chmod(folder, mode)
        shutil.chown(folder, "tokend", "tokend")

    variables = {"PATH": SYSTEM_PATH}
    for name in filter(os.environ.__contains__, SANITIZER_VARIABLES):
        # A host has no standard error that a report could go to, and is another user than tokend.
        variables[name] = f"{os.environ[name]}:log_path={LOGS}/sanitizer"
        os.chmod(LOGS, 0o1777)
    if {"ASAN_OPTIONS", "TSAN_OPTIONS"} & variables.keys():
        # Memory that GLib gives out again is not known to be new, nor seen to be lost: GLib has it all in its tables.
        variables["G_SLICE"] = "always-malloc"
    # As its unit has it
    of_tokend = variables | {"G_SLICE": "always-malloc"}
    write(f"{SANDBOX}/environment", "".join(f"{name}={value}\n" for name, value in of_tokend.items()))
    os.symlink(f"{INSIDE_SOURCE}/tests/lib/start-tokend", f"{SANDBOX}/bin/start-tokend")
    return variables


def start(name, command, **more):
    """Starts a daemon whose messages go to a log of its own."""
    with open(f"{LOGS}/{name}.log", "ab") as log:
        more.setdefault("stdout", log)
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stderr=log, start_new_session=True, cwd="/", **more
        )


def start_bus(variables):
    daemon = start(
        "dbus",
        ["dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog", "--print-address"],
        env=variables,
        stdout=subprocess.PIPE,
    )
    if not daemon.stdout.readline():  # the address, once it listens
        fail("dbus", "the bus does not start")


def fail(log, what):
    with open(f"{LOGS}/{log}.log", encoding="utf-8", errors="replace") as file:
        raise SystemExit(f"{what}\n{file.read()}")


def wait_for_name(name, log):
    waited = subprocess.run(
        ["gdbus", "wait", "--system", "--timeout", "30", name], stdin=subprocess.DEVNULL, check=False
    )
    if waited.returncode != 0:
        fail(log, f"{name} does not appear on the bus")


def start_hosts(variables):
    """The sockets of the module hosts, as the socket units have them: for tokend alone."""
    tokend = pwd.getpwnam("tokend")
    # A test may put another program in its place.
    host = f"{SANDBOX}/bin/tokend-module"
    os.symlink(f"{INSIDE_BUILD}/service/host/tokend-module", host)
    for kind in ("watch", "operate"):
        path = f"/run/tokend/{kind}.sock"
        command = ["systemd-socket-activate", "--listen", path, "--accept", "--inetd"]
        command += ["setpriv", "--reuid", "tokend-module", "--regid", "tokend-module", "--init-groups"]
        command += ["--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
        command += ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), host, f"--{kind}"]
        start(f"host-{kind}", command, env=variables, umask=0o177)
        deadline = time.monotonic() + SOCKET_DEADLINE
        while not os.path.exists(path) or not is_listening(path):
            if time.monotonic() > deadline:
                fail(f"host-{kind}", f"nobody listens on {path}")
            time.sleep(0.002)
        os.chown(path, tokend.pw_uid, tokend.pw_gid)


def is_listening(path):
    """Without connecting, which would start a host."""
    # Num RefCount Protocol Flags Type St Inode Path; the flag is __SO_ACCEPTCON
    sockets = [line.split() for line in read_lines("/proc/net/unix")]
    return any(fields[-1] == path and int(fields[3], 16) & 0x10000 for fields in sockets[1:])


def begin_token(token, pin, puk):
    """Starts the script that makes the token; finish_token() waits for it."""
    kind = KINDS[token["kind"]]
    settings = token | {"folder": f"{TOKENS}/{token['name']}", "built": INSIDE_BUILD, "pin": pin or kind.pin, "puk": puk}
    settings["log"] = f"{LOGS}/{token['name']}.log"
    script = f"{INSIDE_SOURCE}/tests/tokens/{kind.folder or token['kind']}/setup"
    process = subprocess.Popen(
        [script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": SYSTEM_PATH}, text=True
    )
    process.stdin.write(json.dumps(settings))
    process.stdin.close()
    return process


def finish_token(token, process):
    """Returns the path of the token's module."""
    token["module"] = process.stdout.read().strip()
    if process.wait() != 0:
        raise SystemExit(f"the token {token['name']} cannot be made")
    return token["module"]


def module_name(token):
    """In p11-kit's configuration."""
    return KINDS[token["kind"]].module or token["name"]


def make_executor(command, user, modules):
    """Returns the function that becomes COMMAND."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise SystemExit(f"{user}: no such user") from None
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("LC_")}
    if not any(name in environment for name in ("LANG", "LC_ALL")):
        environment["LANG"] = "C.UTF-8"
    path = [f"{INSIDE_BUILD}/client/cmd", SYSTEM_PATH]
    if user == "root":
        path.insert(0, f"{SANDBOX}/bin")
    environment |= {
        "HOME": entry.pw_dir,
        "USER": user,
        "LOGNAME": user,
        "SHELL": entry.pw_shell,
        "PATH": ":".join(path),
    }
    if modules:
        environment["TOKEN_MODULE"] = next(iter(modules.values()))
    folder = os.getcwd()

    def execute():
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        try:
            os.chdir(folder)
        except OSError:
            os.chdir(entry.pw_dir)
        os.execvpe(command[0], command, environment)

    return execute


def list_processes(names):
    """The processes of programs with one of these names."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{process}/comm", encoding="utf-8") as file:
            if file.read().strip() in names:
                found.append(int(process))
    return found


def stop_gently():
    """Lets tokend and its hosts end by themselves: killed with the sandbox, they would not write what they counted."""
    deadline = time.monotonic() + STOP_DEADLINE
    for process in list_processes(("tokend",)):
        # The service may end by itself meanwhile.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    while list_processes(SERVICES) and time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        time.sleep(0.005)


def run(build, arguments, terminal):
    """Makes the sandbox, runs the command in it, and returns its exit status.

    @arguments: tokens (each a dict of name, kind, label, serial, more), pin, puk, modules (name to path), user,
    command.
    """
    make_folders(build, arguments.modules)
    make_users()
    variables = make_configuration()

    making = [(token, begin_token(token, arguments.pin, arguments.puk)) for token in arguments.tokens]
    start_bus(variables)
    waking = {"LD_PRELOAD": f"{INSIDE_BUILD}/tests/lib/polkitd/libpolkitd-wake.so"}
    start("polkitd", ["/usr/lib/polkit-1/polkitd", "--no-debug"], env=variables | waking)
    modules = {module_name(token): finish_token(token, process) for token, process in making}
    modules |= arguments.modules
    for name, path in modules.items():
        write(f"/usr/share/p11-kit/modules/{name}.module", f"module: {path}\n")
    write(f"{SANDBOX}/tokens.json", json.dumps(arguments.tokens))

    start_hosts(variables)
    wait_for_name("org.freedesktop.PolicyKit1", "polkitd")
    if not os.access(f"{INSIDE_BUILD}/service/tokend", os.X_OK):
        raise SystemExit("tokend is not built")
    if subprocess.run([f"{SANDBOX}/bin/start-tokend"], env=variables, check=False).returncode != 0:
        raise SystemExit("no sandbox without tokend")

    status = run_command(make_executor(arguments.command, arguments.user, modules), terminal)
    if os.path.isdir(f"{INSIDE_BUILD}/coverage"):
        stop_gently()
    return status
