/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry.h"
#include "journal.h"
#include "audit-record.h"

#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

#define NOT_SPENT TOKEND_TRY_NOT_SPENT
#define SPENT TOKEND_TRY_SPENT
#define SUCCEEDED TOKEND_TRY_SUCCEEDED
#define LOCKED TOKEND_TRY_LOCKED
#define IN_DOUBT TOKEND_TRY_UNKNOWN
#define ACCEPTED TOKEND_TRY_ACCEPTED

#define DONE (-1)

#define NOTICE G_LOG_LEVEL_MESSAGE
#define WARNING G_LOG_LEVEL_WARNING

/* What the token tells of the tries, before and after. */
#define TOKENS(number) (number), TOKEND_RETRIES_SOURCE_TOKEN
#define NOTHING TOKEND_RETRIES_UNKNOWN, TOKEND_RETRIES_SOURCE_NONE

typedef struct {
  const char *what;
  TokendRole role;
  int error; /* or DONE */
  gboolean sent;
  TokendTryResult try_result;
  int before;
  TokendRetriesSource before_source;
  int after;
  TokendRetriesSource after_source;

  const char *message_id;
  GLogLevelFlags level;
  const char *spent;
  const char *message; /* after "… of “Ayşe's token” by user 1000: " */
  TokendState barred;  /* where the record says more than the token shows; UNKNOWN: as it shows */
} Row;

static const Row rows[] = {
  { "unlocked", PUK, DONE, TRUE, SUCCEEDED, TOKENS (2), TOKENS (3), TOKEND_MESSAGE_DONE, NOTICE,
    "no", "done, 3 tries left" },
  { "changed", PIN, DONE, TRUE, SUCCEEDED, NOTHING, NOTHING, TOKEND_MESSAGE_DONE, NOTICE, "no",
    "done" },
  { "unlocked, and the number fell", PUK, DONE, TRUE, SUCCEEDED, TOKENS (3), TOKENS (2),
    TOKEND_MESSAGE_DONE, NOTICE, "no", "done, 2 tries left" },

  { "wrong PUK", PUK, TOKEND_ERROR_PUK_INCORRECT, TRUE, SPENT, TOKENS (3), TOKENS (2),
    TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "yes", "wrong PUK, 2 tries left" },
  { "wrong PIN, the last but one", PIN, TOKEND_ERROR_PIN_INCORRECT, TRUE, SPENT, TOKENS (2),
    TOKENS (1), TOKEND_MESSAGE_TOKEN_REFUSED, WARNING, "yes", "wrong PIN, 1 try left" },
  { "wrong PUK, the last", PUK, TOKEND_ERROR_PUK_INCORRECT, TRUE, SPENT, TOKENS (1), TOKENS (0),
    TOKEND_MESSAGE_TOKEN_REFUSED, WARNING, "yes", "wrong PUK, no tries left" },
  { "wrong PUK of a mute token", PUK, TOKEND_ERROR_PUK_INCORRECT, TRUE, SPENT, NOTHING, NOTHING,
    TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "yes", "wrong PUK", TOKEND_STATE_LOW },
  { "wrong PUK of a mute token, the last but one", PUK, TOKEND_ERROR_PUK_INCORRECT, TRUE, SPENT,
    NOTHING, NOTHING, TOKEND_MESSAGE_TOKEN_REFUSED, WARNING, "yes", "wrong PUK",
    TOKEND_STATE_FINAL_TRY },
  { "wrong PUK of a mute token, the last", PUK, TOKEND_ERROR_PUK_INCORRECT, TRUE, SPENT, NOTHING,
    NOTHING, TOKEND_MESSAGE_TOKEN_REFUSED, WARNING, "yes", "wrong PUK", TOKEND_STATE_LOCKED },
  { "wrong PIN that is counted although it should not be", PIN, TOKEND_ERROR_PIN_INCORRECT, TRUE,
    NOT_SPENT, TOKENS (3), TOKENS (2), TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "yes",
    "wrong PIN, 2 tries left" },
  { "wrong PIN that is not counted although it should be", PIN, TOKEND_ERROR_PIN_INCORRECT, TRUE,
    SPENT, TOKENS (3), TOKENS (3), TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "no",
    "wrong PIN, 3 tries left" },
  { "wrong PIN that is not counted, nothing known", PIN, TOKEND_ERROR_PIN_INCORRECT, TRUE,
    NOT_SPENT, NOTHING, NOTHING, TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "no", "wrong PIN" },
  { "wrong PIN, nothing known", PIN, TOKEND_ERROR_PIN_INCORRECT, TRUE, SPENT, NOTHING, NOTHING,
    TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "yes", "wrong PIN" },
  { "the token says locked, and shows nothing", PUK, TOKEND_ERROR_PUK_LOCKED, TRUE, LOCKED, NOTHING,
    NOTHING, TOKEND_MESSAGE_TOKEN_REFUSED, WARNING, "unknown", "the PUK is locked" },
  { "the token says locked, and shows it", PUK, TOKEND_ERROR_PUK_LOCKED, TRUE, LOCKED, NOTHING,
    TOKENS (0), TOKEND_MESSAGE_TOKEN_REFUSED, WARNING, "unknown",
    "the PUK is locked, no tries left" },
  { "the new PIN is refused", PUK, TOKEND_ERROR_PIN_POLICY, TRUE, ACCEPTED, TOKENS (2), TOKENS (3),
    TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "no", "the token refused the new PIN, 3 tries left" },
  { "the new PIN is refused, nothing known", PIN, TOKEND_ERROR_PIN_POLICY, TRUE, IN_DOUBT, NOTHING,
    NOTHING, TOKEND_MESSAGE_TOKEN_REFUSED, NOTICE, "unknown", "the token refused the new PIN",
    TOKEND_STATE_LOW },
  { "changed, of a token with one try", PIN, DONE, TRUE, SUCCEEDED, TOKENS (1), TOKENS (1),
    TOKEND_MESSAGE_DONE, NOTICE, "no", "done, 1 try left" },

  { "an error after the code", PUK, TOKEND_ERROR_FAILED, TRUE, IN_DOUBT, TOKENS (3), TOKENS (2),
    TOKEND_MESSAGE_OUTCOME_UNKNOWN, WARNING, "yes",
    "the outcome is not known: it failed, 2 tries left" },
  { "unplugged after the code", PIN, TOKEND_ERROR_OUTCOME_UNKNOWN, TRUE, IN_DOUBT, TOKENS (3),
    NOTHING, TOKEND_MESSAGE_OUTCOME_UNKNOWN, WARNING, "unknown",
    "the outcome is not known: no answer came" },

  { "polkit says no", PUK, TOKEND_ERROR_NOT_AUTHORIZED, FALSE, NOT_SPENT, NOTHING, TOKENS (1),
    TOKEND_MESSAGE_NOT_SENT, NOTICE, "no", "nothing was sent: not authorized" },
  { "nobody may be asked", PUK, TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, FALSE, NOT_SPENT,
    NOTHING, TOKENS (1), TOKEND_MESSAGE_NOT_SENT, NOTICE, "no",
    "nothing was sent: a person has to authenticate, and the call did not allow to ask" },
  { "the last try", PUK, TOKEND_ERROR_FINAL_ATTEMPT, FALSE, NOT_SPENT, TOKENS (1), TOKENS (1),
    TOKEND_MESSAGE_NOT_SENT, NOTICE, "no",
    "nothing was sent: it may be the last try, and that was not allowed" },
  { "refused before", PIN, TOKEND_ERROR_ALREADY_REFUSED, FALSE, NOT_SPENT, TOKENS (2), TOKENS (2),
    TOKEND_MESSAGE_ALREADY_REFUSED, NOTICE, "no",
    "nothing was sent: the token has refused this very PIN before" },
  { "a bad new PIN", PUK, TOKEND_ERROR_PIN_POLICY, FALSE, NOT_SPENT, TOKENS (2), TOKENS (2),
    TOKEND_MESSAGE_NOT_SENT, NOTICE, "no", "nothing was sent: the new PIN breaks the rules" },
  { "locked already", PIN, TOKEND_ERROR_PIN_LOCKED, FALSE, NOT_SPENT, NOTHING, TOKENS (0),
    TOKEND_MESSAGE_NOT_SENT, NOTICE, "no", "nothing was sent: the PIN is locked" },
  { "another program meanwhile", PUK, TOKEND_ERROR_RETRIES_CHANGED, FALSE, NOT_SPENT, TOKENS (3),
    TOKENS (2), TOKEND_MESSAGE_NOT_SENT, NOTICE, "no",
    "nothing was sent: the tries left are not what the caller expected" },
};

static TokendCounter
make_counter (int remaining, TokendRetriesSource source)
{
  static const TokendState states[] = { TOKEND_STATE_LOCKED, TOKEND_STATE_FINAL_TRY,
                                        TOKEND_STATE_LOW, TOKEND_STATE_OK };

  return (TokendCounter){
    .state = remaining == TOKEND_RETRIES_UNKNOWN ? TOKEND_STATE_UNKNOWN : states[remaining],
    .remaining = remaining,
    .maximum = 3,
    .source = source,
  };
}

static TokendAuditRecord *
make_record (const Row *row)
{
  TokendAuditRecord *record = g_new0 (TokendAuditRecord, 1);

  record->role = row->role;
  record->token = g_strdup ("0c7ad1");
  record->label = g_strdup ("Ayşe's token");
  record->module = g_strdup ("etoken");
  record->is_done = row->error == DONE;
  record->error = row->error == DONE ? 0 : (TokendError) row->error;
  record->effect.sent = row->sent;
  record->effect.try_result = row->try_result;
  record->before = make_counter (row->before, row->before_source);
  record->after = make_counter (row->after, row->after_source);
  record->barred = row->barred != TOKEND_STATE_UNKNOWN ? row->barred : record->after.state;
  return record;
}

static const char *
get_field (GVariant *fields, const char *field)
{
  const char *text = NULL;

  g_variant_lookup (fields, field, "&s", &text);
  return text;
}

static void
test_row (gconstpointer data)
{
  static const TokendIdentity alice = { .known = TRUE, .uid = 1000, .pid = 77 };
  const Row *row = data;
  const char *operation = row->role == PUK ? "Unlock" : "SetPin";
  g_autoptr (TokendAuditRecord) record = make_record (row);
  g_autoptr (GVariant) fields = g_variant_ref_sink (tokend_audit_record_compose (record, &alice));
  g_autofree char *message =
      g_strdup_printf ("%s of “Ayşe's token” by user 1000: %s", operation, row->message);
  g_autofree char *retries =
      row->after == TOKEND_RETRIES_UNKNOWN ? NULL : g_strdup_printf ("%d", row->after);

  g_assert_cmpstr (get_field (fields, "MESSAGE"), ==, message);
  g_assert_cmpstr (get_field (fields, "MESSAGE_ID"), ==, row->message_id);
  g_assert_cmpint (g_strcmp0 (get_field (fields, "TOKEND_OUTCOME"), "Done") == 0, ==,
                   row->error == DONE);
  g_assert_cmpstr (get_field (fields, "TOKEND_SPENT"), ==, row->spent);
  g_assert_cmpstr (get_field (fields, "TOKEND_RETRIES"), ==, retries);
  g_assert_cmpint (tokend_audit_record_get_level (record), ==, row->level);
}

static void
test_whole_entry (void)
{
  TokendIdentity alice = { .known = TRUE, .uid = 1000, .pid = 77, .session = (char *) "c2" };
  g_autoptr (TokendAuditRecord) record = make_record (&rows[3]);
  g_autofree char *entry = entry_print (tokend_audit_record_compose (record, &alice));

  g_assert_cmpstr (entry, ==,
                   "MESSAGE=Unlock of “Ayşe's token” by user 1000: wrong PUK, 2 tries left\n"
                   "MESSAGE_ID=" TOKEND_MESSAGE_TOKEN_REFUSED "\n"
                   "TOKEND_LABEL=Ayşe's token\nTOKEND_MODULE=etoken\nTOKEND_OPERATION=Unlock\n"
                   "TOKEND_OUTCOME=PukIncorrect\nTOKEND_PID=77\nTOKEND_RETRIES=2\n"
                   "TOKEND_ROLE=PUK\nTOKEND_SESSION=c2\nTOKEND_SPENT=yes\n"
                   "TOKEND_TOKEN=0c7ad1\nTOKEND_UID=1000");
}

/* What is not known has no field. */
static void
test_hardly_anything_known (void)
{
  static const TokendIdentity nobody = { 0 };
  g_autoptr (TokendAuditRecord) record = g_new0 (TokendAuditRecord, 1);
  g_autofree char *entry = NULL;

  record->token = g_strdup ("0c7ad1");
  record->label = g_strdup ("");
  record->error = TOKEND_ERROR_LIMITS_EXCEEDED;
  record->before = record->after = tokend_counter_unknown;
  record->n_suppressed = 7;
  entry = entry_print (tokend_audit_record_compose (record, &nobody));
  g_assert_cmpstr (entry, ==,
                   "MESSAGE=SetPin of “” by an unknown user: nothing was sent: too many calls, "
                   "open operations or refused codes (besides 7 refusals that were not logged)\n"
                   "MESSAGE_ID=" TOKEND_MESSAGE_NOT_SENT "\n"
                   "TOKEND_LABEL=\nTOKEND_OPERATION=SetPin\nTOKEND_OUTCOME=LimitsExceeded\n"
                   "TOKEND_ROLE=PIN\nTOKEND_SPENT=no\nTOKEND_SUPPRESSED=7\nTOKEND_TOKEN=0c7ad1");
}

/* The module host may still be at it: what the token shows now proves nothing. */
static void
test_in_doubt (void)
{
  g_autoptr (TokendAuditRecord) record = make_record (&rows[3]);

  record->error = TOKEND_ERROR_OUTCOME_UNKNOWN;
  record->effect.try_result = IN_DOUBT;
  record->effect.in_doubt = TRUE;
  record->after = record->before;
  g_assert_cmpint (tokend_audit_record_get_spent (record), ==, TOKEND_SPENT_UNKNOWN);
  g_assert_cmpint (tokend_audit_record_get_level (record), ==, WARNING);
}

/* What was ended from outside says so, whatever the error is; but not where a code was sent. */
static void
test_ends (void)
{
  static const struct {
    TokendAuditEnd end;
    const char *words;
  } ends[] = {
    { TOKEND_AUDIT_END_CALLER_LEFT, "the caller left" },
    { TOKEND_AUDIT_END_CANCELLED, "the caller cancelled it" },
    { TOKEND_AUDIT_END_EXPIRED, "it was open for too long" },
  };
  static const TokendIdentity root = { .known = TRUE };

  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autoptr (TokendAuditRecord) record = make_record (&rows[G_N_ELEMENTS (rows) - 1]);
    g_autoptr (GVariant) fields = NULL;
    g_autofree char *message =
        g_strconcat ("Unlock of “Ayşe's token” by user 0: nothing was sent: ", ends[i].words, NULL);

    record->error = TOKEND_ERROR_NOT_AUTHORIZED;
    record->end = ends[i].end;
    fields = g_variant_ref_sink (tokend_audit_record_compose (record, &root));
    g_assert_cmpstr (get_field (fields, "MESSAGE"), ==, message);
  }
}

static void
test_end_after_code (void)
{
  static const TokendIdentity root = { .known = TRUE };
  g_autoptr (TokendAuditRecord) record = make_record (&rows[3]);
  g_autoptr (GVariant) fields = NULL;

  record->end = TOKEND_AUDIT_END_CALLER_LEFT;
  fields = g_variant_ref_sink (tokend_audit_record_compose (record, &root));
  g_assert_cmpstr (get_field (fields, "MESSAGE"), ==,
                   "Unlock of “Ayşe's token” by user 0: wrong PUK, 2 tries left");
}

static void
test_one_suppressed (void)
{
  static const TokendIdentity root = { .known = TRUE };
  g_autoptr (TokendAuditRecord) record = make_record (&rows[G_N_ELEMENTS (rows) - 1]);
  g_autoptr (GVariant) fields = NULL;

  record->n_suppressed = 1;
  fields = g_variant_ref_sink (tokend_audit_record_compose (record, &root));
  g_assert_cmpstr (get_field (fields, "TOKEND_SUPPRESSED"), ==, "1");
  g_assert_true (
      g_str_has_suffix (get_field (fields, "MESSAGE"), " (besides 1 refusal that was not logged)"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/report/%s", rows[i].what);
    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/report/whole-entry", test_whole_entry);
  g_test_add_func ("/report/hardly-anything-known", test_hardly_anything_known);
  g_test_add_func ("/report/in-doubt", test_in_doubt);
  g_test_add_func ("/report/ends", test_ends);
  g_test_add_func ("/report/ends/after-code", test_end_after_code);
  g_test_add_func ("/report/one-suppressed", test_one_suppressed);
  return g_test_run ();
}
