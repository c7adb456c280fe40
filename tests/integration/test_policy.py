# SPDX-License-Identifier: LGPL-2.1-or-later
"""What polkit makes of our actions and of our rule, by the real polkitd."""

import os
import re
import subprocess

import pytest
from client import NEEDS_PERSON, Client
from sandbox import SOURCE, wait_until

OWNER = "org.freedesktop.policykit.owner -> unix-user:tokend"

# The answers for any, an inactive and an active session
ACTIONS = {
    "org.tokend.read-status": ("auth_admin", "auth_admin", "yes"),
    "org.tokend.set-pin": ("auth_admin", "auth_admin", "auth_self"),
    "org.tokend.unlock": ("auth_admin", "auth_admin", "auth_self"),
}

PCSC_ACTIONS = ("org.debian.pcsc-lite.access_pcsc", "org.debian.pcsc-lite.access_card")
# As pcscd has them: for the user on the seat.
PCSC_POLICY = "".join(
    [
        "<policyconfig>",
        *(
            f'<action id="{action}"><description>a</description><message>m</message><defaults>'
            "<allow_any>no</allow_any><allow_inactive>no</allow_inactive><allow_active>yes</allow_active>"
            "</defaults></action>"
            for action in (*PCSC_ACTIONS, "org.debian.pcsc-lite.other")
        ),
        "</policyconfig>",
    ]
)
PCSC_FILE = "/usr/share/polkit-1/actions/org.debian.pcsc-lite.policy"
RULES_FILE = "/usr/share/polkit-1/rules.d/org.tokend.rules"
USERS = ("tokend-module", "tokend", "alice", "bob", "carol", "daemon")

AUTHORIZED, NOT_AUTHORIZED = 0, 1  # the exit status of pkcheck


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_are_whole(make_sandbox, action):
    """As pkaction shows them: words, vendor, icon, the defaults, and who owns the action."""
    shown = make_sandbox([]).run("alice", ["pkaction", "--verbose", "--action-id", action])
    fields = dict(re.findall(r"^  (\w[^:]*): *(.*)$", shown.stdout, re.MULTILINE))
    assert fields.pop("description") and fields.pop("message").startswith("Authentication is required to ")
    answers = tuple(fields.pop(f"implicit {session}") for session in ("any", "inactive", "active"))
    assert answers == ACTIONS[action]
    assert fields == {"vendor": "tokend", "vendor_url": "", "icon": "dialog-password", "annotation": OWNER}


def test_actions_speak_turkish(make_sandbox):
    """Each text is another than the English one, and takes the token's name where that does."""
    with Client(make_sandbox([]), "alice") as client:

        def texts(locale):
            reply = client.call_at(
                "/org/freedesktop/PolicyKit1/Authority",
                "org.freedesktop.PolicyKit1.Authority",
                "EnumerateActions",
                "(s)",
                [locale],
                destination="org.freedesktop.PolicyKit1",
            )
            return {entry[0]: entry[1:3] for entry in reply.value if entry[0] in ACTIONS}

        english, turkish = texts("en_US.UTF-8"), texts("tr_TR.UTF-8")
    assert set(english) == set(turkish) == set(ACTIONS)
    for action, words in english.items():
        for text, translation in zip(words, turkish[action]):
            assert text != translation
            assert ("$(token)" in text) == ("$(token)" in translation)


def test_the_manual_has_a_rule_for_a_service(make_sandbox):
    """The example of tokend(8), as man shows it, lets its user do what is said there, with nobody to ask, and nothing else."""
    sandbox = make_sandbox(["etoken"])
    env = {**os.environ, "MANWIDTH": "200", "LC_ALL": "C"}
    command = ["man", "--local-file", os.path.join(SOURCE, "service/data/tokend.8")]
    shown = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout
    (rule,) = re.findall(r"^ *polkit\.addRule\(.*?\}\);$", shown, re.MULTILINE | re.DOTALL)
    assert '"signing"' in rule
    with Client(sandbox, "carol") as client:
        assert client.call("SetPin", "1234", "4321").error == NEEDS_PERSON
        sandbox.write_file("/etc/polkit-1/rules.d/10-signing.rules", rule.replace('"signing"', '"carol"'))
        wait_until(lambda: client.call("SetPin", "1234", "4321").error is None, what="the rule")
        assert client.call("GetStatus").error is None
        assert client.call("Unlock", "12345678", "1234").error == NEEDS_PERSON
    assert sandbox.token("etoken").login("4321")


def test_hosts_and_nobody_else_reach_pcscd(make_sandbox):
    """The rule lets user tokend-module do the two things that pcscd asks for, and changes nothing else."""
    sandbox = make_sandbox([])
    sandbox.write_file(PCSC_FILE, PCSC_POLICY)
    actions = (*PCSC_ACTIONS, "org.debian.pcsc-lite.other", *ACTIONS)
    processes = {user: sandbox.popen(user, ["sleep", "infinity"], stdin=subprocess.DEVNULL) for user in USERS}

    def number(user):
        outside = wait_until(processes[user].number, what="the process")
        return next(inside for inside, process in sandbox.processes().items() if process[0] == outside)

    def answer(user, action):
        checked = sandbox.run("root", ["pkcheck", "--action-id", action, "--process", str(number(user))])
        return checked.returncode

    try:
        wait_until(lambda: answer("tokend-module", PCSC_ACTIONS[0]) == NOT_AUTHORIZED, what="pcscd's actions")
        before = {(user, action): answer(user, action) for user in USERS for action in actions}
        with open(os.path.join(SOURCE, "policy/org.tokend.rules"), encoding="utf-8") as file:
            sandbox.write_file(RULES_FILE, file.read())
        wait_until(lambda: answer("tokend-module", PCSC_ACTIONS[0]) == AUTHORIZED, what="the rule")
        after = {(user, action): answer(user, action) for user in USERS for action in actions}
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    assert {case for case in before if after[case] != before[case]} == {
        ("tokend-module", action) for action in PCSC_ACTIONS
    }
    assert all(after["tokend-module", action] == AUTHORIZED for action in PCSC_ACTIONS)
