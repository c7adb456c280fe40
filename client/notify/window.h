/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The program that runs in the terminal of tokend-notify. It takes no arguments: a link to it has a
 * name, without the suffix, that is also the name of a file with the words that mean the token, a
 * line each. */
#define TOKEND_NOTIFY_WINDOW_PROGRAM "tokend-notify-unlock"
#define TOKEND_NOTIFY_WINDOW_SUFFIX ".window"
