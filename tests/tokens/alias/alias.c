/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A PKCS#11 module that shows the tokens of another one by another name, as vendors' modules and
 * OpenSC do with the same hardware; ../README.md says how it is told.
 */
#include <dlfcn.h>
#include <glib.h>
#include <p11-kit/pkcs11.h>
#include <string.h>

#define GROUP "token"
#define RETRY_FLAGS                                                                                \
  ((CK_FLAGS) (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED               \
               | CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED))

CK_RV C_GetFunctionList (CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST *theirs;
static CK_FUNCTION_LIST ours;
static GKeyFile *settings;

/* The folder that this copy of the module was loaded from. */
static char *
find_folder (void)
{
  Dl_info info;

  return dladdr (&ours, &info) != 0 ? g_path_get_dirname (info.dli_fname) : g_strdup (".");
}

/* What is not set is as the other module has it. The fields are padded with blanks, without a final
 * NUL. */
static void
set_field (unsigned char *field, gsize size, const char *key)
{
  g_autofree char *text = g_key_file_get_string (settings, GROUP, key, NULL);

  if (text == NULL)
    return;
  memset (field, ' ', size);
  memcpy (field, text, MIN (strlen (text), size));
}

static CK_RV
get_token_info (CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
  CK_RV rv = theirs->C_GetTokenInfo (slot, info);

  if (rv == CKR_OK) {
    set_field (info->manufacturerID, sizeof info->manufacturerID, "manufacturer");
    set_field (info->model, sizeof info->model, "model");
    set_field (info->serialNumber, sizeof info->serialNumber, "serial");
    set_field (info->label, sizeof info->label, "label");
    if (g_key_file_get_boolean (settings, GROUP, "hide-flags", NULL))
      info->flags &= ~RETRY_FLAGS;
  }
  return rv;
}

static CK_RV
get_slot_info (CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
  CK_RV rv = theirs->C_GetSlotInfo (slot, info);

  if (rv == CKR_OK)
    set_field (info->slotDescription, sizeof info->slotDescription, "reader");
  return rv;
}

static gboolean
load (void)
{
  g_autofree char *folder = find_folder ();
  g_autofree char *configuration = g_build_filename (folder, "token.conf", NULL);
  g_autofree char *path = NULL;
  CK_C_GetFunctionList get_function_list;
  void *library;

  settings = g_key_file_new ();
  if (!g_key_file_load_from_file (settings, configuration, G_KEY_FILE_NONE, NULL))
    return FALSE;
  path = g_key_file_get_string (settings, GROUP, "of", NULL);
  library = path != NULL ? dlopen (path, RTLD_NOW | RTLD_LOCAL) : NULL;
  get_function_list =
      library != NULL ? (CK_C_GetFunctionList) dlsym (library, "C_GetFunctionList") : NULL;
  return get_function_list != NULL && get_function_list (&theirs) == CKR_OK;
}

__attribute__ ((visibility ("default"))) CK_RV
C_GetFunctionList (CK_FUNCTION_LIST **list)
{
  if (theirs == NULL && !load ())
    return CKR_GENERAL_ERROR;
  ours = *theirs;
  ours.C_GetFunctionList = C_GetFunctionList;
  ours.C_GetTokenInfo = get_token_info;
  ours.C_GetSlotInfo = get_slot_info;
  *list = &ours;
  return CKR_OK;
}
