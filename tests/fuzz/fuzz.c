/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fuzz.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static GLogWriterOutput
drop_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)) != 0)
    return g_log_writer_default (level, fields, n_fields, user_data);
  return G_LOG_WRITER_HANDLED;
}

/* What an input is refused for may be said thousands of times a second; a critical one is a
 * finding. */
static void __attribute__ ((constructor)) set_up_log (void)
{
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_log_set_writer_func (drop_warnings, NULL, NULL);
}

static const guint8 *
take (FuzzInput *input, gsize size)
{
  const guint8 *taken = input->data;

  input->data += size;
  input->size -= size;
  return taken;
}

guint8
fuzz_take_byte (FuzzInput *input)
{
  return input->size > 0 ? *take (input, 1) : 0;
}

gboolean
fuzz_take_flag (FuzzInput *input)
{
  return (fuzz_take_byte (input) & 1) != 0;
}

/**
 * fuzz_take_number:
 *
 * Small ones take one byte: they are what is counted with.
 */
guint64
fuzz_take_number (FuzzInput *input)
{
  const guint8 first = fuzz_take_byte (input);
  guint64 number = 0;

  if (first < G_MAXUINT8)
    return first;
  for (guint i = 0; i < sizeof number; i++)
    number = number << 8 | fuzz_take_byte (input);
  return number;
}

/**
 * fuzz_take_bytes:
 *
 * Returns: (transfer full): up to 255 of them.
 */
GBytes *
fuzz_take_bytes (FuzzInput *input)
{
  gsize size = fuzz_take_byte (input);

  size = MIN (size, input->size);
  return g_bytes_new (take (input, size), size);
}

/**
 * fuzz_take_text:
 *
 * Returns: (transfer full): what a string on the bus can be: GDBus lets no other through.
 */
char *
fuzz_take_text (FuzzInput *input)
{
  g_autoptr (GBytes) bytes = fuzz_take_bytes (input);

  return g_utf8_make_valid (g_bytes_get_size (bytes) > 0 ? g_bytes_get_data (bytes, NULL) : "",
                            (gssize) g_bytes_get_size (bytes));
}

/* Of the dictionary that was taken last; NULL: none was. */
static const char *const *known_keys;

/*
 * These two stand before GLib's own: a key that the reader of a dictionary asks for, and that the
 * target does not know, is a finding.
 */
GVariant *
g_variant_lookup_value (GVariant *dictionary, const char *key, const GVariantType *type)
{
  const gsize n_entries = g_variant_n_children (dictionary);

  if (known_keys != NULL && !g_strv_contains (known_keys, key))
    g_error ("“%s” is asked for, and not among the keys that are fuzzed", key);
  for (gsize i = 0; i < n_entries; i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (dictionary, i);
    g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
    g_autoptr (GVariant) boxed = g_variant_get_child_value (entry, 1);
    g_autoptr (GVariant) value = g_variant_is_of_type (boxed, G_VARIANT_TYPE_VARIANT)
                                     ? g_variant_get_variant (boxed)
                                     : g_variant_ref (boxed);

    if (g_str_equal (g_variant_get_string (name, NULL), key))
      return type == NULL || g_variant_is_of_type (value, type) ? g_steal_pointer (&value) : NULL;
  }
  return NULL;
}

gboolean
g_variant_lookup (GVariant *dictionary, const char *key, const char *format, ...)
{
  g_autoptr (GVariant) value = NULL;
  va_list arguments;

  value = g_variant_lookup_value (dictionary, key, NULL);
  if (value == NULL || !g_variant_check_format_string (value, format, FALSE))
    return FALSE;
  va_start (arguments, format);
  g_variant_get_va (value, format, NULL, &arguments);
  va_end (arguments);
  return TRUE;
}

static const char *
take_key (FuzzInput *input, const char *const *keys, char **free_key)
{
  const guint8 index = fuzz_take_byte (input);

  if (index < g_strv_length ((char **) keys))
    return keys[index];
  return *free_key = fuzz_take_text (input);
}

/* Texts by key, as why a profile was taken. */
static GVariant *
take_texts (FuzzInput *input, const char *const *keys)
{
  const guint n_entries = fuzz_take_byte (input) % 8;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  for (guint i = 0; i < n_entries && input->size > 0; i++) {
    g_autofree char *free_key = NULL;
    const char *key = take_key (input, keys, &free_key);
    g_autofree char *text = fuzz_take_text (input);

    g_variant_builder_add (&builder, "{ss}", key, text);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
take_value (FuzzInput *input, const char *const *keys)
{
  switch (fuzz_take_byte (input) % 6) {
  case 0:
    return g_variant_new_take_string (fuzz_take_text (input));
  case 1: {
    g_autoptr (GBytes) bytes = fuzz_take_bytes (input);

    return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
  }
  case 2:
    return g_variant_new_uint32 ((guint32) fuzz_take_number (input));
  case 3:
    return g_variant_new_boolean (fuzz_take_flag (input));
  case 4:
    return g_variant_new_uint64 (fuzz_take_number (input));
  default:
    return take_texts (input, keys);
  }
}

/**
 * fuzz_take_dictionary:
 * @keys: (array zero-terminated=1): all that whoever reads it asks for.
 *
 * As it may come over the bus: any key with a value of any type, a key twice, others besides.
 * seeds.py writes the same.
 *
 * Returns: (transfer full): a{sv}
 */
GVariant *
fuzz_take_dictionary (FuzzInput *input, const char *const *keys)
{
  const guint n_entries = fuzz_take_byte (input) % 32;
  GVariantBuilder builder;

  known_keys = keys;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < n_entries && input->size > 0; i++) {
    g_autofree char *free_key = NULL;
    const char *key = take_key (input, keys, &free_key);

    g_variant_builder_add (&builder, "{sv}", key, take_value (input, keys));
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/**
 * fuzz_folder:
 *
 * Returns: (transfer none): a folder of this process's own; who runs it takes it away (main.py).
 */
const char *
fuzz_folder (void)
{
  static char *folder;

  if (folder == NULL) {
    g_autoptr (GError) error = NULL;

    folder = g_dir_make_tmp ("fuzz-XXXXXX", &error);
    g_assert_no_error (error);
  }
  return folder;
}

/**
 * fuzz_write:
 *
 * Makes the file anew.
 */
void
fuzz_write (const char *path, gconstpointer data, gsize size)
{
  int fd = g_open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, data, size), ==, (gssize) size);
  close (fd);
}

/**
 * fuzz_assert_printable:
 *
 * What may be shown anywhere: UTF-8 without any character that does something but appear.
 */
void
fuzz_assert_printable (const char *text)
{
  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    const gunichar c = g_utf8_get_char (p);

    /* Bidirectional controls: the marks, the embeddings and overrides, the isolates. */
    g_assert_false (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f
                    || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff);
  }
}

/**
 * fuzz_assert_printable_lines:
 *
 * Likewise, but that it may have several lines.
 */
void
fuzz_assert_printable_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++)
    fuzz_assert_printable (lines[i]);
}
