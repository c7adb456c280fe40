/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "provider-words.h"

#include "config.h"

#include <glib/gi18n.h>

#include "words.h"

/**
 * tokenctl_provider:
 * @name: the status key `provider`
 *
 * Returns: (transfer full) (nullable): who issued the token's certificate, if known
 */
TokendProvider *
tokenctl_provider (const char *name)
{
  return tokend_provider_load (name, TOKEND_PROFILE_DIR, TOKEND_ADMIN_PROFILE_DIR);
}

/**
 * tokenctl_words_for_puk_source:
 * @provider: (nullable): who issued the certificate
 * @tries: the PUK's
 *
 * Returns: (transfer full) (nullable): how to get the PUK; %NULL: it is not known
 */
char *
tokenctl_words_for_puk_source (const TokendProvider *provider, const TokenctlTries *tries)
{
  /* Whoever issued the certificate has no such code. */
  if (tries->puk_words != NULL)
    return g_strdup (tries->puk_words->source);
  if (provider != NULL && provider->puk_help != NULL && provider->puk_page != NULL)
    return g_strdup_printf ("%s\n%s", provider->puk_help, provider->puk_page);
  if (provider != NULL && provider->puk_help != NULL)
    return g_strdup (provider->puk_help);
  if (provider != NULL && provider->puk_page != NULL)
    return g_strdup_printf (_ ("The PUK comes from %s: %s"), provider->name, provider->puk_page);
  return g_strdup (_ ("The PUK comes from whoever issued your certificate: with the token, by SMS, "
                      "or from their help desk."));
}

/**
 * tokenctl_words_for_support:
 * @provider: (nullable): who issued the certificate
 *
 * Returns: (transfer full): whom to call, one sentence
 */
char *
tokenctl_words_for_support (const TokendProvider *provider)
{
  if (provider != NULL && provider->support_line != NULL)
    return g_strdup_printf (_ ("Call the support line of %s: %s."), provider->name,
                            provider->support_line);
  return g_strdup (_ ("Call the support line of whoever issued your certificate."));
}

/**
 * tokenctl_words_for_puk_loss:
 * @provider: (nullable): who issued the certificate
 * @tries: what is known of the PUK's tries
 *
 * Returns: (transfer full): what is lost with the last PUK try
 */
char *
tokenctl_words_for_puk_loss (const TokendProvider *provider, const TokenctlTries *tries)
{
  if (provider != NULL && provider->loss != NULL && tries->puk_words == NULL)
    return g_strdup (provider->loss);
  return tokenctl_words_for_loss (tries);
}

static char *
words_for_last_resort (const TokendProvider *provider)
{
  g_autofree char *support =
      provider->support_line != NULL
          ? g_strdup_printf (_ ("Support line of %s: %s"), provider->name, provider->support_line)
          : NULL;

  if (support != NULL && provider->loss != NULL)
    return g_strdup_printf ("%s\n%s", support, provider->loss);
  return support != NULL ? g_steal_pointer (&support) : g_strdup (provider->loss);
}

/**
 * tokenctl_words_for_provider:
 * @provider: (nullable): who issued the certificate
 * @role: the code it is about
 *
 * Adds to tokenctl_next_step(): how to get the PUK that opens a locked PIN; whom to call about the
 * PUK, and what it can cost.
 *
 * Returns: (transfer full) (nullable): lines of text; %NULL if there is nothing to add
 */
char *
tokenctl_words_for_provider (const TokendProvider *provider, GVariant *status, TokendRole role)
{
  TokenctlTries pin = tokenctl_status_tries (status, TOKEND_ROLE_PIN);
  TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);

  if (provider == NULL && puk.puk_words == NULL)
    return NULL;
  if (role == TOKEND_ROLE_PIN)
    return pin.state == TOKEND_STATE_LOCKED && tokenctl_puk_can_help (status)
               ? tokenctl_words_for_puk_source (provider, &puk)
               : NULL;
  if (puk.puk_words != NULL)
    return puk.state == TOKEND_STATE_FINAL_TRY ? g_strdup (puk.puk_words->loss) : NULL;
  return tokenctl_emphasis_of (&puk) != TOKENCTL_EMPHASIS_NONE ? words_for_last_resort (provider)
                                                               : NULL;
}

/**
 * tokenctl_words_for_puk_beside:
 * @provider: (nullable): who issued the certificate
 * @role: the code it is about
 *
 * Tells whoever is to go on with the PUK how many tries the PUK has.
 *
 * Returns: (transfer full) (nullable): what to say of the PUK beside tokenctl_next_step() of the
 *   PIN; %NULL if there is nothing, or it does not name the PUK
 */
char *
tokenctl_words_for_puk_beside (const TokendProvider *provider, GVariant *status, TokendRole role)
{
  g_autofree char *pin_step = tokenctl_next_step (status, TOKEND_ROLE_PIN, "");
  g_autofree char *puk_step = tokenctl_next_step (status, TOKEND_ROLE_PUK, "");
  g_autofree char *more = tokenctl_words_for_provider (provider, status, TOKEND_ROLE_PUK);
  TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);

  if (role != TOKEND_ROLE_PIN || pin_step == NULL
      || (puk.state != TOKEND_STATE_LOCKED && !tokenctl_puk_can_help (status)))
    return NULL;

  /* If both are locked, one step says it. */
  if (g_strcmp0 (pin_step, puk_step) == 0)
    g_clear_pointer (&puk_step, g_free);
  if (puk_step != NULL && more != NULL)
    return g_strdup_printf ("%s\n%s", puk_step, more);
  return puk_step != NULL ? g_steal_pointer (&puk_step) : g_steal_pointer (&more);
}
