/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the ledger records of a token, and what clears it. */
#include "journal-spy.h"
#include "ledger-sync.h"
#include "targets.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

static void
test_fresh (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  journal_spy_expect_nothing ();
}

static const struct {
  TokendTryResult try_result;
  guint spent;
  gboolean locked;
} try_results[] = {
  { TOKEND_TRY_NOT_SPENT, 0, FALSE }, { TOKEND_TRY_SPENT, 1, FALSE },
  { TOKEND_TRY_SUCCEEDED, 0, FALSE }, { TOKEND_TRY_ACCEPTED, 0, FALSE },
  { TOKEND_TRY_LOCKED, 0, TRUE },     { TOKEND_TRY_UNKNOWN, 1, FALSE },
};

static void
test_try_results (Scratch *scratch, gconstpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (try_results); i++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_autofree char *card = g_strdup_printf ("card-%" G_GSIZE_FORMAT, i);
      g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

      ledger_try (ledger, card, role, try_results[i].try_result);
      ledger_assert_record (ledger, card, role, try_results[i].spent, try_results[i].locked);
      ledger_assert_on_disk (scratch, card, role, try_results[i].spent, try_results[i].locked);
    }
}

static void
test_roles_and_cards_are_apart (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, OTHER_CARD, PUK, TOKEND_TRY_LOCKED);
  ledger_try (ledger, CARD, PIN, TOKEND_TRY_SUCCEEDED);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PUK, 0, TRUE);
}

/* A PUK that was accepted sets the PIN's counter back too; a PIN does nothing to the PUK's. */
static void
test_puk_success_clears_pin (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, CARD, PIN, TOKEND_TRY_LOCKED);
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, OTHER_CARD, PIN, TOKEND_TRY_SPENT);
  ledger_assert_record (ledger, CARD, PIN, 0, TRUE);
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PIN, 1, FALSE);
}

static const TokendCounterRules exact_3 = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };

static TokendCounterReading
make_reading (int left, gboolean by_number)
{
  return (TokendCounterReading){ TRUE,
                                 !by_number && left == 2,
                                 !by_number && left == 1,
                                 !by_number && left == 0,
                                 by_number ? left : TOKEND_RETRIES_UNKNOWN,
                                 by_number ? 3 : TOKEND_RETRIES_UNKNOWN };
}

static void
observe_by (TokendLedger *ledger, const char *card, TokendRole role, const char *module, int left,
            gboolean by_number)
{
  TokendCounterReading reading = make_reading (left, by_number);
  g_autoptr (TokendTarget) target = target_of (card);

  tokend_ledger_observe (ledger, target, role, module, &reading, &exact_3);
}

static void
observe (TokendLedger *ledger, TokendRole role, int left, gboolean by_number)
{
  observe_by (ledger, CARD, role, "module", left, by_number);
}

static void
test_pending_without_flags (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;

  {
    g_autoptr (TokendLedger) killed = tokend_ledger_new (scratch->path);
    g_assert_true (ledger_begin (killed, CARD, PUK, NULL));
  }
  ledger = tokend_ledger_new (scratch->path);
  observe (ledger, PUK, 3, FALSE);
  observe (ledger, PUK, 3, FALSE);
  ledger_flush (ledger);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 1, FALSE);
}

/* A module that only says it shows the token may be wrong, and must not clear what another one's
 * tries cost. */
static void
test_other_module (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;

  {
    g_autoptr (TokendLedger) before = tokend_ledger_new (scratch->path);
    g_assert_true (ledger_begin (before, CARD, PUK, NULL));
  }
  ledger = tokend_ledger_new (scratch->path);
  observe_by (ledger, CARD, PUK, "another", 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  observe (ledger, PUK, 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  ledger_flush (ledger);
}

/* Nor by sending a try itself; what is sent after all is settled is a new module's own. */
static void
test_another_module_sends (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_true (ledger_begin_by (ledger, CARD, PUK, "another", NULL));
  observe_by (ledger, CARD, PUK, "another", 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 2, FALSE);
  observe (ledger, PUK, 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);

  g_assert_true (ledger_begin_by (ledger, CARD, PUK, "another", NULL));
  observe (ledger, PUK, 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  observe_by (ledger, CARD, PUK, "another", 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  ledger_flush (ledger);
}

static void
test_own_number_settles (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_true (ledger_begin (ledger, CARD, PIN, NULL));
  observe (ledger, PUK, 3, TRUE);
  ledger_flush (ledger);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, 1, FALSE);
}

/* That the flags followed is remembered over a restart. */
static void
test_confirmation_is_durable (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;

  {
    g_autoptr (TokendLedger) first = tokend_ledger_new (scratch->path);
    ledger_try (first, CARD, PIN, TOKEND_TRY_SPENT);
    observe (first, PIN, 2, FALSE);
    ledger_flush (first);
  }
  ledger = tokend_ledger_new (scratch->path);
  ledger_assert_record (ledger, CARD, PIN, 1, FALSE);
  observe (ledger, PIN, 3, FALSE);
  ledger_flush (ledger);
  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
}

/* So is what only the host that tried was shown. */
static void
test_final_try_is_durable (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) target = target_of (CARD);
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
  tokend_ledger_note (ledger, target, PIN, TOKEND_STATE_FINAL_TRY);
  ledger_flush (ledger);
  next = tokend_ledger_new (scratch->path);
  g_assert_true (ledger_get (next, CARD, PIN).final_try);
  g_assert_false (ledger_get (next, CARD, PUK).final_try);
}

/* The host that was shown it ends after that: nobody can see it again. */
static void
test_flush (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) target = target_of (CARD);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
  tokend_ledger_note (ledger, target, PIN, TOKEND_STATE_FINAL_TRY);
  tokend_ledger_flush_async (ledger, ledger_keep_result, &result);
  ledger_wait_for (&result);
  tokend_ledger_flush_finish (ledger, result);
  next = tokend_ledger_new (scratch->path);
  g_assert_true (ledger_get (next, CARD, PIN).final_try);
}

static gboolean
is_told (const Scratch *scratch)
{
  g_autofree char *content = scratch_read (scratch, "ledger");

  return g_strstr_len (content, -1, "\npuk-told=1\n") != NULL;
}

/* That the journal was told of a try is remembered as long as that very try is pending. */
static void
test_pending_is_told_once (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
  next = tokend_ledger_new (scratch->path);
  g_assert_true (ledger_resolve (next, CARD, PUK, TOKEND_TRY_SPENT));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_false (is_told (scratch));
}

/* One that comes after it is another one, although as many are pending as before. */
static void
test_another_pending_is_told (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
  next = tokend_ledger_new (scratch->path);
  g_assert_true (ledger_resolve (next, CARD, PUK, TOKEND_TRY_NOT_SPENT));
  g_assert_true (ledger_begin (next, CARD, PUK, NULL));
  g_assert_false (is_told (scratch));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
}

static void
test_observing_a_stranger (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autofree char *path = scratch_path (scratch, "ledger");

  observe (ledger, PIN, 2, FALSE);
  observe (ledger, PIN, 2, TRUE);
  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* A failed write behind nobody's back: the journal says so. */
static void
test_observation_that_cannot_be_written (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *state = scratch_path (scratch, "state");
  g_autofree char *moved = scratch_path (scratch, "moved");
  g_autoptr (TokendLedger) ledger = NULL;

  g_assert_cmpint (g_mkdir (state, 0700), ==, 0);
  ledger = tokend_ledger_new (state);
  ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
  g_assert_cmpint (g_rename (state, moved), ==, 0);
  observe (ledger, PIN, 3, TRUE);
  g_assert_false (ledger_begin (ledger, CARD, PUK, NULL));
  journal_spy_expect ("could not be written");
}

/* Of two labels of a card: A's tries are PIN and PUK tries at A; then something comes of a try, or
 * is seen, at B. */
static const struct {
  const char *what;
  const char *a;
  const char *b;
  TokendRole role; /* at B */
  TokendTryResult try_result;
  guint pin_at_a, pin_at_b, puk_at_a, puk_at_b;
} labels[] = {
  { "a wrong PIN is its label's", "c/a", "c/b", PIN, TOKEND_TRY_SPENT, 2, 1, 1, 1 },
  { "a right PIN says nothing of another", "c/a", "c/b", PIN, TOKEND_TRY_SUCCEEDED, 2, 0, 1, 1 },
  { "an accepted PIN, likewise", "c/a", "c/b", PIN, TOKEND_TRY_ACCEPTED, 2, 0, 1, 1 },
  { "a PUK may be the card's: it counts", "c/a", "c/b", PUK, TOKEND_TRY_SPENT, 2, 0, 2, 2 },
  { "… and may be the label's: it clears nothing of another", "c/a", "c/b", PUK,
    TOKEND_TRY_SUCCEEDED, 2, 0, 1, 0 },
  { "an accepted PUK, likewise", "c/a", "c/b", PUK, TOKEND_TRY_ACCEPTED, 2, 0, 1, 0 },
  { "a PUK that was not sent", "c/a", "c/b", PUK, TOKEND_TRY_NOT_SPENT, 2, 0, 1, 1 },
  { "a shared PIN", "c=a", "c=b", PIN, TOKEND_TRY_SPENT, 3, 3, 1, 1 },
  { "a shared PIN that is right", "c=a", "c=b", PIN, TOKEND_TRY_SUCCEEDED, 0, 0, 1, 1 },
  { "a shared PUK", "c=a", "c=b", PUK, TOKEND_TRY_SPENT, 2, 2, 2, 2 },
  { "a shared PUK that is right", "c=a", "c=b", PUK, TOKEND_TRY_SUCCEEDED, 0, 0, 0, 0 },
  { "the PUK of a shared PIN that is accepted", "c=a", "c=b", PUK, TOKEND_TRY_ACCEPTED, 2, 2, 0,
    0 },
  { "another card", "c=a", "d=a", PUK, TOKEND_TRY_SUCCEEDED, 2, 0, 1, 0 },
  { "a card whose name begins alike", "c=a", "ca=a", PUK, TOKEND_TRY_SUCCEEDED, 2, 0, 1, 0 },

  /* What a profile says now holds for what was recorded before it said so. */
  { "slots that turn out to share", "c/a", "c=b", PIN, TOKEND_TRY_SPENT, 2, 3, 1, 1 },
  { "slots that turn out not to share", "c=a", "c/b", PIN, TOKEND_TRY_SPENT, 3, 1, 1, 1 },
};

static void
assert_labels (TokendLedger *ledger, gsize i)
{
  ledger_assert_record (ledger, labels[i].a, PIN, labels[i].pin_at_a, FALSE);
  ledger_assert_record (ledger, labels[i].b, PIN, labels[i].pin_at_b, FALSE);
  ledger_assert_record (ledger, labels[i].a, PUK, labels[i].puk_at_a, FALSE);
  ledger_assert_record (ledger, labels[i].b, PUK, labels[i].puk_at_b, FALSE);
}

static void
test_labels (Scratch *scratch, gconstpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autoptr (TokendLedger) ledger = NULL;
    g_autoptr (TokendLedger) next = NULL;

    g_test_message ("%s", labels[i].what);
    ledger_remove (scratch);
    ledger = tokend_ledger_new (scratch->path);
    ledger_try (ledger, labels[i].a, PIN, TOKEND_TRY_SPENT);
    ledger_try (ledger, labels[i].a, PIN, TOKEND_TRY_SPENT);
    ledger_try (ledger, labels[i].a, PUK, TOKEND_TRY_SPENT);
    ledger_try (ledger, labels[i].b, labels[i].role, labels[i].try_result);
    assert_labels (ledger, i);
    next = tokend_ledger_new (scratch->path);
    assert_labels (next, i);
  }
}

/* The token's own number is that of all labels which share it, and of no other. */
static void
test_number_of_labels (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "c/a", PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c/b", PIN, TOKEND_TRY_SPENT);
  observe_by (ledger, "c/b", PIN, "module", 3, TRUE);
  ledger_assert_record (ledger, "c/a", PIN, 1, FALSE);
  ledger_assert_record (ledger, "c/b", PIN, 0, FALSE);

  ledger_try (ledger, "c=b", PIN, TOKEND_TRY_SPENT);
  ledger_assert_record (ledger, "c=a", PIN, 2, FALSE);
  observe_by (ledger, "c=a", PIN, "module", 2, TRUE);
  ledger_assert_record (ledger, "c=a", PIN, 1, FALSE);
  ledger_assert_record (ledger, "c=b", PIN, 1, FALSE);
  observe_by (ledger, "c=c", PIN, "module", 3, TRUE);
  ledger_assert_record (ledger, "c=a", PIN, 0, FALSE);
  ledger_flush (ledger);
}

/* Nor do flags of a label that shares nothing settle a PUK which may be the card's. */
static void
test_puk_number_of_labels (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "c/a", PUK, TOKEND_TRY_SPENT);
  observe_by (ledger, "c/b", PUK, "module", 3, TRUE);
  ledger_assert_record (ledger, "c/b", PUK, 1, FALSE);
  observe_by (ledger, "c/a", PUK, "module", 3, TRUE);
  ledger_assert_record (ledger, "c/b", PUK, 0, FALSE);
  ledger_flush (ledger);
}

/* A right PUK says of its own label that nothing is spent, until another one is tried. */
static void
test_right_puk_of_labels (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "c/a", PUK, TOKEND_TRY_LOCKED);
  ledger_assert_record (ledger, "c/b", PUK, 0, TRUE);
  ledger_try (ledger, "c/b", PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_on_disk (scratch, "c/a", PUK, 0, TRUE);
  ledger_assert_on_disk (scratch, "c/b", PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, "c/c", PUK, 0, TRUE);
  ledger_try (ledger, "c/c", PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_on_disk (scratch, "c/b", PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, "c/c", PUK, 0, FALSE);

  ledger_try (ledger, "c/b", PUK, TOKEND_TRY_SPENT);
  ledger_assert_record (ledger, "c/b", PUK, 1, FALSE);
  ledger_assert_record (ledger, "c/c", PUK, 1, FALSE);
  g_assert_true (ledger_begin (ledger, "c/a", PUK, NULL));
  ledger_assert_on_disk (scratch, "c/b", PUK, 2, TRUE);
}

/* What a token's own number says counts for all labels that share it, whatever was right before
 * they were known to. */
static void
test_right_puk_then_shared (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "c/a", PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c/b", PUK, TOKEND_TRY_SUCCEEDED);
  observe_by (ledger, "c=a", PUK, "module", 1, TRUE);
  ledger_assert_record (ledger, "c=a", PUK, 2, FALSE);
  ledger_assert_record (ledger, "c=b", PUK, 2, FALSE);
  ledger_flush (ledger);
}

/* Flags that have followed the tries by all labels settle them all; they stay where they were sent
 * until then. */
static void
test_confirmation_of_labels (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "c=a", PIN, TOKEND_TRY_SPENT);
  observe_by (ledger, "c=b", PIN, "module", 2, FALSE);
  ledger_try (ledger, "c=b", PIN, TOKEND_TRY_SPENT);
  observe_by (ledger, "c=a", PIN, "module", 2, FALSE); /* not seen to follow the second one */
  ledger_assert_record (ledger, "c=a", PIN, 2, FALSE);
  observe_by (ledger, "c=a", PIN, "module", 1, FALSE);
  ledger_assert_record (ledger, "c/a", PIN, 1, FALSE);
  ledger_assert_record (ledger, "c/b", PIN, 1, FALSE);
  observe_by (ledger, "c=b", PIN, "module", 3, FALSE);
  ledger_assert_record (ledger, "c=a", PIN, 0, FALSE);
  ledger_flush (ledger);
}

/* The module that sent the first of the tries settles all, also those that another one sent by
 * another label. */
static void
test_modules_of_labels (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "c=a", PIN, TOKEND_TRY_SPENT);
  g_assert_true (ledger_begin_by (ledger, "c=b", PIN, "another", NULL));
  observe_by (ledger, "c=b", PIN, "another", 3, TRUE);
  ledger_assert_record (ledger, "c=b", PIN, 2, FALSE);
  observe_by (ledger, "c=b", PIN, "module", 3, TRUE);
  ledger_assert_record (ledger, "c=b", PIN, 0, FALSE);
  ledger_flush (ledger);
}

/* Where each write comes by. */
static struct {
  GMutex mutex;
  GCond has_come;
  gboolean is_slow; /* the next one stays for a while */
  guint n_here, n_most;
} disk;

/* Stands before libc's. */
int
fsync (int fd)
{
  const gint64 end = g_get_monotonic_time () + G_TIME_SPAN_SECOND / 5;

  g_mutex_lock (&disk.mutex);
  disk.n_here++;
  disk.n_most = MAX (disk.n_most, disk.n_here);
  g_cond_broadcast (&disk.has_come);
  while (disk.is_slow && disk.n_here < 2 && g_cond_wait_until (&disk.has_come, &disk.mutex, end))
    ;
  disk.is_slow = FALSE;
  disk.n_here--;
  g_mutex_unlock (&disk.mutex);
  return fdatasync (fd);
}

/* A write does not overtake another, however long that takes: the last one has all. */
static void
test_one_write_at_a_time (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) target = target_of (CARD);
  GAsyncResult *results[TOKEND_N_ROLES] = { NULL };

  disk.is_slow = TRUE;
  disk.n_most = 0;
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    tokend_ledger_begin_async (ledger, target, role, "module", ledger_keep_result, &results[role]);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    ledger_wait_for (&results[role]);
    g_assert_true (tokend_ledger_begin_finish (ledger, results[role], NULL));
    g_object_unref (results[role]);
  }
  g_assert_cmpuint (disk.n_most, ==, 1);
  ledger_assert_on_disk (scratch, CARD, PIN, 1, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 1, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  scratch_add_test ("/ledger/fresh", test_fresh);
  scratch_add_test ("/ledger/pending/without-flags", test_pending_without_flags);
  scratch_add_test ("/ledger/try_results", test_try_results);
  scratch_add_test ("/ledger/apart", test_roles_and_cards_are_apart);
  scratch_add_test ("/ledger/puk-success-clears-pin", test_puk_success_clears_pin);
  scratch_add_test ("/ledger/observe/other-module", test_other_module);
  scratch_add_test ("/ledger/observe/another-module-sends", test_another_module_sends);
  scratch_add_test ("/ledger/observe/own-number", test_own_number_settles);
  scratch_add_test ("/ledger/observe/confirmation-is-durable", test_confirmation_is_durable);
  scratch_add_test ("/ledger/observe/final-try-is-durable", test_final_try_is_durable);
  scratch_add_test ("/ledger/observe/flush", test_flush);
  scratch_add_test ("/ledger/one-write-at-a-time", test_one_write_at_a_time);
  scratch_add_test ("/ledger/pending/told-once", test_pending_is_told_once);
  scratch_add_test ("/ledger/pending/another-is-told", test_another_pending_is_told);
  scratch_add_test ("/ledger/observe/stranger", test_observing_a_stranger);
  scratch_add_test ("/ledger/observe/cannot-be-written", test_observation_that_cannot_be_written);
  scratch_add_test ("/ledger/labels", test_labels);
  scratch_add_test ("/ledger/labels/number", test_number_of_labels);
  scratch_add_test ("/ledger/labels/puk-number", test_puk_number_of_labels);
  scratch_add_test ("/ledger/labels/right-puk", test_right_puk_of_labels);
  scratch_add_test ("/ledger/labels/right-puk-then-shared", test_right_puk_then_shared);
  scratch_add_test ("/ledger/labels/confirmation", test_confirmation_of_labels);
  scratch_add_test ("/ledger/labels/modules", test_modules_of_labels);
  return g_test_run ();
}
