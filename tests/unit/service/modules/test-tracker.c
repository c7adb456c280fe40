/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tracker.h"
#include "targets.h"
#include "scratch.h"

#include "journal.h"

/* Of each kind, of one role, in the interval. */
#define TOLD_MAX 2
#define INTERVAL_US (500 * G_TIME_SPAN_MILLISECOND)

/*
 * What a token shows of its PIN, one reading after another: a number of three, with "*" and flags
 * that say it is locked; "-": the interval passes. What each reading has told of: "l" a loss, "c" a
 * inconsistency, "t" that too much is shown, "." nothing.
 */
static const struct {
  const char *name;
  const char *shown;
  const char *told;
} rows[] = {
  { "few", "3 2 1", ". l lt" },
  { "when-it-may-be-and-once", "3 2 1 0 0 - 0 0", ". l lt . . l ." },
  { "only-what-is-still-so", "3 2 3 2 3 2 3 - 3 3", ". l . lt . . . . ." },
  { "what-is-still-so", "3 2 3 2 3 2 - 2", ". l . lt . . l" },
  { "the-worst-at-once", "3 2 3 2 1 0 - 0", ". l . lt . . l" },
  { "contradiction", "3* 3* 2* 2* 1* 1* 1* - 1* 1*", ". c . ct . . . c ." },
};

/* Two modules show cards in readers, one after another: of each "a" or "b", which shows it, the
 * target, the reader or "-", and what it shows; each target and reader has what was remembered of
 * it by that module. */
static const struct {
  const char *name;
  const char *shown;
  const char *told;
} views[] = {
  { "serial-number", "a C - 3, b C - 3, a C - 2, b C - 2", ". . l ." },
  { "no-serial-number", "a C?1 R 3, b C?2 R 3, a C?1 R 2, b C?2 R 2, b C?2 R 1, a C?1 R 1",
    ". . l . l ." },
  { "two-readers", "a C?1 R 3, b C?2 S 3, a C?1 R 2, b C?2 S 2", ". . l l" },
  { "no-reader", "a C?1 - 3, b C?2 - 3, a C?1 - 2, b C?2 - 2", ". . l l" },
  { "next-card",
    "a C?1 R 3, b C?2 R 3, a C?1 R 1, b C?2 R 1, a C?3 R 3, b C?4 R 3, b C?4 R 2, a C?3 R 2",
    ". . l . . . l ." },
};

static GString *told; /* by the last reading */

static GLogWriterOutput
keep (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  for (gsize i = 0; i < n_fields; i++) {
    if (!g_str_equal (fields[i].key, "MESSAGE_ID"))
      continue;
    if (g_str_equal (fields[i].value, TOKEND_MESSAGE_TRIES_LOST))
      g_string_append_c (told, 'l');
    else if (g_str_equal (fields[i].value, TOKEND_MESSAGE_INCONSISTENT))
      g_string_append_c (told, 'c');
    else if (g_str_equal (fields[i].value, TOKEND_MESSAGE_TOO_MANY))
      g_string_append_c (told, 't');
    return G_LOG_WRITER_HANDLED;
  }
  return g_log_writer_default (level, fields, n_fields, user_data);
}

static TokendReading
make_reading (const char *shown)
{
  const int remaining = shown[0] - '0';
  const gboolean is_locked = remaining == 0 || shown[1] == '*';

  return (TokendReading){
    .counters = { [TOKEND_ROLE_PIN] = { .initialized = TRUE,
                                        .count_low = remaining < 3,
                                        .final_try = remaining == 1,
                                        .locked = is_locked,
                                        .remaining = remaining,
                                        .maximum = 3 },
                  [TOKEND_ROLE_PUK] = { .initialized = TRUE, .remaining = -1, .maximum = -1 } }
  };
}

/* @reader: "-": it is not known. */
static void
look (TokendTracker *tracker, TokendService *service, const char *module, const char *card,
      const char *reader, const char *shown, GString *all)
{
  TokendReading reading = make_reading (shown);
  g_autoptr (TokendTarget) target = target_of (card);
  const TokendSnapshot snapshot = {
    .target = target,
    .label = "CARD",
    .module = module,
    .reading = &reading,
    .rules = { { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 }, { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 } },
  };

  reading.reader = g_str_equal (reader, "-") ? NULL : (char *) reader;
  g_string_truncate (told, 0);
  tokend_tracker_update (tracker, service, &snapshot);
  g_string_append_printf (all, "%s%s", all->len > 0 ? " " : "", told->len > 0 ? told->str : ".");
}

static void
test_row (Scratch *scratch, gconstpointer data)
{
  const gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendRefused) refused = tokend_refused_new ();
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();
  g_autoptr (TokendRateLimit) limit = tokend_rate_limit_new (10 * TOLD_MAX, TOLD_MAX, INTERVAL_US);
  TokendService service = {
    .ledger = ledger, .refused = refused, .loss_log = losses, .snapshot_limit = limit
  };
  g_auto (GStrv) shown = g_strsplit (rows[row].shown, " ", -1);
  g_autoptr (GString) all = g_string_new (NULL);
  TokendTracker tracker = { 0 };

  tokend_tracker_reset (&tracker);
  for (guint i = 0; shown[i] != NULL; i++) {
    if (g_str_equal (shown[i], "-"))
      g_usleep (INTERVAL_US);
    else
      look (&tracker, &service, "a-module", "card", "-", shown[i], all);
  }
  g_assert_cmpstr (all->str, ==, rows[row].told);
}

/* Returns: (transfer none): what is remembered of @key. */
static TokendTracker *
ensure_tracker (GHashTable *trackers, const char *key)
{
  TokendTracker *tracker = g_hash_table_lookup (trackers, key);

  if (tracker != NULL)
    return tracker;
  tracker = g_new0 (TokendTracker, 1);
  tokend_tracker_reset (tracker);
  g_hash_table_insert (trackers, g_strdup (key), tracker);
  return tracker;
}

static void
test_views (Scratch *scratch, gconstpointer data)
{
  const gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendRefused) refused = tokend_refused_new ();
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();
  g_autoptr (TokendRateLimit) limit = tokend_rate_limit_new (100, 100, INTERVAL_US);
  TokendService service = {
    .ledger = ledger, .refused = refused, .loss_log = losses, .snapshot_limit = limit
  };
  g_autoptr (GHashTable) trackers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) shown = g_strsplit (views[row].shown, ", ", -1);
  g_autoptr (GString) all = g_string_new (NULL);

  for (guint i = 0; shown[i] != NULL; i++) {
    g_auto (GStrv) words = g_strsplit (shown[i], " ", 4);
    g_autofree char *key = g_strjoin (" ", words[0], words[1], words[2], NULL);

    look (ensure_tracker (trackers, key), &service, words[0], words[1], words[2], words[3], all);
  }
  g_assert_cmpstr (all->str, ==, views[row].told);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  told = g_string_new (NULL);
  g_log_set_writer_func (keep, NULL, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/tracker/%s", rows[i].name);

    g_test_add (path, Scratch, GSIZE_TO_POINTER (i), scratch_set_up, test_row, scratch_tear_down);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (views); i++) {
    g_autofree char *path = g_strdup_printf ("/tracker/views/%s", views[i].name);

    g_test_add (path, Scratch, GSIZE_TO_POINTER (i), scratch_set_up, test_views, scratch_tear_down);
  }
  return g_test_run ();
}
