/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * Scratch:
 *
 * A folder of a test's own.
 */
typedef struct {
  char *path;
} Scratch;

void scratch_set_up (Scratch *scratch, gconstpointer user_data);
void scratch_tear_down (Scratch *scratch, gconstpointer user_data);
void scratch_add_test (const char *path, void (*test) (Scratch *, gconstpointer));

char *scratch_path (const Scratch *scratch, const char *name);
void scratch_write (const Scratch *scratch, const char *name, const char *content);
char *scratch_read (const Scratch *scratch, const char *name);

G_END_DECLS
