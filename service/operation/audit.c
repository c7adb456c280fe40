/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit.h"

#include "journal.h"
#include "rate-limit.h"

/* The most refusals of one user in a minute that have entries of their own. */
#define REFUSALS_PER_USER_MAX 20
#define REFUSALS_INTERVAL_US (60 * G_USEC_PER_SEC)
/* The uid of callers whose user is not known; they share a limit. */
#define NO_UID G_MAXUINT

struct _TokendAudit {
  GObject parent_instance;

  GPtrArray *waiting; /* of Waiting */
  TokendRateLimit *refusals;
};

G_DEFINE_FINAL_TYPE (TokendAudit, tokend_audit, G_TYPE_OBJECT)

/* A record that is written once its caller is identified. */
typedef struct {
  TokendCaller *caller;
  TokendAuditRecord *record;
} Waiting;

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  tokend_caller_release (waiting->caller);
  tokend_audit_record_free (waiting->record);
  g_free (waiting);
}

static gboolean
is_refusal (const TokendAuditRecord *record)
{
  return !record->is_done && !record->effect.sent && record->error != TOKEND_ERROR_ALREADY_REFUSED;
}

static void
write_report (TokendAudit *self, TokendAuditRecord *record, const TokendIdentity *who)
{
  g_autofree char *user = g_strdup_printf ("%u", who->known ? who->uid : NO_UID);
  TokendRateLimitInfo info;

  if (is_refusal (record)) {
    if (!tokend_rate_limit_take (self->refusals, user, "", g_get_monotonic_time (), &info))
      return;
    record->n_suppressed += info.n_suppressed;
  }
  tokend_journal_variant (tokend_audit_record_get_level (record),
                          tokend_audit_record_compose (record, who));
}

/* Writes what waits for @caller; %NULL: all that waits. */
static void
write_waiting (TokendAudit *self, const TokendCaller *caller)
{
  for (guint i = 0; i < self->waiting->len;) {
    const Waiting *waiting = self->waiting->pdata[i];

    if (caller == NULL || waiting->caller == caller) {
      write_report (self, waiting->record, &waiting->caller->who);
      g_ptr_array_remove_index (self->waiting, i);
    } else {
      i++;
    }
  }
}

/* Writes what still waits, with what is known. */
static void
tokend_audit_dispose (GObject *object)
{
  write_waiting (TOKEND_AUDIT (object), NULL);
  G_OBJECT_CLASS (tokend_audit_parent_class)->dispose (object);
}

static void
tokend_audit_finalize (GObject *object)
{
  TokendAudit *self = TOKEND_AUDIT (object);

  g_ptr_array_unref (self->waiting);
  tokend_rate_limit_free (self->refusals);
  G_OBJECT_CLASS (tokend_audit_parent_class)->finalize (object);
}

static void
tokend_audit_class_init (TokendAuditClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tokend_audit_dispose;
  G_OBJECT_CLASS (klass)->finalize = tokend_audit_finalize;
}

static void
tokend_audit_init (TokendAudit *self)
{
  self->waiting = g_ptr_array_new_with_free_func (waiting_free);
  self->refusals =
      tokend_rate_limit_new (REFUSALS_PER_USER_MAX, REFUSALS_PER_USER_MAX, REFUSALS_INTERVAL_US);
}

static void
on_identified (TokendCallers *callers, TokendCaller *caller, gpointer user_data)
{
  write_waiting (user_data, caller);
}

/**
 * tokend_audit_new:
 * @callers: who may open operations.
 *
 * Returns: (transfer full): the audit. Dispose of it after the main loop has ended: it then writes
 *   what still waits.
 */
TokendAudit *
tokend_audit_new (TokendCallers *callers)
{
  TokendAudit *self = g_object_new (TOKEND_TYPE_AUDIT, NULL);

  g_signal_connect_object (callers, "identified", G_CALLBACK (on_identified), self, 0);
  return self;
}

static Waiting *
find_last (TokendAudit *self, const TokendCaller *caller, guint *n_waiting)
{
  Waiting *last = NULL;

  *n_waiting = 0;
  for (guint i = 0; i < self->waiting->len; i++) {
    Waiting *waiting = self->waiting->pdata[i];

    if (waiting->caller == caller) {
      last = waiting;
      ++*n_waiting;
    }
  }
  return last;
}

/**
 * tokend_audit_write:
 * @caller: who called; see tokend_caller_identify().
 * @record: (transfer full): the operation.
 *
 * Writes the entry, at once or as soon as the caller is known.
 */
void
tokend_audit_write (TokendAudit *self, TokendCaller *caller, TokendAuditRecord *record)
{
  g_autoptr (TokendAuditRecord) ended = record;
  guint n_waiting;
  Waiting *last = find_last (self, caller, &n_waiting);

  if (caller->is_identified) {
    write_report (self, ended, &caller->who);
  } else if (is_refusal (ended) && n_waiting >= REFUSALS_PER_USER_MAX) {
    last->record->n_suppressed++;
  } else {
    Waiting *waiting = g_new (Waiting, 1);

    *waiting = (Waiting){ tokend_caller_hold (caller), g_steal_pointer (&ended) };
    g_ptr_array_add (self->waiting, waiting);
  }
}
