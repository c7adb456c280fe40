/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "validity.h"

#include <locale.h>

static void
test_words (void)
{
  static const struct {
    const char *now;
    const char *not_after;
    gboolean ended;
    gint days;
    TokenctlEmphasis emphasis;
    const char *words;
  } rows[] = {
    { "2026-02-01T15:00:00", "2036-03-03T14:05:00", FALSE, 3683, TOKENCTL_EMPHASIS_NONE,
      "The certificate is valid until 3 March 2036." },
    { "2027-01-31T23:59:00", "2027-03-03T00:00:00", FALSE, 31, TOKENCTL_EMPHASIS_NONE,
      "The certificate is valid until 3 March 2027." },
    { "2027-02-01T00:00:00", "2027-03-03T23:59:00", FALSE, 30, TOKENCTL_EMPHASIS_LOW,
      "The certificate is valid until 3 March 2027, 23:59 (30 days). Renew it before then." },
    { "2027-02-01T23:59:00", "2027-03-03T00:00:00", FALSE, 30, TOKENCTL_EMPHASIS_LOW,
      "The certificate is valid until 3 March 2027, 00:00 (30 days). Renew it before then." },
    { "2027-03-01T15:00:00", "2027-03-03T14:05:00", FALSE, 2, TOKENCTL_EMPHASIS_LOW,
      "The certificate is valid until 3 March 2027, 14:05 (2 days). Renew it before then." },
    { "2027-03-02T23:59:00", "2027-03-03T00:00:00", FALSE, 1, TOKENCTL_EMPHASIS_LOW,
      "The certificate ends tomorrow: 3 March 2027, 00:00. Renew it before then." },
    { "2027-03-03T00:00:00", "2027-03-03T14:05:00", FALSE, 0, TOKENCTL_EMPHASIS_LOW,
      "The certificate ends today: 3 March 2027, 14:05. Renew it before then." },
    { "2027-03-03T14:05:00", "2027-03-03T14:05:00", FALSE, 0, TOKENCTL_EMPHASIS_LOW,
      "The certificate ends today: 3 March 2027, 14:05. Renew it before then." },
    { "2027-03-03T14:06:00", "2027-03-03T14:05:00", TRUE, 0, TOKENCTL_EMPHASIS_LOCKED,
      "The certificate ended on 3 March 2027. A new one is needed." },
    { "2028-03-03T14:06:00", "2027-03-03T14:05:00", TRUE, -366, TOKENCTL_EMPHASIS_LOCKED,
      "The certificate ended on 3 March 2027. A new one is needed." },
  };
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GDateTime) now = g_date_time_new_from_iso8601 (rows[i].now, zone);
    g_autoptr (GDateTime) not_after = g_date_time_new_from_iso8601 (rows[i].not_after, zone);
    TokenctlValidity validity = tokenctl_validity (not_after, now);
    g_autofree char *words = tokenctl_words_for_validity (not_after, now);

    g_assert_cmpint (validity.ended, ==, rows[i].ended);
    g_assert_cmpint (validity.days, ==, rows[i].days);
    g_assert_cmpint (tokenctl_emphasis_of_validity (&validity), ==, rows[i].emphasis);
    g_assert_cmpstr (words, ==, rows[i].words);
  }
}

/* From any program on the bus: an end that is no date is none. */
static void
test_status (void)
{
  static const struct {
    const char *status;
    gint64 not_after; /* or 0 */
  } rows[] = {
    { "{}", 0 },
    { "{'certificate-not-after': <uint64 1900000000000000>}", 1900000000 },
    { "{'certificate-not-after': <uint64 253402214399999999>}", 253402214399 },
    { "{'certificate-not-after': <uint64 253402214400000000>}", 0 },
    { "{'certificate-not-after': <uint64 18446744073709551615>}", 0 },
    { "{'certificate-not-after': <'soon'>}", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status =
        g_variant_parse (G_VARIANT_TYPE_VARDICT, rows[i].status, NULL, NULL, NULL);
    g_autoptr (GDateTime) not_after = tokenctl_status_not_after (status);

    g_test_message ("%s", rows[i].status);
    g_assert_cmpint (not_after != NULL ? g_date_time_to_unix (not_after) : 0, ==,
                     rows[i].not_after);
  }
}

int
main (int argc, char **argv)
{
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  setlocale (LC_ALL, "");
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/validity/words", test_words);
  g_test_add_func ("/validity/status", test_status);
  return g_test_run ();
}
