/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* libFuzzer calls it with one input after another. Returns: 0 */
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
/* libFuzzer calls it once, before. Returns: 0 */
int LLVMFuzzerInitialize (int *argc, char ***argv);

/**
 * FuzzInput:
 *
 * What is left of an input. When it is used up, all that is taken from it is zero or empty.
 */
typedef struct {
  const guint8 *data;
  gsize size;
} FuzzInput;

guint8 fuzz_take_byte (FuzzInput *input);
gboolean fuzz_take_flag (FuzzInput *input);
guint64 fuzz_take_number (FuzzInput *input);
GBytes *fuzz_take_bytes (FuzzInput *input);
char *fuzz_take_text (FuzzInput *input);
GVariant *fuzz_take_dictionary (FuzzInput *input, const char *const *keys);

const char *fuzz_folder (void);
void fuzz_write (const char *path, gconstpointer data, gsize size);

void fuzz_assert_printable (const char *text);
void fuzz_assert_printable_lines (const char *text);

G_END_DECLS
