/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include <glib/gi18n.h>

#include "expiry.h"
#include "provider-words.h"
#include "validity.h"
#include "words.h"

/* Separates sentences by blanks, and lines by line ends. */
static void
append_sentence (GString *body, const char *sentence)
{
  if (sentence == NULL)
    return;
  if (body->len > 0 && body->str[body->len - 1] != '\n')
    g_string_append_c (body, ' ');
  g_string_append (body, sentence);
}

static void
append_line (GString *body, const char *line)
{
  if (line == NULL)
    return;
  if (body->len > 0)
    g_string_append_c (body, '\n');
  g_string_append (body, line);
}

/* Whoever issued the certificate has no code that its owners do not call PUK. */
static void
append_support (GString *body, const TokendNotifySituation *situation,
                const TokendProvider *provider)
{
  g_autofree char *support = tokenctl_words_for_support (provider);

  if (situation->tries.of[TOKEND_ROLE_PUK].puk_words == NULL)
    append_line (body, support);
}

static gboolean
puk_helps (const TokendNotifySituation *situation)
{
  TokendState puk = situation->tries.of[TOKEND_ROLE_PUK].state;

  return situation->can_unlock && !situation->puk_may_be_locked && puk != TOKEND_STATE_LOCKED
         && puk != TOKEND_STATE_UNINITIALIZED;
}

/* Returns: (nullable): what the token's owners call its PUK. */
static const TokenctlPukWords *
puk_words_of (const TokendNotifySituation *situation)
{
  return situation->tries.of[TOKEND_ROLE_PUK].puk_words;
}

static void
append_named (GString *body, const TokendNotifySituation *situation, const char *sentence)
{
  g_autofree char *named = tokenctl_name_puk (puk_words_of (situation), sentence);

  append_sentence (body, named);
}

static char *
title_without_name (const TokendNotifySituation *situation)
{
  const TokenctlTries *pin = &situation->tries.of[TOKEND_ROLE_PIN];
  const TokenctlTries *puk = &situation->tries.of[TOKEND_ROLE_PUK];
  const char *name = TOKENCTL_VALUE;

  if (puk->state == TOKEND_STATE_LOCKED)
    return pin->state == TOKEND_STATE_LOCKED
               ? g_strdup_printf (_ ("%s: the PIN and the PUK are locked"), name)
               : g_strdup_printf (_ ("%s: the PUK is locked"), name);
  if (puk->state == TOKEND_STATE_FINAL_TRY)
    return g_strdup_printf (_ ("%s: one PUK try is left"), name);
  if (puk->state == TOKEND_STATE_LOW)
    return g_strdup_printf (_ ("%s: a PUK try was lost"), name);
  if (pin->state == TOKEND_STATE_LOCKED)
    return g_strdup_printf (_ ("%s: the PIN is locked"), name);
  if (pin->state == TOKEND_STATE_FINAL_TRY)
    return g_strdup_printf (_ ("%s: one PIN try is left"), name);
  return g_strdup_printf (_ ("%s: a PIN try was lost"), name);
}

static char *
title_for (const TokendNotifySituation *situation)
{
  g_autofree char *title = title_without_name (situation);

  return tokenctl_name_puk_beside (puk_words_of (situation), title, situation->name);
}

static char *
words_for_left (const TokenctlTries *tries, TokendRole role)
{
  g_autofree char *code = tokenctl_words_for_code (tries, role);
  g_autofree char *words = tokenctl_words_for_tries (tries, role);

  return g_strdup_printf (_ ("%s: %s."), code, words);
}

static void
append_pin_low (GString *body, const TokendNotifySituation *situation)
{
  g_autofree char *left = words_for_left (&situation->tries.of[TOKEND_ROLE_PIN], TOKEND_ROLE_PIN);

  append_sentence (body, left);
  append_sentence (body, _ ("The right PIN brings the tries back."));
  if (puk_helps (situation))
    append_named (body, situation, _ ("Forgotten it? A new one can be set with the PUK."));
}

static void
append_pin_final (GString *body, const TokendNotifySituation *situation)
{
  append_sentence (body, _ ("The next wrong PIN locks the token."));
  append_named (body, situation,
                puk_helps (situation)
                    ? _ ("If you are not sure of the PIN, do not try it: a new one can be "
                         "set with the PUK.")
                    : _ ("If you are not sure of the PIN, do not try it."));
}

static void
append_pin_locked (GString *body, const TokendNotifySituation *situation,
                   const TokendProvider *provider)
{
  if (puk_helps (situation)) {
    append_named (body, situation,
                  _ ("Unlock it with the PUK and set a new PIN. Keys and certificates "
                     "stay."));
  } else if (situation->puk_may_be_locked) {
    append_named (body, situation,
                  _ ("The PUK may be locked, too: tokend has sent as many wrong ones as most "
                     "tokens allow."));
    append_support (body, situation, provider);
  } else {
    append_named (body, situation,
                  situation->tries.of[TOKEND_ROLE_PUK].state == TOKEND_STATE_UNINITIALIZED
                      ? _ ("The token has no PUK to be unlocked with.")
                      : _ ("tokend cannot unlock this token."));
    append_support (body, situation, provider);
  }
}

static const char *
advice_for_puk (const TokenctlTries *puk)
{
  if (puk->state == TOKEND_STATE_FINAL_TRY)
    return _ ("Make no further try.");
  if (puk->never_locks)
    return _ ("The right PUK brings the tries back.");
  return _ ("Unless you are sure of the PUK, make no further try. If it was changed earlier, the "
            "changed one counts.");
}

static void
append_puk (GString *body, const TokendNotifySituation *situation, const TokendProvider *provider)
{
  const TokenctlTries *pin = &situation->tries.of[TOKEND_ROLE_PIN];
  const TokenctlTries *puk = &situation->tries.of[TOKEND_ROLE_PUK];
  g_autofree char *loss = tokenctl_words_for_puk_loss (provider, puk);
  g_autofree char *puk_left = words_for_left (puk, TOKEND_ROLE_PUK);
  g_autofree char *pin_left = words_for_left (pin, TOKEND_ROLE_PIN);

  if (puk->state == TOKEND_STATE_LOCKED) {
    append_sentence (body, pin->state == TOKEND_STATE_LOCKED
                               ? _ ("Nothing on this computer can unlock the token.")
                           : puk->puk_words != NULL
                               ? _ ("If the PIN gets locked too, tokend cannot unlock it.")
                               : _ ("If the PIN gets locked too, nothing can unlock it."));
    if (situation->has_no_certificate && puk->puk_words == NULL)
      append_sentence (body, tokenctl_words_for_gone_certificate ());
    append_support (body, situation, provider);
    return;
  }

  if (puk->state == TOKEND_STATE_LOW)
    append_sentence (body, puk_left);
  append_named (body, situation, advice_for_puk (puk));
  append_support (body, situation, provider);
  append_line (body, loss);
  if (tokend_notify_is_concern (pin))
    append_line (body, pin_left);
}

static char *
command_for (const TokendNotifySituation *situation)
{
  GString *command = g_string_new ("tokenctl unlock --");

  for (guint i = 0; situation->names[i] != NULL; i++) {
    g_autofree char *quoted = g_shell_quote (situation->names[i]);

    g_string_append_printf (command, " %s", quoted);
  }
  return g_string_free (command, FALSE);
}

/* Says what the actions would do, where there are none. */
static void
append_what_actions_do (GString *body, const TokendNotifyMessage *message,
                        const TokendNotifySituation *situation, const TokendProvider *provider)
{
  g_autofree char *command = command_for (situation);
  g_autofree char *unlock = g_strdup_printf (_ ("In a terminal: %s"), command);
  g_autofree char *source =
      tokenctl_words_for_puk_source (provider, &situation->tries.of[TOKEND_ROLE_PUK]);

  if (message->offer_unlock)
    append_line (body, unlock);
  if (message->offer_help)
    append_line (body, source);
}

static void
choose_actions (TokendNotifyMessage *message, const TokendNotifySituation *situation)
{
  const TokenctlTries *pin = &situation->tries.of[TOKEND_ROLE_PIN];
  const TokenctlTries *puk = &situation->tries.of[TOKEND_ROLE_PUK];

  message->help = tokenctl_name_puk (puk->puk_words, _ ("How do I get the PUK?"));
  message->offer_help = puk_helps (situation)
                        && (puk->puk_words == NULL || puk->puk_words->source != NULL)
                        && (pin->state == TOKEND_STATE_LOCKED || tokend_notify_is_concern (puk));
  /* Not on the last PUK try, which the words advise against. */
  message->offer_unlock = puk_helps (situation) && pin->state == TOKEND_STATE_LOCKED
                          && puk->state != TOKEND_STATE_FINAL_TRY;
}

/**
 * tokend_notify_message_new:
 * @situation: a token's, with a concern
 * @provider: (nullable): who issued its certificate
 * @actions: whether the notification server shows actions
 *
 * Puts the PUK's concern first, which can lose more.
 *
 * Returns: (transfer full): what to say
 */
TokendNotifyMessage *
tokend_notify_message_new (const TokendNotifySituation *situation, const TokendProvider *provider,
                           gboolean actions)
{
  const TokenctlTries *pin = &situation->tries.of[TOKEND_ROLE_PIN];
  gboolean about_puk = tokend_notify_is_concern (&situation->tries.of[TOKEND_ROLE_PUK]);
  TokendNotifyMessage *message = g_new0 (TokendNotifyMessage, 1);
  GString *body = g_string_new (NULL);

  message->title = title_for (situation);
  message->critical = about_puk || pin->state != TOKEND_STATE_LOW;
  message->icon = message->critical ? "dialog-error" : "dialog-warning";
  choose_actions (message, situation);

  if (about_puk)
    append_puk (body, situation, provider);
  else if (pin->state == TOKEND_STATE_LOCKED)
    append_pin_locked (body, situation, provider);
  else if (pin->state == TOKEND_STATE_FINAL_TRY)
    append_pin_final (body, situation);
  else
    append_pin_low (body, situation);
  if (!actions)
    append_what_actions_do (body, message, situation, provider);

  message->body = g_string_free (body, FALSE);
  return message;
}

/**
 * tokend_notify_message_new_help:
 * @situation: a token's
 * @provider: (nullable): who issued its certificate
 * @page_opened: whether the provider's page is open
 *
 * Returns: (transfer full): how to get the PUK, and to go on with it
 */
TokendNotifyMessage *
tokend_notify_message_new_help (const TokendNotifySituation *situation,
                                const TokendProvider *provider, gboolean page_opened)
{
  TokendNotifyMessage *message = g_new0 (TokendNotifyMessage, 1);
  g_autofree char *title = NULL;

  title = g_strdup_printf (_ ("%s: how to get the PUK"), TOKENCTL_VALUE);
  message->title = tokenctl_name_puk_beside (puk_words_of (situation), title, situation->name);
  message->body =
      page_opened && provider != NULL && provider->puk_help != NULL
          ? g_strdup (provider->puk_help)
          : tokenctl_words_for_puk_source (provider, &situation->tries.of[TOKEND_ROLE_PUK]);
  message->icon = "dialog-information";
  message->critical = TRUE;
  choose_actions (message, situation);
  message->offer_help = FALSE;
  return message;
}

/**
 * tokend_notify_message_new_no_terminal:
 * @situation: a token's
 *
 * Returns: (transfer full): how to unlock it where no terminal could be opened
 */
TokendNotifyMessage *
tokend_notify_message_new_no_terminal (const TokendNotifySituation *situation)
{
  TokendNotifyMessage *message = g_new0 (TokendNotifyMessage, 1);
  g_autofree char *command = command_for (situation);

  message->title = g_strdup_printf (_ ("%s: no terminal could be opened"), situation->name);
  message->body = g_strdup_printf (_ ("Open one, and type: %s"), command);
  message->icon = "dialog-error";
  message->critical = TRUE;
  choose_actions (message, situation);
  message->offer_unlock = FALSE;
  return message;
}

static char *
title_for_expiry (const char *name, const TokenctlValidity *validity)
{
  guint days = (guint) MAX (validity->days, 0);

  if (validity->ended)
    return g_strdup_printf (_ ("%s: the certificate has ended"), name);
  if (days == 0)
    return g_strdup_printf (_ ("%s: the certificate ends today"), name);
  if (days == 1)
    return g_strdup_printf (_ ("%s: the certificate ends tomorrow"), name);
  return g_strdup_printf (
      ngettext ("%s: the certificate ends in %u day", "%s: the certificate ends in %u days", days),
      name, days);
}

static char *
words_for_renewal (const TokendProvider *provider)
{
  if (provider != NULL)
    return g_strdup_printf (_ ("Renew it with %s before then: usually that takes a certificate "
                               "that is still valid."),
                            provider->name);
  return g_strdup (_ ("Renew it before then: usually that takes a certificate that is still "
                      "valid."));
}

/**
 * tokend_notify_message_new_expiry:
 * @situation: a token's, with a certificate that ends soon or has ended
 * @provider: (nullable): who issued it
 * @now: in the time zone of its end
 *
 * Returns: (transfer full): what to say
 */
TokendNotifyMessage *
tokend_notify_message_new_expiry (const TokendNotifySituation *situation,
                                  const TokendProvider *provider, GDateTime *now)
{
  TokendNotifyMessage *message = g_new0 (TokendNotifyMessage, 1);
  TokenctlValidity validity = tokenctl_validity (situation->not_after, now);
  g_autofree char *moment = tokenctl_words_for_moment (situation->not_after);
  g_autofree char *support = tokenctl_words_for_support (provider);
  g_autofree char *renewal = words_for_renewal (provider);
  GString *body = g_string_new (NULL);

  if (validity.ended) {
    g_string_append_printf (body, _ ("It ended on %s. Nothing can be signed with it any more."),
                            moment);
    append_sentence (body, _ ("A new one is needed."));
  } else {
    g_string_append_printf (
        body, _ ("It is valid until %s. After that nothing can be signed with it."), moment);
    append_sentence (body, renewal);
  }
  append_line (body, support);

  message->title = title_for_expiry (situation->name, &validity);
  message->body = g_string_free (body, FALSE);
  message->critical = tokend_notify_stage (situation->not_after, now) >= TOKEND_NOTIFY_STAGE_DAY;
  message->icon = message->critical ? "dialog-error" : "dialog-warning";
  return message;
}

void
tokend_notify_message_free (TokendNotifyMessage *message)
{
  g_free (message->title);
  g_free (message->body);
  g_free (message->help);
  g_free (message);
}
