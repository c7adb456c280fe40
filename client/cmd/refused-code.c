/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused-code.h"

#include <glib/gi18n.h>

#include "ask.h"
#include "refused-message.h"
#include "validity.h"

static char *
words_for_refused_code (const GError *error, TokendRole role)
{
  g_autoptr (GDateTime) utc = tokend_refused_message_get_time (error->message);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;
  g_autofree char *moment = local != NULL ? tokenctl_words_for_moment (local) : NULL;

  if (moment == NULL)
    return g_strdup (_ ("The token has refused this very code before, so it was not sent again."));
  return g_strdup_printf (
      role == TOKEND_ROLE_PIN
          ? _ ("The token has refused this very PIN before, on %s, so it was not sent again.")
          : _ ("The token has refused this very PUK before, on %s, so it was not sent again."),
      moment);
}

/**
 * tokenctl_words_for_refused_code:
 * @error: AlreadyRefused, of the service
 * @role: whose code
 * @tries: of that code
 *
 * Returns: (transfer full): that the code was not sent, and when the token refused it
 */
char *
tokenctl_words_for_refused_code (const GError *error, TokendRole role, const TokenctlTries *tries)
{
  g_autofree char *words = words_for_refused_code (error, role);

  return tokenctl_name_puk (tries->puk_words, words);
}

static gboolean
can_lose_certificate (const TokenctlTries *puk)
{
  return !puk->never_locks && puk->puk_words == NULL;
}

static const char *
words_for_risk (TokendRole role, const TokenctlTries *tries, gboolean has_other_pin)
{
  if (role == TOKEND_ROLE_PIN || (!has_other_pin && !can_lose_certificate (tries)))
    return _ ("Only if another program has set it since then can it be right. If it is wrong, it "
              "costs a try. Send it all the same?");
  if (has_other_pin)
    return _ ("It may have been refused for another PIN of this card. Only if each has a PUK of "
              "its own, or it was set since then, can it be right here. If it is wrong, it costs a "
              "try. Send it all the same?");
  return _ (
      "Only if another program has set it since then can it be right. If it is wrong, it "
      "costs a try, and the certificate may be lost with the last one. Send it all the same?");
}

/**
 * tokenctl_ask_refused_code:
 * @terminal: where to ask
 * @refusal: AlreadyRefused, of the service
 * @role: whose code
 * @tries: of that code
 * @has_other_pin: whether the card has another PIN, for which the PUK may have been refused
 * @error: cancelled, or not confirmed
 *
 * Returns: whether the person wants to send a code that the token has refused before
 */
gboolean
tokenctl_ask_refused_code (TokenctlTerminal *terminal, const GError *refusal, TokendRole role,
                           const TokenctlTries *tries, gboolean has_other_pin, GError **error)
{
  g_autofree char *words = tokenctl_words_for_refused_code (refusal, role, tries);
  g_autofree char *risk =
      tokenctl_name_puk (tries->puk_words, words_for_risk (role, tries, has_other_pin));

  tokenctl_terminal_say (terminal, words);
  return tokenctl_ask_yes (terminal, risk, error);
}
