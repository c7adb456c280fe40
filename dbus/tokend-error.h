/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TOKEND_ERROR_PREFIX "org.tokend.Tokend1.Error."

/**
 * TokendError:
 *
 * The errors of the methods of org.tokend.Tokend1. The D-Bus name is tokend_error_get_prefix() and
 * the nick. org.tokend.Tokend1.xml says for each method what an error costs.
 */
typedef enum {
  TOKEND_ERROR_FAILED,          /*< nick=Failed >*/
  TOKEND_ERROR_NOT_AUTHORIZED,  /*< nick=NotAuthorized >*/
  TOKEND_ERROR_INVALID_ARGS,    /*< nick=InvalidArgs >*/
  TOKEND_ERROR_NOT_FOUND,       /*< nick=NotFound >*/
  TOKEND_ERROR_BUSY,            /*< nick=Busy >*/
  TOKEND_ERROR_LIMITS_EXCEEDED, /*< nick=LimitsExceeded >*/
  TOKEND_ERROR_PIN_INCORRECT,   /*< nick=PinIncorrect >*/
  TOKEND_ERROR_PUK_INCORRECT,   /*< nick=PukIncorrect >*/
  TOKEND_ERROR_PIN_LOCKED,      /*< nick=PinLocked >*/
  TOKEND_ERROR_PUK_LOCKED,      /*< nick=PukLocked >*/
  TOKEND_ERROR_PIN_POLICY,      /*< nick=PinPolicy >*/
  TOKEND_ERROR_ALREADY_REFUSED, /*< nick=AlreadyRefused >*/
  TOKEND_ERROR_FINAL_ATTEMPT,   /*< nick=FinalAttempt >*/
  TOKEND_ERROR_RETRIES_CHANGED, /*< nick=RetriesChanged >*/
  TOKEND_ERROR_TOKEN_REMOVED,   /*< nick=TokenRemoved >*/
  TOKEND_ERROR_MODULE_FAILED,   /*< nick=ModuleFailed >*/
  TOKEND_ERROR_TIMED_OUT,       /*< nick=TimedOut >*/
  TOKEND_ERROR_OUTCOME_UNKNOWN, /*< nick=OutcomeUnknown >*/
  TOKEND_ERROR_NOT_SUPPORTED,   /*< nick=NotSupported >*/
  TOKEND_ERROR_SERVICE_ENDING,  /*< nick=ServiceEnding >*/
  /* The standard's name, which GDBus does not know. */
  TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, /*< nick=InteractiveAuthorizationRequired >*/
} TokendError;

#define TOKEND_ERROR (tokend_error_quark ())
GQuark tokend_error_quark (void);

const char *tokend_error_get_prefix (TokendError code);
gboolean tokend_error_is_not_authorized (const GError *error);

G_END_DECLS
