/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gate-answer.h"

#include "tokend-error.h"

#include <glib/gi18n.h>

/**
 * tokend_gate_answer_interpret:
 * @reply: what polkit said.
 * @was_prompting: whether polkit was allowed to ask a person.
 *
 * Interprets polkit's answer. polkit answers a failed prompt as it answers one who may never:
 * neither authorized, nor a challenge. A challenge after the prompt means that there was no agent.
 *
 * Returns: the answer.
 */
TokendGateAnswer
tokend_gate_answer_interpret (const TokendGateReply *reply, gboolean was_prompting)
{
  if (reply->is_authorized)
    return TOKEND_GATE_ALLOWED;
  if (reply->is_challenge)
    return was_prompting ? TOKEND_GATE_NO_AGENT : TOKEND_GATE_NEEDS_PERSON;
  if (!was_prompting)
    return TOKEND_GATE_DENIED;
  return reply->is_dismissed ? TOKEND_GATE_DISMISSED : TOKEND_GATE_NOT_AUTHENTICATED;
}

/* Says what happened and what to do. Each text has the action once, where tokenctl finds it to
 * translate the rest. */
static const char *
get_words (TokendGateAnswer answer)
{
  switch (answer) {
  case TOKEND_GATE_NEEDS_PERSON:
    return N_ ("polkit wants a person to authenticate for %s, and the call does not allow to ask: "
               "set ALLOW_INTERACTIVE_AUTHORIZATION; for a program without a person an "
               "administrator can make a polkit rule, see tokend(8)");
  case TOKEND_GATE_NO_AGENT:
    return N_ ("polkit wants a person to authenticate for %s, and no polkit agent is there to ask: "
               "call from a desktop session, or run tokenctl in a terminal; for a program without "
               "a person an administrator can make a polkit rule, see tokend(8)");
  case TOKEND_GATE_DISMISSED:
    return N_ ("the request to authenticate for %s was dismissed: call again to be asked again");
  case TOKEND_GATE_NOT_AUTHENTICATED:
    return N_ ("the authentication for %s failed: call again, and give the right password");
  case TOKEND_GATE_EXPIRED:
    return N_ ("nobody answered the request to authenticate for %s in time: call again to be asked "
               "again");
  case TOKEND_GATE_UNANSWERED:
    return N_ ("polkit does not answer when it is asked for %s: see that polkit.service runs, then "
               "call again");
  case TOKEND_GATE_WITHDRAWN:
    return N_ ("the request to authenticate for %s was withdrawn: call again");
  case TOKEND_GATE_ALLOWED:
  case TOKEND_GATE_DENIED:
  default:
    return N_ ("polkit does not allow %s: an administrator can allow it by a polkit rule, see "
               "tokend(8)");
  }
}

/**
 * tokend_gate_answer_new_error:
 * @answer: any but %TOKEND_GATE_ALLOWED.
 * @action: (nullable): the polkit action; %NULL if there is none, because nobody may.
 *
 * Returns: (transfer full): NotAuthorized or InteractiveAuthorizationRequired.
 */
GError *
tokend_gate_answer_new_error (TokendGateAnswer answer, const char *action)
{
  g_auto (GStrv) words = g_strsplit (get_words (answer), "%s", 2);
  g_autofree char *message =
      g_strconcat (words[0], action != NULL ? action : "this", words[1], NULL);

  return g_error_new_literal (TOKEND_ERROR,
                              answer == TOKEND_GATE_NEEDS_PERSON
                                  ? TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
                                  : TOKEND_ERROR_NOT_AUTHORIZED,
                              message);
}
