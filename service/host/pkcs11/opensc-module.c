/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-module.h"

#include "token-field.h"

/**
 * tokend_opensc_is_module:
 *
 * Returns: whether the module says that it is OpenSC.
 */
gboolean
tokend_opensc_is_module (const TokendReadFunctions *functions)
{
  TokendTokenField manufacturer;
  CK_INFO info = { 0 };

  if (functions->get_info (&info) != CKR_OK)
    return FALSE;
  tokend_token_field_init (&manufacturer, info.manufacturerID, sizeof info.manufacturerID);
  return tokend_token_field_is (&manufacturer, "OpenSC Project");
}

/**
 * tokend_opensc_sends_hashes:
 *
 * Returns: whether the module is an OpenSC that sends an OpenPGP card the hash of a password, if
 *   the card wants that: 0.27 and later.
 */
gboolean
tokend_opensc_sends_hashes (const TokendReadFunctions *functions)
{
  CK_INFO info = { 0 };

  return tokend_opensc_is_module (functions) && functions->get_info (&info) == CKR_OK
         && (info.libraryVersion.major > 0 || info.libraryVersion.minor >= 27);
}
