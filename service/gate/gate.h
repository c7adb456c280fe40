/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gate-answer.h"

G_BEGIN_DECLS

/**
 * TokendGateMode:
 *
 * Whether a person may be asked.
 */
typedef enum {
  TOKEND_GATE_SILENT,         /* never */
  TOKEND_GATE_AS_CALLER_SAYS, /* if the message has ALLOW_INTERACTIVE_AUTHORIZATION */
} TokendGateMode;

/**
 * TokendGate:
 *
 * Asks polkit, and nobody else does. Asynchronous and cancellable; refuses if polkit does not
 * answer.
 */
#define TOKEND_TYPE_GATE (tokend_gate_get_type ())
G_DECLARE_FINAL_TYPE (TokendGate, tokend_gate, TOKEND, GATE, GObject)

TokendGate *tokend_gate_new (void);

void tokend_gate_check_async (TokendGate *self, GDBusMethodInvocation *invocation,
                              const char *action, TokendGateMode mode, const char *label,
                              const char *serial, GCancellable *gone, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean tokend_gate_check_finish (TokendGate *self, GAsyncResult *result, GError **error);
TokendGateAnswer tokend_gate_check_get_answer (GAsyncResult *result);

G_END_DECLS
