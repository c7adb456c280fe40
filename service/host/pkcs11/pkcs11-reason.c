/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pkcs11-reason.h"

#define NAME(value)                                                                                \
  {                                                                                                \
    value, #value                                                                                  \
  }

static const struct {
  CK_RV rv;
  const char *name;
} names[] = {
  NAME (CKR_OK),
  NAME (CKR_CANCEL),
  NAME (CKR_HOST_MEMORY),
  NAME (CKR_SLOT_ID_INVALID),
  NAME (CKR_GENERAL_ERROR),
  NAME (CKR_FUNCTION_FAILED),
  NAME (CKR_ARGUMENTS_BAD),
  NAME (CKR_NEED_TO_CREATE_THREADS),
  NAME (CKR_CANT_LOCK),
  NAME (CKR_ACTION_PROHIBITED),
  NAME (CKR_DATA_INVALID),
  NAME (CKR_DATA_LEN_RANGE),
  NAME (CKR_DEVICE_ERROR),
  NAME (CKR_DEVICE_MEMORY),
  NAME (CKR_DEVICE_REMOVED),
  NAME (CKR_FUNCTION_CANCELED),
  NAME (CKR_FUNCTION_NOT_SUPPORTED),
  NAME (CKR_OPERATION_ACTIVE),
  NAME (CKR_PIN_INCORRECT),
  NAME (CKR_PIN_INVALID),
  NAME (CKR_PIN_LEN_RANGE),
  NAME (CKR_PIN_EXPIRED),
  NAME (CKR_PIN_LOCKED),
  NAME (CKR_PIN_TOO_WEAK),
  NAME (CKR_SESSION_CLOSED),
  NAME (CKR_SESSION_COUNT),
  NAME (CKR_SESSION_EXISTS),
  NAME (CKR_SESSION_HANDLE_INVALID),
  NAME (CKR_SESSION_PARALLEL_NOT_SUPPORTED),
  NAME (CKR_SESSION_READ_ONLY),
  NAME (CKR_SESSION_READ_ONLY_EXISTS),
  NAME (CKR_SESSION_READ_WRITE_SO_EXISTS),
  NAME (CKR_TOKEN_NOT_PRESENT),
  NAME (CKR_TOKEN_NOT_RECOGNIZED),
  NAME (CKR_TOKEN_WRITE_PROTECTED),
  NAME (CKR_USER_ALREADY_LOGGED_IN),
  NAME (CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
  NAME (CKR_USER_NOT_LOGGED_IN),
  NAME (CKR_USER_PIN_NOT_INITIALIZED),
  NAME (CKR_USER_TOO_MANY_TYPES),
  NAME (CKR_USER_TYPE_INVALID),
  NAME (CKR_BUFFER_TOO_SMALL),
  NAME (CKR_CRYPTOKI_NOT_INITIALIZED),
  NAME (CKR_LIBRARY_LOAD_FAILED),
  NAME (CKR_FUNCTION_REJECTED),
};

/**
 * tokend_pkcs11_reason:
 * @function: name of a PKCS#11 function
 * @rv: what it returned
 *
 * Returns: (transfer full): both for the journal, for instance "C_Login: CKR_DEVICE_ERROR"
 */
char *
tokend_pkcs11_reason (const char *function, CK_RV rv)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    if (names[i].rv == rv)
      return g_strdup_printf ("%s: %s", function, names[i].name);
  }

  return g_strdup_printf ("%s: 0x%08lx", function, rv);
}

/**
 * tokend_pkcs11_set_error:
 * @error: set to @code, with tokend_pkcs11_reason() as its message
 *
 * Returns: %FALSE always, so that a caller can return it
 */
gboolean
tokend_pkcs11_set_error (GError **error, TokendError code, const char *function, CK_RV rv)
{
  g_autofree char *reason = tokend_pkcs11_reason (function, rv);

  g_set_error_literal (error, TOKEND_ERROR, code, reason);
  return FALSE;
}

/**
 * tokend_pkcs11_token_is_gone:
 *
 * Returns: whether @rv says that the token, or the session on it, is gone
 */
gboolean
tokend_pkcs11_token_is_gone (CK_RV rv)
{
  switch (rv) {
  case CKR_DEVICE_REMOVED:
  case CKR_TOKEN_NOT_PRESENT:
  case CKR_TOKEN_NOT_RECOGNIZED:
  case CKR_SESSION_HANDLE_INVALID:
  case CKR_SESSION_CLOSED:
  case CKR_SLOT_ID_INVALID:
    return TRUE;
  default:
    return FALSE;
  }
}
