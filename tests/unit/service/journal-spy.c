/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-spy.h"

/* g_test_expect_message() does not see structured logging, which the service does. */
static GString *warnings;

static GLogWriterOutput
keep_warnings (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  if ((level & G_LOG_LEVEL_MASK) != G_LOG_LEVEL_WARNING)
    return g_log_writer_default (level, fields, n_fields, user_data);

  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      g_string_append_printf (warnings, "%s\n", (const char *) fields[i].value);
  return G_LOG_WRITER_HANDLED;
}

/**
 * journal_spy_install:
 *
 * From here on warnings are kept, to be held against what a test expects; critical ones still
 * abort. Once in a program, before it logs.
 */
void
journal_spy_install (void)
{
  warnings = g_string_new (NULL);
  g_log_set_writer_func (keep_warnings, NULL, NULL);
}

/**
 * journal_spy_expect:
 *
 * Fails unless @text was in a warning; forgets them all.
 */
void
journal_spy_expect (const char *text)
{
  if (g_strstr_len (warnings->str, -1, text) == NULL)
    g_test_fail_printf ("No warning says “%s”, but: %s", text, warnings->str);
  g_string_truncate (warnings, 0);
}

/**
 * journal_spy_expect_nothing:
 *
 * Fails if there was a warning since the last expected one.
 */
void
journal_spy_expect_nothing (void)
{
  g_assert_cmpstr (warnings->str, ==, "");
}
