/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "counter.h"

#include "counter-enums.h"
#include "tokend-enums.h"

#include <string.h>

/* The status table of ARCHITECTURE.md, row by row, against the function that it describes. */

#define FIRST_COLUMN "| number | of | flags |"
#define NOTHING "–"
#define N_COLUMNS 10

enum {
  NUMBER,
  OF,
  FLAGS,
  PROFILE,
  PROFILE_MAXIMUM,
  LEDGER,
  STATE,
  REMAINING,
  SOURCE,
  ANOTHER,
};

static int
parse_number (const char *cell)
{
  guint64 number;

  if (g_str_equal (cell, NOTHING))
    return TOKEND_RETRIES_UNKNOWN;
  g_assert_true (g_ascii_string_to_unsigned (cell, 10, 0, 255, &number, NULL));
  return (int) number;
}

static int
parse_nick (GType type, const char *nick)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (type);
  const GEnumValue *value = g_enum_get_value_by_nick (values, nick);

  g_assert_nonnull (value);
  return value->value;
}

static TokendCounterReading
parse_reading (GStrv cells)
{
  TokendCounterReading reading = { .initialized = TRUE,
                                   .count_low = g_str_equal (cells[FLAGS], "LOW"),
                                   .final_try = g_str_equal (cells[FLAGS], "FINAL"),
                                   .locked = g_str_equal (cells[FLAGS], "LOCKED"),
                                   .remaining = parse_number (cells[NUMBER]),
                                   .maximum = parse_number (cells[OF]) };

  g_assert_true (reading.count_low || reading.final_try || reading.locked
                 || g_str_equal (cells[FLAGS], NOTHING));
  return reading;
}

static TokendCounterRules
parse_rules (GStrv cells)
{
  const gboolean never_locks = g_str_equal (cells[PROFILE], "never-locks");
  const char *nick = never_locks ? "low-only" : cells[PROFILE];

  return (TokendCounterRules){
    .flags = (TokendFlagsMeaning) parse_nick (TOKEND_TYPE_FLAGS_MEANING, nick),
    .never_locks = never_locks,
    .maximum = parse_number (cells[PROFILE_MAXIMUM]),
  };
}

static TokendCounterRecord
parse_record (const char *cell)
{
  TokendCounterRecord record = { .locked = g_str_equal (cell, "locked"),
                                 .final_try = g_str_equal (cell, "final try") };

  if (g_str_has_suffix (cell, " spent")) {
    g_autofree char *number = g_strndup (cell, strcspn (cell, " "));
    record.spent = (guint) parse_number (number);
  }
  g_assert_true (record.locked || record.final_try || record.spent > 0
                 || g_str_equal (cell, NOTHING));
  return record;
}

static void
check_row (const char *line)
{
  g_auto (GStrv) cells = g_strsplit (line + 1, "|", -1);
  TokendCounterReading reading;
  TokendCounterRules rules;
  TokendCounterRecord record;
  TokendCounter counter;

  g_test_message ("%s", line);
  g_assert_cmpuint (g_strv_length (cells), ==, N_COLUMNS + 1);
  for (guint i = 0; i < N_COLUMNS; i++)
    g_strstrip (cells[i]);
  reading = parse_reading (cells);
  rules = parse_rules (cells);
  record = parse_record (cells[LEDGER]);
  counter = tokend_counter_evaluate (&reading, &rules, &record);

  g_assert_cmpint (counter.state, ==, parse_nick (TOKEND_TYPE_STATE, cells[STATE]));
  g_assert_cmpint (counter.remaining, ==, parse_number (cells[REMAINING]));
  g_assert_cmpint (counter.source, ==, parse_nick (TOKEND_TYPE_RETRIES_SOURCE, cells[SOURCE]));
  g_assert_cmpstr (counter.another_remains ? "yes" : "no", ==, cells[ANOTHER]);
}

static void
test_status_table (void)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "ARCHITECTURE.md", NULL);
  g_autofree char *page = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;
  guint i = 0, n_rows = 0;

  g_file_get_contents (path, &page, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (page, "\n", -1);
  while (lines[i] != NULL && !g_str_has_prefix (lines[i], FIRST_COLUMN))
    i++;
  g_assert_nonnull (lines[i]);
  /* Two lines are the table's head. */
  for (i += 2; g_str_has_prefix (lines[i], "|"); i++, n_rows++)
    check_row (lines[i]);
  g_assert_cmpuint (n_rows, >, 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/architecture/status-table", test_status_table);
  return g_test_run ();
}
