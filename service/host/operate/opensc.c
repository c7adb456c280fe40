/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-private.h"

#include "opensc-readers.h"
#include "tokend-error.h"

#include <unistd.h>

/**
 * tokend_opensc_check:
 * @is_opensc: whether the module is OpenSC
 * @method: how the token is about to be unlocked; none: its PIN is to be changed
 * @error: NotSupported
 *
 * Checks that OpenSC reads the configuration for @method. With another one, also the system's, it
 * may take a PUK for a PIN, or a PIN for a PUK. It ignores a missing file without a word. A method
 * without a configuration may spend the PUK's try and not unlock.
 *
 * Returns: whether a code may be sent
 */
gboolean
tokend_opensc_check (gboolean is_opensc, TokendUnlockMethod method, GError **error)
{
  const char *wanted = tokend_opensc_configuration (method);

  if (!is_opensc && !tokend_unlock_method_is_opensc (method))
    return TRUE;
  if (is_opensc && method != TOKEND_UNLOCK_METHOD_NONE
      && !tokend_unlock_method_is_opensc (method)) {
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
        "The token's profile has a way to unlock that is not OpenSC's; it must say "
        "Library=opensc, and one that is");
    return FALSE;
  }
  if (is_opensc && g_strcmp0 (tokend_opensc_readers_get_configuration (), wanted) == 0
      && access (wanted, R_OK) == 0)
    return TRUE;
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
               is_opensc
                   ? "OpenSC does not read %s, which this needs: its library must be named in "
                     "a profile with Library=opensc"
                   : "This way to unlock is OpenSC's with %s, and the module is another one",
               wanted);
  return FALSE;
}
