/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the module sends to its card in a reader of pcscd, if the setting "card" names that reader.
 */
#include "etoken.h"

#include <string.h>
#include <winscard.h>

static GMutex mutex;
static SCARDCONTEXT context;
static SCARDHANDLE card;
static DWORD protocol;
static gboolean is_connected;

static char *
get_setting (const char *key)
{
  return g_key_file_get_string (etoken_settings (), "token", key, NULL);
}

static gboolean
has_context (void)
{
  return SCardIsValidContext (context) == SCARD_S_SUCCESS
         || SCardEstablishContext (SCARD_SCOPE_SYSTEM, NULL, NULL, &context) == SCARD_S_SUCCESS;
}

static gboolean
connect_to (const char *reader)
{
  return SCardConnect (context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol)
         == SCARD_S_SUCCESS;
}

static void
disconnect (void)
{
  if (is_connected)
    SCardDisconnect (card, SCARD_LEAVE_CARD);
  is_connected = FALSE;
}

static gboolean
transmit (EtokenFunction function)
{
  const SCARD_IO_REQUEST how = { .dwProtocol = protocol, .cbPciLength = sizeof how };
  const unsigned char command[] = { 0x80, 0xf0, (unsigned char) function, 0, 0 };
  unsigned char answer[258];
  DWORD length = sizeof answer;

  return SCardTransmit (card, &how, command, sizeof command, NULL, answer, &length)
         == SCARD_S_SUCCESS;
}

/* Whether the real module would ask its card for this. */
static gboolean
is_sent (EtokenFunction function)
{
  switch ((guint) function) {
  case ETOKEN_C_Initialize:
  case ETOKEN_C_Finalize:
  case ETOKEN_C_GetInfo:
  case ETOKEN_C_GetFunctionList:
  case ETOKEN_C_GetSlotList:
  case ETOKEN_C_GetSlotInfo:
  case ETOKEN_C_WaitForSlotEvent:
  case ETOKEN_C_CloseSession:
  case ETOKEN_C_CloseAllSessions:
  case ETOKEN_C_FindObjects:
  case ETOKEN_C_FindObjectsFinal:
    return FALSE;
  default:
    return TRUE;
  }
}

/* Connects to the card in every reader for a moment, as a module does that looks for its own. */
static void
look_around (void)
{
  char names[1024];
  DWORD length = sizeof names;

  if (!has_context () || SCardListReaders (context, NULL, names, &length) != SCARD_S_SUCCESS)
    return;
  for (const char *name = names; *name != '\0'; name += strlen (name) + 1) {
    is_connected = connect_to (name);
    disconnect ();
  }
}

/**
 * etoken_send:
 *
 * Sends the card a command for the call, if it is in a reader. With the setting "connection=kept"
 * the module stays connected until C_Finalize.
 *
 * Returns: whether the card was there, if it was asked.
 */
gboolean
etoken_send (EtokenFunction function)
{
  g_autofree char *reader = get_setting ("card");
  g_autofree char *connection = get_setting ("connection");
  gboolean is_answered = TRUE;

  if (reader == NULL)
    return TRUE;
  g_mutex_lock (&mutex);
  if (function == ETOKEN_C_Initialize)
    look_around ();
  else if (function == ETOKEN_C_Finalize)
    disconnect ();
  else if (is_sent (function)) {
    is_connected = is_connected || (has_context () && connect_to (reader));
    is_answered = is_connected && transmit (function);
    if (!is_answered || g_strcmp0 (connection, "kept") != 0)
      disconnect ();
  }
  g_mutex_unlock (&mutex);
  return is_answered;
}
