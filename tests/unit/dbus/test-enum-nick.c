/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enum-nick.h"
#include "tokend-enums.h"
#include "tokend-status.h"

/* What is no nick to the letter is none, and changes nothing. */
static void
test_parse (void)
{
  static const struct {
    const char *nick;
    int value; /* -1: none */
  } rows[] = {
    { "ok", TOKEND_STATE_OK },
    { "final-try", TOKEND_STATE_FINAL_TRY },
    { "unknown", TOKEND_STATE_UNKNOWN },
    { "OK", -1 },
    { "Final-Try", -1 },
    { "final_try", -1 },
    { "final-tr", -1 },
    { "ok ", -1 },
    { "", -1 },
    { "TOKEND_STATE_OK", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    int state = -1;

    g_test_message ("%s", rows[i].nick);
    g_assert_cmpint (tokend_enum_parse (TOKEND_TYPE_STATE, rows[i].nick, &state), ==,
                     rows[i].value != -1);
    g_assert_cmpint (state, ==, rows[i].value);
  }
}

static void
test_get_nick (void)
{
  g_assert_cmpstr (tokend_enum_get_nick (TOKEND_TYPE_STATE, TOKEND_STATE_FINAL_TRY), ==,
                   "final-try");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/enum-nick/parse", test_parse);
  g_test_add_func ("/enum-nick/get-nick", test_get_nick);
  return g_test_run ();
}
