/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choice-words.h"
#include "event.h"
#include "json.h"
#include "printable.h"
#include "profile-words.h"
#include "status-input.h"
#include "status.h"
#include "table.h"
#include "token.h"
#include "validity.h"
#include "words.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* Words of a shell's which name the token and nothing else: its label, its serial number, or
 * both. */
static void
check_argument (GPtrArray *tokens, const TokenctlToken *token)
{
  g_autofree char *argument = tokenctl_argument_of (tokens, token);
  g_autofree char *line = g_strconcat ("tokenctl unlock ", argument, NULL);
  g_autofree char *label = NULL;
  g_autofree char *serial = NULL;
  g_auto (GStrv) words = NULL;
  int n_words, first;

  fuzz_assert_printable (argument);
  g_assert_true (g_shell_parse_argv (line, &n_words, &words, NULL));
  first = g_str_has_prefix (argument, "-- ") ? 3 : 2;
  label = tokenctl_printable (tokenctl_status_string (token->status, TOKEND_STATUS_LABEL));
  serial = tokenctl_printable (tokenctl_status_string (token->status, TOKEND_STATUS_SERIAL));
  g_assert_true (n_words == first + 1 || n_words == first + 2);
  if (n_words == first + 2)
    g_assert_cmpstr (words[first + 1], ==, serial);
  g_assert_true (g_str_equal (words[first], label)
                 || (n_words == first + 1 && g_str_equal (words[first], serial)));
  g_assert_true (first == 3 || *words[first] != '-');
}

static void
check_words (const TokenctlToken *token, TokendRole role)
{
  TokenctlTries tries = tokenctl_status_tries (token->status, role);
  g_autofree char *words = tokenctl_words_for_tries (&tries, role);
  g_autofree char *next = tokenctl_next_step (token->status, role, "TOKEN");
  g_autofree char *loss = role == TOKEND_ROLE_PIN ? tokenctl_words_for_pin_loss (token->status)
                                                  : tokenctl_words_for_loss (&tries);

  fuzz_assert_printable (words);
  if (next != NULL)
    fuzz_assert_printable_lines (next);
  fuzz_assert_printable (loss);
  /* Nobody is spared the question by a status that makes no sense. */
  if (tokenctl_decide (&tries) == TOKENCTL_DECISION_GO)
    g_assert_true ((tries.state == TOKEND_STATE_OK || tries.state == TOKEND_STATE_LOW)
                   && (!tries.remaining_known || tries.remaining >= 2));
}

static const char *
in_english (const char *text)
{
  return text;
}

/* A status that makes no sense keeps nobody from giving a code: what it says is said with it. */
static void
check_code_rules (GVariant *status, TokendRole role)
{
  const TokendCodeRules rules = tokenctl_status_code_rules (status, role);
  const TokendCodeResult result = tokend_code_validate_by_rules ("12345678", 8, &rules);
  g_autofree char *words = tokend_code_result_describe (&result, in_english);

  g_assert_cmpint (result.answer, <, TOKEND_CODE_NEVER);
  g_assert_cmpint (*words == '\0', ==, result.answer == TOKEND_CODE_SEND);
  fuzz_assert_printable (words);
}

static void
check_json (GVariant *status)
{
  g_autofree char *text = tokenctl_json (status, TRUE);
  g_autoptr (JsonNode) node = NULL;
  GVariantIter iter;
  const char *key;

  g_assert_true (g_utf8_validate (text, -1, NULL));
  node = json_from_string (text, NULL);
  g_assert_true (node != NULL && JSON_NODE_HOLDS_OBJECT (node));
  g_variant_iter_init (&iter, status);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, NULL))
    g_assert_true (json_object_has_member (json_node_get_object (node), key));
}

static void
check_event (TokenctlEventKind kind, GVariant *before, GVariant *status)
{
  TokenctlEvent event = { kind, "/org/tokend/Tokend1/tokens/1", before, status };
  g_autofree char *text = tokenctl_event_to_text (&event, FALSE);
  g_autoptr (GVariant) dictionary = tokenctl_event_to_dictionary (&event);

  fuzz_assert_printable (text);
  check_json (dictionary);
}

static void
check_validity (GVariant *status)
{
  g_autoptr (GDateTime) not_after = tokenctl_status_not_after (status);
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_local (1900000000);
  g_autofree char *words = NULL;

  if (not_after == NULL)
    return;
  words = tokenctl_words_for_validity (not_after, now);
  fuzz_assert_printable (words);
}

static void
check_token (GPtrArray *tokens, const TokenctlToken *token)
{
  static const char *const headers[] = { "LABEL", NULL };
  g_autoptr (TokenctlTable) table = tokenctl_table_new (headers);
  g_autofree char *name = tokenctl_token_name (token);
  g_autofree char *profiles = tokenctl_words_for_profiles (token->status);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  fuzz_assert_printable (name);
  fuzz_assert_printable_lines (profiles);
  tokenctl_table_add (table, tokenctl_status_string (token->status, TOKEND_STATUS_LABEL),
                      TOKENCTL_EMPHASIS_NONE);
  text = tokenctl_table_to_text (table, FALSE);
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 3);
  fuzz_assert_printable (lines[1]);
  check_argument (tokens, token);
  check_words (token, TOKEND_ROLE_PIN);
  check_words (token, TOKEND_ROLE_PUK);
  check_code_rules (token->status, TOKEND_ROLE_PIN);
  check_code_rules (token->status, TOKEND_ROLE_PUK);
  check_validity (token->status);
  check_json (token->status);
}

/* Two tokens' statuses, or one's earlier and later, as any program on the bus might send them that
 * took the name. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  g_autoptr (GPtrArray) tokens =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GVariant) status = fuzz_take_dictionary (&input, status_keys);

    g_ptr_array_add (tokens, tokenctl_token_new ("/", status));
  }
  for (guint i = 0; i < tokens->len; i++)
    check_token (tokens, tokens->pdata[i]);
  for (TokenctlEventKind kind = TOKENCTL_EVENT_ADDED; kind <= TOKENCTL_EVENT_CHANGED; kind++)
    check_event (kind, ((TokenctlToken *) tokens->pdata[0])->status,
                 ((TokenctlToken *) tokens->pdata[1])->status);
  return 0;
}
