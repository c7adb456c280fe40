/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exit-code.h"

#include <glib/gi18n.h>

#include "tokend-error.h"

G_DEFINE_QUARK (tokenctl - error, tokenctl_error)

typedef struct {
  TokendError code;
  TokenctlExplanation explanation;
} Row;

static const Row rows[] = {
  { TOKEND_ERROR_FAILED,
    { TOKENCTL_EXIT_FAILED, TOKENCTL_COST_ASK, TRUE, N_ ("The operation failed."), NULL } },
  { TOKEND_ERROR_NOT_AUTHORIZED,
    { TOKENCTL_EXIT_NOT_AUTHORIZED, TOKENCTL_COST_NONE, TRUE,
      N_ ("You are not authorized to do this."), NULL } },
  { TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
    { TOKENCTL_EXIT_NOT_AUTHORIZED, TOKENCTL_COST_NONE, TRUE,
      N_ ("You are not authorized to do this."), NULL } },
  { TOKEND_ERROR_INVALID_ARGS,
    { TOKENCTL_EXIT_USAGE, TOKENCTL_COST_NONE, TRUE, N_ ("The service refused the request."),
      N_ ("Check the codes, then run the command again.") } },
  { TOKEND_ERROR_NOT_FOUND,
    { TOKENCTL_EXIT_NO_SUCH_TOKEN, TOKENCTL_COST_NONE, FALSE,
      N_ ("The token is not plugged in any more."), N_ ("Plug it in and try again.") } },
  { TOKEND_ERROR_BUSY,
    { TOKENCTL_EXIT_BUSY, TOKENCTL_COST_NONE, FALSE,
      N_ ("Another operation or another program is using the token."),
      N_ ("Wait until it has ended, then try again.") } },
  { TOKEND_ERROR_LIMITS_EXCEEDED,
    { TOKENCTL_EXIT_BUSY, TOKENCTL_COST_NONE, FALSE, N_ ("The service has too many requests."),
      N_ ("Try again in a moment.") } },
  { TOKEND_ERROR_PIN_INCORRECT,
    { TOKENCTL_EXIT_WRONG_CODE, TOKENCTL_COST_ONE, FALSE, N_ ("The PIN is not right."),
      N_ ("If you are not sure of the PIN, do not try it.") } },
  { TOKEND_ERROR_PUK_INCORRECT,
    { TOKENCTL_EXIT_WRONG_CODE, TOKENCTL_COST_ONE, FALSE, N_ ("The PUK is not right."),
      N_ ("Make no further try unless you are sure of the PUK. Call the support line of whoever "
          "issued your certificate.") } },
  { TOKEND_ERROR_PIN_LOCKED,
    { TOKENCTL_EXIT_LOCKED, TOKENCTL_COST_ASK, FALSE, N_ ("The PIN is locked."), NULL } },
  { TOKEND_ERROR_PUK_LOCKED,
    { TOKENCTL_EXIT_LOCKED, TOKENCTL_COST_ASK, FALSE, N_ ("The PUK is locked."),
      N_ ("Call the support line of whoever issued your certificate.") } },
  { TOKEND_ERROR_PIN_POLICY,
    { TOKENCTL_EXIT_REFUSED, TOKENCTL_COST_ASK, TRUE, N_ ("The new PIN was not accepted."),
      N_ ("Choose another new PIN.") } },
  { TOKEND_ERROR_ALREADY_REFUSED,
    { TOKENCTL_EXIT_REFUSED, TOKENCTL_COST_NONE, FALSE,
      N_ ("The token has refused this very code before, so it was not sent again."),
      N_ ("Check the code. Only if it was set since then, and you are sure of it: "
          "--send-refused-code") } },
  { TOKEND_ERROR_FINAL_ATTEMPT,
    { TOKENCTL_EXIT_REFUSED, TOKENCTL_COST_NONE, FALSE,
      N_ ("This may be the last try, so nothing was sent."),
      N_ ("Look at the status, then decide. If you are sure of the code, run the command "
          "again.") } },
  { TOKEND_ERROR_RETRIES_CHANGED,
    { TOKENCTL_EXIT_REFUSED, TOKENCTL_COST_NONE, FALSE,
      N_ ("The number of tries left has changed, so nothing was sent."),
      N_ ("Another program may have used the token. Look at the status, then decide again.") } },
  { TOKEND_ERROR_TOKEN_REMOVED,
    { TOKENCTL_EXIT_NO_SUCH_TOKEN, TOKENCTL_COST_NONE, FALSE,
      N_ ("The token was unplugged or could not be watched, if only for a moment, before the codes "
          "were sent."),
      N_ ("Plug it in and run the command again.") } },
  { TOKEND_ERROR_MODULE_FAILED,
    { TOKENCTL_EXIT_FAILED, TOKENCTL_COST_NONE, TRUE, N_ ("The token's PKCS#11 module failed."),
      N_ ("See “tokenctl modules”; plugging the token in again often helps.") } },
  { TOKEND_ERROR_TIMED_OUT,
    { TOKENCTL_EXIT_BUSY, TOKENCTL_COST_NONE, TRUE, N_ ("It took too long."),
      N_ ("Plug the token in again and try once more.") } },
  { TOKEND_ERROR_OUTCOME_UNKNOWN,
    { TOKENCTL_EXIT_OUTCOME_UNKNOWN, TOKENCTL_COST_ASK, FALSE,
      N_ ("The code was sent, and no answer came."),
      N_ ("If the token was unplugged, plug it in. Look at the status before you do anything "
          "else.") } },
  { TOKEND_ERROR_SERVICE_ENDING,
    { TOKENCTL_EXIT_BUSY, TOKENCTL_COST_NONE, FALSE,
      N_ ("The service was ending, so nothing was sent."), N_ ("Run the command again.") } },
  { TOKEND_ERROR_NOT_SUPPORTED,
    { TOKENCTL_EXIT_FAILED, TOKENCTL_COST_NONE, TRUE, N_ ("This token does not support it."),
      NULL } },
};

static TokenctlExplanation
translated (const TokenctlExplanation *explanation)
{
  TokenctlExplanation copy = *explanation;

  copy.what = _ (explanation->what);
  copy.now = explanation->now != NULL ? _ (explanation->now) : NULL;
  return copy;
}

static gboolean
is_any_of (const GError *error, GQuark domain, const int *codes, gsize n_codes)
{
  for (gsize i = 0; i < n_codes; i++) {
    if (g_error_matches (error, domain, codes[i]))
      return TRUE;
  }
  return FALSE;
}

/**
 * tokenctl_service_is_missing:
 * @error: an error of a D-Bus call
 *
 * Returns: whether the call was not made because the service is not there and cannot be started
 */
gboolean
tokenctl_service_is_missing (const GError *error)
{
  static const int codes[] = {
    G_DBUS_ERROR_SERVICE_UNKNOWN,        G_DBUS_ERROR_NAME_HAS_NO_OWNER,
    G_DBUS_ERROR_SPAWN_EXEC_FAILED,      G_DBUS_ERROR_SPAWN_FORK_FAILED,
    G_DBUS_ERROR_SPAWN_CHILD_EXITED,     G_DBUS_ERROR_SPAWN_CHILD_SIGNALED,
    G_DBUS_ERROR_SPAWN_FAILED,           G_DBUS_ERROR_SPAWN_SETUP_FAILED,
    G_DBUS_ERROR_SPAWN_CONFIG_INVALID,   G_DBUS_ERROR_SPAWN_SERVICE_INVALID,
    G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND
  };

  return is_any_of (error, G_DBUS_ERROR, codes, G_N_ELEMENTS (codes));
}

static gboolean
object_is_gone (const GError *error)
{
  static const int codes[] = { G_DBUS_ERROR_UNKNOWN_OBJECT, G_DBUS_ERROR_UNKNOWN_INTERFACE,
                               G_DBUS_ERROR_UNKNOWN_METHOD };

  return is_any_of (error, G_DBUS_ERROR, codes, G_N_ELEMENTS (codes));
}

/* Explains errors that did not come from the service: the bus answered for it, or nobody did. */
static TokenctlExplanation
explain_missing_service (const GError *error, gboolean code_handed_over)
{
  static const TokenctlExplanation missing = {
    TOKENCTL_EXIT_FAILED, TOKENCTL_COST_NONE, TRUE,
    N_ ("The tokend service is not installed, or cannot be started."),
    N_ ("Check that the tokend package is installed; “systemctl status tokend” says more.")
  };
  static const TokenctlExplanation denied = { TOKENCTL_EXIT_NOT_AUTHORIZED, TOKENCTL_COST_NONE,
                                              TRUE, N_ ("The system bus refused the call."), NULL };
  static const TokenctlExplanation lost = {
    TOKENCTL_EXIT_OUTCOME_UNKNOWN, TOKENCTL_COST_ASK, TRUE,
    N_ ("The service has the codes and did not answer."),
    N_ ("Look at the status before you do anything else.")
  };
  static const TokenctlExplanation other = { TOKENCTL_EXIT_FAILED, TOKENCTL_COST_NONE, TRUE,
                                             N_ ("The tokend service cannot be reached."), NULL };

  if (tokenctl_service_is_missing (error))
    return translated (&missing);
  if (object_is_gone (error))
    return tokenctl_explain_error (&(GError){ TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND, NULL }, FALSE);
  if (g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
    return translated (&denied);
  return translated (code_handed_over ? &lost : &other);
}

/**
 * tokenctl_explain_error:
 * @error: an error of a D-Bus call, or of tokenctl itself
 * @code_handed_over: whether the service had the codes, so that a missing answer leaves the outcome
 *   open; else no try was spent
 *
 * Explains any error to the person and to the exit status; nothing else does.
 *
 * Returns: the explanation; its strings are static, or @error's own
 */
TokenctlExplanation
tokenctl_explain_error (const GError *error, gboolean code_handed_over)
{
  if (error->domain == TOKENCTL_ERROR) {
    return (TokenctlExplanation){ (TokenctlExit) error->code, TOKENCTL_COST_NONE, FALSE,
                                  error->message, NULL };
  }

  if (error->domain == TOKEND_ERROR) {
    for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
      TokenctlExplanation explanation = translated (&rows[i].explanation);

      if (!code_handed_over)
        explanation.cost = TOKENCTL_COST_NONE;
      if (rows[i].code == (TokendError) error->code)
        return explanation;
    }
  }

  return explain_missing_service (error, code_handed_over);
}
