/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11-module.h"

#include "opensc-configuration.h"
#include "pkcs11-reason.h"
#include "token-field.h"
#include "tokend-error.h"

#include <p11-kit/p11-kit.h>

static gboolean
set_environment (GVariant *environment, GError **error)
{
  GVariantIter iter;
  const char *name, *value;

  g_variant_iter_init (&iter, environment);
  while (g_variant_iter_next (&iter, "{&s&s}", &name, &value)) {
    if (*name == '\0' || strchr (name, '=') != NULL) {
      g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                   "“%s” cannot be the name of an environment variable", name);
      return FALSE;
    }
    g_setenv (name, value, TRUE);
  }

  return TRUE;
}

/* Copies all that the host can ever call; the list itself is not kept. */
static gboolean
copy_read_functions (const CK_FUNCTION_LIST *list, TokendReadFunctions *read)
{
  *read = (TokendReadFunctions){
    .initialize = list->C_Initialize,
    .finalize = list->C_Finalize,
    .get_info = list->C_GetInfo,
    .get_slot_list = list->C_GetSlotList,
    .get_slot_info = list->C_GetSlotInfo,
    .get_token_info = list->C_GetTokenInfo,
    .open_session = list->C_OpenSession,
    .close_session = list->C_CloseSession,
    .find_objects_init = list->C_FindObjectsInit,
    .find_objects = list->C_FindObjects,
    .find_objects_final = list->C_FindObjectsFinal,
    .get_attribute_value = list->C_GetAttributeValue,
    .wait_for_slot_event = list->C_WaitForSlotEvent,
  };

  return read->initialize != NULL && read->get_info != NULL && read->get_slot_list != NULL
         && read->get_token_info != NULL && read->open_session != NULL
         && read->close_session != NULL && read->find_objects_init != NULL
         && read->find_objects != NULL && read->find_objects_final != NULL
         && read->get_attribute_value != NULL;
}

static gboolean
copy_operation_functions (const CK_FUNCTION_LIST *list, TokendOperationFunctions *operation)
{
  *operation = (TokendOperationFunctions){
    .login = list->C_Login,
    .logout = list->C_Logout,
    .init_pin = list->C_InitPIN,
    .set_pin = list->C_SetPIN,
  };

  return operation->login != NULL && operation->logout != NULL && operation->init_pin != NULL
         && operation->set_pin != NULL;
}

/* Tells whether the module is OpenSC. When OpenSC unlocks a card that was pulled out in the middle,
 * it keeps its own lock, and waits for that at the next call, for ever and for all cards. */
static gboolean
must_not_lock (void)
{
  return g_getenv (TOKEND_OPENSC_VARIABLE) != NULL;
}

static CK_RV
initialize (TokendReadFunctions *read)
{
  CK_C_INITIALIZE_ARGS arguments = { .flags = CKF_OS_LOCKING_OK };
  CK_RV rv = must_not_lock () ? CKR_CANT_LOCK : read->initialize (&arguments);

  if (rv == CKR_OK)
    return CKR_OK;

  /* Some versions of AKİS want no arguments. All calls then come from one thread, so none are
   * needed. */
  read->wait_for_slot_event = NULL;
  if (rv == CKR_ARGUMENTS_BAD || rv == CKR_CANT_LOCK)
    rv = read->initialize (NULL);

  return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

static GVariant *
describe_module (const CK_INFO *info)
{
  TokendTokenField manufacturer, description;
  GVariantDict dict;

  tokend_token_field_init (&manufacturer, info->manufacturerID, sizeof info->manufacturerID);
  tokend_token_field_init (&description, info->libraryDescription, sizeof info->libraryDescription);

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "manufacturer",
                               tokend_token_field_to_variant (&manufacturer));
  g_variant_dict_insert_value (&dict, "description", tokend_token_field_to_variant (&description));

  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static const CK_FUNCTION_LIST *
open_module (const char *path, GError **error)
{
  const CK_FUNCTION_LIST *list;

  p11_kit_be_quiet ();

  /* Unmanaged: p11-kit's “log-calls” would print codes, and C_Initialize (NULL) of a managed module
   * is p11-kit's own. */
  list = p11_kit_module_load (path, P11_KIT_MODULE_UNMANAGED);
  if (list == NULL) {
    const char *message = p11_kit_message ();
    g_autofree char *printable =
        g_utf8_make_valid (message != NULL ? message : "it cannot be loaded", -1);

    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED, printable);
    return NULL;
  }
  if (list->version.major < 2) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED, "PKCS#11 %u is too old",
                 list->version.major);
    return NULL;
  }

  return list;
}

/**
 * tokend_pkcs11_module_load:
 * @path: absolute file name of the module
 * @environment: (type a{ss}): set in this process before the module is loaded
 * @read: (out): the functions to read tokens
 * @operation: (out) (nullable): the functions to change PINs; %NULL on a watching host, which then
 *   has none
 * @error: ModuleFailed, InvalidArgs
 *
 * Loads the module, which stays for the life of the process. May take as long as the module likes.
 * Call it, the functions below, and all that it gives but wait_for_slot_event from one thread.
 *
 * Returns: whether it was loaded
 */
gboolean
tokend_pkcs11_module_load (const char *path, GVariant *environment, TokendReadFunctions *read,
                           TokendOperationFunctions *operation, GError **error)
{
  const CK_FUNCTION_LIST *list;

  if (!g_path_is_absolute (path)) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The module's file name “%s” is not absolute", path);
    return FALSE;
  }
  if (!set_environment (environment, error))
    return FALSE;

  list = open_module (path, error);
  if (list == NULL)
    return FALSE;
  if (!copy_read_functions (list, read)
      || (operation != NULL && !copy_operation_functions (list, operation))) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                         "It lacks a function of PKCS#11");
    return FALSE;
  }
  return TRUE;
}

/**
 * tokend_pkcs11_module_initialize:
 * @read: loses wait_for_slot_event if it cannot be called from another thread.
 * @error: ModuleFailed.
 *
 * Returns: whether it is initialized
 */
gboolean
tokend_pkcs11_module_initialize (TokendReadFunctions *read, GError **error)
{
  const CK_RV rv = initialize (read);

  return rv == CKR_OK
         || tokend_pkcs11_set_error (error, TOKEND_ERROR_MODULE_FAILED, "C_Initialize", rv);
}

/**
 * tokend_pkcs11_module_describe:
 * @error: ModuleFailed.
 *
 * Returns: (transfer full) (nullable): manufacturer and description (ay) of the initialized module.
 */
GVariant *
tokend_pkcs11_module_describe (const TokendReadFunctions *read, GError **error)
{
  CK_INFO info = { 0 };
  const CK_RV rv = read->get_info (&info);

  if (rv == CKR_OK)
    return describe_module (&info);
  tokend_pkcs11_set_error (error, TOKEND_ERROR_MODULE_FAILED, "C_GetInfo", rv);
  return NULL;
}

/**
 * tokend_pkcs11_module_finalize:
 *
 * Makes the module free everything, so that it can be initialized again.
 */
void
tokend_pkcs11_module_finalize (const TokendReadFunctions *read)
{
  read->finalize (NULL);
}
