/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "audit-record.h"

#include "journal.h"
#include "audit-record-enums.h"
#include "tokend-enums.h"

void
tokend_audit_record_free (TokendAuditRecord *record)
{
  g_free (record->token);
  g_free (record->label);
  g_free (record->module);
  g_free (record);
}

/**
 * tokend_audit_record_get_spent:
 *
 * Returns: whether the operation cost a try, by the token's own numbers where it has them, else by
 *   its answer.
 */
TokendSpent
tokend_audit_record_get_spent (const TokendAuditRecord *record)
{
  if (record->is_done || !record->effect.sent)
    return TOKEND_SPENT_NO;
  if (record->effect.in_doubt)
    return TOKEND_SPENT_UNKNOWN;
  if (tokend_counter_is_tokens_word (&record->before)
      && tokend_counter_is_tokens_word (&record->after))
    return record->after.remaining < record->before.remaining ? TOKEND_SPENT_YES : TOKEND_SPENT_NO;

  switch (record->effect.try_result) {
  case TOKEND_TRY_SPENT:
    return TOKEND_SPENT_YES;
  case TOKEND_TRY_NOT_SPENT:
  case TOKEND_TRY_SUCCEEDED:
  case TOKEND_TRY_ACCEPTED:
    return TOKEND_SPENT_NO;
  case TOKEND_TRY_LOCKED: /* before this code, or by it */
  case TOKEND_TRY_UNKNOWN:
    return TOKEND_SPENT_UNKNOWN;
  }
  g_return_val_if_reached (TOKEND_SPENT_UNKNOWN);
}

static const char *
get_message_id (const TokendAuditRecord *record)
{
  if (record->is_done)
    return TOKEND_MESSAGE_DONE;
  if (!record->effect.sent)
    return record->error == TOKEND_ERROR_ALREADY_REFUSED ? TOKEND_MESSAGE_ALREADY_REFUSED
                                                         : TOKEND_MESSAGE_NOT_SENT;

  switch (record->error) {
  case TOKEND_ERROR_PIN_INCORRECT:
  case TOKEND_ERROR_PUK_INCORRECT:
  case TOKEND_ERROR_PIN_LOCKED:
  case TOKEND_ERROR_PUK_LOCKED:
  case TOKEND_ERROR_PIN_POLICY:
    return TOKEND_MESSAGE_TOKEN_REFUSED;
  default:
    return TOKEND_MESSAGE_OUTCOME_UNKNOWN;
  }
}

/**
 * tokend_audit_record_get_level:
 *
 * Returns: notice; a warning where somebody should look after the token.
 */
GLogLevelFlags
tokend_audit_record_get_level (const TokendAuditRecord *record)
{
  const gboolean is_last = record->barred == TOKEND_STATE_FINAL_TRY
                           || record->barred == TOKEND_STATE_LOCKED
                           || record->effect.try_result == TOKEND_TRY_LOCKED;

  if (!record->is_done && record->effect.sent
      && (is_last || g_str_equal (get_message_id (record), TOKEND_MESSAGE_OUTCOME_UNKNOWN)))
    return G_LOG_LEVEL_WARNING;
  return G_LOG_LEVEL_MESSAGE;
}

/* Explains the error without the reply's text, which may quote what the caller wrote. */
static const char *
get_reason (const TokendAuditRecord *record)
{
  static const char *const ends[] = {
    [TOKEND_AUDIT_END_CALLER_LEFT] = "the caller left",
    [TOKEND_AUDIT_END_CANCELLED] = "the caller cancelled it",
    [TOKEND_AUDIT_END_EXPIRED] = "it was open for too long",
  };
  gboolean is_puk = record->role == TOKEND_ROLE_PUK;

  if (!record->effect.sent && record->end != TOKEND_AUDIT_END_NONE)
    return ends[record->end];

  switch (record->error) {
  case TOKEND_ERROR_FAILED:
    return "it failed";
  case TOKEND_ERROR_NOT_AUTHORIZED:
    return "not authorized";
  case TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED:
    return "a person has to authenticate, and the call did not allow to ask";
  case TOKEND_ERROR_INVALID_ARGS:
    return "the arguments or codes are not valid";
  case TOKEND_ERROR_NOT_FOUND:
    return "the token is not there any more";
  case TOKEND_ERROR_BUSY:
    return "another operation was under way";
  case TOKEND_ERROR_LIMITS_EXCEEDED:
    return "too many calls, open operations or refused codes";
  case TOKEND_ERROR_PIN_INCORRECT:
    return "wrong PIN";
  case TOKEND_ERROR_PUK_INCORRECT:
    return "wrong PUK";
  case TOKEND_ERROR_PIN_LOCKED:
    return "the PIN is locked";
  case TOKEND_ERROR_PUK_LOCKED:
    return "the PUK is locked";
  case TOKEND_ERROR_PIN_POLICY:
    return record->effect.sent ? "the token refused the new PIN" : "the new PIN breaks the rules";
  case TOKEND_ERROR_ALREADY_REFUSED:
    return is_puk ? "the token has refused this very PUK before"
                  : "the token has refused this very PIN before";
  case TOKEND_ERROR_FINAL_ATTEMPT:
    return "it may be the last try, and that was not allowed";
  case TOKEND_ERROR_RETRIES_CHANGED:
    return "the tries left are not what the caller expected";
  case TOKEND_ERROR_TOKEN_REMOVED:
    return "the token was removed";
  case TOKEND_ERROR_MODULE_FAILED:
    return "the module failed";
  case TOKEND_ERROR_TIMED_OUT:
    return "it took too long";
  case TOKEND_ERROR_OUTCOME_UNKNOWN:
    return "no answer came";
  case TOKEND_ERROR_NOT_SUPPORTED:
    return "it is not supported for this token";
  case TOKEND_ERROR_SERVICE_ENDING:
    return "the service was asked to end";
  }
  g_return_val_if_reached ("");
}

static const char *
get_ending (const char *message_id)
{
  if (g_str_equal (message_id, TOKEND_MESSAGE_NOT_SENT)
      || g_str_equal (message_id, TOKEND_MESSAGE_ALREADY_REFUSED))
    return "nothing was sent: ";
  if (g_str_equal (message_id, TOKEND_MESSAGE_OUTCOME_UNKNOWN))
    return "the outcome is not known: ";
  return "";
}

static void
append_tries (GString *message, int remaining)
{
  if (remaining == 0)
    g_string_append (message, ", no tries left");
  else if (remaining != TOKEND_RETRIES_UNKNOWN)
    g_string_append_printf (message, ", %d %s left", remaining, remaining == 1 ? "try" : "tries");
}

static const char *
get_operation (const TokendAuditRecord *record)
{
  return record->role == TOKEND_ROLE_PUK ? "Unlock" : "SetPin";
}

static char *
compose_message (const TokendAuditRecord *record, const TokendIdentity *who)
{
  GString *message = g_string_new (get_operation (record));
  const char *message_id = get_message_id (record);

  g_string_append_printf (message, " of “%s” by ", record->label);
  if (who->known)
    g_string_append_printf (message, "user %u: ", who->uid);
  else
    g_string_append (message, "an unknown user: ");

  if (record->is_done)
    g_string_append (message, "done");
  else
    g_string_append_printf (message, "%s%s", get_ending (message_id), get_reason (record));
  if (record->effect.sent)
    append_tries (message, record->after.remaining);
  if (record->n_suppressed > 0)
    g_string_append_printf (message, " (besides %u %s not logged)", record->n_suppressed,
                            record->n_suppressed == 1 ? "refusal that was" : "refusals that were");
  return g_string_free (message, FALSE);
}

static void
put_who (GVariantDict *fields, const TokendIdentity *who)
{
  if (!who->known)
    return;
  tokend_journal_put_number (fields, "TOKEND_UID", who->uid);
  tokend_journal_put_number (fields, "TOKEND_PID", who->pid);
  tokend_journal_put_text (fields, "TOKEND_SESSION", who->session);
}

/**
 * tokend_audit_record_compose:
 * @who: who asked for the operation.
 *
 * Returns: (transfer floating): an a{sv} with the fields of tokend(8), all of them text, and a
 *   message for people. It lacks what is not known.
 */
GVariant *
tokend_audit_record_compose (const TokendAuditRecord *record, const TokendIdentity *who)
{
  g_auto (GVariantDict) fields = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *message = compose_message (record, who);

  tokend_journal_put_text (&fields, "MESSAGE", message);
  tokend_journal_put_text (&fields, "MESSAGE_ID", get_message_id (record));
  put_who (&fields, who);
  tokend_journal_put_text (&fields, "TOKEND_OPERATION", get_operation (record));
  tokend_journal_put_text (&fields, "TOKEND_ROLE", record->role == TOKEND_ROLE_PUK ? "PUK" : "PIN");
  tokend_journal_put_text (&fields, "TOKEND_TOKEN", record->token);
  tokend_journal_put_text (&fields, "TOKEND_LABEL", record->label);
  tokend_journal_put_text (&fields, "TOKEND_MODULE", record->module);

  if (record->is_done)
    tokend_journal_put_text (&fields, "TOKEND_OUTCOME", "Done");
  else
    tokend_journal_put_nick (&fields, "TOKEND_OUTCOME", TOKEND_TYPE_ERROR, (int) record->error);
  tokend_journal_put_nick (&fields, "TOKEND_SPENT", TOKEND_TYPE_SPENT,
                           (int) tokend_audit_record_get_spent (record));
  if (record->after.remaining != TOKEND_RETRIES_UNKNOWN)
    tokend_journal_put_number (&fields, "TOKEND_RETRIES", record->after.remaining);
  if (record->n_suppressed > 0)
    tokend_journal_put_number (&fields, "TOKEND_SUPPRESSED", record->n_suppressed);
  return g_variant_dict_end (&fields);
}
