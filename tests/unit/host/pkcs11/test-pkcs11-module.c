/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a module is loaded and made ready: the stub, whose list of functions is changed here before
 * it is looked at. */
#include "opensc-configuration.h"
#include "pkcs11-module.h"
#include "tokend-error.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <string.h>

static CK_FUNCTION_LIST *list; /* the stub's own */

static void
find_list (void)
{
  void *module = dlopen (STUB_MODULE, RTLD_NOW | RTLD_LOCAL);
  CK_C_GetFunctionList get_list;

  g_assert_nonnull (module);
  *(void **) &get_list = dlsym (module, "C_GetFunctionList");
  g_assert_cmpuint (get_list (&list), ==, CKR_OK);
}

static gboolean
load (const char *path, const char *environment, TokendReadFunctions *read,
      TokendOperationFunctions *operation, GError **error)
{
  g_autoptr (GVariant) variables =
      g_variant_parse (G_VARIANT_TYPE ("a{ss}"), environment, NULL, NULL, NULL);

  return tokend_pkcs11_module_load (path, variables, read, operation, error);
}

/* Functions that a module must have, or that only an operation needs, or that it may lack. */
static void
test_functions (void)
{
  static const struct {
    const char *name;
    gsize offset;
    gboolean watching, operating; /* whether it can be loaded without */
  } rows[] = {
#define FUNCTION(name) #name, G_STRUCT_OFFSET(CK_FUNCTION_LIST, name)
    { FUNCTION (C_Initialize), FALSE, FALSE },
    { FUNCTION (C_GetInfo), FALSE, FALSE },
    { FUNCTION (C_GetSlotList), FALSE, FALSE },
    { FUNCTION (C_GetTokenInfo), FALSE, FALSE },
    { FUNCTION (C_OpenSession), FALSE, FALSE },
    { FUNCTION (C_CloseSession), FALSE, FALSE },
    { FUNCTION (C_FindObjectsInit), FALSE, FALSE },
    { FUNCTION (C_FindObjects), FALSE, FALSE },
    { FUNCTION (C_FindObjectsFinal), FALSE, FALSE },
    { FUNCTION (C_GetAttributeValue), FALSE, FALSE },
    { FUNCTION (C_Login), TRUE, FALSE },
    { FUNCTION (C_Logout), TRUE, FALSE },
    { FUNCTION (C_InitPIN), TRUE, FALSE },
    { FUNCTION (C_SetPIN), TRUE, FALSE },
    { FUNCTION (C_WaitForSlotEvent), TRUE, TRUE },
    { FUNCTION (C_GetSlotInfo), TRUE, TRUE },
    { FUNCTION (C_Finalize), TRUE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    void **function = (void **) G_STRUCT_MEMBER_P (list, rows[i].offset);
    void *kept = g_steal_pointer (function);
    TokendReadFunctions read;
    TokendOperationFunctions operation;
    g_autoptr (GError) watching = NULL, operating = NULL;

    g_test_message ("without %s", rows[i].name);
    g_assert_cmpint (load (STUB_MODULE, "{}", &read, NULL, &watching), ==, rows[i].watching);
    g_assert_cmpint (load (STUB_MODULE, "{}", &read, &operation, &operating), ==,
                     rows[i].operating);
    if (!rows[i].watching)
      g_assert_error (watching, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
    if (!rows[i].operating)
      g_assert_error (operating, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
    *function = kept;
  }
}

static void
test_old (void)
{
  for (CK_BYTE major = 1; major <= 3; major++) {
    TokendReadFunctions read;
    g_autoptr (GError) error = NULL;

    list->version.major = major;
    g_assert_cmpint (load (STUB_MODULE, "{}", &read, NULL, &error), ==, major >= 2);
    if (major < 2) {
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
      g_assert_nonnull (strstr (error->message, "too old"));
    }
  }
  list->version.major = 2;
}

static void
test_no_module (void)
{
  static const struct {
    const char *path;
    TokendError code;
  } rows[] = {
    { "stub-module.so", TOKEND_ERROR_INVALID_ARGS },
    { "", TOKEND_ERROR_INVALID_ARGS },
    { "/nowhere/stub-module.so", TOKEND_ERROR_MODULE_FAILED },
    { "/etc/passwd", TOKEND_ERROR_MODULE_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendReadFunctions read;
    g_autoptr (GError) error = NULL;

    g_assert_false (load (rows[i].path, "{}", &read, NULL, &error));
    g_assert_error (error, TOKEND_ERROR, (int) rows[i].code);
    /* The loader's own words, which tell which file is missing, say. */
    g_assert_nonnull (strstr (error->message, rows[i].path));
  }
}

/* The service's word stands above what the process was started with: a card may be spoilt by
 * another configuration. */
static void
test_environment (void)
{
  TokendReadFunctions read;
  g_autoptr (GError) error = NULL;

  g_setenv (TOKEND_OPENSC_VARIABLE, "/from/somewhere", TRUE);
  g_assert_true (
      load (STUB_MODULE, "{'OPENSC_CONF': '/ours', 'OTHER': 'x=y'}", &read, NULL, &error));
  g_assert_cmpstr (g_getenv (TOKEND_OPENSC_VARIABLE), ==, "/ours");
  g_assert_cmpstr (g_getenv ("OTHER"), ==, "x=y");
  g_unsetenv (TOKEND_OPENSC_VARIABLE);
}

static void
test_bad_environment (void)
{
  static const char *const environments[] = { "{'': 'x'}", "{'A=B': 'x'}", "{'=': 'x'}" };

  for (gsize i = 0; i < G_N_ELEMENTS (environments); i++) {
    TokendReadFunctions read = { 0 };
    g_autoptr (GError) error = NULL;

    g_assert_false (load (STUB_MODULE, environments[i], &read, NULL, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_null (read.get_info);
  }
}

/* How often C_Initialize was called in each way, and what it answers. */
static struct {
  guint with, without;
  CK_RV with_rv, without_rv;
} calls;

static CK_RV
initialize (void *arguments)
{
  const CK_C_INITIALIZE_ARGS *given = arguments;

  if (given == NULL) {
    calls.without++;
    return calls.without_rv;
  }
  g_assert_cmpuint (given->flags, ==, CKF_OS_LOCKING_OK);
  calls.with++;
  return calls.with_rv;
}

/* A second thread waits for slot events only where the module has said that it locks. */
static void
test_initialize (void)
{
  static const struct {
    CK_RV with_rv, without_rv;
    guint without;  /* calls */
    gboolean works; /* all in all */
    gboolean waits;
  } rows[] = {
    { CKR_OK, CKR_GENERAL_ERROR, 0, TRUE, TRUE },
    { CKR_ARGUMENTS_BAD, CKR_OK, 1, TRUE, FALSE },
    { CKR_CANT_LOCK, CKR_OK, 1, TRUE, FALSE },
    { CKR_ARGUMENTS_BAD, CKR_DEVICE_ERROR, 1, FALSE, FALSE },
    { CKR_DEVICE_ERROR, CKR_OK, 0, FALSE, FALSE },
    { CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_OK, 0, TRUE, FALSE },
    { CKR_CANT_LOCK, CKR_CRYPTOKI_ALREADY_INITIALIZED, 1, TRUE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendReadFunctions read = { .initialize = initialize,
                                 .wait_for_slot_event = list->C_WaitForSlotEvent };
    g_autoptr (GError) error = NULL;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    memset (&calls, 0, sizeof calls);
    calls.with_rv = rows[i].with_rv;
    calls.without_rv = rows[i].without_rv;
    g_assert_cmpint (tokend_pkcs11_module_initialize (&read, &error), ==, rows[i].works);
    g_assert_cmpuint (calls.with, ==, 1);
    g_assert_cmpuint (calls.without, ==, rows[i].without);
    if (rows[i].works)
      g_assert_cmpint (read.wait_for_slot_event != NULL, ==, rows[i].waits);
    else
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
  }
}

/* OpenSC is not asked to lock at all. */
static void
test_initialize_opensc (void)
{
  TokendReadFunctions read = { .initialize = initialize,
                               .wait_for_slot_event = list->C_WaitForSlotEvent };

  memset (&calls, 0, sizeof calls);
  g_setenv (TOKEND_OPENSC_VARIABLE, "/ours", TRUE);
  g_assert_true (tokend_pkcs11_module_initialize (&read, NULL));
  g_unsetenv (TOKEND_OPENSC_VARIABLE);
  g_assert_cmpuint (calls.with, ==, 0);
  g_assert_cmpuint (calls.without, ==, 1);
  g_assert_null (read.wait_for_slot_event);
}

static CK_RV
get_info (CK_INFO *info)
{
  memset (info, ' ', sizeof *info);
  memcpy (info->manufacturerID, "Maker", 5);
  memcpy (info->libraryDescription, "A library", 9);
  return CKR_OK;
}

static CK_RV
get_no_info (CK_INFO *info)
{
  return CKR_DEVICE_ERROR;
}

static void
test_describe (void)
{
  const TokendReadFunctions read = { .get_info = get_info };
  const TokendReadFunctions silent = { .get_info = get_no_info };
  g_autoptr (GError) error = NULL, no_info = NULL;
  g_autoptr (GVariant) described = tokend_pkcs11_module_describe (&read, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  text = g_variant_print (described, FALSE);
  g_assert_nonnull (strstr (text, "'manufacturer': <[byte 0x4d, 0x61, 0x6b, 0x65, 0x72]>"));
  g_assert_nonnull (strstr (text, "'description': <[byte 0x41, 0x20, "));

  g_assert_null (tokend_pkcs11_module_describe (&silent, &no_info));
  g_assert_error (no_info, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
  g_assert_nonnull (strstr (no_info->message, "C_GetInfo"));
}

static gboolean is_finalized;

static CK_RV
finalize (void *reserved)
{
  g_assert_null (reserved);
  is_finalized = TRUE;
  return CKR_OK;
}

static void
test_finalize (void)
{
  tokend_pkcs11_module_finalize (&(TokendReadFunctions){ .finalize = finalize });
  g_assert_true (is_finalized);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  find_list ();
  g_test_add_func ("/pkcs11-module/functions", test_functions);
  g_test_add_func ("/pkcs11-module/old", test_old);
  g_test_add_func ("/pkcs11-module/no-module", test_no_module);
  g_test_add_func ("/pkcs11-module/environment", test_environment);
  g_test_add_func ("/pkcs11-module/bad-environment", test_bad_environment);
  g_test_add_func ("/pkcs11-module/initialize", test_initialize);
  g_test_add_func ("/pkcs11-module/initialize/opensc", test_initialize_opensc);
  g_test_add_func ("/pkcs11-module/describe", test_describe);
  g_test_add_func ("/pkcs11-module/finalize", test_finalize);
  return g_test_run ();
}
