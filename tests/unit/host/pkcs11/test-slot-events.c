/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-events.h"

/* What the module answers, one after the other, to who does not wait, and to who does. */
typedef struct {
  CK_RV slot_list_rv;
  CK_ULONG n_slots;
  CK_RV at_once[4]; /* the last one without end */
  guint n_asked;    /* without waiting */
  CK_RV rv;
  CK_SLOT_ID slot;
} Module;

static Module module;

static CK_RV
get_slot_list (CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
  g_assert_false (present);
  g_assert_null (list);
  *count = module.n_slots;
  return module.slot_list_rv;
}

static CK_RV
wait_for_slot_event (CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
  *slot = module.slot;
  if (flags == 0)
    return module.rv;
  g_assert_cmpuint (flags, ==, CKF_DONT_BLOCK);
  module.n_asked++;
  return module.at_once[MIN (module.n_asked, G_N_ELEMENTS (module.at_once)) - 1];
}

static const TokendReadFunctions functions = { .get_slot_list = get_slot_list,
                                               .wait_for_slot_event = wait_for_slot_event };

/* How often a module is asked without waiting, before the first wait alone. */
static void
test_start (void)
{
  static const struct {
    Module module;
    guint n_asked;
  } rows[] = {
    /* It has nothing to tell, or tells of what is there. */
    { { .n_slots = 3, .at_once = { CKR_NO_EVENT } }, 1 },
    { { .n_slots = 3, .at_once = { CKR_OK, CKR_OK, CKR_NO_EVENT } }, 3 },
    /* It tells without end. */
    { { .n_slots = 3 }, 3 },
    { { .n_slots = 1 }, 1 },
    { { .n_slots = 1024 }, 1024 },
    { { .n_slots = 1025 }, 1024 },
    { { .n_slots = ~0ul }, 1024 },
    /* It cannot say. */
    { { .n_slots = 3, .at_once = { CKR_FUNCTION_NOT_SUPPORTED } }, 1 },
    { { .n_slots = 3, .slot_list_rv = CKR_DEVICE_ERROR }, 0 },
    { { .n_slots = 0 }, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendSlotEvents) events = tokend_slot_events_new ();

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    module = rows[i].module;
    module.slot = 7;
    for (guint n = 1; n <= 2; n++) {
      tokend_slot_events_begin (events, &functions);
      g_assert_cmpuint (tokend_slot_events_count (events, 7), ==, n - 1);
      g_assert_cmpuint (tokend_slot_events_wait (events, &functions), ==, CKR_OK);
      g_assert_cmpuint (module.n_asked, ==, rows[i].n_asked);
      g_assert_cmpuint (tokend_slot_events_count (events, 7), ==, n);
    }
  }
}

/* Each slot is counted for itself; what is no event, is not. */
static void
test_counts (void)
{
  static const struct {
    CK_RV rv;
    CK_SLOT_ID slot;
    guint counts[2]; /* of the slots 0 and 7 */
  } rows[] = {
    { CKR_OK, 0, { 1, 0 } },           { CKR_OK, 7, { 1, 1 } },
    { CKR_DEVICE_ERROR, 0, { 1, 1 } }, { CKR_FUNCTION_NOT_SUPPORTED, 7, { 1, 1 } },
    { CKR_OK, 0, { 2, 1 } },
  };
  g_autoptr (TokendSlotEvents) events = tokend_slot_events_new ();

  module = (Module){ .n_slots = 2, .at_once = { CKR_NO_EVENT } };
  tokend_slot_events_begin (events, &functions);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    module.rv = rows[i].rv;
    module.slot = rows[i].slot;
    g_assert_cmpuint (tokend_slot_events_wait (events, &functions), ==, rows[i].rv);
    g_assert_cmpuint (tokend_slot_events_count (events, 0), ==, rows[i].counts[0]);
    g_assert_cmpuint (tokend_slot_events_count (events, 7), ==, rows[i].counts[1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slot-events/start", test_start);
  g_test_add_func ("/slot-events/counts", test_counts);
  return g_test_run ();
}
