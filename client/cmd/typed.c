/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "typed.h"

#include <glib/gi18n.h>

/* Tells whether @code is what was typed before, the same or without what people paste along. */
static gboolean
is_same_code (TokenctlCode *before, TokenctlCode *code)
{
  g_autoptr (TokenctlCode) seen = tokenctl_code_as_seen (before, NULL);

  return tokenctl_code_equal (before, code)
         || (seen != NULL
             && (tokenctl_code_length (seen) == 0 || tokenctl_code_equal (seen, code)));
}

static gboolean
has_blank (TokenctlCode *code)
{
  return strchr (tokenctl_code_bytes (code), ' ') != NULL;
}

/* Validates @code without regard to an earlier one. */
static TokenctlTyped
validate_alone (const TokendCodeResult *result, gboolean send_unusual)
{
  TokenctlTyped typed = { .result = *result };

  if (result->answer == TOKEND_CODE_NEVER
      || (result->answer == TOKEND_CODE_REFUSE && !send_unusual))
    typed.answer = TOKENCTL_TYPED_IMPOSSIBLE;
  else if (result->answer != TOKEND_CODE_SEND)
    typed.answer = TOKENCTL_TYPED_DOUBTFUL;
  return typed;
}

static TokenctlTyped
compare_next (TokenctlTyped typed, TokenctlTypedAnswer answer)
{
  typed.answer = answer;
  typed.next = TOKENCTL_NEXT_AS_THIS;
  return typed;
}

/* Tells whether the code must come again. A code with blanks is accepted once it comes the same
 * again. */
static gboolean
must_be_repeated (TokenctlCode *code, TokenctlCode *before, const TokenctlTyped *typed)
{
  const gboolean is_blank = typed->answer == TOKENCTL_TYPED_IMPOSSIBLE
                                ? typed->result.finding == TOKEND_CODE_BLANK
                                : has_blank (code);

  return is_blank && (before == NULL || !tokenctl_code_equal (before, code));
}

/* Tells whether a person who has seen the code written would type it the same again, without what
 * was pasted along. */
static gboolean
is_seen_without (TokendCodeFinding finding)
{
  return finding == TOKEND_CODE_BLANK || finding == TOKEND_CODE_INVISIBLE;
}

/**
 * tokenctl_typed_validate:
 * @code: what was typed
 * @before: (nullable): what was typed before, if it has to come again
 * @send_unusual: whether the person says that the code may look like a mistake
 *
 * Validates a PUK or present PIN, whatever token it is for.
 *
 * Returns: what to do with it
 */
TokenctlTyped
tokenctl_typed_validate (TokenctlCode *code, TokenctlCode *before, gboolean send_unusual)
{
  const TokendCodeResult result = tokenctl_code_validate (code, TOKEND_CODE_KIND_PRESENT);
  TokenctlTyped typed = validate_alone (&result, send_unusual);

  /* An empty line, or a key that no code has, says nothing of the code that has to come again. */
  if (result.answer == TOKEND_CODE_NEVER) {
    typed.next = TOKENCTL_NEXT_AS_BEFORE;
    return typed;
  }
  if (before != NULL && !is_same_code (before, code))
    return compare_next (typed, TOKENCTL_TYPED_ANOTHER);
  if (must_be_repeated (code, before, &typed))
    return compare_next (typed, TOKENCTL_TYPED_BLANK);
  if (typed.answer == TOKENCTL_TYPED_IMPOSSIBLE && is_seen_without (result.finding))
    return compare_next (typed, TOKENCTL_TYPED_IMPOSSIBLE);
  return typed;
}

/**
 * tokenctl_typed_validate_by_rules:
 * @code: what was typed, and can be a code at all
 * @rules: what is known of this token's code
 * @send_unusual: whether the person says that the code may look like a mistake
 *
 * Returns: what to do with it
 */
TokenctlTyped
tokenctl_typed_validate_by_rules (const TokenctlCode *code, const TokendCodeRules *rules,
                                  gboolean send_unusual)
{
  const TokendCodeResult result = tokenctl_code_validate_by_rules (code, rules);

  return validate_alone (&result, send_unusual);
}

/**
 * tokenctl_typed_is_yes:
 * @line: what was typed; it need not be valid UTF-8
 *
 * Returns: whether it is yes, in the person's language or in English
 */
gboolean
tokenctl_typed_is_yes (const char *line)
{
  g_autofree char *valid = g_utf8_make_valid (line, -1);
  g_autofree char *folded = g_utf8_casefold (g_strstrip (valid), -1);

  return g_str_equal (folded, _ ("yes")) || g_str_equal (folded, "yes");
}
