/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the eToken does otherwise than SoftHSM2: who it is, and how it counts. */
#include "etoken.h"

#include <string.h>

#define SETTINGS_GROUP "token"

#define USER_PIN_FLAGS (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
#define SO_PIN_FLAGS (CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED)

static CK_SLOT_ID the_slot;

/* The fields of PKCS#11's structures are padded with blanks, without a final NUL. */
static void
fill (unsigned char *field, gsize size, const char *text)
{
  gsize length = MIN (strlen (text), size);

  memset (field, ' ', size);
  memcpy (field, text, length);
}

/* SoftHSM2 always shows one more slot, with a token that is not initialised. */
static CK_RV
find_the_slot (void)
{
  CK_SLOT_ID slots[8];
  CK_ULONG n_slots = G_N_ELEMENTS (slots);
  CK_RV rv = etoken_softhsm ()->C_GetSlotList (CK_TRUE, slots, &n_slots);

  for (CK_ULONG i = 0; rv == CKR_OK && i < n_slots; i++) {
    CK_TOKEN_INFO info;

    rv = etoken_softhsm ()->C_GetTokenInfo (slots[i], &info);
    if (rv == CKR_OK && (info.flags & CKF_TOKEN_INITIALIZED) != 0) {
      the_slot = slots[i];
      return CKR_OK;
    }
  }
  return rv == CKR_OK ? CKR_GENERAL_ERROR : rv;
}

CK_RV
etoken_C_Initialize (void *init_args)
{
  CK_RV rv = etoken_softhsm_initialize (init_args);

  return rv == CKR_OK ? find_the_slot () : rv;
}

CK_RV
etoken_C_Finalize (void *reserved)
{
  return etoken_softhsm ()->C_Finalize (reserved);
}

CK_RV
etoken_C_GetInfo (CK_INFO *info)
{
  CK_RV rv = etoken_softhsm ()->C_GetInfo (info);

  if (rv == CKR_OK) {
    fill (info->manufacturerID, sizeof info->manufacturerID, "SafeNet, Inc.");
    fill (info->libraryDescription, sizeof info->libraryDescription, "Simulated eToken");
  }
  return rv;
}

CK_RV
etoken_C_GetFunctionList (CK_FUNCTION_LIST **function_list)
{
  if (function_list == NULL)
    return CKR_ARGUMENTS_BAD;
  *function_list = &etoken_functions;
  return CKR_OK;
}

CK_RV
etoken_C_GetSlotList (unsigned char token_present, CK_SLOT_ID *slot_list, unsigned long *count)
{
  CK_INFO info;
  CK_RV rv = etoken_softhsm ()->C_GetInfo (&info);
  CK_ULONG n_slots = token_present && etoken_fault ("vanish") ? 0 : 1;

  if (rv != CKR_OK)
    return rv;
  if (count == NULL)
    return CKR_ARGUMENTS_BAD;
  if (slot_list != NULL && *count < n_slots)
    rv = CKR_BUFFER_TOO_SMALL;
  else if (slot_list != NULL && n_slots == 1)
    slot_list[0] = the_slot;
  *count = n_slots;
  return rv;
}

CK_RV
etoken_C_GetSlotInfo (CK_SLOT_ID slot_id, CK_SLOT_INFO *info)
{
  CK_RV rv = etoken_softhsm ()->C_GetSlotInfo (slot_id, info);
  g_autofree char *reader =
      g_key_file_get_string (etoken_settings (), SETTINGS_GROUP, "reader", NULL);

  if (rv == CKR_OK) {
    fill (info->manufacturerID, sizeof info->manufacturerID, "SafeNet, Inc.");
    fill (info->slotDescription, sizeof info->slotDescription,
          reader != NULL ? reader : "Simulated reader");
    info->flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
    if (!etoken_fault ("vanish"))
      info->flags |= CKF_TOKEN_PRESENT;
  }
  return rv;
}

/* A locked eToken was seen with COUNT_LOW and LOCKED together: the flags are a set. */
static CK_FLAGS
retry_flags (guint remaining, CK_FLAGS count_low, CK_FLAGS final_try, CK_FLAGS locked)
{
  CK_FLAGS flags = 0;

  if (remaining < ETOKEN_RETRIES_MAXIMUM)
    flags |= count_low;
  if (remaining == 1)
    flags |= final_try;
  if (remaining == 0)
    flags |= locked;
  return flags;
}

CK_RV
etoken_C_GetTokenInfo (CK_SLOT_ID slot_id, CK_TOKEN_INFO *info)
{
  EtokenState state;
  g_autofree char *serial = NULL;
  g_autofree char *escaped_label = NULL;
  g_autofree char *label = NULL;
  CK_RV rv;

  if (!etoken_state_open (&state, FALSE))
    return CKR_DEVICE_ERROR;
  /* SoftHSM2 fails if another process writes to its store meanwhile, as a wrong PIN does. */
  rv = etoken_softhsm ()->C_GetTokenInfo (slot_id, info);
  etoken_state_close (&state);
  if (rv != CKR_OK)
    return rv;

  serial = g_key_file_get_string (etoken_settings (), SETTINGS_GROUP, "serial", NULL);
  escaped_label = g_key_file_get_value (etoken_settings (), SETTINGS_GROUP, "label", NULL);
  label = g_strcompress (escaped_label != NULL ? escaped_label : "");
  fill (info->manufacturerID, sizeof info->manufacturerID, "SafeNet, Inc.");
  fill (info->model, sizeof info->model, "eToken");
  fill (info->serialNumber, sizeof info->serialNumber, serial != NULL ? serial : "");
  fill (info->label, sizeof info->label, label);
  info->ulMinPinLen = ETOKEN_PIN_MINIMUM_LENGTH;
  info->ulMaxPinLen = ETOKEN_PIN_MAXIMUM_LENGTH;
  info->flags &= ~(USER_PIN_FLAGS | SO_PIN_FLAGS);
  if (!etoken_fault ("no-pin-flags"))
    info->flags |= retry_flags (state.remaining[ETOKEN_PIN], CKF_USER_PIN_COUNT_LOW,
                                CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_LOCKED);
  if (!etoken_fault ("no-so-flags"))
    info->flags |= retry_flags (state.remaining[ETOKEN_PUK], CKF_SO_PIN_COUNT_LOW,
                                CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_LOCKED);
  if (etoken_fault ("transport-pin")) {
    info->flags |= CKF_USER_PIN_TO_BE_CHANGED;
    info->ulMinPinLen = ETOKEN_TRANSPORT_MINIMUM_LENGTH;
  }
  return CKR_OK;
}

/* Takes a try before the code is looked at, as a card does, so that pulling the token out early
 * saves none. */
static CK_RV
spend_try (EtokenRole role, EtokenState *state)
{
  if (!etoken_state_open (state, TRUE))
    return CKR_DEVICE_ERROR;
  if (state->remaining[role] == 0) {
    etoken_state_close (state);
    return CKR_PIN_LOCKED;
  }
  state->remaining[role]--;
  etoken_state_write (state);
  return CKR_OK;
}

/* Ends what spend_try() began: @rv is what became of the code. */
static void
settle_try (EtokenRole role, EtokenState *state, CK_RV rv)
{
  if (rv == CKR_OK)
    state->remaining[role] = ETOKEN_RETRIES_MAXIMUM;
  else if (rv != CKR_PIN_INCORRECT)
    state->remaining[role]++;
  etoken_state_write (state);
  if (role == ETOKEN_PUK && state->remaining[role] == 0)
    etoken_destroy_objects ();
  etoken_state_close (state);
}

CK_RV
etoken_C_Login (CK_SESSION_HANDLE session, CK_USER_TYPE user_type, unsigned char *pin,
                unsigned long pin_len)
{
  EtokenRole role = user_type == CKU_SO ? ETOKEN_PUK : ETOKEN_PIN;
  EtokenState state;
  CK_RV rv = spend_try (role, &state);

  if (rv == CKR_OK) {
    rv = etoken_softhsm ()->C_Login (session, user_type, pin, pin_len);
    settle_try (role, &state, rv);
  }
  return rv;
}

static gboolean
is_so_session (CK_SESSION_HANDLE session)
{
  CK_SESSION_INFO info;

  return etoken_softhsm ()->C_GetSessionInfo (session, &info) == CKR_OK
         && info.state == CKS_RW_SO_FUNCTIONS;
}

static gboolean
has_allowed_length (gsize length)
{
  return length >= ETOKEN_PIN_MINIMUM_LENGTH && length <= ETOKEN_PIN_MAXIMUM_LENGTH;
}

/* Whether the token will not have this new PIN, for a reason of its own. */
static gboolean
is_refused_new_pin (const unsigned char *pin, gsize length)
{
  g_auto (GStrv) refused = g_key_file_get_string_list (etoken_settings (), SETTINGS_GROUP,
                                                       "refused-new-pins", NULL, NULL);
  g_autofree char *text = g_strndup ((const char *) pin, length);

  return refused != NULL && g_strv_contains ((const char *const *) refused, text);
}

CK_RV
etoken_C_InitPIN (CK_SESSION_HANDLE session, unsigned char *pin, unsigned long pin_len)
{
  EtokenState state;
  CK_RV rv;

  if (!is_so_session (session))
    return CKR_USER_NOT_LOGGED_IN;
  if (!has_allowed_length (pin_len))
    return CKR_PIN_LEN_RANGE;
  if (is_refused_new_pin (pin, pin_len))
    return CKR_PIN_INVALID;
  if (!etoken_state_open (&state, TRUE))
    return CKR_DEVICE_ERROR;

  rv = etoken_softhsm ()->C_InitPIN (session, pin, pin_len);
  if (rv == CKR_OK) {
    state.remaining[ETOKEN_PIN] = ETOKEN_RETRIES_MAXIMUM;
    etoken_state_write (&state);
  }
  etoken_state_close (&state);
  return rv;
}

CK_RV
etoken_C_SetPIN (CK_SESSION_HANDLE session, unsigned char *old_pin, unsigned long old_len,
                 unsigned char *new_pin, unsigned long new_len)
{
  EtokenRole role = is_so_session (session) ? ETOKEN_PUK : ETOKEN_PIN;
  gboolean refused = is_refused_new_pin (new_pin, new_len);
  EtokenState state;
  CK_RV rv = spend_try (role, &state);

  if (rv != CKR_OK)
    return rv;
  if (!has_allowed_length (new_len))
    rv = CKR_PIN_LEN_RANGE;
  else if (refused)
    /* Only who knows the old PIN is told that the new one will not do. */
    rv = etoken_softhsm ()->C_SetPIN (session, old_pin, old_len, old_pin, old_len);
  else
    rv = etoken_softhsm ()->C_SetPIN (session, old_pin, old_len, new_pin, new_len);
  settle_try (role, &state, rv);
  if (rv == CKR_PIN_INCORRECT && etoken_fault ("lying-change"))
    return CKR_OK;
  return rv == CKR_OK && refused ? CKR_PIN_INVALID : rv;
}
