# SPDX-License-Identifier: LGPL-2.1-or-later
"""What README shows works as it stands there."""

import os
import re
import subprocess

from sandbox import SOURCE

MAIN = """
#include <signal.h>

static void
hand_over (int from, int to)
{
  char code[256];
  ssize_t length = read (from, code, sizeof code);

  if (length <= 0 || write (to, code, length) != length)
    g_error ("the code was not handed over");
}

static void
ask (int puk, int new_pin)
{
  hand_over (3, puk);
  hand_over (4, new_pin);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);

  signal (SIGPIPE, SIG_IGN);
  if (bus == NULL || !unlock (bus, argv[1], ask, 3, &error))
    g_error ("%s", error->message);
  return 0;
}
"""


def blocks(language):
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)


def test_the_python_example_unlocks(sandbox):
    (example,) = blocks("python")
    token = sandbox.token("etoken")
    shown = sandbox.python("alice", example)
    assert (shown.returncode, shown.stdout) == (0, "ETOKEN ok 3\n"), shown.stderr

    token.wrong_pin(3)
    shown = sandbox.python("alice", example, stdin="12345678\n5678\n")
    assert (shown.returncode, shown.stdout) == (0, "ETOKEN locked 0\nETOKEN ok\n"), shown.stderr
    assert token.login("5678")


def test_the_c_example_unlocks(sandbox, tmp_path):
    (example,) = blocks("c")
    (tmp_path / "unlock.c").write_text(example + MAIN)
    flags = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "gio-unix-2.0"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    os.chmod(tmp_path, 0o755)
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-o", tmp_path / "unlock", tmp_path / "unlock.c", *flags], check=True
    )
    program = f"{sandbox.token('etoken').folder}/unlock"
    with open(sandbox.path(program), "wb") as file:
        file.write((tmp_path / "unlock").read_bytes())
    os.chmod(sandbox.path(program), 0o755)

    redirect = f'exec {program} "$0" 3<&{{puk}} 4<&{{new_pin}}'
    tree = sandbox.run("alice", ["busctl", "tree", "--list", "org.tokend.Tokend1"]).stdout
    (path,) = (line for line in tree.splitlines() if "/tokens/" in line)
    codes = {"puk": "12345678", "new_pin": "5678"}
    done = sandbox.run_with_codes("alice", ["bash", "-c", redirect, path], codes)
    assert done.returncode == 0, done.stderr
    assert sandbox.token("etoken").login("5678")


def test_the_session_is_what_is_shown(sandbox):
    """Line by line, with what a person types left out: it is not shown."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        section = file.read().split("## What a session looks like\n")[1]
    shown = "".join(
        line[4:] if line.strip() else "\n"
        for line in re.match(r"\n((?:    .*\n|\n)+)", section)[1].rstrip("\n").splitlines(keepends=True)
    )
    status, unlock = (text.rstrip("\n") for text in re.split(r"^\$ tokenctl .*\n", shown, flags=re.MULTILINE)[1:])
    token = sandbox.token("etoken")
    token.wrong_pin(3)

    def plain(terminal):
        text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.text).replace(token.serial, "02a0b1c1")
        # It is that of the day on which the token was built.
        text = re.sub(r"valid until \d+ \w+ \d{4}", "valid until 3 March 2028", text)
        return "\n".join(line.rstrip() for line in text.rstrip("\n").splitlines())

    with sandbox.terminal("alice", ["tokenctl", "status"]) as terminal:
        assert terminal.finish() == 0
    assert plain(terminal) == status
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        for prompt, code in (("PUK: $", sandbox.puk), ("New PIN .*: $", "4321"), ("once more: $", "4321")):
            terminal.expect(prompt)
            terminal.type_line(code)
        assert terminal.finish() == 0
    assert plain(terminal) == unlock


def test_the_commands_and_exit_codes_are_those_of_tokenctl(sandbox):
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        readme = re.sub(r"\s+", " ", file.read())
    for line in sandbox.tokenctl("alice", "--help").stdout.split("Exit status:\n")[1].splitlines():
        number, meaning = line.split(None, 1)
        words = meaning.split(";")[0].split(":")[0].split(",")[0]
        assert f"{number} {words}" in readme, line
