/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every interleaving of an operation's steps with all that can come in between, up to the bounds of
 * order-model.c. */
#include "operation-steps-private.h"
#include "order-model.h"

typedef struct _Node Node;
struct _Node {
  ModelState state; /* first: a node is looked up by its state */
  const Node *before;
  const char *event;
};

typedef struct {
  GHashTable *seen; /* of Node */
  GQueue *waiting;
  const Node *from;
  guint n_steps;
} Search;

/* Eight bytes at a time: it is asked for some hundred million times. */
static guint
hash_state (gconstpointer key)
{
  guint64 words[(sizeof (ModelState) + 7) / 8] = { 0 };
  guint64 hash = 0;

  memcpy (words, key, sizeof (ModelState));
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    hash = (hash ^ words[i]) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint) (hash >> 32);
}

static gboolean
is_same_state (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (ModelState)) == 0;
}

static void
on_next (const ModelState *next, const char *event, gpointer user_data)
{
  Search *search = user_data;
  Node *node;

  search->n_steps++;
  if (g_hash_table_contains (search->seen, next))
    return;
  node = g_new (Node, 1);
  *node = (Node){ *next, search->from, event };
  g_hash_table_add (search->seen, node);
  g_queue_push_tail (search->waiting, node);
}

static void
print_way (const Node *node)
{
  if (node->before != NULL)
    print_way (node->before);
  g_test_message ("%s (left %u, ours %u, others %u; disk: spent %u, pending %u)", node->event,
                  node->state.remaining, node->state.ours, node->state.others,
                  node->state.disk.spent, node->state.disk.pending);
}

static void
test_order (gconstpointer data)
{
  const ModelKind kind = GPOINTER_TO_UINT (data);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (hash_state, is_same_state, g_free, NULL);
  g_autoptr (GQueue) waiting = g_queue_new ();
  Search search = { seen, waiting, NULL, 0 };
  gboolean has_success = FALSE;
  g_autofree char *bounds = NULL;
  ModelState first;

  model_begin (&first);
  on_next (&first, "at first", &search);
  while ((search.from = g_queue_pop_head (waiting)) != NULL) {
    const char *fault = model_find_fault (&search.from->state, kind);
    guint before = search.n_steps;

    if (fault != NULL) {
      print_way (search.from);
      g_error ("%s", fault);
    }
    has_success |= model_is_success (&search.from->state);
    model_follow (&search.from->state, kind, on_next, &search);
    if (search.n_steps == before)
      g_assert_true (search.from->state.is_up && search.from->state.host == HOST_NONE);
  }
  g_assert_true (has_success);
  bounds = model_describe_bounds ();
  g_test_message ("%s: %u states, %u steps between them (%s)", g_test_get_path (),
                  g_hash_table_size (seen), search.n_steps, bounds);
}

/* Not of the model, where no lock fails to be made, and no step that completes what was begun. */
static void
test_failure (void)
{
  gboolean is_closed = FALSE;

  for (TokendStep step = TOKEND_STEP_RECORD; step != TOKEND_STEP_REPLY;
       step = tokend_step_next (step, TOKEND_STEP_FAILED)) {
    g_assert_cmpint (step, !=, TOKEND_STEP_END);
    is_closed |= step == TOKEND_STEP_CLOSE;
  }
  g_assert_true (is_closed);
  for (TokendStep step = TOKEND_STEP_ACCEPT; step < TOKEND_STEP_RECORD; step++) {
    g_assert_cmpint (tokend_step_next (step, TOKEND_STEP_FAILED), ==,
                     step == TOKEND_STEP_OPEN ? TOKEND_STEP_END : TOKEND_STEP_REPLY);
    g_assert_true (tokend_step_may_be_left (step));
  }
  for (TokendStep step = TOKEND_STEP_RECORD; step < TOKEND_N_STEPS; step++)
    g_assert_false (tokend_step_may_be_left (step));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/order/failure", test_failure);
  g_test_add_data_func ("/order/number", GUINT_TO_POINTER (MODEL_NUMBER), test_order);
  g_test_add_data_func ("/order/exact-flags", GUINT_TO_POINTER (MODEL_EXACT), test_order);
  g_test_add_data_func ("/order/last-only-flags", GUINT_TO_POINTER (MODEL_LAST_ONLY), test_order);
  g_test_add_data_func ("/order/nothing", GUINT_TO_POINTER (MODEL_NOTHING), test_order);
  g_test_add_data_func ("/order/hiding", GUINT_TO_POINTER (MODEL_HIDING), test_order);
  return g_test_run ();
}
