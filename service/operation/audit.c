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

  GDBusConnection *bus;
  GHashTable *callers; /* of unique bus name → TokendAuditCaller */
  TokendRateLimit *refusals;
};

G_DEFINE_FINAL_TYPE (TokendAudit, tokend_audit, G_TYPE_OBJECT)

struct _TokendAuditCaller {
  char *name;
  guint n_operations; /* that are under way */
  TokendIdentity identity;
  gboolean is_looked_up;
  GPtrArray *waiting; /* of TokendAuditRecord, until the caller is known */
};

typedef struct {
  TokendAudit *audit;
  TokendAuditCaller *caller;
} LookUp;

static void
caller_free (gpointer data)
{
  TokendAuditCaller *caller = data;

  g_free (caller->name);
  tokend_identity_clear (&caller->identity);
  g_ptr_array_unref (caller->waiting);
  g_free (caller);
}

static void
report_free (gpointer record)
{
  tokend_audit_record_free (record);
}

static gboolean
is_refusal (const TokendAuditRecord *record)
{
  return !record->is_done && !record->sent && record->error != TOKEND_ERROR_ALREADY_REFUSED;
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

static void
write_waiting (TokendAudit *self, TokendAuditCaller *caller)
{
  for (guint i = 0; i < caller->waiting->len; i++)
    write_report (self, caller->waiting->pdata[i], &caller->identity);
  g_ptr_array_set_size (caller->waiting, 0);
}

/* Writes what still waits, with what is known. */
static void
tokend_audit_dispose (GObject *object)
{
  TokendAudit *self = TOKEND_AUDIT (object);
  GHashTableIter iter;
  gpointer caller;

  g_hash_table_iter_init (&iter, self->callers);
  while (g_hash_table_iter_next (&iter, NULL, &caller))
    write_waiting (self, caller);
  G_OBJECT_CLASS (tokend_audit_parent_class)->dispose (object);
}

static void
tokend_audit_finalize (GObject *object)
{
  TokendAudit *self = TOKEND_AUDIT (object);

  g_hash_table_unref (self->callers);
  tokend_rate_limit_free (self->refusals);
  g_object_unref (self->bus);
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
  self->callers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, caller_free);
  self->refusals =
      tokend_rate_limit_new (REFUSALS_PER_USER_MAX, REFUSALS_PER_USER_MAX, REFUSALS_INTERVAL_US);
}

/**
 * tokend_audit_new:
 * @bus: where the callers are.
 *
 * Returns: (transfer full): the audit. Dispose of it after the main loop has ended: it then writes
 *   what still waits.
 */
TokendAudit *
tokend_audit_new (GDBusConnection *bus)
{
  TokendAudit *self = g_object_new (TOKEND_TYPE_AUDIT, NULL);

  self->bus = g_object_ref (bus);
  return self;
}

static void
forget_if_idle (TokendAudit *self, TokendAuditCaller *caller)
{
  if (caller->n_operations == 0 && caller->is_looked_up)
    g_hash_table_remove (self->callers, caller->name);
}

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree LookUp *look_up = user_data;
  g_autoptr (TokendAudit) self = look_up->audit;
  TokendAuditCaller *caller = look_up->caller;

  caller->is_looked_up = TRUE;
  write_waiting (self, caller);
  forget_if_idle (self, caller);
}

static TokendAuditCaller *
meet (TokendAudit *self, const char *name)
{
  TokendAuditCaller *caller = g_new0 (TokendAuditCaller, 1);
  LookUp *look_up = g_new0 (LookUp, 1);

  caller->name = g_strdup (name);
  caller->waiting = g_ptr_array_new_with_free_func (report_free);
  g_hash_table_insert (self->callers, caller->name, caller);

  look_up->audit = g_object_ref (self);
  look_up->caller = caller;
  tokend_identity_look_up (&caller->identity, self->bus, name, on_looked_up, look_up);
  return caller;
}

/**
 * tokend_audit_begin:
 * @name: the caller's unique bus name.
 *
 * Finds out who begins an operation, since the caller may have left when it ends.
 *
 * Returns: (transfer none): the caller, until tokend_audit_end().
 */
TokendAuditCaller *
tokend_audit_begin (TokendAudit *self, const char *name)
{
  TokendAuditCaller *caller = g_hash_table_lookup (self->callers, name);

  if (caller == NULL)
    caller = meet (self, name);
  caller->n_operations++;
  return caller;
}

/**
 * tokend_audit_write:
 * @caller: what tokend_audit_begin() returned.
 * @record: (transfer full): the operation.
 *
 * Writes the entry, at once or as soon as the caller is known.
 */
void
tokend_audit_write (TokendAudit *self, TokendAuditCaller *caller, TokendAuditRecord *record)
{
  g_autoptr (TokendAuditRecord) ended = record;
  GPtrArray *waiting = caller->waiting;

  if (caller->is_looked_up) {
    write_report (self, ended, &caller->identity);
  } else if (is_refusal (ended) && waiting->len >= REFUSALS_PER_USER_MAX) {
    TokendAuditRecord *last = waiting->pdata[waiting->len - 1];

    last->n_suppressed++;
  } else {
    g_ptr_array_add (waiting, g_steal_pointer (&ended));
  }
}

/**
 * tokend_audit_end:
 * @caller: what tokend_audit_begin() returned.
 *
 * Ends the operation of @caller.
 */
void
tokend_audit_end (TokendAudit *self, TokendAuditCaller *caller)
{
  caller->n_operations--;
  forget_if_idle (self, caller);
}
