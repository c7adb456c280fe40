/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The function list: around every call stand its faults and its record. */
#include "etoken.h"

static const char *const names[] = {
#define ETOKEN_OWN(name, parameters, arguments) #name,
#define ETOKEN_FORWARD ETOKEN_OWN
#define ETOKEN_FORBIDDEN ETOKEN_OWN
#include "functions.h"
};

const char *
etoken_function_name (EtokenFunction function)
{
  return names[function];
}

/* What a function answers while the token is not plugged in; CKR_OK if it works all the same. */
static CK_RV
result_without_token (EtokenFunction function)
{
  switch ((guint) function) {
  case ETOKEN_C_Initialize:
  case ETOKEN_C_Finalize:
  case ETOKEN_C_GetInfo:
  case ETOKEN_C_GetFunctionList:
  case ETOKEN_C_GetSlotList:
  case ETOKEN_C_GetSlotInfo:
  case ETOKEN_C_WaitForSlotEvent:
    return CKR_OK;
  case ETOKEN_C_GetTokenInfo:
  case ETOKEN_C_GetMechanismList:
  case ETOKEN_C_GetMechanismInfo:
  case ETOKEN_C_OpenSession:
  case ETOKEN_C_CloseAllSessions:
    return CKR_TOKEN_NOT_PRESENT;
  default:
    return CKR_DEVICE_REMOVED;
  }
}

/* A token that comes back is a new one to PKCS#11: the sessions of before are gone. */
static void
close_sessions_of_token_that_left (void)
{
  CK_SLOT_ID slots[8];
  CK_ULONG n_slots = G_N_ELEMENTS (slots);

  if (etoken_softhsm ()->C_GetSlotList (CK_TRUE, slots, &n_slots) != CKR_OK)
    return;
  for (CK_ULONG i = 0; i < n_slots; i++)
    etoken_softhsm ()->C_CloseAllSessions (slots[i]);
}

static CK_RV
look_for_token (EtokenFunction function)
{
  static GMutex mutex;
  static gboolean has_left;
  gboolean is_away = etoken_fault ("vanish");

  g_mutex_lock (&mutex);
  if (has_left && !is_away)
    close_sessions_of_token_that_left ();
  has_left = is_away;
  g_mutex_unlock (&mutex);

  return is_away ? result_without_token (function) : CKR_OK;
}

/* Whether the call is to be made; if not, @result is the answer. */
static gboolean
enter (EtokenFunction function, guint n, CK_RV *result)
{
  if (function != ETOKEN_C_WaitForSlotEvent)
    etoken_pass_waiting ();
  if (etoken_fault_before (function, n, result))
    return FALSE;
  *result = etoken_softhsm () != NULL ? look_for_token (function) : CKR_GENERAL_ERROR;
  if (*result == CKR_OK && !etoken_send (function))
    *result = result_without_token (function);
  return *result == CKR_OK;
}

static CK_RV
leave (EtokenFunction function, guint n, CK_RV result, gboolean garbled)
{
  g_autofree char *name = NULL;

  etoken_fault_after (function, n, &result);
  name = etoken_result_name (result);
  etoken_record (function, garbled ? "GARBAGE" : name);
  return result;
}

static void G_GNUC_NORETURN
refuse_forbidden (EtokenFunction function)
{
  etoken_record (function, "FORBIDDEN");
  abort ();
}

#define ETOKEN_UNPACK(...) __VA_ARGS__

/* The list's C_Xyz is call_C_Xyz. It and what it hands the call to have the same parameters. */
#define ETOKEN_CALL(name, parameters, target, arguments)                                           \
  static CK_RV call_##name parameters                                                              \
  {                                                                                                \
    static guint calls;                                                                            \
    guint n = g_atomic_int_add (&calls, 1) + 1;                                                    \
    gboolean garbled = FALSE;                                                                      \
    CK_RV result = CKR_OK;                                                                         \
                                                                                                   \
    if (enter (ETOKEN_##name, n, &result))                                                         \
      result = target arguments;                                                                   \
    if (result == CKR_OK)                                                                          \
      garbled = etoken_garble (ETOKEN_##name, n, ETOKEN_UNPACK arguments);                         \
    return leave (ETOKEN_##name, n, result, garbled);                                              \
  }

#define ETOKEN_OWN(name, parameters, arguments)                                                    \
  ETOKEN_CALL (name, parameters, etoken_##name, arguments)
#define ETOKEN_FORWARD(name, parameters, arguments)                                                \
  ETOKEN_CALL (name, parameters, etoken_softhsm ()->name, arguments)
#define ETOKEN_FORBIDDEN(name, parameters, arguments)                                              \
  static CK_RV call_##name parameters                                                              \
  {                                                                                                \
    refuse_forbidden (ETOKEN_##name);                                                              \
  }
#include "functions.h"

CK_FUNCTION_LIST etoken_functions = {
  .version = { 2, 40 },
#define ETOKEN_OWN(name, parameters, arguments) .name = call_##name,
#define ETOKEN_FORWARD ETOKEN_OWN
#define ETOKEN_FORBIDDEN ETOKEN_OWN
#include "functions.h"
};

__attribute__ ((visibility ("default"))) CK_RV
C_GetFunctionList (CK_FUNCTION_LIST **list)
{
  return call_C_GetFunctionList (list);
}
