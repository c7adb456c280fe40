/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void journal_spy_install (void);
void journal_spy_expect (const char *text);
void journal_spy_expect_nothing (void);

G_END_DECLS
