/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What becomes of a file in the middle of being written: each system call that changes the disk is
 * a step, counted from 1. Of a program that this is linked into, not of a library: it stands before
 * libc's. */

void disk_fail_at (guint step, int error_number);
void disk_fail_from (guint step, int error_number);
gboolean disk_was_met (void);
gboolean disk_kills (guint failing, int error_number, guint death, void (*act) (gpointer),
                     gpointer data);
void disk_is_well (void);

G_END_DECLS
