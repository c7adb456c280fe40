/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity.h"

#define S1 ((char *) "1")
#define S2 ((char *) "2")

static const struct {
  const char *what;
  TokendIdentity then, now;
  gboolean has_lapsed;
} rows[] = {
  { "active still",
    { .desktop = S1, .is_active = TRUE },
    { .desktop = S1, .is_active = TRUE },
    FALSE },
  { "not active any more", { .desktop = S1, .is_active = TRUE }, { .desktop = S1 }, TRUE },
  { "another session",
    { .desktop = S1, .is_active = TRUE },
    { .desktop = S2, .is_active = TRUE },
    TRUE },
  { "not known any more", { .desktop = S1, .is_active = TRUE }, { 0 }, TRUE },
  { "never active", { .desktop = S1 }, { .desktop = S1 }, FALSE },
  { "active only now", { .desktop = S1 }, { .desktop = S1, .is_active = TRUE }, FALSE },
  { "never known", { 0 }, { 0 }, FALSE },
  { "known only now", { 0 }, { .desktop = S1, .is_active = TRUE }, FALSE },
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity/lapsed", test_lapsed);
  return g_test_run ();
}
