/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The program that runs in the terminal that tokend-notify opens. It has no arguments: it is run by
 * a link whose name, without the suffix, is that of a file with the words that mean the token, a
 * line each.
 */
#define TOKEND_NOTIFY_WINDOW_PROGRAM "tokend-notify-unlock"
#define TOKEND_NOTIFY_WINDOW_SUFFIX ".window"
