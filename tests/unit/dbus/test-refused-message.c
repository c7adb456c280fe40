/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused-message.h"

#define SECOND G_GINT64_CONSTANT (1767225599)

/* What the service says, as a client gets it: with the name of the error before it, or without. */
static void
test_round_trip (void)
{
  static const char *const codes[] = { "PIN", "PUK" };
  static const char *const heads[] = { "",
                                       "GDBus.Error:org.tokend.Tokend1.Error.AlreadyRefused: " };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autofree char *message =
        tokend_refused_message_new (codes[i], SECOND * G_USEC_PER_SEC + G_USEC_PER_SEC - 1);
    g_autofree char *expected = g_strdup_printf (
        "This token has refused this very %s before, on 2025-12-31T23:59:59Z; nothing was sent",
        codes[i]);

    g_assert_cmpstr (message, ==, expected);
    for (gsize j = 0; j < G_N_ELEMENTS (heads); j++) {
      g_autofree char *received = g_strconcat (heads[j], message, NULL);
      g_autoptr (GDateTime) moment = tokend_refused_message_get_time (received);

      g_assert_nonnull (moment);
      g_assert_cmpint (g_date_time_to_unix (moment), ==, SECOND);
    }
  }
}

/* Of another service, or an older one. */
static void
test_no_time (void)
{
  static const char *const messages[] = {
    "",
    "This token has refused this very PIN before; nothing was sent",
    "This token has refused this very PIN before, on",
    "This token has refused this very PIN before, on ",
    "This token has refused this very PIN before, on a day that is not known; nothing was sent",
    "This token has refused this very PIN before, on 2025-13-31T23:59:59Z; nothing was sent",
    "This token has refused this very PIN before, on 2025-12-31T23:59:5",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (messages); i++) {
    g_test_message ("%s", messages[i]);
    g_assert_null (tokend_refused_message_get_time (messages[i]));
  }
}

/* What no calendar has is said to be not known. */
static void
test_far_away (void)
{
  g_autofree char *message = tokend_refused_message_new ("PIN", G_MAXINT64);

  g_assert_nonnull (strstr (message, "; nothing was sent"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refused-message/round-trip", test_round_trip);
  g_test_add_func ("/refused-message/no-time", test_no_time);
  g_test_add_func ("/refused-message/far-away", test_far_away);
  return g_test_run ();
}
