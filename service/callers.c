/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callers.h"

#include "tokend-error.h"

struct _TokendCallers {
  GObject parent_instance;

  GHashTable *calls; /* of unique bus name → number of calls under way */
};

G_DEFINE_FINAL_TYPE (TokendCallers, tokend_callers, G_TYPE_OBJECT)

enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

typedef struct {
  TokendCallers *callers;
  char *sender;
} Admission;

static void
tokend_callers_init (TokendCallers *self)
{
  self->calls = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
tokend_callers_finalize (GObject *object)
{
  g_hash_table_unref (TOKEND_CALLERS (object)->calls);
  G_OBJECT_CLASS (tokend_callers_parent_class)->finalize (object);
}

static void
tokend_callers_class_init (TokendCallersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_callers_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

/** tokend_callers_new: Returns: (transfer full): a counter. */
TokendCallers *
tokend_callers_new (void)
{
  return g_object_new (TOKEND_TYPE_CALLERS, NULL);
}

static guint
get_calls (TokendCallers *self, const char *sender)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->calls, sender));
}

static void
set_calls (TokendCallers *self, const char *sender, guint calls)
{
  if (calls == 0)
    g_hash_table_remove (self->calls, sender);
  else
    g_hash_table_replace (self->calls, g_strdup (sender), GUINT_TO_POINTER (calls));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
leave (gpointer data)
{
  Admission *admission = data;
  TokendCallers *self = admission->callers;

  set_calls (self, admission->sender, get_calls (self, admission->sender) - 1);
  g_free (admission->sender);
  g_object_unref (self);
  g_free (admission);
}

/**
 * tokend_callers_admit:
 * @invocation: a call; it counts until it is finalized, which is after its reply.
 * @error: LimitsExceeded.
 *
 * Returns: whether its caller may have one more call under way.
 */
gboolean
tokend_callers_admit (TokendCallers *self, GDBusMethodInvocation *invocation, GError **error)
{
  const char *sender = g_dbus_method_invocation_get_sender (invocation);
  guint calls = get_calls (self, sender);
  Admission *admission;

  if (calls >= TOKEND_CALLS_PER_CALLER_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED, "More than %d calls at a time",
                 TOKEND_CALLS_PER_CALLER_MAX);
    return FALSE;
  }

  admission = g_new0 (Admission, 1);
  admission->callers = g_object_ref (self);
  admission->sender = g_strdup (sender);
  set_calls (self, sender, calls + 1);
  g_object_set_data_full (G_OBJECT (invocation), "tokend-admission", admission, leave);
  return TRUE;
}

/** tokend_callers_count: Returns: how many connections have a call under way. */
guint
tokend_callers_count (TokendCallers *self)
{
  return g_hash_table_size (self->calls);
}
