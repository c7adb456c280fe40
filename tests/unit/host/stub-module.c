/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A PKCS#11 module that misbehaves as its environment says:
 *   STUB_LOG   a file: the name of each function is written there when it is entered
 *   STUB_HANG  the function that hangs; "constructor" hangs while the module is loaded
 *   STUB_GATE  a FIFO: what hangs goes on when the FIFO is opened for writing; without it, never
 *   STUB_INITIALIZE  "without-arguments": C_Initialize wants none
 * It prints whatever code it gets on standard output and standard error.
 */
#include <p11-kit/pkcs11.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
hang (void)
{
  const char *gate = getenv ("STUB_GATE");

  if (gate != NULL) {
    close (open (gate, O_RDONLY | O_CLOEXEC));
    return;
  }
  for (;;)
    pause ();
}

static void
enter (const char *function)
{
  const char *log = getenv ("STUB_LOG");
  const char *where = getenv ("STUB_HANG");

  if (log != NULL) {
    int fd = open (log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    dprintf (fd, "%s\n", function);
    close (fd);
  }
  if (where != NULL && strcmp (where, function) == 0)
    hang ();
}

static void
blab (const CK_BYTE *code, CK_ULONG length)
{
  printf ("%.*s\n", (int) length, (const char *) code);
  fflush (stdout);
  dprintf (STDERR_FILENO, "%.*s\n", (int) length, (const char *) code);
}

__attribute__ ((constructor)) static void
constructor (void)
{
  enter ("constructor");
}

static CK_RV
initialize (void *arguments)
{
  const char *wanted = getenv ("STUB_INITIALIZE");

  enter ("C_Initialize");
  return wanted != NULL && arguments != NULL ? CKR_ARGUMENTS_BAD : CKR_OK;
}

static CK_RV
get_info (CK_INFO *info)
{
  memset (info, ' ', sizeof *info);
  memcpy (info->manufacturerID, "Stub", 4);
  return CKR_OK;
}

static CK_RV
get_slot_list (CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count)
{
  enter ("C_GetSlotList");
  if (list != NULL)
    *list = 1;
  *count = 1;
  return CKR_OK;
}

static CK_RV
wait_for_slot_event (CK_FLAGS flags, CK_SLOT_ID *slot, void *reserved)
{
  if (flags == CKF_DONT_BLOCK)
    return CKR_NO_EVENT;
  enter ("C_WaitForSlotEvent");
  *slot = 1;
  return flags == 0 ? CKR_OK : CKR_ARGUMENTS_BAD;
}

static CK_RV
get_token_info (CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
  memset (info, ' ', sizeof *info);
  memcpy (info->manufacturerID, "Stub", 4);
  memcpy (info->model, "Stub", 4);
  memcpy (info->serialNumber, "1", 1);
  memcpy (info->label, "STUB", 4);
  info->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED;
  info->ulMinPinLen = 4;
  info->ulMaxPinLen = 8;
  return CKR_OK;
}

static CK_RV
open_session (CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify,
              CK_SESSION_HANDLE *session)
{
  *session = 1;
  return CKR_OK;
}

static CK_RV
close_session (CK_SESSION_HANDLE session)
{
  return CKR_OK;
}

static CK_RV
find_objects_init (CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG count)
{
  return CKR_OK;
}

static CK_RV
find_objects (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room, CK_ULONG *count)
{
  *count = 0;
  return CKR_OK;
}

static CK_RV
find_objects_final (CK_SESSION_HANDLE session)
{
  return CKR_OK;
}

static CK_RV
get_attribute_value (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
                     CK_ULONG count)
{
  return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV
login (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG length)
{
  blab (pin, length);
  enter ("C_Login");
  return CKR_OK;
}

static CK_RV
logout (CK_SESSION_HANDLE session)
{
  enter ("C_Logout");
  return CKR_OK;
}

static CK_RV
init_pin (CK_SESSION_HANDLE session, CK_BYTE *pin, CK_ULONG length)
{
  blab (pin, length);
  enter ("C_InitPIN");
  return CKR_OK;
}

static CK_RV
set_pin (CK_SESSION_HANDLE session, CK_BYTE *old, CK_ULONG old_length, CK_BYTE *new_pin,
         CK_ULONG new_length)
{
  blab (old, old_length);
  blab (new_pin, new_length);
  enter ("C_SetPIN");
  return CKR_OK;
}

CK_RV
C_GetFunctionList (CK_FUNCTION_LIST **list)
{
  static CK_FUNCTION_LIST functions = {
    .version = { 2, 40 },
    .C_Initialize = initialize,
    .C_GetInfo = get_info,
    .C_GetSlotList = get_slot_list,
    .C_WaitForSlotEvent = wait_for_slot_event,
    .C_GetTokenInfo = get_token_info,
    .C_OpenSession = open_session,
    .C_CloseSession = close_session,
    .C_FindObjectsInit = find_objects_init,
    .C_FindObjects = find_objects,
    .C_FindObjectsFinal = find_objects_final,
    .C_GetAttributeValue = get_attribute_value,
    .C_Login = login,
    .C_Logout = logout,
    .C_InitPIN = init_pin,
    .C_SetPIN = set_pin,
  };

  *list = &functions;
  return CKR_OK;
}
