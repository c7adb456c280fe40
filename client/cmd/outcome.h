/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "exit-code.h"
#include "provider.h"
#include "status.h"

G_BEGIN_DECLS

/**
 * TokenctlOutcome:
 * @error: the operation's error
 * @nothing_sent: whether no code went to the service, and so none to the token
 * @role: whose code was to be sent
 * @token_argument: what to call the token on tokenctl's command line
 * @before: the status before it
 * @after: (nullable): the status after it, if it could be had; maybe another token's
 * @provider: (nullable): who issued the certificate
 * @has_other_pin: whether the card has another PIN, which may have a PUK of its own
 */
typedef struct {
  const GError *error;
  gboolean nothing_sent;
  TokendRole role;
  const char *token_argument;
  GVariant *before;
  GVariant *after;
  const TokendProvider *provider;
  gboolean has_other_pin;
} TokenctlOutcome;

char *tokenctl_words_of_service (const char *message);
char *tokenctl_words_for_error (const GError *error);
char *tokenctl_words_for_outcome (const TokenctlOutcome *outcome);
char *tokenctl_words_for_success (GVariant *after, const char *token_argument);

G_END_DECLS
