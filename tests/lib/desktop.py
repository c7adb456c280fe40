# SPDX-License-Identifier: LGPL-2.1-or-later
"""A desktop session in a sandbox: a screen (Xvfb), a session bus, a notification server, tokend-notify.

    with Desktop(sandbox, language="tr") as desktop:
        desktop.start_notify()
        note = desktop.wait_note(1)
        desktop.screenshot("locked")
"""

import contextlib
import os
import subprocess
import uuid

from notes import Record
from sandbox import BUILD, FOLDER, LIBRARY, PYTHON, SOURCE, describe_threads, read_line, wait_until

SCREEN = (580, 300)

BUS_CONFIGURATION = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""

# Actions are chosen by a person in a menu; here the menu is a file with what is to be chosen.
DUNST_CONFIGURATION = """\
[global]
  origin = top-left
  offset = 10x10
  width = 540
  height = 280
  notification_limit = 4
  font = DejaVu Sans 11
  padding = 12
  horizontal_padding = 14
  frame_width = 2
  separator_height = 4
  gap_size = 6
  markup = full
  format = "<b>%s</b>\\n%b"
  show_indicators = yes
  word_wrap = yes
  icon_theme = Adwaita
  enable_recursive_icon_lookup = yes
  min_icon_size = 48
  max_icon_size = 48
  dmenu = {home}/choose
[urgency_normal]
  background = "#f6f5f4"
  foreground = "#1e1e1e"
  frame_color = "#3584e4"
  timeout = 0
[urgency_critical]
  background = "#f6f5f4"
  foreground = "#1e1e1e"
  frame_color = "#c01c28"
  timeout = 0
"""

# Writes down how it was called; a page handler and a terminal are only ever looked at.
WITNESS = """\
#!/bin/sh
printf '%s\\0' "$@" >"{file}.new"
/bin/mv "{file}.new" "{file}"
"""

# It is in the folder of the machine's architecture.
XFCE4_NOTIFYD = "exec /usr/lib/*/xfce4/notifyd/xfce4-notifyd"

class Desktop:
    """A person's session; language: what LANGUAGE says.

    server: "dunst", or "xfce4-notifyd", which shows actions as buttons, and is only looked at: displayed(), choose() and
    dismiss() are dunst's; or "reluctant", which refuses the first notification and shows nothing.
    """

    def __init__(self, sandbox, language="en", user="alice", server="dunst"):
        self.sandbox = sandbox
        self.server = server
        self.user = user
        self.language = language
        self.home = f"{FOLDER}/home/{user}"
        self.monitor = None
        self.record = None
        self._stack = contextlib.ExitStack()
        self._address = f"{self.home}/bus"
        # What each process of the session has, whoever started it
        self.session_environment = {"LANGUAGE": language, "XDG_RUNTIME_DIR": f"{self.home}/run"}
        self._environment = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={self._address}", **self.session_environment}
        self._server = None
        self.notify = None

    def __enter__(self):
        with self._stack:
            self._write_home()
            self._start_screen()
            self._start_bus()
            self.start_server()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_exception):
        self._stack.close()

    # Its parts

    def _write(self, name, text, mode=0o644):
        path = self.sandbox.path(f"{self.home}/{name}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def _write_home(self):
        self._write("session.conf", BUS_CONFIGURATION.format(address=self._address))
        self._write("dunstrc", DUNST_CONFIGURATION.format(home=self.home))
        self._write("choose", f'#!/bin/sh\nexec grep -F -m 1 -f "{self.home}/wanted"\n', 0o755)
        self._write("bin/x-terminal-emulator", WITNESS.format(file=f"{self.home}/terminal"), 0o755)
        self._write("bin/browser", WITNESS.format(file=f"{self.home}/browser"), 0o755)
        os.makedirs(self.sandbox.path(self.session_environment["XDG_RUNTIME_DIR"]), 0o700)
        self._environment["XDG_DATA_HOME"] = f"{self.home}/data"
        self._environment["XDG_CONFIG_HOME"] = f"{self.home}/config"
        self.sandbox.run("root", ["chown", "-R", f"{self.user}:", self.home])

    def install_browser(self):
        """From now on something opens https addresses."""
        entry = f"[Desktop Entry]\nType=Application\nName=Browser\nExec={self.home}/bin/browser %u\n"
        self._write("data/applications/browser.desktop", entry + "MimeType=x-scheme-handler/https;\n")
        self._write("config/mimeapps.list", "[Default Applications]\nx-scheme-handler/https=browser.desktop\n")
        self.sandbox.run("root", ["chown", "-R", f"{self.user}:", self.home])

    def remove_terminal(self):
        os.unlink(self.sandbox.path(f"{self.home}/bin/x-terminal-emulator"))

    def opened(self, what):
        """The arguments that "terminal" or "browser" was opened with; waits for it."""
        path = self.sandbox.path(f"{self.home}/{what}")
        wait_until(lambda: os.path.exists(path), what=f"the {what}")
        with open(path, encoding="utf-8") as file:
            arguments = file.read().split("\0")[:-1]
        os.unlink(path)
        return arguments

    def popen(self, argv, **more):
        """Starts a program of the session, which ends with it."""
        environment = self._environment | more.pop("env", {})
        process = self.sandbox.popen(self.user, argv, env=environment, **more)
        self._stack.callback(end, process)
        return process

    def run(self, argv, user=None, **more):
        return self.sandbox.run(user or self.user, argv, env=self._environment, **more)

    def _start_screen(self):
        reading, writing = os.pipe()
        size = "x".join(map(str, SCREEN))
        argv = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-br"]
        self.popen(argv, pass_fds=[writing], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(writing)
        with open(reading, "rb") as pipe:
            self._environment["DISPLAY"] = f":{read_line(pipe, what='the screen').strip()}"

    def _start_bus(self):
        argv = ["dbus-daemon", f"--config-file={self.home}/session.conf", "--nofork", "--nopidfile", "--print-address"]
        daemon = self.popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if not read_line(daemon.stdout, what="the session bus"):
            raise RuntimeError("the session bus does not start")
        argv = ["busctl", "--address", self._environment["DBUS_SESSION_BUS_ADDRESS"], "--json=short", "monitor"]
        self.monitor = self.popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.record = Record(self.monitor)
        self._wait_recorded()

    def _wait_recorded(self):
        """Until the monitor is one: what was sent before, it would have missed. And until all that was sent is recorded."""
        mark = uuid.uuid4().hex
        signal = ["dbus-send", "--session", "--type=signal", "/org/tokend/Test", "org.tokend.Test.Mark", f"string:{mark}"]

        def is_recorded():
            self.run(signal)
            return self.record.has_mark(mark)

        self.record.wait(is_recorded, what="the record of the session bus")

    def start_server(self):
        """Starts the notification server, and waits until it is one."""
        commands = {
            "dunst": ["dunst", "-config", f"{self.home}/dunstrc"],
            "xfce4-notifyd": ["sh", "-c", XFCE4_NOTIFYD],
            "reluctant": [PYTHON, f"{LIBRARY}/reluctant_server.py"],
        }
        self._server = self.popen(
            commands[self.server],
            env={"GTK_THEME": "Adwaita", "NO_AT_BRIDGE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        waited = self.run(["gdbus", "wait", "--session", "--timeout", "30", "org.freedesktop.Notifications"])
        assert waited.returncode == 0, waited.stderr

    def stop_server(self):
        end(self._server)

    def start_notify(self):
        """Starts tokend-notify as the session's autostart does."""
        with open(self.sandbox.path(f"{FOLDER}/log/notify.log"), "ab") as log:
            self.notify = self.popen(
                # Of programs to open there are only those that a test looks at.
                ["/usr/bin/env", f"PATH={self.home}/bin", f"{BUILD}/client/notify/tokend-notify"],
                env={"G_MESSAGES_DEBUG": "tokend-notify"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        waited = self.run(["gdbus", "wait", "--session", "--timeout", "30", "org.tokend.Notify"])
        assert waited.returncode == 0, waited.stderr

    def stop_notify(self):
        end(self.notify)

    # What the server got

    @property
    def notes(self):
        """All notifications since the beginning, shown or changed."""
        return self.record.notes

    def wait_note(self, count):
        """Waits until this many notifications were shown or changed since the beginning; returns the last one."""
        self._wait(lambda: len(self.notes) >= count, f"notification {count}")
        assert len(self.notes) == count, self.notes
        return self.notes[-1]

    def wait_closed(self, number):
        self._wait(lambda: number in self.record.closed, f"the end of notification {number}")

    def _wait(self, condition, what):
        try:
            self.record.wait(condition, what)
        except TimeoutError as error:
            number = self.notify and self.notify.number()
            threads = describe_threads(number) if number else "it is not there"
            raise TimeoutError(f"{error}; tokend-notify's threads:\n{threads}") from None

    def displayed(self):
        """How many notifications are on the screen."""
        return int(self.run(["dunstctl", "count", "displayed"]).stdout)

    def choose(self, action):
        """The person chooses an action, by its label, in the menu of the newest notification."""
        self.sandbox.write_file(f"{self.home}/wanted", f"{action}\n")
        chosen = self.run(["dunstctl", "context"])
        assert chosen.returncode == 0, chosen.stderr

    def dismiss(self):
        """The person puts all notifications away."""
        closed = self.run(["dunstctl", "close-all"])
        assert closed.returncode == 0, closed.stderr

    # The screen

    def screenshot(self, name):
        """Saves what is on the screen, without its empty part, as a picture in the build folder; returns its path."""
        build = os.environ.get("TOKEND_BUILD", os.path.join(SOURCE, "_build"))
        path = os.path.join(os.path.abspath(build), "screenshots", f"{name}-{self.language}.png")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        last = None

        def is_still():
            nonlocal last
            before, last = last, self._picture()
            return last is not None and before == last

        wait_until(is_still, what="a still picture")
        with open(path, "wb") as file:
            file.write(last)
        return path

    def _picture(self):
        """None while there is nothing on the screen."""
        script = "import -silent -window root png:- | convert png:- -trim +repage -bordercolor black -border 6 -strip png:-"
        taken = self.popen(
            ["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        picture = taken.communicate(timeout=30)[0]
        # An empty screen is trimmed to one point.
        return picture if taken.returncode == 0 and int.from_bytes(picture[16:20], "big") > 100 else None


def end(process):
    """Ends it, if it has not ended by itself."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
