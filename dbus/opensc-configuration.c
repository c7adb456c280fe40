/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-configuration.h"

#include "config.h"

gboolean
tokend_unlock_method_is_opensc (TokendUnlockMethod method)
{
  return method == TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN
         || method == TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN;
}

/**
 * tokend_opensc_configuration:
 * @method: how a token is about to be unlocked; none: it is read, or its PIN is changed.
 *
 * Chooses the file for a method; nothing else chooses one. The same C_SetPIN tries a PUK in one
 * configuration of OpenSC's, and a PIN in every other.
 *
 * Returns: (transfer none): the file that OpenSC must read
 */
const char *
tokend_opensc_configuration (TokendUnlockMethod method)
{
  switch (method) {
  case TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN:
    return TOKEND_OPENSC_DIR "/so-login-init-pin.conf";
  case TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN:
    return TOKEND_OPENSC_DIR "/set-pin.conf";
  case TOKEND_UNLOCK_METHOD_NONE:
  case TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN:
    return TOKEND_OPENSC_DIR "/no-unblock.conf";
  }
  g_return_val_if_reached (TOKEND_OPENSC_DIR "/no-unblock.conf");
}
