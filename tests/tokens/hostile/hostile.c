/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A PKCS#11 module that attacks from within the module host, and shows a token whose PIN can be
 * set, so that an operating host loads it too. C_Initialize makes each attack, and writes a report:
 *
 * FOLDER/hostile-KIND-PROCESS    KIND is "watch" or "operate"; there all at once; a line an attack:
 * attack NAME RESULT             "done" if it worked, else the name of the errno or D-Bus error
 * that stopped it
 *
 * FOLDER is /var/tmp/eToken.cache, which is SafeNet's and where the units let a module write, if it
 * is there. Then the lines of hostile_reach() follow. Else it is /var/tmp. Without a report there
 * is no token: C_Initialize fails.
 */
#include "attacks.h"
#include "reach.h"

#include <p11-kit/pkcs11.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHARED_FOLDER "/var/tmp/eToken.cache"
#define OTHER_FOLDER "/var/tmp"

/* The argument with which the host was started, without its hyphens. */
static const char *
host_kind (void)
{
  char arguments[256] = "";
  FILE *file = fopen ("/proc/self/cmdline", "re");
  size_t length = file != NULL ? fread (arguments, 1, sizeof arguments - 1, file) : 0;

  if (file != NULL)
    fclose (file);
  return memmem (arguments, length, "--operate", strlen ("--operate")) != NULL ? "operate"
                                                                               : "watch";
}

static void
write_attacks (FILE *report, pid_t service)
{
  for (const HostileNamedAttack *entry = hostile_attacks; entry->name != NULL; entry++) {
    const char *failure = entry->attack (service);

    fprintf (report, "attack %s %s\n", entry->name, failure != NULL ? failure : "done");
  }
}

static CK_RV
initialize (void *arguments)
{
  char path[PATH_MAX], unfinished[PATH_MAX + 8];
  const pid_t service = hostile_find_service ();
  const int is_shared = access (SHARED_FOLDER, W_OK) == 0;
  FILE *report;

  snprintf (path, sizeof path, "%s/hostile-%s-%d", is_shared ? SHARED_FOLDER : OTHER_FOLDER,
            host_kind (), (int) getpid ());
  snprintf (unfinished, sizeof unfinished, "%s.part", path);
  report = fopen (unfinished, "we");
  if (report == NULL || service == 0)
    return CKR_FUNCTION_FAILED;

  write_attacks (report, service);
  if (is_shared)
    hostile_reach (report);
  return fclose (report) == 0 && rename (unfinished, path) == 0 ? CKR_OK : CKR_FUNCTION_FAILED;
}

static CK_RV
get_info (CK_INFO *info)
{
  memset (info, ' ', sizeof *info);
  memcpy (info->manufacturerID, "Hostile", 7);
  return CKR_OK;
}

static CK_RV
get_slot_list (CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
  if (slots != NULL)
    *slots = 1;
  *count = 1;
  return CKR_OK;
}

static CK_RV
get_token_info (CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
  memset (info, ' ', sizeof *info);
  memcpy (info->manufacturerID, "Hostile", 7);
  memcpy (info->model, "Hostile", 7);
  memcpy (info->serialNumber, "1", 1);
  memcpy (info->label, "HOSTILE", 7);
  info->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED;
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
do_nothing (CK_SESSION_HANDLE session)
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
get_attribute_value (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes,
                     CK_ULONG count)
{
  return CKR_ATTRIBUTE_TYPE_INVALID;
}

static CK_RV
login (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG length)
{
  return CKR_OK;
}

static CK_RV
init_pin (CK_SESSION_HANDLE session, CK_BYTE *pin, CK_ULONG length)
{
  return CKR_OK;
}

static CK_RV
set_pin (CK_SESSION_HANDLE session, CK_BYTE *old, CK_ULONG old_length, CK_BYTE *new_pin,
         CK_ULONG new_length)
{
  return CKR_OK;
}

__attribute__ ((visibility ("default"))) CK_RV
C_GetFunctionList (CK_FUNCTION_LIST **functions)
{
  static CK_FUNCTION_LIST list = {
    .version = { 2, 40 },
    .C_Initialize = initialize,
    .C_GetInfo = get_info,
    .C_GetSlotList = get_slot_list,
    .C_GetTokenInfo = get_token_info,
    .C_OpenSession = open_session,
    .C_CloseSession = do_nothing,
    .C_FindObjectsInit = find_objects_init,
    .C_FindObjects = find_objects,
    .C_FindObjectsFinal = do_nothing,
    .C_GetAttributeValue = get_attribute_value,
    .C_Login = login,
    .C_Logout = do_nothing,
    .C_InitPIN = init_pin,
    .C_SetPIN = set_pin,
  };

  *functions = &list;
  return CKR_OK;
}
