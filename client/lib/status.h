/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include "code-check.h"
#include "puk-words.h"

G_BEGIN_DECLS

/**
 * TokenctlTries:
 * @state: the state
 * @remaining: tries left, if @remaining_known
 * @maximum: the tries of a full counter, 0 if not known
 * @minimum: how many are left at least, 0 if not known
 * @never_locks: whether no number of wrong codes locks
 * @puk_words: (nullable): the words for a PUK that its owners call otherwise
 * @flag_gone: whether nothing is known, but that the token showed lost tries, and was used since
 */
typedef struct {
  TokendState state;
  gboolean remaining_known;
  guint remaining;
  guint maximum;
  guint minimum;
  gboolean never_locks;
  gboolean flag_gone;
  const TokenctlPukWords *puk_words;
} TokenctlTries;

const char *tokenctl_status_string (GVariant *status, const char *key);
gboolean tokenctl_status_uint (GVariant *status, const char *key, guint *value);
gboolean tokenctl_status_is (GVariant *status, const char *key, gboolean value);
const TokenctlPukWords *tokenctl_status_puk_words (GVariant *status);
TokenctlTries tokenctl_status_tries (GVariant *status, TokendRole role);

/**
 * TokenctlDecision:
 *
 * What must happen before a code of this role is asked for.
 */
typedef enum {
  TOKENCTL_DECISION_GO,         /* another try remains after this one */
  TOKENCTL_DECISION_FINAL_WORD, /* this may be the last try: the person must say so */
  TOKENCTL_DECISION_LOCKED,     /* the token is locked: no code can help */
  TOKENCTL_DECISION_NOT_SET,    /* there is no such code */
} TokenctlDecision;

TokendCodeRules tokenctl_status_code_rules (GVariant *status, TokendRole role);
TokenctlDecision tokenctl_decide (const TokenctlTries *tries);

G_END_DECLS
