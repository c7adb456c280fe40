/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry.h"
#include "journal.h"
#include "loss-private.h"

#define NO TOKEND_RETRIES_UNKNOWN

typedef struct {
  const char *what;
  TokendState before;
  int before_remaining;
  TokendState now;
  int now_remaining;
  gboolean is_loss;
} Row;

static const Row rows[] = {
  { "number falls", TOKEND_STATE_OK, 3, TOKEND_STATE_LOW, 2, TRUE },
  { "number falls twice", TOKEND_STATE_OK, 3, TOKEND_STATE_FINAL_TRY, 1, TRUE },
  { "number falls, no maximum", TOKEND_STATE_OK, 10, TOKEND_STATE_OK, 9, TRUE },
  { "locked", TOKEND_STATE_FINAL_TRY, 1, TOKEND_STATE_LOCKED, 0, TRUE },
  { "number stays", TOKEND_STATE_LOW, 2, TOKEND_STATE_LOW, 2, FALSE },
  { "number rises", TOKEND_STATE_LOW, 2, TOKEND_STATE_OK, 3, FALSE },
  { "number stays, worse flags", TOKEND_STATE_OK, 3, TOKEND_STATE_LOW, 3, FALSE },

  { "flags fall", TOKEND_STATE_OK, NO, TOKEND_STATE_LOW, NO, TRUE },
  { "flags fall to the last", TOKEND_STATE_OK, NO, TOKEND_STATE_FINAL_TRY, 1, TRUE },
  { "flags fall to locked", TOKEND_STATE_LOW, NO, TOKEND_STATE_LOCKED, 0, TRUE },
  { "flags stay", TOKEND_STATE_LOW, NO, TOKEND_STATE_LOW, NO, FALSE },
  { "flags fall from the last", TOKEND_STATE_FINAL_TRY, NO, TOKEND_STATE_LOCKED, NO, TRUE },
  { "flags rise", TOKEND_STATE_LOCKED, 0, TOKEND_STATE_LOW, NO, FALSE },

  { "from nothing known", TOKEND_STATE_UNKNOWN, NO, TOKEND_STATE_LOCKED, 0, FALSE },
  { "to nothing known", TOKEND_STATE_OK, 3, TOKEND_STATE_UNKNOWN, NO, FALSE },
  { "not set yet", TOKEND_STATE_UNINITIALIZED, NO, TOKEND_STATE_OK, 3, FALSE },
};

static TokendCounter
make_counter (TokendState state, int remaining)
{
  return (TokendCounter){ .state = state, .remaining = remaining };
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  TokendCounter before = make_counter (row->before, row->before_remaining);
  TokendCounter now = make_counter (row->now, row->now_remaining);

  g_assert_cmpint (tokend_loss_is_seen (&before, &now), ==, row->is_loss);
}

static void
check_entry (TokendRole role, TokendState state, int remaining, GLogLevelFlags level,
             const char *wanted)
{
  TokendCounter now = make_counter (state, remaining);
  g_autofree char *entry =
      entry_print (tokend_loss_compose (role, &now, "0c7ad1", "Ayşe's token", "etoken"));

  g_assert_cmpstr (entry, ==, wanted);
  g_assert_cmpint (tokend_loss_get_level (&now), ==, level);
}

static void
test_entries (void)
{
  check_entry (TOKEND_ROLE_PIN, TOKEND_STATE_LOW, 2, G_LOG_LEVEL_MESSAGE,
               "MESSAGE=Another program has lost a PIN try of “Ayşe's token”: 2 tries left\n"
               "MESSAGE_ID=" TOKEND_MESSAGE_TRIES_LOST "\n"
               "TOKEND_LABEL=Ayşe's token\nTOKEND_MODULE=etoken\nTOKEND_RETRIES=2\n"
               "TOKEND_ROLE=PIN\nTOKEND_STATE=low\nTOKEND_TOKEN=0c7ad1");
  check_entry (TOKEND_ROLE_PUK, TOKEND_STATE_FINAL_TRY, 1, G_LOG_LEVEL_WARNING,
               "MESSAGE=Another program has lost a PUK try of “Ayşe's token”: 1 try left\n"
               "MESSAGE_ID=" TOKEND_MESSAGE_TRIES_LOST "\n"
               "TOKEND_LABEL=Ayşe's token\nTOKEND_MODULE=etoken\nTOKEND_RETRIES=1\n"
               "TOKEND_ROLE=PUK\nTOKEND_STATE=final-try\nTOKEND_TOKEN=0c7ad1");
  check_entry (TOKEND_ROLE_PIN, TOKEND_STATE_LOCKED, 0, G_LOG_LEVEL_WARNING,
               "MESSAGE=Another program has lost a PIN try of “Ayşe's token”: it is locked\n"
               "MESSAGE_ID=" TOKEND_MESSAGE_TRIES_LOST "\n"
               "TOKEND_LABEL=Ayşe's token\nTOKEND_MODULE=etoken\nTOKEND_RETRIES=0\n"
               "TOKEND_ROLE=PIN\nTOKEND_STATE=locked\nTOKEND_TOKEN=0c7ad1");
  check_entry (TOKEND_ROLE_PIN, TOKEND_STATE_LOW, NO, G_LOG_LEVEL_MESSAGE,
               "MESSAGE=Another program has lost a PIN try of “Ayşe's token”: how many are left is "
               "not known\n"
               "MESSAGE_ID=" TOKEND_MESSAGE_TRIES_LOST "\n"
               "TOKEND_LABEL=Ayşe's token\nTOKEND_MODULE=etoken\n"
               "TOKEND_ROLE=PIN\nTOKEND_STATE=low\nTOKEND_TOKEN=0c7ad1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/loss/%s", rows[i].what);
    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/loss/entries", test_entries);
  return g_test_run ();
}
