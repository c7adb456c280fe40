/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "promotion-private.h"

/* One step a character: a digit is a poll that shows so many tokens, of which pcscd tells, "x" one
 * that shows a token of which it does not; "a", "b", "c": the readers end with 0, 1 or 2 tokens
 * told; "-" a good while. Below each step: "+" if a promotion is due after it, and begins. */
static const struct {
  const char *name;
  const char *happens;
  const char *due;
} rows[] = {
  { "no-token", "00", "  " },
  { "token", "1", "+" },
  { "tokens", "2", "+" },
  { "not-watchable", "xx", "  " },
  { "watchable-later", "x1", " +" },
  { "not-before-a-poll", "1b", "+ " },
  { "pulled-out", "1a0-1", "+   +" },
  { "pulled-out-and-put-in-at-once", "1a01-1", "+    +" },
  { "one-of-two-pulled-out", "2b-1", "+  +" },
  { "contradicted", "1a-1-1", "+     " },
  { "contradicted-until-it-is-pulled-out", "1a-101", "+    +" },
  { "contradicted-by-one-of-two", "2b-2-1", "+     " },
  { "more-put-in-later", "1b-12", "+  + " },
  { "not-watchable-any-more", "1b-x-1", "+    +" },
};

static void
test_row (gconstpointer data)
{
  const gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (GString) due = g_string_new (NULL);
  TokendPromotion promotion = { 0 };
  gint64 now = 1;

  for (const char *what = rows[row].happens; *what != '\0'; what++) {
    if (*what == '-')
      now += TOKEND_PROMOTION_INTERVAL;
    else if (*what == 'x')
      tokend_promotion_take_poll (&promotion, 1, FALSE);
    else if (g_ascii_isdigit (*what))
      tokend_promotion_take_poll (&promotion, (guint) (*what - '0'), TRUE);
    else
      tokend_promotion_end (&promotion, (guint) (*what - 'a'));
    /* Polls are what it is asked after. */
    if ((g_ascii_isdigit (*what) || *what == 'x') && tokend_promotion_is_due (&promotion, now)) {
      tokend_promotion_begin (&promotion, now);
      g_assert_false (tokend_promotion_is_due (&promotion, G_MAXINT64));
      g_string_append_c (due, '+');
    } else {
      g_string_append_c (due, ' ');
    }
  }
  g_assert_cmpstr (due->str, ==, rows[row].due);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strconcat ("/promotion/", rows[i].name, NULL);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_row);
  }
  return g_test_run ();
}
