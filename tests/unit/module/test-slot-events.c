/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-events.h"

#define MS ((gint64) G_TIME_SPAN_MILLISECOND)

/* One event after the other, and the counts of two slots then. */
typedef struct {
  CK_SLOT_ID slot;
  gint64 waited;
  guint counts[2]; /* of the slots 0 and 7 */
} Row;

/* Those that come at once at the start are of tokens that were there. */
static const Row at_start[] = {
  { 0, 0, { 0, 0 } }, { 7, 99 * MS, { 0, 0 } }, { 0, 100 * MS, { 1, 0 } },
  { 0, 0, { 2, 0 } }, { 7, 0, { 2, 1 } },       { 7, 60000 * MS, { 2, 2 } },
};

static const Row without_start[] = {
  { 7, 5000 * MS, { 0, 1 } },
  { 7, 1 * MS, { 0, 2 } },
};

static void
check (const Row *rows, gsize n_rows)
{
  g_autoptr (TokendSlotEvents) events = tokend_slot_events_new ();

  for (gsize i = 0; i < n_rows; i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    tokend_slot_events_add (events, rows[i].slot, rows[i].waited);
    g_assert_cmpuint (tokend_slot_events_count (events, 0), ==, rows[i].counts[0]);
    g_assert_cmpuint (tokend_slot_events_count (events, 7), ==, rows[i].counts[1]);
  }
}

static void
test_events (void)
{
  check (at_start, G_N_ELEMENTS (at_start));
  check (without_start, G_N_ELEMENTS (without_start));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slot-events", test_events);
  return g_test_run ();
}
