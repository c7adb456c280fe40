/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokenctlExit:
 *
 * The exit status: a contract, documented in tokenctl(1).
 */
typedef enum {
  TOKENCTL_EXIT_DONE = 0,
  TOKENCTL_EXIT_FAILED = 1,
  TOKENCTL_EXIT_USAGE = 2,
  TOKENCTL_EXIT_NOT_AUTHORIZED = 3,
  TOKENCTL_EXIT_NO_SUCH_TOKEN = 4,
  TOKENCTL_EXIT_WRONG_CODE = 5,
  TOKENCTL_EXIT_LOCKED = 6,
  TOKENCTL_EXIT_REFUSED = 7,
  TOKENCTL_EXIT_BUSY = 8,
  TOKENCTL_EXIT_OUTCOME_UNKNOWN = 9,
} TokenctlExit;

/* The domain of tokenctl's own errors: the code is the exit status. */
#define TOKENCTL_ERROR (tokenctl_error_quark ())
GQuark tokenctl_error_quark (void);

/**
 * TokenctlCost:
 *
 * What an error says of the token's tries.
 */
typedef enum {
  TOKENCTL_COST_NONE, /* no try was spent */
  TOKENCTL_COST_ONE,  /* one, on tokens that count this */
  TOKENCTL_COST_ASK,  /* known from the token's status alone */
} TokenctlCost;

/**
 * TokenctlExplanation:
 * @exit: the exit status
 * @cost: what it cost
 * @detail: whether the service's own words add something that a person can use
 * @what: what happened, in the person's language
 * @now: what to do now, or %NULL if that is for the token's status to say
 */
typedef struct {
  TokenctlExit exit;
  TokenctlCost cost;
  gboolean detail;
  const char *what;
  const char *now;
} TokenctlExplanation;

gboolean tokenctl_service_is_missing (const GError *error);
TokenctlExplanation tokenctl_explain_error (const GError *error, gboolean code_handed_over);

G_END_DECLS
