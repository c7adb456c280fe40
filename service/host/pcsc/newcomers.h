/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/** TokendNewcomers: notices programs that begin to be able to use cards: they open the library that leads to pcscd. One that
 * does its work and ends, all in a few milliseconds, would else hardly be seen. Of one thread. */
typedef struct _TokendNewcomers TokendNewcomers;

TokendNewcomers *tokend_newcomers_new (void);
gboolean tokend_newcomers_wait (TokendNewcomers *self, gint64 time);

G_END_DECLS
