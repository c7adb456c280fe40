/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "provider.h"
#include "situation.h"

G_BEGIN_DECLS

/**
 * TokendNotifyMessage:
 * @title: one line, plain text
 * @body: plain text
 * @icon: a themed icon's name
 * @critical: whether it is urgent, and stays until it is put away
 * @offer_unlock: whether there is an action "Unlock…"
 * @offer_help: whether there is the action @help
 * @help: "How do I get the PUK?"
 *
 * The text of a notification, in the person's language.
 */
typedef struct {
  char *title;
  char *body;
  const char *icon;
  gboolean critical;
  gboolean offer_unlock;
  gboolean offer_help;
  char *help;
} TokendNotifyMessage;

TokendNotifyMessage *tokend_notify_message_new (const TokendNotifySituation *situation,
                                                const TokendProvider *provider, gboolean actions);
TokendNotifyMessage *tokend_notify_message_new_help (const TokendNotifySituation *situation,
                                                     const TokendProvider *provider,
                                                     gboolean page_opened);
TokendNotifyMessage *tokend_notify_message_new_no_terminal (const TokendNotifySituation *situation);
TokendNotifyMessage *tokend_notify_message_new_expiry (const TokendNotifySituation *situation,
                                                       const TokendProvider *provider,
                                                       GDateTime *now);
void tokend_notify_message_free (TokendNotifyMessage *message);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyMessage, tokend_notify_message_free)

G_END_DECLS
