/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "softhsm-token.h"

#include <glib/gstdio.h>
#include <p11-kit/p11-kit.h>
#include <string.h>

static CK_FUNCTION_LIST *
start (void)
{
  static CK_FUNCTION_LIST *module;

  if (module == NULL)
    module = p11_kit_module_load (SOFTHSM2, P11_KIT_MODULE_UNMANAGED);
  g_assert_nonnull (module);
  g_assert_cmpuint (module->C_Initialize (NULL), ==, CKR_OK);
  return module;
}

static CK_SLOT_ID
first_slot (CK_FUNCTION_LIST *module)
{
  CK_SLOT_ID slots[8];
  CK_ULONG count = G_N_ELEMENTS (slots);

  g_assert_cmpuint (module->C_GetSlotList (CK_TRUE, slots, &count), ==, CKR_OK);
  return slots[0];
}

static CK_SESSION_HANDLE
open_session (CK_FUNCTION_LIST *module)
{
  CK_SESSION_HANDLE session;

  g_assert_cmpuint (module->C_OpenSession (first_slot (module), CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                           NULL, NULL, &session),
                    ==, CKR_OK);
  return session;
}

char *
softhsm_configuration (const char *folder)
{
  return g_build_filename (folder, "softhsm2.conf", NULL);
}

void
softhsm_create (const char *folder)
{
  g_autofree char *path = softhsm_configuration (folder);
  g_autofree char *text = g_strdup_printf ("directories.tokendir = %s\n", folder);
  CK_UTF8CHAR label[33] = "SOFTHSM                         ";
  CK_FUNCTION_LIST *module;
  CK_SESSION_HANDLE session;

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  g_setenv ("SOFTHSM2_CONF", path, TRUE);
  module = start ();
  g_assert_cmpuint (module->C_InitToken (first_slot (module), (CK_BYTE *) SOFTHSM_PUK,
                                         strlen (SOFTHSM_PUK), label),
                    ==, CKR_OK);
  session = open_session (module);
  g_assert_cmpuint (
      module->C_Login (session, CKU_SO, (CK_BYTE *) SOFTHSM_PUK, strlen (SOFTHSM_PUK)), ==, CKR_OK);
  g_assert_cmpuint (module->C_InitPIN (session, (CK_BYTE *) SOFTHSM_PIN, strlen (SOFTHSM_PIN)), ==,
                    CKR_OK);
  g_assert_cmpuint (module->C_Finalize (NULL), ==, CKR_OK);
}

static gboolean
accepts (CK_USER_TYPE user, const char *code)
{
  CK_FUNCTION_LIST *module = start ();
  CK_RV rv = module->C_Login (open_session (module), user, (CK_BYTE *) code, strlen (code));

  g_assert_true (rv == CKR_OK || rv == CKR_PIN_INCORRECT);
  g_assert_cmpuint (module->C_Finalize (NULL), ==, CKR_OK);
  return rv == CKR_OK;
}

gboolean
softhsm_accepts_pin (const char *pin)
{
  return accepts (CKU_USER, pin);
}

gboolean
softhsm_accepts_puk (const char *puk)
{
  return accepts (CKU_SO, puk);
}

static gboolean
has_flag (CK_FLAGS flag)
{
  CK_FUNCTION_LIST *module = start ();
  CK_TOKEN_INFO info;

  g_assert_cmpuint (module->C_GetTokenInfo (first_slot (module), &info), ==, CKR_OK);
  g_assert_cmpuint (module->C_Finalize (NULL), ==, CKR_OK);
  return (info.flags & flag) != 0;
}

gboolean
softhsm_pin_count_low (void)
{
  return has_flag (CKF_USER_PIN_COUNT_LOW);
}

gboolean
softhsm_puk_count_low (void)
{
  return has_flag (CKF_SO_PIN_COUNT_LOW);
}
