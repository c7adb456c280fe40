/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The disk fails any step of writing the ledger, and the service is killed at any later one. What
 * the next start reads is held against the token's own count. */
#include "disk.h"
#include "journal-spy.h"
#include "ledger-sync.h"
#include "sealed-file-private.h"

#include <errno.h>
#include <sys/mman.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

/* A write of the ledger has fewer steps. */
#define STEPS_OF_A_WRITE 10

/* A token, which counts what is sent to it. */
typedef struct {
  guint begun[TOKEND_N_ROLES]; /* no more than these can be recorded */
  guint spent[TOKEND_N_ROLES];
  gboolean locked[TOKEND_N_ROLES];
} Token;

/* Shared with the process that is killed. */
typedef struct {
  char folder[256];
  Token card, other_card;
  gboolean was_met;    /* the step that was to fail has come */
  gboolean is_settled; /* the last outcome is on the disk */
} Scene;

static void
send_code (Token *token, TokendRole role, TokendTryResult try_result)
{
  if (try_result == TOKEND_TRY_SPENT || try_result == TOKEND_TRY_LOCKED)
    token->spent[role]++;
  if (try_result == TOKEND_TRY_LOCKED)
    token->locked[role] = TRUE;
  if (try_result != TOKEND_TRY_SUCCEEDED)
    return;
  token->spent[role] = token->spent[PIN] = 0;
  token->locked[role] = token->locked[PIN] = FALSE;
}

/* As an operation does: no code is sent whose try is not recorded. */
static void
operate (Scene *scene, TokendLedger *ledger, const char *card, TokendRole role,
         TokendTryResult try_result)
{
  Token *token = g_str_equal (card, CARD) ? &scene->card : &scene->other_card;

  token->begun[role]++;
  if (ledger_begin (ledger, card, role, NULL))
    send_code (token, role, try_result);
  else
    try_result = TOKEND_TRY_NOT_SPENT;
  scene->is_settled = ledger_resolve (ledger, card, role, try_result);
}

/* Records that grow, and one that is far shorter than those before it. */
static void
serve (gpointer data)
{
  Scene *scene = data;
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scene->folder);

  operate (scene, ledger, CARD, PIN, TOKEND_TRY_SPENT);
  operate (scene, ledger, OTHER_CARD, PUK, TOKEND_TRY_LOCKED);
  operate (scene, ledger, OTHER_CARD, PUK, TOKEND_TRY_SUCCEEDED);
  scene->was_met = disk_was_met ();
}

static void
compare (TokendLedger *ledger, const char *card, const Token *token, gboolean is_exact)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    const TokendCounterRecord record = ledger_get (ledger, card, role);

    g_assert_false (record.lost);
    g_assert_cmpuint (record.spent + record.locked, >=, token->spent[role]);
    g_assert_cmpuint (record.spent, <=, is_exact ? token->spent[role] : token->begun[role]);
    g_assert_true (!record.locked || !is_exact || token->locked[role]);
    g_assert_true (record.locked || !token->locked[role] || !is_exact);
  }
}

/* And it goes on from there: what a write left that failed has no part in the next. */
static void
check_next_start (const Scratch *scratch, const Scene *scene, gboolean is_exact)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  journal_spy_expect_nothing ();
  compare (ledger, CARD, &scene->card, is_exact);
  compare (ledger, OTHER_CARD, &scene->other_card, is_exact);
}

/* failing, death: see disk_kills(). Returns: whether the process was killed. */
static gboolean
play (Scratch *scratch, Scene *scene, guint failing, guint death)
{
  gboolean is_killed;

  *scene = (Scene){ 0 };
  g_strlcpy (scene->folder, scratch->path, sizeof scene->folder);
  ledger_remove (scratch);
  is_killed = disk_kills (failing, EIO, death, serve, scene);
  g_test_message ("step %u fails, killed at %u", failing, death);
  check_next_start (scratch, scene, !is_killed && scene->is_settled);
  return is_killed;
}

static Scene *
make_scene (void)
{
  Scene *scene =
      mmap (NULL, sizeof *scene, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  g_assert_true (scene != MAP_FAILED);
  return scene;
}

static void
test_killed (Scratch *scratch, gconstpointer user_data)
{
  Scene *scene = make_scene ();
  guint step = 1;

  while (play (scratch, scene, 0, step) && !g_test_failed ())
    step++;
  g_assert_cmpuint (step, >, 40);
  munmap (scene, sizeof *scene);
}

/* It is killed at a later step of the same write, or of the next one; or not at all. */
static void
test_failed_and_killed (Scratch *scratch, gconstpointer user_data)
{
  Scene *scene = make_scene ();
  guint step = 0;

  do {
    step++;
    for (guint later = 1; later <= 2 * STEPS_OF_A_WRITE && !g_test_failed (); later++)
      play (scratch, scene, step, step + later);
    g_assert_false (play (scratch, scene, step, 0));
  } while (scene->was_met && !g_test_failed ());
  g_assert_cmpuint (step, >, 40);
  munmap (scene, sizeof *scene);
}

static gboolean
write_generation (const Scratch *scratch, int generation)
{
  g_autofree char *path = scratch_path (scratch, "ledger");
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;

  g_key_file_set_integer (file, "test", "generation", generation);
  text = tokend_sealed_file_to_text (file);
  return tokend_sealed_file_write (path, text, NULL, NULL);
}

static int
read_generation (const Scratch *scratch, const char *name)
{
  g_autofree char *path = scratch_path (scratch, name);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;

  tokend_sealed_file_read (path, file, &error);
  g_assert_no_error (error);
  return g_key_file_get_integer (file, "test", "generation", NULL);
}

static void
write_third (gpointer scratch)
{
  write_generation (scratch, 3);
}

/* Whatever becomes of a write, the generation before what is in place is there, or the one before
 * that. */
static void
check_generations (const Scratch *scratch)
{
  const int now = read_generation (scratch, "ledger");
  const int previous = read_generation (scratch, "ledger.previous");

  g_assert_true (now == 2 || now == 3);
  g_assert_true (previous == 1 || previous == 2);
}

static void
test_previous (Scratch *scratch, gconstpointer user_data)
{
  gboolean is_killed;
  guint step = 1;

  do {
    g_test_message ("step %u", step);
    g_assert_true (write_generation (scratch, 1) && write_generation (scratch, 2));
    g_assert_cmpint (read_generation (scratch, "ledger.previous"), ==, 1);
    g_assert_false (disk_kills (step, EIO, 0, write_third, scratch));
    check_generations (scratch);
    g_assert_true (write_generation (scratch, 1) && write_generation (scratch, 2));
    is_killed = disk_kills (0, 0, step++, write_third, scratch);
    check_generations (scratch);
  } while (is_killed && !g_test_failed ());
  g_assert_cmpint (read_generation (scratch, "ledger"), ==, 3);
  g_assert_cmpint (read_generation (scratch, "ledger.previous"), ==, 2);
  g_assert_cmpuint (step, >, 8);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  scratch_add_test ("/ledger-disk/killed", test_killed);
  scratch_add_test ("/ledger-disk/previous", test_previous);
  scratch_add_test ("/ledger-disk/failed-and-killed", test_failed_and_killed);
  return g_test_run ();
}
