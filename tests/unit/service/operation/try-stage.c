/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "try-stage.h"

#include "tokend-error.h"

#include <string.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

TryStage stage;

static TokendReading *known; /* what the service last read of the token */
static TokendTarget *target;
static char token, host; /* nobody looks into them */
static GObject *module;

static const char *const try_results[] = {
  [TOKEND_TRY_NOT_SPENT] = "not-spent", [TOKEND_TRY_SPENT] = "spent",
  [TOKEND_TRY_SUCCEEDED] = "succeeded", [TOKEND_TRY_LOCKED] = "locked",
  [TOKEND_TRY_UNKNOWN] = "unknown",     [TOKEND_TRY_ACCEPTED] = "accepted",
};

static const char *
name_of (TokendRole role)
{
  return role == TOKEND_ROLE_PUK ? "puk" : "pin";
}

static void
fail (GError **error, TokendError code)
{
  g_set_error_literal (error, TOKEND_ERROR, (int) code, "as the stage was told");
}

TokendReading *
stage_parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) variant = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);
  TokendReading *reading;

  g_assert_no_error (error);
  reading = tokend_reading_parse (variant, &error);
  g_assert_no_error (error);
  return reading;
}

void
stage_show (const char *reading)
{
  tokend_reading_free (known);
  known = stage_parse (reading);
}

void
stage_set_up (TokendRole role)
{
  stage = (TryStage){ .calls = g_string_new (NULL), .result = -1, .digest_length = 32 };
  known = stage_parse (READING (16));
  target = tokend_target_new (known, FALSE);
  stage.service.profiles = g_ptr_array_new ();
  stage.service.refused = tokend_refused_new ();
  stage.service.refusal_limit = tokend_refusal_limit_new ();
  stage.service.modules = g_ptr_array_new ();
  stage.profile.change_counts = stage.profile.change_proves = TRUE;
  stage.profile.environment = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < TOKEND_N_ROLES; i++)
    stage.rules[i] = (TokendCounterRules){ TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };
  stage.operation.service = &stage.service;
  stage.operation.caller = &stage.caller;
  stage.operation.token = (TokendToken *) &token;
  module = g_object_new (G_TYPE_OBJECT, NULL);
  g_ptr_array_add (stage.service.modules, module);
  g_set_object (&stage.operation.source, (TokendTokenSource *) module);
  stage.operation.role = role;
  stage.operation.lock_fd = -1;
  stage.operation.before = tokend_counter_unknown;
}

void
stage_tear_down (void)
{
  g_assert_cmpint (stage.result, !=, -1);
  g_string_free (stage.calls, TRUE);
  g_clear_pointer (&known, tokend_reading_free);
  g_clear_pointer (&target, tokend_target_free);
  g_object_unref (stage.service.refused);
  g_ptr_array_unref (stage.service.profiles);
  tokend_refusal_limit_free (stage.service.refusal_limit);
  g_ptr_array_unref (stage.service.modules);
  tokend_operation_drop_pipes (&stage.operation);
  g_hash_table_unref (stage.profile.environment);
  g_clear_pointer (&stage.environment, g_hash_table_unref);
  g_clear_pointer (&stage.request, g_variant_unref);
  g_clear_object (&stage.fds);
  g_clear_pointer (&stage.operation.prepared, tokend_reading_free);
  g_clear_pointer (&stage.operation.digest, g_bytes_unref);
  g_clear_error (&stage.operation.error);
  g_clear_object (&stage.operation.source);
  g_assert_finalize_object (module);
}

/* operation.c */

void
__wrap_tokend_operation_advance (Operation *operation, TokendStepResult result)
{
  g_assert_cmpint (stage.result, ==, -1);
  stage.result = (int) result;
}

void
__wrap_tokend_operation_end_step (Operation *operation, gboolean is_done)
{
  g_assert_cmpint (is_done, ==, operation->error == NULL);
  __wrap_tokend_operation_advance (operation, is_done ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

/* host.c, and the proxy of a host */

void
__wrap_tokend_host_start_async (TokendHostKind kind, const char *module_path,
                                GHashTable *environment, TokendWatchMethod watch_method,
                                const char *reader, GVariant *questions, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_string_append_printf (stage.calls, "start(%s,%s) ", module_path, reader);
  g_assert_cmpint (watch_method, ==, TOKEND_WATCH_METHOD_POLL);
  g_variant_unref (g_variant_ref_sink (questions));
  stage.host_kind = kind;
  stage.environment = g_hash_table_ref (environment);
  callback (NULL, NULL, user_data);
}

TokendHost *
__wrap_tokend_host_start_finish (GAsyncResult *result, GError **error)
{
  if (!stage.does_not_start)
    return (TokendHost *) &host;
  fail (error, TOKEND_ERROR_MODULE_FAILED);
  return NULL;
}

TokendDbusModule1Operation *
__wrap_tokend_host_get_operation (TokendHost *self)
{
  return NULL;
}

gboolean
__wrap_tokend_host_is_open (TokendHost *self)
{
  return !stage.has_ended;
}

void
__wrap_tokend_dbus_module1_operation_call_prepare (TokendDbusModule1Operation *proxy,
                                                   GVariant *request, GVariant *code,
                                                   GVariant *new_pin, GVariant *lock,
                                                   GDBusCallFlags flags, gint timeout,
                                                   GUnixFDList *fds, GCancellable *cancellable,
                                                   GAsyncReadyCallback callback, gpointer user_data)
{
  GVariant *const handles[] = { code, new_pin, lock };

  g_string_append (stage.calls, "prepare ");
  stage.request = g_variant_ref_sink (request);
  stage.fds = g_object_ref (fds);
  for (gsize i = 0; i < G_N_ELEMENTS (handles); i++) {
    g_autoptr (GVariant) handle = g_variant_ref_sink (handles[i]);

    stage.handles[i] = g_variant_get_handle (handle);
  }
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_dbus_module1_operation_call_prepare_finish (TokendDbusModule1Operation *proxy,
                                                          GVariant **reading, GVariant **digest,
                                                          GUnixFDList **fds, GAsyncResult *result,
                                                          GError **error)
{
  g_autofree char *bytes = g_strnfill (stage.digest_length, 'd');

  if (stage.prepared == NULL) {
    if (stage.is_dead)
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "as the stage was told");
    else
      fail (error, TOKEND_ERROR_NOT_FOUND);
    return FALSE;
  }
  *reading = g_variant_parse (G_VARIANT_TYPE_VARDICT, stage.prepared, NULL, NULL, NULL);
  *digest = g_variant_ref_sink (
      g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, stage.digest_length, 1));
  return TRUE;
}

void
__wrap_tokend_dbus_module1_operation_call_commit (TokendDbusModule1Operation *proxy,
                                                  GDBusCallFlags flags, gint timeout,
                                                  GCancellable *cancellable,
                                                  GAsyncReadyCallback callback, gpointer user_data)
{
  /* It completes, whoever leaves. */
  g_assert_null (cancellable);
  g_string_append (stage.calls, "commit ");
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_dbus_module1_operation_call_commit_finish (TokendDbusModule1Operation *proxy,
                                                         GVariant **outcome, GAsyncResult *result,
                                                         GError **error)
{
  if (stage.outcome == NULL) {
    fail (error, TOKEND_ERROR_FAILED);
    return FALSE;
  }
  *outcome = g_variant_parse (G_VARIANT_TYPE_VARDICT, stage.outcome, NULL, NULL, NULL);
  return TRUE;
}

void
__wrap_tokend_dbus_module1_operation_call_close (TokendDbusModule1Operation *proxy,
                                                 GDBusCallFlags flags, gint timeout,
                                                 GCancellable *cancellable,
                                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_cmpint (timeout, <=, 5000);
  g_string_append (stage.calls, "close ");
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_dbus_module1_operation_call_close_finish (TokendDbusModule1Operation *proxy,
                                                        gboolean *left_open, GAsyncResult *result,
                                                        GError **error)
{
  if (stage.closes == NULL) {
    fail (error, TOKEND_ERROR_FAILED);
    return FALSE;
  }
  *left_open = g_str_equal (stage.closes, "left-open");
  return TRUE;
}

void
__wrap_tokend_host_read_async (TokendHost *self, gboolean all, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_true (all);
  g_string_append (stage.calls, "read ");
  callback (NULL, NULL, user_data);
}

GPtrArray *
__wrap_tokend_host_read_finish (TokendHost *self, GAsyncResult *result, GError **error)
{
  GPtrArray *readings = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_reading_free);

  if (stage.after[0] == NULL) {
    fail (error, TOKEND_ERROR_MODULE_FAILED);
    g_ptr_array_unref (readings);
    return NULL;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (stage.after) && stage.after[i] != NULL; i++)
    g_ptr_array_add (readings, stage_parse (stage.after[i]));
  return readings;
}

/* ledger.c */

void
__wrap_tokend_ledger_begin_async (TokendLedger *self, const TokendTarget *at, TokendRole role,
                                  const char *by, GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_true (at == target);
  g_string_append_printf (stage.calls, "begin(%s,%s) ", name_of (role), by);
  callback (NULL, NULL, user_data);
}

static gboolean
is_written (GError **error)
{
  if (stage.ledger_is_broken)
    fail (error, TOKEND_ERROR_FAILED);
  return !stage.ledger_is_broken;
}

gboolean
__wrap_tokend_ledger_begin_finish (TokendLedger *self, GAsyncResult *result, GError **error)
{
  return is_written (error);
}

void
__wrap_tokend_ledger_resolve_async (TokendLedger *self, const TokendTarget *at, TokendRole role,
                                    TokendTryResult try_result, GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  g_assert_true (at == target);
  g_string_append_printf (stage.calls, "resolve(%s,%s) ", name_of (role), try_results[try_result]);
  if (callback != NULL)
    callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_ledger_resolve_finish (TokendLedger *self, GAsyncResult *result, GError **error)
{
  return is_written (error);
}

void
__wrap_tokend_ledger_flush_async (TokendLedger *self, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_string_append (stage.calls, "flush ");
  callback (NULL, NULL, user_data);
}

void
__wrap_tokend_ledger_flush_finish (TokendLedger *self, GAsyncResult *result)
{
}

/* token.c, module.c */

const TokendReading *
__wrap_tokend_token_get_reading (TokendToken *self)
{
  return known;
}

const TokendTarget *
__wrap_tokend_token_get_target (TokendToken *self)
{
  return target;
}

const TokendProfile *
__wrap_tokend_token_get_profile (TokendToken *self)
{
  return stage.has_no_profile ? NULL : &stage.profile;
}

TokendTokenSource *
__wrap_tokend_token_get_source (TokendToken *self)
{
  return (TokendTokenSource *) module;
}

const char *
__wrap_tokend_token_get_reader (TokendToken *self)
{
  return "a reader";
}

TokendPinPolicy
__wrap_tokend_token_get_pin_policy (TokendToken *self)
{
  return stage.policy;
}

TokendCodeRules
__wrap_tokend_token_get_code_rules (TokendToken *self, TokendRole role)
{
  return stage.code_rules[role];
}

TokendWrongCode
__wrap_tokend_token_get_wrong_code (TokendToken *self, TokendRole role)
{
  return stage.wrong_code;
}

TokendCounter
__wrap_tokend_token_evaluate (TokendToken *self, const TokendReading *reading, TokendRole role)
{
  const TokendCounterRecord record = { 0 };

  return tokend_counter_evaluate (&reading->counters[role], &stage.rules[role], &record);
}

void
__wrap_tokend_token_update_after (TokendToken *self, const TokendReading *reading, const char *by)
{
  g_string_append_printf (stage.calls, "update(%s) ", by);
  tokend_reading_free (known);
  known = tokend_reading_copy (reading);
}

void
__wrap_tokend_token_note_failure (TokendToken *self, const TokendReading *reading, TokendRole role)
{
  g_string_append_printf (stage.calls, "note(%s) ", name_of (role));
  stage.noted = reading->counters[role];
}

void
__wrap_tokend_token_lose_reading (TokendToken *self)
{
  g_string_append (stage.calls, "lose ");
}

void
__wrap_tokend_token_refresh_async (TokendToken *self, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_string_append (stage.calls, "refresh ");
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_token_refresh_finish (TokendToken *self, GAsyncResult *result, GError **error)
{
  return TRUE;
}

void
__wrap_tokend_module_let_go (TokendModule *self, const char *const *cards)
{
  g_auto (GStrv) expected = tokend_target_list_cards (target);

  g_assert_true ((GObject *) self == module);
  g_assert_true (g_strv_equal (cards, (const char *const *) expected));
  g_string_append (stage.calls, "let-go ");
}

void
__wrap_tokend_module_go_on (TokendModule *self)
{
  g_assert_true ((GObject *) self == module);
  g_string_append (stage.calls, "go-on ");
}

void
__wrap_tokend_module_set_left_open (TokendModule *self, const char *const *cards,
                                    gboolean is_left_open)
{
  g_auto (GStrv) expected = tokend_target_list_cards (target);

  g_assert_true ((GObject *) self == module);
  g_assert_true (g_strv_equal (cards, (const char *const *) expected));
  g_string_append_printf (stage.calls, "tell(%s) ", is_left_open ? "left-open" : "closed");
}

void
__wrap_tokend_token_set_left_open (TokendToken *self, gboolean is_left_open)
{
  g_assert_true (self == stage.operation.token);
  g_string_append_printf (stage.calls, "token(%s) ", is_left_open ? "left-open" : "closed");
}

const char *
__wrap_tokend_token_source_get_name (TokendTokenSource *self)
{
  return "a-module";
}

const char *
__wrap_tokend_token_source_get_path (TokendTokenSource *self)
{
  return "/a/module.so";
}

const TokendProfile *
__wrap_tokend_token_source_get_profile (TokendTokenSource *self)
{
  return &stage.profile;
}
