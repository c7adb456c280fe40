/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expiry.h"

#define FAR TOKEND_NOTIFY_STAGE_FAR
#define MONTH TOKEND_NOTIFY_STAGE_MONTH
#define WEEK TOKEND_NOTIFY_STAGE_WEEK
#define DAY TOKEND_NOTIFY_STAGE_DAY
#define ENDED TOKEND_NOTIFY_STAGE_ENDED

#define END "2027-03-31T14:05:09"

static GDateTime *
parse (const char *text, const char *zone_name)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier (zone_name);

  return g_date_time_new_from_iso8601 (text, zone);
}

/* How near the end is, and when that changes by itself. */
static void
test_stages (void)
{
  static const struct {
    const char *now;
    TokendNotifyStage stage;
    const char *next; /* or NULL */
  } rows[] = {
    { "1970-01-01T00:00:00", FAR, "2027-03-01T00:00:00" },
    { "2027-02-28T23:59:59", FAR, "2027-03-01T00:00:00" },
    { "2027-03-01T00:00:00", MONTH, "2027-03-24T00:00:00" },
    { "2027-03-23T23:59:59", MONTH, "2027-03-24T00:00:00" },
    { "2027-03-24T00:00:00", WEEK, "2027-03-30T00:00:00" },
    { "2027-03-26T12:00:00", WEEK, "2027-03-30T00:00:00" },
    { "2027-03-30T00:00:00", DAY, "2027-03-31T14:05:10" },
    { "2027-03-31T14:05:09", DAY, "2027-03-31T14:05:10" },
    { "2027-03-31T14:05:10", ENDED, NULL },
    { "2038-01-01T00:00:00", ENDED, NULL },
  };
  /* With a day of 23 hours among the 30, and without. */
  static const char *const zones[] = { "Europe/Berlin", "Europe/Istanbul", "UTC" };

  for (gsize i = 0; i < G_N_ELEMENTS (rows) * G_N_ELEMENTS (zones); i++) {
    const char *zone = zones[i / G_N_ELEMENTS (rows)];
    g_autoptr (GDateTime) not_after = parse (END, zone);
    g_autoptr (GDateTime) now = parse (rows[i % G_N_ELEMENTS (rows)].now, zone);
    g_autoptr (GDateTime) next = tokend_notify_next_stage (not_after, now);
    g_autofree char *next_text = next != NULL ? g_date_time_format (next, "%FT%T") : NULL;

    g_test_message ("%s %s", rows[i % G_N_ELEMENTS (rows)].now, zone);
    g_assert_cmpint (tokend_notify_stage (not_after, now), ==, rows[i % G_N_ELEMENTS (rows)].stage);
    g_assert_cmpstr (next_text, ==, rows[i % G_N_ELEMENTS (rows)].next);
  }
}

/* Of one certificate, day after day: how far its end is, and what the person is warned of. */
static void
test_once_each (void)
{
  static const struct {
    TokendNotifyStage seen[6];
    TokendNotifyStage told[6]; /* FAR: nothing */
  } rows[] = {
    { { FAR, MONTH, MONTH, WEEK, DAY, ENDED }, { FAR, MONTH, FAR, WEEK, DAY, ENDED } },
    /* First seen five days before, or after the end: one warning. */
    { { WEEK, WEEK, DAY, DAY, ENDED, ENDED }, { WEEK, FAR, DAY, FAR, ENDED, FAR } },
    { { ENDED, ENDED, ENDED }, { ENDED, FAR, FAR } },
    /* The token was away for weeks. */
    { { MONTH, DAY, DAY }, { MONTH, DAY, FAR } },
    /* The clock is set back, by hours and by years, and is right again. */
    { { MONTH, WEEK, MONTH, WEEK, FAR, WEEK }, { MONTH, WEEK, FAR, FAR, FAR, FAR } },
    /* The clock was years ahead: what it made us say too early does not keep us from saying what is
     * right. */
    { { ENDED, FAR, MONTH, WEEK, DAY, ENDED }, { ENDED, FAR, MONTH, WEEK, DAY, FAR } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    guint told = 0;

    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].seen); j++) {
      TokendNotifyStage stage = rows[i].seen[j];
      gboolean is_news = tokend_notify_stage_is_news (stage, told);

      g_test_message ("row %" G_GSIZE_FORMAT ", day %" G_GSIZE_FORMAT, i, j);
      g_assert_cmpint (is_news ? stage : FAR, ==, rows[i].told[j]);
      if (is_news)
        told |= 1u << stage;
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/notify/expiry/stages", test_stages);
  g_test_add_func ("/notify/expiry/once-each", test_once_each);
  return g_test_run ();
}
