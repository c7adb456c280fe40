# SPDX-License-Identifier: LGPL-2.1-or-later
"""How valgrind is asked."""

# What is still referred to when a process leaves is no leak: a host leaves by _exit(), with all that it is made of.
MEMCHECK = [
    "valgrind",
    "--error-exitcode=99",
    "--leak-check=full",
    "--show-leak-kinds=definite",
    "--errors-for-leak-kinds=definite",
]
