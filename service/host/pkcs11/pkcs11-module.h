/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "narrow-pkcs11.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendReadFunctions:
 *
 * All functions that a host may call to read tokens; none costs a try.
 */
typedef struct {
  CK_C_Initialize initialize;
  CK_C_Finalize finalize; /* may be NULL, as may get_slot_info */
  CK_C_GetInfo get_info;
  CK_C_GetSlotList get_slot_list;
  CK_C_GetSlotInfo get_slot_info;
  CK_C_GetTokenInfo get_token_info;
  CK_C_OpenSession open_session;
  CK_C_CloseSession close_session;
  CK_C_FindObjectsInit find_objects_init;
  CK_C_FindObjects find_objects;
  CK_C_FindObjectsFinal find_objects_final;
  CK_C_GetAttributeValue get_attribute_value;
  CK_C_WaitForSlotEvent wait_for_slot_event; /* for a second thread; NULL: not with this module */
} TokendReadFunctions;

/**
 * TokendOperationFunctions:
 *
 * The further functions of an operating host; a watching host never has them.
 */
typedef struct {
  CK_C_Login login;
  CK_C_Logout logout;
  CK_C_InitPIN init_pin;
  CK_C_SetPIN set_pin;
} TokendOperationFunctions;

gboolean tokend_pkcs11_module_load (const char *path, GVariant *environment,
                                    TokendReadFunctions *read, TokendOperationFunctions *operation,
                                    GError **error);
gboolean tokend_pkcs11_module_initialize (TokendReadFunctions *read, GError **error);
GVariant *tokend_pkcs11_module_describe (const TokendReadFunctions *read, GError **error);
void tokend_pkcs11_module_finalize (const TokendReadFunctions *read);

G_END_DECLS
