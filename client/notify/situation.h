/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "decision.h"
#include "token.h"

G_BEGIN_DECLS

/**
 * TokendNotifySituation:
 * @tries: the worst of all its views
 * @can_unlock: whether Unlock is supported
 * @puk_may_be_locked: see tokenctl_may_be_locked()
 * @has_no_certificate: whether a view says so, and none shows one
 * @name: what sentences call the token; has the last characters of a serial number at most
 * @names: (array zero-terminated=1): the words that mean it to tokenctl, not quoted; none if
 *   another token has the same
 * @provider: (nullable): the status key `provider`
 * @not_after: (nullable): the latest end of the certificate that a view shows: another view may not
 *   have seen yet that it was renewed
 *
 * What is known of a physical token, or of one of its PINs, which several modules or labels may
 * show.
 */
typedef struct {
  TokendNotifyTries tries;
  gboolean can_unlock;
  gboolean puk_may_be_locked;
  gboolean has_no_certificate;
  char *name;
  char **names;
  char *provider;
  GDateTime *not_after;
} TokendNotifySituation;

char *tokend_notify_identity (GVariant *status);
char *tokend_notify_pin_identity (GVariant *status);
char *tokend_notify_pin_name (GVariant *status);
TokendNotifySituation *tokend_notify_situation_new (GPtrArray *tokens, const char *identity,
                                                    const char *label);
void tokend_notify_situation_free (TokendNotifySituation *situation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifySituation, tokend_notify_situation_free)

G_END_DECLS
