/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity.h"

#define S1 ((char *) "1")
#define S2 ((char *) "2")

#define ACTIVE TOKEND_PRESENCE_ACTIVE
#define NONE TOKEND_PRESENCE_NONE
#define UNKNOWN TOKEND_PRESENCE_UNKNOWN

static const struct {
  const char *what;
  TokendIdentity then, now;
  gboolean has_lapsed;
} rows[] = {
  { "active still", { .desktop = S1, .presence = ACTIVE }, { .desktop = S1, .presence = ACTIVE } },
  { "not active any more",
    { .desktop = S1, .presence = ACTIVE },
    { .desktop = S1, .presence = NONE },
    TRUE },
  { "another session",
    { .desktop = S1, .presence = ACTIVE },
    { .desktop = S2, .presence = ACTIVE },
    TRUE },
  { "not known any more", { .desktop = S1, .presence = ACTIVE }, { 0 }, TRUE },
  { "never active", { .desktop = S1, .presence = NONE }, { .desktop = S1, .presence = NONE } },
  { "active only now", { .desktop = S1, .presence = NONE }, { .desktop = S1, .presence = ACTIVE } },
  { "in no session", { .presence = NONE }, { .presence = NONE } },
  { "in no session, as far as was known", { .presence = NONE }, { 0 } },
  { "never known", { 0 }, { 0 }, TRUE },
  { "known only now, and active", { 0 }, { .desktop = S1, .presence = ACTIVE } },
  { "known only now, and not active", { 0 }, { .desktop = S1, .presence = NONE }, TRUE },
};

static void
test_lapsed (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("%s", rows[i].what);
    g_assert_cmpint (tokend_identity_has_lapsed (&rows[i].then, &rows[i].now), ==,
                     rows[i].has_lapsed);
  }
}

static const struct {
  TokendPresence at_call, after_prompt, counts;
} looks[] = {
  { ACTIVE, ACTIVE, ACTIVE },  { ACTIVE, NONE, ACTIVE },   { ACTIVE, UNKNOWN, ACTIVE },
  { NONE, ACTIVE, ACTIVE },    { NONE, NONE, NONE },       { NONE, UNKNOWN, UNKNOWN },
  { UNKNOWN, ACTIVE, ACTIVE }, { UNKNOWN, NONE, UNKNOWN }, { UNKNOWN, UNKNOWN, UNKNOWN },
};

static void
test_looked_again (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++) {
    TokendIdentity self = { .desktop = g_strdup (S1), .presence = looks[i].at_call };
    const TokendIdentity later = { .desktop = S2, .presence = looks[i].after_prompt };

    g_test_message ("%d, then %d", (int) looks[i].at_call, (int) looks[i].after_prompt);
    tokend_identity_look_again (&self, &later);
    g_assert_cmpint (self.presence, ==, looks[i].counts);
    if (looks[i].counts == ACTIVE)
      g_assert_cmpstr (self.desktop, ==, looks[i].at_call == ACTIVE ? S1 : S2);
    tokend_identity_clear (&self);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity/lapsed", test_lapsed);
  g_test_add_func ("/identity/looked-again", test_looked_again);
  return g_test_run ();
}
